"""Time and money of a question: one attempt may take all the time there is, and nothing that was read costs nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from lib.adapters.openai.analyst import MOST_STEPS, VAIN_QUESTIONS, OpenAIAnalyst
from lib.adapters.openai.prices import known_prices
from lib.adapters.openai.spending import Meter
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.analyst_name import RULES_MODEL
from lib.domain.decision import Abstained, Decision
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import Reason
from lib.domain.tokens import estimated
from tests.adapters.provider_quirks import FORMAT_QUIRKS, Quirk, respond

PROMPT = Prompt("You trade.", json.dumps({"candles": list(range(200))}), "gpt-6-luna")
PROMPT_TOKENS = estimated(PROMPT.system) + estimated(PROMPT.user)
Handle = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]


@asynccontextmanager
async def analyst_over(handle: Handle) -> AsyncIterator[OpenAIAnalyst]:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
    async with AsyncOpenAI(base_url="http://analyst.test/v1", api_key="sk-test-0123456789", http_client=http) as client:
        yield OpenAIAnalyst(client, pause_s=0.0)


async def asked(handle: Handle, budget_s: float = 5.0) -> AnalystAnswer:
    async with analyst_over(handle) as analyst:
        return await analyst.ask(PROMPT, budget_s)


async def test_one_attempt_may_take_all_the_time_that_is_left() -> None:
    limits: list[Any] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        limits.append(request.extensions["timeout"])
        return httpx2.Response(200, json=respond(Quirk("plain"), json.loads(request.content))[1])

    answered = await asked(answer, 45.0)
    assert isinstance(answered.decision, Decision)
    [limit] = limits
    assert 44 < limit["read"] <= 45
    assert limit["connect"] <= 5


async def test_a_call_that_timed_out_costs_its_prompt() -> None:
    async def hang(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    answer = await asked(hang, 0.05)
    assert answer.decision == Abstained(codes.ANALYST_TIMEOUT())
    assert (answer.prompt_tokens, answer.completion_tokens, answer.failed) == (PROMPT_TOKENS, 0, True)
    assert PROMPT_TOKENS > 300


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (httpx2.ReadTimeout("slow"), 2),
        (httpx2.ReadError("cut off"), 2),
        (httpx2.RemoteProtocolError("gone"), 2),
        (httpx2.ConnectError("refused"), 0),
        (httpx2.ConnectTimeout("nobody"), 0),
    ],
)
async def test_each_call_that_may_have_been_read_costs_its_prompt_and_one_that_never_arrived_nothing(
    failure: Exception, calls: int
) -> None:
    async def fail(_: httpx2.Request) -> httpx2.Response:
        raise failure

    assert (await asked(fail)).prompt_tokens == calls * PROMPT_TOKENS


@pytest.mark.parametrize(("status", "calls"), [(400, 0), (401, 0), (429, 0), (500, 0), (504, 2), (524, 2), (408, 1)])
async def test_a_gateway_that_waited_in_vain_has_passed_the_question_on(status: int, calls: int) -> None:
    async def refuse(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json={"error": {"message": "no"}})

    assert (await asked(refuse)).prompt_tokens == calls * PROMPT_TOKENS


async def test_a_lost_call_and_the_answer_after_it_are_both_paid() -> None:
    seen: list[int] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(1)
        if len(seen) == 1:
            raise httpx2.ReadError("cut off")
        return httpx2.Response(200, json=respond(Quirk("plain"), json.loads(request.content))[1])

    answered = await asked(answer)
    assert isinstance(answered.decision, Decision)
    assert (answered.prompt_tokens, answered.completion_tokens) == (PROMPT_TOKENS + 900, 60)


def test_a_meter_never_counts_past_what_books_can_hold() -> None:
    meter = Meter(PROMPT)
    for _ in range(3):
        meter.sent()
        meter.heard(10**12, 10**12, "x")
    assert (meter.asked, meter.answered) == (10_000_000, 10_000_000)


@pytest.mark.parametrize(
    ("body", "why", "words"),
    [
        (
            {"error": {"message": "It is overloaded", "code": 502}},
            codes.ANALYST_ERROR_INSIDE(status=502),
            "overloaded",
        ),
        ({"error": {"message": "slow down", "code": 429}}, codes.ANALYST_BUSY(), "slow down"),
        ({"error": {"message": "bad key", "code": 401}, "choices": None}, codes.ANALYST_KEY_REFUSED(), "bad key"),
        ({"error": "something broke"}, codes.ANALYST_ERROR_INSIDE(status=400), "something broke"),
        (
            {"base_resp": {"status_code": 1004, "status_msg": "login fail"}},
            codes.ANALYST_ERROR_INSIDE(status=400),
            "login fail",
        ),
        (
            {"object": "error", "message": "not loaded", "code": 503},
            codes.ANALYST_ERROR_INSIDE(status=503),
            "not loaded",
        ),
        (
            {
                "choices": [
                    {"index": 0, "message": None, "finish_reason": "error", "error": {"message": "died", "code": 500}}
                ]
            },
            codes.ANALYST_ERROR_INSIDE(status=500),
            "died",
        ),
    ],
)
async def test_an_error_inside_http_200_is_a_failure_in_the_providers_words(body: Any, why: Reason, words: str) -> None:
    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=body)

    answered = await asked(answer)
    assert isinstance(answered.decision, Abstained)
    assert answered.decision.why == why
    assert answered.failed
    assert words in answered.raw


async def test_a_provider_that_refuses_everything_is_not_asked_eight_times_in_every_cycle() -> None:
    seen: list[int] = []

    async def refuse(_: httpx2.Request) -> httpx2.Response:
        seen.append(1)
        return httpx2.Response(400, json={"error": {"message": "unsupported parameter"}})

    async with analyst_over(refuse) as analyst:
        await analyst.ask(PROMPT, 5.0)
        first = len(seen)
        for _ in range(VAIN_QUESTIONS - 1):
            await analyst.ask(PROMPT, 5.0)
        assert len(seen) == first + VAIN_QUESTIONS - 1
        await analyst.ask(PROMPT, 5.0)  # in an hour it is tried again
    assert 1 < first <= MOST_STEPS + 1
    assert len(seen) == 2 * first + VAIN_QUESTIONS - 1


@pytest.mark.parametrize("trouble", [429, 500, 503])
async def test_passing_trouble_on_the_way_down_does_not_end_the_learning(trouble: int) -> None:
    seen: list[int] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(1)
        if len(seen) in (2, 3):
            return httpx2.Response(trouble, json={"error": {"message": "later"}})
        status, body = respond(FORMAT_QUIRKS[0], json.loads(request.content))
        return httpx2.Response(status, json=body)

    async with analyst_over(answer) as analyst:
        assert (await analyst.ask(PROMPT, 5.0)).failed
        assert isinstance((await analyst.ask(PROMPT, 5.0)).decision, Decision)


async def test_an_answer_in_time_is_not_lost_to_a_memory_that_hangs() -> None:
    class Hanging:
        async def read(self, key: str) -> str:
            return ""

        async def write(self, key: str, text: str) -> None:
            await asyncio.Event().wait()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=respond(Quirk("plain"), json.loads(request.content))[1])

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    async with AsyncOpenAI(base_url="http://analyst.test/v1", api_key="sk-test-0123456789", http_client=http) as client:
        analyst = OpenAIAnalyst(client, profiles=Hanging(), pause_s=0.0)
        assert isinstance((await analyst.ask(PROMPT, 0.5)).decision, Decision)


@pytest.mark.parametrize(
    ("url", "model", "known"),
    [
        ("https://api.openai.com/v1", "gpt-5-mini", True),
        ("https://api.deepseek.com", "deepseek-chat", True),
        ("https://openrouter.ai/api/v1", "openai/gpt-5-mini", True),
        ("https://relay.test/v1", "gpt-5-mini", True),
        ("https://api.openai.com/v1", "no-such-model", False),
        ("http://127.0.0.1:11434/v1", "gpt-5-mini", False),
        ("http://ollama:11434/v1", "gpt-5-mini", False),
        ("http://192.168.1.7/v1", "gpt-5-mini", False),
        ("http://[::1]:8080/v1", "gpt-5-mini", False),
    ],
)
def test_a_known_model_has_a_known_price_and_a_model_of_our_own_none(url: str, model: str, known: bool) -> None:
    prices = known_prices(url, model)
    assert prices.known == known
    if known:
        assert 0 < prices.input_usd <= prices.output_usd < 1_000
    else:
        assert prices == AnalystPrices()


def test_the_rules_that_come_along_are_free_where_they_run() -> None:
    assert known_prices("http://127.0.0.1:18700/v1", RULES_MODEL) == AnalystPrices(free=True)
    assert not known_prices("https://relay.test/v1", RULES_MODEL).known, "elsewhere it is only a name"
