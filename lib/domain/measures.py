"""
What a venue's public REST tells of a market beside its candles, each measurement with the moment it was made. Pure.

A measurement stands for as long as its kind's freshness contract says; older, it is left out of a prompt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

MeasureKind = Literal["funding", "open_interest", "long_short", "order_book"]
MEASURE_KINDS: tuple[MeasureKind, ...] = get_args(MeasureKind)
PERIOD_MS: Mapping[MeasureKind, int] = {
    "funding": 300_000,
    "open_interest": 300_000,
    "long_short": 300_000,
    "order_book": 60_000,
}
"""How often each is measured."""
FRESH_MS: Mapping[MeasureKind, int] = {
    "funding": 600_000,
    "open_interest": 600_000,
    "long_short": 600_000,
    "order_book": 90_000,
}
"""How long before T each may have been measured: one that failed is made up for, two are not."""
BOOK_DEPTH = 50
"""Levels of each side whose quantities make up the imbalance."""


@dataclass(frozen=True, slots=True)
class Measured:
    """
    One measurement by the venue's clock (*seen_ms*, epoch ms). *figures* by kind, quantities in base units:

    funding *rate* (fraction, of the coming settlement), *next_ms* (epoch ms) · open_interest *now*, and *change_1h*,
    *change_24h* as fractions · long_short *long*, *short*: shares of accounts · order_book *imbalance* −1..1 (1 = bids
    alone) over `BOOK_DEPTH` levels, *spread* as a fraction of the middle.
    """

    kind: MeasureKind
    seen_ms: int
    figures: Mapping[str, Decimal]
