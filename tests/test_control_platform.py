"""Platform settings on the operator's command line: strict words, money only by name, everything in the trail."""

import argparse
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.accounts.invites import code_sha256
from lib.bootstrap import PlatformControl
from lib.clock import SteppedClock
from lib.domain.account import PlatformLimits
from lib.domain.arena import Rules, Season, rules_text, seal_of
from lib.domain.platform_settings import BANNER, KRW_PER_USDT, LIMIT, REGISTRATION, Invite, Invites
from lib.domain.real_money import RealCap
from lib.ports.arena import ArenaSeasons
from lib.ports.people import InviteRefused
from lib.ports.real_money import RealCaps
from services.control_platform import ACTS, add_arguments
from tests.fakes.platform import MemoryPlatformBook

NOW = 1_790_000_000_000
WHO = "cli:kim@desk"
DAY_MS = 86_400_000


@pytest.fixture
def desk() -> PlatformControl:
    clock = SteppedClock(NOW)
    return PlatformControl(
        MemoryPlatformBook(clock), PlatformLimits(), clock, WHO, counts_cost=True, caps=Caps(), seasons=Seasons()
    )


class Seasons(ArenaSeasons):
    """One season at a time."""

    def __init__(self) -> None:
        self.known: Season | None = None

    def newest(self) -> Season | None:
        return self.known

    def begin(self, rules: Rules, at_ms: int) -> Season | None:
        if self.known is not None and self.known.is_open(at_ms):
            return None
        text = rules_text(rules)
        self.known = Season(1, at_ms, rules, text, seal_of(at_ms, text))
        return self.known

    def end(self, at_ms: int) -> Season | None:
        if self.known is None or not self.known.is_open(at_ms):
            return None
        self.known = replace(self.known, ended_ms=at_ms)
        return self.known


class Caps(RealCaps):
    """Keeps what was written."""

    def __init__(self) -> None:
        self.written: list[RealCap] = []

    def write(self, cap: RealCap) -> None:
        self.written.append(cap)


def do(desk: PlatformControl, *words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser.add_subparsers(dest="act", required=True))
    asked = parser.parse_args(words)
    return ACTS[asked.act](desk, asked)


def refused(desk: PlatformControl, *words: str) -> str:
    before = (desk.book.rows(), desk.book.changes(99))
    with pytest.raises(ValueError) as why:
        do(desk, *words)
    assert (desk.book.rows(), desk.book.changes(99)) == before
    return str(why.value)


def test_without_a_row_the_environment_is_shown(desk: PlatformControl) -> None:
    text = "\n".join(do(desk, "settings"))
    assert "registration      open" in text
    assert "guests            follow" in text
    assert "max_exposure     5000000  (environment)" in text
    assert "newest changes" not in text


def test_what_was_changed_is_shown_with_who_why_and_when(desk: PlatformControl) -> None:
    do(desk, "limit", "max_exposure", "1000", "--why", "quiet week")
    do(desk, "set", "registration", "invite", "--why", "full")
    text = "\n".join(do(desk, "settings"))
    assert "max_exposure     1000  (an operator; environment 5000000)" in text
    assert f"platform:limit:max_exposure default → 1000 · {WHO}: quiet week" in text
    assert f"2026-09-21 14:13:20 UTC  platform:registration default → invite · {WHO}: full" in text


def test_what_cannot_be_read_is_shown_to_be_so(desk: PlatformControl) -> None:
    for name in (REGISTRATION, BANNER, f"{LIMIT}max_exposure"):
        desk.book.change(name, "?", "a hand in the database", "")
    text = "\n".join(do(desk, "settings"))
    assert "registration      closed  ('?' cannot be read)" in text
    assert "banner            CANNOT BE READ" in text
    assert "max_exposure CANNOT BE READ: nothing is entered until it is set again" in text


@pytest.mark.parametrize("word", ["", "OPEN", "maybe"])
def test_a_door_is_set_by_its_own_words_alone(desk: PlatformControl, word: str) -> None:
    assert "open, invite, closed" in refused(desk, "set", "registration", word)
    assert "follow, open, closed" in refused(desk, "set", "guests", word)


def test_a_rate_for_won_is_set_shown_and_taken_away(desk: PlatformControl) -> None:
    do(desk, "set", "krw_per_usdt", "1390.5", "--why", "the week's mean")
    assert desk.book.rows() == {KRW_PER_USDT: "1390.5"}
    assert "krw_per_usdt      1390.5" in do(desk, "settings")
    for word in ("", "0", "1,390", "-5", "won"):
        assert "a number from 100 to 100000" in refused(desk, "set", "krw_per_usdt", word)
    do(desk, "set", "krw_per_usdt", "1390,2026-03-01=1402.5")
    assert "krw_per_usdt      1390,2026-03-01=1402.5" in do(desk, "settings")
    do(desk, "set", "krw_per_usdt", "default")
    assert desk.book.rows() == {}
    desk.book.change(KRW_PER_USDT, "?", "a hand in the database", "")
    assert "krw_per_usdt      CANNOT BE READ: no won are shown" in do(desk, "settings")


def test_a_season_of_the_arena_is_begun_with_its_rules_and_ended(desk: PlatformControl) -> None:
    assert "arena             open" in do(desk, "settings")
    [told] = do(desk, "arena-begin", "--days", "60", "--places", "50", "--why", "autumn")
    assert "2026-09-22 to 2026-11-21, 0 of 50 places taken, 5 a person, seal " in told
    assert told in do(desk, "settings")
    assert "a season runs" in refused(desk, "arena-begin", "--why", "again")
    assert "2026-09-21" in do(desk, "arena-end", "--why", "enough")[0]
    assert "no season runs" in refused(desk, "arena-end", "--why", "again")
    assert "28 to 365 days" in refused(desk, "arena-begin", "--days", "7", "--why", "short")
    do(desk, "set", "arena", "closed")
    assert "arena             closed" in do(desk, "settings")
    assert "open, closed" in refused(desk, "set", "arena", "maybe")


def test_setting_what_it_says_already_changes_nothing(desk: PlatformControl) -> None:
    do(desk, "set", "guests", "open")
    assert do(desk, "set", "guests", "open") == ["it says that already"]
    assert len(desk.book.changes(9)) == 1


def test_codes_are_shown_once_and_kept_as_hashes(desk: PlatformControl) -> None:
    told, *codes = do(desk, "invite", "--count", "3", "--days", "2")
    assert "2026-09-23 14:13:20 UTC" in told
    assert len(set(codes)) == 3
    assert isinstance(desk.book, MemoryPlatformBook)
    assert set(desk.book.box.rows) == {code_sha256(code) for code in codes}
    assert not any(code in str(desk.book.box.rows) for code in codes)
    desk.book.box.use(Invite(code_sha256(codes[0]), NOW + 2 * DAY_MS - 1))
    with pytest.raises(InviteRefused):
        desk.book.box.use(Invite(code_sha256(codes[1]), NOW + 2 * DAY_MS))
    assert desk.book.invites() == Invites(2, 1, 0)
    assert "invitations       2 good, 1 used, 0 over" in do(desk, "settings")


@pytest.mark.parametrize("words", [("--count", "0"), ("--count", "101"), ("--days", "0"), ("--days", "91")])
def test_invitations_are_few_and_end(desk: PlatformControl, words: tuple[str, str]) -> None:
    assert "1 to 100 invitations for 1 to 90 days" in refused(desk, "invite", *words)


def test_a_banner_is_said_in_both_languages_and_taken_away(desk: PlatformControl) -> None:
    do(desk, "banner", "--ko", "10시에 점검합니다", "--en", "Maintenance at 10")
    assert do(desk, "settings")[3:5] == ["banner            10시에 점검합니다", "banner            Maintenance at 10"]
    do(desk, "banner", "--off")
    assert desk.book.rows() == {}


@pytest.mark.parametrize("words", [(), ("--ko", "점검"), ("--en", "x"), ("--off", "--ko", "점검", "--en", "x")])
def test_a_banner_in_one_language_is_none(desk: PlatformControl, words: tuple[str, ...]) -> None:
    refused(desk, "banner", *words)


def test_a_stricter_limit_needs_its_reason_alone(desk: PlatformControl) -> None:
    do(desk, "limit", "max_exposure", "1000", "--why", "quiet week")
    do(desk, "limit", "max_exposure", "999.5", "--why", "quieter")
    assert desk.book.rows() == {f"{LIMIT}max_exposure": "999.5"}


@pytest.mark.parametrize(
    ("before", "value"), [(None, "5000001"), ("1000", "1001"), ("1000", "default"), ("?", "1"), ("?", "default")]
)
def test_a_looser_limit_is_refused_until_it_is_said_to_be_meant(
    desk: PlatformControl, before: str | None, value: str
) -> None:
    desk.book.change(f"{LIMIT}max_exposure", before, "before", "")
    words = ("limit", "max_exposure", value, "--why", "growing")
    assert "loosens: say --loosen" in refused(desk, *words)
    do(desk, *words, "--loosen")
    assert desk.book.rows().get(f"{LIMIT}max_exposure", "default") == value


def test_going_back_to_a_stricter_environment_loosens_nothing(desk: PlatformControl) -> None:
    strict = replace(desk, limits=PlatformLimits(max_exposure=Decimal(10)))
    desk.book.change(f"{LIMIT}max_exposure", "1000", "before", "")
    do(strict, "limit", "max_exposure", "default", "--why", "over")
    assert desk.book.rows() == {}


@pytest.mark.parametrize("value", ["1e9", "", "much", "9999999999999"])
def test_a_limit_is_never_set_to_what_does_not_read(desk: PlatformControl, value: str) -> None:
    assert "max_exposure must be a number" in refused(
        desk, "limit", "max_exposure", f"{value}x", "--why", "x", "--loosen"
    )


def test_a_limit_nobody_knows_can_only_be_taken_away(desk: PlatformControl) -> None:
    assert "there is no limit" in refused(desk, "limit", "max", "1", "--why", "x", "--loosen")
    desk.book.change(f"{LIMIT}max", "1", "a hand in the database", "")
    do(desk, "limit", "max", "default", "--why", "a slip", "--loosen")
    assert desk.book.rows() == {}


def test_a_cost_that_nothing_counts_is_no_limit(desk: PlatformControl) -> None:
    blind = replace(desk, counts_cost=False)
    assert "would count nothing" in refused(blind, "limit", "analyst_cost", "1", "--why", "x")
    do(desk, "limit", "analyst_cost", "1", "--why", "x")


def test_how_long_texts_stay_is_a_setting_like_the_others(desk: PlatformControl) -> None:
    assert "keep_texts_days   90" in do(desk, "settings")
    do(desk, "set", "keep_texts_days", "30", "--why", "the disk is small")
    assert "keep_texts_days   30" in do(desk, "settings")
    assert "from 7 to 3650, or 0 for ever" in refused(desk, "set", "keep_texts_days", "6")
    do(desk, "set", "keep_texts_days", "0")
    assert "keep_texts_days   for ever" in do(desk, "settings")
    do(desk, "set", "keep_texts_days", "default")
    assert "keep_texts_days   90" in do(desk, "settings")


def test_a_cap_of_real_money_is_written_by_name_with_a_reason(desk: PlatformControl) -> None:
    told = do(desk, "real-cap", "1", "200", "1", "150.5", "--why", "first week")
    assert "1 accounts, 200 USDT on each, 1 open, 150.5 USDT a day" in told[0]
    assert isinstance(desk.caps, Caps)
    assert desk.caps.written == [RealCap(1, Decimal(200), 1, Decimal("150.5"), f"{WHO}: first week")]


@pytest.mark.parametrize("words", [("0", "200", "1", "9"), ("1", "NaN", "1", "9"), ("1", "200", "1", "-1")])
def test_a_cap_that_caps_nothing_is_refused(desk: PlatformControl, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a cap has"):
        do(desk, "real-cap", "--why", "x", "--", *words)
    assert isinstance(desk.caps, Caps)
    assert desk.caps.written == []


def test_a_cap_without_a_reason_is_refused(desk: PlatformControl) -> None:
    with pytest.raises(ValueError, match="--why"):
        do(desk, "real-cap", "1", "200", "1", "9", "--why", " ")
