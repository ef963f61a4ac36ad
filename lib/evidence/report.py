"""
A finished backtest as it is kept and shown: bounded, plain values, money as text.

Equity is told at `MOST_POINTS` moments at most beside holding the coin, days by their growth, trades the newest
`MOST_TRADES`. Ratios come with intervals or not at all (`lib.evidence.equity_figures`). Nothing here judges.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lib.domain.backtests import moments
from lib.domain.books import Fill
from lib.domain.day import midnight_before
from lib.domain.position import ZERO, Position, apply_fill
from lib.evidence.backtest import Backtest
from lib.evidence.baselines import Baselines
from lib.evidence.equity_figures import Activity, EquityDay, EquityFigures, Ratio, equity_figures
from lib.evidence.tape import Tape

MOST_POINTS = 600
MOST_TRADES = 1_000
MOST_GAPS = 60
CENTS = Decimal("0.01")


@dataclass(slots=True)
class Trip:
    """One position from its first fill to the one that ended it; *result* after fees and funding, USDT."""

    opened_ms: int
    is_long: bool
    qty: Decimal
    entry: Decimal
    closed_ms: int = 0
    exit: Decimal = ZERO
    result: Decimal = ZERO
    ended: str = ""


def trips_of(symbol: str, fills: Sequence[Fill]) -> list[Trip]:
    """The closed positions of *fills*, oldest first."""
    found: list[Trip] = []
    position, trip = Position(symbol), None
    for fill in fills:
        if fill.kind == "funding":
            if trip is not None:
                trip.result -= fill.fee
            continue
        if trip is None:
            trip = Trip(fill.at_ms, fill.side == "buy", ZERO, fill.price)
        position, realised = apply_fill(position, fill.side, fill.qty, fill.price)
        trip.qty = max(trip.qty, abs(position.qty))
        trip.result += realised - fill.fee
        if not position.qty:
            trip.closed_ms, trip.exit, trip.ended = fill.at_ms, fill.price, _end(fill)
            found.append(trip)
            trip = None
    return found


def _end(fill: Fill) -> str:
    return "liquidation" if fill.kind == "liquidation" else "stop" if fill.is_stop else "decision"


def told(found: Backtest, tape: Tape, gaps: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Everything that is shown of *found* over *tape*."""
    record, books = found.record, found.books
    trips = trips_of(tape.symbol, found.fills)
    start, days = books.start_balance, list(equity_days(found))
    return {
        "candles": found.candles,
        "missing": sum(until - since for since, until in gaps) // 60_000,
        "gap_count": len(gaps),
        "gaps": [list(gap) for gap in gaps[:MOST_GAPS]],
        "asked": found.asked,
        "since_ms": record.times[0],
        "until_ms": record.times[-1],
        "start": str(start),
        "end": _money(record.curve[-1]),
        "earned": _share(record.curve[-1] / start - 1),
        "held": _share(found.held - 1),
        "fall": _fall(found),
        "points": _points(found, tape),
        "trips": len(trips),
        "won": sum(trip.result > 0 for trip in trips),
        "trades": [_trade(trip) for trip in trips[-MOST_TRADES:]],
        "realised": _money(books.realised),
        "fees": _money(books.fees),
        "funding": _money(books.funding),
        "outcomes": dict(sorted(Counter(record.outcomes).items())),
        "locks": dict(sorted(Counter(lock.kind for lock in record.locks).items())),
        "figures": _figures(equity_figures(days, _activity(found, trips))),
        "moments": _moments(days),
        "beside": _beside(found.beside),
    }


def equity_days(found: Backtest) -> Iterator[EquityDay]:
    """Equity by UTC day, the first and the last as far as they were lived."""
    record, before = found.record, found.books.start_balance
    day, newest = midnight_before(record.times[0]), before
    for t_ms, equity in zip(record.times, record.curve, strict=True):
        if t_ms - day >= 86_400_000:
            yield EquityDay(day, before, newest)
            day, before = midnight_before(t_ms), newest
        newest = equity
    yield EquityDay(day, before, newest)


def _activity(found: Backtest, trips: Sequence[Trip]) -> Activity:
    traded = sum((fill.qty * fill.price for fill in found.fills if fill.kind != "funding"), ZERO)
    exposed, books = sum(trip.closed_ms - trip.opened_ms for trip in trips), found.books
    return Activity(exposed, traded, books.fees, -books.funding, books.realised)


def _points(found: Backtest, tape: Tape) -> list[list[Any]]:
    """[T, equity, what the start would be worth in coins] at even steps, the last one always."""
    times, curve = found.record.times, found.record.curve
    step, start = -(-len(times) // MOST_POINTS), found.books.start_balance
    first = tape.mark(times[0])
    places = [*range(0, len(times) - 1, step), len(times) - 1]
    return [[times[at], _money(curve[at]), _money(start * tape.mark(times[at]) / first)] for at in places]


def _fall(found: Backtest) -> dict[str, Any] | None:
    fall = found.fall
    if fall is None:
        return None
    return {"share": _share(fall.fraction), "top_ms": fall.top.t_ms, "bottom_ms": fall.bottom.t_ms}


def _trade(trip: Trip) -> list[Any]:
    side = "long" if trip.is_long else "short"
    prices = (_price(trip.qty), _price(trip.entry), _price(trip.exit))
    return [trip.opened_ms, trip.closed_ms, side, *prices, _money(trip.result), trip.ended]


def _figures(found: EquityFigures) -> dict[str, Any]:
    return {
        "days": found.days,
        "yearly": None if found.yearly is None else _share(found.yearly),
        "worst_day": _share(found.worst_day),
        "worst_day_ms": found.worst_day_ms,
        "sharpe": _ratio(found.sharpe),
        "sortino": _ratio(found.sortino),
        "exposed": _share(found.exposed),
        "turnover": _share(found.turnover),
    }


def _ratio(found: Ratio | None) -> list[float] | None:
    return None if found is None else [round(one, 4) for one in (found.value, found.low, found.high)]


def _moments(days: Sequence[EquityDay]) -> list[float] | None:
    found = moments([float(day.growth) - 1 for day in days])
    return None if found is None else [found.sharpe, found.days, found.skew, found.kurtosis]


def _beside(found: Baselines | None) -> dict[str, Any] | None:
    if found is None:
        return None
    within = found.interval
    return {
        "count": found.count,
        "own": found.own,
        "interval": None if within is None else [within.low, within.high, within.blocks],
        "long": found.long,
        "short": found.short,
        "coin": found.coin,
        "p": found.p,
        "p_moments": found.p_moments,
    }


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(CENTS):f}"


def _share(share: Decimal) -> str:
    return f"{share.quantize(Decimal('0.000001')):f}"


def _price(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
