"""The card of the open position: where it is liquidated, by whose word, and how far away that is."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.i18n import TONGUES, catalogue
from app.ui.cockpit import open_part, position_part, seen_chart
from lib.domain.instrument import Instrument
from tests.factories import instrument
from tests.web.conftest import HELD

RULES = instrument()
NOW = 1_760_000_000_000


def card(told: str | None, rules: Instrument | None = RULES, leverage: int | None = 8) -> dict[str, Any]:
    held = replace(HELD, liquidation=None if told is None else Decimal(told), leverage=leverage)
    shown, moving = position_part(held, rules, None, NOW), open_part(held, rules, Decimal(60_000))
    assert shown is not None
    assert moving is not None
    return {name: shown[name] for name in ("liquidation", "estimated")} | {"away": moving["to_liquidation"]}


def test_what_the_exchange_told_is_shown_as_its_own_with_its_distance_from_the_price() -> None:
    assert card("54000.5") == {"liquidation": "54,000.5", "estimated": False, "away": "-10.00%"}
    assert card("54000.5", rules=None, leverage=None)["liquidation"] == "54,000.5", "nothing of ours is needed for it"


def test_it_has_the_places_of_the_other_prices() -> None:
    assert card("304")["liquidation"] == "304.0"


def test_a_position_that_no_price_liquidates_has_none_in_every_language() -> None:
    none = {language: catalogue(language)["position.none"] for language in TONGUES}
    assert card("0") == {"liquidation": none, "estimated": False, "away": ""}


def test_until_the_exchange_told_one_it_is_an_estimate_and_says_so() -> None:
    found = card(None)
    assert (found["liquidation"], found["estimated"], found["away"]) == ("51,920.0", True, "-13.47%")


@pytest.mark.parametrize(("rules", "leverage"), [(None, 8), (RULES, None)])
def test_what_nobody_knows_is_a_dash(rules: Instrument | None, leverage: int | None) -> None:
    assert card(None, rules, leverage) == {"liquidation": "–", "estimated": False, "away": ""}


def test_the_chart_is_drawn_anew_when_the_exchange_tells_another_price() -> None:
    seen = [
        seen_chart(replace(HELD, liquidation=told)) for told in (None, Decimal(0), Decimal(54_000), Decimal(54_001))
    ]
    assert len(set(seen)) == len(seen)
