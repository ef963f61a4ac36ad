"""The kline stream under every fault a venue has shown: it comes back, tells of it, and loses nothing it was given."""

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit import kline_wire
from lib.adapters.bybit.stream.kline_stream import BybitKlineStream, KlineTimings
from lib.domain.backoff import Backoff
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Halt
from lib.domain.quotes import KlineUpdate
from lib.market.feed import CandleFeed
from tests.adapters.scripted_ws import Peer, Script, ScriptedServer, kline, serving
from tests.fakes.market import START, MemoryCandleStore, ScriptedMarket, SetClock, run_of

FAST = KlineTimings(
    connect=2, up_within=0.4, ping_every=0.1, pong_within=0.3, stale_after=60, poll=0.02, backoff=Backoff(0.02, 0.1)
)
CANDLES = run_of(30)
PATIENCE = 15


class Listener:
    """What a run told its caller; *wanted* is set once *enough* says so."""

    def __init__(self, enough: Callable[["Listener"], bool]) -> None:
        self.connects = 0
        self.updates: list[KlineUpdate] = []
        self.wanted = threading.Event()
        self._enough = enough

    def on_connect(self) -> None:
        self.connects += 1
        self._look()

    def on_update(self, update: KlineUpdate) -> None:
        self.updates.append(update)
        self._look()

    def _look(self) -> None:
        if self._enough(self):
            self.wanted.set()


@contextmanager
def listening(
    server: ScriptedServer, enough: Callable[[Listener], bool], timings: KlineTimings = FAST
) -> Iterator[tuple[Listener, BybitKlineStream]]:
    """Run a stream until *enough*, then stop it."""
    listener = Listener(enough)
    stream = BybitKlineStream(server.url, [("BTCUSDT", "1m")], timings=timings, draw=random.Random(1).random)
    thread = threading.Thread(target=stream.run, args=(listener.on_connect, listener.on_update), daemon=True)
    thread.start()
    try:
        assert listener.wanted.wait(PATIENCE), (listener.connects, len(listener.updates))
        yield listener, stream
    finally:
        stream.stop()
        thread.join(3)
        assert not thread.is_alive()
        assert not stream.connected


async def healthy(peer: Peer) -> None:
    """Acknowledge, push two candles, stay."""
    await peer.accept()
    await peer.say(kline(CANDLES[0], confirm=True), kline(CANDLES[1], confirm=False))
    await peer.stay()


async def reset_abruptly(peer: Peer) -> None:
    await peer.accept()
    peer.reset()


async def close_for_restart(peer: Peer) -> None:
    await peer.accept()
    await peer.close(1012)


async def close_normally(peer: Peer) -> None:
    await peer.accept()
    await peer.close(1000)


async def never_acknowledge(peer: Peer) -> None:
    await peer.stay()


async def reject_subscription(peer: Peer) -> None:
    await peer.hear()
    await peer.acknowledge(success=False, text="error:handler not found,topic:kline.1.BTCUSDT")
    await peer.stay()


async def acknowledge_then_silence(peer: Peer) -> None:
    await peer.accept()
    await peer.stay()


async def never_pong(peer: Peer) -> None:
    peer.answer_pings = False
    await peer.accept()
    await peer.stay()


async def cut_after_data(peer: Peer) -> None:
    await peer.accept()
    await peer.say(kline(CANDLES[0], confirm=True))
    peer.reset()


pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.mark.parametrize(
    "fault",
    [
        reset_abruptly,
        close_for_restart,
        close_normally,
        never_acknowledge,
        reject_subscription,
        acknowledge_then_silence,
        never_pong,
        cut_after_data,
    ],
)
def test_a_lost_connection_is_replaced_and_the_pushes_go_on(fault: Script) -> None:
    timings = replace(FAST, stale_after=1.0) if fault is acknowledge_then_silence else FAST
    with (
        serving(fault, fault, healthy) as server,
        listening(server, lambda heard: any(not u.closed for u in heard.updates), timings) as (listener, stream),
    ):
        assert len(server.peers) == 3
        assert listener.updates[-2:] == [
            KlineUpdate("BTCUSDT", "1m", CANDLES[0], True, CANDLES[0].open_time + MINUTE_MS),
            KlineUpdate("BTCUSDT", "1m", CANDLES[1], False, CANDLES[1].open_time + MINUTE_MS // 2),
        ]
        assert stream.connected
        assert listener.connects == stream.connections


def test_a_server_that_is_not_there_is_tried_until_it_is() -> None:
    with serving(healthy) as gone:
        pass
    listener = Listener(lambda _: False)
    attempts = threading.Semaphore(0)
    stream = BybitKlineStream(gone.url, [("BTCUSDT", "1m")], timings=FAST, now=_counting(attempts))
    thread = threading.Thread(target=stream.run, args=(listener.on_connect, listener.on_update), daemon=True)
    thread.start()
    for _ in range(12):
        assert attempts.acquire(timeout=PATIENCE)
    assert thread.is_alive()
    stream.stop()
    thread.join(3)
    assert not thread.is_alive()
    assert listener.connects == 0


def _counting(attempts: threading.Semaphore) -> Callable[[], float]:
    def now() -> float:
        attempts.release()
        return 0.0

    return now


def test_pings_keep_a_quiet_connection_until_the_data_is_missed() -> None:
    timings = replace(FAST, stale_after=1.0, ping_every=0.1, pong_within=0.5)
    with (
        serving(acknowledge_then_silence, healthy) as server,
        listening(server, lambda heard: bool(heard.updates), timings),
    ):
        assert server.peers[0].pings >= 5, "it was alive, pinged and answered"
        assert len(server.peers) == 2, "and yet given up for want of klines"


def test_garbage_frames_are_dropped_and_counted_without_a_reconnect() -> None:
    good = json.loads(kline(CANDLES[0], confirm=True))
    number = json.loads(kline(CANDLES[0], confirm=True))
    number["data"][0]["open"] = 1.5
    infinite = json.loads(kline(CANDLES[0], confirm=True))
    infinite["data"][0]["high"] = "Infinity"
    garbage: list[str | bytes] = [
        "not json",
        b"\x00\xff",
        "[]",
        "{}",
        '{"topic":"kline.1.BTCUSDT","data":[{}]}',
        '{"topic":"kline.7.BTCUSDT","data":[]}',
        '{"topic":"tickers.BTCUSDT","data":{"lastPrice":"1"}}',
        json.dumps(number),
        json.dumps(infinite),
        json.dumps(good)[:-20],
    ]

    async def talk_rubbish(peer: Peer) -> None:
        await peer.accept()
        await peer.say(*garbage)
        await peer.say(kline(CANDLES[5], confirm=True))
        await peer.stay()

    with serving(talk_rubbish) as server, listening(server, lambda heard: bool(heard.updates)) as (listener, stream):
        assert [u.candle for u in listener.updates] == [CANDLES[5]]
        assert stream.malformed == len(garbage) - 1, "an empty object is only meaningless"
        assert len(server.peers) == 1


def test_a_refused_handshake_is_only_another_failure() -> None:
    with serving(healthy) as server:
        listener = Listener(lambda _: False)
        attempts = threading.Semaphore(0)
        wrong = server.url.replace("linear", "nothing")
        stream = BybitKlineStream(wrong, [("BTCUSDT", "1m")], timings=FAST, now=_counting(attempts))
        thread = threading.Thread(target=stream.run, args=(listener.on_connect, listener.on_update), daemon=True)
        thread.start()
        for _ in range(6):
            assert attempts.acquire(timeout=PATIENCE)
        stream.stop()
        thread.join(3)
        assert not thread.is_alive()


def test_what_a_callback_raises_ends_the_run() -> None:
    def refuse(_: KlineUpdate) -> None:
        raise ZeroDivisionError

    with serving(healthy) as server, pytest.raises(ZeroDivisionError):
        BybitKlineStream(server.url, [("BTCUSDT", "1m")], timings=FAST).run(lambda: None, refuse)


def run_over(script: Script, symbols: Sequence[str], timings: KlineTimings = FAST, connects: int = 1) -> Listener:
    """What a stream of one- and five-minute candles of *symbols* told until it was connected *connects* times."""
    series = [(symbol, interval) for symbol in symbols for interval in ("1m", "5m")]
    with serving(script) as server:
        listener = Listener(lambda heard: heard.connects >= connects)
        stream = BybitKlineStream(server.url, series, timings=timings)
        thread = threading.Thread(target=stream.run, args=(listener.on_connect, listener.on_update), daemon=True)
        thread.start()
        assert listener.wanted.wait(PATIENCE)
        stream.stop()
        thread.join(3)
    return listener


def test_each_symbol_is_asked_for_by_itself_and_all_are_awaited() -> None:
    asked: list[object] = []

    async def take_all(peer: Peer) -> None:
        for number in range(12):
            asked.append((await peer.hear())["args"])
            await peer.acknowledge()
            if number < 11:
                await peer.say("{}")
        await peer.stay()

    listener = run_over(take_all, [f"S{number}USDT" for number in range(12)])
    assert asked == [[f"kline.1.S{number}USDT", f"kline.5.S{number}USDT"] for number in range(12)]
    assert listener.connects == 1


def test_a_symbol_that_is_refused_is_left_out_and_asked_for_again_later() -> None:
    connections: list[int] = []

    async def refuse_the_first(peer: Peer) -> None:
        connections.append(len(connections))
        for number in range(2):
            await peer.hear()
            gone = number == 0 and connections[-1] == 0
            await peer.acknowledge(success=not gone, text="error:handler not found" if gone else "")
        await peer.stay()

    listener = run_over(refuse_the_first, ["OLDUSDT", "BTCUSDT"], replace(FAST, ask_again=0.1), connects=2)
    assert listener.connects == 2
    assert len(connections) == 2, "the second connection has everything and stays"


# --- with the use-case: the list is the truth ------------------------------------------------------------------------


def _confirmed(*indexes: int) -> list[str]:
    return [kline(CANDLES[index], confirm=True) for index in indexes]


async def duplicate_confirm(peer: Peer) -> None:
    await peer.accept()
    await peer.say(*_confirmed(20, 20, 21, 21, 22, 23, 23, 24))
    await peer.stay()


async def missing_confirm(peer: Peer) -> None:
    await peer.accept()
    await peer.say(*_confirmed(20, 21), kline(CANDLES[23], confirm=False), *_confirmed(24))
    await peer.stay()


async def out_of_order(peer: Peer) -> None:
    await peer.accept()
    await peer.say(*_confirmed(21, 20, 22, 19, 24, 23, 24))
    await peer.stay()


async def data_before_ack(peer: Peer) -> None:
    await peer.hear()
    await peer.say(*_confirmed(20, 21))
    await peer.acknowledge()
    await peer.say(*_confirmed(22, 23, 24))
    await peer.stay()


async def cut_after_two(peer: Peer) -> None:
    await peer.accept()
    await peer.say(*_confirmed(20, 21))
    await peer.close(1012)


async def resume_three_later(peer: Peer) -> None:
    await peer.accept()
    await peer.say(*_confirmed(24))
    await peer.stay()


@pytest.mark.parametrize(
    "scripts",
    [
        (duplicate_confirm,),
        (missing_confirm,),
        (out_of_order,),
        (data_before_ack,),
        (cut_after_two, resume_three_later),
    ],
    ids=lambda scripts: scripts[0].__name__,
)
def test_whatever_the_stream_does_the_list_is_the_venues(scripts: tuple[Script, ...]) -> None:
    clock = SetClock(START + 25 * MINUTE_MS)
    market, store = ScriptedMarket(clock, CANDLES[:25]), MemoryCandleStore(capacity=25)
    store.rebuild("BTCUSDT", "1m", CANDLES[:20])
    feed = CandleFeed(store, market, clock, series=("BTCUSDT", "1m"), capacity=25, grace_ms=0)
    newest = threading.Event()

    def on_update(update: KlineUpdate) -> None:
        clock.now += 1_000
        feed.update(update)
        if update.candle == CANDLES[24]:
            newest.set()

    with serving(*scripts) as server:
        stream = BybitKlineStream(server.url, [("BTCUSDT", "1m")], timings=FAST)
        thread = threading.Thread(target=stream.run, args=(feed.connected, on_update), daemon=True)
        thread.start()
        assert newest.wait(PATIENCE)
        stream.stop()
        thread.join(3)
    assert store.newest("BTCUSDT", "1m", 99) == CANDLES[:25]


# --- pauses, wire, settings ------------------------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.integers())
def test_pauses_are_between_one_second_and_thirty(failures: int, seed: int) -> None:
    assert 1.0 <= KlineTimings().backoff.pause_s(failures, random.Random(seed).random()) <= 30.0


@given(st.integers())
def test_a_venue_that_drops_every_connection_sees_at_most_twenty_in_five_minutes(seed: int) -> None:
    rng, elapsed, connects = random.Random(seed), 0.0, 0
    while elapsed < 300:
        connects += 1
        elapsed += KlineTimings().backoff.pause_s(connects, rng.random())
    assert connects <= 20


@pytest.mark.parametrize("url", ["", "http://stream", "wss://", "ws://host:port", "ws://[::1"])
def test_a_url_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(Halt, match="wss://"):
        BybitKlineStream(url, [("BTCUSDT", "1m")])


def test_a_stream_of_nothing_is_refused() -> None:
    with pytest.raises(Halt, match="at least one"):
        BybitKlineStream("wss://stream.example/v5/public/linear", [])


def test_the_documented_frame_is_understood() -> None:
    text = (
        '{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000,"end":1672325099999,"interval":"5",'
        '"open":"16649.5","close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005",'
        '"confirm":false,"timestamp":1672324988882}],"ts":1672324988882,"type":"snapshot"}'
    )
    d = Decimal
    candle = Candle(1672324800000, d("16649.5"), d("16677"), d("16608"), d("16677"), d("2.081"))
    assert kline_wire.updates(kline_wire.parse_frame(text)) == [
        KlineUpdate("BTCUSDT", "5m", candle, False, 1672324988882)
    ]


@given(st.text() | st.binary())
def test_no_frame_at_all_can_do_more_than_be_refused(raw: str | bytes) -> None:
    try:
        frame = kline_wire.parse_frame(raw)
        kline_wire.updates(frame)
    except ValueError:
        return


def test_more_topics_than_a_connection_may_have_are_refused_at_the_start() -> None:
    fifty = [(f"COIN{number:02}USDT", interval) for number in range(50) for interval in ("1m", "3m", "5m")]
    BybitKlineStream("ws://127.0.0.1:1/v5/public/linear", fifty)
    with pytest.raises(Halt, match="more than one connection may have"):
        BybitKlineStream("ws://127.0.0.1:1/v5/public/linear", fifty * 8)
