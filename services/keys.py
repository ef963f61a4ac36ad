"""
Print a fresh key pair for sealing exchange keys, and a secret of the web's own.

ENCRYPTION_KEY opens: give it to the trader alone. ENCRYPTION_PUBLIC_KEY only seals: give it to the web, and WEB_SECRET,
which locks second factors. Nothing is stored; lose the first and everybody must enter their exchange key again, lose
the last and people need their recovery codes.
"""

import sys

from lib import bootstrap
from services.process import last_line


def main() -> None:
    """Write three NAME=value lines to standard output."""
    private, public = bootstrap.new_sealing_keys()
    sys.stdout.write(f"ENCRYPTION_KEY={private}\nENCRYPTION_PUBLIC_KEY={public}\n")
    sys.stdout.write(f"WEB_SECRET={bootstrap.new_web_secret()}\n")


if __name__ == "__main__":
    with last_line("keys"):
        main()
