"""Where the exchange would liquidate a position is kept as told, for its owner, and no oftener than needed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain.account import Slot
from lib.domain.errors import Retry
from lib.domain.position import Position
from lib.trading.guardian.noting import NOTE_MS, Noted, note_liquidation
from lib.trading.guardian.task import Guardian
from tests.factories import SYMBOL
from tests.worlds.one_process import World


def kept(world: World) -> Decimal | None:
    return world.ledger.store.accounts[1].symbols[SYMBOL].liquidation


class Notes:
    """Counts the notes that reach the ledger; *away* = the ledger does not answer."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prices: list[Decimal] = []
        self.away = False
        note = world.ledger.note_liquidation

        async def counted(slot: Slot, qty: Decimal, price: Decimal) -> bool:
            self.prices.append(price)
            if self.away:
                raise Retry("the ledger is away")
            return await note(slot, qty, price)

        monkeypatch.setattr(world.ledger, "note_liquidation", counted)


@pytest.fixture
def notes(world: World, monkeypatch: pytest.MonkeyPatch) -> Notes:
    return Notes(world, monkeypatch)


async def told_by_the_venue(world: World) -> Decimal:
    return (await (await world.exchange(1)).position("BTCUSDT")).liquidation


async def test_the_exchanges_own_price_is_kept_once_and_forgotten_with_the_position(world: World, notes: Notes) -> None:
    await world.cycle("buy")
    assert kept(world) is None
    for _ in range(3):
        await world.guardian.run_pass()
        world.wait(90)
    told = await told_by_the_venue(world)
    assert told > 0
    assert (kept(world), notes.prices) == (told, [told])
    world.by_hand("sell", str(world.position().qty))
    await world.guardian.run_pass()
    assert kept(world) is None


async def test_another_leverage_is_news_after_a_minute_at_the_soonest(world: World, notes: Notes) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    before = kept(world)
    await (await world.exchange(1)).set_leverage("BTCUSDT", 3)
    await world.guardian.run_pass()
    assert kept(world) == before
    world.wait(NOTE_MS // 1000)
    await world.guardian.run_pass()
    assert kept(world) == await told_by_the_venue(world) != before
    assert len(notes.prices) == 2


async def test_a_new_process_tells_it_once_more(world: World, notes: Notes) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    await Guardian(world.new_context("trader-2")).run_pass()
    assert len(notes.prices) == 2


async def test_a_ledger_that_is_away_keeps_nobody_from_guarding_and_is_asked_again(world: World, notes: Notes) -> None:
    notes.away = True
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.remove_stop()
    await world.guardian.run_pass()
    assert (world.position().stop_loss > 0, len(notes.prices), kept(world)) == (True, 1, None)
    notes.away = False
    world.wait(NOTE_MS // 1000)
    await world.guardian.run_pass()
    assert kept(world) == await told_by_the_venue(world)


async def test_a_position_the_books_do_not_hold_yet_is_not_noted(world: World, notes: Notes) -> None:
    await world.cycle("buy")
    world.by_hand("buy", "0.001")
    await world.guardian.run_pass()
    assert notes.prices == []


@pytest.mark.parametrize(("liquidation", "price"), [("0", "0"), ("1e20", "0"), ("54000.5", "54000.5")])
async def test_none_is_kept_as_none(world: World, notes: Notes, liquidation: str, price: str) -> None:
    await world.cycle("buy")
    account = await world.trader_account(1)
    position: Position = replace(world.position(), liquidation=Decimal(liquidation))
    noted = Noted()
    for _ in range(2):
        await note_liquidation(world.context, account, noted, position)
    assert (kept(world), notes.prices) == (Decimal(price), [Decimal(price)])
