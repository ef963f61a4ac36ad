"""
The thirty candles a decision may rest on.

The candles come from the store, must keep the candle contract with the newest closing exactly at T, and each of them
must equal the venue's own REST: one request for all accounts. A window that is not complete at T + 20 s makes the cycle
a visible skip; a wrong window never becomes a decision.
"""

from lib.domain import reason_codes as codes
from lib.domain.candle import Candle, interval_ms, window_problem
from lib.domain.errors import Retry, Skip
from lib.domain.reason import NOTHING, Reason
from lib.trading.context import INTERVAL, WINDOW, TradingContext, until

DEADLINE_MS = 20_000
STEP_MS = interval_ms(INTERVAL)


async def decision_window(context: TradingContext, symbol: str, t_ms: int) -> list[Candle]:
    """The window of *symbol* at T, oldest first; *Skip* says why there is none."""
    window: list[Candle] = []
    why = codes.NO_CANDLES()

    async def ready() -> bool:
        nonlocal window, why
        window, why = await _read(context, symbol, t_ms)
        return not why

    if not await until(context.clock, t_ms + DEADLINE_MS, 0.5, ready):
        raise Skip(why)
    return window


async def _read(context: TradingContext, symbol: str, t_ms: int) -> tuple[list[Candle], Reason]:
    try:
        window = await context.candles.newest(symbol, INTERVAL, WINDOW)
        if problem := window_problem(window, step_ms=STEP_MS, count=WINDOW, closes_at=t_ms):
            return [], problem
        truth = await context.market.closed_candles(symbol, INTERVAL, end=t_ms - STEP_MS, limit=WINDOW)
    except Retry as busy:
        return [], busy.why
    if truth[-1:] != window[-1:]:
        return [], codes.NEWEST_CANDLE_DIFFERS()
    if truth != window:  # another feed's leftovers may end in a true candle
        return [], codes.OLDER_CANDLE_DIFFERS()
    return window, NOTHING
