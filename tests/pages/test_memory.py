"""A memory test: its price and what must be known of it before, its badge beside the version, and whose it is."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import app.comparison
from app.i18n import catalogue
from app.ui.memory import answered_by, asked_before
from lib.accounts.quarantine import PastWish
from lib.accounts.refusal import Refusal
from lib.domain import reason_codes as codes
from lib.domain.day import DAY_MS
from lib.domain.reason import Reason
from lib.queries import MemoryResult
from lib.reason_text import said
from tests.pages.conftest import Visit
from tests.pages.test_results import markup
from tests.worlds import backtests as past_worlds
from tests.worlds.pages import HOSTILE, NOW_MS, OWNER

CLEAN, DATES = codes.MEMORY_CLEAN(windows=100), codes.MEMORY_DATES(share=Decimal("0.43"))
JOINER = "\u2060"
FOUND = MemoryResult(2, "default", "gpt-x", NOW_MS - DAY_MS, 100, (DATES,))


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No comparison is kept of another test."""
    monkeypatch.setattr(app.comparison, "_kept", type(app.comparison._kept)())


def words_of(at: AppTest) -> str:
    assert not at.exception
    return " ".join(one.value for one in (*at.markdown, *at.caption, *at.warning)).replace("\\", "").replace(JOINER, "")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("badges", "short"),
    [((DATES, CLEAN), "mem.found"), ((CLEAN,), "mem.clean"), ((codes.MEMORY_IDLE(acted=3, least=10),), "mem.open")],
)
def test_its_badge_stands_in_words_beside_the_version(
    visit: Visit, staged: SimpleNamespace, language: str, badges: tuple[Reason, ...], short: str
) -> None:
    staged.shelf.remembered = [replace(FOUND, badges=badges), replace(FOUND, version_id=77, badges=(CLEAN,))]
    told = words_of(visit("t-owner", "strategy", language))
    assert catalogue(language)[short] in told
    assert all(said(one, language)[1:].removesuffix(".") in told for one in badges)


def test_one_of_a_model_of_before_is_not_shown_as_current(visit: Visit, staged: SimpleNamespace) -> None:
    words = catalogue("en")
    staged.shelf.remembered = [replace(FOUND, asked="gpt-of-old"), replace(FOUND, model="gone", asked=HOSTILE[:20])]
    told = words_of(visit("t-owner", "strategy", "en"))
    assert words["mem.old_note"].format(asked="gpt-of-old") in told
    assert words["mem.found"] not in told
    assert "reads dates" not in told


def test_its_price_is_told_first_and_it_is_asked_on_confirmation_within_a_cap(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy", "en")
    at.selectbox(key="memory_model_2").set_value("fast").run()
    at.number_input(key="memory_windows_2").set_value(150).run()
    assert staged.acts.done == []
    at.button(key="memory_2_price").click().run()
    assert not at.exception
    name, person, wish = staged.acts.done[-1]
    assert (name, person) == ("offer_past", OWNER.user_id)
    assert (wish.kind, wish.version_id, wish.model, wish.windows, wish.most_usd) == ("memory", 2, "fast", 150, None)
    assert NOW_MS - 366 * DAY_MS < wish.until_ms <= NOW_MS - 365 * DAY_MS, "nobody says its cutoff"
    told = words_of(at)
    assert "900" in told
    assert "$1.83 to $3.37" in told
    assert catalogue("en")["bt.quarantine"] in told
    at.text_input(key="memory_2_cap").set_value("0,5").run()
    at.button(key="memory_2_ask").click().run()
    assert staged.acts.done[-1] == ("ask_past", OWNER.user_id, replace(wish, most_usd=Decimal("0.5")))
    assert "memory_2_ask" not in [one.key for one in at.button], "an offer is asked once"


@pytest.mark.parametrize(("typed", "calls"), [("120", 120), ("1.5", 0), ("1e99999999", 0), ("much", 0), ("", 0)])
def test_without_a_price_questions_are_capped(visit: Visit, staged: SimpleNamespace, typed: str, calls: int) -> None:
    at = visit("t-owner", "strategy", "en")
    at.button(key="memory_2_price").click().run()
    at.text_input(key="memory_2_cap").set_value(typed).run()
    at.button(key="memory_2_ask").click().run()
    assert not at.exception
    asked = staged.acts.done[-1][-1]
    assert isinstance(asked, PastWish)
    assert (asked.most_usd, asked.most_calls) == (None, calls)


def test_who_keeps_no_strategy_tests_the_original_design(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged.shelf, "strategies", lambda user_id: [])
    at = visit("t-owner", "strategy", "en")
    at.button(key="memory_0_price").click().run()
    assert not at.exception
    wish = staged.acts.done[-1][-1]
    assert (wish.kind, wish.version_id, wish.model) == ("memory", 0, "default")


def test_whoever_changes_the_question_is_told_its_price_anew(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy", "en")
    at.button(key="memory_2_price").click().run()
    assert at.button(key="memory_2_ask")
    at.number_input(key="memory_windows_2").set_value(300).run()
    assert "memory_2_ask" not in [one.key for one in at.button]


def test_one_under_way_says_how_far_it_is_at_its_stage(visit: Visit, staged: SimpleNamespace) -> None:
    words, wish = catalogue("en"), replace(past_worlds.WISH, kind="memory", version_id=2)
    running = past_worlds.line(7, wish=wish, state="running", stage="asking", done=450, whole=900, calls=450)
    staged.shelf.tested = [running]
    at = visit("t-owner", "strategy", "en")
    told = words_of(at)
    assert words["mem.runs"] in told
    assert "450 questions asked" in told
    assert f"{words['bt.stage_asking']} · Running · 50%" in [bar.proto.text for bar in at.get("progress")]
    staged.shelf.tested = [replace(running, wish=replace(wish, version_id=77))]
    assert words["mem.runs"] not in words_of(visit("t-owner", "strategy", "en")), "another version's"


def test_a_cap_under_which_all_can_be_asked_is_shown_and_not_filled_in(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy", "en")
    at.selectbox(key="memory_model_2").set_value("fast").run()
    at.button(key="memory_2_price").click().run()
    box = at.text_input(key="memory_2_cap")
    assert (box.value, box.placeholder) == ("", "for example 3.38")


def test_a_refusal_is_said_and_nothing_is_offered(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy", "en")
    staged.acts.answer = Refusal("refuse.model.gone")
    at.button(key="memory_2_price").click().run()
    assert catalogue("en")["refuse.model.gone"] in [one.value for one in at.toast]
    assert "memory_2_ask" not in [one.key for one in at.button]


@pytest.mark.parametrize(("token", "why"), [("t-demo", "refuse.read_only"), ("t-guest", "refuse.guest")])
def test_who_may_not_ask_is_told_why(visit: Visit, token: str, why: str) -> None:
    at = visit(token, "strategy", "ko")
    assert at.button(key="memory_2_price").disabled
    assert catalogue("ko")[why] in [one.value for one in at.caption]


def test_it_stands_where_the_version_of_a_shadow_is_chosen(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.remembered = [replace(FOUND, version_id=3, badges=(CLEAN,))]
    at = visit("t-owner", "strategy", "en")
    assert catalogue("en")["mem.clean"] not in words_of(at)
    at.selectbox(key="shadows_strategy").set_value(2).run()
    assert catalogue("en")["mem.clean"] in words_of(at)


def test_it_stands_on_the_card_of_its_version_and_model(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.remembered = [
        replace(FOUND, model="gone", asked="qwen2.5-coder:32b-instruct"),
        replace(FOUND, version_id=3, asked="older"),
    ]
    shown = markup(visit("t-owner", "compare", "en"))
    assert shown.count(catalogue("en")["mem.found"]) == 1
    assert "Reads dates: 43%" in shown
    assert "older" not in shown, "no card is of a model of that list's name"


def test_a_dated_answer_is_of_its_model_and_another_model_is_not() -> None:
    of_dated = answered_by([FOUND], 2, "gpt-x-2025-08-07")
    assert of_dated == FOUND == answered_by([FOUND], 2, "gpt-x")
    assert answered_by([FOUND], 2, "gpt-x-mini") is None
    assert answered_by([FOUND], 3, "gpt-x") is None
    assert asked_before([FOUND], 2, "gpt-y", {"default": "gpt-y"}) == FOUND
    assert asked_before([FOUND], 2, "gpt-y", {"default": "gpt-x"}) is None
