"""Walking a venue's REST backwards."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, first_gap
from lib.market.history import load_history
from tests.fakes.market import START, ScriptedMarket, SetClock, run_of


def venue(count: int) -> ScriptedMarket:
    truth = run_of(count)
    return ScriptedMarket(SetClock(truth[-1].open_time + MINUTE_MS), truth)


def test_five_thousand_candles_are_loaded_in_pages_without_hole_or_duplicate() -> None:
    market = venue(6000)
    history = load_history(market, "BTCUSDT", "1m", count=5000)
    assert history.candles == run_of(6000)[-5000:]
    assert market.calls == 5
    assert not history.broken


def test_a_short_history_is_all_there_is() -> None:
    assert load_history(venue(37), "BTCUSDT", "1m", count=5000).candles == run_of(37)


def test_the_open_candle_is_not_history() -> None:
    market = venue(10)
    market.clock.now -= 1
    assert load_history(market, "BTCUSDT", "1m", count=5).candles == run_of(10)[4:9]


def test_the_walk_stops_once_since_is_covered() -> None:
    market = venue(5000)
    since = START + 4990 * MINUTE_MS
    history = load_history(market, "BTCUSDT", "1m", count=5000, since=since, page=12)
    assert market.calls == 1
    assert history.candles[0].open_time <= since


def test_small_pages_are_walked_until_since_is_covered() -> None:
    market = venue(100)
    history = load_history(market, "BTCUSDT", "1m", count=100, since=START + 80 * MINUTE_MS, page=6)
    assert history.candles[0].open_time <= START + 80 * MINUTE_MS
    assert market.calls == 4


@given(page=st.integers(1, 50), count=st.integers(1, 120), have=st.integers(1, 150))
def test_the_page_size_never_changes_the_history(page: int, count: int, have: int) -> None:
    history = load_history(venue(have), "BTCUSDT", "1m", count=count, page=page)
    assert history.candles == run_of(have)[-count:]


@given(st.sets(st.integers(0, 59), max_size=8))
def test_a_hole_in_the_venues_rows_cuts_the_run(missing: set[int]) -> None:
    truth = [c for i, c in enumerate(run_of(60)) if i not in missing]
    market = ScriptedMarket(SetClock(START + 60 * MINUTE_MS), truth)
    history = load_history(market, "BTCUSDT", "1m", count=60)
    assert first_gap(history.candles, MINUTE_MS) is None
    assert history.candles == truth[len(truth) - len(history.candles) :]
    assert history.broken == (len(history.candles) < len(truth))


def test_an_absurd_row_is_quarantined_and_never_in_the_run() -> None:
    truth = run_of(20)
    truth[12] = replace(truth[12], high=Decimal(1))
    history = load_history(ScriptedMarket(SetClock(START + 20 * MINUTE_MS), truth), "BTCUSDT", "1m", count=20)
    assert history.candles == truth[13:]
    assert [q.candle for q in history.quarantined] == [truth[12]]
    assert history.broken


def test_an_absurd_newest_row_leaves_the_run_before_it() -> None:
    truth = run_of(20)
    truth[-1] = replace(truth[-1], close=Decimal(0))
    history = load_history(ScriptedMarket(SetClock(START + 20 * MINUTE_MS), truth), "BTCUSDT", "1m", count=20)
    assert history.candles == truth[:-1]
