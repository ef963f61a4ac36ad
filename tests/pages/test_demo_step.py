"""From paper to demo trading on the key page: what is judged, what is missed, what is next, in both languages."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from lib.accounts.demo_step import WITHOUT
from lib.domain import reason_codes as codes
from lib.domain.reason import NOTHING
from lib.queries.demo_step import DemoStanding
from tests.factories import T
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.pages.test_real_money import told
from tests.worlds.real import SHOWN, passed

PAPER = DemoStanding(3, "paper", True, False, codes.DEMO_STRETCH_LACKING())
DEMO = replace(PAPER, venue="demo", can_learn=False)
LANGUAGES = pytest.mark.parametrize("language", ["ko", "en"])


@LANGUAGES
def test_on_paper_at_made_up_prices_the_page_says_that_nothing_can_be_learned(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    staged.shelf.lowest = replace(PAPER, can_learn=False)
    at = visit("t-owner", "api_keys", language)
    assert not at.exception
    assert catalogue(language)["demo_step.made_up"] in [each.value for each in at.info]
    assert "stretch_begin" not in {each.key for each in at.button}


@LANGUAGES
def test_on_paper_at_real_prices_a_stretch_is_begun(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    staged.shelf.lowest = PAPER
    key = next(iter(staged.readings.compares))
    staged.readings.running_strategy = lambda user_id: SimpleNamespace(version_id=key.version_id)
    at = visit("t-owner", "api_keys", language)
    assert key.model in told(at)
    at.button(key="stretch_begin").click().run()
    assert not at.exception
    [(what, _user_id, account_id, criteria)] = staged.acts.done
    assert (what, account_id, criteria.tries) == ("begin_on_paper", 3, 1)


def test_one_that_missed_says_what_and_one_under_way_is_not_begun_again(visit: Visit, staged: SimpleNamespace) -> None:
    now = staged.clock.now_ms()
    failed = replace(passed(now), measured=replace(SHOWN, broken=2))
    staged.shelf.lowest = replace(PAPER, stretches=(failed,))
    assert plain(say_sentence(codes.STRETCH_BROKEN(count=2), "en")) in told(visit("t-owner", "api_keys", "en"))
    staged.shelf.lowest = replace(PAPER, stretches=(replace(passed(now), ended_ms=0, measured=None),))
    assert "stretch_begin" not in {each.key for each in visit("t-owner", "api_keys").button}


@LANGUAGES
def test_in_demo_trading_it_says_what_is_missed_and_what_is_next_and_asks_for_the_sentence(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    staged.shelf.lowest = DEMO
    at, words = visit("t-owner", "api_keys", language), catalogue(language)
    assert plain(say_sentence(DEMO.why, language)) in told(at)
    assert words["demo_step.next"] in told(at)
    assert words["demo_step.without"] in [each.label for each in at.expander]
    at.text_input(key="demo_sentence").set_value(WITHOUT[language])
    next(each for each in at.button if each.label == words["stretch.do_without"]).click()
    at.run()
    assert not at.exception
    [(what, _user_id, typed)] = staged.acts.done
    assert (what, typed) == ("demo_without", WITHOUT[language])


def test_where_there_is_no_paper_the_next_thing_is_to_do_without(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.lowest, staged.venues = DEMO, ("demo",)
    assert catalogue("en")["demo_step.next_without"] in told(visit("t-owner", "api_keys", "en"))


def test_what_is_on_stays_on_and_asks_for_nothing(visit: Visit, staged: SimpleNamespace) -> None:
    words = catalogue("en")
    staged.shelf.lowest = replace(DEMO, is_on=True)
    at = visit("t-owner", "api_keys", "en")
    assert words["demo_step.on"] in told(at)
    assert words["demo_step.next"] not in told(at)
    assert words["demo_step.without"] not in [each.label for each in at.expander]


def test_in_demo_trading_one_that_missed_is_said_once(visit: Visit, staged: SimpleNamespace) -> None:
    failed = replace(passed(staged.clock.now_ms()), measured=replace(SHOWN, broken=2))
    why = codes.STRETCH_BROKEN(count=2)
    staged.shelf.lowest = replace(DEMO, stretches=(failed,), why=why)
    assert told(visit("t-owner", "api_keys", "en")).count(plain(say_sentence(why, "en"))) == 1


def test_what_is_open_has_nothing_to_do_without(visit: Visit, staged: SimpleNamespace) -> None:
    words = catalogue("en")
    staged.shelf.lowest = replace(DEMO, why=NOTHING, stretches=(passed(staged.clock.now_ms()),))
    at = visit("t-owner", "api_keys", "en")
    assert words["demo_step.open"] in told(at)
    assert words["stretch.passed"] in told(at)
    assert words["demo_step.without"] not in [each.label for each in at.expander]
    staged.shelf.lowest = replace(DEMO, why=NOTHING, overridden_until_ms=T)
    assert words["demo_step.overridden"].partition("{")[0] in told(visit("t-owner", "api_keys", "en"))


def test_nothing_of_it_is_shown_where_no_demo_trading_is_offered_or_no_step_is_left(
    visit: Visit, staged: SimpleNamespace
) -> None:
    title = catalogue("ko")["demo_step.title"]
    staged.shelf.lowest = None
    assert title not in tree(visit("t-owner", "api_keys"))
    staged.shelf.lowest, staged.venues = PAPER, ("paper",)
    assert title not in tree(visit("t-owner", "api_keys"))
