"""A row ends after its fills are in the books: open rows and books are all that tells other traders whom to guard."""

from typing import Any

import pytest

from lib.domain.books import Fill
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.ports.exchange import Exchange
from lib.trading.orders.resolve import resolve_once
from tests.factories import SYMBOL
from tests.worlds.one_process import World
from tests.worlds.props import CREATE, Killed


class Unlisted:
    """The account's exchange before its executions are listed."""

    def __init__(self, inner: Exchange) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        return []


def die() -> None:
    raise Killed


@pytest.fixture
async def sent(world: World) -> World:
    """An entry filled at the exchange; its row is still in flight, because its trader died after the send."""
    world.on(CREATE, die, after=True)
    await world.cycle("buy")
    world.calm()
    world.wait(2)
    assert world.order().state in IN_FLIGHT
    return world


async def test_a_filled_order_whose_executions_are_not_listed_yet_stays_open(sent: World) -> None:
    exchange: Any = Unlisted(await sent.exchange(1))
    assert (await resolve_once(sent.context, exchange, sent.order())).state in IN_FLIGHT
    sent.wait(16)  # past the window and the lag nothing more will be listed
    assert (await resolve_once(sent.context, exchange, sent.order())).state is OrderState.FILLED


async def test_when_the_row_ends_its_fills_are_booked_already(sent: World) -> None:
    close, booked = sent.ledger.close_order, []

    async def look_first(*args: Any) -> Order | None:
        booked.append((await sent.ledger.books((1, SYMBOL))).position.qty)
        return await close(*args)

    sent.ledger.close_order = look_first  # type: ignore[method-assign,assignment]
    assert (await resolve_once(sent.context, await sent.exchange(1), sent.order())).state is OrderState.FILLED
    assert booked == [sent.position().qty]
