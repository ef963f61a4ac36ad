"""
What operators ask for on the web and the trader does: once, in time, by the terminal's own rules, never looser than the
environment, and one act's failure is no other act's.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.errors import Retry
from lib.domain.operator_act import ActKind, NewAct
from lib.domain.order import Order, OrderState
from lib.domain.platform_settings import BANNER, KRW_PER_USDT, LIMIT, REGISTRATION
from lib.domain.reason import Reason
from lib.trading.operator_requests import TOO_LATE_MS, OperatorRequests
from lib.trading.platform_desk import PlatformDesk
from tests.fakes.operators import MemoryActs, MemoryRoster
from tests.fakes.platform import MemoryPlatformBook
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

USUAL = PlatformLimits(max_exposure=Decimal(10_000))


class Inbox:
    """A trader of *world* with acts that wait for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acts = MemoryActs(MemoryRoster({7}))
        self.book = MemoryPlatformBook(SteppedClock(world.clock.now_ms()))
        context = world.context
        self.requests = OperatorRequests(
            self.acts, world.ledger, context.exchanges, PlatformDesk(self.book, USUAL, counts_cost=False),
            context.clock, context.holder, context.lease_ms,
        )  # fmt: skip

    async def ask(self, kind: ActKind, **args: str) -> Reason | None:
        act = self.acts.begin(NewAct(7, kind, 0, args, "203.0.113.7", self.world.clock.now_ms()))
        await self.requests.run_pass()
        return self.acts.results.get(act)


@pytest.fixture
def inbox(world: World) -> Inbox:
    return Inbox(world)


async def stuck(world: World) -> Order:
    """An order of T that never arrived and is a person's now."""
    world.fault("drop_before", CREATE)
    await world.cycle("buy")
    world.calm()
    row = world.order()
    world.wait(25 * 3600)
    world.ledger.store.orders[row.id] = replace(row, state=OrderState.NEEDS_HUMAN)
    return world.order()


async def test_an_order_is_settled_by_the_operators_word_and_signed(inbox: Inbox) -> None:
    row = await stuck(inbox.world)
    result = await inbox.ask("settle", link=row.order_link_id, state="ABSENT", why="seen in the app")
    assert result is not None
    assert codes.ORDER_SETTLED.is_of(result)
    done = inbox.world.order()
    assert (done.state, done.why) == (OrderState.ABSENT, codes.SETTLED_BY(who="operator:7", note="seen in the app"))
    assert not (await inbox.world.trader_account(1)).trading_enabled


async def test_what_the_exchange_contradicts_is_refused_with_its_evidence(inbox: Inbox) -> None:
    row = await stuck(inbox.world)
    result = await inbox.ask("settle", link=row.order_link_id, state="FILLED", why="I believe so")
    assert result is not None
    assert result == codes.ORDER_CONTRADICTED(evidence=codes.EVIDENCE_NOTHING())
    assert inbox.world.order().state is OrderState.NEEDS_HUMAN


@pytest.mark.parametrize(
    "args",
    [
        {"link": "nothing", "state": "ABSENT", "why": "x"},
        {"link": "nothing", "state": "GONE", "why": "x"},
        {"link": "nothing"},
    ],
)
async def test_a_settling_of_nothing_changes_nothing(inbox: Inbox, args: dict[str, str]) -> None:
    result = await inbox.ask("settle", **args)
    assert result is not None
    assert codes.NO_SUCH_ORDER.is_of(result) or codes.OPERATOR_REFUSED.is_of(result)


async def test_settings_are_written_with_their_entry_in_the_trail(inbox: Inbox) -> None:
    changed = await inbox.ask("setting", setting="registration", value="closed", why="full")
    assert changed == codes.SETTING_CHANGED(before="default", after="closed")
    assert await inbox.ask("setting", setting="registration", value="closed", why="full") == codes.SETTING_UNCHANGED()
    await inbox.ask("setting", setting="banner", ko="점검", en="Maintenance")
    await inbox.ask("setting", setting="limit:max_exposure", value="500", why="quiet week", loosen="no")
    assert set(inbox.book.rows()) == {REGISTRATION, BANNER, f"{LIMIT}max_exposure"}
    assert {change.who for change in inbox.book.changes(9)} == {"operator:7"}
    await inbox.ask("setting", setting="banner", ko="", en="")
    assert BANNER not in inbox.book.rows()


@pytest.mark.parametrize(
    "args",
    [
        {"setting": "limit:max_exposure", "value": "10001", "why": "x", "loosen": "yes"},
        {"setting": "limit:max_exposure", "value": "much", "why": "x", "loosen": "yes"},
        {"setting": "limit:analyst_cost", "value": "1", "why": "x", "loosen": "no"},
        {"setting": "limit:no_such", "value": "1", "why": "x", "loosen": "yes"},
        {"setting": "registration", "value": "maybe", "why": "x"},
        {"setting": "banner", "ko": "점검", "en": ""},
        {"setting": "krw_per_usdt", "value": "99", "why": "x"},
        {"setting": "krw_per_usdt", "value": "1390,1400", "why": "x"},
        {"setting": "analyst:profile", "value": "x", "why": "x"},
        {},
    ],
)
async def test_a_web_that_was_taken_over_loosens_nothing_and_writes_no_other_row(
    inbox: Inbox, args: dict[str, str]
) -> None:
    result = await inbox.ask("setting", **args)
    assert result is not None
    assert codes.OPERATOR_REFUSED.is_of(result) or codes.OPERATOR_REFUSED_FOR.is_of(result)
    assert inbox.book.rows() == {}


async def test_rates_are_written_in_the_order_of_their_days_and_taken_away(inbox: Inbox) -> None:
    asked = {"setting": "krw_per_usdt", "why": "the week's mean"}
    changed = await inbox.ask("setting", **asked, value="2026-03-01=1402.5, 1390")
    assert changed == codes.SETTING_CHANGED(before="default", after="1390,2026-03-01=1402.5")
    assert inbox.book.rows() == {KRW_PER_USDT: "1390,2026-03-01=1402.5"}
    [change] = inbox.book.changes(9)
    assert (change.who, change.why) == ("operator:7", "the week's mean")
    await inbox.ask("setting", **asked, value="default")
    assert inbox.book.rows() == {}


async def test_a_stricter_limit_is_loosened_up_to_the_environment_only_when_it_is_meant(inbox: Inbox) -> None:
    asked: dict[str, Any] = {"setting": "limit:max_exposure", "why": "x"}
    await inbox.ask("setting", **asked, value="500", loosen="no")
    refused = await inbox.ask("setting", **asked, value="9000", loosen="no")
    assert refused is not None
    assert refused == codes.OPERATOR_REFUSED_FOR(why=codes.LIMIT_LOOSENS())
    await inbox.ask("setting", **asked, value="9000", loosen="yes")
    assert inbox.book.rows() == {f"{LIMIT}max_exposure": "9000"}
    await inbox.ask("setting", **asked, value="default", loosen="yes")
    assert inbox.book.rows() == {}


async def test_an_act_that_waited_too_long_is_not_carried_out(inbox: Inbox) -> None:
    old = inbox.world.clock.now_ms() - TOO_LATE_MS - 1
    act = inbox.acts.begin(NewAct(7, "setting", 0, {"setting": "registration", "value": "closed", "why": ""}, "", old))
    await inbox.requests.run_pass()
    assert inbox.acts.results[act] == codes.COMMAND_TOO_LATE()
    assert inbox.book.rows() == {}


async def test_who_does_not_lead_takes_nothing(inbox: Inbox) -> None:
    await inbox.world.ledger.release_lease(inbox.world.context.holder)
    await inbox.world.ledger.hold_lease("another", 60_000)
    assert await inbox.ask("setting", setting="registration", value="closed", why="") is None
    assert inbox.book.rows() == {}


async def test_one_acts_failure_is_no_other_acts(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(link: str) -> Order | None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(inbox.world.ledger, "order_by_link", fails)
    now = inbox.world.clock.now_ms()
    first = inbox.acts.begin(NewAct(7, "settle", 0, {"link": "x", "state": "ABSENT", "why": "x"}, "", now))
    door = {"setting": "guests", "value": "closed", "why": "x"}
    second = inbox.acts.begin(NewAct(7, "setting", 0, door, "", now))
    await inbox.requests.run_pass()
    assert inbox.acts.results[first] == codes.COMMAND_INTERRUPTED()
    assert codes.SETTING_CHANGED.is_of(inbox.acts.results[second])


async def test_a_result_that_cannot_be_written_keeps_no_other_act_from_being_done(inbox: Inbox) -> None:
    done = inbox.acts.done

    async def away(act_id: int, result: Reason) -> None:
        if act_id == 1:
            raise Retry("database away")
        await done(act_id, result)

    inbox.acts.done = away  # type: ignore[method-assign]
    now = inbox.world.clock.now_ms()
    inbox.acts.begin(NewAct(7, "setting", 0, {"setting": "banner", "ko": "점검", "en": "works"}, "203.0.113.7", now))
    result = await inbox.ask("setting", setting="registration", value="closed", why="full")
    assert result is not None
    assert result.code == "setting_changed"
