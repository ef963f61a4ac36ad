"""Won by date: which rate holds on a day, what may be written, and no sum that lacks a rate."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.won_rates import MOST_RATES, WonRate, WonRates, WrongRate, read_lines, read_named, utc_day, written

D = Decimal
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
FIGURES = st.decimals(100, 100_000, places=4, allow_nan=False)
BOOKS = st.dictionaries(DAYS, FIGURES, max_size=8).map(
    lambda found: tuple(WonRate(day, found[day]) for day in sorted(found))
)
DAY_MS = 86_400_000


@given(own=BOOKS, platform=BOOKS, day=DAYS, always=st.none() | FIGURES)
def test_the_newest_of_ones_own_until_the_day_holds_else_the_platforms(
    own: tuple[WonRate, ...], platform: tuple[WonRate, ...], day: date, always: Decimal | None
) -> None:
    platform = platform if always is None else (WonRate(None, always), *platform)
    mine = [rate for rate in own if rate.day is not None and rate.day <= day]
    theirs = [rate for rate in platform if rate.day is None or rate.day <= day]
    known = mine or theirs
    assert WonRates(own, platform).on(day) == (known[-1] if known else None)


@given(BOOKS)
def test_what_is_written_is_read_again(rates: tuple[WonRate, ...]) -> None:
    assert read_lines(written(rates)) == rates
    named = ",".join(map(str, rates))
    assert not rates or read_named(named) == rates


def test_lines_come_from_spreadsheets_in_any_order() -> None:
    text = "2026-02-01\t1,438.50\r\n\n 2026-01-01, 1450 \n2026-03-01;1400"
    found = [(str(rate.day), rate.krw) for rate in read_lines(text)]
    assert found == [("2026-01-01", D(1450)), ("2026-02-01", D("1438.5")), ("2026-03-01", D(1400))]
    assert read_lines("") == ()


@pytest.mark.parametrize(
    "line",
    [
        "1390", "2026-01-01", "2026-1-1 1390", "2026-02-30 1390", "2026-01-01 99", "2026-01-01 100001", "x",
        "2026-01-01 1.390,5", "2026-01-01 -1390", "2026-01-01 1e3", "2026-01-01 ١٣٩٠", "2025-12-31 1400",
        "2026-01-01 NaN", "1999-01-01 1200", "2026-01-01 1390 x", "2026-01-01 1,39",
    ],
)  # fmt: skip
def test_what_is_no_rate_is_refused_by_its_line(line: str) -> None:
    with pytest.raises(WrongRate) as caught:
        read_lines(f"2025-12-31 1390\n\n{line}")
    assert caught.value.line == 3


def test_a_list_has_an_end() -> None:
    lines = [f"{date(2020, 1, 1) + timedelta(days=number)} 1390" for number in range(MOST_RATES + 1)]
    assert len(read_lines("\n".join(lines[:-1]))) == MOST_RATES
    with pytest.raises(WrongRate):
        read_lines("\n".join(lines))


def test_the_day_is_that_of_utc() -> None:
    assert utc_day(DAY_MS - 1) == date(1970, 1, 1)
    assert utc_day(DAY_MS) == date(1970, 1, 2)


@given(st.lists(st.tuples(st.integers(-1000, 1000).map(D), st.integers(0, 40)), max_size=6), BOOKS)
def test_a_sum_in_won_is_each_at_its_days_rate_or_none_at_all(
    amounts: list[tuple[Decimal, int]], own: tuple[WonRate, ...]
) -> None:
    rates = WonRates(own, (WonRate(date(1970, 1, 20), D(1000)),))
    told = rates.total((amount, day * DAY_MS) for amount, day in amounts)
    if any(day < 19 for _, day in amounts):
        assert told is None
    else:
        assert told == sum((amount * 1000 for amount, _ in amounts), D(0))
    assert WonRates().total([]) is None
