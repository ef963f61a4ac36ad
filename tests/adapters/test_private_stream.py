"""Private streams as hints: up again after every trouble, silent about refused keys, never a key kept or logged."""

import asyncio
import hmac
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib.adapters.bybit.rest.transport import open_session
from lib.adapters.bybit.stream.private_stream import TOPICS, BybitAccountHints, HintTimings
from lib.clock import SystemClock
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.backoff import Backoff
from lib.domain.errors import Pause
from lib.settings import load
from lib.simulator.engine.faults import Fault, Faults
from lib.simulator.engine.orders import Refused
from lib.simulator.server import SimulatorConfig
from lib.simulator.stream.streams import PRIVATE, Streams
from tests.factories import trader_account
from tests.simulator.running import served as simulator
from tests.simulator.test_server_topics import ScriptedSource

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]

SECRET = "a-very-secret-secret"
QUICK = HintTimings(
    up_within=0.3, ping_every=0.15, pong_within=0.1, backoff=Backoff(0.01, 0.05, 1.0), steady_after=5, connections=50
)


class Keys:
    """Opens every seal to `key{account uid}`, but those of *closed* key versions; counts the openings."""

    def __init__(self) -> None:
        self.closed: set[int] = set()
        self.opened = 0

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        if context.key_version in self.closed:
            raise Pause(codes.KEY_SEALED_FOR_ANOTHER())
        self.opened += 1
        return ApiKey(f"key{context.uid}", SECRET)


class Venue:
    """The simulator's private WebSocket behind a real socket of the loopback."""

    def __init__(self) -> None:
        self.faults, self.keys = Faults(), Keys()
        self.streams = Streams(ScriptedSource(), self.gate, self.faults, SystemClock())
        self.signed_in: list[str] = []
        self.revoked: set[str] = set()
        self.hints: BybitAccountHints
        self.url = ""

    def gate(self, api_key: str, expires: int, signature: str) -> int:
        proof = hmac.new(SECRET.encode(), f"GET/realtime{expires}".encode(), "sha256").hexdigest()
        if signature != proof or api_key in self.revoked:
            raise Refused(10004, "error:auth failed")
        if expires <= SystemClock().now_ms():
            raise Refused(10002, "Params Error: auth expired")
        self.signed_in.append(api_key)
        return int(api_key.removeprefix("key"))

    def push(self, uid: int, topic: str = "position") -> None:
        self.streams.push([(uid, topic, {"id": "1", "topic": topic, "creationTime": 1, "data": [{}]})])

    async def heard(self, seconds: float = 3) -> int:
        return await asyncio.wait_for(self.hints.next(), seconds)

    async def is_quiet(self, seconds: float = 0.2) -> bool:
        try:
            await self.heard(seconds)
        except TimeoutError:
            return True
        return False

    async def connections(self, count: int) -> None:
        """Wait until the venue has *count* private connections."""
        async with asyncio.timeout(3):
            while self.streams.count()[PRIVATE] != count:  # noqa: ASYNC110 - a server cannot set our event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(timings: HintTimings = QUICK) -> AsyncIterator[Venue]:
    venue = Venue()
    app = web.Application()
    app.router.add_get(PRIVATE, venue.streams.private)
    async with TestServer(app) as server, open_session() as session:
        venue.url = str(server.make_url(PRIVATE)).replace("http", "ws", 1)
        urls: Any = {"paper": venue.url}
        draw = random.Random(1).random
        venue.hints = BybitAccountHints(venue.keys, urls, session, SystemClock(), timings=timings, draw=draw)
        yield venue
        await venue.hints.close()
        await venue.streams.close()


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with served() as made:
        yield made


def account(number: int, **changes: Any) -> TraderAccount:
    """Account *number*, whose exchange number is 10 times that."""
    return replace(trader_account(account_id=number, uid=str(number * 10)), **changes)


async def test_a_stream_that_comes_up_is_a_hint(venue: Venue) -> None:
    await venue.hints.follow([account(1)])
    assert await venue.heard() == 1
    assert venue.hints.up == {1}
    assert venue.streams.subscriptions() == len(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
async def test_every_private_topic_is_a_hint(venue: Venue, topic: str) -> None:
    await venue.hints.follow([account(1)])
    await venue.heard()
    venue.push(10, topic)
    assert await venue.heard() == 1


async def test_many_pushes_nobody_heard_yet_are_one_hint(venue: Venue) -> None:
    await venue.hints.follow([account(1), account(2)])
    assert {await venue.heard(), await venue.heard()} == {1, 2}
    for _ in range(5):
        venue.push(10)
        venue.push(20)
    await asyncio.sleep(0.1)
    assert {await venue.heard(), await venue.heard()} == {1, 2}
    assert await venue.is_quiet()


@pytest.mark.parametrize("trouble", ["ws_reset", "ws_close_1012"])
async def test_a_connection_cut_is_made_again_and_its_return_is_a_hint(venue: Venue, trouble: str) -> None:
    await venue.hints.follow([account(1)])
    await venue.heard()
    venue.faults.push(Fault(trouble, path=PRIVATE))
    venue.streams.tick()
    assert await venue.heard() == 1
    venue.push(10)
    assert await venue.heard() == 1


async def test_a_silent_connection_is_given_up(venue: Venue) -> None:
    venue.faults.push(Fault("ws_silent", path=PRIVATE))
    await venue.hints.follow([account(1)])
    assert await venue.heard() == 1
    assert len(venue.signed_in) == 2


async def test_a_connection_that_falls_silent_later_is_given_up(venue: Venue) -> None:
    await venue.hints.follow([account(1)])
    await venue.heard()
    venue.faults.push(Fault("ws_no_pong", path=PRIVATE))
    assert await venue.heard() == 1
    assert len(venue.signed_in) == 2


async def test_pongs_keep_a_quiet_connection(venue: Venue) -> None:
    await venue.hints.follow([account(1)])
    await venue.heard()
    assert await venue.is_quiet(0.8)
    assert venue.signed_in == ["key10"]


async def test_a_refused_subscription_is_tried_again(venue: Venue) -> None:
    venue.faults.push(Fault("ws_subscribe_reject", path=PRIVATE))
    await venue.hints.follow([account(1)])
    assert await venue.heard() == 1
    assert len(venue.signed_in) == 2


async def test_a_refused_key_that_changes_has_a_stream_at_once(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    venue.faults.push(Fault("ws_auth_reject", path=PRIVATE))
    with caplog.at_level(logging.WARNING, "maemae"):
        for _ in range(3):
            await venue.hints.follow([account(1), account(2)])
            await asyncio.sleep(0.1)
    assert await venue.heard() in (1, 2)
    assert await venue.is_quiet()
    assert [record.getMessage() for record in caplog.records] == ["hints.refused"]
    refused = ({1, 2} - venue.hints.up).pop()
    await venue.hints.follow([account(1), account(2), account(refused, key_version=2)])
    assert await venue.heard() == refused


async def test_a_key_refused_once_by_a_venue_in_trouble_has_a_stream_again() -> None:
    async with served(replace(QUICK, pause_refused=0.05)) as venue:
        venue.revoked.add("key10")
        await venue.hints.follow([account(1)])
        assert await venue.is_quiet()
        venue.revoked.clear()
        assert await venue.heard() == 1


async def test_a_clock_that_is_set_back_holds_no_new_connection_up() -> None:
    class SetBack(SystemClock):
        back_ms = 0

        def now_ms(self) -> int:
            return super().now_ms() - self.back_ms

    clock = SetBack()
    async with served() as venue, aiohttp.ClientSession() as session:
        urls: Any = {"paper": venue.url}
        few = replace(QUICK, connections=1, connections_in=0.3)
        venue.hints = BybitAccountHints(venue.keys, urls, session, clock, timings=few)
        await venue.hints.follow([account(1)])
        assert await venue.heard() == 1
        clock.back_ms = 8_000  # less than a sign-in lives, more than a hint is waited for
        await venue.hints.follow([account(1), account(2)])
        assert await venue.heard() == 2
        await venue.hints.close()


async def test_an_expired_sign_in_is_a_matter_of_clocks_and_tried_again(venue: Venue) -> None:
    class Behind(SystemClock):
        late_ms = 60_000

        def now_ms(self) -> int:
            return super().now_ms() - self.late_ms

    clock = Behind()
    async with aiohttp.ClientSession() as session:
        urls: Any = {"paper": venue.url}
        venue.hints = BybitAccountHints(venue.keys, urls, session, clock, timings=QUICK)
        await venue.hints.follow([account(1)])
        assert await venue.is_quiet()
        clock.late_ms = 0
        assert await venue.heard() == 1
        await venue.hints.close()


async def test_a_key_that_cannot_be_opened_leaves_its_account_out_and_the_others_in(venue: Venue) -> None:
    venue.keys.closed.add(7)
    await venue.hints.follow([account(1, key_version=7), account(2)])
    assert await venue.heard() == 2
    assert await venue.is_quiet()


async def test_a_venue_without_an_address_leaves_its_accounts_out(venue: Venue) -> None:
    await venue.hints.follow([account(1, venue="demo"), account(2)])
    assert await venue.heard() == 2
    assert await venue.is_quiet()


async def test_exactly_the_accounts_named_are_followed(venue: Venue) -> None:
    await venue.hints.follow([account(1), account(2)])
    assert {await venue.heard(), await venue.heard()} == {1, 2}
    await venue.hints.follow([account(2), account(3)])
    assert await venue.heard() == 3
    await venue.connections(2)
    assert venue.hints.up == {2, 3}
    venue.push(10)
    assert await venue.is_quiet()


async def test_a_changed_key_is_signed_in_with_anew(venue: Venue) -> None:
    await venue.hints.follow([account(1)])
    await venue.heard()
    await venue.hints.follow([account(1, key_version=2)])
    assert await venue.heard() == 1
    await venue.connections(1)
    assert len(venue.signed_in) == 2


async def test_following_the_same_accounts_again_changes_nothing(venue: Venue) -> None:
    for _ in range(3):
        await venue.hints.follow([account(1)])
    await venue.heard()
    await venue.hints.follow([account(1)])
    assert await venue.is_quiet()
    assert venue.keys.opened == 1


async def test_new_connections_are_few_in_any_span_of_time() -> None:
    async with served(replace(QUICK, connections=2, connections_in=0.5)) as venue:
        began = SystemClock().now_ms()
        await venue.hints.follow([account(number) for number in range(1, 6)])
        for number in range(1, 6):
            assert await venue.heard() == number, "in the order they were named"
        assert SystemClock().now_ms() - began >= 1_000


async def test_a_venue_that_is_away_is_asked_again_and_nobody_is_told_twice(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    async with aiohttp.ClientSession() as session:
        urls: Any = {"paper": "ws://127.0.0.1:9/v5/private"}
        hints = BybitAccountHints(venue.keys, urls, session, SystemClock(), timings=QUICK)
        with caplog.at_level(logging.WARNING, "maemae"):
            await hints.follow([account(1)])
            await asyncio.sleep(0.3)
        urls["paper"] = venue.url
        assert await asyncio.wait_for(hints.next(), 3) == 1
        await hints.close()
    assert caplog.records == []


async def test_no_line_shows_a_key(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("ws_auth_reject", "ws_subscribe_reject"):
        venue.faults.push(Fault(kind, path=PRIVATE))
    with caplog.at_level(logging.DEBUG, "maemae"):
        await venue.hints.follow([account(1), account(2)])
        await venue.heard()
    shown = "".join(str(vars(record)) for record in caplog.records)
    assert shown
    assert SECRET not in shown
    assert "key10" not in shown
    assert not any(isinstance(value, ApiKey) for value in vars(venue.hints).values())


async def test_closing_ends_every_connection(venue: Venue) -> None:
    await venue.hints.follow([account(1), account(2)])
    assert {await venue.heard(), await venue.heard()} == {1, 2}
    await venue.hints.close()
    await venue.connections(0)
    assert venue.hints.up == set()


async def test_a_trade_at_the_simulator_is_a_hint(tmp_path: Path) -> None:
    class Opened(Keys):
        def open(self, sealed: str, context: SealContext) -> ApiKey:
            return ApiKey(key.api_key, key.api_secret)

    async with simulator(SimulatorConfig("synthetic", tmp_path / "sim.db", port=0)) as running:
        key = await running.account()
        urls: Any = {"paper": f"{running.ws_url}/v5/private"}
        hints = BybitAccountHints(Opened(), urls, running.session, SystemClock(), timings=HintTimings())
        await hints.follow([account(1)])
        assert await asyncio.wait_for(hints.next(), 3) == 1
        bought = await key.post("/v5/order/create", side="Buy", orderType="Market", qty="0.01")
        assert bought["retCode"] == 0
        assert await asyncio.wait_for(hints.next(), 3) == 1
        await hints.close()


def test_every_venue_has_its_private_address() -> None:
    urls = load({"FEED": "bybit", "VENUES": "paper,demo", "PAPER_API_URL": "https://paper.example"}).private_ws_urls
    assert urls == {
        "paper": "wss://paper.example/v5/private",
        "demo": "wss://stream-demo.bybit.com/v5/private",
    }
