"""
What a signed-in person may do in the arena: enter the version that runs under a name of their choice, change that name,
leave.

Nobody is in it who did not enter. A name is all that others are told beside the model and the figures; it holds no
address and is nobody else's in that season, however it is spelt. Nothing here computes where somebody stands.
"""

from collections.abc import Callable

from lib.accounts.acts import act
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.arena import LONGEST_NAME, SHORTEST_NAME, is_public_name
from lib.domain.trail import TrailEvent
from lib.ports.arena import Arena, Entering, Wish

WHY_NOT = {
    Entering.CLOSED: "refuse.arena.closed",
    Entering.UNANSWERED: "refuse.arena.unanswered",
    Entering.NAMED: "refuse.arena.named",
    Entering.FULL: "refuse.arena.full",
    Entering.EACH: "refuse.arena.each",
}
GONE = Refusal("refuse.arena.gone")


class ArenaDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away. *is_open*: the operator's door."""

    def __init__(self, arena: Arena, is_open: Callable[[], bool], clock: Clock) -> None:
        self._arena, self._is_open, self._clock = arena, is_open, clock

    @act
    def enter(self, user: SessionUser, name: str, *, house: bool = False) -> Refusal | None:
        """Be shown as *name* with the version that runs; *house*, an operator's: beside the competition."""
        if user.is_guest:
            return Refusal("refuse.guest")
        wanted = name.strip()
        if refusal := _unfit(wanted):
            return refusal
        if not self._is_open():
            return Refusal(WHY_NOT[Entering.CLOSED])
        note = note_of(user, TrailEvent.ARENA_ENTERED, self._clock.now_ms())
        ended = self._arena.enter(Wish(wanted, house), note)
        return Refusal(WHY_NOT[ended]) if ended in WHY_NOT else None

    @act
    def rename(self, user: SessionUser, entry_id: int, name: str) -> Refusal | None:
        """Show an entry of theirs as *name*; what it answered stays."""
        wanted = name.strip()
        if refusal := _unfit(wanted):
            return refusal
        note = note_of(user, TrailEvent.ARENA_RENAMED, self._clock.now_ms())
        done = self._arena.rename(entry_id, wanted, note)
        return GONE if done is None else None if done else Refusal(WHY_NOT[Entering.NAMED])

    @act
    def leave(self, user: SessionUser, entry_id: int) -> Refusal | None:
        """Show an entry by name no more; its place stays taken."""
        note = note_of(user, TrailEvent.ARENA_LEFT, self._clock.now_ms())
        return None if self._arena.leave(entry_id, note) else GONE


def _unfit(name: str) -> Refusal | None:
    return None if is_public_name(name) else Refusal("refuse.arena.name", least=SHORTEST_NAME, most=LONGEST_NAME)
