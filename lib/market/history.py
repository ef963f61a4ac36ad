"""
Candle history from a venue's REST: pages walked backwards into one consecutive run.

A run is the newest stretch without a hole and without an absurd candle; what fails `candle_problem` is quarantined:
reported, never stored. It keeps no state and writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.domain.candle import Candle, candle_problem, interval_ms
from lib.domain.reason import Reason
from lib.ports.market import MarketData

PAGE = 1000
"""Candles a venue gives at once."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A candle that cannot be true, and why."""

    candle: Candle
    reason: Reason


@dataclass(frozen=True, slots=True)
class History:
    """*candles* are consecutive, oldest first; *broken* when older candles exist beyond a hole or a quarantined one."""

    candles: list[Candle]
    quarantined: tuple[Quarantined, ...]
    broken: bool


def load_history(
    market: MarketData, symbol: str, interval: str, *, count: int, since: int | None = None, page: int = PAGE
) -> History:
    """
    The newest *count* closed candles the venue has, cut to one run.

    With *since* (an open time, epoch ms) the walk stops once it is covered; *page* is how many to ask for at once.
    *Retry* from the venue passes through: nothing half-loaded is returned.
    """
    rows = _walk_back(market, symbol, interval, count=count, since=since, page=max(1, min(page, PAGE)))
    newest_first = sorted(rows.values(), key=lambda candle: candle.open_time, reverse=True)
    return _newest_run(newest_first[:count], interval_ms(interval))


def _walk_back(
    market: MarketData, symbol: str, interval: str, *, count: int, since: int | None, page: int
) -> dict[int, Candle]:
    rows: dict[int, Candle] = {}
    end: int | None = None
    while len(rows) < count:
        batch = market.closed_candles(symbol, interval, end=end, limit=min(page, count - len(rows)))
        fresh = [candle for candle in batch if candle.open_time not in rows]
        if not fresh:
            break
        rows.update((candle.open_time, candle) for candle in fresh)
        oldest = min(rows)
        if since is not None and oldest <= since:
            break
        end = oldest - 1
    return rows


def _newest_run(newest_first: Sequence[Candle], step: int) -> History:
    quarantined = tuple(_absurd(newest_first, step))
    bad = {entry.candle.open_time for entry in quarantined}
    run: list[Candle] = []
    for candle in newest_first:
        if candle.open_time in bad:
            if run:
                break
            continue  # absurd candles at the very end: the run is what came before them
        if run and candle.open_time != run[-1].open_time - step:
            break
        run.append(candle)
    run.reverse()
    return History(run, quarantined, broken=len(run) < len(newest_first))


def _absurd(candles: Iterable[Candle], step: int) -> Iterable[Quarantined]:
    for candle in candles:
        if reason := candle_problem(candle, step):
            yield Quarantined(candle, reason)
