"""A model is asked about the past what the version would have been sent at T, blindfolded, and of nothing after T."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.bootstrap.past_questions import asking_of, lead_ms, question_at, questions_of, shelf_of, tokens_of
from lib.domain.backtests import Wish
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.day import DAY_MS
from lib.domain.input_blocks import BLINDFOLD, BY_NAME, CANDLES
from lib.domain.quarantine import asked_as
from lib.domain.strategy import DESIGN, Strategy, written
from lib.domain.tokens import estimated
from lib.evidence.backtest import WINDOW
from lib.evidence.memory import ASKS, Change
from lib.market.library import Footage
from lib.market.sight import Material, lens_for, shown
from lib.trading.cycle.prompt import prompt_for
from tests.evidence.walks import wandering

D = Decimal
BEGIN = 20_000 * DAY_MS
NAMES = ("bars_5m", "bars_15m", "bars_1h", "indicators_1m", "indicators_5m", "funding", "position", "calendar", "news")
CANDLES_OF_DAYS = [replace(one, open_time=BEGIN + n * MINUTE_MS) for n, one in enumerate(wandering(5, 3 * 1_440))]


def version(*names: str, **changes: object) -> Strategy:
    blocks = (CANDLES, *(block for name, block in BY_NAME.items() if name in names))
    return replace(DESIGN, blocks=blocks, **changes)  # type: ignore[arg-type]


def wish(content: Strategy, **changes: object) -> Wish:
    said = written(asked_as(content, "default"))
    usual = Wish("model", "BTCUSDT", BEGIN + DAY_MS, BEGIN + 3 * DAY_MS, content=said, language="en", model="default")
    return replace(usual, **changes)  # type: ignore[arg-type]


FEW = settings(max_examples=15, deadline=None)


def asked(one: Wish, candles: Sequence[Candle], t_ms: int) -> str:
    asking = asking_of(one)
    said = question_at(asking, shelf_of(candles, asking.settings.inputs), t_ms)
    return f"{said.system}\n{said.user}"


@FEW
@given(names=st.sets(st.sampled_from(NAMES)), minute=st.integers(1_440, 4_200), factor=st.integers(2, 9))
def test_nothing_after_t_changes_a_word(names: set[str], minute: int, factor: int) -> None:
    t_ms, one = BEGIN + minute * MINUTE_MS, wish(version(*names))
    later = [
        c if c.open_time + MINUTE_MS <= t_ms else replace(c, high=c.high * factor, close=c.close * factor, volume=D(7))
        for c in CANDLES_OF_DAYS
    ]
    assert asked(one, later, t_ms) == asked(one, CANDLES_OF_DAYS, t_ms)
    assert asked(one, later[:minute], t_ms) == asked(one, CANDLES_OF_DAYS, t_ms)


@FEW
@given(names=st.sets(st.sampled_from(NAMES)), minute=st.integers(1_440, 4_200))
def test_it_is_the_cycle_s_own_prompt_under_the_blindfold(names: set[str], minute: int) -> None:
    t_ms, one = BEGIN + minute * MINUTE_MS, wish(version(*names, instructions="careful"))
    lives = asking_of(one).settings
    assert BLINDFOLD in lives.inputs
    window = CANDLES_OF_DAYS[minute - WINDOW : minute]
    everything = Material(t_ms, CANDLES_OF_DAYS[:minute])  # what a cycle that has all minutes would gather
    beside = shown(lives.inputs, everything, lens_for(lives.inputs, t_ms, window))
    said = prompt_for(asking_of(one), window, "", beside if len(lives.inputs) > 1 else ())
    assert asked(one, CANDLES_OF_DAYS, t_ms) == f"{said.system}\n{said.user}"
    assert "careful" in said.user


@FEW
@given(minute=st.integers(1_440, 4_200), back=st.integers(1, 3_000), factor=st.integers(2, 9))
def test_neither_the_date_nor_the_price_nor_the_symbol_is_in_it(minute: int, back: int, factor: int) -> None:
    t_ms, one, shift = BEGIN + minute * MINUTE_MS, wish(DESIGN), back * DAY_MS
    elsewhere = [
        replace(
            c, open_time=c.open_time - shift, open=c.open * factor, high=c.high * factor, low=c.low * factor,
            close=c.close * factor,
        )
        for c in CANDLES_OF_DAYS
    ]  # fmt: skip
    said = asked(one, CANDLES_OF_DAYS, t_ms)
    assert said == asked(one, elsewhere, t_ms - shift) == asked(replace(one, symbol="ETHUSDT"), CANDLES_OF_DAYS, t_ms)
    assert "BTC" not in said


def test_every_t_of_the_days_is_asked_about_in_order() -> None:
    one = wish(version(cadence_min=60), cadence_min=60)
    footage = Footage("BTCUSDT", (0, 0), CANDLES_OF_DAYS, (), (), ())
    found = list(questions_of(one, footage))
    assert [question.seq for question in found] == list(range(48))
    assert [question.t_ms for question in found] == [BEGIN + DAY_MS + n * 3_600_000 for n in range(48)]
    assert len({question.prompt.user for question in found}) == 48


def test_a_memory_test_asks_as_the_version_is_sent_without_blocks() -> None:
    content = version("bars_5m", cadence_min=15)
    one = replace(wish(content, kind="memory", windows=20, cadence_min=15), content=written(content))
    found = list(questions_of(one, Footage("BTCUSDT", (0, 0), CANDLES_OF_DAYS, (), (), ())))
    assert len(found) == 20 * len(ASKS)
    assert [question.again for question in found[: len(ASKS)]] == [0, 1, 2, 3, 4, 0, 0, 0, 0]
    first = [question.prompt for question in found[: len(ASKS)]]
    assert len(set(first[:5])) == 1
    assert len(set(first[4:])) == 1 + len(Change) - 1
    told = json.loads(first[0].user.partition("\n")[0])
    assert "blocks" not in told
    assert "left_out" not in told
    assert told["candles"][-1]["timestamp"] > BEGIN, "no blindfold: that is what is tested"


@pytest.mark.parametrize("names", [(), ("bars_15m", "bars_1h")])
def test_what_a_question_costs_is_told_rather_too_high(names: tuple[str, ...]) -> None:
    one = wish(version(*names))
    real = estimated(asked(one, CANDLES_OF_DAYS, BEGIN + 2 * DAY_MS))
    assert 0.85 * real < tokens_of(one) < 1.6 * real


def test_wider_candles_are_fetched_long_enough_before() -> None:
    assert lead_ms(()) == WINDOW * MINUTE_MS
    assert lead_ms((BY_NAME["bars_1d"],)) == 15 * DAY_MS
