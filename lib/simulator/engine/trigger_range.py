"""
The prices at which nothing can trigger, so that their prints can be skipped.

A trigger range lies between the highest price below at which an order or a liquidation triggers and the lowest one
above, over all accounts. The range may be too narrow (waking for nothing), never too wide; it is rebuilt whenever an
order or a position of its symbol changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lib.simulator.engine.accounts import Account
from lib.simulator.engine.books import Books
from lib.simulator.engine.margin import liquidation_edge
from lib.simulator.engine.orders import RISE, OrderRecord

Edge = tuple[bool, Decimal]
"""(is it above, price)"""


@dataclass(frozen=True, slots=True)
class TriggerRange:
    """Prints strictly between *below* and *above* trigger nothing; None = no trigger on that side."""

    below: Decimal | None = None
    above: Decimal | None = None

    @property
    def is_idle(self) -> bool:
        return self.below is None and self.above is None

    def wakes(self, low: Decimal, high: Decimal) -> bool:
        """True when some price in [low, high] may trigger an order or a liquidation."""
        return (self.below is not None and low <= self.below) or (self.above is not None and high >= self.above)


def trigger_range(books: Books, symbol: str) -> TriggerRange:
    """The range of *symbol* with the orders and positions of now."""
    below: Decimal | None = None
    above: Decimal | None = None
    for account in books.accounts.values():
        for is_above, price in _edges(books, account, symbol):
            if is_above:
                above = price if above is None else min(above, price)
            else:
                below = price if below is None else max(below, price)
    return TriggerRange(below, above)


def _edges(books: Books, account: Account, symbol: str) -> Iterator[Edge]:
    half = books.instrument(symbol).tick_size * books.config.half_spread_ticks
    for order in account.orders.values():
        if order.symbol == symbol:
            yield from _order_edge(order, half)
    holding = account.holdings.get(symbol)
    if holding is not None and not holding.position.is_flat:
        if not account.is_isolated and _stands_on_others(account, symbol):
            yield False, Decimal("Infinity")  # the edge moves with the prices of other symbols: look at every print
        yield holding.position.qty < 0, liquidation_edge(books, account, holding)


def _stands_on_others(account: Account, symbol: str) -> bool:
    return any(other != symbol and not h.position.is_flat for other, h in account.holdings.items())


def _order_edge(order: OrderRecord, half: Decimal) -> Iterator[Edge]:
    if order.status == "Untriggered":
        yield order.trigger_direction == RISE, order.trigger_price
        if order.trail.distance and not order.trail.active_price:
            sells = order.side == "sell"  # beyond the best price so far it moves on
            yield sells, order.trigger_price + (order.trail.distance if sells else -order.trail.distance)
    elif order.is_resting:
        is_sell = order.side == "sell"
        yield is_sell, order.price + half if is_sell else order.price - half
