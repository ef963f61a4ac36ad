"""
The analyst's answer, read strictly.

An answer is exactly one JSON object with the keys of its version; any other answer is *Abstained*, which trades like
hold and is logged with its reason. Version 1 is the original design's: six keys, buy, sell or hold. Version 2 adds
*close* with a seventh key, the fraction that is closed, and *tighten*. Nothing is coerced, repaired or inferred from
prose: a duplicate key, a NaN, a number in quotes or a key too many all abstain. Two wrappings that models put around an
answer are taken off: one closed <think> block before it, one code fence around it; a word anywhere else abstains.
Numbers that an action does not use may be zero, null or missing. Geometry against a price is the risk rules' business,
not this module's.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, NoReturn

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason

Action = Literal["buy", "sell", "hold", "close", "tighten"]
AnswerVersion = Literal[1, 2]
"""What an answer may say. A version's meaning never changes: strategies and stored answers name it by its number."""

MAX_ANSWER_BYTES = 16_384
MAX_THOUGHT_BYTES = 131_072
"""The bytes that a <think> block before the answer may add."""
MAX_REASON_CHARS = 1_000
MAX_LEVERAGE = 125
NUMBERS = frozenset({"confidence", "leverage", "stop_loss", "take_profit"})
KEYS = NUMBERS | {"action", "reason"}
"""Of version 1."""
CLOSE_FRACTION = "close_fraction"
ACTIONS: Mapping[AnswerVersion, tuple[Action, ...]] = {
    1: ("buy", "sell", "hold"),
    2: ("buy", "sell", "hold", "close", "tighten"),
}
NEEDED: Mapping[Action, frozenset[str]] = {
    "buy": NUMBERS,
    "sell": NUMBERS,
    "hold": frozenset(),
    "close": frozenset({"confidence", CLOSE_FRACTION}),
    "tighten": frozenset({"confidence", "stop_loss"}),
}
"""The numbers an action means something by; its other ones are read as numbers and say nothing."""
_THINK, _THOUGHT = b"<think>", b"</think>"
_FENCE = b"```"
_FENCE_LABELS = (b"", b"json")
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    The analyst's view. *confidence* 0..1; *stop_loss*, *take_profit* are fractions of the entry price, 0..1.

    Of a *tighten* the *stop_loss* is the wanted stop's distance from the price of now, as its fraction.
    """

    action: Action
    confidence: Decimal
    leverage: int
    reason: str
    stop_loss: Decimal
    take_profit: Decimal
    close_fraction: Decimal = Decimal(0)
    """How much of the position a *close* closes, above 0, at most 1; 0 with every other action."""


@dataclass(frozen=True, slots=True)
class Abstained:
    """No usable view, and why. Never an order."""

    why: Reason


class _BadAnswerError(ValueError):
    def __init__(self, why: Reason) -> None:
        super().__init__(str(why))
        self.why = why


def answer_version(stored: object) -> AnswerVersion:
    """*stored* as the version it names; ValueError when there is no such version."""
    for version in ACTIONS:
        if type(stored) is int and version == stored:
            return version
    raise ValueError("no such version of an answer")


def keys_of(version: AnswerVersion) -> frozenset[str]:
    """The keys an answer of *version* has."""
    return KEYS if version == 1 else KEYS | {CLOSE_FRACTION}


def parse_decision(answer: str | bytes | None, version: AnswerVersion = 1) -> Decision | Abstained:
    """Read *answer* (at most 16 KB of UTF-8 JSON, wrappings aside) as one of *version*; never raises, never guesses."""
    try:
        return _decision(_object(_unwrapped(_bytes(answer)), version), version)
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


def _object(raw: bytes, version: AnswerVersion) -> dict[str, object]:
    value = json.loads(
        raw.decode("utf-8", "strict"),
        object_pairs_hook=_pairs,
        parse_constant=_constant,
        parse_float=_number,
        parse_int=_integer,
    )
    if not isinstance(value, dict):
        raise _BadAnswerError(codes.ANSWER_NOT_OBJECT())
    keys, needed = keys_of(version), _needed(value.get("action"), version) | {"action", "reason"}
    if missing := needed - value.keys():
        raise _BadAnswerError(codes.ANSWER_LACKS(fields=", ".join(sorted(missing))))
    if value.keys() - keys:
        raise _BadAnswerError(codes.ANSWER_EXTRA_KEYS())
    return value


def _needed(action: object, version: AnswerVersion) -> frozenset[str]:
    """The numbers that *action* needs; of none of the version's, those of a trade."""
    return next((NEEDED[known] for known in ACTIONS[version] if known == action), NUMBERS)


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


def _decision(value: dict[str, object], version: AnswerVersion) -> Decision:
    action = _action(value["action"], version)
    fractions, leverage = _fractions(value, action, version), value.get("leverage")
    return Decision(
        action=action,
        confidence=fractions["confidence"],
        leverage=_leverage(leverage) if "leverage" in NEEDED[action] else _spare_leverage(leverage),
        reason=_reason(value["reason"]),
        stop_loss=fractions["stop_loss"],
        take_profit=fractions["take_profit"],
        close_fraction=_closed(fractions) if action == "close" else Decimal(0),
    )


def _fractions(value: dict[str, object], action: Action, version: AnswerVersion) -> dict[str, Decimal]:
    """Every number but the leverage: as given where the action needs it, else within its range or 0."""
    names = sorted(keys_of(version) - {"action", "reason", "leverage"})
    needed = NEEDED[action]
    return {name: (_fraction if name in needed else _spare)(value.get(name), name) for name in names}


def _closed(fractions: Mapping[str, Decimal]) -> Decimal:
    if not (fraction := fractions[CLOSE_FRACTION]):
        raise _BadAnswerError(codes.ANSWER_CLOSES_NOTHING())
    return fraction


def _spare(value: object, name: str) -> Decimal:
    number = _number_or_none(value, name)
    return Decimal(number) if number is not None and 0 <= number <= 1 else Decimal(0)


def _spare_leverage(value: object) -> int:
    number = _number_or_none(value, "leverage")
    return number if isinstance(number, int) and 1 <= number <= MAX_LEVERAGE else 1


def _number_or_none(value: object, name: str) -> int | Decimal | None:
    # bool is an int in Python; an answer of true is not a number
    if isinstance(value, bool) or not isinstance(value, int | Decimal | None):
        raise _BadAnswerError(codes.ANSWER_NOT_NUMBER(field=name))
    return value


def _action(value: object, version: AnswerVersion) -> Action:
    for action in ACTIONS[version]:
        if action == value:
            return action
    raise _BadAnswerError(codes.ANSWER_ACTION())


def _fraction(value: object, name: str) -> Decimal:
    if (number := _number_or_none(value, name)) is None:
        raise _BadAnswerError(codes.ANSWER_NOT_NUMBER(field=name))
    number = Decimal(number)
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
