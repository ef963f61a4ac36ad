"""What became of opinions: the first level a minute touches, net, and never a word of what came after T."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.opinions import FEES, LONGEST_MS, Opinion, outcomes_by
from tests.factories import T, candle, candles

DAY = LONGEST_MS // MINUTE_MS
BUY = Opinion(T, "buy", Decimal("0.7"), Decimal("0.01"), Decimal("0.02"))
SELL = replace(BUY, action="sell")


def after(*moves: tuple[int, int, int], count: int = 30) -> list[Candle]:
    """Minutes from T on at 60,000, but at minute n between a low and a high."""
    flat = {n: candle(T + n * MINUTE_MS) for n in range(count)}
    spikes = {n: candle(T + n * MINUTE_MS, high=high, low=low) for n, low, high in moves}
    return list((flat | spikes).values())


@pytest.mark.parametrize(
    ("opinion", "move", "ended", "gross"),
    [
        (BUY, (5, 59_400, 60_000), "stop", "-0.01"),
        (BUY, (5, 60_000, 61_200), "target", "0.02"),
        (BUY, (5, 59_400, 61_200), "stop", "-0.01"),
        (SELL, (5, 60_000, 60_600), "stop", "-0.01"),
        (SELL, (5, 58_800, 60_000), "target", "0.02"),
        (SELL, (1, 58_800, 60_600), "stop", "-0.01"),
    ],
)
def test_the_first_level_touched_ends_it_and_the_stop_comes_first(
    opinion: Opinion, move: tuple[int, int, int], ended: str, gross: str
) -> None:
    now = T + 30 * MINUTE_MS
    [found] = outcomes_by(now, [opinion], after(move), 5)
    assert (found.ended, found.closed_ms) == (ended, T + (move[0] + 1) * MINUTE_MS)
    assert found.result == (Decimal(gross) - FEES) / Decimal("0.01")


def test_after_a_day_it_ends_at_the_price_of_then() -> None:
    minutes = candles(DAY + 2, closes_at=T + (DAY + 2) * MINUTE_MS, drift=0)
    minutes[DAY] = replace(minutes[DAY], close=Decimal(60_300), high=Decimal(60_300))
    [found] = outcomes_by(T + (DAY + 2) * MINUTE_MS, [BUY], minutes, 5)
    assert (found.ended, found.result) == ("time", (Decimal("0.005") - FEES) / Decimal("0.01"))


def test_what_has_not_ended_or_cannot_be_followed_is_no_outcome() -> None:
    now = T + 30 * MINUTE_MS
    assert outcomes_by(now, [BUY], after(), 5) == [], "still open"
    assert outcomes_by(now, [BUY], [], 5) == [], "before the candles that are kept"
    hole = after((9, 59_000, 60_000))
    del hole[4]
    assert outcomes_by(now, [BUY], hole, 5) == []
    assert outcomes_by(now, [replace(BUY, stop_loss=Decimal(0))], after((5, 1, 99_999)), 5) == []


def test_the_newest_are_told_oldest_first() -> None:
    opinions = [replace(BUY, t_ms=T + n * 5 * MINUTE_MS) for n in range(4)]
    moves = [(5 * n + 2, 59_400, 60_000) for n in range(4)]
    found = outcomes_by(T + 30 * MINUTE_MS, reversed(opinions), after(*moves), 3)
    assert [one.opinion for one in found] == opinions[1:]


PATHS = st.lists(st.tuples(st.integers(-700, 700), st.integers(0, 700)), min_size=90, max_size=90)
VIEWS = st.lists(st.tuples(st.integers(0, 17), st.sampled_from(["buy", "sell"])), max_size=12)


@given(PATHS, PATHS, VIEWS, st.integers(5, 90))
def test_nothing_dated_after_t_can_enter(
    past: list[tuple[int, int]], future: list[tuple[int, int]], views: list[tuple[int, str]], now: int
) -> None:
    """Two worlds that agree up to T and differ in every candle and opinion after it tell the same lessons at T."""
    t_ms = T + now * MINUTE_MS

    def world(later: list[tuple[int, int]]) -> list[Candle]:
        path = [*past[:now], *later[now:]]
        return [
            candle(T + n * MINUTE_MS, 60_000, low=60_000 - abs(move) - wide, high=60_000 + abs(move) + wide)
            for n, (move, wide) in enumerate(path)
        ]

    opinions = [replace(BUY, t_ms=T + 5 * n * MINUTE_MS, action=way) for n, way in views]  # type: ignore[arg-type]
    before = [one for one in opinions if one.t_ms < t_ms]
    told = outcomes_by(t_ms, opinions, world(past), 5)
    assert told == outcomes_by(t_ms, before, world(future), 5) == outcomes_by(t_ms, opinions, world(past)[:now], 5)
    assert all(one.opinion.t_ms < one.closed_ms <= t_ms for one in told)
