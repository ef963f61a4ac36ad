"""Markup and periods of results: escaped, of the person's days, and never past what it may show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LANGUAGES, catalogue
from app.ui.calendar import calendar_html, short_money
from app.ui.palette import palette
from app.ui.results import bars_html, figures_html, held, hit_bars, hours_html, net_bars, result_tiles
from app.ui.spans import MOST_DAYS, SPANS, period
from app.ui.tiles import tiles_html
from lib.domain.filled import filled
from lib.domain.performance import DayResult
from lib.domain.trip_groups import by_confidence, by_end, by_hour, by_side
from lib.domain.won_rates import WonRates, read_lines
from tests.worlds.results import results

D = Decimal
KST = timezone(timedelta(hours=9))
WORDS = {name: catalogue("en")[f"calendar.{name}"] for name in ("weekdays", "sunday_first", "older", "month", "months")}


def word(key: str, **params: object) -> str:
    template = catalogue("en").get(key, key)
    return filled(template, params) if params else template


ZONES = st.sampled_from([KST, UTC, ZoneInfo("Europe/Berlin")])


@given(st.sampled_from(list(SPANS)), st.integers(10**12, 3 * 10**12), ZONES)
def test_a_period_is_whole_days_of_the_persons_clock_and_ends_after_now(span: str, now_ms: int, zone: tzinfo) -> None:
    found = period(span, now_ms, zone)
    days = SPANS[span] or MOST_DAYS
    assert len(found.bounds) == days + 1
    assert list(found.bounds) == sorted(set(found.bounds))
    assert found.bounds[-2] <= now_ms < found.bounds[-1]
    assert found.since_ms == (found.bounds[0] if SPANS[span] else 0)
    for bound in (found.bounds[0], found.bounds[-1]):
        at = datetime.fromtimestamp(bound / 1000, zone)
        assert (at.hour, at.minute) == (0, 0)


def days(*results_: int, zone: tzinfo = KST) -> list[DayResult]:
    first = datetime(2026, 10, 30, tzinfo=zone)
    return [
        DayResult(round((first + timedelta(days=number)).timestamp() * 1000), D(result), D(result) / 100)
        for number, result in enumerate(results_)
    ]


def test_a_day_is_in_the_square_of_its_own_date_with_the_months_sum() -> None:
    html = calendar_html(days(5, -7, 12), KST, WORDS)
    november, october = html.split('<div class="month">')[1:]
    assert '<p>November 2026<b class="up">+12.00</b>' in november
    assert '<p>October 2026<b class="down">-2.00</b>' in october
    assert 'title="2026-10-31 -7.00 USDT (-7.00%)"' in october
    assert october.count('class="day"') == 29
    # 1 October 2026 is a Thursday: three blanks after Monday, four after Sunday
    assert october.count("<span></span>") == 3
    assert calendar_html(days(5), KST, WORDS | {"sunday_first": "yes"}).count("<span></span>") == 4


def test_a_month_is_told_in_won_at_the_rate_of_each_day_or_not_at_all() -> None:
    by_day = read_lines("2026-10-01 1000\n2026-11-01 2000")
    html = calendar_html(days(5, -7, 12), KST, WORDS, WonRates(by_day))
    november, october = html.split('<div class="month">')[1:]
    assert "<small>≈ -\N{NARROW NO-BREAK SPACE}₩2,000</small>" in october
    assert "<small>≈ ₩" in november
    assert "<small>" not in calendar_html(days(5, -7, 12), KST, WORDS, WonRates(by_day[1:])).split('"month"')[2]


def test_older_months_are_folded_away_and_a_year_fits() -> None:
    html = calendar_html(days(*range(-100, 265)), KST, WORDS)
    assert html.index("<details>") > html.index('class="month"')
    assert html.split("<details>")[0].count('<div class="month">') == 3
    assert calendar_html([], KST, WORDS) == '<div class="calendar"><div class="months"></div></div>'


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "+0"), ("3.24", "+3.2"), ("-45.6", "-46"), ("1234", "+1.2k"), ("-123456", "-123k"), ("999", "+999")],
)
def test_an_amount_fits_a_square(value: str, text: str) -> None:
    assert short_money(D(value)) == text


def test_whatever_words_come_in_are_escaped() -> None:
    hostile = '<script>"x"</script>'
    found = results(1)
    assert found is not None
    shown = [
        figures_html([(hostile, hostile, "")]),
        bars_html(net_bars(by_side(found.trips), lambda key: hostile, word)),
        tiles_html(result_tiles(found, word, lambda at: hostile), word, palette(rises_red=True)),
        calendar_html(days(1), KST, dict.fromkeys(WORDS, hostile) | {"month": "{name}", "months": f"{hostile} " * 12}),
    ]
    assert all("<script>" not in html for html in shown)


def test_groups_are_bars_and_hours_are_columns() -> None:
    found = results(1)
    assert found is not None
    bars = net_bars(by_end(found.trips), lambda end: word(f"end.{end}"), word)
    assert max(bar.share for bar in bars) == 1
    sure = hit_bars(by_confidence(found.trips), word)
    assert all(bar.mark is not None and 0 <= bar.share <= 1 for bar in sure)
    assert hours_html(by_hour(found.trips, 32_400), word).count("<span") == 24
    assert hours_html({}, word).count("<i") == 0
    assert bars_html([]) == '<div class="bars"></div>'


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("ms", "parts"), [(30_000, 1), (60_000, 1), (5_400_000, 2), (90_000_000, 2), (86_400_000, 1), (3_600_000, 1)]
)
def test_how_long_is_told_by_two_units_at_most(ms: int, parts: int, language: str) -> None:
    def told(key: str, **params: object) -> str:
        return filled(catalogue(language)[key], params)

    assert sum(part[0].isdigit() for part in held(ms, told).split()) == parts
    assert held(None, told) == "–"


def test_a_period_without_a_trip_has_dashes_and_no_error() -> None:
    found = results(1)
    assert found is not None
    bare = replace(
        found, figures=type(found.figures)(), trips=(), deepest=None, rates=WonRates(), points=found.points[:1]
    )
    tiles = {tile.key: tile for tile in result_tiles(bare, word, str)}
    assert (tiles["hit_rate"].value, tiles["profit_factor"].value, tiles["expectancy"].value) == ("–", "–", "–")
    assert tiles["deepest"].value == "0.00%"
