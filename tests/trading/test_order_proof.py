"""Ways a hostile reader found to lose an order, a switch or a stop: each test is the sequence of events."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.candle import MINUTE_MS
from lib.domain.command import Command
from lib.domain.errors import Retry
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import TERMINAL, Claim, Order, OrderState
from lib.domain.reason import Reason
from lib.domain.switches import Flags
from lib.trading.commands import CommandRunner
from lib.trading.cycle.run import CycleReport, run_cycle
from lib.trading.kill_switch.operator import Operator
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.orders.reconcile import reconcile
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.databases import with_schema
from tests.factories import T, decision
from tests.trading.test_commands import GOOD, Inbox, Probe
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE, OpenSeals

QUESTIONS = ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list")


async def test_two_cycles_at_once_stay_under_the_platforms_exposure_limit_together() -> None:
    """A person asks for a cycle of their own while another's still waits for its analyst: each has its own headroom."""
    world = World()
    first, second = world.add_account(), world.add_account()
    context = replace(world.context, platform=PlatformLimits(max_exposure=Decimal(6_000)))
    await world.cycle("hold", context=context)
    world.to(world.t_ms + 3 * MINUTE_MS + 3_000)
    t_ms = world.clock.now_ms() - world.clock.now_ms() % MINUTE_MS
    world.analyst.view = decision("buy")
    await asyncio.gather(*(run_cycle(context, t_ms, only=frozenset({number})) for number in (first, second)))
    positions = [world.position(number) for number in (first, second)]
    exposure = sum((abs(one.qty) * one.avg_entry_price for one in positions), Decimal(0))
    assert 0 < exposure <= context.platform.max_exposure


async def test_two_cycles_at_once_share_the_platforms_entries_of_the_day() -> None:
    world = World()
    numbers = [world.add_account() for _ in range(3)]
    context = replace(world.context, platform=PlatformLimits(entries_per_day=2))
    await world.cycle("hold", context=context)
    world.to(world.t_ms + 3 * MINUTE_MS + 3_000)
    t_ms = world.clock.now_ms() - world.clock.now_ms() % MINUTE_MS
    world.analyst.view = decision("buy")
    await asyncio.gather(*(run_cycle(context, t_ms, only=frozenset({number})) for number in numbers))
    assert sum(not world.position(number).is_flat for number in numbers) == 2
    assert not context.state.reservations["paper"].standing, "what ended is told by rows and books alone"


async def test_a_cycle_that_begins_while_another_enters_counts_its_entry_once() -> None:
    """The second begins when the row of the first is planned: there is room for two, and none for a third."""
    world = World()
    first, second, third = (world.add_account() for _ in range(3))
    context = replace(world.context, platform=PlatformLimits(max_exposure=Decimal(9_000), entries_per_day=2))
    plan, late = world.ledger.plan, list[asyncio.Task[CycleReport]]()
    await world.cycle("hold", context=context)
    world.to(world.t_ms + 3 * MINUTE_MS + 3_000)
    t_ms = world.clock.now_ms() - world.clock.now_ms() % MINUTE_MS

    async def meanwhile(account: TraderAccount, *rest: Any) -> list[Order]:
        rows = await plan(account, *rest)
        if account.account_id == first:
            late.append(asyncio.ensure_future(run_cycle(context, t_ms, only=frozenset({second}))))
            await late[0]
        return rows

    world.ledger.plan = meanwhile  # type: ignore[method-assign,assignment]
    world.analyst.view = decision("buy")
    await run_cycle(context, t_ms, only=frozenset({first}))
    world.ledger.plan = plan  # type: ignore[method-assign]
    await run_cycle(context, t_ms, only=frozenset({third}))
    held = [world.position(number).qty for number in (first, second, third)]
    assert held == [Decimal("0.072"), Decimal("0.072"), 0]


async def test_what_the_environment_forbids_nobody_resumes_while_the_trader_runs(world: World) -> None:
    stopper = Stopper(world.context, allowed=False)
    await stopper.obey()
    await Operator(world.ledger, "cli:somebody@elsewhere").resume(0)
    await stopper.run_pass()
    assert not (await world.ledger.flags()).trading_enabled


async def test_a_close_refused_for_its_rate_and_then_cut_from_the_database_does_not_hold_up_the_next(
    world: World,
) -> None:
    """10006 → PLANNED with one attempt; the database is away for the second claim; then all is well for 30 s."""
    world.fault("drop_stop")
    await world.cycle("buy")
    world.fault("refuse_stop", count=99)
    world.fault("rate_limit_past_reset", CREATE)
    claim, tries = world.ledger.claim, 0

    async def away_the_second_time(order: Order, signed: SignedOrder, holder: str) -> Claim:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise Retry("the database is away")
        return await claim(order, signed, holder)

    world.ledger.claim = away_the_second_time  # type: ignore[method-assign]
    for _ in range(15):
        await world.guardian.run_pass()
        await reconcile(world.context, sweep=False)
        world.wait(2)
    assert world.position().is_flat, [(order.order_link_id, order.state, order.attempts) for order in world.orders()]


async def stripped(world: World) -> None:
    """A position without its stop, which cannot be put back, and a market order finds nothing."""
    world.fault("drop_stop")
    await world.cycle("buy")
    world.wait(95)
    world.fault("refuse_stop", count=10_000)
    world.fault("no_fill", count=10_000)


async def test_closes_that_find_no_market_for_a_minute_leave_one_for_when_it_is_back(world: World) -> None:
    await stripped(world)
    for _ in range(40):
        await world.guardian.run_pass()
        world.wait(2)
    world.calm()
    world.fault("refuse_stop", count=10_000)
    for _ in range(15):
        await world.guardian.run_pass()
        world.wait(2)
    assert world.position().is_flat


async def test_closes_in_vain_for_five_minutes_are_seconds_apart_and_leave_ids_to_close_with(world: World) -> None:
    """The last of them is never far back, so a market that returns is met within seconds of it."""
    await stripped(world)
    for _ in range(600):
        await world.guardian.run_pass()
        world.wait(0.5)
    signed = sorted(order.signed_ts for order in world.orders() if order.leg == "g")
    assert len(signed) <= 33, "of 36 ids in five minutes"
    assert signed[0]
    assert max(b - a for a, b in pairwise(signed)) <= 12_000


async def test_a_wish_to_close_everything_outlives_a_command_that_is_lost() -> None:
    """The web throws the switch; its command is taken, the database hiccups, and it is never seen again."""
    world = World()
    account_id = world.add_account()
    inbox = Inbox()
    command_runner = CommandRunner(
        world.context, inbox, OpenSeals(), Probe(replace(GOOD, uid=str(world.uid(account_id))))
    )
    await world.cycle("buy")
    await world.ledger.set_account_flags(account_id, Flags(trading_enabled=False, flatten=True), "user:1")
    inbox.waits.append(Command(1, world.user_of(account_id), account_id, "flatten", world.clock.now_ms()))
    accounts, stopper = world.ledger.accounts, Stopper(world.context)

    async def away() -> list[TraderAccount]:
        raise Retry("the database is away")

    world.ledger.accounts = away  # type: ignore[method-assign]
    await command_runner.run_pass()
    world.ledger.accounts = accounts  # type: ignore[method-assign]
    assert inbox.results == {} and not inbox.waits  # noqa: PT018
    for _ in range(5):
        await stopper.run_pass()
        world.wait(2)
    assert world.position().is_flat


async def test_a_flips_cycle_taken_up_again_after_its_entry_filled_is_no_bug(world: World) -> None:
    await world.cycle("buy")
    await world.cycle("sell")
    assert all(order.state in TERMINAL for order in world.orders())
    result = result_of(await world.again())
    assert result.outcome != "failed", result.reason


def silence(world: World) -> None:
    for path in QUESTIONS:
        world.fault("http_5xx_before", path, 10_000)


async def nobody_could_ask_for_a_day() -> World:
    """The first entry an account ever had filled, its stop was lost, and its row is a person's: NEEDS_HUMAN."""
    world = World()
    world.add_account()
    world.fault("drop_stop")
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: silence(world))
    await world.cycle("buy")
    entry = world.order("e")
    assert entry.state is OrderState.UNKNOWN and not world.position().is_flat  # noqa: PT018
    assert await world.ledger.move(entry, OrderState.NEEDS_HUMAN, codes.NOBODY_COULD_ASK())
    world.calm()
    return world


async def test_a_position_whose_entry_only_a_person_can_end_is_guarded() -> None:
    world = await nobody_could_ask_for_a_day()
    for _ in range(5):
        await world.guardian.run_pass()
        world.wait(2)
    assert world.position().is_flat or world.position().stop_loss > 0


async def test_a_position_whose_entry_only_a_person_can_end_is_closed_with_everything() -> None:
    world = await nobody_could_ask_for_a_day()
    stopper = Stopper(world.context)
    await world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=True), "test")
    for _ in range(5):
        await stopper.run_pass()
        world.wait(2)
    assert world.position().is_flat


# --- stores -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite database of this test's own."""
    made = make_engine(f"sqlite:///{tmp_path}/ledger.db")
    with_schema(made)
    yield made
    made.dispose()


@pytest.mark.parametrize("why", [codes.STOPPED_BY_OPERATOR(), codes.SETTLED_BY_HAND()])
async def test_a_new_key_does_not_end_what_an_operator_or_a_settlement_paused(engine: sa.Engine, why: Reason) -> None:
    stores = SqlWorld(engine, SteppedClock(T + 4_000))
    account = await trading_account(stores)
    await stores.ledger.set_account_flags(account.account_id, Flags(False, False, why=why), "cli:operator@host")
    new = NewAccount(account.user_id, "paper", "synthetic", account.uid, "BTCUSDT", "sealed", "1234", 2, Decimal(1), 0)
    SqlKeyring(engine, stores.clock).put(new)
    assert not (await stores.ledger.accounts())[0].trading_enabled
    stores.close()
