"""
The whole trader in one process: stepped clock, simulated exchange without a socket, ledger in memory.

Everything between the analyst's view and the exchange's books is the real code: signed client, wire parsing, venue,
engine, use-cases. Only candles, prices and views are written by the test. Each accepted order is held against the
promises an exchange can see (one entry per account and T, in time, with its stop inside), and each stop of ours
against those before (none farther from the price); `World.violations` lists what broke them, and the fixture in
tests/trading/conftest.py fails the test that has any.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.clock import SteppedClock
from lib.domain.account import AccountSettings
from lib.domain.account import Venue as DomainVenue
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.decision import Abstained, Action, Decision
from lib.domain.fill_prices import EngineConfig
from lib.domain.order import CYCLE_MS, MAX_AGE_MS, RECV_WINDOW_MS, Leg, Order, parse_link_id
from lib.domain.position import Position
from lib.domain.venues import CAPABILITIES
from lib.ports.exchange import Exchange
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Fault
from lib.simulator.engine.orders import OrderRecord, OrderRequest
from lib.simulator.venue.venue import Request, Venue, VenueConfig
from lib.trading.context import TradingContext
from lib.trading.cycle.run import AccountResult, CycleReport, run_cycle
from lib.trading.guardian.task import Guardian
from tests.factories import INSTALLATION, SYMBOL, T, decision, instrument
from tests.fakes.accounts import LogRow
from tests.fakes.ledger import MemoryLedger
from tests.worlds.inprocess import VenueTransport
from tests.worlds.props import START, FakeAnalyst, MarketCandles, OpenSeals, PricedMarket, WatchedTransport

INSIDE = "http://127.0.0.1:1"
CYCLE_LAG_MS = 2_000
LATEST_ENTRY_MS = MAX_AGE_MS + RECV_WINDOW_MS + 2_000
"""An entry accepted later than this after its T breaks a promise."""
EXACT = EngineConfig(half_spread_ticks=0, slippage=Decimal(0), funding_spread=Decimal(0))
"""Fills at the print itself."""


class World:
    """Build it, add accounts, set the analyst's view, run cycles. The clock stands at *T* minus a minute."""

    def __init__(
        self, config: EngineConfig = EXACT, clock: SteppedClock | None = None, *, traded: DomainVenue = "paper"
    ) -> None:
        self.traded: DomainVenue = traded
        self.feed = "bybit" if CAPABILITIES[traded].has_real_money else "synthetic"
        self.clock = clock or SteppedClock(START)
        self.prices = PricedMarket()
        rules = {symbol: instrument(symbol=symbol) for symbol in self.prices.symbols}
        self.engine = Engine(self.prices, rules, config)
        self.venue = Venue(self.engine, self.clock, VenueConfig(ip_limit=None))
        self.engine.advance(self.clock.now_ms())
        self.transport = WatchedTransport(VenueTransport(self.venue, self.venue.faults, self.clock))
        self.ledger = MemoryLedger(self.clock, INSTALLATION)
        self.analyst = FakeAnalyst()
        self.candles = MarketCandles(self.prices, self.clock)
        self.context = self.new_context()
        self.guardian = Guardian(self.context)
        self.t_ms = T
        self.violations: list[str] = []
        self._entries: set[tuple[int, str, int]] = set()
        self._stops: dict[int, tuple[int, Decimal]] = {}
        """By uid: the side of the entry (1 or -1), and the tightest stop of ours accepted for its position."""
        self.engine.on_accept, self.engine.on_stop = self._judge, self._judge_stop

    def new_context(self, holder: str = "trader-1") -> TradingContext:
        """A trader process of its own over the same exchange, ledger and candles."""
        limiter = LocalLimiter(self.clock, ip_calls=0)

        def transport_for(_: str) -> WatchedTransport:
            return self.transport

        return TradingContext(
            orders=self.ledger,
            books=self.ledger,
            limits=self.ledger,
            switches=self.ledger,
            cycles=self.ledger,
            notifier=self.ledger,
            exchanges=BybitExchanges(OpenSeals(), {self.traded: INSIDE}, transport_for, self.clock, limiter),
            market=BybitAsyncMarket(INSIDE, {self.traded: INSIDE}, transport_for, self.clock, limiter),
            candles=self.candles,
            analyst=self.analyst,
            clock=self.clock,
            feed=self.feed,
            model="test-model",
            installation=INSTALLATION,
            holder=holder,
            lease_ms=CYCLE_MS * 2,
        )

    def _judge(self, order: OrderRecord) -> None:
        link = parse_link_id(order.link_id)
        if link is None or order.reduce_only:
            return
        late = self.clock.now_ms() - link.t_ms
        if late > LATEST_ENTRY_MS:
            self.violations.append(f"{order.link_id} was accepted {late} ms after its T")
        if not order.protection.stop_loss:
            self.violations.append(f"{order.link_id} carries no stop")
        if (order.uid, order.symbol, link.t_ms) in self._entries:
            self.violations.append(f"a second entry of uid {order.uid} at {link.t_ms}")
        self._entries.add((order.uid, order.symbol, link.t_ms))
        self._stops[order.uid] = (1 if order.side == "buy" else -1), order.protection.stop_loss

    def _judge_stop(self, uid: int, symbol: str, stop: Decimal) -> None:
        """P9: no stop of ours is farther from the price than one before; what a hand sets is its own business."""
        if not self.transport.is_sending or uid not in self._stops:
            return
        side, tightest = self._stops[uid]
        if (stop - tightest) * side < 0:
            self.violations.append(f"uid {uid}: a stop at {stop} after one at {tightest}")
        self._stops[uid] = side, max(stop * side, tightest * side) * side

    # --- people -------------------------------------------------------------------------------------------------------

    def add_account(
        self, balance: str = "10000", settings: AccountSettings | None = None, *, symbol: str = SYMBOL
    ) -> int:
        """A person whose paper account of *balance* USDT trades from before *T* on; the account's id."""
        account = self.engine.create_account(Decimal(balance))
        key = account.keys[0]
        people = self.ledger.people
        user_id = people.add_user(f"person{account.uid}@example.org", "!")
        account_id = people.add_account(
            NewAccount(
                user_id=user_id,
                venue=self.traded,
                feed=self.feed,
                uid=str(account.uid),
                symbol=symbol,
                sealed_key=json.dumps([key.key, key.secret]),
                key_last4=key.key[-4:],
                key_version=1,
                start_balance=Decimal(balance),
                opened_ms=self.clock.now_ms(),
            )
        )
        people.change_settings(user_id, settings or AccountSettings())
        people.set_auto_trade(user_id, True, self.clock.now_ms())
        return account_id

    def user_of(self, account_id: int) -> int:
        return self.ledger.store.accounts[account_id].user_id

    def uid(self, account_id: int) -> int:
        """The exchange's number of the account."""
        return int(self.ledger.store.accounts[account_id].uid)

    def api_key(self, account_id: int) -> str:
        return self.engine.accounts[self.uid(account_id)].keys[0].key

    async def trader_account(self, account_id: int) -> TraderAccount:
        return next(a for a in await self.ledger.accounts() if a.account_id == account_id)

    async def exchange(self, account_id: int) -> Exchange:
        """The signed client of the account."""
        return self.context.exchanges.open(await self.trader_account(account_id))

    # --- time and trouble ---------------------------------------------------------------------------------------------

    def fault(self, kind: str, path: str | None = None, count: int = 1, uid: int | None = None, **params: Any) -> None:
        """Arm something to go wrong at the exchange or on the way to it."""
        self.venue.faults.push(Fault(kind, path, count, uid, params))

    def on(self, path: str, act: Callable[[], object], *, after: bool = False) -> None:
        """Do *act* whenever a request to *path* leaves or, *after*, once the exchange has answered it."""

        def look(request: Request) -> None:
            if request.path == path:
                act()

        if after:
            self.transport.after = look
        else:
            self.transport.before = look

    def calm(self) -> None:
        """Nothing stands in anybody's way any more."""
        self.venue.faults.clear()
        self.transport.before = self.transport.after = lambda request: None

    def to(self, at_ms: int) -> None:
        """Let the time come, at the exchange too."""
        self.clock.advance_to(at_ms)
        self.engine.advance(self.clock.now_ms())

    def wait(self, seconds: float) -> None:
        self.to(self.clock.now_ms() + round(seconds * 1000))

    def trade_at(self, price: str | int) -> None:
        """Trade at *price* from the next second on, and let two pass."""
        self.prices.set_price(Decimal(price), self.clock.now_ms() + 1)
        self.wait(2)

    async def cycle(
        self, view: Decision | Abstained | Action | None = None, *, context: TradingContext | None = None
    ) -> CycleReport:
        """Run the next cycle two seconds after its T."""
        if self.clock.now_ms() >= self.t_ms + CYCLE_LAG_MS:
            self.t_ms = self.clock.now_ms() // CYCLE_MS * CYCLE_MS + CYCLE_MS
        self.to(self.t_ms + CYCLE_LAG_MS)
        return await self.again(view, context=context)

    async def again(
        self, view: Decision | Abstained | Action | None = None, *, context: TradingContext | None = None
    ) -> CycleReport:
        """Run the cycle of the same T (once more), now."""
        if view is not None:
            self.analyst.view = decision(view) if isinstance(view, str) else view
        return await run_cycle(context or self.context, self.t_ms)

    # --- what became of it --------------------------------------------------------------------------------------------

    def orders(self, account_id: int = 1) -> list[Order]:
        """Our rows, oldest first."""
        return self.ledger.store.of_account(account_id)

    def order(self, leg: Leg = "e", account_id: int = 1) -> Order:
        """The newest row of *leg*."""
        return [order for order in self.orders(account_id) if order.leg == leg][-1]

    def states(self, account_id: int = 1) -> list[str]:
        """Every state the newest entry went through."""
        return [event.after for event, _ in self.ledger.store.events[self.order("e", account_id).id]]

    def codes(self, account_id: int = 1) -> list[int]:
        """What the exchange replied about the newest entry, as its events have it."""
        return [event.code for event, _ in self.ledger.store.events[self.order("e", account_id).id]]

    def log(self, account_id: int = 1, t_ms: int | None = None, symbol: str = SYMBOL) -> LogRow:
        """What the person reads about T."""
        return self.ledger.store.logs[account_id, symbol, self.t_ms if t_ms is None else t_ms]

    def position(self, account_id: int = 1, symbol: str = SYMBOL) -> Position:
        """As the exchange has it."""
        self.engine.advance(self.clock.now_ms())
        return self.engine.books.holding(self.engine.accounts[self.uid(account_id)], symbol).position

    def cash(self, account_id: int = 1) -> Decimal:
        """The exchange's wallet balance."""
        self.engine.advance(self.clock.now_ms())
        return self.engine.accounts[self.uid(account_id)].cash

    def accepted(self, account_id: int = 1) -> list[OrderRecord]:
        """Orders of ours at the exchange, by the account's own history."""
        uid = self.uid(account_id)
        closed, working = self.engine.books.history[uid].closed, self.engine.accounts[uid].orders.values()
        return [order for order in (*closed, *working) if order.link_id.startswith("mm")]

    def by_hand(self, side: str, qty: str, account_id: int = 1) -> None:
        """The owner trades in the exchange's app."""
        request = OrderRequest(SYMBOL, "buy" if side == "buy" else "sell", Decimal(qty))
        self.engine.dealing.place(self.uid(account_id), request)
        self.wait(1)

    def remove_stop(self, account_id: int = 1) -> None:
        """The owner cancels the stop in the exchange's app."""
        uid = self.uid(account_id)
        self.engine.dealing.cancel_all(uid, lambda order: order.stop_order_type == "StopLoss")

    def spoil_key(self, account_id: int) -> None:
        """What opening the account's key meets is a bug."""
        row = self.ledger.store.accounts[account_id]
        self.ledger.store.accounts[account_id] = replace(row, sealed_key="not JSON")

    def rekey(self, account_id: int = 1) -> None:
        """The owner replaces the API key."""
        row = self.ledger.store.accounts[account_id]
        self.ledger.store.accounts[account_id] = replace(row, key_version=row.key_version + 1)


def result_of(report: CycleReport, account_id: int = 1) -> AccountResult:
    """How the cycle ended for that account."""
    return next(result for result in report.results if result.account_id == account_id)
