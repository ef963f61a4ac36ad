"""
`python -m services.start NAME`: becomes the process NAME of `lib/process_table.py`, with only the secrets it needs.

For whatever gives every process one environment: a platform's Procfile, and the supervisor. Nothing of the old
environment is left in the new process, and nothing but that table is loaded before.
"""

import os
import sys

from lib import settings
from lib.domain.errors import Halt
from lib.last_line import last_line
from lib.process_table import PROCESSES, narrowed
from lib.supervision import lifeline


def main(words: list[str]) -> None:
    """Become the process that the first of *words* names; the others are handed on to it."""
    if not words or words[0] not in PROCESSES:
        raise Halt(f"python -m services.start NAME, with NAME one of {', '.join(PROCESSES)}")
    env = settings.inherited()
    lifeline.tie_to_supervisor(env.get(lifeline.NAME, ""))
    command = [sys.executable, "-m", PROCESSES[words[0]].module, *words[1:]]
    os.execve(sys.executable, command, narrowed(words[0], env))  # noqa: S606 - it becomes what it was asked for


if __name__ == "__main__":
    with last_line("start"):
        main(sys.argv[1:])
