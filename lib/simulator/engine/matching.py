"""
Which orders fill, and at what price.

A taker buys half a spread and the slippage above the last print, never beyond its limit; a resting order fills at its
own price as maker when the print comes half a spread beyond it. A triggered stop fills at the first traded price, also
far beyond its trigger. Pessimism: where the rest of a minute would reach both, the stop wins over the target; a print
beyond the liquidation price liquidates, whatever stop lies between. No order of one account sees another's.
"""

from decimal import Decimal

from lib.domain.fill_prices import EngineConfig, crosses, market_bound, taker_price
from lib.domain.instrument import Instrument
from lib.domain.margin import order_cost
from lib.domain.position import ZERO
from lib.domain.price_path import Path
from lib.simulator.engine.accounts import Account, opening_qty
from lib.simulator.engine.books import Books
from lib.simulator.engine.faults import Fault
from lib.simulator.engine.fills import fill, liquidate
from lib.simulator.engine.margin import liquidation_edge, replenish
from lib.simulator.engine.orders import OrderRecord
from lib.simulator.engine.protection import cancel, trail_on, unlink

IMMEDIATE = ("IOC", "FOK")
STOPS = ("StopLoss", "TrailingStop", "PartialStopLoss")
TARGETS = ("TakeProfit", "PartialTakeProfit")


class Matching:
    """Decides fills on *books*, whose clock says when."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def first_match(self, account: Account, order: OrderRecord) -> None:
        """The first try to match an accepted order, once its delay is over."""
        order.match_at = 0
        reject = self._books.faults.take("async_reject", uid=account.uid)
        price = self._books.price(order.symbol)
        if reject is not None:
            self._reject(account, order, reject.text("reason", "EC_Others"))
        elif order.trigger_price and not order.stop_order_type:
            order.status, order.stop_order_type = "Untriggered", "Stop"
            self._books.changed(account, order)
        elif price is None:
            self._no_price(account, order)
        else:
            self._execute(account, order, price)

    def on_print(self, symbol: str, price: Decimal, rest: Path) -> None:
        """Trigger and fill what a print of *symbol* reaches; *rest* are the prints still to come in its minute."""
        for uid in sorted(self._books.accounts):
            account = self._books.accounts[uid]
            if account.orders or self._has_position(account, symbol):
                self._account_on_print(account, symbol, price, rest)

    def _has_position(self, account: Account, symbol: str) -> bool:
        holding = account.holdings.get(symbol)
        return holding is not None and not holding.position.is_flat

    def _account_on_print(self, account: Account, symbol: str, price: Decimal, rest: Path) -> None:
        while self._is_bust(account, symbol, price):
            if replenish(self._books, account, symbol):
                continue
            liquidate(self._books, account, symbol)
            break
        orders = [order for order in account.orders.values() if order.symbol == symbol]
        orders.sort(key=lambda order: (order.stop_order_type not in STOPS, order.seq))
        for order in orders:
            if order.trail.distance and order.status == "Untriggered":
                trail_on(self._books, account, order, price)
            if order.status == "Untriggered" and order.is_hit(price):
                if not self._stop_comes_first(account, order, rest):
                    self._trigger(account, order, price)
            elif order.is_resting and self._comes_to(order, price):
                self._fill_resting(account, order)

    def _is_bust(self, account: Account, symbol: str, price: Decimal) -> bool:
        holding = self._books.holding(account, symbol)
        position = holding.position
        if position.is_flat:
            return False
        edge = liquidation_edge(self._books, account, holding)
        return price <= edge if position.qty > 0 else price >= edge

    def _stop_comes_first(self, account: Account, order: OrderRecord, rest: Path) -> bool:
        """True for a target whose position has a stop that is still reached within the minute."""
        if order.stop_order_type not in TARGETS:
            return False
        return any(
            stop.is_hit(price)
            for stop in account.orders.values()
            if stop.symbol == order.symbol and stop.stop_order_type in STOPS
            if stop.status == "Untriggered" and not stop.trail.active_price
            for _, price in rest
        )

    def _trigger(self, account: Account, order: OrderRecord, price: Decimal) -> None:
        order.status = "New"
        if order.order_type == "Market":
            order.price = market_bound(*self._terms(order.symbol), order.side, price)
        if order.is_protective:
            unlink(self._books, account, order)
        self._execute(account, order, price)

    def _execute(self, account: Account, order: OrderRecord, price: Decimal) -> None:
        """A first attempt to fill at *price*, then rest or cancel as the time in force says."""
        taker = self._taker_price(order, price)
        if not self._still_allowed(account, order, taker):
            return
        takes = self.crosses(order, price)
        if takes and order.time_in_force == "PostOnly":
            cancel(self._books, account, order, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
            return
        qty = self._liquid(account, order) if takes else ZERO
        if order.time_in_force == "FOK" and qty < order.left:
            cancel(self._books, account, order, "UNKNOWN", "EC_CancelForNoFullFill")
            return
        if qty:
            fill(self._books, account, order, qty, taker)
        if order.is_open:
            self._rest_or_cancel(account, order, filled=bool(qty))

    def _rest_or_cancel(self, account: Account, order: OrderRecord, *, filled: bool) -> None:
        if order.order_type == "Market" or order.time_in_force in IMMEDIATE:
            cancel(self._books, account, order, "UNKNOWN", "EC_NoImmediateQtyToFill")
        elif not filled:
            self._books.changed(account, order)

    def _still_allowed(self, account: Account, order: OrderRecord, price: Decimal) -> bool:
        """Trim a reduce-only order to the position and see that there is margin; else close the order."""
        position = self._books.holding(account, order.symbol).position
        if order.reduce_only:
            closable = abs(position.qty) if not position.is_flat and position.closing_side == order.side else ZERO
            order.qty = min(order.qty, order.filled + closable)
            if not closable:
                cancel(self._books, account, order, "CancelByReduceOnly")
            return bool(closable)
        need = order_cost(opening_qty(position, order), price, position.leverage, self._books.fee_rate(account))
        if need > max(self._books.available(account, order.order_id), ZERO):
            self._reject(account, order, "EC_Others")
            return False
        return True

    def _reject(self, account: Account, order: OrderRecord, reason: str) -> None:
        order.status = "Cancelled" if order.filled else "Rejected"
        order.reject_reason = reason
        self._books.changed(account, order)

    def _no_price(self, account: Account, order: OrderRecord) -> None:
        if order.order_type == "Market" or order.time_in_force in IMMEDIATE:
            cancel(self._books, account, order, "UNKNOWN", "EC_NoImmediateQtyToFill")
        else:
            self._books.changed(account, order)

    # --- prices -------------------------------------------------------------------------------------------------------

    def _terms(self, symbol: str) -> tuple[Instrument, EngineConfig]:
        return self._books.instrument(symbol), self._books.config

    def crosses(self, order: OrderRecord, price: Decimal) -> bool:
        """True when *order* can take liquidity now."""
        return crosses(*self._terms(order.symbol), order.side, price, order.price)

    def _comes_to(self, order: OrderRecord, price: Decimal) -> bool:
        return order.order_type == "Limit" and self.crosses(order, price)

    def _taker_price(self, order: OrderRecord, price: Decimal) -> Decimal:
        return taker_price(*self._terms(order.symbol), order.side, price, order.price)

    # --- quantities ---------------------------------------------------------------------------------------------------

    def _liquid(self, account: Account, order: OrderRecord) -> Decimal:
        """How much of *order* one second of trading fills; stops and targets always fill whole."""
        if order.is_protective:
            return order.left
        if self._books.faults.take("no_fill", uid=account.uid):
            return ZERO
        part = self._books.faults.take("partial_fill", uid=account.uid)
        if part is not None:
            return self._part(order, part)
        cap = self._books.config.liquidity
        return order.left if cap is None else min(order.left, cap)

    def _part(self, order: OrderRecord, part: Fault) -> Decimal:
        instrument = self._books.instrument(order.symbol)
        qty = instrument.floor_qty(order.left * Decimal(part.text("share", "0.5")))
        return min(max(qty, instrument.qty_step), order.left)

    def _fill_resting(self, account: Account, order: OrderRecord) -> None:
        if self._still_allowed(account, order, order.price):
            qty = self._liquid(account, order)
            if qty:
                fill(self._books, account, order, qty, order.price, maker=True)
