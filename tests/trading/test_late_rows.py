"""Executions the exchange lists late are booked all the same."""

from dataclasses import replace
from decimal import Decimal
from typing import cast

from lib.domain.books import Fill
from lib.ports.exchange import Exchange
from lib.trading.orders.books import import_fills
from tests.factories import SYMBOL, T, fill
from tests.worlds.one_process import World

FUNDING_MS = T + 60_000


class Listing:
    """An exchange of which only the executions are asked."""

    def __init__(self) -> None:
        self.fills: list[Fill] = []

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        return sorted((f for f in self.fills if f.at_ms >= since_ms), key=lambda f: f.at_ms)


async def test_a_funding_row_listed_minutes_after_a_newer_fill_is_booked_once(world: World) -> None:
    account, exchange = await world.trader_account(1), Listing()
    opened = replace(fill("open"), at_ms=T + 5_000)
    closed = replace(fill("close"), side="sell", at_ms=FUNDING_MS + 300_000)
    exchange.fills = [opened, closed]
    await import_fills(world.context, account, cast(Exchange, exchange))
    late = replace(fill("funding"), kind="funding", qty=Decimal(0), fee=Decimal("0.25"), at_ms=FUNDING_MS)
    exchange.fills.append(late)
    for _ in range(2):
        await import_fills(world.context, account, cast(Exchange, exchange))
    assert (await world.ledger.books((1, SYMBOL))).funding == Decimal("-0.25")
