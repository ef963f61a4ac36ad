"""The shelf of the candle library: one symbol's one-minute candles of a feed, kept by month as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.domain.candle import Candle


@dataclass(frozen=True, slots=True)
class KeptMonth:
    """
    What is known of *symbol* in *month* ("2024-01"): *candles*, oldest first, within [*from_ms*, *until_ms*), which was
    asked for. A minute in there without a candle is a gap. *source* says where they are from, in a few words.
    """

    symbol: str
    month: str
    from_ms: int
    until_ms: int
    source: str
    candles: Sequence[Candle]


@dataclass(frozen=True, slots=True)
class ShelvedMonth:
    """A month that lies on the shelf, by its file's name: *digest* is the hash of all the file says."""

    month: str
    digest: str


class CandleShelf(Protocol):
    """Months on disk. Only whole files are ever seen; one that is not what its name says is no file. OSError passes."""

    def months(self, symbol: str) -> list[ShelvedMonth]:
        """The months there are of *symbol*, in order, unread."""
        ...

    def read(self, symbol: str, month: str) -> KeptMonth | None:
        """*month* of *symbol*; None where there is none, or only one that cannot be trusted, which is put away."""
        ...

    def keep(self, kept: KeptMonth) -> ShelvedMonth:
        """Put *kept* on the shelf, in the place of what was there of that month."""
        ...
