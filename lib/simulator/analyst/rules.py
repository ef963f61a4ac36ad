"""
A rule-based technical analyst, which answers instead of a language model in paper trading, demos and tests.

Pure and deterministic: the same question gets the same answer. The rules look for a channel breakout, a fresh crossing
of moving averages and an exhausted move, in that order, and hold otherwise; most questions end in a hold. Asked for
answers of the second version they may close or bring a stop nearer instead of a hold; of the position they know the
bucket, where a strategy shows it. They know nothing of money and promise no profit. The wire format is
`lib.simulator.analyst.completions`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain.candle import Candle
from lib.simulator.analyst.indicators import LEAST_CANDLES, Reading, read
from lib.simulator.analyst.rule_words import Language, Reason

Action = Literal["buy", "sell", "hold", "close", "tighten"]

QUIET_PERCENT = Decimal("0.02")
"""An average one-minute range below this share of the price (in %) is not worth the fees."""
LEAST_CONFIDENCE, MOST_CONFIDENCE = Decimal("0.50"), Decimal("0.92")
LEAST_STOP, MOST_STOP = Decimal("0.003"), Decimal("0.05")
STOP_IN_ATR = {"low": Decimal(7), "medium": Decimal(6), "high": Decimal(5)}
LEVERAGE_SHARE = {"low": Decimal("0.3"), "medium": Decimal("0.6"), "high": Decimal("1")}
NEAR_IN_ATR, NEAREST_STOP = Decimal(3), Decimal("0.0015")
"""How near a tightened stop comes to the price."""
SURE = Decimal("0.78")
"""The conviction of closing and tightening: enough for every risk level."""
FRESH = 5
"""Minutes since a crossing that is news: one cycle."""
VERY_STRETCHED = 30
"""RSI away from 50 at which half of a winning position is taken."""
REWARD = Decimal("1.8")
"""Target distance over stop distance."""

OVERBOUGHT, OVERSOLD = 70, 30
"""An RSI from the one to the other, both included, is neutral."""

LONG_ONLY = re.compile(r"롱만|매수만|long[\s-]?only", re.IGNORECASE)
SHORT_ONLY = re.compile(r"숏만|매도만|short[\s-]?only", re.IGNORECASE)
CAREFUL = re.compile(r"보수적|신중|안전|conservative|careful", re.IGNORECASE)
BOLD = re.compile(r"공격적|적극적|aggressive|bold", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """The question: closed candles oldest first; *risk_level* is low, medium or high; *language* of the reason."""

    candles: tuple[Candle, ...]
    risk_level: str = "medium"
    max_leverage: int = 1
    custom_prompt: str = ""
    language: Language = "ko"
    bucket: str = ""
    """Where the position stands, as the prompt says it ("long, winning"); "" = the prompt does not say."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The answer; *stop_loss* and *take_profit* are fractions of the entry price, *confidence* 0..1."""

    action: Action
    confidence: Decimal
    leverage: int
    reason: str
    stop_loss: Decimal
    take_profit: Decimal
    close_fraction: Decimal = Decimal(0)
    """Of the second version's answers: how much of the position a *close* closes."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One rule's finding: a direction, the rule's conviction (before the person's wishes), and why."""

    action: Action
    confidence: Decimal
    reason: Reason
    fraction: Decimal = Decimal(0)


def analyse(question: Question, *, manages: bool = False) -> Opinion:
    """
    The opinion on *question*; too few candles are a hold that says so. *manages*: it may close and tighten.
    """
    if len(question.candles) < LEAST_CANDLES:
        return _opinion(question, Signal("hold", LEAST_CONFIDENCE, Reason("few")), LEAST_STOP)
    reading = read(question.candles)
    signal = _heed(question.custom_prompt, _first_signal(reading))
    if manages and signal.action == "hold" and (managed := _managed(question.bucket, reading)):
        return _opinion(question, managed, _near(reading))
    return _opinion(question, signal, _stop(question, reading))


def _managed(bucket: str, reading: Reading) -> Signal | None:
    """What to do with a position instead of a hold; of one that is not told it is only known that there may be one."""
    if bucket == "flat":
        return None
    side = {"long": 1, "short": -1}.get(bucket.split(",")[0], 0)
    seen = {"rsi": f"{reading.rsi:.0f}"}
    if side * reading.cross < 0 and abs(reading.cross) <= FRESH:
        return Signal("close", SURE, Reason("against", {"age": str(abs(reading.cross))}), Decimal(1))
    if not side and _quiet(reading):
        return Signal("close", SURE, Reason("faded", {"atr": f"{reading.atr_percent:.3f}"}), Decimal(1))
    stretched = {"overbought": 1, "oversold": -1}.get(zone(reading.rsi), 0)
    if not stretched or side == -stretched:
        return None
    if bucket.endswith("winning") and abs(reading.rsi - 50) >= VERY_STRETCHED:
        return Signal("close", SURE, Reason("half", seen), Decimal("0.5"))
    return Signal("tighten", SURE, Reason("nearer", seen))


def _near(reading: Reading) -> Decimal:
    return max(reading.atr * NEAR_IN_ATR / reading.close, NEAREST_STOP).quantize(Decimal("0.0001"))


def _first_signal(reading: Reading) -> Signal:
    for rule in RULES:
        if found := rule(reading):
            return found
    reason = Reason(zone(reading.rsi), {"rsi": f"{reading.rsi:.0f}"})
    return Signal("hold", _confidence(Decimal("0.70") - abs(reading.gap) / 10), reason)


def zone(rsi: Decimal) -> str:
    """What an RSI is called: overbought above 70, oversold below 30, else neutral; as it is shown, in whole numbers."""
    shown = int(f"{rsi:.0f}")
    return "overbought" if shown > OVERBOUGHT else "oversold" if shown < OVERSOLD else "neutral"


def _quiet(reading: Reading) -> Signal | None:
    if reading.atr_percent >= QUIET_PERCENT:
        return None
    return Signal("hold", Decimal("0.80"), Reason("quiet", {"atr": f"{reading.atr_percent:.3f}"}))


def _breakout(reading: Reading) -> Signal | None:
    size = abs(reading.breakout)
    if size < Decimal("0.45") or reading.breakout * reading.body <= 0:
        return None
    confidence = _confidence(Decimal("0.56") + size / 8 + abs(reading.gap) / 20)
    how_far = {"size": f"{size:.1f}"}
    if reading.breakout > 0:
        return Signal("buy", confidence, Reason("above", how_far))
    return Signal("sell", confidence, Reason("below", how_far))


def _cross(reading: Reading) -> Signal | None:
    """A crossing of the last five minutes (one cycle) that the newest candle and the RSI agree with."""
    direction = 1 if reading.cross > 0 else -1
    agreed = reading.body * direction > Decimal("0.25") and (reading.rsi - 50) * direction > 4
    if not 1 <= abs(reading.cross) <= 5 or not agreed:
        return None
    confidence = _confidence(Decimal("0.52") + abs(reading.gap) / 4 + abs(reading.rsi - 50) / 200)
    seen = {"age": str(abs(reading.cross)), "rsi": f"{reading.rsi:.0f}"}
    return (
        Signal("buy", confidence, Reason("golden", seen))
        if direction > 0
        else Signal("sell", confidence, Reason("dead", seen))
    )


def _exhaustion(reading: Reading) -> Signal | None:
    """A stretched RSI with the newest candle already turning against it."""
    shown = {"rsi": f"{reading.rsi:.0f}"}
    if reading.rsi <= 22 and reading.body > Decimal("0.4"):
        return Signal("buy", _confidence(Decimal("0.55") + (22 - reading.rsi) / 60), Reason("rebound", shown))
    if reading.rsi >= 78 and reading.body < Decimal("-0.4"):
        return Signal("sell", _confidence(Decimal("0.55") + (reading.rsi - 78) / 60), Reason("setback", shown))
    return None


RULES: tuple[Callable[[Reading], Signal | None], ...] = (_quiet, _breakout, _cross, _exhaustion)
"""The rules in order of precedence; the first finding is the answer."""


def _confidence(value: Decimal) -> Decimal:
    return min(max(value, LEAST_CONFIDENCE), MOST_CONFIDENCE).quantize(Decimal("0.01"))


def _heed(wish: str, signal: Signal) -> Signal:
    """The signal after the person's own prompt: an excluded direction becomes a hold, their mood moves confidence."""
    if signal.action == "sell" and LONG_ONLY.search(wish):
        return replace(signal, action="hold", reason=Reason("long_only"))
    if signal.action == "buy" and SHORT_ONLY.search(wish):
        return replace(signal, action="hold", reason=Reason("short_only"))
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
        reason=signal.reason.said(question.language),
        stop_loss=stop,
        take_profit=(stop * REWARD).quantize(Decimal("0.0001")),
        close_fraction=signal.fraction,
    )
