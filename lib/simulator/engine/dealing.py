"""
The requests an account may make to the engine, at the engine's present time: orders, cancels, stops, leverage, money.

Every method takes a uid, answers with values or raises *Refused*; an accepted order is not filled yet, which happens
when the engine advances past the match delay. Nothing here reads the wire or knows a key.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from lib.domain.fill_prices import market_bound
from lib.domain.margin import initial_margin
from lib.domain.position import ZERO
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.amending import Amendment, amended
from lib.simulator.engine.books import Books, CashMove
from lib.simulator.engine.checks import check_order, check_part, check_protection, check_trail
from lib.simulator.engine.margin import liquidation_edge
from lib.simulator.engine.orders import OrderRecord, OrderRequest, Protection, Refused, Trail, TriggerBy, id_of
from lib.simulator.engine.protection import (
    Part,
    cancel,
    protect,
    protect_part,
    protection_of,
    set_trail,
    trail_of,
    unlink,
)

FINEST_DEPOSIT = Decimal("1E-8")
"""Sums of money stay exact in 28 digits because none of their parts is finer than 1e-13."""
MARGIN_MODES = ("ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN")
Pending = tuple[int, int, int, str]
"""(match at, uid, seq, order id), a heap entry."""


@dataclass(frozen=True, slots=True)
class ProtectionChange:
    """A trading-stop request; None leaves that stop, target or trailing stop as it is, 0 removes it."""

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_by: TriggerBy | None = None
    target_by: TriggerBy | None = None
    trail: Trail | None = None


class Dealing:
    """Carries out requests; *pending* is the engine's queue of accepted orders not yet matched."""

    def __init__(self, books: Books, pending: list[Pending]) -> None:
        self._books = books
        self._pending = pending

    # --- orders -------------------------------------------------------------------------------------------------------

    def place(self, uid: int, request: OrderRequest, create_type: str = "CreateByUser") -> OrderRecord:
        """Accept an order now, for matching `match_delay_ms` later; *Refused* when the order is not acceptable."""
        books, account = self._books, self._books.account(uid)
        request = self._in_range(account, self._resolve_close_all(account, request))
        last = check_order(books, account, request)
        order = self._record(account, request, last)
        order.create_type = create_type
        books.add_order(account, order)
        heapq.heappush(self._pending, (order.match_at, uid, order.seq, order.order_id))
        if books.on_accept is not None:
            books.on_accept(order)
        return order

    def _resolve_close_all(self, account: Account, request: OrderRequest) -> OrderRequest:
        """Quantity 0 with reduce-only and close-on-trigger means the whole position."""
        if request.qty or not (request.reduce_only and request.close_on_trigger):
            return request
        held = abs(self._books.holding(account, request.symbol).position.qty)
        most = self._books.instrument(request.symbol).max_market_qty
        return replace(request, qty=min(held, most) or self._books.instrument(request.symbol).min_qty)

    def _in_range(self, account: Account, request: OrderRequest) -> OrderRequest:
        """With the price moved into the range, for an account that wants that."""
        last = (
            self._books.price(request.symbol)
            if account.moves_prices and request.symbol in self._books.instruments
            else None
        )
        if last is None or request.order_type == "Market" or request.trigger_price:
            return request
        bound = market_bound(self._books.instrument(request.symbol), self._books.config, request.side, last)
        price = min(request.price, bound) if request.side == "buy" else max(request.price, bound)
        return replace(request, price=price)

    def _record(self, account: Account, request: OrderRequest, last: Decimal) -> OrderRecord:
        books, seq = self._books, self._books.next_seq(account)
        is_market = request.order_type == "Market"
        bound = request.price
        if is_market:
            bound = market_bound(books.instrument(request.symbol), books.config, request.side, last)
        return OrderRecord(
            order_id=id_of(account.uid, "order", seq),
            link_id=request.link_id,
            uid=account.uid,
            seq=seq,
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            time_in_force="IOC" if is_market else request.time_in_force,
            qty=request.qty,
            price=bound,
            reduce_only=request.reduce_only,
            close_on_trigger=request.close_on_trigger,
            created_ms=books.now,
            updated_ms=books.now,
            match_at=books.now + books.config.match_delay_ms,
            protection=request.protection,
            trigger_price=request.trigger_price,
            trigger_direction=request.trigger_direction,
            trigger_by=request.trigger_by,
            last_on_created=last,
            position_idx=request.position_idx,
        )

    def find(self, uid: int, order_id: str, link_id: str) -> OrderRecord | None:
        """The order of that id (first) or link id, open or closed; None when this account never had it."""
        account, history = self._books.account(uid), self._books.history[uid]
        wanted = order_id or history.links.get(link_id, "")
        return account.orders.get(wanted) or history.by_id.get(wanted)

    def cancel(self, uid: int, order_id: str, link_id: str) -> OrderRecord:
        """Cancel one open order; *Refused* 110001 when there is none."""
        account, order = self._books.account(uid), self.find(uid, order_id, link_id)
        if order is None or not order.is_open:
            raise Refused(110001, "order not exists or too late to cancel")
        self._drop(account, order)
        return order

    def cancel_all(self, uid: int, wanted: Callable[[OrderRecord], bool]) -> list[OrderRecord]:
        """Cancel every open order that is *wanted*, stops and targets included."""
        account = self._books.account(uid)
        dropped = [order for order in account.orders.values() if wanted(order)]
        for order in dropped:
            if order.is_open:  # what one was bound to is cancelled with it
                self._drop(account, order)
        return dropped

    def amend(self, uid: int, order_id: str, link_id: str, change: Amendment) -> OrderRecord:
        """Change an open order; one with another price is matched anew `match_delay_ms` later."""
        books, account, order = self._books, self._books.account(uid), self.find(uid, order_id, link_id)
        if order is None or not order.is_open:
            raise Refused(110001, "order not exists or too late to replace")
        new = amended(books, account, order, change)
        is_matched_anew = new.price != order.price and order.status != "Untriggered"
        order.qty, order.price, order.protection = new.qty, new.price, new.protection
        order.trigger_price, order.trigger_by = new.trigger_price, new.trigger_by
        if is_matched_anew:
            order.match_at = books.now + books.config.match_delay_ms
            heapq.heappush(self._pending, (order.match_at, uid, order.seq, order.order_id))
        self._show_on_position(account, order)
        books.changed(account, order)
        return order

    def _show_on_position(self, account: Account, order: OrderRecord) -> None:
        """An amended stop or target of the whole position is the position's new one."""
        holding = self._books.holding(account, order.symbol)
        if order.order_id == holding.stop_id:
            holding.position = replace(holding.position, stop_loss=order.trigger_price)
        elif order.order_id == holding.target_id:
            holding.position = replace(holding.position, take_profit=order.trigger_price)
        else:
            return
        self._books.moved(account, order.symbol)

    def _drop(self, account: Account, order: OrderRecord) -> None:
        if order.is_protective:
            unlink(self._books, account, order)
        cancel(self._books, account, order, "CancelByUser", "EC_PerCancelRequest")
        self._books.moved(account, order.symbol)

    def close_by_hand(self, uid: int, symbol: str) -> OrderRecord | None:
        """Close the position of *symbol* at market, as its owner would in the app; None when it is flat."""
        position = self._books.holding(self._books.account(uid), symbol).position
        if position.is_flat:
            return None
        request = OrderRequest(symbol, position.closing_side, abs(position.qty), reduce_only=True)
        idx = 0 if not self._books.account(uid).position_mode else (1 if position.qty > 0 else 2)
        return self.place(uid, replace(request, position_idx=idx), "CreateByClosing")

    # --- the position -------------------------------------------------------------------------------------------------

    def set_protection(self, uid: int, symbol: str, change: ProtectionChange) -> None:
        """Replace stop, target and trailing stop of an open position; 34040 when nothing would change."""
        books, account = self._books, self._books.account(uid)
        books.instrument(symbol)
        holding = books.holding(account, symbol)
        if holding.position.is_flat:
            raise Refused(10001, "can not set tp/sl/ts for zero position")
        current = protection_of(account, holding)
        wanted = Protection(
            current.stop_loss if change.stop_loss is None else change.stop_loss,
            current.take_profit if change.take_profit is None else change.take_profit,
            change.stop_by or current.stop_by,
            change.target_by or current.target_by,
        )
        trail = None if change.trail == trail_of(account, holding) else change.trail
        if wanted == current and trail is None:
            raise Refused(34040, "not modified")
        is_long, mark = holding.position.qty > 0, books.mark(symbol)
        check_protection(is_long, wanted, mark)
        if trail is not None:
            check_trail(is_long, trail, mark, books.instrument(symbol))
            if books.on_trail is not None:
                books.on_trail(uid, symbol, trail)
            set_trail(books, account, symbol, trail)
        if books.on_stop is not None and change.stop_loss is not None:
            books.on_stop(uid, symbol, wanted.stop_loss)
        if wanted != current:
            protect(books, account, symbol, wanted)

    def add_protection(self, uid: int, symbol: str, wanted: Protection, qty: Decimal) -> None:
        """Add a stop and a target for *qty* of an open position."""
        books, account = self._books, self._books.account(uid)
        position = books.holding(account, symbol).position
        if position.is_flat:
            raise Refused(10001, "can not set tp/sl/ts for zero position")
        check_part(account, position, qty, books.instrument(symbol))
        check_protection(position.qty > 0, wanted, books.mark(symbol))
        protect_part(books, account, symbol, wanted, Part(qty, id_of(uid, "bond", books.next_seq(account))))

    def set_leverage(self, uid: int, symbol: str, leverage: Decimal) -> None:
        """Change the leverage of *symbol*, of an open position too; 110043 when the leverage is so already."""
        books, account = self._books, self._books.account(uid)
        most = books.instrument(symbol).max_leverage
        if not 1 <= leverage <= most:
            raise Refused(
                110013, f"cannot set leverage [{int(leverage * 100)}] gt maxLeverage [{int(most * 100)}] by risk limit"
            )
        holding = books.holding(account, symbol)
        if holding.position.leverage == leverage:
            raise Refused(110043, "leverage not modified")
        self._check_releverage(account, symbol, leverage)
        account.leverage[symbol] = leverage
        holding.position = replace(holding.position, leverage=leverage)
        books.moved(account, symbol)

    def add_margin(self, uid: int, symbol: str, amount: Decimal) -> Holding:
        """Add *amount* USDT to the margin of an isolated position, or with a negative one take some of it back."""
        books, account = self._books, self._books.account(uid)
        holding = books.holding(account, symbol)
        if not account.is_isolated:
            raise Refused(110015, "The position is in cross margin mode.")
        if holding.position.is_flat:
            raise Refused(110005, "position status error")
        if not amount:
            raise Refused(110027, "Margin has not been modified.")
        if amount > max(books.available(account), ZERO):
            raise Refused(110014, "Insufficient available balance to add additional margin.")
        if holding.extra_margin + amount < 0:
            raise Refused(110012, "Insufficient available balance.")
        holding.extra_margin += amount
        edge, mark = liquidation_edge(books, account, holding), books.mark(symbol)
        if mark <= edge if holding.position.qty > 0 else mark >= edge:
            holding.extra_margin -= amount
            raise Refused(110011, "Liquidation will be triggered immediately by this adjustment")
        books.moved(account, symbol)
        return holding

    def set_auto_margin(self, uid: int, symbol: str, wanted: bool) -> None:
        """Have margin added by itself before a liquidation, or no longer; 110076 in cross margin."""
        account = self._books.account(uid)
        if not account.is_isolated:
            raise Refused(110076, "Only isolated mode can set auto-add-margin")
        self._books.holding(account, symbol).auto_margin = wanted
        self._books.moved(account, symbol)

    def set_price_action(self, uid: int, moves_prices: bool) -> None:
        """Move a limit price out of range to the end of the range from now on, or refuse it."""
        account = self._books.account(uid)
        account.moves_prices = moves_prices
        self._books.touch(account)

    def _check_releverage(self, account: Account, symbol: str, leverage: Decimal) -> None:
        position, fee = self._books.holding(account, symbol).position, self._books.fee_rate(account)
        more = initial_margin(replace(position, leverage=leverage), fee) - initial_margin(position, fee)
        if more > 0 and more > self._books.available(account):
            raise Refused(110007, "ab not enough for new leverage")

    def set_position_mode(self, uid: int, mode: int) -> None:
        """
        Set one-way (0) or hedge (3); 110025 when the mode is so already, 110024 with a position, 110028 with orders.
        """
        account = self._books.account(uid)
        if mode not in (0, 3):
            raise Refused(10001, "params error: mode invalid")
        if account.position_mode == mode:
            raise Refused(110025, "Position mode is not modified")
        if any(not holding.position.is_flat for holding in account.holdings.values()):
            raise Refused(110024, "You have an existing position, so the position mode cannot be switched")
        if account.orders:
            raise Refused(110028, "You have existing open orders, so position mode cannot be switched")
        account.position_mode = mode
        self._books.touch(account)

    # --- the account --------------------------------------------------------------------------------------------------

    def set_margin_mode(self, uid: int, mode: str) -> None:
        """
        Account-wide: isolated, or all positions on one equity. 3400045 with its reasons for another mode than the
        account's while a position or an order is open.
        """
        if mode not in MARGIN_MODES:
            raise Refused(10001, "params error: setMarginMode invalid")
        account = self._books.account(uid)
        if mode != account.margin_mode and (reasons := _why_not_switched(account)):
            raise Refused(3400045, "Set margin mode failed", {"reasons": reasons})
        self._books.set_margin_mode(account, mode)

    def deposit(self, uid: int, amount: Decimal, kind: str = "") -> None:
        """
        Add (or with a negative amount take) cash; ValueError for more than is available or finer than 1e-8.

        *kind* is the type its row shows (BONUS, FEE_REFUND, …), a transfer when it is not said.
        """
        account = self._books.account(uid)
        if amount != amount.quantize(FINEST_DEPOSIT):
            raise ValueError("money comes in steps of 0.00000001 USDT")
        if amount < 0 and -amount > max(min(self._books.available(account), account.cash), ZERO):
            raise ValueError("more than is available")
        kind = kind or ("TRANSFER_IN" if amount >= 0 else "TRANSFER_OUT")
        self._books.book(account, CashMove(kind, cash_flow=amount))


def _why_not_switched(account: Account) -> list[dict[str, str]]:
    """Bybit's reasons against another margin mode."""
    reasons = []
    if any(not holding.position.is_flat for holding in account.holdings.values()):
        reasons.append(("3400208", "You have unclosed hedge mode or isolated mode USDT perpetual positions"))
    if account.orders:
        reasons.append(("3400054", "You have uncancelled USDT perpetual orders"))
    return [{"reasonCode": code, "reasonMsg": text} for code, text in reasons]
