"""What asking a model about the past costs, whose budget it is, and which answer is the same."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import Prompt
from lib.domain.backtests import MOST_QUESTIONS, Wish, read_wish, wish_problem, wish_text
from lib.domain.day import DAY_MS
from lib.domain.input_blocks import BLINDFOLD
from lib.domain.model_profile import ModelProfile, cutoff_ms, flaw_of
from lib.domain.pricing import AnalystPrices
from lib.domain.quarantine import (
    DayUse,
    PastQuestion,
    Use,
    answer_key,
    asked_as,
    calls_of,
    days_to_remember,
    estimated_cost,
    over_day,
    over_job,
    stood,
    with_usage,
)
from lib.domain.reason import NOTHING
from lib.domain.strategy import DESIGN, written

D = Decimal
PROFILE = ModelProfile("big", "Big", "https://api.example.com/v1", "big-1", AnalystPrices(D(1), D(2)))
QUESTION = PastQuestion(0, 0, Prompt("s", "u", ""))
CONTENT = written(asked_as(DESIGN, "big"))
WISH = Wish(
    "model", "BTCUSDT", 0, 2 * DAY_MS, content=CONTENT, language="ko", model="big", most_calls=9, most_usd=D("1.50"),
    cadence_min=15,
)  # fmt: skip
LIMITS = PlatformLimits(
    past_calls=100, past_cost=D(2), past_person_calls=50, past_person_cost=D(1), past_unpriced_calls=10
)


def test_the_blindfold_is_on_whatever_a_version_is_shown() -> None:
    assert BLINDFOLD in asked_as(DESIGN, "").inputs
    assert asked_as(DESIGN, "big").chain == ("big",)


@pytest.mark.parametrize(
    "other",
    [
        answer_key(replace(PROFILE, model="big-2"), 0, QUESTION),
        answer_key(replace(PROFILE, base_url="https://other.example.com/v1"), 0, QUESTION),
        answer_key(PROFILE, 7, QUESTION),
        answer_key(PROFILE, 0, replace(QUESTION, again=1)),
        answer_key(PROFILE, 0, replace(QUESTION, prompt=Prompt("s", "v", ""))),
        answer_key(PROFILE, 0, replace(QUESTION, prompt=Prompt("t", "u", ""))),
        answer_key(PROFILE, 0, replace(QUESTION, prompt=Prompt("s", "u", "", 2))),
        answer_key(PROFILE, 0, replace(QUESTION, prompt=Prompt("su", "", ""))),
    ],
)
def test_another_model_or_word_is_another_answer(other: str) -> None:
    assert other != answer_key(PROFILE, 0, QUESTION)


def test_the_same_words_to_the_same_model_are_one_answer_whatever_the_list_calls_it() -> None:
    assert answer_key(PROFILE, 0, QUESTION) == answer_key(replace(PROFILE, name="other", shown="x"), 0, QUESTION)
    assert answer_key(PROFILE, 0, QUESTION) == answer_key(PROFILE, 0, replace(QUESTION, seq=8, t_ms=9))


def test_what_it_costs_is_a_range_or_not_known() -> None:
    cost = estimated_cost(PROFILE.prices, calls_of(WISH, 9), 1_000)
    assert cost.calls == 192
    assert cost.low is not None
    assert cost.high is not None
    assert 0 < cost.low < cost.high
    unknown = estimated_cost(AnalystPrices(), 5, 1_000)
    assert (unknown.low, unknown.high, unknown.tokens) == (None, None, cost.tokens) == (None, None, 1_000)
    assert calls_of(replace(WISH, kind="memory", windows=100), 9) == 900


def test_a_memory_test_is_over_the_last_days_the_model_may_have_read() -> None:
    cutoff, now = cutoff_ms("2024-06-30"), 20_600 * DAY_MS + 5
    assert cutoff is not None
    assert days_to_remember(cutoff, now) == (cutoff - 30 * DAY_MS, cutoff)
    assert days_to_remember(now + 9 * DAY_MS, now) == (20_570 * DAY_MS, 20_600 * DAY_MS), "days that are over"
    assert days_to_remember(None, now) == (20_205 * DAY_MS, 20_235 * DAY_MS), "a year ago"


def test_a_job_ends_before_it_could_cost_more_than_allowed() -> None:
    assert over_job(WISH, 8, D("1.4"), D("0.1")) == NOTHING
    assert over_job(WISH, 9, D(0), D(0)) == codes.PAST_CALLS_REACHED(limit=9)
    assert over_job(WISH, 1, D("1.45"), D("0.1")) == codes.PAST_USD_REACHED(limit=D("1.50"))
    assert over_job(replace(WISH, most_usd=None), 1, D(99), D(9)) == NOTHING


@pytest.mark.parametrize(
    ("used", "owner", "profile", "why"),
    [
        (DayUse(), 0, PROFILE, NOTHING),
        (DayUse(person=Use(50)), 0, PROFILE, codes.PAST_PERSON_REACHED()),
        (DayUse(everybody=Use(100)), 0, PROFILE, codes.PAST_PLATFORM_REACHED()),
        (DayUse(person=Use(1, D("0.95"))), 0, PROFILE, codes.PAST_PERSON_REACHED()),
        (DayUse(everybody=Use(1, D("1.95"))), 0, PROFILE, codes.PAST_PLATFORM_REACHED()),
        (DayUse(person=Use(1, D("0.95"))), 7, PROFILE, NOTHING),
        (DayUse(everybody=Use(9, unpriced=10)), 0, replace(PROFILE, prices=AnalystPrices()),
         codes.PAST_PLATFORM_REACHED()),
        (DayUse(everybody=Use(9, unpriced=9)), 0, replace(PROFILE, prices=AnalystPrices()), NOTHING),
        (DayUse(person=Use(1, D(9))), 0, replace(PROFILE, prices=AnalystPrices(free=True)), NOTHING),
        (DayUse(model=D("0.95")), 7, replace(PROFILE, day_usd=D(1)), codes.PAST_MODEL_DAY_REACHED(model="big")),
        (DayUse(model=D("0.85")), 7, replace(PROFILE, day_usd=D(1)), NOTHING),
    ],
)  # fmt: skip
def test_the_day_s_budgets_are_a_person_s_everybody_s_and_the_model_s(
    used: DayUse, owner: int, profile: ModelProfile, why: object
) -> None:
    assert over_day(LIMITS, used, profile, owner, D("0.1")) == why


def test_a_limit_that_cannot_be_read_lets_nothing_through() -> None:
    broken = replace(LIMITS, unreadable=("past_calls",))
    assert over_day(broken, DayUse(), PROFILE, 0, D(0)) == codes.PLATFORM_LIMIT_UNREADABLE()
    assert over_day(replace(LIMITS, unreadable=("daily_loss",)), DayUse(), PROFILE, 0, D(0)) == NOTHING


def test_who_pays_themselves_uses_calls_alone() -> None:
    used = with_usage(DayUse(), D("0.3"), 7, is_priced=False)
    assert (used.person, used.model) == (Use(1, D(0), 0), D("0.3"))
    used = with_usage(used, None, 0, is_priced=False)
    assert used.everybody == Use(2, D(0), 1)


@pytest.mark.parametrize(
    ("cutoff", "days", "when"),
    [
        ("", (0, 1), "unknown"),
        ("2024-06-30", (-9, 0), "before"),
        ("2024-06-30", (0, 9), "after"),
        ("2024-06-30", (-1, 1), "across"),
    ],
)
def test_days_lie_before_or_after_what_a_model_learnt_from(cutoff: str, days: tuple[int, int], when: str) -> None:
    end = cutoff_ms("2024-06-30") or 0
    assert stood(cutoff, end + days[0] * DAY_MS, end + days[1] * DAY_MS, end) == when


@pytest.mark.parametrize("text", ["2024-06", "2024-13-01", "1999-01-01", "2024-06-31", "x", "2024-06-30 "])
def test_a_cutoff_is_a_day(text: str) -> None:
    assert cutoff_ms(text) is None
    assert flaw_of(replace(PROFILE, cutoff=text)) == "cutoff"


def test_a_question_about_a_model_is_written_and_read_and_one_of_before_keeps_its_key() -> None:
    assert read_wish(wish_text(WISH)) == WISH
    assert "content" not in wish_text(Wish("rules", "BTCUSDT", 0, DAY_MS))
    assert wish_problem(WISH, 9 * DAY_MS) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": ""}, "content"),
        ({"language": "de"}, "content"),
        ({"model": ""}, "content"),
        ({"most_calls": 0}, "most_calls"),
        ({"most_calls": MOST_QUESTIONS + 1}, "most_calls"),
        ({"most_usd": D(0)}, "most_usd"),
        ({"windows": 100}, "windows"),
        ({"kind": "memory"}, "windows"),
    ],
)
def test_what_cannot_be_meant_names_its_field(changes: dict[str, object], field: str) -> None:
    assert wish_problem(replace(WISH, **changes), 9 * DAY_MS) == field  # type: ignore[arg-type]
