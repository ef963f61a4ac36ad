"""The way to real money on the key page: every gate with what to do, and the consent where it is the person's turn."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from app.ui.reasons import say_sentence
from lib.domain.real_money import RealFacts, RealGate, standings
from lib.queries.real import RealStanding
from tests.factories import T
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.worlds.real import nothing_known, open_facts


def standing(facts: RealFacts, *, consented: bool = False) -> RealStanding:
    return RealStanding(1, "mainnet", standings(facts), consented)


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
