"""
Print a fresh key pair for sealing exchange keys.

ENCRYPTION_KEY opens: give it to the trader alone. ENCRYPTION_PUBLIC_KEY only seals: give it to the web. Nothing is
stored; lose the first and everybody must enter their exchange key again.
"""

import sys

from lib import bootstrap
from services.process import last_line


def main() -> None:
    """Write two NAME=value lines to standard output."""
    private, public = bootstrap.new_sealing_keys()
    sys.stdout.write(f"ENCRYPTION_KEY={private}\nENCRYPTION_PUBLIC_KEY={public}\n")


if __name__ == "__main__":
    with last_line("keys"):
        main()
