"""How a provider is asked: what is learnt and remembered, what the operator set, what a refusal does not change."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.openai.memory import Memory
from lib.adapters.openai.profile import (
    FORMATS,
    MOST_TOKENS,
    Profile,
    Wishes,
    after_cut,
    fields_of,
    first_profile,
    from_text,
    profile_key,
    summary,
    to_text,
    wished,
)
from lib.adapters.openai.refusal import Trouble
from lib.adapters.openai.stepping import step_down
from lib.adapters.sql.forms.analyst_profiles import SqlAnalystProfiles
from lib.domain.analyst_call import Prompt
from lib.domain.errors import Retry
from lib.queries.analyst import AnalystReadings
from lib.queries.values import AnalystProfile
from tests.fakes.market import MemoryCandleStore

URL, MODEL = "https://api.provider.test/v1", "some-model"
PROMPT = Prompt("You trade.", "{}", MODEL)
PLAIN = Profile()

any_profile = st.builds(
    Profile,
    format=st.sampled_from(FORMATS),
    cap_field=st.sampled_from(["max_completion_tokens", "max_tokens", ""]),
    max_tokens=st.integers(128, 8_000),
    ceiling=st.integers(8_000, 1_000_000),
    store=st.booleans(),
    effort=st.sampled_from(["", "low", "high"]),
    no_effort=st.booleans(),
    merged=st.booleans(),
)


def refused(body: Any, status: int = 400) -> Trouble:
    return Trouble(status, body)


@given(any_profile)
def test_a_profile_comes_back_from_its_text(profile: Profile) -> None:
    assert from_text(to_text(profile)) == profile


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", "{}", '"x"', to_text(PLAIN)[:-5]),
        to_text(PLAIN).replace("json_schema", "yaml"),
        to_text(PLAIN).replace("max_completion_tokens", "n"),
        to_text(PLAIN).replace("2000", '"2000"'),
        to_text(PLAIN).replace("2000", "1"),
        to_text(PLAIN).replace("2000", "99000000"),
    ],
)
def test_what_cannot_be_read_is_no_profile(text: str) -> None:
    assert from_text(text) is None


def test_store_is_said_only_where_it_is_known() -> None:
    for url in ("https://api.openai.com/v1", "https://name.openai.azure.com/openai/v1"):
        assert fields_of(first_profile(url, Wishes()), PROMPT)["store"] is False
    for url in (URL, "https://api.openai.com.evil.test/v1", "http://127.0.0.1:11434/v1"):
        assert "store" not in fields_of(first_profile(url, Wishes()), PROMPT)


def test_no_temperature_and_no_effort_are_sent_unless_they_are_wanted() -> None:
    asked = fields_of(first_profile(URL, Wishes()), PROMPT)
    assert asked.keys() == {"model", "messages", "response_format", "max_completion_tokens"}
    assert fields_of(first_profile(URL, Wishes(effort="low")), PROMPT)["reasoning_effort"] == "low"
    assert "reasoning_effort" not in fields_of(first_profile(URL, Wishes(effort="off")), PROMPT)


@given(
    any_profile, st.sampled_from(["", *FORMATS]), st.sampled_from(["", "off", "high"]), st.sampled_from([0, 900, 9_000])
)
def test_what_the_operator_set_stands_inside_the_models_own_cap(
    profile: Profile, form: Any, effort: str, tokens: int
) -> None:
    made = wished(profile, Wishes(form, effort, tokens))
    assert made.format == (form or profile.format)
    assert made.max_tokens == min(tokens or profile.max_tokens, profile.ceiling)
    if profile.no_effort or effort == "off":
        assert made.effort == ""


def test_a_format_the_operator_set_is_not_given_up() -> None:
    trouble = refused({"error": {"message": "response_format json_schema is not supported"}})
    assert step_down(PLAIN, trouble, Wishes()) == (replace(PLAIN, format="json_object"), "response_format")
    assert step_down(PLAIN, trouble, Wishes("json_schema")) is None


def test_an_answer_that_was_cut_asks_for_more_then_for_less_thought_and_then_for_nothing() -> None:
    profile, seen = PLAIN, []
    while (after := after_cut(profile, Wishes())) != profile:
        profile = after
        seen.append((profile.max_tokens, profile.effort))
    assert seen == [(4_000, ""), (8_000, ""), (8_000, "low")]
    assert seen[-1][0] == MOST_TOKENS
    assert after_cut(PLAIN, Wishes(max_tokens=2_000)) == PLAIN
    capped = replace(PLAIN, max_tokens=1_024, ceiling=1_024)
    assert after_cut(capped, Wishes()) == replace(capped, effort="low")
    assert after_cut(replace(capped, no_effort=True), Wishes()) == replace(capped, no_effort=True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            {
                "error": {
                    "message": "Your credit balance is too low to access the API.",
                    "type": "invalid_request_error",
                }
            },
        ),
        (400, {"error": {"message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}),
        (400, {"error": {"message": "Invalid model: some-model is unknown", "type": "invalid_request_error"}}),
        (400, {"error": {"message": "content_policy_violation: unsupported"}}),
        (400, {"error": {"message": "no"}}),
        (400, "the request was blocked"),
        (401, {"error": {"message": "response_format"}}),
        (402, {"error": {"message": "max_tokens"}}),
        (403, {"error": {"message": "unsupported parameter"}}),
        (404, {"error": {"message": "The model `some-model` does not exist", "code": "model_not_found"}}),
        (404, "404 page not found"),
        (429, {"error": {"message": "max_tokens per minute"}}),
        (500, {"error": {"message": "internal error"}}),
        (503, {"error": {"message": "response_format"}}),
        (
            400,
            {
                "error": {
                    "message": "request (12031 tokens) exceeds the available context size (8192 tokens)",
                    "type": "exceed_context_size_error",
                }
            },
        ),
    ],
)
def test_a_refusal_that_no_field_would_mend_changes_nothing(status: int, body: Any) -> None:
    assert step_down(PLAIN, refused(body, status), Wishes()) is None


@given(any_profile, st.text(max_size=200) | st.sampled_from(["store", "max_tokens is too large", "json", "parameter"]))
def test_steps_only_go_down_and_come_to_an_end(profile: Profile, words: str) -> None:
    for _ in range(40):
        stepped = step_down(profile, refused({"error": {"message": words}}), Wishes())
        if stepped is None:
            return
        after, _ = stepped
        assert after != profile
        assert FORMATS.index(after.format) >= FORMATS.index(profile.format)
        assert after.max_tokens <= profile.max_tokens
        assert after.max_tokens >= 64 or after.max_tokens == profile.max_tokens
        profile = after
    pytest.fail("the steps do not end")


class Shelf:
    """`lib.ports.analyst.AnalystProfiles` in memory; *away* = the store cannot be reached."""

    def __init__(self, *, away: bool = False) -> None:
        self.texts: dict[str, str] = {}
        self._away = away
        self.writes = 0

    async def read(self, key: str) -> str:
        if self._away:
            raise Retry("away")
        return self.texts.get(key, "")

    async def write(self, key: str, text: str) -> None:
        if self._away:
            raise Retry("away")
        self.writes += 1
        self.texts[key] = text


async def test_what_was_learnt_is_known_to_another_process_and_written_once() -> None:
    shelf, learnt = Shelf(), replace(PLAIN, format="json_object")
    first = Memory(URL, Wishes(), shelf)
    for _ in range(3):
        await first.keep(MODEL, learnt, "some-model-2026")
    assert shelf.writes == 1
    assert await Memory(URL, Wishes(), shelf).profile(MODEL) == learnt
    assert await Memory(URL, Wishes("text"), shelf).profile(MODEL) == replace(learnt, format="text")
    assert await Memory("https://other.test/v1", Wishes(), shelf).profile(MODEL) == PLAIN
    assert await Memory(URL, Wishes(), shelf).profile("another-model") == PLAIN
    [text] = shelf.texts.values()
    told = json.loads(text)
    assert (told["host"], told["answered"], told["how"]) == ("api.provider.test", "some-model-2026", summary(learnt))


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"profile": 1}', '{"profile": {"format": "x"}}'])
async def test_a_memory_that_is_damaged_or_away_costs_nothing_else(text: str) -> None:
    shelf = Shelf()
    shelf.texts[profile_key(URL, MODEL)] = text
    assert await Memory(URL, Wishes(), shelf).profile(MODEL) == PLAIN
    away = Memory(URL, Wishes(), Shelf(away=True))
    assert await away.profile(MODEL) == PLAIN
    await away.keep(MODEL, replace(PLAIN, format="text"), MODEL)
    assert (await away.profile(MODEL)).format == "text"


async def test_the_database_keeps_one_text_a_key_and_forgets_after_a_month(any_engine: sa.Engine) -> None:
    shelf, key = SqlAnalystProfiles(any_engine), profile_key(URL, MODEL)
    assert await shelf.read(key) == ""
    for text in ("one", "규칙", "two"):
        await shelf.write(key, text)
        await shelf.write(key, text)
        assert await shelf.read(key) == text
    old = datetime.now(UTC) - timedelta(days=31)
    with any_engine.begin() as connection:
        connection.execute(sa.text("UPDATE system_settings SET updated_at = :old"), {"old": old.replace(tzinfo=None)})
    assert await shelf.read(key) == ""


async def test_a_page_reads_who_answers_and_how_it_is_asked(any_engine: sa.Engine) -> None:
    readings = AnalystReadings(any_engine, MemoryCandleStore())
    assert readings.analyst_profile() is None
    shelf = SqlAnalystProfiles(any_engine)
    await shelf.write("tried", "1700000000000")
    await shelf.write("damaged", "{")
    assert readings.analyst_profile() is None
    await Memory(URL, Wishes(), shelf).keep(MODEL, PLAIN, "some-model-2026")
    found = AnalystProfile("api.provider.test", MODEL, "some-model-2026", summary(PLAIN))
    assert readings.analyst_profile() == readings.analyst_profile("some-model-2026") == found
    assert readings.analyst_profile("another") is None
