"""
The arena's stores: the web's side, which lets people in and out; that of who keeps standings; that of a terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lib.domain.arena import Entry, Rules, Season, Standing
from lib.domain.trail import Note


class Entering(StrEnum):
    """What became of somebody's wish to enter."""

    ENTERED = "entered"
    BACK = "back"
    """The same version was entered before: it goes on with all it ever answered."""
    CLOSED = "closed"
    """No season takes entries."""
    UNANSWERED = "unanswered"
    """No active paper account on which the running version was answered."""
    NAMED = "named"
    """The name is somebody else's."""
    FULL = "full"
    EACH = "each"
    """The person has used up their places."""


@dataclass(frozen=True, slots=True)
class Wish:
    """To be shown as *name* with the version that runs; *house* = beside the competition."""

    name: str
    house: bool = False


class Arena(Protocol):
    """A person's acts; a *note* of each goes to their trail. *Retry* when the database is away."""

    def enter(self, wish: Wish, note: Note) -> Entering:
        """
        Enter the version that runs, with the model that answered for it last on the person's paper account.
        """
        ...

    def rename(self, entry_id: int, name: str, note: Note) -> bool | None:
        """Show an entry as *name*; False where it is another's, None unless the entry is theirs and shown."""
        ...

    def leave(self, entry_id: int, note: Note) -> bool:
        """Show an entry's name no more; its place stays taken. False unless it is theirs and shown."""
        ...


class ArenaBook(Protocol):
    """The referee's side."""

    def entries(self) -> Sequence[tuple[Season, Entry]]:
        """Every entry of the newest season."""
        ...

    def keep(self, entry: Entry, standing: Standing, at_ms: int) -> None:
        """Keep where *entry* stands, in place of what stood before; nothing where its person is gone."""
        ...


class ArenaSeasons(Protocol):
    """The terminal's side."""

    def newest(self) -> Season | None:
        """The season that runs or was the last one."""
        ...

    def begin(self, rules: Rules, at_ms: int) -> Season | None:
        """Begin and seal one; None while another runs. ValueError for rules that are none."""
        ...

    def end(self, at_ms: int) -> Season | None:
        """End the one that runs early; None where none does."""
        ...
