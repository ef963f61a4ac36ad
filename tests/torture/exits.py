"""
What stories of exits by rule need: prices that went far enough in a position's favour, and a hand at its trailing stop.

The simulated market is a pure function of time, so the next T after which the price earns half an R, stays there and
meets no stop on its way is looked for, and time jumps there. Nothing is done to the market.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import stop_moves
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.exit_rules import ExitRules
from lib.domain.order import CYCLE_MS
from lib.simulator.config import SimulatorConfig
from lib.simulator.listing import KNOWN
from lib.simulator.market.market import SyntheticMarket
from tests.torture.judge import Row
from tests.torture.scenarios import Story
from tests.worlds.killed import SYMBOL, Person, World

HALF = Decimal("0.5")
RULES: dict[Story, ExitRules] = {
    "even": ExitRules(break_even_r=HALF),
    "trail": ExitRules(trail_r=HALF),
    "retrail": ExitRules(trail_r=HALF),
}
STOP = 0.005
"""The stop of positions that are to come into profit, a fraction: half of its R is soon earned."""
MOST_LOSS, MOST_GAIN = Decimal("-0.0045"), Decimal("0.035")
"""Before the stop, and before the target."""
EARNED = Decimal("0.004")
"""More than half an R, with an entry inside its collar, and more than twice the fees."""
AFTER_T_MS = 120_000
"""Between two cycles."""
REACH, SEARCHED = 12, 600
"""How many cycles later the profit may be there; how many T are tried."""
STAYS = 6
"""Minutes in which the profit must last."""


@dataclass(frozen=True, slots=True)
class Profit:
    """Who enters at *t_ms* by *action* has earned enough at *at_ms*, epoch ms."""

    action: str
    t_ms: int
    at_ms: int


def profit_after(now_ms: int) -> Profit:
    """The next of them whose T is later than *now_ms*."""
    first = now_ms // CYCLE_MS * CYCLE_MS + CYCLE_MS
    for t_ms in range(first, first + SEARCHED * CYCLE_MS, CYCLE_MS):
        for action in ("buy", "sell"):
            if at_ms := _earned(action, t_ms):
                return Profit(action, t_ms, at_ms)
    raise AssertionError(f"no position earns enough in {SEARCHED} cycles")


def _earned(action: str, t_ms: int) -> int:
    """When a position entered at *t_ms* has earned enough; 0 = too late, or not before its stop or target."""
    entered = [_minute(t_ms), _minute(t_ms + MINUTE_MS)]
    sign = 1 if action == "buy" else -1
    price = max(one.high for one in entered) if sign > 0 else min(one.low for one in entered)
    for place in range(REACH):
        at_ms = t_ms + AFTER_T_MS + place * CYCLE_MS
        if all(_gains(sign, price, at_ms + k * MINUTE_MS)[0] >= EARNED for k in range(STAYS)):
            return at_ms
        passed = [_gains(sign, price, at) for at in range(at_ms, at_ms + CYCLE_MS, MINUTE_MS)]
        if min(worst for worst, _ in passed) < MOST_LOSS or max(best for _, best in passed) > MOST_GAIN:
            return 0
    return 0


def _gains(sign: int, price: Decimal, open_time: int) -> tuple[Decimal, Decimal]:
    """The least and the most that a position entered at *price* has earned in one minute, fractions."""
    candle = _minute(open_time)
    found = sorted(sign * (one / price - 1) for one in (candle.low, candle.high))
    return found[0], found[1]


@cache
def _market() -> SyntheticMarket:
    return SyntheticMarket(SimulatorConfig("synthetic", Path()).seed, {SYMBOL: KNOWN[SYMBOL].rules})


def _minute(open_time: int) -> Candle:
    candle = _market().candle(SYMBOL, open_time)
    if candle is None:
        raise AssertionError(f"no minute at {open_time}")
    return candle


async def take_trailing_away(world: World, person: Person) -> None:
    """A hand takes the trailing stop away, unless a move of the stop is committed already."""
    moved = sa.select(stop_moves).where(stop_moves.c.account_id == person.account_id)
    if not world.rows(moved):
        await person.key.post("/v5/position/trading-stop", trailingStop="0", tpslMode="Full", positionIdx=0)


def is_trailed(position: Row) -> bool:
    """Whether the exchange's trailing stop stands."""
    return bool(Decimal(position["trailingStop"] or "0"))
