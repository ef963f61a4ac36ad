"""
Whether this deployment can do its work: prints what it asked, ✓, ! (works, but look) or ✗, and what to do.

Of DATABASE_URL, or else of what `make run` runs on this machine, with Redis as that process is told. Shows no secret,
changes nothing. Exit status 0, or 1 when anything is ✗.
"""

import sys

from lib import bootstrap, log
from lib.bootstrap import Finding
from lib.domain.errors import Halt
from services.local import deployment
from services.process import last_line

SIGNS = {"ok": "✓", "warning": "!", "wrong": "✗"}


def main() -> int:
    """Print the findings; the exit status."""
    log.setup("doctor", "text", "CRITICAL")
    wrong = False
    try:
        for finding in bootstrap.examine(deployment()):
            _say(finding)
            wrong = wrong or finding.level == "wrong"
    except Halt as refused:
        _say(Finding("wrong", f"settings: {refused}"))
        wrong = True
    return int(wrong)


def _say(finding: Finding) -> None:
    advice = f"\n    → {finding.advice}" if finding.advice else ""
    sys.stdout.write(log.redact(f"{SIGNS[finding.level]} {finding.what}{advice}") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with last_line("doctor"):
        sys.exit(main())
