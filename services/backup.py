"""
Back the database up into one file while everything runs.

    python -m services.backup [--to FILE] [--with-secrets]

Of DATABASE_URL, or else of what `make run` runs on this machine; without a name the file comes under DATA_DIR/backups.
It holds every row, exchange keys sealed as they are. What opens them is not in it: --with-secrets puts the secrets
`make run` made (var/secrets.json) in too, and then the file opens everything: keep it apart. Not in it: candles, which
come again, and the simulator's books, which are the exchange of paper accounts.
"""

import argparse
import sys
from pathlib import Path

from lib import bootstrap, log
from services.local import deployment
from services.process import last_line


def main(words: list[str] | None = None) -> None:
    """Write the file and say what is in it."""
    parser = argparse.ArgumentParser(prog="backup", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--to", type=Path, metavar="FILE")
    parser.add_argument("--with-secrets", action="store_true")
    asked = parser.parse_args(words)
    log.setup("backup", "text", "CRITICAL")
    made = bootstrap.backup(deployment(), asked.to, with_secrets=asked.with_secrets)
    inside = f"{made.header.row_count} rows of {len(made.header.rows)} tables, schema {made.header.revision}"
    sys.stdout.write(f"{made.path}: {inside}, {made.size / 1_000_000:.1f} MB\n")
    sys.stdout.write(
        "it holds SECRETS that open every exchange key: keep it apart from the machine and from people\n"
        if made.header.has_secrets
        else "secrets are not in it: keep ENCRYPTION_KEY, WEB_SECRET and INSTALLATION beside it, elsewhere\n"
    )


if __name__ == "__main__":
    with last_line("backup"):
        main()
