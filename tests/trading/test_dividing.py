"""Accounts divided among two processes: each serves its own, all of them together stay within the platform's limits."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any

import pytest

from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.errors import Halt, Retry
from lib.domain.order import TERMINAL, OrderState
from lib.domain.switches import Flags
from lib.domain.worker import Worker
from lib.ports.workers import WorkerCalls
from lib.trading.context import TradingContext
from lib.trading.cycle.run import run_cycle
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.part import ALONE_MS, TTL_MS, Beside, Share
from lib.trading.state import TraderState
from lib.trading.trader import UNCALLED_S, Trader
from tests.factories import SYMBOL, T, decision
from tests.worlds.one_process import World
from tests.worlds.props import CREATE, START, FakeAnalyst, HeldClock


class Post(WorkerCalls):
    """Calls arrive at once, unless *is_lost*."""

    def __init__(self) -> None:
        self.traders: dict[str, Trader] = {}
        self.is_lost = False

    async def call(self, holders: Collection[str], t_ms: int) -> None:
        for holder in () if self.is_lost else holders:
            self.traders[holder].called(t_ms)


class Pondering(FakeAnalyst):
    """Answers after *takes_s* seconds of *clock*."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(view=decision("buy"))
        self._clock, self.takes_s = clock, 0.0

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        answer = await super().ask(prompt, budget_s)
        await self._clock.sleep(self.takes_s)
        return answer


class Crew:
    """A leader, "a", and a worker, "b", over one world of four accounts, two of them each one's."""

    def __init__(self) -> None:
        self.clock = HeldClock(START)
        self.world = World(clock=self.clock)
        self.accounts = [self.world.add_account() for _ in range(4)]
        self.world.analyst = self.analyst = Pondering(self.clock)
        self.post = Post()
        self.leader, self.worker = self.trader("a", leads=True), self.trader("b", leads=False)

    def trader(self, name: str, *, leads: bool) -> Trader:
        state = TraderState()
        share = Share(Worker(name, "", 100), self.world.ledger, state, self.clock)
        context = replace(self.world.new_context(name), state=state, part=share)
        stopper = Stopper(context, everybody=leads)
        made = Trader(context, Guardian(context), stopper=stopper, leads=leads, share=share, calls=self.post)
        self.post.traders[name] = made
        return made

    async def start(self) -> None:
        """Both hold two accounts each, half a minute before a T."""
        self.world.to(T + 265_000)
        await self.leader.start()
        await self.worker.start()
        for _ in range(3):
            await self.hold()
        assert [self.owned(self.leader), self.owned(self.worker)] == [self.accounts[2:], self.accounts[:2]]

    async def hold(self) -> None:
        for trader in (self.leader, self.worker):
            trader.hold_share()
            await self.run(0.2)

    async def run(self, seconds: float) -> None:
        await self.clock.run(seconds)

    def owned(self, trader: Trader) -> list[int]:
        return [number for number in self.accounts if trader.context.part.owns(number)]

    def states(self) -> list[list[str]]:
        return [[order.state.value for order in self.world.orders(number)] for number in self.accounts]

    async def to_t(self) -> None:
        """Two seconds past the next T, with every lease renewed."""
        for at_ms in range(T + 275_000, T + 302_000, 5_000):
            self.world.to(at_ms)
            await self.hold()
        self.world.to(T + 302_000)

    def kill(self, trader: Trader) -> None:
        trader.ready = False
        for task in trader._tasks:
            task.cancel()

    async def outlive(self) -> None:
        """The leases of whoever was killed run out; who lives renews its own."""
        self.world.wait(TTL_MS / 1000)
        await self.hold()

    async def cycle(self) -> None:
        await self.to_t()
        for trader in (self.worker, self.leader):
            trader.cycle()
        await self.run(5)

    async def decide(self, context: TradingContext, only: frozenset[int] | None = None) -> None:
        """A cycle of the next T in *context*, whoever is called."""
        under_way = asyncio.ensure_future(run_cycle(context, T + 300_000, only=only))
        await self.run(4)
        await under_way


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    made = Crew()
    yield made
    made.world.venue.faults.clear()
    for trader in (made.leader, made.worker):
        made.kill(trader)
    assert made.world.violations == []


async def test_a_cycle_serves_every_account_once_and_asks_the_analyst_once(crew: Crew) -> None:
    await crew.start()
    await crew.cycle()
    assert crew.states() == [["FILLED"]] * 4
    assert len(crew.world.analyst.asked) == 1


async def test_a_worker_that_hears_no_call_serves_its_accounts_alone(crew: Crew) -> None:
    await crew.start()
    crew.post.is_lost = True
    await crew.cycle()
    assert crew.states() == [[], [], ["FILLED"], ["FILLED"]]
    await crew.run(UNCALLED_S)
    assert crew.states() == [["FILLED"]] * 4
    assert len(crew.world.analyst.asked) == 1


async def test_a_call_that_comes_twice_or_late_begins_nothing(crew: Crew) -> None:
    await crew.start()
    await crew.cycle()
    await crew.run(20)
    for t_ms in (T, T + 300_000, T + 600_000):
        crew.worker.called(t_ms)
    assert not crew.worker.serving


async def test_what_a_dead_workers_accounts_left_open_is_reconciled_when_they_are_taken(crew: Crew) -> None:
    await crew.start()
    await crew.to_t()
    crew.world.on(CREATE, lambda: crew.kill(crew.worker))
    crew.worker._begin(T + 300_000)
    await crew.run(1)
    left = [order for number in crew.accounts[:2] for order in crew.world.orders(number)]
    assert left
    assert not {order.state for order in left} & TERMINAL
    crew.world.calm()
    await crew.outlive()
    await crew.run(1)
    assert crew.owned(crew.leader) == crew.accounts
    ended = {order.state for number in crew.accounts[:2] for order in crew.world.orders(number)}
    assert OrderState.FILLED in ended  # the other was claimed and never sent: its absence is proved later


async def test_accounts_taken_shortly_after_a_t_are_served_in_it(crew: Crew) -> None:
    await crew.start()
    await crew.to_t()
    crew.kill(crew.worker)
    crew.leader.cycle()
    await crew.run(5)
    assert crew.states() == [[], [], ["FILLED"], ["FILLED"]]
    await crew.outlive()
    await crew.run(10)
    assert crew.states() == [["FILLED"]] * 4


async def test_a_leader_that_comes_back_in_a_t_asks_for_everybody_anew(crew: Crew) -> None:
    crew.analyst.takes_s = 3
    await crew.start()
    await crew.to_t()
    for trader in (crew.worker, crew.leader):
        trader.cycle()
    await crew.run(1)
    await crew.world.ledger.leave("a")
    crew.kill(crew.leader)
    crew.worker.hold_share()
    await crew.run(1)
    assert crew.owned(crew.worker) == crew.accounts
    again = crew.trader("c", leads=True)
    await again.start()
    await crew.run(8)
    assert crew.states() == [["FILLED"]] * 4, "the worker need not wait until it may ask for itself"
    assert len(crew.world.analyst.asked) == 2, "by the dead one, and once since"
    crew.kill(again)


async def test_two_cycles_of_one_process_ask_one_question(crew: Crew) -> None:
    crew.analyst.takes_s = 3
    await crew.start()
    await crew.to_t()
    context, alone = crew.leader.context, (frozenset({number}) for number in crew.accounts[2:])
    under_way = [asyncio.ensure_future(run_cycle(context, T + 300_000, among=number)) for number in alone]
    await crew.run(10)
    await asyncio.gather(*under_way)
    assert crew.states()[2:] == [["FILLED"]] * 2
    assert len(crew.world.analyst.asked) == 1


async def test_an_account_that_is_at_work_is_not_given_back(crew: Crew) -> None:
    crew.world.to(T + 100_000)
    await crew.leader.start()
    async with crew.leader.context.state.turn((crew.accounts[0], SYMBOL)):
        await crew.worker.start()
        for _ in range(3):
            await crew.hold()
        assert crew.accounts[0] in crew.owned(crew.leader)
    assert crew.owned(crew.worker) == crew.accounts[1:3]


async def test_no_account_changes_hands_shortly_before_a_t_or_in_its_cycle(crew: Crew) -> None:
    crew.world.to(T + 290_000)
    await crew.leader.start()
    await crew.worker.start()
    for _ in range(3):
        await crew.hold()
    assert crew.owned(crew.worker) == []


async def test_what_was_known_of_an_account_is_forgotten_when_it_comes_back(crew: Crew) -> None:
    await crew.start()
    await crew.cycle()
    mine = crew.accounts[0]
    state = crew.worker.context.state
    assert state.newest_sent((mine, SYMBOL))
    assert state.swept_under((mine, SYMBOL)) == crew.worker.context.part.epoch_of(mine, 0)
    for trader in (crew.leader, crew.worker):  # the worker hung, the leader had its accounts meanwhile and hung too
        crew.world.wait(TTL_MS / 1000)
        trader.hold_share()
        await crew.run(1)
    assert (state.newest_sent((mine, SYMBOL)), state.newest_entry((mine, SYMBOL))) == (None, None)


async def test_entries_of_all_processes_together_stay_within_the_platforms_limit(crew: Crew) -> None:
    await crew.start()
    await crew.to_t()
    limits = PlatformLimits(entries_per_day=3)
    contexts = [replace(trader.context, platform=limits) for trader in (crew.leader, crew.worker)]
    # both read what is left before either has planned: the analyst takes longer than that
    cycles = [asyncio.ensure_future(run_cycle(context, T + 300_000)) for context in contexts]
    await crew.run(30)
    await asyncio.wait(cycles, timeout=0)
    entries = [order for number in crew.accounts for order in crew.world.orders(number)]
    assert len(entries) == 3


async def test_who_asks_twice_in_one_t_leaves_the_others_their_room(crew: Crew) -> None:
    await crew.start()
    await crew.to_t()
    limits = PlatformLimits(entries_per_day=8)
    leader, worker = (replace(trader.context, platform=limits) for trader in (crew.leader, crew.worker))
    for number in crew.accounts[2:]:  # two people ask now, one after the other
        await crew.decide(leader, only=frozenset({number}))
    assert [loan.made.entries for loan in crew.world.ledger.store.loans if loan.pool == "paper"] == [0, 1]
    await crew.decide(worker)
    entries = [order for number in crew.accounts for order in crew.world.orders(number)]
    assert len(entries) == 4


async def test_who_cannot_reach_the_ledger_keeps_its_accounts_for_its_guardian_and_serves_none(crew: Crew) -> None:
    await crew.start()

    async def away(*_: object) -> Any:
        raise Retry("away")

    crew.world.ledger.hold = away  # type: ignore[method-assign, assignment]
    crew.world.wait(TTL_MS / 1000)
    await crew.hold()
    assert crew.owned(crew.leader) == crew.accounts[2:]
    assert await crew.leader.context.led_epoch() is None


async def test_who_ends_gives_everything_back_at_once(crew: Crew) -> None:
    await crew.start()
    await crew.worker.drain()
    await crew.hold()
    assert crew.owned(crew.leader) == crew.accounts


async def test_a_worker_stops_its_own_accounts_and_leaves_the_platforms_proof_to_who_leads(crew: Crew) -> None:
    await crew.start()
    await crew.world.ledger.set_flags(Flags(False, False), "operator")
    assert crew.worker.stopper is not None
    assert crew.leader.stopper is not None
    for stopper in (crew.worker.stopper, crew.leader.stopper):
        await stopper._read()
    assert [one.account_id for one in crew.worker.stopper._stopping(())] == crew.accounts[:2]
    assert [one.account_id for one in crew.leader.stopper._stopping(())] == crew.accounts


# --- one trader for everybody, or workers -----------------------------------------------------------------------------


async def started(crew: Crew, *, is_divided: bool, seconds: float) -> "asyncio.Task[None]":
    """A process that serves accounts this way or that, *seconds* after its start."""
    trader = crew.trader("c", leads=False) if is_divided else Trader(crew.world.new_context("c"), crew.leader.guardian)
    trader.beside = Beside(crew.world.ledger, crew.clock, is_divided)
    starting = asyncio.create_task(trader.start())
    for _ in range(round(seconds)):
        await crew.run(1)
    crew.post.traders["c"] = trader
    return starting


async def test_a_trader_that_would_serve_everybody_alone_does_not_begin_beside_workers(crew: Crew) -> None:
    await crew.start()
    starting = asyncio.create_task(started(crew, is_divided=False, seconds=20))
    for _ in range(30):
        await crew.hold()
        await crew.run(1)
    with pytest.raises(Halt, match="divided among workers"):
        await (await starting)
    assert not crew.post.traders["c"].ready


async def test_a_trader_begins_once_dead_workers_count_no_more(crew: Crew) -> None:
    await crew.start()
    starting = await started(crew, is_divided=False, seconds=1)
    assert not starting.done()
    await crew.run(TTL_MS / 1000 + 5)
    await starting
    assert crew.post.traders["c"].ready
    crew.kill(crew.post.traders["c"])


async def test_a_worker_does_not_begin_beside_a_trader_that_serves_everybody_alone(crew: Crew) -> None:
    crew.world.to(T + 100_000)
    await crew.world.ledger.hold_lease("plain", 10 * ALONE_MS)
    starting = await started(crew, is_divided=True, seconds=ALONE_MS / 1000 + 10)
    with pytest.raises(Halt, match="the trader plain serves every account by itself"):
        await starting


async def test_a_start_waits_for_the_ledger_before_it_knows_who_else_serves(crew: Crew) -> None:
    crew.world.to(T + 100_000)
    real = crew.world.ledger.trader_alone

    async def away() -> str:
        raise Retry("away")

    crew.world.ledger.trader_alone = away  # type: ignore[method-assign]
    starting = await started(crew, is_divided=True, seconds=5 * ALONE_MS / 1000)
    assert not starting.done()
    crew.world.ledger.trader_alone = real  # type: ignore[method-assign]
    await crew.run(5)
    await starting
    crew.kill(crew.post.traders["c"])


async def test_workers_begin_nothing_beside_a_trader_alone_and_end_when_it_stays(crew: Crew) -> None:
    await crew.start()
    assert crew.leader.share is not None
    await crew.world.ledger.leave("a")
    await crew.world.ledger.hold_lease("plain", 10 * ALONE_MS)
    for trader in (crew.leader, crew.worker):
        trader.hold_share()
    await crew.run(1)
    assert await crew.worker.context.led_epoch() is None
    assert crew.owned(crew.worker) == crew.accounts[:2]  # guarded as before
    for _ in range(ALONE_MS // 1000 + 2):
        crew.worker.hold_share()
        await crew.run(1)
    assert isinstance(crew.worker.halted, Halt)
