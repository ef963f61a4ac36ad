"""The arena's law: sealed rules, names, who has a rank and which, and that no way round raises one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.arena import (
    DAY_MS,
    LEAST_DAYS,
    LEAST_DECIDED,
    Bound,
    Entry,
    Rules,
    Season,
    Standing,
    board,
    is_public_name,
    name_key,
    read_rules,
    read_standing,
    rules_text,
    seal_of,
    standing_text,
)

D = Decimal
BEGUN = 20_000 * DAY_MS + 5
RULES = Rules(60, 100, 5)


def season(rules: Rules = RULES, ended_ms: int = 0) -> Season:
    """One that began a moment after midnight."""
    text = rules_text(rules)
    return Season(1, BEGUN, rules, text, seal_of(BEGUN, text), ended_ms)


def standing(low: str | None = "0.001", *, decided: int = 200, days: int = 20) -> Standing:
    """One with a lower bound, or without."""
    net = None if low is None else Bound(D(low) + D("0.001"), D(low), D(low) + D("0.002"))
    said = codes.EVIDENCE_FEW_DAYS(days=days, least=LEAST_DAYS)
    return Standing(BEGUN, days, 2 * decided, decided, net, net, D("-0.0002"), D("0.0004"), D("0.03"), said)


def entry(place: int, low: str | None = "0.001", **more: object) -> Entry:
    """The entry at *place*."""
    made = Entry(place, 1, place, 1, "rules", place, f"name {place}", False, BEGUN, standing=standing(low))
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_season_is_whole_days_from_the_next_midnight_on() -> None:
    one = season()
    assert one.first_ms == 20_001 * DAY_MS
    assert one.until_ms == 20_061 * DAY_MS
    assert one.is_sealed
    assert one.is_open(one.until_ms - 1)
    assert not one.is_open(one.until_ms)
    ended = season(ended_ms=20_010 * DAY_MS + 7)
    assert ended.until_ms == 20_010 * DAY_MS
    assert not ended.is_open(BEGUN)


def test_rules_are_read_as_they_were_sealed_and_no_other_way() -> None:
    assert read_rules(rules_text(RULES)) == RULES
    loosened = replace(season(), rules=Rules(60, 400, 5))
    assert not loosened.is_sealed
    assert not loosened.is_open(BEGUN)
    assert not replace(season(), begun_ms=BEGUN - DAY_MS).is_sealed
    assert not season(Rules(60, 1, 5)).is_sealed


@pytest.mark.parametrize("rules", [Rules(27, 100, 5), Rules(366, 100, 5), Rules(60, 401, 5), Rules(60, 9, 0)])
def test_rules_have_bounds(rules: Rules) -> None:
    assert not rules.is_lawful


@pytest.mark.parametrize("name", ["Kim", "한강", "blue whale 7", "코끼리·2"])
def test_names_people_may_have(name: str) -> None:
    assert is_public_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a", "x" * 25, " Kim", "Kim ", "Ki\u200bm", "kim@example.com", "kim＠x.kr", "a/b", "Maemae", "운 영 자",
     "OPERATOR", "..", "\u3164\u3164"],
)  # fmt: skip
def test_names_nobody_may_have(name: str) -> None:
    assert not is_public_name(name)


def test_one_name_however_it_is_spelt() -> None:
    assert {name_key(one) for one in ("Blue Whale", "blue-whale", "ＢＬＵＥ　whale", "BLUE.WHALE")} == {"bluewhale"}


def test_a_standing_is_read_as_it_was_kept() -> None:
    for one in (standing(), standing(None)):
        assert read_standing(standing_text(one)) == one


def test_what_is_missing_for_a_rank_is_told_in_days() -> None:
    assert standing(None, decided=20, days=4).more_days == 16
    assert standing(None, decided=90, days=4).more_days == LEAST_DAYS - 4
    assert standing(None, decided=LEAST_DECIDED, days=13).more_days == 1
    assert standing(None, decided=0, days=4).more_days is None
    assert standing(None, decided=1, days=0).more_days is None


def test_the_surest_is_first_and_equal_bounds_share_a_rank() -> None:
    told = board([entry(1, "0.001"), entry(2, "0.003"), entry(3, "0.001"), entry(4, "-0.002")])
    assert [(one.rank, one.entry.place) for one in told.ranked] == [(1, 2), (2, 1), (2, 3), (4, 4)]


def test_a_greater_mean_with_less_certainty_is_behind() -> None:
    sure = standing("0.001")
    shining = replace(sure, net=Bound(D("0.05"), D("-0.02"), D("0.12")))
    told = board([entry(1, standing=shining), entry(2, standing=sure)])
    assert [one.entry.place for one in told.ranked] == [2, 1]


def test_who_cannot_be_told_yet_stands_in_order_of_entry_and_house_and_leavers_apart() -> None:
    told = board(
        [
            entry(5, None),
            entry(2, standing=None),
            entry(1, "9", house=True),
            entry(3, "8", left_ms=BEGUN + DAY_MS),
            entry(4, "0.001"),
        ]
    )
    assert [one.place for one in told.waiting] == [2, 5]
    assert [one.entry.place for one in told.ranked] == [4]
    assert [one.place for one in told.house] == [1]
    assert [one.place for one in told.left] == [3]
    assert (told.random, told.long) == (D("-0.0002"), D("0.0004"))


def test_without_decisions_there_is_no_reference() -> None:
    assert board([entry(1, standing=None)]).random is None
    assert board([]).long is None


def test_an_entry_counts_from_its_first_whole_day_to_its_last() -> None:
    one = entry(1, entered_ms=20_005 * DAY_MS + 1)
    assert one.from_ms == 20_006 * DAY_MS
    assert one.until_ms(season()) == season().until_ms
    assert replace(one, left_ms=20_010 * DAY_MS + 9).until_ms(season()) == 20_010 * DAY_MS


lows = st.one_of(st.none(), st.integers(-50, 50).map(lambda n: str(D(n) / 10_000)))


@given(st.lists(lows, min_size=1, max_size=12), st.data())
def test_leaving_and_coming_back_never_raises_a_rank(drawn: list[str | None], data: st.DataObject) -> None:
    entries = [entry(number + 1, low) for number, low in enumerate(drawn)]
    before = {one.entry.place: one.rank for one in board(entries).ranked}
    place = data.draw(st.integers(1, len(entries)))
    away = [replace(one, left_ms=BEGUN + 1) if one.place == place else one for one in entries]
    assert place not in {one.entry.place for one in board(away).ranked}
    back = [replace(one, left_ms=0, name="anew") if one.place == place else one for one in away]
    after = {one.entry.place: one.rank for one in board(back).ranked}
    assert after == before
    fresh = [*away, entry(len(entries) + 1, standing=None)]
    assert len(entries) + 1 not in {one.entry.place for one in board(fresh).ranked}
