"""Whatever the provider does, the analyst answers within its budget with a decision or a plain abstention."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from lib import log
from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import KEYS, Abstained, Decision
from lib.domain.reason import Code
from lib.simulator.analyst.completions import FAULTS, Analyst
from tests.factories import answer_json, candles
from tests.reasons import english

PROMPT = Prompt(system="You trade.", user="{}", model="gpt-6-luna")
KEY = "sk-test-0123456789abcdef"
Handler = Callable[[httpx2.Request], httpx2.Response]


class Provider:
    """Answers with a script, the last step for ever, and remembers the requests."""

    def __init__(self, *script: httpx2.Response | Exception | Handler) -> None:
        self._script = list(script)
        self.requests: list[dict[str, Any]] = []

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx2.Response) else step(request)


@asynccontextmanager
async def analyst_of(provider: Provider, **options: Any) -> AsyncIterator[OpenAIAnalyst]:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider.handle))
    async with AsyncOpenAI(base_url="http://analyst.test/v1", api_key=KEY, http_client=http) as client:
        yield OpenAIAnalyst(client, pause_s=0.0, **options)


async def asked(*script: httpx2.Response | Exception | Handler) -> tuple[AnalystAnswer, Provider]:
    provider = Provider(*script)
    async with analyst_of(provider) as analyst:
        return await analyst.ask(PROMPT, 5.0), provider


def completion(content: Any, finish: str = "stop", **message: Any) -> httpx2.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-6-luna-2026-09-22", "choices": [choice]}
    return httpx2.Response(200, json={**body, "usage": usage})


def error(status: int, code: str = "x", message: str = "no", **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"message": message, "code": code, "type": "t"}}, headers=headers)


async def test_a_good_answer_is_a_decision_with_its_tokens_and_raw_text() -> None:
    answer, _ = await asked(completion(answer_json()))
    assert isinstance(answer.decision, Decision)
    assert (answer.raw, answer.model) == (answer_json(), "gpt-6-luna-2026-09-22")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.failed) == (900, 60, False)


async def test_the_request_asks_strictly_for_the_six_keys_and_samples_nothing() -> None:
    _, provider = await asked(completion(answer_json()))
    [request] = provider.requests
    form = request["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]["additionalProperties"]) == (True, False)
    assert set(form["schema"]["required"]) == set(form["schema"]["properties"]) == set(KEYS)
    assert not {"minimum", "maximum"} & set(json.dumps(form).replace('"', " ").split())
    assert request.keys() == {"model", "messages", "response_format", "max_completion_tokens"}
    assert request["model"] == "gpt-6-luna"
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


async def test_our_parser_reads_the_text_so_a_repeated_key_abstains() -> None:
    answer, _ = await asked(completion(answer_json()[:-1] + ', "leverage": 50}'))
    assert answer.decision == Abstained(codes.ANSWER_REPEATS_KEY())


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (completion(None, refusal="I cannot help."), codes.ANALYST_REFUSED),
        (completion(answer_json(), "length"), codes.ANSWER_CUT_OFF),
        (completion(answer_json(), "content_filter"), codes.ANSWER_FILTERED),
        (completion(None), codes.ANSWER_NO_TEXT),
        (completion([{"type": "text"}]), codes.ANSWER_NO_TEXT),
        (completion(""), codes.ANSWER_EMPTY),
        (completion("buy now!"), codes.ANSWER_NOT_JSON),
        (httpx2.Response(200, text="<html>", headers={"content-type": "text/html"}), codes.ANSWER_NOT_COMPLETION),
        (httpx2.Response(200, json={"choices": []}), codes.ANSWER_NOT_COMPLETION),
        (httpx2.Response(200, json={"choices": None}), codes.ANSWER_NOT_COMPLETION),
        (httpx2.Response(200, json=[1]), codes.ANSWER_NOT_COMPLETION),
        (httpx2.Response(200, text="{", headers={"content-type": "application/json"}), codes.ANSWER_NOT_COMPLETION),
        (httpx2.Response(200, json={"choices": [{"message": None}]}), codes.ANSWER_NOT_COMPLETION),
    ],
)
async def test_an_odd_answer_abstains_with_its_reason_and_is_not_a_failure(
    response: httpx2.Response, why: Code
) -> None:
    answer, provider = await asked(response)
    assert isinstance(answer.decision, Abstained)
    assert why.is_of(answer.decision.why)
    assert not answer.failed
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("trouble", "why", "calls"),
    [
        (error(429), "busy (HTTP 429)", 2),
        (error(429, "insufficient_quota"), "quota is used up", 1),
        (error(500), "HTTP 500", 2),
        (error(503), "HTTP 503", 2),
        (error(401), "refuses our key", 1),
        (error(403), "refuses our key", 1),
        (error(400), "HTTP 400", 1),
        (error(404), "HTTP 404", 1),
        (httpx2.ConnectError("refused"), "cannot be reached", 2),
        (httpx2.ReadTimeout("slow"), "did not answer in time", 2),
    ],
)
async def test_no_answer_is_a_failure_and_only_passing_trouble_is_tried_once_more(
    trouble: httpx2.Response | Exception, why: str, calls: int
) -> None:
    answer, provider = await asked(trouble)
    assert isinstance(answer.decision, Abstained)
    assert why in english(answer.decision.why)
    assert answer.failed
    assert len(provider.requests) == calls


async def test_the_second_call_may_succeed() -> None:
    answer, provider = await asked(error(500), completion(answer_json()))
    assert isinstance(answer.decision, Decision)
    assert len(provider.requests) == 2


async def test_a_provider_that_asks_for_more_time_than_there_is_is_not_asked_again() -> None:
    answer, provider = await asked(error(429, **{"retry-after": "60"}))
    assert answer.failed
    assert len(provider.requests) == 1


async def test_a_provider_that_hangs_ends_with_the_budget() -> None:
    class Hanging(Provider):
        async def handle(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

    async with analyst_of(Hanging(error(500))) as analyst:
        started = asyncio.get_running_loop().time()
        answer = await analyst.ask(PROMPT, 0.05)
        assert asyncio.get_running_loop().time() - started < 1
    assert answer.decision == Abstained(codes.ANALYST_TIMEOUT())
    assert answer.failed
    assert answer.latency_ms >= 40


async def test_the_raw_text_is_cut_cleaned_and_without_our_key() -> None:
    log.register_secret(KEY)
    answer, _ = await asked(completion(f"\x00\u202e{KEY}" + "x" * 20_000))
    assert len(answer.raw) <= 8_192
    assert KEY not in answer.raw
    assert answer.raw.isprintable()


async def test_an_error_that_echoes_the_key_does_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer, _ = await asked(error(401, message=f"Incorrect API key provided: {KEY}"))
    assert answer.failed
    assert KEY not in str([record.__dict__ for record in caplog.records])


async def test_the_client_itself_never_repeats() -> None:
    client = connect("http://analyst.test/v1", KEY)
    assert client.max_retries == 0
    await client.close()


# --- the local analyst, without a socket ------------------------------------------------------------------------------


def question() -> Prompt:
    rows = [
        {
            "timestamp": c.open_time,
            **{name: str(getattr(c, name)) for name in ("open", "high", "low", "close", "volume")},
        }
        for c in candles(30)
    ]
    user = {"symbol": "BTCUSDT", "interval": "1m", "candles": rows, "user_risk_level": "medium", "max_leverage": 10}
    return Prompt("You trade.", json.dumps(user), "gpt-6-luna")


def local(fault: str | None) -> Handler:
    def answer(request: httpx2.Request) -> httpx2.Response:
        reply = Analyst().reply(dict(request.headers), request.content, fault)
        return httpx2.Response(reply.status, content=reply.body, headers={"content-type": reply.content_type})

    return answer


async def test_the_local_analyst_satisfies_our_schema() -> None:
    async with analyst_of(Provider(local(None))) as analyst:
        answer = await analyst.ask(question(), 5.0)
    assert isinstance(answer.decision, Decision)
    assert answer.decision.leverage <= 10


@pytest.mark.parametrize("fault", sorted(FAULTS - {"hang"}))
async def test_every_fault_of_the_local_analyst_abstains(fault: str) -> None:
    async with analyst_of(Provider(local(fault))) as analyst:
        answer = await analyst.ask(question(), 5.0)
    assert isinstance(answer.decision, Abstained)
    assert answer.failed == (fault in ("429", "500"))
