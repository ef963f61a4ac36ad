"""
`lib.ports.Analyst` over the OpenAI SDK, or anything that speaks its chat completions.

One call, one more for a busy or broken provider, both inside the caller's budget; the SDK's own retries are off. The
raw text of the answer goes to our strict parser: the SDK's parsed objects keep the last of two equal keys. Whatever is
odd abstains with a plain reason; only when no answer came at all is it *failed*. No sampling parameters are sent:
reasoning models refuse them. It neither builds prompts nor judges decisions.
"""

import asyncio
from dataclasses import replace
from typing import Any

import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from lib.adapters.openai.bounded import TooLong, bounded
from lib.adapters.openai.schema import RESPONSE_FORMAT
from lib.domain.decision import Abstained, Decision, clean_text, parse_decision
from lib.log import get, redact, register_secret
from lib.ports import AnalystAnswer, Prompt

MAX_RAW_CHARS = 8_192
MOST_TOKENS = 10_000_000
MIN_ATTEMPT_S = 1.0
"""With less than this left, a second attempt is not begun."""
_log = get("analyst")


def connect(base_url: str, api_key: str) -> AsyncOpenAI:
    """A client for *base_url* (ends in /v1); no connection is made yet."""
    register_secret(api_key)
    http = DefaultAsyncHttpxClient(event_hooks={"response": [bounded]})
    plain = {"Accept-Encoding": "identity"}
    return AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http, default_headers=plain)


class OpenAIAnalyst:
    """*attempt_s* limits one call; *pause_s* lies before the second unless the provider asks for another time."""

    def __init__(
        self, client: AsyncOpenAI, *, max_completion_tokens: int = 2_000, attempt_s: float = 25.0, pause_s: float = 0.5
    ) -> None:
        self._client = client.with_options(max_retries=0)
        self._max_completion_tokens = max_completion_tokens
        self._attempt_s = attempt_s
        self._pause_s = pause_s

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(budget_s):
                completion = await self._completion(prompt, started + budget_s)
        except TooLong:
            answer = _abstained("the answer is too long", prompt)
        except (openai.OpenAIError, OSError) as failure:  # TimeoutError is an OSError
            answer = _failed(failure, prompt)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as odd:
            answer = _abstained(f"the answer is not a chat completion ({type(odd).__name__})", prompt)
        else:
            answer = _answer(completion, prompt)
        return replace(answer, latency_ms=round((loop.time() - started) * 1000))

    async def _completion(self, prompt: Prompt, deadline: float) -> object:
        try:
            return await self._call(prompt, deadline)
        except openai.OpenAIError as failure:
            pause = _asked_pause(failure, self._pause_s)
            left = deadline - asyncio.get_running_loop().time() - pause
            if not _worth_repeating(failure) or left < MIN_ATTEMPT_S:
                raise
            _log.warning("analyst.again", why=_reason(failure), pause_s=pause)
        await asyncio.sleep(pause)
        return await self._call(prompt, deadline)

    async def _call(self, prompt: Prompt, deadline: float) -> object:
        left = deadline - asyncio.get_running_loop().time()
        return await self._client.chat.completions.create(
            model=prompt.model,
            messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            response_format=RESPONSE_FORMAT,
            max_completion_tokens=self._max_completion_tokens,
            store=False,
            timeout=max(min(self._attempt_s, left), 0.001),
        )


def _worth_repeating(failure: openai.OpenAIError) -> bool:
    if isinstance(failure, openai.RateLimitError):
        return failure.code != "insufficient_quota"
    return isinstance(failure, openai.APIConnectionError | openai.InternalServerError)


def _asked_pause(failure: openai.OpenAIError, default: float) -> float:
    """Seconds before a second attempt: the provider's Retry-After when it is a plain number."""
    if not isinstance(failure, openai.APIStatusError):
        return default
    asked = failure.response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 4 else default


def _answer(completion: Any, prompt: Prompt) -> AnalystAnswer:
    try:
        choice = completion.choices[0]
        decision, raw = _read(choice.message, choice.finish_reason)
        model = completion.model
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as odd:
        return _abstained(f"the answer is not a chat completion ({type(odd).__name__})", prompt)
    usage = getattr(completion, "usage", None)
    return AnalystAnswer(
        decision=decision,
        raw=_cleaned(raw),
        model=clean_text(model, 100) if isinstance(model, str) else prompt.model,
        prompt_tokens=_count(getattr(usage, "prompt_tokens", 0)),
        completion_tokens=_count(getattr(usage, "completion_tokens", 0)),
        latency_ms=0,
        failed=False,
    )


def _read(message: Any, finish_reason: object) -> tuple[Decision | Abstained, str]:
    content, refusal = message.content, getattr(message, "refusal", None)
    raw = content if isinstance(content, str) else ""
    if refusal:
        return Abstained("the analyst refused to answer"), str(refusal)
    if finish_reason == "length":
        return Abstained("the answer was cut off at the token limit"), raw
    if finish_reason == "content_filter":
        return Abstained("the provider's content filter stopped the answer"), raw
    if not isinstance(content, str):
        return Abstained("the answer has no text"), raw
    return parse_decision(content), raw


def _failed(failure: openai.OpenAIError | OSError, prompt: Prompt) -> AnalystAnswer:
    why = _reason(failure)
    _log.warning("analyst.no_answer", why=why, error=_cleaned(str(failure))[:300])
    return AnalystAnswer(Abstained(why), "", prompt.model, 0, 0, 0, failed=True)


def _reason(failure: openai.OpenAIError | OSError) -> str:
    match failure:
        case TimeoutError() | openai.APITimeoutError():
            return "the analyst did not answer in time"
        case openai.APIConnectionError() | OSError():
            return "the analyst cannot be reached"
        case openai.RateLimitError(code="insufficient_quota"):
            return "the analyst's quota is used up"
        case openai.RateLimitError():
            return "the analyst is busy (HTTP 429)"
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return "the analyst refuses our key"
        case openai.APIStatusError():
            return f"the analyst answers HTTP {failure.status_code}"
    return f"the analyst's client failed ({type(failure).__name__})"


def _abstained(why: str, prompt: Prompt) -> AnalystAnswer:
    return AnalystAnswer(Abstained(why), "", prompt.model, 0, 0, 0, failed=False)


def _cleaned(text: str) -> str:
    return redact(clean_text(text, MAX_RAW_CHARS))[:MAX_RAW_CHARS]


def _count(value: object) -> int:
    """A number of tokens that fits our books, whatever the provider claims."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return max(0, min(value, MOST_TOKENS))
