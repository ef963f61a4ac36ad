"""The candle contract: a window reaches the analyst only when every candle in it can be true."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.candle import (
    INTERVALS,
    MAX_PRICE,
    MAX_VOLUME,
    MINUTE_MS,
    Candle,
    candle_problem,
    decimal_from_wire,
    first_gap,
    interval_ms,
    sound_tail,
    step_problem,
    window_problem,
)
from lib.domain.reason import NOTHING, Reason
from tests.factories import T, candle, candles
from tests.reasons import english

COUNT = 30
NAN, SIGNALLING, INFINITE = Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")


def problem(window: list[Candle], *, closes_at: int = T, step_ms: int = MINUTE_MS) -> Reason | None:
    return window_problem(window, step_ms=step_ms, count=COUNT, closes_at=closes_at)


@st.composite
def good_windows(draw: st.DrawFn) -> list[Candle]:
    """A random walk: bodies up to 6 %, wicks up to 4.5 % either way, so at most 17 % from low to high."""
    price = Decimal(draw(st.integers(1, 10**9))) / 100
    window = []
    for n in range(COUNT):
        first, last = price, price * (1 + Decimal(draw(st.integers(-60, 60))) / 1000)
        top = max(first, last) * (1 + Decimal(draw(st.integers(0, 45))) / 1000)
        bottom = min(first, last) * (1 - Decimal(draw(st.integers(0, 45))) / 1000)
        window.append(candle(T - (COUNT - n) * MINUTE_MS, first, top, bottom, last, draw(st.integers(0, 10**9))))
        price = last
    return window


@given(good_windows())
def test_a_sane_contiguous_window_closing_at_t_is_accepted(window: list[Candle]) -> None:
    assert problem(window) is None


@given(good_windows(), st.integers(0, COUNT - 1))
def test_a_missing_candle_is_refused(window: list[Candle], at: int) -> None:
    assert problem(window[:at] + window[at + 1 :])
    older = candle(window[0].open_time - MINUTE_MS, window[0].open)
    assert problem([older, *window[:at], *window[at + 1 :]])


@given(st.integers(0, COUNT - 2))
def test_a_duplicate_in_place_of_a_candle_is_refused(at: int) -> None:
    window = candles(COUNT)
    window[at] = window[at + 1]
    assert problem(window) == codes.CANDLES_NOT_CONSECUTIVE()


@given(st.permutations(candles(COUNT)))
def test_any_disorder_is_refused(window: list[Candle]) -> None:
    assert (problem(window) is None) is (window == candles(COUNT))


@pytest.mark.parametrize("count", [0, 1, 29, 31, 60])
def test_a_window_of_another_length_is_refused_and_says_so(count: int) -> None:
    assert problem(candles(count)) == codes.CANDLES_MISSING(found=count, wanted=30)


@pytest.mark.parametrize("late", [-MINUTE_MS, -1, 1, MINUTE_MS, 300_000])
def test_a_window_that_does_not_end_at_t_is_refused(late: int) -> None:
    assert codes.CANDLE_STALE.is_of(problem(candles(COUNT), closes_at=T + late) or NOTHING)


def test_the_age_of_a_stale_window_is_named_in_seconds() -> None:
    assert problem(candles(COUNT), closes_at=T + 120_000) == codes.CANDLE_STALE(seconds=120)


def test_a_window_off_the_interval_is_refused_even_when_it_ends_where_asked() -> None:
    shifted = [replace(c, open_time=c.open_time + 1) for c in candles(COUNT)]
    assert problem(shifted, closes_at=T + 1) == codes.CANDLE_OFF_INTERVAL()


BROKEN: list[tuple[str, Callable[[Candle], Candle]]] = [
    ("price is not", lambda c: replace(c, open=Decimal(0))),
    ("price is not", lambda c: replace(c, low=Decimal(-1))),
    ("price is not", lambda c: replace(c, low=Decimal(0))),
    ("price is not", lambda c: replace(c, high=MAX_PRICE)),
    ("price is not", lambda c: replace(c, close=NAN)),
    ("price is not", lambda c: replace(c, high=SIGNALLING)),
    ("price is not", lambda c: replace(c, high=INFINITE)),
    ("price is not", lambda c: replace(c, low=-INFINITE)),
    ("volume is not", lambda c: replace(c, volume=Decimal(-1))),
    ("volume is not", lambda c: replace(c, volume=MAX_VOLUME)),
    ("volume is not", lambda c: replace(c, volume=NAN)),
    ("volume is not", lambda c: replace(c, volume=SIGNALLING)),
    ("volume is not", lambda c: replace(c, volume=INFINITE)),
    ("do not enclose", lambda c: replace(c, high=c.close - 1)),
    ("do not enclose", lambda c: replace(c, high=c.open - 1)),
    ("do not enclose", lambda c: replace(c, low=c.open + 1)),
    ("do not enclose", lambda c: replace(c, low=c.high, high=c.low)),
    ("inside a candle", lambda c: replace(c, high=c.low * Decimal("1.2001"))),
    ("inside a candle", lambda c: replace(c, low=c.high / 2)),
]


@pytest.mark.parametrize("at", [0, 14, COUNT - 1])
@pytest.mark.parametrize(("why", "broken"), BROKEN)
def test_one_impossible_candle_anywhere_refuses_the_window(
    why: str, broken: Callable[[Candle], Candle], at: int
) -> None:
    window = candles(COUNT)
    window[at] = broken(window[at])
    assert why in english(problem(window) or NOTHING)


def test_a_move_of_exactly_twenty_percent_inside_a_candle_is_still_believed() -> None:
    window = candles(COUNT)
    window[3] = replace(window[3], high=window[3].low * Decimal("1.2"))
    assert problem(window) is None


@pytest.mark.parametrize(
    ("opens", "believed"), [("120", True), ("120.01", False), ("80", True), ("79.99", False), ("100", True)]
)
def test_a_jump_beyond_twenty_percent_between_candles_is_refused(opens: str, believed: bool) -> None:
    found = step_problem(candle(0, 100), candle(MINUTE_MS, opens), MINUTE_MS)
    assert (found is None) is believed
    assert believed or found == codes.CANDLE_JUMP()


def test_a_jump_hidden_in_a_window_is_refused() -> None:
    head, tail = candles(15, closes_at=T - 15 * MINUTE_MS), candles(15, price=90_000)
    assert problem(head + tail) == codes.CANDLE_JUMP()


@pytest.mark.parametrize("open_time", [-MINUTE_MS, 1, MINUTE_MS - 1])
def test_a_candle_lies_on_its_interval(open_time: int) -> None:
    assert candle_problem(candle(open_time), MINUTE_MS) == codes.CANDLE_OFF_INTERVAL()
    assert candle_problem(candle(0), MINUTE_MS) is None


def test_a_minute_candle_is_no_five_minute_candle() -> None:
    assert candle_problem(candle(MINUTE_MS), MINUTE_MS) is None
    assert candle_problem(candle(MINUTE_MS), 5 * MINUTE_MS) is not None


def test_a_quiet_minute_without_volume_is_believed() -> None:
    assert candle_problem(candle(volume=0), MINUTE_MS) is None


@given(st.integers(2, 40), st.data())
def test_the_first_gap_is_the_open_time_of_the_first_missing_candle(count: int, data: st.DataObject) -> None:
    whole = candles(count)
    assert first_gap(whole, MINUTE_MS) is None
    missing = data.draw(st.sets(st.integers(1, count - 2))) if count > 2 else set()
    held = [c for n, c in enumerate(whole) if n not in missing]
    assert first_gap(held, MINUTE_MS) == (whole[min(missing)].open_time if missing else None)


def test_nothing_has_no_gap() -> None:
    assert first_gap([], MINUTE_MS) is None


@given(good_windows(), st.integers(0, COUNT - 1), st.sampled_from(["hole", "twin", "absurd"]))
def test_the_sound_tail_is_what_comes_after_the_newest_hole_twin_or_absurd_candle(
    window: list[Candle], at: int, kind: str
) -> None:
    assert sound_tail(window, MINUTE_MS) == window
    spoiled = {
        "hole": [*window[:at], *window[at + 1 :]],
        "twin": [*window[: at + 1], *window[at:]],
        "absurd": [*window[:at], replace(window[at], volume=NAN), *window[at + 1 :]],
    }[kind]
    expected = window[at:] if kind == "twin" else window[at + 1 :]
    if kind == "hole" and at in (0, COUNT - 1):
        expected = spoiled
    assert sound_tail(spoiled, MINUTE_MS) == expected


def test_the_sound_tail_of_nothing_is_nothing() -> None:
    assert sound_tail([], MINUTE_MS) == []


def test_every_interval_has_its_minutes_and_unknown_ones_are_named() -> None:
    assert (
        " ".join(f"{name}={minutes}" for name, minutes in INTERVALS.items())
        == "1m=1 3m=3 5m=5 15m=15 30m=30 1h=60 2h=120 4h=240 6h=360 12h=720 1d=1440"
    )
    assert all(interval_ms(name) == minutes * MINUTE_MS for name, minutes in INTERVALS.items())
    assert MINUTE_MS == 60_000
    with pytest.raises(ValueError, match="unknown interval '7m': use one of 1m, 3m"):
        interval_ms("7m")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=10))
def test_a_number_survives_the_wire_exactly(value: Decimal) -> None:
    assert decimal_from_wire(format(value, "f")) == value


@pytest.mark.parametrize("text", ["0", "7", "-7", "+7", ".5", "0." + "1" * 38, "1e30", "1e-30", "-0"])
def test_the_shortest_longest_largest_and_smallest_numbers_are_read(text: str) -> None:
    assert decimal_from_wire(text) == Decimal(text)


NOT_NUMBERS: list[object] = [
    *("", "x", "NaN", "sNaN", "Infinity", "-inf", "1e400", "1e31", "1e-400", "0E-40", "1e99999999999999999999"),
    *("9" * 41, "0." + "1" * 39, "1,000", "1_000", "0x10", "--1", "1.2.3", " 1", "1\n", "１２", "٣"),
    *(None, 1, 1.5, True, b"1", Decimal(1), ["1"]),
]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_anything_but_a_short_plain_finite_number_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="number"):
        decimal_from_wire(text)
