"""
The four reactions, and no more.

An exception's class says how the process reacts, not what went wrong: adapters translate causes at the edge, one
place per process reacts. A refusal by risk or by a form is a value, never an exception.
"""

from lib.domain.reason import NOTHING, Reason, text
from lib.domain.venue_answer import VenueAnswer


class MaemaeError(Exception):
    """Root of the four; *why* holds no secrets; words alone become a text. *answer*: the venue's, if any."""

    def __init__(self, why: Reason | str = NOTHING, answer: VenueAnswer | None = None) -> None:
        super().__init__(str(why))
        self.why = why if isinstance(why, Reason) else text(why)
        self.answer = answer


class Retry(MaemaeError):
    """Busy, throttled, or timed out before any effect: the same call may be made again later."""


class Skip(MaemaeError):
    """Nothing safe to do this cycle (stale candles, analyst down): logged, shown, next cycle tries afresh."""


class Pause(MaemaeError):
    """This account stops until its owner acts (key revoked, no margin); the owner is told once."""


class Halt(MaemaeError):
    """The process must not go on (unsafe settings, schema mismatch, broken invariant): exit 78, one clear line."""


EXIT_CONFIG = 78
"""sysexits.h EX_CONFIG, the exit status of *Halt*."""
