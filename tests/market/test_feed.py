"""One candle list is kept true, whatever the stream, the venue and the store do."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.candle import MINUTE_MS, Candle, FormingCandle
from lib.market.feed import CandleFeed
from lib.ports.market import CorruptCandles
from tests.fakes.market import START, MemoryCandleStore, ScriptedMarket, SetClock, candle_at, push, run_of

KEY = ("BTCUSDT", "1m")
LONG = run_of(400)


class World:
    """A feed of *capacity* over fakes; the clock stands 200 minutes in, half a second after a close."""

    def __init__(self, capacity: int = 50, grace_ms: int = 10_000) -> None:
        self.clock = SetClock(START + 200 * MINUTE_MS + 500)
        self.market = ScriptedMarket(self.clock, LONG)
        self.store = MemoryCandleStore(capacity=capacity)
        self.feed = CandleFeed(self.store, self.market, self.clock, series=KEY, capacity=capacity, grace_ms=grace_ms)

    @property
    def held(self) -> list[Candle]:
        return self.store.lists.get(KEY, [])

    @property
    def truth(self) -> list[Candle]:
        closed = [c for c in LONG if c.open_time + MINUTE_MS <= self.clock.now]
        return closed[-self.store.capacity :]

    def minute(self, count: int = 1) -> None:
        self.clock.now += count * MINUTE_MS

    def newest_push(self, *, back: int = 0) -> None:
        self.feed.update(push(self.truth[-1 - back], closed=True))

    def forming_push(self) -> None:
        opened = self.clock.now // MINUTE_MS * MINUTE_MS
        self.feed.update(push(candle_at(opened), closed=False))


@pytest.fixture
def world() -> World:
    world = World()
    world.feed.connected()
    return world


def test_at_start_the_list_is_loaded_from_the_venue(world: World) -> None:
    assert world.held == world.truth
    assert world.feed.report.candles == 50


def test_a_closed_push_is_appended_without_asking_the_venue(world: World) -> None:
    calls = world.market.calls
    world.minute()
    world.newest_push()
    assert world.held == world.truth
    assert world.market.calls == calls


@pytest.mark.parametrize("missed", [1, 2, 7, 49, 50, 60, 180])
def test_a_reconnect_fetches_what_was_missed_however_much(world: World, missed: int) -> None:
    world.minute(missed)
    world.feed.connected()
    assert world.held == world.truth


@pytest.mark.parametrize("missed", [2, 7, 60])
def test_a_gap_is_filled_before_the_push_is_appended(world: World, missed: int) -> None:
    world.minute(missed)
    world.newest_push()
    assert world.held == world.truth


def test_a_lost_close_is_fetched_at_the_next_candles_first_push(world: World) -> None:
    world.minute()
    world.forming_push()
    assert world.held == world.truth


def test_a_lost_close_is_fetched_by_the_clock_when_nothing_is_pushed(world: World) -> None:
    world.minute(1)
    world.feed.tick()
    assert world.held != world.truth, "within the grace the stream has its chance"
    world.clock.now += 10_000
    world.feed.tick()
    assert world.held == world.truth


def test_a_venue_that_lags_behind_its_stream_is_asked_again(world: World) -> None:
    world.market.lag_ms = 3_000
    world.minute()
    world.forming_push()
    assert world.held == world.truth[:-1] or world.held[-1] == world.truth[-2]
    for _ in range(8):
        world.clock.now += 1_000
        world.forming_push()
    assert world.held == world.truth


def test_a_lagging_venue_is_not_asked_at_every_push(world: World) -> None:
    world.market.lag_ms = 50_000
    world.minute()
    calls = world.market.calls
    for _ in range(100):
        world.clock.now += 300
        world.forming_push()
    assert world.market.calls - calls <= 6


def test_a_stored_candle_the_venue_does_not_have_yet_is_kept(world: World) -> None:
    world.market.lag_ms = 5_000
    world.minute()
    world.newest_push()
    world.feed.connected()
    assert world.held == world.truth


def test_duplicates_and_late_pushes_change_nothing(world: World) -> None:
    world.minute()
    for back in (0, 0, 3, 1, 0):
        world.newest_push(back=back)
    assert world.held == world.truth


def test_the_forming_candle_is_never_in_the_list(world: World) -> None:
    world.clock.now += 30_000
    world.forming_push()
    assert world.held == world.truth
    assert world.store.forming_candles[KEY].candle.open_time == world.truth[-1].open_time + MINUTE_MS


def test_a_late_push_of_a_closed_candle_is_not_forming(world: World) -> None:
    world.feed.update(push(world.truth[-1], closed=False))
    assert KEY not in world.store.forming_candles


def test_the_forming_candle_is_written_at_most_four_times_a_second(world: World) -> None:
    for _ in range(100):
        world.clock.now += 20
        world.forming_push()
    assert 7 <= world.store.forming_puts <= 9


def test_other_candles_in_the_store_are_replaced_by_the_venues() -> None:
    world = World()
    world.store.lists[KEY] = run_of(50, start=world.truth[0].open_time - 5 * MINUTE_MS, salt=77)
    world.feed.connected()
    assert world.held == world.truth


def test_candles_from_the_future_are_replaced() -> None:
    world = World()
    world.store.lists[KEY] = run_of(50, start=world.truth[0].open_time + 40 * MINUTE_MS)
    world.feed.connected()
    assert world.held == world.truth


def test_a_list_with_a_hole_is_replaced() -> None:
    world = World()
    world.store.lists[KEY] = LONG[149:180] + LONG[181:200]
    world.feed.connected()
    assert world.held == world.truth


class UnreadableOnce(MemoryCandleStore):
    """Contents cannot be decoded until the list is rebuilt."""

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        if not self.rebuilds:
            raise CorruptCandles(codes.STORED_CANDLES_BAD())
        return super().newest(symbol, interval, count)


def test_unreadable_contents_are_rebuilt() -> None:
    world = World()
    store = UnreadableOnce(capacity=50)
    feed = CandleFeed(store, world.market, world.clock, series=KEY, capacity=50, grace_ms=0)
    feed.connected()
    assert store.lists[KEY] == world.truth


def test_a_flushed_store_is_rebuilt_at_the_next_look(world: World) -> None:
    world.store.lists.clear()
    world.clock.now += 5_000
    world.feed.tick()
    assert world.held == world.truth


def test_a_flush_followed_by_a_push_does_not_leave_a_list_of_one(world: World) -> None:
    world.minute()
    world.store.lists.clear()
    world.newest_push()
    world.clock.now += 5_000
    world.feed.tick()
    assert world.held == world.truth


def test_a_store_outage_is_survived_and_made_good(world: World) -> None:
    world.store.down = True
    for _ in range(10):
        world.minute()
        world.newest_push()
    assert "away" in world.feed.report.problem
    world.store.down = False
    world.clock.now += 15_000
    world.forming_push()
    assert world.held == world.truth
    assert world.feed.report.problem == ""


def test_a_venue_outage_at_a_gap_stores_nothing_beyond_the_gap(world: World) -> None:
    before = list(world.held)
    world.market.down = True
    world.minute(3)
    world.newest_push()
    assert world.held == before
    world.market.down = False
    world.clock.now += 2_000
    world.forming_push()
    assert world.held == world.truth


def test_a_venue_that_suddenly_has_no_candles_does_not_empty_the_list(world: World) -> None:
    before = list(world.held)
    world.market.truth[KEY] = []
    world.feed.connected()
    assert world.held == before
    assert world.feed.report.problem


def test_an_absurd_push_is_never_stored(world: World) -> None:
    world.minute()
    good = world.truth[-1]
    world.feed.update(push(replace(good, high=Decimal("0.1")), closed=True))
    assert world.held == world.truth, "REST has the true one"
    assert world.feed.report.quarantined == 1


def test_an_absurd_row_at_the_venue_is_never_stored_and_healed_when_corrected(world: World) -> None:
    world.minute()
    good = world.truth[-1]
    rows = world.market.truth[KEY]
    at = rows.index(good)
    rows[at] = replace(good, low=Decimal(10**7))
    world.forming_push()
    assert world.held == world.truth[-51:-1] or world.held[-1].open_time < good.open_time
    rows[at] = good
    world.clock.now += 61_000
    world.feed.tick()
    assert world.held == world.truth


def test_a_broken_history_is_asked_for_again_after_a_minute() -> None:
    world = World(grace_ms=10**9)
    rows = world.market.truth[KEY]
    good, rows[180] = rows[180], replace(rows[180], low=Decimal(10**7))
    world.feed.tick()
    assert world.held == LONG[181:200]
    rows[180] = good
    world.clock.now += 59_000
    world.feed.tick()
    assert world.held == LONG[181:200]
    world.clock.now += 2_000
    world.feed.tick()
    assert world.held == world.truth


def test_a_correction_by_the_venue_wins_over_the_stored_candle(world: World) -> None:
    rows = world.market.truth[KEY]
    at = rows.index(world.truth[-1])
    rows[at] = replace(rows[at], volume=Decimal("999"))
    world.feed.connected()
    assert world.held[-1].volume == Decimal("999")


def test_a_list_without_a_stream_is_refreshed_when_a_candle_is_due() -> None:
    world = World(grace_ms=2_000)
    world.feed.tick()
    assert world.held == world.truth
    calls = world.market.calls
    world.clock.now += 50_000
    world.feed.tick()
    assert world.market.calls == calls
    world.clock.now += 12_000
    world.feed.tick()
    assert world.held == world.truth
    assert world.market.calls == calls + 1


def test_an_exception_that_is_not_retry_passes(world: World) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    world.store.append = broken  # type: ignore[method-assign, assignment]
    world.minute()
    with pytest.raises(ZeroDivisionError):
        world.newest_push()


# --- the property ----------------------------------------------------------------------------------------------------

Step = Callable[[World], None]


def _closed(minutes_back: int) -> Step:
    return lambda w: w.feed.update(push(w.truth[-1 - min(minutes_back, len(w.truth) - 1)], closed=True))


def _advance(minutes: int) -> Step:
    return lambda w: w.minute(minutes)


def _set_down(which: str, down: bool) -> Step:
    return lambda w: setattr(getattr(w, which), "down", down)


steps = st.lists(
    st.one_of(
        st.integers(0, 12).map(_closed),
        st.integers(1, 9).map(_advance),
        st.sampled_from(["store", "market"]).flatmap(
            lambda name: st.booleans().map(lambda down: _set_down(name, down))
        ),
        st.sampled_from(
            [
                World.forming_push,
                lambda w: w.feed.connected(),
                lambda w: w.feed.tick(),
                lambda w: w.store.lists.clear(),
                lambda w: setattr(w.market, "lag_ms", 4_000),
                lambda w: setattr(w.clock, "now", w.clock.now + 700),
            ]
        ),
    ),
    max_size=40,
)


@given(steps, st.sampled_from([1, 5, 30]))
def test_any_order_of_pushes_losses_and_outages_ends_in_the_venues_list(script: list[Step], capacity: int) -> None:
    world = World(capacity=capacity)
    for step in script:
        if world.clock.now > START + 380 * MINUTE_MS:
            break
        step(world)
        held = world.held
        assert all(b.open_time - a.open_time == MINUTE_MS for a, b in pairwise(held))
        assert all(candle in LONG for candle in held)
    world.store.down = world.market.down = False
    world.market.lag_ms = 0
    for _ in range(4):
        world.clock.now += 16_000
        world.feed.tick()
        world.forming_push()
    assert world.held == world.truth


@given(st.permutations(range(20)), st.lists(st.integers(0, 19), max_size=20), st.sets(st.integers(0, 19)))
def test_any_permutation_with_duplicates_and_losses_ends_in_the_truth(
    order: list[int], again: list[int], lost: set[int]
) -> None:
    world = World()
    world.feed.connected()
    coming = LONG[200:220]
    world.minute(20)
    for index in [*order, *again]:
        world.clock.now += 50
        if index not in lost:
            world.feed.update(push(coming[index], closed=True))
    world.clock.now += 2_000
    world.forming_push()
    assert world.held == world.truth
    forming = candle_at(LONG[220].open_time)
    assert world.store.forming_candles[KEY] == FormingCandle(forming, push(forming, closed=False).seen_at)
