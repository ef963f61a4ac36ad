"""
The local analyst behind OpenAI's wire format: `POST /v1/chat/completions` and `GET /v1/models` as pure functions.

A request's last user message must carry one JSON object with the candles; text beside it is the person's own prompt.
The requested `response_format` is honoured: the decision schema gets exactly its required properties, a schema this
analyst cannot fill is refused with 400 like any bad request. Same bytes in, same bytes out: even `id` and `created`
come from the question. No streaming, no tools, no sampling.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lib.domain.analyst_name import RULES_MODEL
from lib.simulator.analyst.questions import Ask, Refused, question_of, wanted_fields
from lib.simulator.analyst.rules import Opinion, analyse

MODELS = ("gpt-6-luna", RULES_MODEL)
"""What the local analyst may be asked as unless told otherwise; it answers by its own name, as rules are no GPT."""

FAULTS = frozenset({"refusal", "truncated", "prose", "invalid_json", "429", "500", "hang", "null", "html"})
"""Ways to spoil an answer (`POST /sim/faults`, kind "analyst", parameter "answer"); the server carries out *hang*."""

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Analyst:
    """The endpoint's rules: which models exist and which key opens them (*api_key* None = any key)."""

    def __init__(self, models: Sequence[str] = MODELS, api_key: str | None = None) -> None:
        self._models = tuple(models)
        self._api_key = api_key

    def models(self, headers: Mapping[str, str]) -> Reply:
        """`GET /v1/models`."""
        try:
            self._admit(headers)
        except Refused as refused:
            return error_reply(refused)
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "maemae"} for name in self._models]
        return Reply(200, _encoder.encode({"object": "list", "data": rows}))

    def reply(self, headers: Mapping[str, str], body: bytes, fault: str | None = None) -> Reply:
        """`POST /v1/chat/completions`; *fault* (one of *FAULTS*) spoils the answer the way a provider can."""
        try:
            self._admit(headers)
            ask = self._parse(body)
            wanted = wanted_fields(ask.response_format)
            question, newest = question_of(ask.messages)
        except Refused as refused:
            return error_reply(refused)
        if fault in FAILED:
            return FAILED[fault]
        opinion = analyse(question, manages="close_fraction" in wanted)
        return _completion(body, _spoil(answer_text(opinion, wanted), fault), newest)

    def _admit(self, headers: Mapping[str, str]) -> None:
        if self._api_key is None:
            return
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise Refused(401, "Incorrect API key provided.", "invalid_api_key")

    def _parse(self, body: bytes) -> Ask:
        try:
            ask = msgspec.json.decode(body, type=Ask)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(400, f"We could not parse the JSON body of your request: {error}") from None
        if ask.model not in self._models:
            raise Refused(404, f"The model `{ask.model[:80]}` does not exist.", "model_not_found", "model")
        if ask.stream or ask.n not in (None, 1):
            raise Refused(400, "Only one choice without streaming is supported.", "unsupported_value", "stream")
        return ask


def answer_text(opinion: Opinion, wanted: Sequence[str]) -> str:
    """The opinion as the JSON text of an assistant message with exactly the *wanted* properties."""
    return _encoder.encode({name: getattr(opinion, name) for name in wanted}).decode()


def error_reply(refused: Refused) -> Reply:
    """OpenAI's error shape."""
    kind = "server_error" if refused.status >= 500 else "invalid_request_error"
    error = {"message": refused.message, "type": kind, "param": refused.param, "code": refused.code}
    return Reply(refused.status, _encoder.encode({"error": error}))


FAILED: Mapping[str | None, Reply] = {
    "429": error_reply(Refused(429, "Rate limit reached for requests.", "rate_limit_exceeded")),
    "500": error_reply(Refused(500, "The server had an error while processing your request.")),
    "html": Reply(200, b"<html><body>502 Bad Gateway</body></html>", "text/html"),
}


def _spoil(text: str, fault: str | None) -> dict[str, Any]:
    """The assistant message and its finish reason under *fault*."""
    content: str | None = text
    if fault == "truncated":
        content = text[: len(text) // 2]
    elif fault == "prose":
        content = "지금은 매수하기 좋은 시점으로 보입니다. 레버리지 5배를 추천합니다."
    elif fault == "invalid_json":
        content = text[:-1] + ",}"
    elif fault in ("null", "refusal"):
        content = None
    refusal = "죄송하지만 도와드릴 수 없습니다." if fault == "refusal" else None
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": refusal, "annotations": []}
    return {"message": message, "finish_reason": "length" if fault == "truncated" else "stop"}


def _completion(body: bytes, choice: dict[str, Any], newest: int) -> Reply:
    asked, answered = _tokens(body), _tokens((choice["message"]["content"] or "").encode())
    usage = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    document = {
        "id": f"chatcmpl-{hashlib.blake2b(body, digest_size=12).hexdigest()}",
        "object": "chat.completion",
        "created": newest // 1000,
        "model": RULES_MODEL,
        "choices": [{"index": 0, **choice, "logprobs": None}],
        "usage": usage,
        "system_fingerprint": "fp_maemae_rules_1",
    }
    return Reply(200, _encoder.encode(document))


def _tokens(data: bytes) -> int:
    """A stand-in for a tokenizer: a token is about four bytes."""
    return -(-len(data) // 4)
