"""
Newest-first pages over an account's history, and the time windows that go with them.

A cursor names the last row shown by its sequence number, so rows that arrive meanwhile never shift a page.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Params, is_whole

DAY_MS = 86_400_000
LONGEST_MS = 7 * DAY_MS
Item = TypeVar("Item")


def page(
    rows: Sequence[Item], params: Params, seq_of: Callable[[Item], int], limits: tuple[int, int]
) -> tuple[list[Item], str]:
    """The page of *rows* (any order) that *params* ask for and the next cursor; *limits* = (default, most)."""
    limit = params.integer("limit", limits[0], 1, limits[1])
    before = _cursor(params.text("cursor"))
    newest_first = sorted((row for row in rows if before is None or seq_of(row) < before), key=seq_of, reverse=True)
    shown = newest_first[:limit]
    more = len(newest_first) > limit
    return shown, quote(f"seq:{seq_of(shown[-1])}", safe="") if more else ""


def _cursor(text: str) -> int | None:
    if not text:
        return None
    name, _, number = unquote(text).partition(":")
    if name != "seq" or not is_whole(number):
        raise Refused(10001, "params error: cursor invalid")
    return int(number)


def between(rows: Sequence[Item], span: tuple[int, int], at_of: Callable[[Item], int]) -> Sequence[Item]:
    """The part of *rows* (oldest first) whose time lies in *span*, ends included."""
    return rows[bisect_left(rows, span[0], key=at_of) : bisect_right(rows, span[1], key=at_of)]


def window(params: Params, now: int, default_ms: int = LONGEST_MS) -> tuple[int, int]:
    """(start, end) in ms, both included; *Refused* when it is longer than seven days."""
    start, end = params.integer("startTime", -1), params.integer("endTime", -1)
    if start < 0 and end < 0:
        return now - default_ms, now
    if start < 0:
        start = end - default_ms
    elif end < 0:
        end = start + default_ms
    if end < start or end - start > LONGEST_MS:
        raise Refused(10001, "params error: the time range must not exceed 7 days")
    return start, end
