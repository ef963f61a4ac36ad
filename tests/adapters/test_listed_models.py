"""Listed models: whose is asked, with which key, through which network; and that no name leads a person inside."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from lib.adapters.openai import listed
from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.adapters.openai.listed import Failing, InTurn, ListedModels
from lib.adapters.openai.pinned import InnerAddress, public_address
from lib.adapters.vault import ModelKeyOpener, ModelKeySealer, generate_keys
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import Abstained
from lib.domain.model_profile import KeptModel, ModelProfile, seal_of
from lib.domain.trail import Note
from lib.ports.models import ModelShelf
from tests.worlds.props import FakeAnalyst

PRIVATE, PUBLIC = generate_keys()
PROMPT = Prompt("system", "user", "gpt-x")
FAST = KeptModel(ModelProfile("fast", "Fast", "https://api.openai.com/v1", "gpt-5-mini"), 0, "", 0)


def sealed(kept: KeptModel, key: str) -> KeptModel:
    return replace(kept, sealed=ModelKeySealer(PUBLIC).seal(key, seal_of(kept)), last4=key[-4:])


def own(user_id: int, name: str = "own/mine", url: str = "https://api.example.com/v1") -> KeptModel:
    return sealed(KeptModel(ModelProfile(name, name, url, "gpt-x"), user_id, "", 1), f"sk-of-{user_id}-secret")


class Shelf(ModelShelf):
    def __init__(self, *rows: KeptModel) -> None:
        self.rows = rows

    def listed(self) -> list[KeptModel]:
        return [row for row in self.rows if not row.owner_id]

    def own(self, user_id: int) -> list[KeptModel]:
        return [row for row in self.rows if row.owner_id == user_id]

    def keep_own(self, kept: KeptModel, most: int, now_ms: int, note: Note) -> bool:
        raise AssertionError("the trader keeps nothing")

    def delete_own(self, user_id: int, name: str, note: Note) -> bool:
        raise AssertionError("the trader deletes nothing")


def desk(*rows: KeptModel, inner: frozenset[str] = frozenset()) -> ListedModels:
    return ListedModels(Shelf(*rows), ModelKeyOpener([PRIVATE]), None, inner)


async def test_the_chain_is_given_in_its_order_with_known_prices_and_without_what_is_withdrawn() -> None:
    gone = replace(FAST, profile=replace(FAST.profile, name="gone", offered=False))
    local = replace(FAST, profile=replace(FAST.profile, name="local", base_url="http://llama:8080/v1"))
    found = await desk(FAST, gone, local).candidates(1, ("local", "gone", "fast"))
    assert [one.profile.name for one in found] == ["local", "fast"]
    assert [one.profile.prices.known for one in found] == [False, True]


async def test_an_own_model_is_its_owners_and_a_row_of_another_is_never_found() -> None:
    shelf = desk(own(1), own(2))
    [mine], [theirs] = await shelf.candidates(1, ("own/mine",)), await shelf.candidates(2, ("own/mine",))
    assert (mine.owner_id, theirs.owner_id) == (1, 2)
    assert mine.analyst is not theirs.analyst
    assert await shelf.candidates(3, ("own/mine",)) == []


class Careless(Shelf):
    def own(self, user_id: int) -> list[KeptModel]:
        return [row for row in self.rows if row.owner_id]


async def test_a_store_that_gives_anothers_row_gives_nobody_its_key() -> None:
    careless = ListedModels(Careless(own(1)), ModelKeyOpener([PRIVATE]), None, frozenset())
    assert await careless.candidates(2, ("own/mine",)) == []


async def test_a_client_is_kept_until_its_row_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "MOST_CLIENTS", 2)
    shelf = Shelf(FAST)
    models = ListedModels(shelf, ModelKeyOpener([PRIVATE]), None, frozenset())
    [first], [again] = [await models.candidates(1, ("fast",)) for _ in range(2)]
    assert first.analyst is again.analyst
    shelf.rows = (replace(FAST, key_version=1),)
    [changed] = await models.candidates(1, ("fast",))
    assert changed.analyst is not first.analyst


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (replace(own(1), key_version=2), codes.MODEL_KEY_UNOPENED(model="own/mine")),
        (replace(own(1), sealed="v1.00000000.AAAA"), codes.MODEL_KEY_UNOPENED(model="own/mine")),
        (
            replace(own(1), profile=replace(own(1).profile, base_url="https://evil.example/v1")),
            codes.MODEL_KEY_UNOPENED(model="own/mine"),
        ),
        (own(1, url="https://127.0.0.1:6379/v1"), codes.MODEL_ADDRESS_INNER()),
    ],
    ids=["version", "pair", "address", "inner"],
)
async def test_a_row_that_was_tampered_with_asks_nobody_and_fails_alone(row: KeptModel, why: object) -> None:
    [found] = await desk(row).candidates(1, ("own/mine",))
    assert isinstance(found.analyst, Failing)
    answer = await found.analyst.ask(PROMPT, 5)
    assert (answer.failed, answer.decision, answer.cost) == (True, Abstained(why), None)  # type: ignore[arg-type]


class Held(FakeAnalyst):
    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        await self.go.wait()
        return await super().ask(prompt, budget_s)


async def test_who_waits_in_vain_for_a_place_was_not_asked_in_time() -> None:
    held, places = Held(), asyncio.Semaphore(1)
    first = asyncio.ensure_future(InTurn(held, places).ask(PROMPT, 5))
    await asyncio.sleep(0)
    second = await InTurn(held, places).ask(PROMPT, 0.01)
    assert second.failed
    held.go.set()
    assert not (await first).failed
    assert not (await InTurn(held, places).ask(PROMPT, 5)).failed


# --- where a name leads -----------------------------------------------------------------------------------------------


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make every name resolve to these addresses."""

    def to(*addresses: str) -> None:
        async def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    return to


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("10.1.2.3",), ("169.254.169.254",), ("1.1.1.1", "192.168.0.1"), ("::1",), ("fe80::1%eth0",), ()],
)
async def test_a_name_that_leads_inside_is_not_connected_to(
    resolves: Callable[..., None], addresses: tuple[str, ...]
) -> None:
    resolves(*addresses)
    with pytest.raises(InnerAddress):
        await public_address("api.example.com", 443)
    analyst = OpenAIAnalyst(connect("https://api.example.com/v1", "sk-own-secret", inner=frozenset()))
    answer = await analyst.ask(PROMPT, 5)
    assert (answer.failed, answer.decision) == (True, Abstained(codes.MODEL_ADDRESS_INNER()))
    assert answer.prompt_tokens == 0


async def test_the_connection_goes_to_the_very_address_that_was_looked_at_and_the_name_is_kept(
    resolves: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves("1.1.1.1")
    seen: list[httpx2.Request] = []

    async def handle(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(302, headers={"location": "http://127.0.0.1/"}, request=request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle)
    answer = await OpenAIAnalyst(connect("https://api.example.com/v1", "sk-own-secret", inner=())).ask(PROMPT, 5)
    assert answer.failed, "a redirect is followed by nobody"
    [request, *_] = seen
    assert (request.url.host, request.headers["host"], request.extensions["sni_hostname"]) == (
        "1.1.1.1", "api.example.com", "api.example.com",
    )  # fmt: skip
    assert {one.url.host for one in seen} == {"1.1.1.1"}
