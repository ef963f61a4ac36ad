"""Models on the strategy page: the order that runs, own ones with keys that come back to no page, costs in numbers."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from lib.domain.model_profile import ModelProfile
from lib.domain.pricing import AnalystPrices
from tests.pages.conftest import Visit
from tests.worlds.pages import OWNER

KEY = "sk-typed-by-the-owner"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_order_prices_and_costs_stand_there_in_numbers(visit: Visit, language: str) -> None:
    words = catalogue(language)
    at = visit("t-owner", "strategy", language)
    assert not at.exception
    told = [one.value for one in (*at.text, *at.caption, *at.markdown)]
    assert f"1. gpt-x · {words['model.price_unknown']}" in told
    assert words["model.price"].format(input="1", output="2") in [one.split(" · ", 1)[-1] for one in told] or any(
        "$0.03" in one for one in told
    )
    assert any("••••9876" in one for one in told)


def test_a_chosen_order_becomes_the_settings_with_the_version_that_was_seen(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy")
    version = staged.shelf.choices.settings_version
    at.multiselect(key=f"models_{version}").set_value(["fast", "default"]).run()
    wanted = replace(staged.shelf.choices.settings, models=("fast", "default"))
    assert staged.acts.done == [("settings", OWNER.user_id, wanted, version)]


def test_an_own_model_is_saved_with_its_key_and_the_key_is_on_no_page_after(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy")
    typed = {"name": "mine", "shown": "Mine", "url": "https://api.example.com/v1/", "model": "gpt-x", "key": KEY}
    for name, value in {**typed, "input": "1", "output": "2", "day": "5"}.items():
        at.text_input(key=f"own_{name}_0").set_value(value)
    at.button(key="FormSubmitter:own_model_0-저장").click().run()
    prices = AnalystPrices(Decimal(1), Decimal(2))
    profile = ModelProfile("own/mine", "Mine", "https://api.example.com/v1", "gpt-x", prices, Decimal(5))
    assert staged.acts.done == [("save_model", OWNER.user_id, profile, KEY)]
    assert all(one.value != KEY for one in at.text_input)
    at.button(key="clear_key_mine").click().run()
    assert staged.acts.done[-1] == ("clear_model_key", OWNER.user_id, "own/mine")
    at.button(key="delete_mine").click().run()
    assert staged.acts.done[-1] == ("delete_model", OWNER.user_id, "own/mine")


def test_who_only_looks_can_change_nothing(visit: Visit) -> None:
    at = visit("t-demo", "strategy")
    assert all(one.disabled for one in at.multiselect if str(one.key).startswith("models_"))
    assert all(one.disabled for one in at.button if str(one.key).startswith(("delete_", "clear_key_")))


def caps(at: AppTest, words: Mapping[str, str]) -> list[str]:
    """What the bars of a person's cap say; others (of shadows) stand on the page too."""
    like = re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(words["model.cap"])))
    said = [bar.proto.text.replace("\\", "") for bar in at.get("progress")]
    return [one for one in said if like.fullmatch(one)]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_person_sees_the_cap_and_what_is_left_of_it(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    words = catalogue(language)
    assert not caps(visit("t-owner", "strategy", language), words)
    staged.shelf.cap = Decimal("0.5")
    told = words["model.cap"].format(used="$0.03", most="$0.50", left="$0.47")
    assert caps(visit("t-owner", "strategy", language), words) == [told]
    staged.shelf.cap = Decimal("0.01")
    at = visit("t-owner", "strategy", language)
    assert words["model.cap_none"] in [one.value for one in at.warning]
