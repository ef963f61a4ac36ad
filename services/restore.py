"""
Fill the database from a backup; trading stays off until an operator resumes it.

    python -m services.restore --from FILE [--foreign] [--discard] [--with-secrets]

Into DATABASE_URL, or else into what `make run` runs on this machine. Refused while a trader lives, for a damaged file,
a newer schema, and another installation's backup (--foreign insists). What stands in the database is kept in a backup
of its own first (--discard: thrown away). --with-secrets first puts the backup's secrets where `make run` looks.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from lib import bootstrap, log
from lib.bootstrap import RestoreWishes
from services.local import data_folder, deployment
from services.process import last_line

AND_NOW = """\
trading is OFF: the exchange may have orders this backup does not know. Now
  1. start collector and trader (or `make run`): the trader adopts such orders
  2. wait until `make control ARGS=status` says "stopped, proved" (with `make run`: ARGS="--local status")
  3. look at limits, keys and positions, and stop again what an operator had stopped since
  4. `make control ARGS=resume` (ARGS="--local resume")
every account is paused until its owner, or `make control ARGS="resume --account N"`, resumes it
everybody must sign in again; API tokens, invitations and bound chats must be made anew
"""


def main(words: list[str] | None = None) -> None:
    """Restore, and say what to do next."""
    parser = argparse.ArgumentParser(prog="restore", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--from", type=Path, metavar="FILE", required=True, dest="file")
    parser.add_argument("--foreign", action="store_true")
    parser.add_argument("--discard", action="store_true")
    parser.add_argument("--with-secrets", action="store_true")
    asked = parser.parse_args(words)
    log.setup("restore", "text", "CRITICAL")
    if asked.with_secrets:
        sys.stdout.write(f"secrets are in {bootstrap.take_secrets(asked.file, data_folder())}\n")
    done = bootstrap.restore(deployment(), asked.file, RestoreWishes(foreign=asked.foreign, discard=asked.discard))
    when = datetime.fromtimestamp(done.header.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    sys.stdout.write(f"restored {done.header.row_count} rows as of {when}\n")
    if done.before is not None:
        sys.stdout.write(f"what stood there before is kept in {done.before.path}\n")
    if done.unopened:
        sys.stdout.write(
            f"exchange keys of key pair {', '.join(done.unopened)} do not open with what this environment holds: put "
            "the ENCRYPTION_KEY of that time into ENCRYPTION_KEYS_OLD of the trader\n"
        )
    sys.stdout.write(AND_NOW)


if __name__ == "__main__":
    with last_line("restore"):
        main()
