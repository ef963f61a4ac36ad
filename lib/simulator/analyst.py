"""
A rule-based technical analyst: what answers instead of a language model in paper trading, demos and tests.

Pure and deterministic: the same question gets the same answer. It looks for a channel breakout, a fresh crossing of
moving averages and an exhausted move, in that order, and holds otherwise; most questions end in a hold. It knows
nothing of positions or money and promises no profit. The wire format around it is `lib.simulator.completions`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain.candle import Candle
from lib.simulator.indicators import LEAST_CANDLES, Reading, read

Action = Literal["buy", "sell", "hold"]

QUIET_PERCENT = Decimal("0.02")
"""An average one-minute range below this share of the price (in %) is not worth the fees."""
LEAST_CONFIDENCE, MOST_CONFIDENCE = Decimal("0.50"), Decimal("0.92")
LEAST_STOP, MOST_STOP = Decimal("0.003"), Decimal("0.05")
STOP_IN_ATR = {"low": Decimal(7), "medium": Decimal(6), "high": Decimal(5)}
LEVERAGE_SHARE = {"low": Decimal("0.3"), "medium": Decimal("0.6"), "high": Decimal("1")}
REWARD = Decimal("1.8")
"""Target distance over stop distance."""

LONG_ONLY = re.compile(r"롱만|매수만|long[\s-]?only", re.IGNORECASE)
SHORT_ONLY = re.compile(r"숏만|매도만|short[\s-]?only", re.IGNORECASE)
CAREFUL = re.compile(r"보수적|신중|안전|conservative|careful", re.IGNORECASE)
BOLD = re.compile(r"공격적|적극적|aggressive|bold", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: closed candles oldest first; *risk_level* is low, medium or high."""

    candles: tuple[Candle, ...]
    risk_level: str = "medium"
    max_leverage: int = 1
    custom_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The answer; *stop_loss* and *take_profit* are fractions of the entry price, *confidence* 0..1."""

    action: Action
    confidence: Decimal
    leverage: int
    reason: str
    stop_loss: Decimal
    take_profit: Decimal


@dataclass(frozen=True, slots=True)
class Signal:
    """One rule's finding: a direction, how convinced it is (before the person's wishes), and why, in Korean."""

    action: Action
    confidence: Decimal
    reason: str


def analyse(question: Question) -> Opinion:
    """The opinion on *question*; too few candles are a hold that says so."""
    if len(question.candles) < LEAST_CANDLES:
        return _opinion(question, Signal("hold", LEAST_CONFIDENCE, "캔들이 부족하여 판단을 보류합니다."), LEAST_STOP)
    reading = read(question.candles)
    signal = _heed(question.custom_prompt, _first_signal(reading))
    return _opinion(question, signal, _stop(question, reading))


def _first_signal(reading: Reading) -> Signal:
    for rule in RULES:
        if found := rule(reading):
            return found
    return Signal(
        "hold",
        _confidence(Decimal("0.70") - abs(reading.gap) / 10),
        f"EMA 8/21 교차나 돌파 없이 RSI {reading.rsi:.0f}로 중립 구간이어서 관망합니다.",
    )


def _quiet(reading: Reading) -> Signal | None:
    if reading.atr_percent >= QUIET_PERCENT:
        return None
    reason = f"ATR이 가격의 {reading.atr_percent:.3f}%로 변동성이 낮아 수수료를 넘기 어려우므로 관망합니다."
    return Signal("hold", Decimal("0.80"), reason)


def _breakout(reading: Reading) -> Signal | None:
    size = abs(reading.breakout)
    if size < Decimal("0.45") or reading.breakout * reading.turn <= 0:
        return None
    confidence = _confidence(Decimal("0.56") + size / 8 + abs(reading.gap) / 20)
    if reading.breakout > 0:
        return Signal("buy", confidence, f"최근 20분 고점을 ATR의 {size:.1f}배만큼 상향 돌파하여 매수합니다.")
    return Signal("sell", confidence, f"최근 20분 저점을 ATR의 {size:.1f}배만큼 하향 이탈하여 매도합니다.")


def _cross(reading: Reading) -> Signal | None:
    """A crossing of the last five minutes (one cycle) that the newest candle and the RSI agree with."""
    direction = 1 if reading.cross > 0 else -1
    agreed = reading.turn * direction > Decimal("0.25") and (reading.rsi - 50) * direction > 4
    if not 1 <= abs(reading.cross) <= 5 or not agreed:
        return None
    confidence = _confidence(Decimal("0.52") + abs(reading.gap) / 4 + abs(reading.rsi - 50) / 200)
    age, rsi = abs(reading.cross), f"{reading.rsi:.0f}"
    if direction > 0:
        return Signal(
            "buy", confidence, f"EMA 8/21 골든크로스가 {age}분 전에 나왔고 RSI {rsi}로 상승이 확인되어 매수합니다."
        )
    return Signal(
        "sell", confidence, f"EMA 8/21 데드크로스가 {age}분 전에 나왔고 RSI {rsi}로 하락이 확인되어 매도합니다."
    )


def _exhaustion(reading: Reading) -> Signal | None:
    """A stretched RSI with the newest candle already turning against it."""
    if reading.rsi <= 22 and reading.turn > Decimal("0.4"):
        reason = f"RSI {reading.rsi:.0f} 과매도 구간에서 반등 양봉이 나와 매수합니다."
        return Signal("buy", _confidence(Decimal("0.55") + (22 - reading.rsi) / 60), reason)
    if reading.rsi >= 78 and reading.turn < Decimal("-0.4"):
        reason = f"RSI {reading.rsi:.0f} 과매수 구간에서 반락 음봉이 나와 매도합니다."
        return Signal("sell", _confidence(Decimal("0.55") + (reading.rsi - 78) / 60), reason)
    return None


RULES: tuple[Callable[[Reading], Signal | None], ...] = (_quiet, _breakout, _cross, _exhaustion)
"""In order of precedence; the first finding is the answer."""


def _confidence(value: Decimal) -> Decimal:
    return min(max(value, LEAST_CONFIDENCE), MOST_CONFIDENCE).quantize(Decimal("0.01"))


def _heed(wish: str, signal: Signal) -> Signal:
    """The signal after the person's own prompt: an excluded direction becomes a hold, their mood moves confidence."""
    if signal.action == "sell" and LONG_ONLY.search(wish):
        return replace(signal, action="hold", reason="매도 신호가 있으나 롱만 거래하라는 요청에 따라 관망합니다.")
    if signal.action == "buy" and SHORT_ONLY.search(wish):
        return replace(signal, action="hold", reason="매수 신호가 있으나 숏만 거래하라는 요청에 따라 관망합니다.")
    mood = Decimal("0.05") * (bool(BOLD.search(wish)) - bool(CAREFUL.search(wish)))
    return replace(signal, confidence=_confidence(signal.confidence + mood))


def _stop(question: Question, reading: Reading) -> Decimal:
    share = reading.atr * STOP_IN_ATR.get(question.risk_level, STOP_IN_ATR["low"]) / reading.close
    return min(max(share, LEAST_STOP), MOST_STOP).quantize(Decimal("0.0001"))


def _opinion(question: Question, signal: Signal, stop: Decimal) -> Opinion:
    share = LEVERAGE_SHARE.get(question.risk_level, LEVERAGE_SHARE["low"])
    wanted = int(question.max_leverage * share * signal.confidence)
    return Opinion(
        action=signal.action,
        confidence=signal.confidence,
        leverage=min(max(wanted, 1), max(question.max_leverage, 1)),
        reason=signal.reason,
        stop_loss=stop,
        take_profit=(stop * REWARD).quantize(Decimal("0.0001")),
    )
