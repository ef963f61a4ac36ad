"""Hostile completions through the real client and SDK: a view or an abstention, short, in time, in little memory."""

import asyncio
import gzip
import json
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from lib.adapters.openai.analyst import MAX_RAW_CHARS, OpenAIAnalyst, connect
from lib.adapters.openai.bounded import MAX_PACKED_BYTES, MAX_REPLY_BYTES, bounded
from lib.adapters.openai.spending import MOST_TOKENS
from lib.adapters.sql.ledger.analysis import decision_json
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import Abstained, Decision, parse_decision
from lib.domain.tokens import estimated
from tests.domain.hostile_answers import BY_HAND, ODD_CONTENT, answer_of, written

ANSWERS = 1_500
PROMPT = Prompt(system="You trade.", user="{}", model="gpt-6-luna")
QUESTION_TOKENS = estimated(PROMPT.system) + estimated(PROMPT.user)
MEGABYTE = 1_000_000


class Body(httpx2.AsyncByteStream):
    """*pieces* one after the other, counting what was taken; then, when *hangs*, nothing for ever."""

    def __init__(self, *pieces: bytes, repeat: int = 1, hangs: bool = False) -> None:
        self._pieces, self._repeat, self._hangs = pieces, repeat, hangs
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._repeat):
            for piece in self._pieces:
                self.taken += len(piece)
                yield piece
        if self._hangs:
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def analyst_of(respond: Callable[[], httpx2.Response]) -> AsyncIterator[OpenAIAnalyst]:
    """The analyst over a transport that answers *respond()* to everything, with the hook `connect` installs."""

    async def handle(_: httpx2.Request) -> httpx2.Response:
        return respond()

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(handle), event_hooks={"response": [bounded]})
    async with AsyncOpenAI(base_url="http://analyst.test/v1", api_key="sk-test-012345", http_client=http) as client:
        yield OpenAIAnalyst(client, pause_s=0.0)


def reply(body: httpx2.AsyncByteStream | bytes, **headers: str) -> httpx2.Response:
    stream = Body(body) if isinstance(body, bytes) else body
    return httpx2.Response(200, headers={"content-type": "application/json", **headers}, stream=stream)


def completion(content: Any, finish: Any = "stop", **changes: Any) -> dict[str, Any]:
    """A chat completion around *content*, as the provider's JSON object."""
    message = {"role": "assistant", "content": content}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-6-luna-2026-09-22"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    return {**whole, "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage, **changes}


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()  # lone surrogates travel as escapes


async def answered(body: httpx2.AsyncByteStream | bytes, **headers: str) -> AnalystAnswer:
    async with analyst_of(lambda: reply(body, **headers)) as analyst:
        return await analyst.ask(PROMPT, 5.0)


def storage_problem(answer: AnalystAnswer) -> str:
    """Why the row of *answer* could not be written, or ""."""
    numbers = (answer.prompt_tokens, answer.completion_tokens, answer.latency_ms)
    if not all(type(number) is int and 0 <= number < 2**31 for number in numbers):
        return "numbers"
    if len(answer.raw) > MAX_RAW_CHARS or not 0 < len(answer.model) <= 100:
        return "length"
    text = answer.raw + answer.model + json.dumps(decision_json(answer.decision), ensure_ascii=False)
    return "" if text.isprintable() and text.encode() else "not printable"


async def test_generated_answers_arrive_as_our_own_parser_reads_them_whatever_the_provider_wraps_around() -> None:
    views: Counter[str] = Counter()
    made: list[bytes] = []
    async with analyst_of(lambda: reply(made[-1])) as analyst:
        for seed in range(ANSWERS):
            text, _ = answer_of(seed)
            content = text if isinstance(text, str) else text.decode("utf-8", "replace")
            made.append(as_bytes(completion(content)))
            answer = await analyst.ask(PROMPT, 5.0)
            assert storage_problem(answer) == "", seed
            assert answer.decision == parse_decision(content), seed
            assert (answer.prompt_tokens, answer.completion_tokens) == (900, 60)
            views[type(answer.decision).__name__] += 1
    assert min(views["Decision"], views["Abstained"]) > 200, views


@pytest.mark.parametrize("name", BY_HAND)
async def test_an_answer_made_by_hand_is_stored_short_and_printable(name: str) -> None:
    text = BY_HAND[name]
    content = text if isinstance(text, str) else text.decode("utf-8", "replace")
    answer = await answered(as_bytes(completion(content)))
    assert storage_problem(answer) == ""
    assert isinstance(answer.decision, Abstained) or answer.decision == parse_decision(content)


@pytest.mark.parametrize("name", ODD_CONTENT)
async def test_content_that_is_no_text_abstains(name: str) -> None:
    answer = await answered(as_bytes(completion(ODD_CONTENT[name])))
    assert isinstance(answer.decision, Abstained)
    assert not answer.failed


ODD_WHOLES: dict[str, Any] = {
    "no choices": completion("x", choices=[]),
    "choices of nothing": completion("x", choices=[None]),
    "choices as an object": completion("x", choices={"0": {}}),
    "choices as a number": completion("x", choices=7),
    "a message of text": completion("x", choices=[{"message": "buy", "finish_reason": "stop"}]),
    "a choice without a message": completion("x", choices=[{"finish_reason": "stop"}]),
    "a refusal as an object": completion(
        "x", choices=[{"message": {"content": None, "refusal": {"a": ["b"] * 9_000}}}]
    ),
    "a finish of an object": completion(written(), finish={"a": 1}),
    "an error beside nothing": {"error": {"message": "no", "code": 7}},
    "a list": [completion(written())],
    "a string": "buy",
    "a number": 7,
    "null": None,
}


@pytest.mark.parametrize("name", ODD_WHOLES)
async def test_a_completion_of_another_shape_never_raises(name: str) -> None:
    answer = await answered(as_bytes(ODD_WHOLES[name]))
    assert storage_problem(answer) == ""
    assert isinstance(answer.decision, Abstained) == (name != "a finish of an object")


BROKEN: tuple[bytes, ...] = (
    *(b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 60_000, b'{"choices":' * 20_000, b"{" + b" " * 1_000),
    *(b'{"choices": ' + b"9" * 6_000 + b"}", b"NaN", b'{"choices": [NaN]}', b"\x00" * 100),
    as_bytes(completion(written()))[:-5],
    as_bytes(completion(written())) * 2,
    as_bytes(completion("\ud800")).replace(b"\\ud800", b"\xed\xa0\x80"),
)


@pytest.mark.parametrize("number", range(len(BROKEN)))
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/event-stream", ""])
async def test_a_body_that_is_no_json_never_raises(number: int, kind: str) -> None:
    async with analyst_of(
        lambda: httpx2.Response(200, headers={"content-type": kind}, stream=Body(BROKEN[number]))
    ) as a:
        answer = await a.ask(PROMPT, 5.0)
    assert isinstance(answer.decision, Abstained)
    assert storage_problem(answer) == ""


@pytest.mark.parametrize(
    ("claimed", "booked"),
    [
        *((60, 60), (0, 0), (-5, 0), (10**40, MOST_TOKENS), (2**31, MOST_TOKENS)),
        *((True, 0), ("60", 0), (None, 0), (6.5, 0), ([60], 0)),
    ],
)
async def test_tokens_are_counted_and_never_more_than_the_books_can_hold(claimed: Any, booked: int) -> None:
    usage = {"prompt_tokens": claimed, "completion_tokens": claimed}
    answer = await answered(as_bytes(completion(written(), usage=usage)))
    wholly = (booked, booked) if booked else (QUESTION_TOKENS, estimated(written()))  # what nobody tells is estimated
    assert (answer.prompt_tokens, answer.completion_tokens) == wholly
    assert isinstance(answer.decision, Decision)


@pytest.mark.parametrize("usage", [None, 7, [], "x", {}, {"prompt_tokens": {}}])
async def test_a_decision_stands_without_readable_usage_and_its_tokens_are_estimated(usage: Any) -> None:
    answer = await answered(as_bytes(completion(written(), usage=usage)))
    assert isinstance(answer.decision, Decision)
    assert answer.prompt_tokens == QUESTION_TOKENS > 0
    assert answer.completion_tokens == estimated(written())


async def test_of_a_ten_megabyte_answer_little_more_than_the_limit_is_read_or_held() -> None:
    body = Body(b'{"choices": "' + b"x" * 10_000, b"x" * 65_536, repeat=1_000)
    tracemalloc.start()
    answer = await answered(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.decision == Abstained(codes.ANSWER_TOO_LONG())
    assert not answer.failed
    assert body.taken <= MAX_REPLY_BYTES + 65_536 + 10_013
    assert peak < 8 * MEGABYTE


async def test_a_reply_just_inside_the_limit_is_read() -> None:
    whole = as_bytes(completion(written()))
    answer = await answered(whole + b" " * (MAX_REPLY_BYTES - len(whole)))
    assert isinstance(answer.decision, Decision)
    longer = await answered(whole + b" " * (MAX_REPLY_BYTES - len(whole) + 1))
    assert longer.decision == Abstained(codes.ANSWER_TOO_LONG())


async def test_a_compressed_reply_is_read_while_short_and_a_bomb_is_not_unpacked() -> None:
    packed = gzip.compress(as_bytes(completion(written())))
    assert isinstance((await answered(packed, **{"content-encoding": "gzip"})).decision, Decision)
    bomb = gzip.compress(b" " * 30 * MEGABYTE)
    assert len(bomb) > MAX_PACKED_BYTES
    tracemalloc.start()
    answer = await answered(bomb, **{"content-encoding": "gzip"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.decision == Abstained(codes.ANSWER_TOO_LONG())
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
async def test_an_encoding_that_may_grow_without_bound_is_not_read(encoding: str) -> None:
    answer = await answered(as_bytes(completion(written())), **{"content-encoding": encoding})
    assert answer.decision == Abstained(codes.ANSWER_TOO_LONG())


async def test_bytes_that_are_not_the_compression_they_claim_abstain() -> None:
    answer = await answered(b"not gzip", **{"content-encoding": "gzip"})
    assert isinstance(answer.decision, Abstained)


@pytest.mark.parametrize("begun", [b"", b'{"choices": [', as_bytes(completion(written()))])
async def test_an_answer_that_hangs_in_its_middle_ends_with_the_budget(begun: bytes) -> None:
    async with analyst_of(lambda: reply(Body(begun, hangs=True))) as analyst:
        started = asyncio.get_running_loop().time()
        answer = await analyst.ask(PROMPT, 0.05)
        assert asyncio.get_running_loop().time() - started < 1
    assert answer.decision == Abstained(codes.ANALYST_TIMEOUT())
    assert answer.failed


async def test_an_answer_that_drips_for_ever_ends_with_the_budget() -> None:
    class Dripping(Body):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                self.taken += 1
                yield b" "

    async with analyst_of(lambda: reply(Dripping())) as analyst:
        answer = await analyst.ask(PROMPT, 0.05)
    assert answer.decision in (
        Abstained(codes.ANALYST_TIMEOUT()),
        Abstained(codes.ANSWER_TOO_LONG()),
    )


async def test_the_client_asks_for_plain_replies_and_counts_them() -> None:
    client = connect("http://analyst.test/v1", "sk-test-0123456789")
    assert client.default_headers["Accept-Encoding"] == "identity"
    assert client._client.event_hooks["response"] == [bounded]
    await client.close()


async def test_mutated_completions_never_raise_and_never_grow() -> None:
    rng = Random(7)
    views: Counter[str] = Counter()
    made: list[bytes] = []
    async with analyst_of(lambda: reply(made[-1])) as analyst:
        for _ in range(600):
            raw = bytearray(as_bytes(completion(written())))
            for _ in range(rng.randint(1, 3)):
                raw[rng.randrange(len(raw))] = rng.choice((*range(256), *b"0123456789" * 20))
            made.append(bytes(raw[: rng.randrange(len(raw))] if rng.random() < 0.2 else raw))
            answer = await analyst.ask(PROMPT, 5.0)
            assert storage_problem(answer) == "", made[-1]
            views[type(answer.decision).__name__] += 1
    assert min(views["Decision"], views["Abstained"]) > 20, views
