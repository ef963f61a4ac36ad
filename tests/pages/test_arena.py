"""The page of the arena: ranks by what is sure, nobody's name who left, one's own entries, and acts."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from lib.queries import ArenaView
from tests.pages.conftest import Visit
from tests.pages.test_results import markup
from tests.worlds.pages import HOSTILE, NOW_MS


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_board_says_who_is_sure_and_who_is_too_young(visit: Visit, language: str) -> None:
    at = visit("t-owner", "arena", language)
    assert not at.exception
    shown, words = markup(at), catalogue(language)
    assert HOSTILE[:24] not in shown, "somebody's name is no markup"
    heads = [one.value for one in at.subheader]
    assert [words[f"arena.{part}"] for part in ("yours", "ranked", "waiting", "beside", "left")] == heads
    assert shown.index("한강") < shown.index("blue whale") < shown.index("하루살이")
    assert shown.count("<strong>") == 3
    assert words["arena.more"].split("{n}")[0].strip() in shown
    assert words["arena.random"] in shown


def test_nobody_who_left_is_named_and_no_number_of_a_person_is_there(visit: Visit) -> None:
    shown = markup(visit("t-owner", "arena", "en"))
    assert "SECRET-NAME" not in shown
    assert catalogue("en")["arena.nobody"] in shown
    assert "@" not in shown.replace("@media", "").replace("@container", "")


def test_without_a_season_the_page_says_why(visit: Visit, staged: SimpleNamespace) -> None:
    for view, key in ((ArenaView(True, None, ()), "arena.none"), (ArenaView(False, None, ()), "arena.closed")):
        staged.readings.board = view
        at = visit("t-owner", "arena", "en")
        assert not at.exception
        assert catalogue("en")[key] in [one.value for one in at.info]
        assert not at.button


def test_a_season_nobody_entered_and_one_that_is_over_say_so(visit: Visit, staged: SimpleNamespace) -> None:
    view = staged.readings.board
    staged.readings.board = replace(view, entries=(), season=replace(view.season, ended_ms=NOW_MS))
    at = visit("t-owner", "arena", "en")
    assert [one.value for one in at.info] == [catalogue("en")[key] for key in ("arena.over", "arena.empty")]


def test_entering_renaming_and_leaving_are_asked_for(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "arena", "en")
    at.text_input(key="arena_wanted").input("Blue whale")
    next(one for one in at.button if one.label == catalogue("en")["arena.enter"]).click().run()
    at.text_input(key="arena_new_1").input("Whale")
    at.button(key="arena_rename_1").click().run()
    at.button(key="arena_leave_1").click().run()
    assert not at.exception
    names = [call[0] for call in staged.acts.done]
    assert names[-3:] == ["enter_arena", "rename_in_arena", "leave_arena"]


def test_a_guest_reads_and_is_told_why_not_more(visit: Visit) -> None:
    at = visit("t-guest", "arena", "en")
    assert not at.exception
    assert catalogue("en")["arena.guest"] in [one.value for one in at.caption]
    assert "한강" in markup(at)


def test_the_house_s_place_is_offered_to_operators_alone(visit: Visit) -> None:
    assert [one.key for one in visit("t-operator", "arena", "en").checkbox] == ["arena_house"]
    assert not visit("t-owner", "arena", "en").checkbox
