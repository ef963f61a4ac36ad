"""The simulator's WebSockets: the venue's handshakes and frames, and every way a stream can go wrong."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib.clock import SteppedClock
from lib.domain.candle import MINUTE_MS
from lib.simulator.engine.faults import Fault, Faults
from lib.simulator.engine.orders import Refused
from lib.simulator.stream.streams import PRIVATE, PUBLIC, Streams
from tests.simulator.test_server_topics import T0, ScriptedSource

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]

KLINE = "kline.1.BTCUSDT"
SECRET = "secret"
OWNERS = {"key": 7, "other": 8}


class Peer:
    """A WebSocket client that speaks JSON and never waits longer than two seconds."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, op: str, *args: Any, **fields: Any) -> None:
        await self.socket.send_json({"op": op, **({"args": list(args)} if args else {}), **fields})

    async def hear(self) -> dict[str, Any]:
        frame: dict[str, Any] = await self.socket.receive_json(timeout=2)
        return frame

    async def ask(self, op: str, *args: Any, **fields: Any) -> dict[str, Any]:
        await self.say(op, *args, **fields)
        return await self.hear()

    async def ends(self) -> aiohttp.WSMsgType:
        return (await self.socket.receive(timeout=2)).type


class Floor:
    """Streams over a scripted source on a stepped clock, behind a real socket."""

    def __init__(self) -> None:
        self.clock, self.faults, self.source = SteppedClock(T0), Faults(), ScriptedSource()
        self.streams = Streams(self.source, self.gate, self.faults, self.clock)
        self.streams.symbols = ("BTCUSDT",)
        self.server: TestServer
        self.session: aiohttp.ClientSession

    def gate(self, api_key: str, expires: int, signature: str) -> int:
        if (api_key, expires, signature) != self.credentials(api_key, SECRET, expires - self.clock.now_ms()):
            raise Refused(10004, "error sign")
        if expires <= self.clock.now_ms() or api_key not in OWNERS:
            raise Refused(10003, "no")
        return OWNERS[api_key]

    async def peer(self, path: str = PUBLIC) -> Peer:
        return Peer(await self.session.ws_connect(self.server.make_url(path)))

    async def signed_in(self, key: str = "key", *topics: str) -> Peer:
        peer = await self.peer(PRIVATE)
        assert (await peer.ask("auth", *self.credentials(key)))["success"] is True
        if topics:
            assert (await peer.ask("subscribe", *topics))["success"] is True
        return peer

    def credentials(self, key: str = "key", secret: str = SECRET, ahead_ms: int = 1_000) -> tuple[str, int, str]:
        expires = self.clock.now_ms() + ahead_ms
        signature = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), "sha256").hexdigest()
        return key, expires, signature

    def step(self, at_ms: int) -> None:
        self.clock.advance_to(at_ms)
        self.streams.tick()


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with opened() as floor:
        yield floor


@asynccontextmanager
async def opened() -> AsyncIterator[Floor]:
    floor = Floor()
    app = web.Application()
    app.add_routes([web.get(PUBLIC, floor.streams.public), web.get(PRIVATE, floor.streams.private)])
    floor.server = TestServer(app)
    await floor.server.start_server()
    async with aiohttp.ClientSession() as floor.session:
        yield floor
    await floor.streams.close()
    await floor.server.close()


def starts(frames: list[dict[str, Any]]) -> list[tuple[int, bool]]:
    return [((f["data"][0]["start"] - T0) // MINUTE_MS, f["data"][0]["confirm"]) for f in frames]


async def test_a_subscription_is_acknowledged_then_fed(floor: Floor) -> None:
    peer = await floor.peer()
    ack = await peer.ask("subscribe", KLINE, "tickers.BTCUSDT", req_id="r1")
    assert (ack["success"], ack["op"], ack["req_id"], ack["ret_msg"]) == (True, "subscribe", "r1", "")
    first, ticker = await peer.hear(), await peer.hear()
    assert (first["topic"], first["type"], first["data"][0]["confirm"]) == (KLINE, "snapshot", False)
    assert (ticker["topic"], ticker["type"]) == ("tickers.BTCUSDT", "snapshot")
    floor.step(T0 + MINUTE_MS)
    assert starts([await peer.hear(), await peer.hear()]) == [(0, True), (1, False)]


async def test_a_ping_is_answered_in_each_streams_own_words(floor: Floor) -> None:
    public, private = await floor.peer(), await floor.peer(PRIVATE)
    pong = await public.ask("ping")
    assert (pong["ret_msg"], pong["op"], pong["success"]) == ("pong", "ping", True)
    pong = await private.ask("ping", req_id="x")
    assert (pong["op"], pong["req_id"], pong["args"]) == ("pong", "x", [str(T0)])


async def test_nonsense_is_answered_and_survived(floor: Floor) -> None:
    peer = await floor.peer()
    await peer.socket.send_str("{nonsense")
    assert (await peer.hear())["success"] is False
    assert (await peer.ask("dance"))["success"] is False
    refused = await peer.ask("subscribe", "kline.2.BTCUSDT")
    assert refused["ret_msg"] == "error:handler not found,topic:kline.2.BTCUSDT"
    assert (await peer.ask("subscribe", KLINE))["success"] is True
    await peer.hear()
    assert "already subscribed" in (await peer.ask("subscribe", KLINE))["ret_msg"]


async def test_an_unsubscribed_topic_is_silent(floor: Floor) -> None:
    peer = await floor.peer()
    await peer.ask("subscribe", KLINE)
    await peer.hear()
    await peer.ask("unsubscribe", KLINE)
    floor.step(T0 + MINUTE_MS)
    assert (await peer.ask("ping"))["ret_msg"] == "pong"


@pytest.mark.parametrize(
    ("key", "secret", "ahead_ms"),
    [("key", "secret", 0), ("key", "secret", -5_000), ("key", "wrong", 1_000), ("nobody", "secret", 1_000)],
)
async def test_only_an_unexpired_signature_of_a_known_key_signs_in(
    floor: Floor, key: str, secret: str, ahead_ms: int
) -> None:
    peer = await floor.peer(PRIVATE)
    assert (await peer.ask("auth", *floor.credentials(key, secret, ahead_ms)))["success"] is False
    assert (await peer.ask("subscribe", "order"))["success"] is False
    assert (await peer.ask("auth", *floor.credentials()))["success"] is True


async def test_private_frames_reach_their_owner_alone_and_as_subscribed(floor: Floor) -> None:
    mine, split = await floor.signed_in("key", "order", "wallet"), await floor.signed_in("key", "order.linear")
    other = await floor.signed_in("other", "order")
    floor.streams.push([(7, "order", {"id": "1", "topic": "order", "data": []})])
    assert (await mine.hear())["topic"] == "order"
    assert (await split.hear())["topic"] == "order.linear"
    floor.streams.push([(8, "order", {"id": "2", "topic": "order", "data": []})])
    assert (await other.hear())["id"] == "2"


async def test_all_in_one_and_categorised_topics_do_not_mix(floor: Floor) -> None:
    peer = await floor.signed_in()
    assert (await peer.ask("subscribe", "order", "execution.linear"))["success"] is False
    assert (await peer.ask("subscribe", "greeks"))["success"] is False


async def test_topics_of_one_change_arrive_in_any_order_but_each_in_its_own(floor: Floor) -> None:
    peer = await floor.signed_in("key", "order", "execution", "position", "wallet")
    kinds = ("order", "execution", "position", "wallet")
    seen = set()
    for _ in range(12):
        floor.streams.push([(7, kind, {"id": str(n), "topic": kind}) for n in range(2) for kind in kinds])
        frames = [await peer.hear() for _ in range(8)]
        seen.add(tuple(f["topic"] for f in frames))
        assert all([f["id"] for f in frames if f["topic"] == kind] == ["0", "1"] for kind in kinds)
    assert len(seen) > 4


# --- faults ----------------------------------------------------------------------------------------------------------


async def fed(floor: Floor, *faults: Fault) -> Peer:
    """A peer subscribed to the kline, its first frame read, with *faults* armed afterwards."""
    peer = await floor.peer()
    await peer.ask("subscribe", KLINE)
    await peer.hear()
    for fault in faults:
        floor.faults.push(fault)
    return peer


async def test_fault_reset_cuts_without_a_goodbye(floor: Floor) -> None:
    peer = await fed(floor, Fault("ws_reset"))
    floor.step(T0 + 1_000)
    assert await peer.ends() in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert peer.socket.close_code == 1006


async def test_fault_close_says_1012(floor: Floor) -> None:
    peer = await fed(floor, Fault("ws_close_1012"))
    floor.step(T0 + 1_000)
    assert await peer.ends() is aiohttp.WSMsgType.CLOSE
    assert peer.socket.close_code == 1012


async def test_fault_silent_accepts_and_says_nothing(floor: Floor) -> None:
    floor.faults.push(Fault("ws_silent"))
    peer = await floor.peer()
    await peer.say("subscribe", KLINE)
    await peer.say("ping")
    assert (await (await floor.peer()).ask("ping"))["ret_msg"] == "pong"  # the next one is healthy
    floor.step(T0 + MINUTE_MS)
    with pytest.raises(TimeoutError):
        await peer.socket.receive(timeout=0.05)


async def test_fault_no_pong_leaves_data_flowing(floor: Floor) -> None:
    peer = await fed(floor, Fault("ws_no_pong", count=2))
    await peer.say("ping")
    await peer.say("ping")
    assert (await peer.ask("ping"))["ret_msg"] == "pong"


async def test_fault_rejections_are_answers(floor: Floor) -> None:
    floor.faults.push(Fault("ws_auth_reject"))
    private = await floor.peer(PRIVATE)
    assert (await private.ask("auth", *floor.credentials()))["success"] is False
    floor.faults.push(Fault("ws_subscribe_reject", path=PUBLIC))
    public = await floor.peer()
    assert (await public.ask("subscribe", KLINE))["success"] is False
    assert (await public.ask("subscribe", KLINE))["success"] is True


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ws_duplicate_confirm", [(0, True), (0, True), (1, False)]),
        ("ws_missing_confirm", [(1, False)]),
        ("ws_out_of_order", [(0, True), (-2, True), (1, False)]),
    ],
)
async def test_fault_closing_frames(floor: Floor, kind: str, expected: list[tuple[int, bool]]) -> None:
    peer = await fed(floor, Fault(kind))
    floor.step(T0 + MINUTE_MS)
    assert starts([await peer.hear() for _ in expected]) == expected


async def test_fault_gap_refuses_connections_until_it_is_over(floor: Floor) -> None:
    peer = await fed(floor, Fault("ws_gap", params={"ms": 180_000}))
    floor.step(T0 + 1_000)
    await peer.ends()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await floor.peer()
    floor.step(T0 + 182_000)
    assert (await (await floor.peer()).ask("subscribe", KLINE))["success"] is True


async def test_fault_data_before_the_acknowledgement(floor: Floor) -> None:
    floor.faults.push(Fault("ws_data_before_ack"))
    peer = await floor.peer()
    assert (await peer.ask("subscribe", KLINE))["topic"] == KLINE
    assert (await peer.hear())["op"] == "subscribe"


async def test_a_peer_that_never_reads_is_cut_off_and_nobody_waits(floor: Floor) -> None:
    peer = await floor.signed_in("key", "order")
    blob = "x" * 20_000
    for n in range(3_000):
        floor.streams.push([(7, "order", {"id": str(n), "blob": blob})])
    for _ in range(200):
        await asyncio.sleep(0)
    assert (await (await floor.peer()).ask("ping"))["ret_msg"] == "pong"
    assert floor.streams.count()[PRIVATE] == 0
    await peer.socket.close()
