"""
When an exchange is closed for work, and what that means for entries. Pure.

An exchange announces its maintenance. During a maintenance, and for a cycle before it begins, no position is opened,
since its stop could not be repaired; exits and stops are tried all the same. A maintenance announced without an end
lasts until the announcement is taken back. Nothing here reads clocks: times are the caller's, epoch ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lib.domain import reason_codes as codes
from lib.domain.order import CYCLE_MS
from lib.domain.reason import NOTHING, Reason


@dataclass(frozen=True, slots=True)
class Maintenance:
    """
    One announcement: from *begin_ms* to the expected *end_ms* (0 = not said).

    *is_ongoing* = the exchange says that the maintenance has begun and not ended, whatever the times are. *uid_ends*
    are the last digits of the uids it concerns, empty = all.
    """

    begin_ms: int
    end_ms: int
    is_ongoing: bool
    uid_ends: tuple[str, ...] = ()

    def closes(self, uid: str, now_ms: int) -> bool:
        """Whether the maintenance keeps entries of the account *uid* off at *now_ms*."""
        if self.uid_ends and not uid.endswith(self.uid_ends):
            return False
        is_due = self.begin_ms - CYCLE_MS <= now_ms and (not self.end_ms or now_ms < self.end_ms)
        return self.is_ongoing or is_due


def entries_wait(announced: Iterable[Maintenance], uid: str, now_ms: int) -> Reason:
    """Why entries of the account *uid* wait at *now_ms*; `NOTHING` = entries are possible."""
    closing = [one for one in announced if one.closes(uid, now_ms)]
    if not closing:
        return NOTHING
    # the longest stands for all; one without an end outlasts every other
    longest = max(closing, key=lambda one: one.end_ms or float("inf"))
    if not longest.end_ms:
        return codes.MAINTENANCE()
    return codes.MAINTENANCE_UNTIL(until=longest.end_ms)


def still_announced(known: Iterable[Maintenance], now_ms: int) -> tuple[Maintenance, ...]:
    """The announcements of *known* to believe when the exchange could not be asked for long: those with an end."""
    return tuple(one for one in known if now_ms < one.end_ms)
