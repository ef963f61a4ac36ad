"""Shadows on the strategy page: what became of today's turns, and every act with what was typed."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from lib.accounts.refusal import Refusal
from lib.domain import reason_codes as codes
from lib.domain.shadow import USUAL_CALLS, USUAL_USD, ShadowBudget
from lib.reason_text import said
from tests.pages.conftest import Visit
from tests.worlds.pages import OWNER


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_says_what_it_asks_what_it_cost_today_and_why_it_was_not_asked(visit: Visit, language: str) -> None:
    words = catalogue(language)
    at = visit("t-owner", "strategy", language)
    assert not at.exception
    told = [one.value for one in (*at.text, *at.caption, *at.markdown)]
    assert words["shadow.cost"].format(spent="$0.12", most="$0.25") in " ".join(told).replace("\\", "")
    assert any(said(codes.ANALYST_TIMEOUT(), language) in one for one in told)
    assert any(words["model.unknown"] in one for one in told)


def test_acts_go_to_the_desk_with_what_was_typed(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    done, person = staged.acts.done, OWNER.user_id
    at.button(key="shadows_stop_5").click().run()
    at.button(key="shadows_start_6").click().run()
    at.button(key="shadows_remove_6").click().run()
    assert done == [("stop_shadow", person, 5), ("start_shadow", person, 6), ("remove_shadow", person, 6)]
    at.number_input(key="shadows_calls_5").set_value(7)
    at.text_input(key="shadows_usd_5").set_value("1.5").run()
    at.button(key="shadows_save_5").click().run()
    assert done[-1] == ("shadow_budget", person, 5, ShadowBudget(7, Decimal("1.5")))
    at.text_input(key="shadows_usd_5").set_value("much").run()
    at.button(key="shadows_save_5").click().run()
    assert not done[-1][-1].is_offered


def test_one_is_added_of_a_version_a_model_or_both(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.selectbox(key="shadows_model").set_value("fast").run()
    at.button(key="shadows_add_this").click().run()
    usual = ShadowBudget(USUAL_CALLS, USUAL_USD)
    assert staged.acts.done[-1] == ("add_shadow", OWNER.user_id, 0, "fast", usual)
    at.selectbox(key="shadows_strategy").set_value(2).run()
    at.button(key="shadows_add_this").click().run()
    assert staged.acts.done[-1] == ("add_shadow", OWNER.user_id, 3, "fast", usual)
    staged.acts.answer = Refusal("refuse.shadow.same")
    at.button(key="shadows_add_this").click().run()
    assert catalogue("ko")["refuse.shadow.same"] in [one.value for one in at.toast]


def test_a_guest_is_told_that_there_are_none_for_them(visit: Visit) -> None:
    at = visit("t-guest", "strategy")
    assert catalogue("ko")["shadow.guest"] in [one.value for one in at.caption]
    assert [one.key for one in at.button if str(one.key).startswith("shadows_")] == []
