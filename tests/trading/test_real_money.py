"""
Real money in the order path: the whole trader against a simulated exchange under the real venue's name.

An entry leaves only with every gate open, at the plan and again at the claim; an exit leaves whatever is closed.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.order import OrderState
from lib.domain.real_money import RealFacts, RealGate
from tests.factories import SYMBOL
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE
from tests.worlds.real import open_facts

CAREFUL = AccountSettings(risk_level=RiskLevel.LOW)
LEVERAGE = "/v5/position/set-leverage"


@pytest.fixture
def world() -> Iterator[World]:
    """One account on mainnet, of which nothing is known yet."""
    made = World(traded="mainnet")
    made.add_account(settings=CAREFUL)
    yield made
    assert made.violations == []


def entries(world: World) -> list[str]:
    return [path for _, path, _ in world.transport.sent if path == CREATE]


async def test_with_nothing_known_nothing_is_entered_and_the_reason_is_the_first_gate(world: World) -> None:
    report = await world.cycle("buy")
    assert (result_of(report).outcome, result_of(report).reason) == ("refused", codes.REAL_CARDS_LACKING())
    assert entries(world) == []


async def test_with_every_gate_open_an_entry_with_its_stop_stands_at_the_exchange(world: World) -> None:
    world.ledger.store.real[1] = open_facts()
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"
    position = await (await world.exchange(1)).position(SYMBOL)
    assert position.qty > 0
    assert position.stop_loss > 0


async def test_the_equity_of_now_is_held_against_the_cap(world: World) -> None:
    facts = open_facts()
    assert facts.cap is not None
    world.ledger.store.real[1] = replace(facts, cap=replace(facts.cap, equity=facts.equity))
    report = await world.cycle("buy")
    assert codes.REAL_CAP_EQUITY.is_of(result_of(report).reason)
    assert entries(world) == []


async def test_a_gate_that_closes_between_plan_and_claim_stops_the_entry(world: World) -> None:
    world.ledger.store.real[1] = open_facts()
    world.on(LEVERAGE, world.ledger.store.real.clear)
    report = await world.cycle("buy")
    [order] = result_of(report).orders
    assert (order.state, order.attempts, order.why) == (OrderState.BLOCKED, 0, codes.REAL_CARDS_LACKING())
    assert entries(world) == []


async def test_what_cannot_be_read_closes_its_gate_and_an_exit_leaves_all_the_same(world: World) -> None:
    world.ledger.store.real[1] = open_facts()
    await world.cycle("buy")
    world.ledger.store.real[1] = replace(open_facts(), unreadable=frozenset({RealGate.CAP}))
    report = await world.cycle("sell")
    assert result_of(report).outcome == "closed"
    assert result_of(report).reason == codes.CLOSED_NOT_TURNED(why=codes.REAL_UNREADABLE())
    assert (await (await world.exchange(1)).position(SYMBOL)).is_flat


async def test_the_plan_of_an_exit_asks_no_gate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who trades long only has no entry behind this close."""

    async def unread(account_id: int) -> RealFacts:
        raise AssertionError(f"the gates of account {account_id} were read")

    world.ledger.store.real[1] = open_facts()
    await world.cycle("buy")
    world.ledger.people.change_settings(1, replace(CAREFUL, long_only=True))
    monkeypatch.setattr(world.ledger, "real_money", unread)
    report = await world.cycle("sell")
    assert result_of(report).outcome == "closed"
    assert (await (await world.exchange(1)).position(SYMBOL)).is_flat


async def test_an_exit_leaves_with_every_gate_closed_and_no_entry_follows_it(world: World) -> None:
    world.ledger.store.real[1] = open_facts()
    await world.cycle("buy")
    world.ledger.store.real.clear()
    report = await world.cycle("sell")
    assert result_of(report).outcome == "closed"
    assert (await (await world.exchange(1)).position(SYMBOL)).is_flat
    assert len(entries(world)) == 2
