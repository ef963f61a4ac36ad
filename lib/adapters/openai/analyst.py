"""
`lib.ports.analyst.Analyst` over the OpenAI SDK, or anything that speaks its chat completions.

A question is asked in the form this provider's model accepts (`profile`), one step plainer where the provider refuses
(`stepping`); the accepted form is remembered for every process. One attempt may use all the time there is; a busy or
broken provider is asked once more while time is left; the SDK's own retries are off. The raw text of the answer goes to
our strict parser: the SDK's parsed objects keep the last of two equal keys. An odd answer abstains with a plain reason;
only when no answer came at all is it *failed*, with the provider's text as its raw text. Prompts are built and
decisions planned elsewhere.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from lib.adapters.openai.bounded import TooLong, bounded
from lib.adapters.openai.memory import Memory
from lib.adapters.openai.pinned import InnerAddress, Pinned
from lib.adapters.openai.profile import Profile, Wishes, after_cut, fields_of, summary
from lib.adapters.openai.refusal import MAX_WORDS, Trouble, inside_200, trouble_of
from lib.adapters.openai.spending import Meter
from lib.adapters.openai.stepping import MENDABLE, step_down
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import Abstained, AnswerVersion, Decision, clean_text, parse_decision
from lib.domain.reason import Reason
from lib.log import get, redact, register_secret
from lib.ports.analyst import Analyst, AnalystProfiles

MAX_RAW_CHARS = 8_192
MIN_ATTEMPT_S = 1.0
"""The least seconds left for which a second attempt is begun."""
CONNECT_S = 5.0
"""Seconds to connect: a provider that does not even accept the connection leaves time for a second attempt."""
MOST_STEPS = 8
"""The most refusals that one question steps down after."""
VAIN_QUESTIONS = 12
"""How many questions, about an hour of them, are not stepped down after one that stepped down in vain."""
_READ_BUT_LATE = frozenset({408, 504, 524})
"""Statuses of a gateway that waited in vain: the provider behind it has read the question."""
_SHAPELESS = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_log = get("analyst")


def connect(base_url: str, api_key: str, *, inner: Collection[str] | None = None) -> AsyncOpenAI:
    """
    A client for *base_url* (ends in /v1); no connection is made yet. *inner* None = the operator's own address; else
    somebody's, which may lead to the public internet and to those `host:port`, and follows nobody anywhere.
    """
    register_secret(api_key)
    hooks = {"response": [bounded]}
    if inner is None:
        http = DefaultAsyncHttpxClient(event_hooks=hooks)
    else:
        pinned = Pinned(frozenset(inner))
        http = DefaultAsyncHttpxClient(event_hooks=hooks, transport=pinned, trust_env=False, follow_redirects=False)
    plain = {"Accept-Encoding": "identity"}
    return AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http, default_headers=plain)


@dataclass(slots=True)
class _Question:
    """One question under way: its form now, its deadline (loop time), and the steps still to try."""

    prompt: Prompt
    deadline: float
    meter: Meter
    profile: Profile
    steps: int = MOST_STEPS
    repeats: int = 1

    @property
    def left(self) -> float:
        """The seconds left until the deadline."""
        return self.deadline - asyncio.get_running_loop().time()


class OpenAIAnalyst(Analyst):
    """
    *wishes* are the operator's, *profiles* the store of learnt profiles (None = this process alone).

    *pause_s* lies before the second attempt unless the provider asks for another time; *on_step* is told the field and
    the provider's words whenever a question steps down.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        wishes: Wishes | None = None,
        profiles: AnalystProfiles | None = None,
        pause_s: float = 0.5,
        on_step: Callable[[str, str], None] | None = None,
    ) -> None:
        self._client = client.with_options(max_retries=0)
        self._wishes = wishes or Wishes()
        self._memory = Memory(str(client.base_url).rstrip("/"), self._wishes, profiles)
        self._pause_s = pause_s
        self.on_step = on_step or (lambda _field, _words: None)
        self._in_vain: Counter[str] = Counter()
        """Models that were stepped all the way down for nothing: questions that are not stepped down for now."""

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        loop = asyncio.get_running_loop()
        started, meter = loop.time(), Meter(prompt)
        question = _Question(prompt, started + budget_s, meter, await self._memory.profile(prompt.model))
        self._in_vain[prompt.model] -= 1
        try:
            async with asyncio.timeout(max(question.left, 0)):
                answer, was_cut = await self._answer(question)
            await self._learn(question, answer.model, was_cut=was_cut)  # after the budget: the answer is there
        except TooLong:
            answer = _abstained(codes.ANSWER_TOO_LONG(), prompt)
        except (Trouble, openai.OpenAIError, OSError) as failure:  # TimeoutError is an OSError
            answer = _failed(failure, prompt)
        except _SHAPELESS as odd:
            answer = _abstained(codes.ANSWER_NOT_COMPLETION(type=type(odd).__name__), prompt)
        meter.lost()
        latency_ms = round((loop.time() - started) * 1000)
        asked, answered, cached = meter.asked, meter.answered, min(meter.cached, meter.asked)
        used = replace(answer, prompt_tokens=asked, completion_tokens=answered, cached_tokens=cached)
        return replace(used, latency_ms=latency_ms)

    async def how(self, model: str) -> str:
        """The form in which *model* is asked by now, in one line."""
        return summary(await self._memory.profile(model))

    async def _answer(self, question: _Question) -> tuple[AnalystAnswer, bool]:
        completion = await self._completion(question)
        answer, was_cut = _answer(completion, question.prompt)
        question.meter.heard(*_usage(completion), answer.raw, _cached(completion))
        return answer, was_cut

    async def _learn(self, question: _Question, answered: str, *, was_cut: bool) -> None:
        """Remember the accepted form; after an answer that was cut off the next question asks for more tokens."""
        self._in_vain[question.prompt.model] = 0
        profile = after_cut(question.profile, self._wishes) if was_cut else question.profile
        await self._memory.keep(question.prompt.model, profile, answered)

    async def _completion(self, question: _Question) -> object:
        while True:
            try:
                return await self._call(question)
            except (Trouble, openai.OpenAIError) as failure:
                question.meter.ended(was_read=_was_read(failure))
                if self._steps_down(question, failure):
                    continue
                pause = _asked_pause(failure, self._pause_s)
                if not (question.repeats and _worth_repeating(failure) and question.left - pause >= MIN_ATTEMPT_S):
                    raise
                _log.warning("analyst.again", why=reason_of(failure), pause_s=pause)
            question.repeats -= 1
            await asyncio.sleep(pause)

    def _steps_down(self, question: _Question, failure: Exception) -> bool:
        """Whether *question* is asked differently after *failure*."""
        model = question.prompt.model
        if not isinstance(failure, Trouble) or not question.steps or self._in_vain[model] > 0:
            return False
        stepped = step_down(question.profile, failure, self._wishes)
        if stepped is None:
            if question.steps < MOST_STEPS and failure.status in MENDABLE and failure.status < 500:
                self._in_vain[model] = VAIN_QUESTIONS
            return False
        question.profile, name = stepped
        question.steps -= 1
        _log.warning("analyst.steps_down", field=name, words=failure.words, status=failure.status)
        self.on_step(name, failure.words)
        return True

    async def _call(self, question: _Question) -> object:
        left = max(question.left, 0.001)
        question.meter.sent()
        try:
            completion = await self._client.chat.completions.create(
                **fields_of(question.profile, question.prompt),
                timeout=openai.Timeout(left, connect=min(left, CONNECT_S)),
            )
        except openai.APIStatusError as failure:
            raise trouble_of(failure) from None
        if (error := inside_200(completion)) is not None:
            raise error
        return completion


def _was_read(failure: Trouble | openai.OpenAIError) -> bool:
    """Whether the provider may have read the question, and so charge for it, before this *failure*."""
    if isinstance(failure, Trouble):
        return failure.status in _READ_BUT_LATE
    return not isinstance(failure.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def _worth_repeating(failure: Trouble | openai.OpenAIError) -> bool:
    if isinstance(failure, Trouble):
        return failure.status >= 500 or (failure.status == 429 and failure.code != "insufficient_quota")
    return isinstance(failure, openai.APIConnectionError)


def _asked_pause(failure: Trouble | openai.OpenAIError, default: float) -> float:
    """Seconds before a second attempt: the provider's Retry-After when it is a plain number."""
    cause = failure.cause if isinstance(failure, Trouble) else None
    if not isinstance(cause, openai.APIStatusError):
        return default
    asked = cause.response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 4 else default


def _answer(completion: Any, prompt: Prompt) -> tuple[AnalystAnswer, bool]:
    """The answer in *completion*, and whether it was cut off at the token limit."""
    try:
        choice = completion.choices[0]
        decision, raw = _read(choice.message, choice.finish_reason, prompt.answer_version)
        model, was_cut = completion.model, choice.finish_reason == "length"
    except _SHAPELESS as odd:
        strange = _abstained(codes.ANSWER_NOT_COMPLETION(type=type(odd).__name__), prompt)
        return replace(strange, raw=_cleaned(str(completion)[:MAX_WORDS])), False
    named = clean_text(model, 100) if isinstance(model, str) else ""
    return AnalystAnswer(decision, _cleaned(raw), named or prompt.model, 0, 0, 0, failed=False), was_cut


def _usage(completion: Any) -> tuple[object, object]:
    usage = getattr(completion, "usage", None)
    return getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0)


def _cached(completion: Any) -> object:
    details = getattr(getattr(completion, "usage", None), "prompt_tokens_details", None)
    return getattr(details, "cached_tokens", 0)


def _read(message: Any, finish_reason: object, version: AnswerVersion) -> tuple[Decision | Abstained, str]:
    content, refusal = _text(message.content), getattr(message, "refusal", None)
    if refusal:
        return Abstained(codes.ANALYST_REFUSED()), str(refusal)
    if finish_reason == "length":
        return Abstained(codes.ANSWER_CUT_OFF()), content or ""
    if finish_reason == "content_filter":
        return Abstained(codes.ANSWER_FILTERED()), content or ""
    if content is None:
        return Abstained(codes.ANSWER_NO_TEXT()), ""
    return parse_decision(content, version), content


def _text(content: object) -> str | None:
    """The one text of *content*, which may be a list of parts, a thought before it; None when it has not just one."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part for part in content if isinstance(part, dict) and part.get("type") not in ("thinking", "reasoning")]
    only = parts[0] if len(parts) == 1 and len(content) - len(parts) <= 1 else {}
    text = only.get("text") if only.get("type") == "text" else None
    return text if isinstance(text, str) else None


def _failed(failure: Trouble | openai.OpenAIError | OSError, prompt: Prompt) -> AnalystAnswer:
    why, words = reason_of(failure), failure.words if isinstance(failure, Trouble) else ""
    _log.warning("analyst.no_answer", why=why, error=words or _cleaned(str(failure))[:300])
    return AnalystAnswer(Abstained(why), words, prompt.model, 0, 0, 0, failed=True)


def reason_of(failure: Trouble | openai.OpenAIError | OSError) -> Reason:
    """Why no answer came."""
    match failure:
        case InnerAddress():
            return codes.MODEL_ADDRESS_INNER()
        case TimeoutError() | openai.APITimeoutError():
            return codes.ANALYST_TIMEOUT()
        case openai.APIConnectionError() | OSError():
            return codes.ANALYST_UNREACHABLE()
        case Trouble():
            return _refused(failure)
    return codes.ANALYST_CLIENT_FAILED(type=type(failure).__name__)


def _refused(trouble: Trouble) -> Reason:
    match trouble.status:
        case 402:
            return codes.ANALYST_QUOTA()
        case 429:
            used_up = trouble.code == "insufficient_quota"
            return codes.ANALYST_QUOTA() if used_up else codes.ANALYST_BUSY()
        case 401 | 403:
            return codes.ANALYST_KEY_REFUSED()
    if trouble.inside:
        return codes.ANALYST_ERROR_INSIDE(status=trouble.status)
    return codes.ANALYST_HTTP(status=trouble.status)


def _abstained(why: Reason, prompt: Prompt) -> AnalystAnswer:
    return AnalystAnswer(Abstained(why), "", prompt.model, 0, 0, 0, failed=False)


def _cleaned(text: str) -> str:
    return redact(clean_text(text, MAX_RAW_CHARS))[:MAX_RAW_CHARS]
