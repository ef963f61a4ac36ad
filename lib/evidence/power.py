"""
How long it takes: days until an edge would be seen with 90 %, for the interval it will be seen by.

The deviation is the one observed so far, dependence included; the interval is the page's, which is wider than that of a
single look, so "about N more days" is a promise of the page that says it. It is made for nine in ten and held to four
in five: a month tells the deviation itself only about.
"""

from math import sqrt

from lib.evidence.spread import LEAST_BLOCKS, anytime_errors

SEEN = 1.2815515655446004
"""The normal quantile of 90 %."""
LONGEST_DAYS = 3_650


def days_needed(sd: float, edge: float, tries: int = 1) -> int | None:
    """
    Blocks until *edge* is seen with 90 %, where *sd* is the long-run deviation of a block: both fractions of notional.
    *tries* are looked at together.

    None where ten years do not do. ValueError for an edge that is none.
    """
    if edge <= 0:
        raise ValueError("an edge to look for is above 0")
    if _least_seen(sd, LONGEST_DAYS, tries) > edge:
        return None
    low, high = LEAST_BLOCKS, LONGEST_DAYS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _least_seen(sd, middle, tries) <= edge else (middle + 1, high)
    return low


def _least_seen(sd: float, blocks: int, tries: int) -> float:
    return (anytime_errors(blocks, tries) + SEEN) * sd / sqrt(blocks)
