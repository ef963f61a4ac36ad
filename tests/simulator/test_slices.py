"""
No call stops the exchange: what would take long is read in slices, and orders match and stops fire in between.

Counted is what is read of the market, never time.
"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.clock import SteppedClock
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.fill_prices import EngineConfig
from lib.domain.price_path import FOR_EVER
from lib.domain.price_path import Path as PricePath
from lib.simulator.analyst.questions import MAX_READ, find_object
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRequest, Protection
from lib.simulator.exchange import SLICE_MINUTES, LocalExchange
from lib.simulator.market.market import LiveMarket, Market, ReplayMarket, SyntheticMarket
from lib.simulator.store import Store
from lib.simulator.venue.klines import CACHE_ROWS, INTERVALS, Klines, floor_open, next_open
from lib.simulator.venue.venue import Request, Venue, VenueConfig
from tests.effort import examples
from tests.factories import candle as flat
from tests.worlds.venue import BITCOIN, BTC, D

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NOW = 1_700_006_400_000 + 13 * HOUR_MS + 17 * MINUTE_MS + 5_000
TEN = D("10")
A_TICK = 3 * 60
"""What one second of the exchange may itself read: the open hour, a few times."""


class CountingMarket:
    """Falls by a tenth of a dollar a minute for ever; counts the minutes read of it. Implements `Market`."""

    symbols = (BTC,)
    read = 0

    def span(self, symbol: str) -> tuple[int, int]:
        return 0, FOR_EVER

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        self.read += 1
        opened, closed = self._price(open_time), self._price(open_time + MINUTE_MS)
        return Candle(open_time, opened, opened, closed, closed, TEN)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        return self.candle(symbol, at_ms - at_ms % MINUTE_MS)

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return self._price(at_ms)

    def path(self, symbol: str, open_time: int) -> PricePath:
        return (0, self._price(open_time)), (59_000, self._price(open_time + MINUTE_MS))

    def _price(self, at_ms: int) -> Decimal:
        return Decimal(600_000 - (at_ms - NOW) // MINUTE_MS).scaleb(-1)


@pytest.fixture
def market() -> CountingMarket:
    return CountingMarket()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
def exchange(market: CountingMarket, clock: SteppedClock, tmp_path: Path) -> Iterator[LocalExchange]:
    engine = Engine(market, {BTC: BITCOIN}, EngineConfig())
    engine.advance(NOW)
    store = Store(tmp_path / "simulator.db", "test")
    yield LocalExchange(engine, Venue(engine, clock, VenueConfig()), store, clock, feed="test", seed="5")
    store.close()


def kline(interval: str, limit: int = 200, **window: int) -> Request:
    asked = {"category": "linear", "symbol": BTC, "interval": interval, "limit": limit, **window}
    return Request("GET", "/v5/market/kline", "&".join(f"{name}={value}" for name, value in asked.items()))


async def most_at_a_stretch(exchange: LocalExchange, market: CountingMarket, *requests: Request) -> tuple[int, int]:
    """(most minutes read between two turns of the loop, turns) while all of *requests* are answered at once."""

    async def answered(request: Request) -> None:
        await exchange.prepare(request)
        assert exchange.handle(request).status == 200

    answering = asyncio.gather(*map(answered, requests))
    most = turns = 0
    while not answering.done():
        before = market.read
        await asyncio.sleep(0)
        most, turns = max(most, market.read - before), turns + 1
    await answering
    return most, turns


@pytest.mark.parametrize("interval", INTERVALS)
async def test_no_kline_is_read_at_a_stretch(exchange: LocalExchange, market: CountingMarket, interval: str) -> None:
    most, turns = await most_at_a_stretch(exchange, market, kline(interval))
    assert most <= 2 * SLICE_MINUTES
    assert turns >= market.read / (2 * SLICE_MINUTES)


async def test_a_crowd_of_long_questions_is_read_one_after_the_other(
    exchange: LocalExchange, market: CountingMarket
) -> None:
    asked = [kline(interval, start=NOW - days * DAY_MS) for days in (40, 90, 100) for interval in ("D", "240", "60")]
    most, _ = await most_at_a_stretch(exchange, market, *asked, Request("GET", "/v5/market/tickers", "category=linear"))
    assert most <= (len(asked) + 2) * SLICE_MINUTES


async def test_what_was_read_once_costs_the_open_hour(exchange: LocalExchange, market: CountingMarket) -> None:
    for interval in ("D", "W", "M", "720"):
        await most_at_a_stretch(exchange, market, kline(interval))
        before = market.read
        exchange.handle(kline(interval))
        assert market.read - before <= 61


async def test_a_stop_fires_while_a_long_question_is_read(
    exchange: LocalExchange, market: CountingMarket, clock: SteppedClock
) -> None:
    account = exchange.engine.create_account(D("10000"))
    price = exchange.engine.books.mark(BTC)
    stop = Protection(price - 1, D(0))
    exchange.engine.dealing.place(account.uid, OrderRequest(BTC, "buy", D("0.01"), protection=stop))
    asking = asyncio.ensure_future(exchange.prepare(kline("D")))
    seconds = 0
    while not asking.done():
        clock.advance_to(clock.now_ms() + 1_000)
        exchange.tick()
        seconds += 1
        await asyncio.sleep(0)
    holding = exchange.engine.books.holding(account, BTC)
    assert seconds > 600
    assert holding.position.is_flat, "it fell by a dollar meanwhile, and was closed"


async def test_hours_slept_through_are_run_in_slices(exchange: LocalExchange, clock: SteppedClock) -> None:
    account = exchange.engine.create_account(D("10000"))
    exchange.engine.dealing.place(account.uid, OrderRequest(BTC, "buy", D("0.01")))
    exchange.tick()
    clock.advance_to(NOW + 30 * HOUR_MS)
    most, running = 0, asyncio.ensure_future(exchange.prepare(Request("GET", "/v5/market/time")))
    while not running.done():
        before = exchange.engine.last_advanced_ms
        await asyncio.sleep(0)
        most = max(most, exchange.engine.last_advanced_ms - before)
    await running
    assert most <= HOUR_MS
    assert clock.now_ms() - exchange.engine.last_advanced_ms <= HOUR_MS


async def test_a_days_tickers_and_streams_are_ready_before_anybody_asks(
    exchange: LocalExchange, market: CountingMarket
) -> None:
    await exchange.prepare_day()
    before = market.read
    exchange.handle(Request("GET", "/v5/market/tickers", "category=linear"))
    assert exchange.venue.kline_message(BTC, "D", NOW) is not None
    assert market.read - before <= A_TICK


def by_minutes(market: Market, interval: str, open_time: int, now: int) -> Candle | None:
    """The candle as its minutes add up."""
    end = min(next_open(interval, open_time), now + 1)
    found = [
        market.forming(BTC, now) if at + MINUTE_MS > now else market.candle(BTC, at)
        for at in range(open_time, end, MINUTE_MS)
    ]
    parts = [part for part in found if part is not None]
    if not parts:
        return None
    volume = sum((part.volume for part in parts), Decimal(0))
    highest, lowest = max(part.high for part in parts), min(part.low for part in parts)
    return Candle(open_time, parts[0].open, highest, lowest, parts[-1].close, volume)


LOUD = SyntheticMarket(5, {BTC: BITCOIN})


@examples(40)
@given(st.sampled_from([one for one in INTERVALS if one not in ("W", "M")]), st.integers(0, 5_000), st.integers(0, 30))
def test_a_candle_of_candles_is_the_candle_of_its_minutes(interval: str, later: int, back: int) -> None:
    klines, now = Klines(LOUD), NOW + later * 7_001
    for at in {floor_open(interval, now), floor_open(interval, now - back * 900_000)}:
        assert klines.candle(BTC, interval, at, now) == by_minutes(LOUD, interval, at, now)
        assert klines.candle(BTC, interval, at, now) == by_minutes(LOUD, interval, at, now), "remembered alike"


def test_a_short_file_is_not_searched_for_months() -> None:
    first = floor_open("D", NOW) + HOUR_MS

    class Counting(ReplayMarket):
        read = 0

        def candle(self, symbol: str, open_time: int) -> Candle | None:
            self.read += 1
            return super().candle(symbol, open_time)

    market = Counting(BTC, [flat(first + n * MINUTE_MS, "60000.0") for n in range(90)], Decimal("0.1"))
    klines = Klines(market)
    opens = klines.opens("D", NOW, 200)
    assert len([at for at in opens if klines.candle(BTC, "D", at, NOW) is not None]) == 1
    assert market.read <= 120
    assert len(list(klines.pieces(BTC, "D", opens, NOW))) <= 2


def test_a_live_market_is_searched_as_far_as_it_remembers() -> None:
    market = LiveMarket([BTC])
    assert market.span(BTC) == (0, 0)
    market.price_at(BTC, NOW)
    market.backfill(BTC, [flat(floor_open("1", NOW) - n * MINUTE_MS, "60000.0") for n in range(1, 4)])
    assert market.span(BTC) == (floor_open("1", NOW) - 3 * MINUTE_MS, NOW + MINUTE_MS)
    assert Klines(market).candle(BTC, "60", floor_open("60", NOW), NOW) is not None


def test_the_memory_of_candles_is_bounded_and_forgets_the_oldest() -> None:
    klines = Klines(CountingMarket())
    klines._closed = {(BTC, "5", -n): flat(0, "1.0") for n in range(1, CACHE_ROWS + 1)}
    klines.candle(BTC, "3", floor_open("3", NOW - HOUR_MS), NOW)
    assert len(klines._closed) == CACHE_ROWS
    assert (BTC, "5", -1) not in klines._closed
    assert (BTC, "5", -2) in klines._closed


@pytest.mark.parametrize("start", [10**15, 10**16])
def test_a_start_beyond_all_calendars_has_no_rows(start: int) -> None:
    klines = Klines(CountingMarket())
    assert [klines.opens(interval, NOW, 5, start=start) for interval in INTERVALS] == [[]] * len(INTERVALS)


def test_a_message_full_of_braces_is_given_up() -> None:
    objects = '{"a":' + "[1]," * 90_000
    assert find_object(objects * 5) is None
    assert find_object("{" * 60 + '{"candles": []}') is None
    assert len(objects) * 3 > MAX_READ
    found = find_object('see {this} {"candles": []} please')
    assert found is not None
    assert found[0] == {"candles": []}
