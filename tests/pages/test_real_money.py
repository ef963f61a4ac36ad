"""The way to real money on the key page: every gate with what to do, and the consent where it is the person's turn."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.real_money import RealFacts, RealGate, standings
from lib.domain.stretch import DAY_MS, seal_of
from lib.queries.real import RealStanding
from tests.factories import T
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.worlds.real import SHOWN, nothing_known, open_facts, passed


def standing(facts: RealFacts, *, consented: bool = False, venue: Venue = "mainnet") -> RealStanding:
    return RealStanding(1, venue, standings(facts), consented, tuple(facts.stretches))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_gate_is_listed_with_what_to_do_about_it(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    staged.shelf.real = standing(nothing_known(T))
    at, words = visit("t-owner", "api_keys", language), catalogue(language)
    shown = "\n".join(each.value for each in (*at.markdown, *at.caption))
    for each in staged.shelf.real.gates:
        assert words[f"real.gate.{each.gate.value}"] in shown
        assert say_sentence(each.why, language) in shown
    assert "real_sentence" not in {field.key for field in at.text_input}, "first the second factor"
    assert not at.exception


def test_who_has_a_second_factor_is_asked_for_the_sentence(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.real = standing(replace(nothing_known(T), has_factor=True))
    at = visit("t-owner", "api_keys")
    assert "real_sentence" in {field.key for field in at.text_input}
    assert not at.exception


def test_a_consent_that_stands_can_be_taken_back(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.real = standing(open_facts(), consented=True)
    at = visit("t-owner", "api_keys")
    assert at.button(key="real_withdraw").label == catalogue("ko")["real.withdraw"]
    assert len(staged.shelf.real.gates) == len(RealGate)


def test_accounts_without_real_money_show_nothing_of_it(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.real = RealStanding(1, "demo", standings(nothing_known(T)), consented=False)
    assert catalogue("ko")["real.title"] not in tree(visit("t-owner", "api_keys"))


# --- the stretch of evidence ------------------------------------------------------------------------------------------


def told(at: AppTest) -> str:
    """Everything the cards say."""
    return "\n".join(each.value for each in (*at.markdown, *at.caption, *at.warning, *at.text))


def running(now: int = T, **changes: object) -> RealFacts:
    """Open but for a stretch that is under way."""
    one = replace(passed(now), ended_ms=0, measured=None, **changes)  # type: ignore[arg-type]
    return replace(open_facts(now), stretches=(replace(one, seal=seal_of(one)),))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_stretch_is_begun_by_criteria_from_the_record(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    staged.shelf.real = standing(nothing_known(T))
    key = next(iter(staged.readings.compares))
    staged.readings.running_strategy = lambda user_id: SimpleNamespace(version_id=key.version_id)
    at = visit("t-owner", "api_keys", language)
    assert not at.exception
    assert at.button(key="stretch_begin").label == catalogue(language)["stretch.begin"]
    assert key.model in told(at)


def test_one_that_waits_for_its_seal_can_be_neither_begun_again_nor_overridden(
    visit: Visit, staged: SimpleNamespace
) -> None:
    waiting = replace(passed(), begun_ms=0, seal="", ended_ms=0, measured=None)
    staged.shelf.real = standing(replace(open_facts(), stretches=(waiting,)))
    at = visit("t-owner", "api_keys")
    assert catalogue("ko")["stretch.waits"] in told(at)
    assert not {"stretch_begin", "stretch_sentence"} & {each.key for each in (*at.button, *at.text_input)}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_one_under_way_shows_its_seal_and_how_to_do_without(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    facts = running()
    staged.shelf.real = standing(facts)
    at = visit("t-owner", "api_keys", language)
    assert not at.exception
    assert facts.stretches[0].seal[:12] in told(at)
    assert catalogue(language)["stretch.without"] in [each.label for each in at.expander]
    assert "stretch_begin" not in {each.key for each in at.button}


def test_an_override_is_told_with_its_end_and_what_missed_by_name(visit: Visit, staged: SimpleNamespace) -> None:
    now = staged.clock.now_ms()
    staged.shelf.real = standing(running(now, overridden_ms=now - 1))
    assert "stretch_sentence" not in {each.key for each in visit("t-owner", "api_keys").text_input}
    failed = replace(passed(now), measured=replace(SHOWN, broken=2))
    staged.shelf.real = standing(replace(open_facts(now), stretches=(failed,)))
    at = visit("t-owner", "api_keys", "en")
    assert plain(say_sentence(codes.STRETCH_BROKEN(count=2), "en")) in told(at)


def test_one_whose_days_are_over_waits_for_its_judgement(visit: Visit, staged: SimpleNamespace) -> None:
    now = staged.clock.now_ms()
    staged.shelf.real = standing(running(now))
    assert catalogue("en")["stretch.judging"] in told(visit("t-owner", "api_keys", "en"))
    begun = replace(passed(now), begun_ms=now - 5 * DAY_MS, ended_ms=0, measured=None)
    staged.shelf.real = standing(replace(open_facts(now), stretches=(replace(begun, seal=seal_of(begun)),)))
    assert catalogue("en")["stretch.judging"] not in told(visit("t-owner", "api_keys", "en"))


def test_where_nothing_waits_for_evidence_there_is_nothing_to_do_without(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.real = standing(running(staged.clock.now_ms()), venue="demo")
    at = visit("t-owner", "api_keys", "en")
    assert catalogue("en")["stretch.title"] in told(at)
    assert catalogue("en")["stretch.without"] not in [each.label for each in at.expander]


def test_in_demo_trading_the_stretch_stands_by_itself(visit: Visit, staged: SimpleNamespace) -> None:
    now = staged.clock.now_ms()
    staged.shelf.real = standing(open_facts(now), venue="demo")
    at = visit("t-owner", "api_keys", "en")
    assert catalogue("en")["stretch.passed"] in told(at)
    assert catalogue("en")["real.title"] not in tree(at)
