"""Analyst answers and limits as JSON and back: decimals travel as strings, so nothing passes through a float."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from lib.domain.account import Limits
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.decision import Abstained, Decision
from lib.domain.risk import Clamp
from lib.domain.stored_reason import parse, stored


def decision_json(decision: Decision | Abstained) -> dict[str, Any]:
    """The JSON of column `decision` and of a log's `gpt_analysis`."""
    if isinstance(decision, Abstained):
        return {"abstained": stored(decision.why)}
    return {
        "action": decision.action,
        "confidence": str(decision.confidence),
        "leverage": decision.leverage,
        "reason": decision.reason,
        "stop_loss": str(decision.stop_loss),
        "take_profit": str(decision.take_profit),
        **({"close_fraction": str(decision.close_fraction)} if decision.close_fraction else {}),
    }


def read_decision(written: dict[str, Any]) -> Decision | Abstained:
    """The inverse of `decision_json`."""
    if "abstained" in written:
        return Abstained(parse(written["abstained"]))
    return Decision(
        written["action"],
        Decimal(written["confidence"]),
        written["leverage"],
        written["reason"],
        Decimal(written["stop_loss"]),
        Decimal(written["take_profit"]),
        Decimal(written.get("close_fraction", 0)),
    )


def cycle_state(answer: AnalystAnswer) -> str:
    """The status of an answer: decided, abstained or failed (no answer came at all)."""
    if answer.failed:
        return "failed"
    return "abstained" if isinstance(answer.decision, Abstained) else "decided"


def limits_json(limits: Limits) -> dict[str, str]:
    """Every limit by name, as a string."""
    return {field.name: str(getattr(limits, field.name)) for field in fields(Limits)}


def read_limits(stored: dict[str, str] | None) -> Limits:
    """
    Stored limits over the defaults; a name this release does not know is ignored.

    An arithmetic, value, type or attribute error when they cannot be read.
    """
    known = {field.name: type(getattr(Limits(), field.name)) for field in fields(Limits)}
    return Limits(**{name: _limit(known[name], text) for name, text in (stored or {}).items() if name in known})


def _limit(kind: type[int] | type[Decimal], text: object) -> Any:
    if not isinstance(text, str):
        raise TypeError("a limit is stored as a string")
    number = Decimal(text)
    if not number.is_finite() or number < 0:
        raise ValueError("a limit is a number from 0 on")
    return kind(text)


def clamps_json(clamps: tuple[Clamp, ...]) -> list[dict[str, str]]:
    """The caps that cut something (`clamps`), in the order they fired."""
    return [{"name": clamp.name, "asked": clamp.asked, "allowed": clamp.allowed} for clamp in clamps]
