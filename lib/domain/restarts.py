"""
When a process that ended is started again, and when its ending counts as a crash loop. Pure: time is handed in.

A process that lived for a healthy while begins afresh; one that keeps ending early waits longer each time, up to a cap.
One that says it cannot work as it is set (exit 78) waits the longest at once: a disk that was full or a store that was
away may be back by then, a wrong setting costs one line a minute.
"""

import signal
from dataclasses import dataclass

from lib.domain.backoff import Backoff
from lib.domain.errors import EXIT_CONFIG

_PAUSE = Backoff(1.0, 30.0)


@dataclass(frozen=True, slots=True)
class RestartRule:
    """*pause* after early ends in a row, *set_wrong_s* after exit 78; times in seconds."""

    pause: Backoff = _PAUSE
    set_wrong_s: float = 60.0
    healthy_s: float = 60.0
    """A process that lived so long is well: what was before is forgotten."""
    looping_after: int = 5
    """As many early ends in a row are a crash loop."""


@dataclass(frozen=True, slots=True)
class Restart:
    """What follows an end: seconds to wait, early ends in a row, and whether they have just become a crash loop."""

    in_s: float
    early_ends: int
    loop_begins: bool


def after(rule: RestartRule, early_ends: int, lived_s: float, status: int) -> Restart:
    """The restart after an end with *status* that followed *early_ends* in a row; *lived_s* is how long it lived."""
    ends = 1 if lived_s >= rule.healthy_s else early_ends + 1
    wait = rule.set_wrong_s if status == EXIT_CONFIG else rule.pause.pause_s(ends)
    return Restart(wait, ends, ends == rule.looping_after)


_KILLED = "was killed (SIGKILL): by somebody, or because the machine ran out of memory"


def why_ended(status: int) -> str:
    """An exit status (negative: the signal's number) in plain words."""
    if status == 0:
        return "ended by itself"
    if status == EXIT_CONFIG:
        return "cannot work as things are; its last line says why (exit 78)"
    if status > 0:
        return f"failed; its last lines say why (exit {status})"
    if -status == signal.SIGKILL:
        return _KILLED
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{'crashed' if name in ('SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT') else 'was ended'} ({name})"
