"""
The engine's state and the only ways to change it: book cash, close an order, remember a row, tell the listener.

Every change marks the account dirty and its symbol's trigger range stale. Invariant: an account's cash, and each other
coin of it, equals the sum of the changes in its transaction log, exactly. Which change happens when is decided
elsewhere (`engine`, `matching`, `protection`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import EngineConfig
from lib.domain.instrument import Instrument
from lib.domain.margin import initial_margin, order_cost
from lib.domain.position import ZERO, Position, unrealised_pnl
from lib.simulator.engine.accounts import (
    Account,
    History,
    Holding,
    cost_price,
    opening_qty,
)
from lib.simulator.engine.charges import USDT, ExtraFee
from lib.simulator.engine.faults import Faults
from lib.simulator.engine.orders import Execution, Listener, OrderRecord, Record, Refused, Trail, Transaction, id_of
from lib.simulator.market.market import Market

SEARCH_BACK = 10_080


@dataclass(frozen=True, slots=True)
class CashMove:
    """A change of cash before it is booked; *funding* positive when received, *size* the position after it."""

    kind: str
    symbol: str = ""
    side: str = ""
    qty: Decimal = ZERO
    size: Decimal = ZERO
    price: Decimal = ZERO
    cash_flow: Decimal = ZERO
    fee: Decimal = ZERO
    fee_rate: Decimal = ZERO
    funding: Decimal = ZERO
    order_id: str = ""
    link_id: str = ""
    trade_id: str = ""
    extra: tuple[ExtraFee, ...] = ()

    @property
    def change(self) -> Decimal:
        """The change of the balance."""
        return self.cash_flow + self.funding - self.fee - sum((part.fee for part in self.extra), ZERO)


class Books:
    """All accounts, their history, and the market they trade on."""

    def __init__(self, market: Market, instruments: Mapping[str, Instrument], config: EngineConfig) -> None:
        self.market = market
        self.instruments = dict(instruments)
        self.config = config
        self.faults = Faults()
        self.accounts: dict[int, Account] = {}
        self.history: dict[int, History] = {}
        self.listener: Listener = _nobody
        self.on_accept: Callable[[OrderRecord], None] | None = None
        self.on_stop: Callable[[int, str, Decimal], None] | None = None
        self.on_trail: Callable[[int, str, Trail], None] | None = None
        self.now = 0
        self.dirty: set[int] = set()
        self.new_rows: list[tuple[str, Record]] = []
        self.stale_ranges: set[str] = set(instruments)
        self._last_known: dict[str, Decimal] = {}

    # --- looking ------------------------------------------------------------------------------------------------------

    def account(self, uid: int) -> Account:
        """The account of *uid*; KeyError when there is none."""
        return self.accounts[uid]

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules; *Refused* 10001 for a symbol this venue does not have."""
        found = self.instruments.get(symbol)
        if found is None:
            raise Refused(10001, f"Not supported symbols: {symbol}"[:120])
        return found

    def let_trade(self, symbol: str, trading: bool) -> None:
        """Let *symbol* trade, or halt it; it stays listed."""
        self.instruments[symbol] = replace(self.instrument(symbol), trading=trading)

    def price(self, symbol: str) -> Decimal | None:
        """The last traded price now, None while halted."""
        price = self.market.price_at(symbol, self.now)
        if price is not None:
            self._last_known[symbol] = price
        return price

    def mark(self, symbol: str) -> Decimal:
        """The price positions are valued at: the last traded one, or the last before the halt; 0 when never seen."""
        price = self.price(symbol)
        if price is not None:
            return price
        if symbol not in self._last_known:
            self._last_known[symbol] = self._last_close(symbol)
        return self._last_known[symbol]

    def _last_close(self, symbol: str) -> Decimal:
        """The close before the halt, at most a week back: what a restarted engine values a halted symbol at."""
        minute = self.now - self.now % MINUTE_MS
        for open_time in range(minute, max(minute - SEARCH_BACK * MINUTE_MS, -1), -MINUTE_MS):
            if candle := self.market.candle(symbol, open_time):
                return candle.close
        return ZERO

    def holding(self, account: Account, symbol: str) -> Holding:
        """The holding of *symbol*, made on first sight at the account's leverage."""
        found = account.holdings.get(symbol)
        if found is None:
            leverage = account.leverage.get(symbol, self.config.default_leverage)
            leverage = min(leverage, self.instrument(symbol).max_leverage)
            found = account.holdings[symbol] = Holding(Position(symbol, leverage=leverage))
        return found

    def available(self, account: Account, but: str = "") -> Decimal:
        """Cash, in cross margin equity, that is margin of neither a position nor an open order (*but* left out)."""
        held = account.cash if account.is_isolated else account.cash + self.open_profit(account)
        return held - self.position_margin(account) - self.order_margin(account, but)

    def open_profit(self, account: Account, but: str = "") -> Decimal:
        """Unrealised profit of all positions, that of the symbol *but* left out."""
        opened = ((s, h.position) for s, h in account.holdings.items() if s != but and not h.position.is_flat)
        return sum((unrealised_pnl(position, self.mark(symbol)) for symbol, position in opened), ZERO)

    def fee_rate(self, account: Account) -> Decimal:
        """A taker's fee and tax as a share of a fill's value, as margin is computed with it."""
        return self.config.taker_fee * (1 + account.terms.tax_share)

    def position_margin(self, account: Account) -> Decimal:
        """Initial margin of all positions, with what was added to it."""
        fee = self.fee_rate(account)
        return sum((initial_margin(h.position, fee) + h.extra_margin for h in account.holdings.values()), ZERO)

    def order_margin(self, account: Account, but: str = "") -> Decimal:
        """Cash tied up by open orders that would open something; the order id *but* left out."""
        total = ZERO
        for order in account.orders.values():
            if order.order_id != but and order.status != "Untriggered":
                position = self.holding(account, order.symbol).position
                qty = opening_qty(position, order)
                total += order_cost(qty, cost_price(order), position.leverage, self.fee_rate(account))
        return total

    # --- changing -----------------------------------------------------------------------------------------------------

    def next_seq(self, account: Account) -> int:
        """A number this account has never used."""
        account.seq += 1
        return account.seq

    def touch(self, account: Account, symbol: str = "") -> None:
        """Mark *account* as changed; with *symbol*, the symbol's trigger range as stale too."""
        self.dirty.add(account.uid)
        if symbol:
            self.stale_ranges.add(symbol)
        if not account.is_isolated:  # every position stands on the same cash
            self.stale_ranges.update(account.holdings)

    def set_margin_mode(self, account: Account, mode: str) -> None:
        """Change the margin mode, and with it the price at which each position is liquidated."""
        account.margin_mode = mode
        self.stale_ranges.update(account.holdings)
        self.touch(account)

    def book(self, account: Account, move: CashMove, currency: str = USDT) -> Transaction:
        """Change the balance of *currency*, cash unless said, with its row."""
        seq = self.next_seq(account)
        if currency == USDT:
            account.cash = balance = account.cash + move.change
        else:
            account.coins[currency] = balance = account.coins.get(currency, ZERO) + move.change
        row = Transaction(
            id_of(account.uid, "transaction", seq),
            account.uid,
            seq,
            move.kind,
            move.symbol,
            move.side,
            move.qty,
            move.size,
            move.price,
            move.cash_flow,
            move.fee,
            move.funding,
            move.change,
            balance,
            move.fee_rate,
            move.order_id,
            move.link_id,
            move.trade_id,
            self.now,
            currency,
            move.extra,
        )
        self.history[account.uid].transactions.append(row)
        self.new_rows.append(("transaction", row))
        self.touch(account)
        self.listener("wallet", account.uid, account)
        return row

    def add_order(self, account: Account, order: OrderRecord) -> None:
        """Keep an accepted order; its link id stays taken for ever."""
        account.orders[order.order_id] = order
        if order.link_id:
            self.history[account.uid].links[order.link_id] = order.order_id
        self.touch(account, order.symbol)

    def add_execution(self, account: Account, execution: Execution) -> None:
        """Keep a fill and tell the listener."""
        self.history[account.uid].add_execution(execution)
        self.new_rows.append(("execution", execution))
        self.touch(account)
        self.listener("execution", account.uid, execution)

    def changed(self, account: Account, order: OrderRecord) -> None:
        """*order* changed just now: tell the listener, and drop a closed order from the open ones."""
        order.updated_ms = self.now
        self.touch(account, order.symbol)
        if not order.is_open:
            self._retire(account, order)
        self.listener("order", account.uid, replace(order))

    def moved(self, account: Account, symbol: str) -> None:
        """The position of *symbol*, or its stop or target, changed."""
        self.touch(account, symbol)
        self.listener("position", account.uid, (symbol, replace(self.holding(account, symbol))))

    def _retire(self, account: Account, order: OrderRecord) -> None:
        if account.orders.pop(order.order_id, None) is None:
            return
        history = self.history[account.uid]
        history.closed.append(order)
        history.by_id[order.order_id] = order
        self.new_rows.append(("order", order))


def _nobody(topic: str, uid: int, subject: Any) -> None:
    """The listener of an engine without a listener."""
