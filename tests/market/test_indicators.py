"""Every indicator is what TA-Lib says, and what it would be with five times the past; too short a past is no figure."""

import random
from decimal import Decimal

import numpy as np
import pytest
import talib

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.input_blocks import WARM_UP
from lib.market.indicators import Indicators, indicators

ZERO = Decimal(0)
CLOSE = Decimal("0.00001")
"""What six digits leave, relative to a price or to a hundred."""


def walk(seed: int, count: int = 1_000, wild: float = 0.001) -> list[Candle]:
    """A price that wanders from 60,000, with the ticks of BTCUSDT."""
    dice, price, made = random.Random(seed), 60_000.0, []
    for n in range(count):
        after = price * (1 + dice.gauss(0, wild))
        high = max(price, after) * (1 + abs(dice.gauss(0, wild / 2)))
        low = min(price, after) * (1 - abs(dice.gauss(0, wild / 2)))
        opened, top, bottom, last = (Decimal(f"{value:.1f}") for value in (price, high, low, after))
        made.append(Candle(n * MINUTE_MS, opened, top, bottom, last, Decimal(f"{dice.random() * 9:.3f}")))
        price = float(made[-1].close)
    return made


def by_talib(candles: list[Candle]) -> dict[str, float]:
    close, high, low = (np.array([float(getattr(one, name)) for one in candles]) for name in ("close", "high", "low"))
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    lines = {
        "ema_20": talib.EMA(close, 20),
        "ema_50": talib.EMA(close, 50),
        "rsi_14": talib.RSI(close, 14),
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "atr_14": talib.ATR(high, low, close, 14),
        "band_upper": upper,
        "band_middle": middle,
        "band_lower": lower,
        "adx_14": talib.ADX(high, low, close, 14),
        "plus_di": talib.PLUS_DI(high, low, close, 14),
        "minus_di": talib.MINUS_DI(high, low, close, 14),
    }
    return {name: float(line[-1]) for name, line in lines.items()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("wild", [0.0003, 0.003])
def test_each_figure_is_the_other_librarys_whether_it_knows_the_same_past_or_five_times_as_much(
    seed: int, wild: float
) -> None:
    candles = walk(seed, wild=wild)
    found = indicators(candles)
    assert found is not None
    for past, near in ((WARM_UP, CLOSE), (len(candles), 10 * CLOSE)):
        for name, theirs in by_talib(candles[-past:]).items():
            ours = getattr(found, name)
            unit = Decimal(100) if name.endswith(("rsi_14", "adx_14", "_di")) else candles[-1].close
            assert abs(ours - Decimal(repr(theirs))) <= near * unit, (name, past)


def test_the_average_price_is_weighed_by_volume_exactly() -> None:
    candles = walk(1)
    found = indicators(candles)
    newest = candles[-60:]
    worth = sum(((one.high + one.low + one.close) * one.volume for one in newest), ZERO)
    assert found is not None
    assert found.vwap_60 is not None
    assert abs(found.vwap_60 - worth / 3 / sum((one.volume for one in newest), ZERO)) <= Decimal("0.05")


def test_too_short_a_past_is_no_figure() -> None:
    assert indicators(walk(2, WARM_UP - 1)) is None
    assert indicators(walk(2, WARM_UP)) is not None


def test_a_price_that_never_moved_is_neither_overbought_nor_an_error() -> None:
    five = Decimal(5)
    still = [Candle(n * MINUTE_MS, five, five, five, five, ZERO) for n in range(WARM_UP)]
    found = indicators(still)
    assert found is not None
    assert (found.rsi_14, found.atr_14, found.adx_14) == (Decimal(50), ZERO, ZERO)
    assert found.vwap_60 is None


def test_the_same_candles_give_the_same_digits() -> None:
    first, second = indicators(walk(3)), indicators(walk(3))
    assert first == second
    assert isinstance(first, Indicators)
    assert all(len(f"{value:f}".strip("-0").replace(".", "").lstrip("0")) <= 6 for value in (first.macd, first.ema_20))
