"""
A backtest's result as tiles, bars, figures and rows. Values in, text and markup out; floats here are for drawing alone.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from app.ui.logs import frame
from app.ui.results import Bar, ratio
from app.ui.tiles import Tile, tone_of
from app.ui.write import count, money, percent, price
from lib.queries import BacktestFound

Word = Callable[..., str]
At = Callable[[int], str]
TRADES = ("closed", "side", "qty", "entry", "exit", "net", "ended")
FIGURES = ("yearly", "worst_day", "exposed")
CHANCE = ("own", "coin", "long", "short")


def backtest_tiles(found: BacktestFound, result: dict[str, Any], word: Word) -> list[Tile]:
    """The tiles, in the order people look for them."""
    earned, held = Decimal(result["earned"]), Decimal(result["held"])
    made, paid = Decimal(result["end"]) - Decimal(result["start"]), Decimal(result["fees"]) - Decimal(result["funding"])
    fall, trips, won = result["fall"], result["trips"], result["won"]
    wins = word("tiles.trades", wins=count(won), losses=count(trips - won)) if trips else word("tiles.no_trades")
    return [
        Tile("bt_earned", percent(earned, signed=True), tone_of(earned), f"{money(made, signed=True)} USDT"),
        Tile("bt_held", percent(earned - held, signed=True), tone_of(earned - held), percent(held, signed=True)),
        Tile("deepest", percent(-Decimal(fall["share"]) if fall else Decimal(0))),
        Tile("hit_rate", percent(Decimal(won) / trips, places=1) if trips else "–", "", wins),
        Tile("costs", money(paid)),
        Tile("bt_sure", sure_told(found.sure), "", word("bt.tries", n=count(found.tries))),
    ]


def sure_told(sure: float | None) -> str:
    """How sure it is that it was no luck; never a whole hundred."""
    if sure is None:
        return "–"
    return ">99%" if sure > 0.99 else "<1%" if sure < 0.01 else f"{sure * 100:.0f}%"


def curve_points(points: Sequence[Sequence[Any]], start: float) -> list[list[float]]:
    """The curve component's points: second, equity, holding, nothing, fall in percent."""
    equity = [float(point[1]) for point in points]
    peaks = accumulate(equity, max)
    return [
        [point[0] // 1000, value, float(point[2]), start, round(100 * (value / peak - 1), 4) if peak > 0 else 0.0]
        for point, value, peak in zip(points, equity, peaks, strict=True)
    ]


def figure_pairs(result: dict[str, Any], word: Word) -> list[tuple[str, str, str]]:
    """Every figure as (label, value, tone); a ratio with where it lies, or none."""
    told = result["figures"]
    rows = [(name, _percent(told[name], signed=name != "exposed"), "") for name in FIGURES if told[name] is not None]
    rows.append(("turnover", f"{ratio(Decimal(told['turnover']))}×", ""))
    rows += [(name, _ratio(told[name], word), "") for name in ("sharpe", "sortino")]
    rows += [(name, money(Decimal(result[name]), signed=True), "") for name in ("realised", "funding")]
    rows.append(("fees", money(-Decimal(result["fees"]), signed=True), ""))
    rows.append(("asked", count(result["asked"]), ""))
    rows += [(f"did_{name}", count(n), "") for name, n in result["outcomes"].items() if name in ("refused", "skipped")]
    rows.append(("locks", count(sum(result["locks"].values())), ""))
    return [(word(f"bt.figure.{name}"), value, tone) for name, value, tone in rows]


def _percent(share: str, *, signed: bool) -> str:
    return percent(Decimal(share), places=1, signed=signed)


def _ratio(told: Sequence[float] | None, word: Word) -> str:
    if told is None:
        return word("bt.few_days")
    value, low, high = (f"{one:.2f}".replace("-", "\u2212") for one in told)
    return f"{value}  ({low} … {high})"


def chance_bars(beside: dict[str, Any], word: Word) -> list[Bar]:
    """The mean of an opinion beside what needs no analyst, in percent of the position."""
    values = {name: Decimal(str(beside[name])) for name in CHANCE}
    most = max((abs(value) for value in values.values()), default=Decimal(0)) or Decimal(1)
    within, bars = _within(beside["interval"], word), []
    for name, value in values.items():
        told = percent(value, places=3, signed=True)
        note = within if name == "own" else ""
        bars.append(Bar(word(f"bt.chance_{name}"), abs(value) / most, tone_of(value), told, note))
    return bars


def _within(interval: Sequence[float] | None, word: Word) -> str:
    if interval is None:
        return word("bt.few_days")
    low, high = (percent(Decimal(str(one)), places=3, signed=True) for one in interval[:2])
    return word("bt.within", low=low, high=high, days=count(int(interval[2])))


def gap_lines(gaps: Sequence[Sequence[int]], at: At) -> list[str]:
    """Each gap in a line."""
    return [f"{at(since)} – {at(until)}" for since, until in gaps]


def trade_frame(trades: Sequence[Sequence[Any]], word: Word, at: At) -> Any:
    """Closed positions, the newest first, under TRADES."""
    rows = []
    for _, closed_ms, side, qty, entry, exit_, net, ended in reversed(trades):
        told = (price(Decimal(entry)), price(Decimal(exit_)), money(Decimal(net), signed=True), word(f"end.{ended}"))
        rows.append((at(closed_ms), word(f"position.{side}"), qty, *told))
    return frame(TRADES, rows)
