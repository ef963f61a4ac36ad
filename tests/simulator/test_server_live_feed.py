"""The public feed for paper trading on real prices, with one simulator as the real venue of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.stream.public_feed import TIMINGS, BybitPublicFeed
from lib.clock import SystemClock
from lib.domain.backoff import Backoff
from lib.domain.candle import MINUTE_MS
from lib.domain.quotes import KlineUpdate, Ticker
from lib.simulator.market.live_feed import Upstream
from lib.simulator.server import SimulatorConfig
from lib.simulator.stream.streams import PUBLIC
from tests.simulator.running import Running, ShiftedClock, served, until

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]

Event = KlineUpdate | Ticker
QUICK = replace(TIMINGS, backoff=Backoff(0.01, 0.1))


def config_in(folder: Path, **changes: Any) -> SimulatorConfig:
    return replace(SimulatorConfig("synthetic", folder / "sim.db", port=0), **changes)


def just_before_a_minute(seconds: int = 2) -> ShiftedClock:
    return ShiftedClock(MINUTE_MS - SystemClock().now_ms() % MINUTE_MS - seconds * 1_000)


def feed_of(running: Running, since_ms: int, **options: Any) -> BybitPublicFeed:
    return BybitPublicFeed(
        BybitMarketData(running.url), running.ws_url + PUBLIC, ["BTCUSDT"], since_ms=since_ms, **options
    )


async def gathered(events: AsyncIterator[Event], enough: Any, seconds: float = 30) -> list[Event]:
    """Events until *enough* says so of the list; the deadline is a failure, not a rhythm."""
    found: list[Event] = []
    async with asyncio.timeout(seconds):
        async for event in events:
            found.append(event)
            if enough(found):
                return found
    return found


def closed(events: list[Event]) -> list[int]:
    return [e.candle.open_time for e in events if isinstance(e, KlineUpdate) and e.closed]


def is_ahead_without_holes(opens: list[int]) -> bool:
    return all(b == a + MINUTE_MS for a, b in pairwise(opens))


async def test_history_then_the_present_without_a_hole(tmp_path: Path) -> None:
    clock = just_before_a_minute()
    since = clock.now_ms() - 2_500 * MINUTE_MS
    async with served(config_in(tmp_path), clock) as venue, aclosing(feed_of(venue, since).events()) as events:
        last_history = clock.now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
        found = await gathered(events, lambda e: closed(e)[-1:] > [last_history])
    opens = closed(found)
    assert opens[0] == since // MINUTE_MS * MINUTE_MS
    assert is_ahead_without_holes(opens)
    assert opens[-1] == last_history + MINUTE_MS
    assert any(isinstance(e, Ticker) for e in found)
    assert any(isinstance(e, KlineUpdate) and not e.closed for e in found)


@pytest.mark.parametrize("kind", ["ws_missing_confirm", "ws_duplicate_confirm", "ws_out_of_order"])
async def test_a_spoilt_close_is_healed(tmp_path: Path, kind: str) -> None:
    clock = just_before_a_minute()
    now = clock.now_ms()
    async with (
        served(config_in(tmp_path), clock) as venue,
        aclosing(feed_of(venue, now - 5 * MINUTE_MS).events()) as events,
    ):
        await venue.post("/sim/faults", {"kind": kind})
        found = await gathered(events, lambda e: e[-1].seen_at > now // MINUTE_MS * MINUTE_MS + MINUTE_MS + 1_500)
    assert is_ahead_without_holes(closed(found))
    assert closed(found)[-1] == now // MINUTE_MS * MINUTE_MS


@pytest.mark.parametrize("kind", ["ws_reset", "ws_close_1012", "ws_silent", "ws_subscribe_reject"])
async def test_a_lost_stream_is_taken_up_again(tmp_path: Path, kind: str) -> None:
    async with served(config_in(tmp_path)) as venue:
        await venue.post("/sim/faults", {"kind": kind})
        feed = feed_of(venue, SystemClock().now_ms() - 5 * MINUTE_MS, timings=replace(QUICK, stale_after=1.6))
        async with aclosing(feed.events()) as events:
            start = SystemClock().now_ms()
            found = await gathered(events, lambda e: e[-1].seen_at > start + 2_500)
        _, state = await venue.get("/sim/state")
    assert state["faults"] == []
    assert is_ahead_without_holes(closed(found))


async def test_an_unknown_symbol_is_left_out_and_the_others_hear_nothing_of_it(tmp_path: Path) -> None:
    async with served(config_in(tmp_path)) as venue:
        start = SystemClock().now_ms()
        feed = BybitPublicFeed(
            BybitMarketData(venue.url), venue.ws_url + PUBLIC, ["DOGEUSDT", "BTCUSDT"], since_ms=start
        )
        async with aclosing(feed.events()) as events:
            found = await gathered(events, lambda e: e[-1].seen_at > start + 2_500)
        _, state = await venue.get("/sim/state")
    assert {event.symbol for event in found} == {"BTCUSDT"}
    assert state["subscriptions"] == 0


async def test_a_venue_without_any_of_the_symbols_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(config_in(tmp_path)) as venue:
        await venue.post("/sim/faults", {"kind": "delist", "params": {"symbol": "BTCUSDT"}})
        async with aclosing(feed_of(venue, SystemClock().now_ms() - 5 * MINUTE_MS, timings=QUICK).events()) as events:
            first = asyncio.ensure_future(anext(events))

            async def is_left_out() -> bool:
                return "feed.symbol_left_out" in caplog.text

            await until(is_left_out)
            await venue.post("/sim/faults", {"kind": "relist", "params": {"symbol": "BTCUSDT"}})
            assert (await asyncio.wait_for(first, 6)).symbol == "BTCUSDT"


async def test_paper_trading_on_another_venues_prices(tmp_path: Path) -> None:
    async with served(config_in(tmp_path)) as venue:
        market_data = BybitMarketData(venue.url)
        instruments = {"BTCUSDT": await asyncio.to_thread(market_data.instrument, "BTCUSDT")}
        upstream = Upstream(instruments, lambda since: feed_of(venue, since))
        paper_config = config_in(tmp_path, feed="bybit", database=tmp_path / "paper.db")
        async with served(paper_config, upstream=upstream) as paper:
            query = "/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&limit=1000"
            theirs, ours = (await venue.get(query))[1], (await paper.get(query))[1]
            both = {row[0]: row[:6] for row in theirs["result"]["list"][1:]}
            rows = [row[:6] for row in ours["result"]["list"] if row[0] in both]
            assert len(rows) > 990
            assert rows == [both[row[0]] for row in rows]
            key = await paper.account()
            await key.post("/v5/order/create", side="Buy", orderType="Market", qty="0.01", orderLinkId="real-1")

            async def filled() -> bool:
                position = await key.get("/v5/position/list", "category=linear&symbol=BTCUSDT")
                return bool(position["result"]["list"][0]["size"] == "0.01")

            await until(filled)
