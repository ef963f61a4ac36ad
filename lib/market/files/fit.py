"""
Whether a file's prices can be those of the instrument they are replayed as.

Three things are held against them: the name in the file's own symbol column, the level the symbol has traded at, and
its tick. Levels are history and cannot overlap before 2026: a file of one symbol is never taken for another's there.
Prices finer than the tick (spot markets quote cents) are rounded to it, which keeps a candle's order.
"""

import re
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from lib.domain.candle import Candle
from lib.domain.instrument import Instrument
from lib.market.files.candle_file import CandleFile
from lib.market.files.header import QUOTES
from lib.market.files.table import CandleFileError

LEVELS: dict[str, tuple[tuple[int, Decimal, Decimal], ...]] = {
    "BTCUSDT": (
        (0, Decimal(2_000), Decimal(60_000)),
        (1_609_459_200_000, Decimal(8_000), Decimal(250_000)),
        (1_767_225_600_000, Decimal(10_000), Decimal(2_000_000)),
    ),
    "ETHUSDT": (
        (0, Decimal(50), Decimal(1_900)),
        (1_609_459_200_000, Decimal(500), Decimal(7_500)),
        (1_767_225_600_000, Decimal(300), Decimal(30_000)),
    ),
    "SOLUSDT": (
        (0, Decimal("0.3"), Decimal(20)),
        (1_609_459_200_000, Decimal("0.8"), Decimal(480)),
        (1_767_225_600_000, Decimal(5), Decimal(1_500)),
    ),
}
"""(from then on in epoch ms, lowest, highest) a minute can have closed at: until 2020, 2021 to 2025, and since."""
MOST_DECIMALS = Decimal("0.00000001")
"""Finer volumes are the noise of somebody's floats."""


def fitted(file: CandleFile, instrument: Instrument) -> CandleFile:
    """*file* on the tick of *instrument*; *CandleFileError* "these prices do not fit …" with the reason."""
    _refuse_other_symbol(file, instrument.symbol)
    for candle in file.candles:
        if problem := _level_problem(candle, instrument):
            raise CandleFileError(
                f"these prices do not fit {instrument.symbol}: {problem}", file.places[candle.open_time]
            )
    candles = [on_tick(candle, instrument.tick_size) for candle in file.candles]
    rounded = sum(_prices(new) != _prices(old) for new, old in zip(candles, file.candles, strict=True))
    tick = f"{instrument.tick_size.normalize():f}"
    note = f"{rounded:,} candles have prices between ticks of {tick} and are rounded to them"
    return replace(file, candles=candles, notes=(*file.notes, *([note] if rounded else ())))


def on_tick(candle: Candle, tick: Decimal) -> Candle:
    """*candle* with every price on the nearest tick: as far as that goes the same, and still in order."""
    opened, high, low, closed = (
        (price / tick).to_integral_value(ROUND_HALF_EVEN) * tick if price % tick else price for price in _prices(candle)
    )
    volume = candle.volume
    if volume.as_tuple().exponent < MOST_DECIMALS.as_tuple().exponent:  # type: ignore[operator]
        volume = volume.quantize(MOST_DECIMALS)
    return Candle(candle.open_time, opened, high, low, closed, volume)


def _prices(candle: Candle) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return candle.open, candle.high, candle.low, candle.close


def _refuse_other_symbol(file: CandleFile, symbol: str) -> None:
    for named, place in file.symbols.items():
        if named and base_of(named) != base_of(symbol):
            raise CandleFileError(f"these prices do not fit {symbol}: the file's own column says {named[:20]}", place)


def base_of(symbol: str) -> str:
    """BTC of BTCUSDT, BTC/USDT, BTC-PERP, btcusd.p or XBT/USD:USD: what is traded, without what it is paid in."""
    plain = re.sub(r"[^A-Z0-9]", "", re.split(r"[:.]", symbol.strip().upper())[0]).removesuffix("SWAP")
    for quote in (*QUOTES, *QUOTES):  # BTCUSDTPERP has two
        if plain.endswith(quote) and plain != quote:
            plain = plain.removesuffix(quote)
    return {"XBT": "BTC", "XXBT": "BTC"}.get(plain, plain)


def _level_problem(candle: Candle, instrument: Instrument) -> str | None:
    low, high = _level(instrument.symbol, candle.open_time)
    close, tick = f"{candle.close.normalize():f}", f"{instrument.tick_size.normalize():f}"
    if not low <= candle.close <= high:
        return f"{close} is not between {low:f} and {high:f}"
    if candle.close < instrument.tick_size * 100:
        return f"its tick of {tick} is over 1 % of {close}"
    return None


def _level(symbol: str, at_ms: int) -> tuple[Decimal, Decimal]:
    spans = LEVELS.get(symbol, ((0, Decimal(0), Decimal("Infinity")),))
    return next((low, high) for since, low, high in reversed(spans) if at_ms >= since)
