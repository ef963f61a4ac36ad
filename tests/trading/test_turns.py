"""Whose turn it is to have a model asked: bounded, by model, the nearest to trading first."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.bucket import Bucket
from lib.domain.input_blocks import in_order
from lib.trading.cycle import sight
from lib.trading.cycle.asking import ask_for_everybody
from lib.trading.cycle.run import run_cycle
from lib.trading.turns import EXPECTED_S, OWN_PLACES, Model, Turns, Urgency, Wish, urgency_of
from tests.factories import T, decision, settings, trader_account
from tests.sim.loop import VirtualLoop
from tests.trading.test_models import Lists
from tests.worlds.one_process import World
from tests.worlds.props import FakeAnalyst

OURS: Model = (0, "default")
PLACES = 3
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)


def virtually(work: Coroutine[Any, Any, Any]) -> Any:
    """Run *work* on a loop whose time jumps."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.wind_down()
        loop.close()


@dataclass
class Caller:
    """A group, how long its budgets take to read and its call takes (s); *began_s* is when it was asked."""

    wish: Wish
    model: Model
    reads_s: float
    takes_s: float
    began_s: float | None = None
    entered_s: float = 0.0


class Exchange:
    """Runs callers over *turns*, and sees how many are at each model at once."""

    def __init__(self, places: int = PLACES) -> None:
        self.turns = Turns(places)
        self.at: dict[Model, int] = {}
        self.most: dict[Model, int] = {}
        self.callers: list[Caller] = []

    def announce(
        self,
        urgency: Urgency,
        people: int,
        *,
        model: Model = OURS,
        name: str = "",
        reads_s: float = 0.0,
        takes_s: float,
    ) -> Caller:
        wish = self.turns.announce(T, name or f"group {len(self.callers)}", urgency, people, model)
        caller = Caller(wish, model, reads_s, takes_s)
        self.callers.append(caller)
        return caller

    async def call(self, caller: Caller, patience_s: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(caller.reads_s)
        caller.entered_s = loop.time()
        if await self.turns.enter(caller.wish, caller.model, patience_s) is None:
            return
        caller.began_s = loop.time()
        self.at[caller.model] = self.at.get(caller.model, 0) + 1
        self.most[caller.model] = max(self.most.get(caller.model, 0), self.at[caller.model])
        try:
            await asyncio.sleep(caller.takes_s)
        finally:
            self.at[caller.model] -= 1
            self.turns.leave(caller.model)

    async def run(self, patience_s: float) -> None:
        await asyncio.gather(*(self.call(caller, patience_s) for caller in self.callers))


seconds = st.integers(0, 40).map(lambda tenths: tenths / 4)
groups = st.lists(
    st.tuples(st.sampled_from(Urgency), st.integers(1, 400), seconds, seconds, st.sampled_from(["default", "second"])),
    min_size=1,
    max_size=30,
)


@given(groups, seconds, st.integers(1, 4))
def test_each_model_has_its_places_and_every_group_ends_asked_or_told_that_its_turn_did_not_come(
    crowd: list[tuple[Urgency, int, float, float, str]], patience_s: float, places: int
) -> None:
    async def scene() -> None:
        exchange = Exchange(places)
        for urgency, people, reads_s, takes_s, model in crowd:
            exchange.announce(urgency, people, model=(0, model), reads_s=reads_s, takes_s=takes_s)
        await exchange.run(patience_s)
        assert all(most <= places for most in exchange.most.values())
        for caller in exchange.callers:
            waited = patience_s if caller.began_s is None else caller.began_s - caller.entered_s
            assert waited <= patience_s + 1e-6
        tally = exchange.turns.tally
        counted = [caller for caller in exchange.callers if caller.wish.urgency < Urgency.SHADOW]
        asked = [caller for caller in counted if caller.began_s is not None]
        assert (tally.groups, tally.calls) == (len(counted), len(asked))
        assert tally.unreached == len(counted) - len(asked)
        assert exchange.turns.waiting == 0
        # every place came back
        late = exchange.turns.announce(T, "late", Urgency.TRADING, 1, OURS)
        for number in range(places):
            assert await exchange.turns.enter(late, OURS, 0.0) == 0.0, number

    virtually(scene())


@given(groups, st.integers(1, 4))
def test_nobody_is_asked_while_somebody_nearer_to_trading_waits_at_the_same_model(
    crowd: list[tuple[Urgency, int, float, float, str]], places: int
) -> None:
    async def scene() -> None:
        exchange = Exchange(places)
        for urgency, people, reads_s, takes_s, model in crowd:
            exchange.announce(urgency, people, model=(0, model), reads_s=reads_s, takes_s=max(takes_s, 0.25))
        await exchange.run(1_000.0)
        for caller in exchange.callers:
            is_never = places == 1 and caller.wish.urgency >= Urgency.SHADOW
            assert (caller.began_s is None) == is_never
        for first in exchange.callers:
            for other in exchange.callers:
                if first.began_s is None or other.began_s is None:
                    continue
                if first.model == other.model and first.wish.rank < other.wish.rank:
                    overtaken = first.entered_s < other.began_s < first.began_s
                    assert not overtaken

    virtually(scene())


async def _urgent_ones(reads_s: float) -> tuple[Exchange, list[Caller]]:
    exchange = Exchange()
    others = [exchange.announce(Urgency.TRADING, 900, takes_s=40.0) for _ in range(9)]
    real = [exchange.announce(Urgency.REAL_MONEY, 1, reads_s=reads_s, takes_s=5.0) for _ in range(PLACES)]
    await exchange.run(40.0)
    assert len(others) == 9
    return exchange, real


@pytest.mark.parametrize("reads_s", [0.0, 0.5, EXPECTED_S - 0.1])
def test_real_money_goes_first_also_while_its_budgets_are_still_read(reads_s: float) -> None:
    _, real = virtually(_urgent_ones(reads_s))
    assert [caller.began_s for caller in real] == [pytest.approx(reads_s)] * PLACES


def test_a_group_whose_budgets_are_not_read_in_time_keeps_no_place_for_ever() -> None:
    exchange, real = virtually(_urgent_ones(300.0))
    assert (
        sorted(caller.began_s for caller in exchange.callers if caller not in real and caller.began_s)[:3]
        == [pytest.approx(EXPECTED_S)] * 3
    )


def test_among_equals_the_most_people_go_first() -> None:
    async def scene() -> list[int]:
        exchange = Exchange(1)
        for people in (3, 400, 20):
            exchange.announce(Urgency.TRADING, people, takes_s=1.0)
        await exchange.run(10.0)
        return [caller.wish.people for caller in sorted(exchange.callers, key=lambda one: one.began_s or 0.0)]

    assert virtually(scene()) == [400, 20, 3]


@given(st.integers(1, 5), st.integers(2, 20), st.data())
def test_who_missed_a_turn_is_asked_before_equals_who_had_one(places: int, count: int, data: st.DataObject) -> None:
    """However few calls fit into the time, nobody is passed over twice before all others had a turn."""
    people = data.draw(st.lists(st.integers(1, 400), min_size=count, max_size=count))
    rounds = -(-count // places)

    async def scene() -> None:
        exchange = Exchange(places)
        asked: set[str] = set()
        for _ in range(rounds):
            exchange.callers = []
            for number, crowd in enumerate(people):
                exchange.announce(Urgency.TRADING, crowd, name=str(number), takes_s=60.0)
            await exchange.run(40.0)
            asked |= {caller.wish.name for caller in exchange.callers if caller.began_s is not None}
        assert asked == set(map(str, range(count)))

    virtually(scene())


def test_a_shadow_leaves_half_of_the_places_to_who_trades() -> None:
    async def scene() -> tuple[list[float | None], float | None]:
        exchange = Exchange(4)
        shadows = [exchange.announce(Urgency.SHADOW, 1, takes_s=30.0) for _ in range(6)]
        late = exchange.announce(Urgency.TRADING, 1, reads_s=10.0, takes_s=1.0)
        await exchange.run(20.0)
        return [one.began_s for one in shadows], late.began_s

    began, late = virtually(scene())
    assert [one for one in began if one is not None] == [0.0, EXPECTED_S]
    assert late == pytest.approx(10.0)


def test_the_one_place_of_a_model_is_no_shadows() -> None:
    async def scene() -> float | None:
        exchange = Exchange(1)
        shadow = exchange.announce(Urgency.SHADOW, 1, takes_s=1.0)
        await exchange.run(20.0)
        return shadow.began_s

    assert virtually(scene()) is None


def test_a_slow_model_of_one_person_takes_no_place_of_anybody_else() -> None:
    async def scene() -> tuple[Exchange, list[Caller]]:
        exchange = Exchange()
        for _ in range(10):
            exchange.announce(Urgency.TRADING, 1, model=(7, "own/slow"), takes_s=45.0)
        others = [exchange.announce(Urgency.LOOKING, 1, takes_s=1.0) for _ in range(PLACES)]
        others += [exchange.announce(Urgency.LOOKING, 1, model=(8, "own/slow"), takes_s=1.0) for _ in range(2)]
        await exchange.run(40.0)
        return exchange, others

    exchange, others = virtually(scene())
    assert [caller.began_s for caller in others] == [0.0] * 5
    assert exchange.most[7, "own/slow"] == OWN_PLACES


def test_a_group_given_up_gives_its_place_back() -> None:
    async def scene() -> float | None:
        exchange = Exchange(1)
        first, second = (exchange.announce(Urgency.TRADING, 2 - n, takes_s=5.0) for n in range(2))
        third = exchange.announce(Urgency.TRADING, 1, takes_s=5.0)
        running = [asyncio.ensure_future(exchange.call(one, 40.0)) for one in (first, second, third)]
        await asyncio.sleep(1.0)
        running[1].cancel()  # while it waits
        running[0].cancel()  # while it is asked
        await asyncio.gather(*running, return_exceptions=True)
        return third.began_s

    assert virtually(scene()) == pytest.approx(1.0)


def test_a_place_that_comes_as_its_group_is_given_up_is_not_lost() -> None:
    async def scene() -> float | None:
        turns = Turns(1)
        first, second, third = (turns.announce(T, str(n), Urgency.TRADING, 3 - n, OURS) for n in range(3))
        assert await turns.enter(first, OURS, 1.0) == 0.0
        waiting = asyncio.ensure_future(turns.enter(second, OURS, 40.0))
        await asyncio.sleep(1.0)
        turns.leave(OURS)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await turns.enter(third, OURS, 40.0)

    assert virtually(scene()) == 0.0


def test_real_money_is_what_counts_as_most_urgent_of_a_group() -> None:
    paper = trader_account()
    real = replace(paper, venue="mainnet", feed="bybit")
    assert urgency_of([paper, real]) is Urgency.REAL_MONEY
    assert urgency_of([paper, replace(real, auto_trade=False)]) is Urgency.TRADING
    assert urgency_of([replace(paper, auto_trade=False), replace(real, trading_enabled=False)]) is Urgency.LOOKING


# --- in a cycle -------------------------------------------------------------------------------------------------------


class Slow(FakeAnalyst):
    """Answers after *takes_s* seconds of the loop's, and sees how many ask at once."""

    def __init__(self, takes_s: float) -> None:
        super().__init__(view=decision("buy"))
        self.takes_s, self.now, self.most = takes_s, 0, 0
        self.budgets: list[float] = []

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        self.budgets.append(budget_s)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.takes_s)
        self.now -= 1
        answer = await super().ask(prompt, budget_s)
        return replace(answer, latency_ms=round(self.takes_s * 1000))


def _crowded(groups: int, analyst: FakeAnalyst, places: int, models: tuple[str, ...] = ()) -> World:
    world = World()
    world.analyst = analyst
    world.context = world.new_context()
    world.context.state.turns = Turns(places)
    for number in range(groups):
        world.add_account(settings=settings(custom_prompt=f"wish {number}", models=models))
    return world


def test_calls_of_a_cycle_are_bounded_and_what_has_no_turn_in_time_ends_as_a_plain_reason() -> None:
    async def scene() -> None:
        analyst = Slow(takes_s=15.0)
        world = _crowded(9, analyst, places=2)
        report = await world.cycle()
        assert analyst.most == 2
        bought = [result for result in report.results if result.outcome == "bought"]
        others = [result for result in report.results if result.outcome != "bought"]
        assert len(bought) == len(analyst.asked) == 6  # at 0, 15 and 30 s; the turn at 45 s is none
        assert {(result.outcome, result.reason) for result in others} == {
            ("skipped", codes.ANALYST_NOT_ASKED(why=codes.ANALYST_TURN_NOT_COME(seconds=40)))
        }
        for result in others:
            assert world.log(result.account_id).reason == result.reason
        assert all(budget <= 45.0 for budget in analyst.budgets)
        assert min(analyst.budgets) == pytest.approx(15.0)
        tally = world.context.state.turns.tally
        assert (tally.groups, tally.calls, tally.unreached) == (9, 6, 3)
        assert tally.longest_s == pytest.approx(40.0)
        told = world.context.state.turns.told()
        assert (told["analyst_groups"], told["analyst_longest_wait_ms"]) == ("9", "40000")

    virtually(scene())


def test_the_next_model_of_a_chain_is_asked_when_the_turn_of_the_first_does_not_come() -> None:
    async def scene() -> None:
        world = _crowded(4, Slow(1.0), 1, models=("busy", "default"))
        lists, busy = Lists(), Slow(44.0)
        lists.put("busy", busy)
        world.context = replace(world.context, models=lists)
        await world.cycle()
        assert len(busy.asked) <= 2
        assert len(world.analyst.asked) >= 3  # who waited in vain, and within the same budget

    virtually(scene())


@pytest.mark.parametrize("everybody", [False, True])
def test_a_thousand_people_on_three_templates_and_two_symbols_are_at_most_forty_two_calls(
    everybody: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one language: a strategy's version × symbol × bucket of the position, whatever the amounts and entries."""

    async def standing(context: object, accounts: Sequence[TraderAccount], window: object) -> dict[int, Bucket]:
        return {account.account_id: BUCKETS[account.account_id % len(BUCKETS)] for account in accounts}

    async def scene() -> None:
        world = World()
        for number in range(1_000):
            chosen = settings(custom_prompt=f"template {number % 3}", inputs=in_order(["position"]))
            world.add_account(settings=chosen, symbol=("BTCUSDT", "ETHUSDT")[number % 2])
        monkeypatch.setattr(sight, "_buckets", standing)
        world.to(world.t_ms + 2_000)
        if everybody:
            await ask_for_everybody(world.context, world.t_ms)
        else:
            await run_cycle(world.context, world.t_ms)
        calls = len(world.analyst.asked)
        assert calls == 3 * 2 * len(BUCKETS) == 42
        assert world.context.state.turns.tally.groups == calls

    virtually(scene())
