"""Hostile candles through the stores: no list ever gets a hole, and every reader sees sound candles or none."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
import redis

from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.redis.live import _tick
from lib.domain.candle import MINUTE_MS, Candle, FormingCandle, candle_problem, first_gap
from lib.market.feed import CandleFeed
from lib.ports.market import CandleStore, CorruptCandles
from lib.queries.market import MarketReadings
from tests.effort import seeds
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore, ScriptedMarket, SetClock, push
from tests.market.hostile_scenes import scene_of
from tests.market.hostile_windows import HELD, SHOWN, Scene, market, stored_text

SEQUENCES = seeds(10_500)
ON_A_SERVER = seeds(1_500)
LIST = "kline:BTCUSDT:1m"


def chunks(rows: Sequence[Candle], rng: Random) -> Iterator[Sequence[Candle]]:
    """*rows* as a collector might hand them over: a few at a time, some of them again."""
    at = 0
    while at < len(rows):
        size = rng.choice((1, 1, 2, 7, HELD))
        yield rows[at : at + size]
        at += max(1, size - rng.choice((0, 0, 1)))


def candles_of(scene: Scene) -> list[Candle]:
    """The rows of *scene* that are candles at all; one minute after the other or not."""
    rows = [item for item in scene.held if isinstance(item, Candle)]
    return [row for row in rows if 0 <= row.open_time < 2**53]  # what the wire can carry


def expected(held: Sequence[int], rows: Sequence[Candle]) -> tuple[list[int], str]:
    """The contract of append on open times alone: pushed, replaced, ignored, or a gap that ends it."""
    times, outcome = list(held), "ignored"
    for row in rows:
        if not times or row.open_time == times[-1] + MINUTE_MS:
            times.append(row.open_time)
            outcome = "appended"
        elif row.open_time > times[-1]:
            return times, "gap"
        else:
            outcome = "replaced" if row.open_time == times[-1] else "ignored"
    return times, outcome


def append_all(store: CandleStore, scene: Scene) -> Counter[str]:
    """Append every chunk of *scene* to an empty *store*, held against the contract; the outcomes."""
    times: list[int] = []
    seen: Counter[str] = Counter()
    for rows in chunks(candles_of(scene), scene.rng):
        times, outcome = expected(times, rows)
        assert store.append(SYMBOL, "1m", rows) == outcome
        held = store.newest(SYMBOL, "1m", 1_000)
        assert [row.open_time for row in held] == times
        assert first_gap(held, MINUTE_MS) is None
        seen[outcome] += 1
    return seen


def rebuild_or_keep(store: CandleStore, scene: Scene) -> bool:
    """Rebuild from the rows of *scene*: all of them, or (with a hole among them) nothing at all; whether it did."""
    before = store.newest(SYMBOL, "1m", 1_000)
    rows = candles_of(scene)
    whole = first_gap(rows, MINUTE_MS) is None
    if whole:
        store.rebuild(SYMBOL, "1m", rows)
    else:
        with pytest.raises(ValueError, match="consecutive"):
            store.rebuild(SYMBOL, "1m", rows)
    assert [row.open_time for row in store.newest(SYMBOL, "1m", 1_000)] == [
        row.open_time for row in (rows if whole else before)
    ]
    return whole


def test_hostile_sequences_never_leave_a_hole_in_a_list() -> None:
    seen: Counter[str] = Counter()
    for seed in SEQUENCES:
        store = MemoryCandleStore()
        seen += append_all(store, scene_of(seed)[0])
        seen["rebuilt" if rebuild_or_keep(store, scene_of(seed + 1)[0]) else "kept"] += 1
    assert seen["rebuilt"] + seen["kept"] == len(SEQUENCES) >= 2_100
    assert (
        min(seen[name] for name in ("appended", "replaced", "ignored", "gap", "rebuilt", "kept")) > len(SEQUENCES) // 10
    ), seen


@pytest.mark.server
@pytest.mark.enable_socket
def test_redis_keeps_the_same_contract_over_hundreds_of_them(redis_url: str) -> None:
    client = connect(redis_url, tls_verify="none")
    seen: Counter[str] = Counter()
    for seed in ON_A_SERVER:
        client.delete(LIST)
        store = RedisCandleStore(client)
        seen += append_all(store, scene_of(seed)[0])
        seen["rebuilt" if rebuild_or_keep(store, scene_of(seed + 1)[0]) else "kept"] += 1
    assert min(seen.values()) > len(ON_A_SERVER) // 20, seen
    client.flushdb()
    client.close()


@pytest.mark.server
@pytest.mark.enable_socket
def test_what_others_wrote_into_redis_is_corrupt_or_read_as_candles_and_healed_by_the_collector(redis_url: str) -> None:
    client = connect(redis_url, tls_verify="none")
    seen: Counter[str] = Counter()
    for seed in ON_A_SERVER:
        scene, _ = scene_of(seed)
        planted(client, scene)
        seen[read_kind(RedisCandleStore(client))] += 1
        follower = replace(scene.truth[-1], open_time=T)
        held = collected(RedisCandleStore(client), [*scene.truth, follower])
        assert held[-SHOWN:] == [*scene.truth, follower][-SHOWN:], seed
    assert min(seen["corrupt"], seen["candles"]) > len(ON_A_SERVER) // 20, seen
    client.flushdb()
    client.close()


def planted(client: redis.Redis, scene: Scene) -> None:
    """Put the scene's rows into Redis as they are."""
    rows = [stored_text(item).encode() if isinstance(item, Candle) else item for item in scene.held]
    client.delete(LIST)
    if rows:
        client.lpush(LIST, *rows)


def read_kind(store: CandleStore) -> str:
    try:
        store.newest(SYMBOL, "1m", HELD)
    except CorruptCandles:
        return "corrupt"
    return "candles"


def collected(store: CandleStore, truth: list[Candle]) -> list[Candle]:
    """What is stored once a collector with the true venue behind it has started on *store* and seen one more close."""
    clock = SetClock(T + 500)
    feed = CandleFeed(store, ScriptedMarket(clock, truth), clock, series=(SYMBOL, "1m"), capacity=HELD, grace_ms=10_000)
    feed.connected()
    clock.now += MINUTE_MS
    feed.update(push(truth[-1], closed=True))
    return store.newest(SYMBOL, "1m", HELD)


def test_the_chart_shows_sound_candles_or_none_whatever_a_store_holds() -> None:
    shown: Counter[bool] = Counter()
    for seed in seeds(3_000):
        store = MemoryCandleStore()
        rows = [item for item in scene_of(seed)[0].held if isinstance(item, Candle)]
        store.lists[SYMBOL, "1m"] = rows
        store.put_forming(SYMBOL, "1m", FormingCandle(rows[0] if rows else market(Random(seed))[0], T))
        seen = readings(store).candles(SYMBOL, "1m", HELD)
        assert first_gap(seen, MINUTE_MS) is None
        assert not any(candle_problem(row, MINUTE_MS) for row in seen)
        newest = readings(store).newest_candle(SYMBOL)
        assert newest is None or not candle_problem(newest, MINUTE_MS)
        price = readings(store).last_price(SYMBOL)
        assert price is None or price > 0
        shown[len(seen) == len(rows)] += 1
    assert min(shown.values()) > len(seeds(3_000)) // 10, shown


def readings(store: CandleStore) -> MarketReadings:
    return MarketReadings(cast(Any, None), store)


def test_a_pushed_candle_that_cannot_be_true_never_reaches_a_chart() -> None:
    told: Counter[bool] = Counter()
    for seed in seeds(3_000):
        for item in scene_of(seed)[0].held[-3:]:
            text = stored_text(item).encode() if isinstance(item, Candle) else item
            tick = _tick(
                {
                    "type": "pmessage",
                    "channel": b"kline:BTCUSDT:1m",
                    "data": b'{"closed":true,"candle":' + text + b"}",
                }
            )
            assert tick is None or candle_problem(tick.candle, MINUTE_MS) is None
            told[tick is None] += 1
    assert min(told.values()) > len(seeds(3_000)) // 30, told


def test_a_push_on_a_channel_of_no_interval_of_ours_is_passed_over() -> None:
    text = stored_text(market(Random(1))[-1]).encode()
    message = {"type": "pmessage", "channel": b"kline:BTCUSDT:7m", "data": b'{"closed":true,"candle":' + text + b"}"}
    assert _tick(message) is None
    assert _tick({**message, "channel": b"kline:BTCUSDT:1m"}) is not None
