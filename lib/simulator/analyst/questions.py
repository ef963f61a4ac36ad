"""
The question a chat-completion request puts to the local analyst.

The last user message with a JSON object holding `candles` is the question; text beside the object is the person's own
prompt. Pure parsing: an unusable request raises *Refused*, which carries OpenAI's error fields. Answers are in `rules`.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lib.domain.candle import Candle, decimal_from_wire
from lib.simulator.analyst.rule_words import Language
from lib.simulator.analyst.rules import Question

FIELDS = ("action", "confidence", "leverage", "reason", "stop_loss", "take_profit")
KNOWN = (*FIELDS, "close_fraction")
MAX_CANDLES = 2_000
MAX_BRACES = 50
"""Opening braces tried before a message counts as having no JSON object."""
MAX_READ = 1_000_000
"""Characters read of a message in search of its object, all tries together: no message is worth a stopped exchange."""
MAX_WISH = 5_000
"""Characters beside the object that are looked at: the longest wish a person may write is four thousand."""

_hangul = re.compile("[가-힣]")
_tagged = re.compile(r"<(\w*(?:custom|prompt|preference)\w*)[^>]*>(.*?)</\1>", re.DOTALL)


class ContentPart(msgspec.Struct):
    """One piece of a message sent as a list."""

    type: str = "text"
    text: str = ""


class Message(msgspec.Struct):
    """One chat message."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class Schema(msgspec.Struct):
    """`response_format.json_schema`."""

    name: str = ""
    schema: dict[str, Any] = {}


class ResponseFormat(msgspec.Struct):
    """`response_format`: text, json_object or json_schema."""

    type: str = "text"
    json_schema: Schema | None = None


class Ask(msgspec.Struct):
    """The request fields this analyst reads; others are accepted and ignored, as OpenAI ignores unknown tiers."""

    model: str
    messages: list[Message]
    response_format: ResponseFormat | None = None
    stream: bool | None = False
    n: int | None = 1


class WireCandle(msgspec.Struct):
    """A candle as the prompt carries it: *timestamp* is its open time in epoch ms."""

    timestamp: int
    open: str
    high: str
    low: str
    close: str
    volume: str


class Payload(msgspec.Struct):
    """The JSON object inside the user message."""

    candles: list[WireCandle]
    symbol: str = "BTCUSDT"
    interval: str = "1m"
    user_risk_level: str = "medium"
    max_leverage: int = 1
    custom_prompt: str | None = None
    blocks: dict[str, Any] = {}


class Refused(Exception):
    """The request deserves an error answer: HTTP *status*, OpenAI's error *code* and the *param* at fault."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param


def wanted_fields(response_format: ResponseFormat | None) -> tuple[str, ...]:
    """The properties the answer must have, in order; *Refused* for a schema that is not a trading decision's."""
    if response_format is None or response_format.type in ("text", "json_object"):
        return FIELDS
    schema = response_format.json_schema.schema if response_format.json_schema else {}
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise Refused(
            400, "Invalid schema: an object with properties and required is expected.", None, "response_format"
        )
    unknown = [name for name in required if name not in KNOWN]
    if unknown or "action" not in required:
        problem = f"no value is known for {unknown[0]!r}" if unknown else "'action' is not required"
        raise Refused(400, f"This analyst only answers trading decisions: {problem}.", None, "response_format")
    return tuple(required)


def question_of(messages: Sequence[Message]) -> tuple[Question, int]:
    """The question in *messages* and its newest candle's open time (epoch ms, 0 = none); *Refused* without one."""
    texts = [m.text for m in messages if m.role == "user"]
    language = _language([m.text for m in messages if m.role == "system"])
    for text in reversed(texts):
        if found := find_object(text):
            raw, beside = found
            return _question(raw, beside, [t for t in texts if t is not text], language)
    raise Refused(400, "A user message with a JSON object holding `candles` is expected.", None, "messages")


def find_object(text: str) -> tuple[dict[str, Any], str] | None:
    """The first JSON object with candles in *text* and the text around it, or None."""
    decoder, start, left = json.JSONDecoder(), -1, MAX_READ
    for _ in range(MAX_BRACES):
        start = text.find("{", start + 1)
        if start < 0 or left <= 0:
            return None
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as broken:
            left -= max(broken.pos - start, 1)
            continue
        except (ValueError, RecursionError):
            return None
        left -= end - start
        if "candles" in value:
            return value, f"{text[:start]}\n{text[end:]}"
    return None


def _question(raw: dict[str, Any], beside: str, others: Sequence[str], language: Language) -> tuple[Question, int]:
    try:
        payload = msgspec.convert(raw, Payload)
        candles = tuple(_candle(c) for c in payload.candles[-MAX_CANDLES:])
    except (msgspec.ValidationError, ValueError) as error:
        raise Refused(400, f"The candles cannot be read: {error}", None, "messages") from None
    wish = "\n".join([payload.custom_prompt or "", _custom_prompt("\n".join([beside, *others]))])
    newest = candles[-1].open_time if candles else 0
    bucket = str(payload.blocks.get("position", ""))
    return Question(candles, payload.user_risk_level, payload.max_leverage, wish, language, bucket), newest


def _language(instructions: Sequence[str]) -> Language:
    """The language the instructions are written in; Korean without any."""
    return "ko" if not instructions or any(_hangul.search(text) for text in instructions) else "en"


def _custom_prompt(text: str) -> str:
    """What stands inside a tagged block, else all of *text*."""
    text = text[:MAX_WISH]
    tagged = [match.group(2) for match in _tagged.finditer(text)]
    return "\n".join(tagged) if tagged else text


def _candle(wire: WireCandle) -> Candle:
    prices = [decimal_from_wire(text) for text in (wire.open, wire.high, wire.low, wire.close, wire.volume)]
    if min(prices[:4]) <= 0:
        raise ValueError("prices are positive")
    return Candle(wire.timestamp, *prices)
