"""The chart's candles are written once a closed minute, and are always those the store holds."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.live import row_of
from app.snapshots import MOST_CANDLES, Snapshots
from lib.domain.candle import Candle
from tests.web.conftest import candle

SERIES = ("BTCUSDT", "1m")


class Store:
    """A list of candles, and how often all of it was read."""

    def __init__(self, count: int) -> None:
        self.candles = [candle(n) for n in range(count)]
        self.whole = 0

    def read(self, symbol: str, interval: str, count: int) -> list[Candle]:
        self.whole += count == MOST_CANDLES
        return self.candles[-count:]


def rows(made: Snapshots, count: int = 500, since_s: int = 0) -> list[list[float]]:
    read = json.loads(made.body(SERIES, count, since_s))
    assert (read["symbol"], read["interval"]) == SERIES
    found: list[list[float]] = read["rows"]
    return found


def wanted(store: Store, count: int = 500, since_s: int = 0) -> list[list[float]]:
    found = [row_of(one) for one in store.candles if one.open_time // 1000 >= since_s]
    return found[-count:]


def test_readers_of_one_minute_cost_one_reading_and_see_the_last_candle_move() -> None:
    store = Store(600)
    made = Snapshots(store.read)
    for volume in range(50):
        store.candles[-1] = replace(candle(599), volume=Decimal(volume))
        assert rows(made) == wanted(store)
    assert store.whole == 1


def test_a_new_minute_is_read_anew() -> None:
    store = Store(600)
    made = Snapshots(store.read)
    rows(made)
    store.candles.append(candle(600))
    assert rows(made) == wanted(store)
    assert store.whole == 2


def test_a_list_that_was_mended_in_the_middle_is_forgotten() -> None:
    store = Store(600)
    made = Snapshots(store.read)
    rows(made)
    store.candles[300] = replace(candle(300), volume=Decimal(99))
    made.forget(SERIES)
    assert rows(made) == wanted(store)


def test_readers_who_come_at_once_wait_for_one_reading() -> None:
    store = Store(600)
    together = threading.Barrier(8)
    made = Snapshots(store.read)

    def reader(_: int) -> int:
        together.wait()
        return len(rows(made))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader, range(8))) == [500] * 8
    assert store.whole == 1


@given(stored=st.integers(0, 40), count=st.integers(1, 60), since=st.integers(-5, 45), later=st.integers(0, 3))
def test_any_window_is_the_stores(stored: int, count: int, since: int, later: int) -> None:
    store = Store(stored)
    made = Snapshots(store.read)
    since_s = candle(since).open_time // 1000
    assert rows(made, count, since_s) == wanted(store, count, since_s)
    store.candles += [candle(stored + n) for n in range(later)]
    assert rows(made, count, since_s) == wanted(store, count, since_s)
