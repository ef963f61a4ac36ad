"""What opinions were worth, in words: on a decision whatever became of it, on results by version, without a verdict."""

import pytest

from app.i18n import catalogue
from tests.pages.conftest import Visit
from tests.pages.test_results import markup
from tests.worlds.pages import HOSTILE


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("log_id", "key"), [("56", "waits"), ("57", "gone"), ("58", "nothing"), ("58", "call_unknown"), ("59", "same")]
)
def test_a_decision_says_what_became_of_its_opinion(visit: Visit, log_id: str, key: str, language: str) -> None:
    at = visit("t-owner", "trade_logs", language, id=log_id)
    assert not at.exception
    assert catalogue(language)["worth.title"] in [caption.value for caption in at.caption]
    assert catalogue(language)[f"worth.{key}"] in [text.value for text in at.text]


def test_where_the_trade_came_to_something_else_the_causes_are_told(visit: Visit) -> None:
    said = [text.value for text in visit("t-owner", "trade_logs", "en", id="60").text]
    assert (
        "In at 64,120.5, out at 64,710.0 by its target after 55 min: +0.81% of the position (1.73\u00a0R), after fees, "
        "funding and the call on a 1,000 USDT position." in said
    )
    assert "The call cost $0.0002." in said
    assert (
        "Your own trade came to +0.712% before the call, the opinion alone to +0.809%. Why they differ: entry price, "
        "exit price." in said
    )


def test_results_have_a_card_for_each_version_and_no_verdict_while_there_are_few(visit: Visit) -> None:
    shown = markup(visit("t-owner", "results", "en"))
    assert HOSTILE not in shown, "somebody's name of a strategy is no markup"
    assert "40 scored" in shown
    assert "cannot tell yet: 15 decided" in shown.replace("Cannot", "cannot")
    assert "-0.050%" in shown
    assert "1,288 scored" in shown
    assert "cannot tell yet: 773" not in shown.replace("Cannot", "cannot")
    assert "$0.31 or more" in shown


def test_who_has_no_account_has_no_cards(visit: Visit) -> None:
    assert "scored" not in markup(visit("t-new", "results", "en")).replace(".scored", "")
