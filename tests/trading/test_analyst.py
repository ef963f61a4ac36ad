"""One call per prompt group; whatever is not a clear view holds."""

import asyncio
from dataclasses import replace

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import RiskLevel
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import Abstained, parse_decision
from lib.domain.reason import text
from lib.trading.cycle.opinion import announced, answer_for
from lib.trading.cycle.prompt import cycle_key
from lib.trading.cycle.sight import Sights
from tests.factories import T, answer_json, candles, decision, settings, trader_account
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import FakeAnalyst


async def test_an_abstention_holds_and_says_what_it_was(world: World) -> None:
    report = await world.cycle(Abstained(text("the answer is not JSON")))
    assert result_of(report).outcome == "held"
    assert "the answer is not JSON" in english(world.log().reason)
    assert world.transport.orders() == []
    assert report.answers.keys() == {key.prompt_group for key in world.ledger.store.cycles}


async def test_an_analyst_that_fails_holds(world: World) -> None:
    world.analyst.failed = True
    report = await world.cycle()
    assert result_of(report).outcome == "held"
    assert world.transport.orders() == []


@pytest.mark.parametrize(
    "raw", ["buy BTC now!", answer_json(extra=1), answer_json(confidence="0.9"), '{"action":"buy"}', ""]
)
async def test_an_odd_answer_is_never_an_order(world: World, raw: str) -> None:
    report = await world.cycle(parse_decision(raw))
    assert result_of(report).outcome == "held"
    assert world.transport.orders() == []


async def test_failures_in_a_row_are_counted_until_an_answer_comes(world: World) -> None:
    world.analyst.failed = True
    for _ in range(6):
        await world.cycle()
    assert await world.ledger.analyst_failures("synthetic", "BTCUSDT") == 6
    world.analyst.failed = False
    await world.cycle("buy")
    assert await world.ledger.analyst_failures("synthetic", "BTCUSDT") == 0


async def test_one_call_serves_a_whole_prompt_group() -> None:
    world = World()
    for chosen in (settings(), settings(), settings(custom_prompt="careful"), settings(RiskLevel.LOW), settings()):
        world.add_account(settings=chosen)
    report = await world.cycle("buy")
    assert len(world.analyst.asked) == 3
    assert len(report.answers) == 3
    assert [result.outcome for result in report.results] == ["bought"] * 5


async def test_a_low_confidence_is_refused_and_said(world: World) -> None:
    report = await world.cycle(decision("buy", confidence="0.5"))
    assert result_of(report).outcome == "refused"
    assert codes.CONFIDENCE_LOW.is_of(world.log().reason)


async def test_a_view_without_a_sane_stop_never_enters(world: World) -> None:
    for stop in ("0", "0.001", "0.06", "1"):
        report = await world.cycle(decision("buy", stop_loss=stop))
        assert result_of(report).outcome == "refused"
    assert world.transport.orders() == []


async def test_leverage_beyond_the_caps_is_clamped_and_recorded(world: World) -> None:
    await world.cycle(decision("buy", leverage=100))
    assert world.order().leverage == 10
    assert next((clamp.asked, clamp.allowed) for clamp in world.log().clamps) == ("100", "10")
    assert world.position().leverage == 10


class TwoMinds(FakeAnalyst):
    """Says something else each time it is asked."""

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        view = decision("buy" if len(self.asked) % 2 == 0 else "sell")
        return replace(await super().ask(prompt, budget_s), decision=view)


async def test_the_first_answer_written_stands_whoever_asked(world: World) -> None:
    world.analyst = TwoMinds()
    account = trader_account()
    key = cycle_key("synthetic", account, T, "test-model")
    traders = [world.new_context() for _ in range(2)]
    asked = (
        answer_for(one, group, "paper") for one in traders for group in announced(one, T, [account], Sights(candles()))
    )
    first, second = await asyncio.gather(*asked)
    assert len(world.analyst.asked) == 2
    assert first == second == world.ledger.store.cycles[key]


async def test_an_answer_that_could_not_be_recorded_trades_for_nobody(world: World) -> None:
    world.add_account()
    record = world.ledger.record_cycle

    async def doubtful(*args: object) -> object:
        world.ledger.commit_unknown = "applied"
        return await record(*args)  # type: ignore[arg-type]

    world.ledger.record_cycle = doubtful  # type: ignore[method-assign,assignment]
    report = await world.cycle("buy")
    assert [result.outcome for result in report.results] == ["skipped", "skipped"]
    assert world.transport.orders() == []
