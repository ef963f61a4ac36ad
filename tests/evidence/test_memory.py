"""Who remembers is caught by what he says under another date, price, mirror or order; who reads the market is not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.bootstrap.backtesting import BacktestPlan
from lib.bootstrap.memory_testing import MemoryPlan, MemoryTest, spread
from lib.domain.account import AccountSettings
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.candle import Candle
from lib.domain.decision import Abstained, Action, Decision
from lib.domain.reason import NOTHING
from lib.evidence.memory import (
    ASKS,
    LEAST_WINDOWS,
    REPEATS,
    Agreement,
    Answered,
    Change,
    Memory,
    Side,
    badges,
    changed,
    memory,
    side_of,
)
from lib.evidence.questioning import Allowed, questioned
from tests.evidence.walks import TICK, file_of, wandering

Analyst = Callable[[Sequence[Candle]], Side]
COUNT, WINDOW = 300, 30
CANDLES = wandering(21, COUNT * 7 + WINDOW)
WINDOWS = [tuple(CANDLES[first : first + WINDOW]) for first in range(0, COUNT * 7, 7)]


def reader(window: Sequence[Candle]) -> Side:
    """Follows the slope of the last ten minutes, where there is one to speak of."""
    slope = window[-1].close / window[-10].close - 1
    return "hold" if abs(slope) < Decimal("0.002") else "long" if slope > 0 else "short"


def date_reader(window: Sequence[Candle]) -> Side:
    """Knows what each month brought."""
    month = datetime.fromtimestamp(window[-1].open_time / 1000, UTC)
    return "long" if (month.year * 12 + month.month) % 2 else "short"


def long_only(window: Sequence[Candle]) -> Side:
    """Buys what moves."""
    return "hold" if reader(window) == "hold" else "long"


def scale_reader(window: Sequence[Candle]) -> Side:
    """Knows that this coin is dear."""
    return "short" if window[-1].close > 100_000 else reader(window)


def blind(window: Sequence[Candle]) -> Side:
    """Compares the highest with the lowest and never looks when they were."""
    middle = (max(c.close for c in window) + min(c.close for c in window)) / 2
    mean = sum(c.close for c in window) / len(window)
    return "long" if mean > middle else "short"


def dice() -> Analyst:
    """Says anything."""
    random = np.random.default_rng(9)
    return lambda _: ("long", "short", "hold")[random.integers(3)]


def found_of(ask: Analyst, windows: Sequence[Sequence[Candle]] = WINDOWS) -> Memory:
    """The test of *ask*."""
    asked = (tuple(ask(changed(window, one, number)) for one in ASKS) for number, window in enumerate(windows))
    return memory([Answered(sides) for sides in asked])


def said(found: Memory) -> list[str]:
    """The codes of the badges."""
    return [reason.code for reason in badges(found)]


@pytest.mark.parametrize(
    ("ask", "codes"),
    [
        (reader, ["memory_clean"]),
        (date_reader, ["memory_dates"]),
        (long_only, ["memory_long"]),
        (scale_reader, ["memory_prices"]),
        (blind, ["memory_order"]),
        (dice(), ["memory_dice"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_each_kind_of_memory_is_caught_and_who_reads_the_market_is_not(ask: Analyst, codes: list[str]) -> None:
    assert said(found_of(ask))[: len(codes)] == codes


def test_short_by_habit_is_caught_as_long_is_and_a_mirror_nobody_turns_for_too() -> None:
    turned: dict[Side, Side] = {"long": "short", "hold": "hold"}
    assert said(found_of(lambda window: turned[long_only(window)])) == ["memory_short"]
    parity: tuple[Side, Side] = ("long", "short")
    assert "memory_mirror" in said(found_of(lambda window: parity[window[-1].open_time // 420_000 % 2]))


def test_what_chance_does_is_held_against_nobody() -> None:
    random = np.random.default_rng(3)

    def wavering(window: Sequence[Candle]) -> Side:
        return "hold" if random.random() < 0.1 else reader(window)

    assert said(found_of(wavering)) == ["memory_clean"]


def test_the_bundled_rules_read_the_market() -> None:
    plan = BacktestPlan(AccountSettings(), Decimal(1), "BTCUSDT", None)
    found = found_of(rules(plan), [tuple(CANDLES[first : first + WINDOW]) for first in range(1_000)])
    assert found.windows == 1_000
    assert (found.steady.share, found.dates.share, found.prices.share) == (1, 1, 1)
    assert found.mirror.share >= 0.999
    assert found.all_same == 1_000
    assert said(found) == ["memory_clean"]


def rules(plan: BacktestPlan) -> Analyst:
    """The bundled rules, asked once about each window."""
    from lib.bootstrap.bundled_rules import bundled_rules
    from lib.evidence.tape import Tape

    @cache
    def ask(window: tuple[Candle, ...]) -> Side:
        tape = Tape("BTCUSDT", (*window, window[-1]), TICK)
        side = side_of(bundled_rules(plan.settings, tape)(window[-1].open_time + 1).decision)
        assert side is not None
        return side

    return lambda window: ask(tuple(window))


# --- the windows ----------------------------------------------------------------------------------------------------


@given(number=st.integers(0, 50), first=st.integers(0, COUNT - 1), change=st.sampled_from(Change))
def test_a_changed_window_is_thirty_candles_that_a_market_may_have(number: int, first: int, change: Change) -> None:
    window = WINDOWS[first]
    made = changed(window, change, number)
    assert len(made) == len(window)
    assert [b.open_time - a.open_time for a, b in pairwise(made)] == [60_000] * (len(window) - 1)
    for candle in made:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
        assert candle.open % Decimal("0.1") == candle.close % Decimal("0.1") == 0
    assert (made == window) is (change is Change.NONE)


def test_dates_go_into_other_months_and_keep_weekday_and_time_of_day() -> None:
    for number in range(5):
        was, now = (
            datetime.fromtimestamp(each[0].open_time / 1000, UTC)
            for each in (WINDOWS[0], changed(WINDOWS[0], Change.DATES, number))
        )
        assert (was.weekday(), was.time()) == (now.weekday(), now.time())
        assert (was.year, was.month) != (now.year, now.month)


def test_a_mirrored_market_falls_as_much_as_it_rose_and_its_mirror_is_the_market() -> None:
    window = WINDOWS[3]
    mirrored = changed(window, Change.MIRROR, 0)
    assert mirrored[-1].close == window[-1].close
    for was, now in zip(window, mirrored, strict=True):
        assert float(was.close * now.close) == pytest.approx(float(window[-1].close ** 2), rel=1e-5)
        assert now.volume == was.volume
    again = changed(mirrored, Change.MIRROR, 0)
    assert max(abs(a.high - b.high) for a, b in zip(window, again, strict=True)) <= Decimal("0.1")


def test_shuffled_candles_are_the_same_candles_at_the_same_times() -> None:
    made = changed(WINDOWS[0], Change.ORDER, 4)
    assert sorted(c.close for c in made) == sorted(c.close for c in WINDOWS[0])
    assert [c.open_time for c in made] == [c.open_time for c in WINDOWS[0]]


# --- what is told ---------------------------------------------------------------------------------------------------

WELL = Agreement(100, 100, 50, 50)
CLEAN = Memory(100, WELL, 100, WELL, WELL, WELL, WELL, 25, 25, 150)


def test_too_little_is_not_judged() -> None:
    assert said(CLEAN) == ["memory_clean"]
    assert said(replace(CLEAN, windows=LEAST_WINDOWS - 1)) == ["memory_few"]
    for idle in (replace(CLEAN, steady=Agreement(100, 100, 9, 9)), replace(CLEAN, order=Agreement(100, 100, 9, 9))):
        assert said(idle) == ["memory_idle"]
    assert said(found_of(lambda _: "hold")) == ["memory_idle"]


def test_answers_that_cannot_be_used_are_in_no_pair() -> None:
    none = Answered((None, *["long"] * (len(ASKS) - 1)))  # type: ignore[arg-type]
    half = Answered((*["long"] * REPEATS, None, "long", "short", "hold"))  # type: ignore[arg-type]
    found = memory([none, half])
    assert (found.windows, found.dates.pairs, found.prices.pairs, found.mirror.as_meant) == (1, 0, 1, 1)
    assert found.dates.share == found.dates.acted_share == 0
    assert side_of(Abstained(NOTHING)) is None
    assert [side_of(view(action)) for action in ("buy", "sell", "hold", "close")] == ["long", "short", "hold", "hold"]


def view(action: Action) -> Decision:
    """A decision."""
    return Decision(action, Decimal("0.7"), 1, "", Decimal("0.01"), Decimal("0.02"))


# --- asking ---------------------------------------------------------------------------------------------------------


@given(
    most=st.decimals(0, 3, places=2),
    each=st.decimals("0.001", "0.1", places=3),
    expected=st.decimals(0, "0.1", places=3),
)
def test_it_never_costs_more_than_was_allowed_but_by_a_first_surprise(
    most: Decimal, each: Decimal, expected: Decimal
) -> None:
    import asyncio

    async def ask(_: Sequence[Candle]) -> AnalystAnswer:
        return AnalystAnswer(view("hold"), "", "m", 1, 1, 1, False, cost=each)

    found = asyncio.run(questioned(WINDOWS[:30], ask, Allowed(most, expected)))
    assert found.usd == found.asked * each
    assert found.asked % len(ASKS) == 0
    # the first window is all that an estimate is trusted for
    assert found.usd <= most or found.asked == len(ASKS)
    assert found.ended_by_cost is (found.asked < 30 * len(ASKS))


async def test_failed_answers_are_none_and_unknown_prices_count_nothing() -> None:
    async def ask(window: Sequence[Candle]) -> AnalystAnswer:
        return AnalystAnswer(view("buy"), "", "m", 1, 1, 1, failed=window == WINDOWS[0])

    heard: list[int] = []
    found = await questioned(WINDOWS[:2], ask, Allowed(None, None), heard.append)
    assert (found.found.windows, found.usd, found.ended_by_cost, heard) == (1, Decimal(0), False, [1, 2])


def test_the_command_asks_windows_that_are_spread_over_the_time() -> None:
    assert spread(WINDOWS[:4], 2) == [WINDOWS[0], WINDOWS[2]]
    assert len(spread(WINDOWS, 10_000)) == COUNT


def test_the_bundled_rules_are_asked_for_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = file_of(CANDLES[:200], tmp_path_factory.mktemp("candles"))
    test = MemoryTest(MemoryPlan(BacktestPlan(AccountSettings(), Decimal(1), "BTCUSDT", file), 10, Decimal(1)))
    assert (test.offer.model, test.offer.windows, test.offer.questions, test.offer.usd) == ("", 10, 90, Decimal(0))
    assert test.run().asked == 90
