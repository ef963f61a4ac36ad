"""
The analyst's answer, read strictly.

An answer is exactly one JSON object with six keys; any other answer is *Abstained*, which trades like hold and is
logged with its reason. Nothing is coerced, repaired or inferred from prose: a duplicate key, a NaN, a number in quotes
or a seventh key all abstain. Two wrappings that models put around an answer are taken off: one closed <think> block
before it, one code fence around it; a word anywhere else abstains. A *hold* moves nothing, so its numbers may be zero,
null or missing. Geometry against a price is the risk rules' business, not this module's.
"""

import json
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, NoReturn

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason

Action = Literal["buy", "sell", "hold"]

MAX_ANSWER_BYTES = 16_384
MAX_THOUGHT_BYTES = 131_072
"""The bytes that a <think> block before the answer may add."""
MAX_REASON_CHARS = 1_000
MAX_LEVERAGE = 125
NUMBERS = frozenset({"confidence", "leverage", "stop_loss", "take_profit"})
KEYS = NUMBERS | {"action", "reason"}
_THINK, _THOUGHT = b"<think>", b"</think>"
_FENCE = b"```"
_FENCE_LABELS = (b"", b"json")
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Decision:
    """The analyst's view. *confidence* 0..1; *stop_loss*, *take_profit* are fractions of the entry price, 0..1."""

    action: Action
    confidence: Decimal
    leverage: int
    reason: str
    stop_loss: Decimal
    take_profit: Decimal


@dataclass(frozen=True, slots=True)
class Abstained:
    """No usable view, and why. Never an order."""

    why: Reason


class _BadAnswerError(ValueError):
    def __init__(self, why: Reason) -> None:
        super().__init__(str(why))
        self.why = why


def parse_decision(answer: str | bytes | None) -> Decision | Abstained:
    """Read *answer* (at most 16 KB of UTF-8 JSON, wrappings aside); never raises, never guesses."""
    try:
        return _decision(_object(_unwrapped(_bytes(answer))))
    except _BadAnswerError as bad:
        return Abstained(bad.why)
    except (ValueError, RecursionError) as bad:
        return Abstained(codes.ANSWER_NOT_JSON(type=type(bad).__name__))


def _bytes(answer: str | bytes | None) -> bytes:
    if not answer:
        raise _BadAnswerError(codes.ANSWER_EMPTY())
    raw = answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else answer
    if len(raw) > MAX_ANSWER_BYTES + MAX_THOUGHT_BYTES:
        raise _too_long(raw)
    return raw


def _too_long(raw: bytes) -> _BadAnswerError:
    return _BadAnswerError(codes.ANSWER_BYTES(bytes=len(raw), limit=MAX_ANSWER_BYTES))


def _unwrapped(raw: bytes) -> bytes:
    """The JSON object's text: *raw* without one closed <think> block before the object and one fence around it."""
    text = _without_fence(_without_thought(raw))
    if len(text) > MAX_ANSWER_BYTES:
        raise _too_long(text)
    return text


def _without_thought(raw: bytes) -> bytes:
    begun = raw.lstrip(_WHITE)
    if not begun.startswith(_THINK):
        return raw
    thought, closed, answer = begun.removeprefix(_THINK).partition(_THOUGHT)
    if not closed or _THINK in thought:
        raise _BadAnswerError(codes.ANSWER_THOUGHT_UNENDED())
    return answer


def _without_fence(raw: bytes) -> bytes:
    fenced = raw.strip(_WHITE)
    if not fenced.startswith(_FENCE):
        return raw
    label, line_end, inside = fenced.removeprefix(_FENCE).partition(b"\n")
    if not line_end or label.strip(_WHITE).lower() not in _FENCE_LABELS or not inside.endswith(_FENCE):
        raise _BadAnswerError(codes.ANSWER_FENCE_BAD())
    return inside.removesuffix(_FENCE)


def _object(raw: bytes) -> dict[str, object]:
    value = json.loads(
        raw.decode("utf-8", "strict"),
        object_pairs_hook=_pairs,
        parse_constant=_constant,
        parse_float=_number,
        parse_int=_integer,
    )
    if not isinstance(value, dict):
        raise _BadAnswerError(codes.ANSWER_NOT_OBJECT())
    optional = NUMBERS if value.get("action") == "hold" else frozenset()
    if missing := KEYS - value.keys() - optional:
        raise _BadAnswerError(codes.ANSWER_LACKS(fields=", ".join(sorted(missing))))
    if value.keys() - KEYS:
        raise _BadAnswerError(codes.ANSWER_EXTRA_KEYS())
    return value


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _BadAnswerError(codes.ANSWER_REPEATS_KEY())
    return made


def _constant(name: str) -> NoReturn:
    raise _BadAnswerError(codes.ANSWER_CONSTANT(name=name))


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= 40 else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > 12:
        raise _BadAnswerError(codes.ANSWER_NUMBER_RANGE())
    return value


def _integer(text: str) -> int:
    if len(text) > 12:
        raise _BadAnswerError(codes.ANSWER_NUMBER_RANGE())
    return int(text)


def _decision(value: dict[str, object]) -> Decision:
    if value["action"] == "hold":
        return _hold(value)
    return Decision(
        action=_action(value["action"]),
        confidence=_fraction(value["confidence"], "confidence"),
        leverage=_leverage(value["leverage"]),
        reason=_reason(value["reason"]),
        stop_loss=_fraction(value["stop_loss"], "stop_loss"),
        take_profit=_fraction(value["take_profit"], "take_profit"),
    )


def _hold(value: dict[str, object]) -> Decision:
    """A hold with its numbers as given where they are in range, and with the least allowed where they are not."""
    numbers = {name: value.get(name) for name in NUMBERS}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | Decimal | None):
            raise _BadAnswerError(codes.ANSWER_NOT_NUMBER(field=name))
    fractions = {name: _in_range(number) for name, number in numbers.items()}
    leverage = numbers["leverage"]
    return Decision(
        action="hold",
        confidence=fractions["confidence"],
        leverage=leverage if isinstance(leverage, int) and 1 <= leverage <= MAX_LEVERAGE else 1,
        reason=_reason(value["reason"]),
        stop_loss=fractions["stop_loss"],
        take_profit=fractions["take_profit"],
    )


def _in_range(number: object) -> Decimal:
    return Decimal(number) if isinstance(number, int | Decimal) and 0 <= number <= 1 else Decimal(0)


def _action(value: object) -> Action:
    match value:
        case "buy":
            return "buy"
        case "sell":
            return "sell"
    raise _BadAnswerError(codes.ANSWER_ACTION())


def _fraction(value: object, name: str) -> Decimal:
    # bool is an int in Python; an answer of true is not a number
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _BadAnswerError(codes.ANSWER_NOT_NUMBER(field=name))
    number = Decimal(value)
    if not 0 <= number <= 1:
        raise _BadAnswerError(codes.ANSWER_NOT_BETWEEN(field=name, least=0, most=1))
    return number


def _leverage(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _BadAnswerError(codes.ANSWER_LEVERAGE())
    if not 1 <= value <= MAX_LEVERAGE:
        raise _BadAnswerError(codes.ANSWER_NOT_BETWEEN(field="leverage", least=1, most=MAX_LEVERAGE))
    return value


def _reason(value: object) -> str:
    if not isinstance(value, str):
        raise _BadAnswerError(codes.ANSWER_REASON())
    return clean_text(value, MAX_REASON_CHARS)


def clean_text(text: str, limit: int) -> str:
    """*text* in NFC, without control characters and lone surrogates, at most *limit* characters."""
    normal = unicodedata.normalize("NFC", text[: limit * 2])
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") else c for c in normal)
    return visible.strip()[:limit]
