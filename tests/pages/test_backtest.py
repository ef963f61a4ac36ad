"""The backtest page asks, shows how far it is and what came of it, and tells how often was tried."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from lib.accounts.refusal import Refusal
from lib.domain import reason_codes as codes
from lib.domain.account import RiskLevel
from lib.domain.backtests import Wish, wish_problem
from lib.domain.day import DAY_MS
from lib.domain.filled import filled
from lib.domain.stored_reason import stored
from lib.queries import MemoryResult
from tests.pages.conftest import Visit
from tests.pages.test_pages import component, tree
from tests.pages.test_results import markup
from tests.worlds import backtests as samples
from tests.worlds.pages import HOSTILE, NOW_MS


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_result_is_shown_with_its_tries_and_its_gaps(visit: Visit, language: str) -> None:
    at = visit("t-owner", "backtest", language)
    assert not at.exception
    words = catalogue(language)
    told = tree(at)
    assert filled(words["bt.luck"], {"n": "7"}) in told
    assert "42%" in markup(at)
    assert filled(words["bt.gaps"], {"n": "80", "times": "2"}) in told
    assert component(at, "curve")["points"][0][1] == 10_000.0  # type: ignore[index]
    [table] = at.dataframe
    assert len(table.value) == 40


def test_a_question_is_asked_as_the_form_says(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "backtest", "en")
    at.number_input(key="bt_confidence").set_value(70.0)
    at.number_input(key="bt_leverage").set_value(3)
    at.date_input(key="bt_days").set_value((date(2025, 1, 1), date(2025, 1, 31)))
    at.button(key="bt_start").click().run()
    assert not at.exception
    name, _, wish = staged.acts.done[-1]
    assert name == "ask_backtest"
    assert isinstance(wish, Wish)
    assert (wish.kind, wish.leverage, wish.confidence, wish.days) == ("rules", 3, Decimal("0.7"), 31)
    assert wish_problem(replace(wish, since_ms=0, until_ms=DAY_MS), NOW_MS) is None, "nothing but days could be wrong"
    assert wish.level in RiskLevel
    assert at.query_params["run"] == ["9"] or at.query_params["run"] == "9"


def test_answers_are_asked_of_an_account(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "backtest", "en")
    at.segmented_control(key="bt_kind").set_value("answers").run()
    at.button(key="bt_start").click().run()
    assert not at.exception
    _, _, wish = staged.acts.done[-1]
    assert wish.kind == "answers"
    assert wish.account_id > 0


def test_half_a_span_asks_nothing(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "backtest", "en")
    at.date_input(key="bt_days").set_value((date(2025, 1, 1),))
    at.button(key="bt_start").click().run()
    assert not at.exception
    assert [act for act in staged.acts.done if act[0] == "ask_backtest"] == []


def test_what_runs_has_a_bar_and_can_be_cancelled(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.tested = [samples.RUNNING, samples.line()]
    at = visit("t-owner", "backtest", "en")
    assert not at.exception
    assert "Running · 41%" in tree(at)
    at.button(key="bt_cancel_5").click().run()
    assert staged.acts.done[-1][0] == "cancel_backtest"


def test_what_failed_says_why_and_can_be_deleted(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.tested = [samples.FAILED]
    at = visit("t-owner", "backtest", "en")
    assert "there are no candles of BTCUSDT on those days" in tree(at)
    at.button(key="bt_delete_2").click().run()
    assert staged.acts.done[-1][0] == "delete_backtest"


def test_a_link_is_made_told_once_and_taken_back(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "backtest", "en")
    at.button(key="bt_make").click().run()
    assert staged.acts.done[-1][:1] == ("share_backtest",)
    staged.shelf.tested = [samples.line(is_shown=True)]
    at.run()
    assert "/past?code=c0de" in tree(at)
    at.button(key="bt_hide").click().run()
    assert staged.acts.done[-1][0] == "unshare_backtest"


def test_nothing_asked_yet_is_a_form_alone(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.tested = []
    at = visit("t-owner", "backtest", "en")
    assert not at.exception
    assert len(at.dataframe) == 0


@pytest.mark.parametrize("run", ["x", "-1", "999999999999999999", "٣", HOSTILE])
def test_an_address_that_means_nothing_shows_the_newest(visit: Visit, run: str) -> None:
    at = visit("t-owner", "backtest", "en", run=run)
    assert not at.exception
    assert "42%" in markup(at)


def test_a_refusal_is_said(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "backtest", "en")
    staged.acts.answer = Refusal("refuse.backtest.one")
    at.button(key="bt_start").click().run()
    assert [toast.value for toast in at.toast] == [catalogue("en")["refuse.backtest.one"]]


def test_what_others_wrote_is_text(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.past = replace(samples.found(), result=samples.result(HOSTILE))
    at = visit("t-owner", "backtest", "en")
    assert not at.exception
    assert HOSTILE not in markup(at)


STAMP = {
    "name": "fast",
    "shown": HOSTILE,
    "asked": "gpt-x",
    "cutoff": "",
    "when": "unknown",
    "calls": 48,
    "usd": "0.0123",
}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_a_model_said_stands_under_its_stamp(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    staged.shelf.past = replace(samples.found(), result=samples.result() | {"quarantine": STAMP})
    at = visit("t-owner", "backtest", language)
    assert not at.exception
    [stamp] = at.warning
    assert catalogue(language)["bt.quarantine"] in stamp.value
    assert HOSTILE not in stamp.value, "what a model is called is no markup"
    told = " ".join(one.value for one in at.caption)
    assert "48" in told
    assert "0.0123" in told


def test_a_model_is_asked_by_version_days_and_cadence_after_its_price_was_told(
    visit: Visit, staged: SimpleNamespace
) -> None:
    staged.shelf.remembered = [MemoryResult(3, "fast", "gpt-x", NOW_MS, 100, (codes.MEMORY_CLEAN(windows=100),))]
    at = visit("t-owner", "backtest", "en")
    at.segmented_control(key="bt_kind").set_value("model").run()
    assert not at.exception
    assert "bt_start" not in [one.key for one in at.button], "nothing starts without a price"
    at.selectbox(key="bt_past_strategy").set_value(2).run()
    assert catalogue("en")["mem.clean"] in " ".join(one.value for one in at.markdown)
    at.selectbox(key="bt_past_model").set_value("fast")
    at.selectbox(key="bt_past_cadence").set_value(15)
    at.date_input(key="bt_past_days").set_value((date(2025, 1, 1), date(2025, 1, 2)))
    at.button(key="bt_past_price").click().run()
    assert not at.exception
    wish = staged.acts.done[-1][-1]
    assert (wish.kind, wish.version_id, wish.model, wish.cadence_min, wish.windows) == ("model", 3, "fast", 15, 0)
    assert (wish.until_ms - wish.since_ms, wish.balance, wish.most_usd) == (2 * DAY_MS, Decimal(10_000), None)
    assert catalogue("en")["bt.quarantine"] in at.warning[0].value, "the stamp stands there before"
    at.text_input(key="bt_past_cap").set_value("2").run()
    at.button(key="bt_past_ask").click().run()
    assert not at.exception
    assert staged.acts.done[-1] == ("ask_past", 1, replace(wish, most_usd=Decimal(2)))


def test_half_a_span_has_no_price(visit: Visit) -> None:
    at = visit("t-owner", "backtest", "en")
    at.segmented_control(key="bt_kind").set_value("model").run()
    at.date_input(key="bt_past_days").set_value((date(2025, 1, 1),)).run()
    assert not at.exception
    assert at.button(key="bt_past_price").disabled


@pytest.mark.parametrize(("token", "why"), [("t-demo", "refuse.read_only"), ("t-guest", "refuse.guest")])
def test_who_may_ask_no_model_is_told_why(visit: Visit, token: str, why: str) -> None:
    at = visit(token, "backtest", "ko")
    at.segmented_control(key="bt_kind").set_value("model").run()
    assert not at.exception
    assert at.button(key="bt_past_price").disabled
    assert catalogue("ko")[why] in [one.value for one in at.caption]


def test_one_that_ended_early_goes_on(visit: Visit, staged: SimpleNamespace) -> None:
    wish = replace(samples.WISH, kind="model", model="fast", version_id=3, most_calls=9)
    staged.shelf.tested = [samples.line(4, wish=wish, state="cancelled", earned=None, calls=3, stage="asking")]
    at = visit("t-owner", "backtest", "en")
    at.button(key="bt_again_4").click().run()
    assert not at.exception
    assert staged.acts.done[-1] == ("ask_past_again", 1, wish)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_a_memory_test_found_has_its_badge_its_windows_and_no_limits(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    wish = replace(samples.WISH, kind="memory", windows=100, until_ms=samples.WISH.since_ms + DAY_MS)
    badges = [stored(codes.MEMORY_DATES(share=Decimal("0.48"))), stored(codes.MEMORY_CLEAN(windows=100))]
    staged.shelf.tested, staged.shelf.past = [samples.line(wish=wish)], samples.found(result={"badges": badges})
    words, at = catalogue(language), visit("t-owner", "backtest", language)
    assert not at.exception
    asked = next(one.value for one in at.text if "BTCUSDT" in one.value)
    assert f"BTCUSDT · 2024-10-04 · {filled(words['bt.windows'], {'n': '100'})}" in asked, "one day is said once"
    told = " ".join(one.value for one in at.markdown)
    assert words["mem.found"] in told.replace("\\", "")
    assert "48%" in told
