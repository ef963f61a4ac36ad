"""
Candles, and the contract that every reader checks them against.

A candle is identified by its *open_time* (epoch ms, a multiple of the interval). Prices are USDT per base unit,
volume is in base units; all Decimal. Only closed candles exist here; the forming one travels as *FormingCandle*.
Pure: no clock. It does not decide where candles come from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason

MINUTE_MS = 60_000
MAX_PRICE = Decimal("100000000")
MAX_VOLUME = Decimal("1000000000000")
MAX_STEP = Decimal("0.20")
"""A one-step close-to-open or in-candle move beyond this fraction is quarantined as absurd."""

INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30} | {
    name: hours * 60 for name, hours in {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "12h": 12, "1d": 24}.items()
}
"""Our interval names and their minutes."""


def interval_ms(interval: str) -> int:
    """Length of *interval* in ms; ValueError names the known ones."""
    if interval not in INTERVALS:
        raise ValueError(f"unknown interval {interval!r}: use one of {', '.join(INTERVALS)}")
    return INTERVALS[interval] * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Candle:
    """One closed OHLCV row; *open_time* in epoch ms."""

    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class FormingCandle:
    """The open candle as last pushed; *seen_at* is the venue's clock in epoch ms. Never a basis for a decision."""

    candle: Candle
    seen_at: int


def decimal_from_wire(text: object) -> Decimal:
    """A finite Decimal from a wire string; anything else (floats, NaN, 1e400, junk) is a ValueError."""
    if not isinstance(text, str) or not 0 < len(text) <= 40:
        raise ValueError("a number must arrive as a short string")
    # Decimal() itself also reads " 1", "1_000" and digits of other scripts
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError(f"not a number: {text!r}")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a number: {text[:40]!r}") from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise ValueError(f"not a sane number: {text[:40]!r}")
    return value


def candle_problem(candle: Candle, step_ms: int) -> Reason | None:
    """Why *candle* cannot be true, or None. Checks alignment, positivity, low <= open, close <= high, size of move."""
    if candle.open_time < 0 or candle.open_time % step_ms:
        return codes.CANDLE_OFF_INTERVAL()
    for price in (candle.open, candle.high, candle.low, candle.close):
        if not (price.is_finite() and 0 < price < MAX_PRICE):
            return codes.CANDLE_PRICE_BAD()
    if not (candle.volume.is_finite() and 0 <= candle.volume < MAX_VOLUME):
        return codes.CANDLE_VOLUME_BAD()
    if candle.low > min(candle.open, candle.close) or candle.high < max(candle.open, candle.close):
        return codes.CANDLE_RANGE_BAD()
    return None


def step_problem(older: Candle, newer: Candle, step_ms: int) -> Reason | None:
    """Why *newer* cannot directly follow *older*, or None."""
    if newer.open_time != older.open_time + step_ms:
        return codes.CANDLES_NOT_CONSECUTIVE()
    if abs(newer.open - older.close) > older.close * MAX_STEP:
        return codes.CANDLE_JUMP()
    return None


def window_problem(window: Sequence[Candle], *, step_ms: int, count: int, closes_at: int) -> Reason | None:
    """
    The candle contract: exactly *count* candles, oldest first, sane, consecutive, the newest closing at *closes_at*.

    Returns one plain reason, or None when the window may be shown to the analyst. *closes_at* in epoch ms.
    """
    if len(window) != count:
        return codes.CANDLES_MISSING(found=len(window), wanted=count)
    newest_close = window[-1].open_time + step_ms
    if newest_close != closes_at:
        return codes.CANDLE_STALE(seconds=(closes_at - newest_close) // 1000)
    for candle in window:
        if problem := candle_problem(candle, step_ms):
            return problem
        if candle.high > candle.low * (1 + MAX_STEP):
            return codes.CANDLE_WILD()
    for older, newer in pairwise(window):
        if problem := step_problem(older, newer, step_ms):
            return problem
    return None


def sound_tail(candles: Sequence[Candle], step_ms: int) -> list[Candle]:
    """The newest stretch of *candles* (oldest first) that is sane and consecutive: it may be shown and continued."""
    tail: list[Candle] = []
    for candle in reversed(candles):
        if candle_problem(candle, step_ms) or (tail and candle.open_time + step_ms != tail[-1].open_time):
            break
        tail.append(candle)
    tail.reverse()
    return tail


def first_gap(candles: Iterable[Candle], step_ms: int) -> int | None:
    """Open time of the first missing candle in an oldest-first sequence, or None."""
    expected: int | None = None
    for candle in candles:
        if expected is not None and candle.open_time != expected:
            return expected
        expected = candle.open_time + step_ms
    return None
