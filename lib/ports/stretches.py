"""
Stretches of evidence before demo trading and real money: the web's side, which asks and overrides, and that of who
seals and judges.
"""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.stretch import Criteria, Measured, Step, Stretch
from lib.domain.trail import Note


class Stretches(Protocol):
    """A person's acts; a *note* of each goes to their trail."""

    def ask(self, account_id: int, criteria: Criteria, note: Note, step: Step = Step.REAL) -> bool:
        """
        Ask for a stretch towards *step* of the strategy version that runs, on the person's active account; its tries
        are counted here. False unless it is theirs and of that step, or while one of that account is not over.
        """
        ...

    def override(self, stretch_id: int, note: Note) -> bool:
        """
        Trade without its evidence for a week; False unless it is a sealed stretch of the person's, towards real money.
        """
        ...

    def demo_without(self, note: Note) -> bool:
        """
        Let the version that runs be switched on in demo trading without evidence, for a week; False unless the person's
        active account waits for that.
        """
        ...


class StretchBook(Protocol):
    """The judge's side. *Retry* when the database is away."""

    def open(self) -> Sequence[Stretch]:
        """Stretches that are not over, those that wait for their seal first."""
        ...

    def seal(self, stretch: Stretch, at_ms: int) -> None:
        """Begin it at *at_ms*; nothing where that is done."""
        ...

    def flaws(self, stretch: Stretch) -> tuple[int, int]:
        """Promises broken on its account in its days, and comparisons of books and wallet that differed."""
        ...

    def end(self, stretch: Stretch, measured: Measured, at_ms: int) -> None:
        """Keep what it showed; the first word stands."""
        ...
