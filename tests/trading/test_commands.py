"""What people ask of the trader: one cycle of their own account now, another look at their key, a close."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest

from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.candle import MINUTE_MS
from lib.domain.command import Command, CommandKind
from lib.domain.errors import Pause, Retry
from lib.domain.order import OrderState
from lib.domain.position import ZERO, Direction
from lib.domain.reason import NOTHING, Reason, text
from lib.domain.switches import Flags
from lib.ports.exchange import KeyProbe
from lib.ports.ledger import Commands
from lib.trading import commands
from lib.trading.commands import TOO_LATE_MS, CommandRunner
from lib.trading.cycle.run import run_cycle
from tests.factories import T, decision
from tests.fakes.accounts import LeaseRow
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE, OpenSeals

GOOD = KeyInfo("", True, False, False, False, True, (), 0)


@dataclass
class Inbox(Commands):
    """`Commands` in memory."""

    waits: list[Command] = field(default_factory=list)
    results: dict[int, Reason] = field(default_factory=dict)

    async def waiting(self) -> bool:
        return bool(self.waits)

    async def take(self, now_ms: int, account_ids: Collection[int] | None = None) -> list[Command]:
        taken, self.waits = self.waits, []
        return taken

    async def done(self, command_id: int, result: Reason) -> None:
        self.results[command_id] = result


@dataclass
class Probe(KeyProbe):
    """A `KeyProbe` that says *info*, or raises it, and knows how many asked it at once."""

    info: KeyInfo | Exception
    most_at_once: int = 0
    one_way: list[str] = field(default_factory=list)
    """Where positions were set to one-way."""
    refuses: Pause | None = None
    _inside: Barrier = field(default_factory=lambda: Barrier(2))

    def key_info(self, venue: str, key: ApiKey) -> KeyInfo:
        with suppress(BrokenBarrierError):
            self._inside.wait(0.05)  # a second one would meet the first here
            self.most_at_once = 2
        if isinstance(self.info, Exception):
            raise self.info
        return self.info

    def prepare(self, venue: str, key: ApiKey, symbols: Sequence[str]) -> tuple[()]:
        """Not a recheck's business."""
        return ()

    def set_one_way(self, venue: str, key: ApiKey, symbols: Sequence[str]) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.one_way += symbols


class Office:
    """A command runner over a world with one account, three minutes and three seconds after T."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inbox = Inbox()
        world.add_account()
        self.probe = Probe(replace(GOOD, uid=str(world.uid(1))))
        self.command_runner = CommandRunner(world.context, self.inbox, OpenSeals(), self.probe)
        world.to(T + 3 * MINUTE_MS + 3_000)

    async def ask(
        self, kind: CommandKind = "ask_now", account_id: int = 1, *, ago_ms: int = 0, side: Direction = "flat"
    ) -> Reason:
        """Put a command, run a pass; its result."""
        number = len(self.inbox.results) + 1
        asked_ms = self.world.clock.now_ms() - ago_ms
        self.inbox.waits.append(Command(number, self.world.user_of(account_id), account_id, kind, asked_ms, side))
        await self.command_runner.run_pass()
        return self.inbox.results.get(number, NOTHING)

    def auto_trade(self, on: bool) -> None:
        self.world.ledger.people.set_auto_trade(self.world.user_of(1), on, self.world.clock.now_ms())

    def paused(self) -> Reason:
        return self.world.ledger.store.accounts[1].pause_reason


def inner(reason: Reason) -> Reason:
    """The reason behind *reason*."""
    why = reason.params["why"]
    assert isinstance(why, Reason)
    return why


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


async def test_asking_now_trades_at_the_newest_closed_minute(office: Office) -> None:
    office.world.analyst.view = decision("buy")
    assert (await office.ask()).params["outcome"] == "bought"
    order = office.world.order()
    assert (order.t_ms, order.state) == (T + 3 * MINUTE_MS, OrderState.FILLED)
    assert office.world.position().stop_loss > 0


async def test_asking_now_serves_one_account_alone(office: Office) -> None:
    office.world.add_account()
    office.world.analyst.view = decision("buy")
    await office.ask(account_id=2)
    assert office.world.orders(1) == []
    assert len(office.world.orders(2)) == 1


async def test_two_who_ask_at_once_share_one_answer(office: Office) -> None:
    office.world.add_account()
    office.inbox.waits.append(Command(9, office.world.user_of(2), 2, "ask_now", office.world.clock.now_ms()))
    await office.ask()
    assert len(office.inbox.results) == 2
    assert len(office.world.analyst.asked) == 1


async def test_whoever_switched_on_after_the_minute_is_served(office: Office) -> None:
    office.auto_trade(False)
    office.auto_trade(True)
    office.world.analyst.view = decision("buy")
    assert (await office.ask()).params["outcome"] == "bought"


async def test_with_auto_trading_off_the_person_gets_the_opinion_alone(office: Office) -> None:
    office.auto_trade(False)
    office.world.analyst.view = decision("buy")
    assert codes.AUTO_TRADING_OFF_WOULD.is_of(inner(await office.ask()))
    log = office.world.log(t_ms=T + 3 * MINUTE_MS)
    assert (log.summary.outcome, log.reason.code) == ("refused", codes.AUTO_TRADING_OFF_WOULD.name)
    assert log.answer is not None
    assert office.world.transport.orders() == []


async def test_with_auto_trading_off_an_opinion_closes_nothing(office: Office) -> None:
    await office.world.cycle("buy")
    office.auto_trade(False)
    office.world.wait(70)
    office.world.analyst.view = decision("sell")
    assert codes.AUTO_TRADING_OFF_WOULD.is_of(inner(await office.ask()))
    assert office.world.position().qty > 0


async def test_a_paused_account_gets_the_opinion_alone(office: Office) -> None:
    await office.world.ledger.pause(1, text("the key was revoked"))
    office.world.analyst.view = decision("buy")
    assert codes.PAUSED_WOULD.is_of(inner(await office.ask()))
    assert office.world.transport.orders() == []


async def test_an_entry_of_the_last_minute_is_not_followed_by_another(office: Office) -> None:
    office.world.analyst.view = decision("buy")
    await office.ask()
    office.world.wait(50)
    assert await office.ask() == codes.ASKED_TOO_SOON()
    assert len(office.world.transport.orders()) == 1


async def test_asking_again_in_the_same_minute_doubles_nothing(office: Office) -> None:
    office.world.analyst.view = decision("hold")
    await office.ask()
    office.world.analyst.view = decision("buy")
    assert (await office.ask()).params["outcome"] == "held"
    assert len(office.world.analyst.asked) == 1
    assert office.world.orders() == []


async def test_a_cycle_on_demand_still_under_way_lets_the_timetables_wait_its_turn(office: Office) -> None:
    world, answered, ask = office.world, asyncio.Event(), office.world.analyst.ask

    async def slow_once(prompt: Prompt, budget_s: float) -> AnalystAnswer:
        world.analyst.ask = ask  # type: ignore[method-assign]
        await answered.wait()
        return await ask(prompt, budget_s)

    world.analyst.ask = slow_once  # type: ignore[method-assign]
    world.analyst.view = decision("buy")
    world.to(T + 5 * MINUTE_MS - 1_000)
    on_demand = asyncio.create_task(office.ask())
    await turns_of_the_loop()
    world.to(T + 5 * MINUTE_MS + 2_000)
    scheduled = asyncio.create_task(run_cycle(world.context, T + 5 * MINUTE_MS))
    await turns_of_the_loop()
    answered.set()
    assert (await on_demand).params["outcome"] == "bought"
    assert result_of(await scheduled).outcome == "kept"


async def turns_of_the_loop() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def test_a_command_that_waited_too_long_is_not_carried_out(office: Office) -> None:
    office.world.analyst.view = decision("buy")
    assert await office.ask(ago_ms=TOO_LATE_MS + 1) == codes.COMMAND_TOO_LATE()
    assert office.world.orders() == []


async def test_only_the_leader_takes_commands(office: Office) -> None:
    office.world.ledger.store.lease = LeaseRow("other", 9, T + 10**9)
    assert await office.ask() == NOTHING
    assert len(office.inbox.waits) == 1


async def test_a_window_that_is_not_there_is_told(office: Office) -> None:
    office.world.candles.spoil = lambda window: window[1:]
    assert (await office.ask()).params["outcome"] == "skipped"


async def test_an_account_of_another_feed_is_told_so(office: Office) -> None:
    rows = office.world.ledger.store.accounts
    rows[1] = replace(rows[1], feed="replay:old.csv")
    assert await office.ask() == codes.NOTHING_DONE(why=codes.NOBODY_DUE())


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_good_key_stays_as_it_is(office: Office) -> None:
    assert await office.ask("recheck_key") == codes.KEY_FINE()
    assert office.paused() == NOTHING


async def test_a_key_that_is_fine_is_set_to_one_way_where_its_account_trades_and_is_flat(office: Office) -> None:
    both, now = ("BTCUSDT", "ETHUSDT"), office.world.clock.now_ms()
    office.world.ledger.people.choose_symbols(office.world.user_of(1), both, now)
    assert await office.ask("recheck_key") == codes.KEY_FINE()
    assert sorted(office.probe.one_way) == sorted(both)
    office.probe.refuses, office.probe.one_way = Pause("110024: there is a position"), []
    assert await office.ask("recheck_key") == codes.KEY_FINE(), "what cannot be set keeps entries off when it is read"
    assert not office.paused()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"may_withdraw": True}, "may withdraw money"),
        ({"may_transfer": True}, "may transfer money"),
        ({"read_only": True, "may_trade": False}, "may only read"),
        ({"uid": "4711"}, "belongs to another exchange account"),
        ({"expires_at": T}, "has expired"),
    ],
)
async def test_a_key_that_went_bad_pauses_its_account_with_a_plain_reason(
    office: Office, changes: dict[str, object], why: str
) -> None:
    assert isinstance(office.probe.info, KeyInfo)
    office.probe.info = replace(office.probe.info, **changes)  # type: ignore[arg-type]
    assert why in english(await office.ask("recheck_key"))
    assert why in english(office.paused())


async def test_a_revoked_key_pauses_and_a_venue_that_is_away_does_not(office: Office) -> None:
    office.probe.info = Retry("Bybit cannot be reached")
    assert await office.ask("recheck_key") == codes.KEY_NOT_CHECKED(why=text("Bybit cannot be reached"))
    assert office.paused() == NOTHING
    office.probe.info = Pause("Bybit refuses the key (33004)")
    await office.ask("recheck_key")
    assert office.paused() == text("Bybit refuses the key (33004)")


async def test_keys_are_looked_at_one_at_a_time(office: Office) -> None:
    for number in range(1, 5):
        now = office.world.clock.now_ms()
        office.inbox.waits.append(Command(number, office.world.user_of(1), 1, "recheck_key", now))
    await office.command_runner.run_pass()
    assert list(office.inbox.results.values()) == [codes.KEY_FINE()] * 4
    assert office.probe.most_at_once < 2


# --- one position closed ----------------------------------------------------------------------------------------------


async def test_a_close_takes_the_position_and_switches_nothing(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    qty, before = world.position().qty, await world.trader_account(1)
    world.wait(20)
    said = await office.ask("close", side="long")
    close = world.order("f")
    assert said == codes.CLOSED_AS_ASKED(qty=qty, symbol=close.symbol, price=close.avg_price)
    assert world.position().is_flat
    assert (close.state, close.reduce_only, close.filled_qty) == (OrderState.FILLED, True, qty)
    after = await world.trader_account(1)
    assert (after.auto_trade, after.trading_enabled, after.flatten) == (
        before.auto_trade,
        before.trading_enabled,
        False,
    )


async def test_wishes_to_close_are_carried_out_one_after_the_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []

    async def slowly(*_: object) -> Reason:
        at_once.append(1)
        await asyncio.sleep(0)
        at_once.append(-1)
        return codes.NOTHING_TO_CLOSE()

    monkeypatch.setattr(commands, "close_as_asked", slowly)
    for number in range(1, 4):
        wish = Command(number, office.world.user_of(1), 1, "close", office.world.clock.now_ms(), "long")
        office.inbox.waits.append(wish)
    await office.command_runner.run_pass()
    assert list(office.inbox.results.values()) == [codes.NOTHING_TO_CLOSE()] * 3
    assert at_once == [1, -1] * 3


async def test_wishes_in_vain_for_five_minutes_leave_the_kill_switch_ids_to_close_with(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    world.fault("no_fill", count=10_000)
    for _ in range(8):
        world.wait(1)
        assert codes.NOT_CLOSED_YET.is_of(await office.ask("close", side="long"))
    made = Counter(order.t_ms for order in world.ledger.store.orders.values() if order.leg == "f")
    assert 5 <= max(made.values()) <= 33, "of 36"


async def test_a_close_leaves_a_persons_own_part(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    ours = world.position().qty
    world.by_hand("buy", "0.500")
    world.wait(20)
    assert (await office.ask("close", side="long")).params["qty"] == ours
    assert world.position().qty == Decimal("0.500")
    assert await office.ask("close", side="long") == codes.NOTHING_TO_CLOSE()


@pytest.mark.parametrize("side", ["short", "flat"])
async def test_a_position_of_the_other_side_is_not_the_one_that_was_meant(office: Office, side: Direction) -> None:
    await office.world.cycle("buy")
    office.world.wait(20)
    assert await office.ask("close", side=side) == codes.POSITION_IS_ANOTHER()
    assert office.world.position().qty > 0


async def test_a_position_entered_after_the_wish_is_left_alone(office: Office) -> None:
    await office.world.cycle("buy")
    office.world.wait(20)
    assert await office.ask("close", ago_ms=45_000, side="long") == codes.POSITION_IS_ANOTHER()
    assert office.world.position().qty > 0


async def test_a_wish_to_close_that_waited_too_long_closes_nothing(office: Office) -> None:
    await office.world.cycle("buy")
    office.world.wait(200)
    assert await office.ask("close", ago_ms=TOO_LATE_MS + 1, side="long") == codes.COMMAND_TOO_LATE()
    assert office.world.position().qty > 0


async def test_no_switch_pause_or_lock_holds_a_close_up(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    world.wait(20)
    office.auto_trade(False)
    await world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=False), "user:1")
    await world.ledger.lock(1, "external", world.clock.now_ms() + 10**7, codes.EXTERNAL_POSITION_CHANGE())
    assert codes.CLOSED_AS_ASKED.is_of(await office.ask("close", side="long"))
    assert world.position().is_flat


async def test_a_close_without_a_market_is_tried_again_and_then_said_to_be_undone(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    world.wait(20)
    world.fault("no_fill", count=10_000)
    said = await office.ask("close", side="long")
    assert codes.NOT_CLOSED_YET.is_of(said), english(said)
    assert world.position().stop_loss > 0, "what could not be closed keeps its stop"
    assert 2 < len(world.orders()) < 12
    world.calm()
    assert codes.CLOSED_AS_ASKED.is_of(await office.ask("close", side="long"))


async def test_a_close_whose_reply_is_lost_is_not_doubled(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    ours = world.position().qty
    world.by_hand("buy", "0.500")
    world.wait(20)
    world.fault("drop_reply", CREATE)
    assert (await office.ask("close", side="long")).params["qty"] == ours
    assert world.position().qty == Decimal("0.500")
    assert sum((order.filled for order in world.accepted() if order.reduce_only), ZERO) == ours


async def test_two_who_close_at_once_close_each_their_own(office: Office) -> None:
    world = office.world
    world.add_account()
    await world.cycle("buy")
    world.wait(20)
    now = world.clock.now_ms()
    office.inbox.waits = [Command(n, world.user_of(n), n, "close", now, "long") for n in (1, 2)]
    await office.command_runner.run_pass()
    assert [codes.CLOSED_AS_ASKED.is_of(result) for result in office.inbox.results.values()] == [True, True]
    assert world.position().is_flat


async def test_a_key_that_is_refused_ends_a_close_with_its_reason(office: Office) -> None:
    world = office.world
    await world.cycle("buy")
    world.wait(20)
    for key in world.engine.accounts[world.uid(1)].keys:
        key.refusal = 33004
    assert codes.NOT_CLOSED_YET.is_of(await office.ask("close", side="long"))


# --- everything closed ------------------------------------------------------------------------------------------------


async def close_by_owner(office: Office) -> None:
    """What the web does before it asks."""
    await office.world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=True), "user:1")


async def test_the_wish_to_close_everything_is_answered_and_its_switch_left_as_it_is(office: Office) -> None:
    await close_by_owner(office)
    thrown = await office.world.trader_account(1)
    said = await office.ask("flatten", ago_ms=100 * TOO_LATE_MS)
    assert said == codes.CLOSING_UNTIL_RESUMED()
    assert await office.world.trader_account(1) == thrown


@pytest.mark.parametrize("paused_again", [False, True])
async def test_who_resumed_since_is_not_closed(office: Office, paused_again: bool) -> None:
    await close_by_owner(office)
    await office.world.ledger.set_account_flags(1, Flags(trading_enabled=True, flatten=False), "user:1")
    if paused_again:
        await office.world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=False), "user:1")
    assert await office.ask("flatten") == codes.RESUMED_SINCE()
    account = await office.world.trader_account(1)
    assert (account.trading_enabled, account.flatten) == (not paused_again, False)


@pytest.mark.parametrize("kind", ["flatten", "recheck_key", "ask_now", "close"])
async def test_a_command_that_fails_takes_no_other_with_it(office: Office, kind: CommandKind) -> None:
    office.world.add_account()
    done, now = office.inbox.done, office.world.clock.now_ms()

    async def fails_once(command_id: int, result: Reason) -> None:
        if command_id == 7:
            raise Retry("the database is away")
        await done(command_id, result)

    office.inbox.done = fails_once  # type: ignore[method-assign]
    office.inbox.waits = [
        Command(7, office.world.user_of(2), 2, kind, now),
        Command(8, office.world.user_of(1), 1, "ask_now", now),
        Command(9, office.world.user_of(1), 1, "recheck_key", now),
    ]
    await office.command_runner.run_pass()
    assert set(office.inbox.results) == {8, 9}


async def test_closing_an_account_that_is_gone_says_so(office: Office) -> None:
    office.world.ledger.store.accounts[1] = replace(office.world.ledger.store.accounts[1], active=False)
    assert await office.ask("flatten") == codes.NO_ACCOUNT_TO_CLOSE()
    assert await office.ask("close", side="long") == codes.NO_ACCOUNT_TO_CLOSE()
