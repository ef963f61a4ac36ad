"""
Indicators over closed candles, by talipp: EMA, RSI, MACD, ATR, Bollinger bands, ADX; and a VWAP of our own.

Every indicator remembers its past, so it is computed over `WARM_UP` candles and said only where there are so many.
Floats inside, as the library has them; what comes out is rounded to six significant digits, far coarser than their
error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from talipp.indicators import ADX, ATR, BB, EMA, MACD, RSI
from talipp.ohlcv import OHLCV

from lib.domain.candle import Candle
from lib.domain.decimals import plain
from lib.domain.input_blocks import WARM_UP
from lib.domain.lens import six_digits

FAST_EMA, SLOW_EMA = 20, 50
RSI_SPAN = ATR_SPAN = ADX_SPAN = 14
MACD_SPANS = (12, 26, 9)
BANDS = (20, 2.0)
STILL = Decimal(50)
"""The RSI of a price that never moved; the library's own is 100."""
VWAP_SPAN = 60
"""Newest candles of the volume-weighted average price."""


@dataclass(frozen=True, slots=True)
class Indicators:
    """The indicators at the newest candle: prices and price differences in USDT, *rsi* and *adx* 0..100."""

    ema_20: Decimal
    ema_50: Decimal
    rsi_14: Decimal
    macd: Decimal
    macd_signal: Decimal
    macd_histogram: Decimal
    atr_14: Decimal
    band_upper: Decimal
    band_middle: Decimal
    band_lower: Decimal
    adx_14: Decimal
    plus_di: Decimal
    minus_di: Decimal
    vwap_60: Decimal | None
    """None where nothing was traded."""


PRICES = ("ema_20", "ema_50", "band_upper", "band_middle", "band_lower", "vwap_60")
DISTANCES = ("macd", "macd_signal", "macd_histogram", "atr_14")
"""Fields that are prices, and fields that are differences of prices."""


def indicators(candles: Sequence[Candle]) -> Indicators | None:
    """The indicators at the newest of *candles* (closed, consecutive, oldest first); None below `WARM_UP` of them."""
    if len(candles) < WARM_UP:
        return None
    newest = candles[-WARM_UP:]
    closes = [float(one.close) for one in newest]
    rows = [OHLCV(*map(float, (one.open, one.high, one.low, one.close, one.volume))) for one in newest]
    fast, slow, signal = MACD_SPANS
    macd, bands = MACD(fast, slow, signal, closes)[-1], BB(*BANDS, closes)[-1]
    adx = ADX(ADX_SPAN, ADX_SPAN, rows)[-1]
    return Indicators(
        ema_20=_number(EMA(FAST_EMA, closes)[-1]),
        ema_50=_number(EMA(SLOW_EMA, closes)[-1]),
        rsi_14=_number(RSI(RSI_SPAN, closes)[-1]) if len(set(closes)) > 1 else STILL,
        macd=_number(macd.macd),
        macd_signal=_number(macd.signal),
        macd_histogram=_number(macd.histogram),
        atr_14=_number(ATR(ATR_SPAN, rows)[-1]),
        band_upper=_number(bands.ub),
        band_middle=_number(bands.cb),
        band_lower=_number(bands.lb),
        adx_14=_number(adx.adx),
        plus_di=_number(adx.plus_di),
        minus_di=_number(adx.minus_di),
        vwap_60=_average_price(newest[-VWAP_SPAN:]),
    )


def _number(value: float) -> Decimal:
    return plain(six_digits(Decimal(repr(value))))


def _average_price(candles: Sequence[Candle]) -> Decimal | None:
    volume = sum((one.volume for one in candles), Decimal(0))
    if not volume:
        return None
    worth = sum(((one.high + one.low + one.close) / 3 * one.volume for one in candles), Decimal(0))
    return plain(six_digits(worth / volume))
