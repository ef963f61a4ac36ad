"""The book of scores: what opinions are still to be scored, and what they were worth."""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.scores import METHOD, BothWays, Opined, Score

ALWAYS = 1 << 62
"""Later than every T, epoch ms."""


class ScoreBook(Protocol):
    """
    Synchronous; every method is short and by itself. *Retry* when the database is away.

    A score that was kept is never changed or taken back, whatever is learnt later: another method is another number.
    """

    def before(self, feed: str, since_ms: int) -> int:
        """A mark before the answers about *feed* from *since_ms* (epoch ms) on, which are stored in order."""
        ...

    def unscored(self, after_id: int, most: int, method: int = METHOD, until_ms: int = ALWAYS) -> list[Opined]:
        """
        At most *most* answers after *after_id* without a score by *method*, of T until *until_ms*, in their order; a
        call that failed is no answer. With `BOTH_WAYS` each that entered nothing has its habit.
        """
        ...

    def keep(self, scores: Sequence[Score]) -> int:
        """Keep *scores* in one transaction; how many were new: the first writer wins."""
        ...

    def keep_both(self, found: Sequence[BothWays]) -> int:
        """As `keep`, by the method `BOTH_WAYS`."""
        ...
