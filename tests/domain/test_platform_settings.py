"""What an operator sets is read strictly, and what cannot be read never loosens anything."""

import json
from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.account import PlatformLimits
from lib.domain.platform_settings import (
    ARENA,
    BANNER,
    BANNER_CHARS,
    GUESTS,
    KEEP_TEXTS_DAYS,
    KRW_PER_USDT,
    LIMIT,
    LIMIT_BOUNDS,
    REGISTRATION,
    Admission,
    ArenaDoor,
    Banner,
    GuestDoor,
    LimitOverrides,
    Registration,
    admission,
    arena_door,
    banner_text,
    is_arena_open,
    keep_texts_days,
    krw_rates,
    limit_overrides,
    loosens,
    read_banner,
    read_days,
    read_limit,
)
from lib.domain.won_rates import WonRate

D = Decimal
GARBAGE = (
    "", " ", "-1", "+5", "1e3", "1e400", "NaN", "Infinity", "0x10", "1_000", "1,000", "5 %", "5\n", "٥", "１", ".5",
    "5.", "0.000000001", "99999999999999", "null", "{}", "\x00",
)  # fmt: skip


def test_every_limit_of_the_platform_may_be_set_and_nothing_else() -> None:
    limits = {item.name for item in fields(PlatformLimits)} - {"unreadable"}
    assert set(LIMIT_BOUNDS) == limits


def test_the_limits_that_hold_without_a_word_are_within_their_bounds() -> None:
    usual = PlatformLimits()
    for name, bounds in LIMIT_BOUNDS.items():
        assert bounds.least <= getattr(usual, name) <= bounds.most


@pytest.mark.parametrize(
    ("name", "text", "figure"),
    [
        ("daily_loss", "0.03", D("0.03")),
        ("daily_loss", "0.5", D("0.5")),
        ("max_exposure", "25000.50", D("25000.50")),
        ("max_exposure", "0", D(0)),
        ("entries_per_day", "40", 40),
        ("analyst_failures", "1", 1),
        ("analyst_tokens", "10000000000", 10**10),
    ],
)
def test_a_limit_is_plain_digits_within_its_bounds(name: str, text: str, figure: Decimal | int) -> None:
    read = read_limit(name, text)
    assert read == figure
    assert type(read) is type(figure)


@pytest.mark.parametrize("name", LIMIT_BOUNDS)
@pytest.mark.parametrize("text", GARBAGE)
def test_a_limit_that_is_not_plain_digits_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_limit(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("daily_loss", "0.51"), ("analyst_failures", "0"), ("analyst_failures", "289"), ("entries_per_day", "4.0")],
)
def test_a_limit_out_of_its_bounds_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_limit(name, text)


def test_a_limit_nobody_knows_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"there is no limit 'daily'.*daily_loss, max_exposure"):
        read_limit("daily", "1")


def test_a_row_overrides_its_limit_alone() -> None:
    found = limit_overrides({f"{LIMIT}entries_per_day": "3", f"{LIMIT}max_exposure": "10.5", REGISTRATION: "closed"})
    usual = PlatformLimits(analyst_cost=D(7))
    assert found.over(usual) == PlatformLimits(entries_per_day=3, max_exposure=D("10.5"), analyst_cost=D(7))
    assert limit_overrides({}).over(usual) == usual


@given(st.text(max_size=20), st.sampled_from([*LIMIT_BOUNDS, "", "daily", "unreadable", "of"]))
def test_whatever_a_row_holds_it_is_read_within_its_bounds_or_named_unreadable(text: str, name: str) -> None:
    found = limit_overrides({f"{LIMIT}{name}": text})
    assert (name in found.unreadable) != (name in found.figures)
    limits = found.over(PlatformLimits())
    assert limits.unreadable == found.unreadable
    for known, bounds in LIMIT_BOUNDS.items():
        assert bounds.least <= getattr(limits, known) <= bounds.most


@given(st.sampled_from(GARBAGE), st.sampled_from(list(LIMIT_BOUNDS)))
def test_a_row_that_cannot_be_read_leaves_every_figure_where_it_was(text: str, name: str) -> None:
    strict = PlatformLimits(D(0), D(1), 2, 3, 4, D(5), 6, D(7), 0, 8, D(9), 10, D(11), 12, D(13), 14)
    found = limit_overrides({f"{LIMIT}{name}": text})
    assert found.over(strict) == replace(strict, unreadable=(name,))


@pytest.mark.parametrize(
    ("name", "before", "after", "is_looser"),
    [
        ("max_exposure", None, "5000000.01", True),
        ("max_exposure", None, "5000000", False),
        ("max_exposure", "10", None, True),
        ("max_exposure", "6000000", None, False),
        ("max_exposure", "?", "0", True),
        ("max_exposure", "?", None, True),
        ("max_exposure", "?", "?", True),
        ("max_exposure", "1", "?", False),
        ("unheard_of", "1", None, True),
        ("unheard_of", None, None, False),
    ],
)
def test_what_loosens_is_known(name: str, before: str | None, after: str | None, is_looser: bool) -> None:
    assert loosens(name, before, after, PlatformLimits()) is is_looser


def test_without_a_row_nothing_is_overridden() -> None:
    assert limit_overrides({BANNER: "x"}) == LimitOverrides()


def test_without_a_row_everybody_may_register_and_be_a_guest() -> None:
    assert admission({}) == Admission(Registration.OPEN, GuestDoor.FOLLOW)
    assert admission({}).takes_guests


@pytest.mark.parametrize(("rows", "is_open"), [({}, True), ({ARENA: "open"}, True), ({ARENA: "closed"}, False),
                                               ({ARENA: "Open"}, False), ({ARENA: ""}, False)])  # fmt: skip
def test_the_arena_is_open_until_a_row_says_otherwise(rows: dict[str, str], is_open: bool) -> None:
    assert is_arena_open(rows) is is_open
    assert (arena_door(rows) is ArenaDoor.OPEN) is is_open


@pytest.mark.parametrize("word", ["", "Open", "opened", "yes", "open ", "\x00"])
def test_a_word_nobody_knows_closes_its_door(word: str) -> None:
    assert admission({REGISTRATION: word, GUESTS: word}) == Admission(Registration.CLOSED, GuestDoor.CLOSED)


@pytest.mark.parametrize(
    ("registration", "guests", "may_come"),
    [
        ("open", "follow", True),
        ("invite", "follow", False),
        ("closed", "follow", False),
        ("closed", "open", True),
        ("open", "closed", False),
    ],
)
def test_guests_follow_registration_unless_their_door_says_otherwise(
    registration: str, guests: str, may_come: bool
) -> None:
    assert admission({REGISTRATION: registration, GUESTS: guests}).takes_guests is may_come


def test_a_banner_is_read_as_it_was_written_letter_by_letter() -> None:
    banner = Banner("점검: 10시 <b>10분</b> ⚠️", "Maintenance at 10 **now** [x](y)")
    assert read_banner({BANNER: banner_text(banner)}) == banner
    assert (banner.in_language("ko"), banner.in_language("en")) == (banner.ko, banner.en)


@pytest.mark.parametrize("line", ["", "  ", "a\nb", "a\tb", "a\u200bb", "a\u202eb", "x" * (BANNER_CHARS + 1)])
def test_a_banner_is_one_visible_line_in_each_language(line: str) -> None:
    for banner in (Banner(line, "en"), Banner("ko", line)):
        with pytest.raises(ValueError, match="one line"):
            banner_text(banner)
        assert read_banner({BANNER: json.dumps({"ko": banner.ko, "en": banner.en})}) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "{}", "null", "1",
        '{"ko":"a"}', '{"ko":"a","en":1}', '{"ko":null,"en":"b"}', '{"ko":{},"en":"b"}',
        '{"ko":"a","en":"b","x":"c"}', '{"ko":"a","en":"b","en":"c"}', '["ko","en"]', '[["ko","a"]]', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_banner_is_none(text: str) -> None:
    assert read_banner({BANNER: text}) is None


@pytest.mark.parametrize("figure", ["100", "1390", "1390.55", "100000"])
def test_won_for_one_usdt_are_plain_digits(figure: str) -> None:
    assert krw_rates({KRW_PER_USDT: figure}) == (WonRate(None, D(figure)),)


@pytest.mark.parametrize("figure", [*GARBAGE, "0", "99.99", "100000.1", "1390,1400", "2026-13-01=1390"])
def test_a_rate_that_cannot_be_meant_is_none(figure: str) -> None:
    assert krw_rates({KRW_PER_USDT: figure}) == ()


def test_without_a_row_there_is_no_rate() -> None:
    assert krw_rates({}) == ()


def test_texts_are_kept_for_so_many_days_and_for_ever_where_a_row_cannot_be_read() -> None:
    kept = {text: keep_texts_days({KEEP_TEXTS_DAYS: text}) for text in ("30", "0", "six", "6")}
    assert kept == {"30": 30, "0": 0, "six": 0, "6": 0}
    assert keep_texts_days({}) == 90


@pytest.mark.parametrize("wrong", ["6", "-1", "90.5", "99999", "²", ""])
def test_a_number_of_days_out_of_bounds_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="keep_texts_days"):
        read_days(wrong)
