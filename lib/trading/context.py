"""
The context every trading use-case works with: ports, settings, and the few numbers that are not law.

A context is built once by bootstrap. Live, paper and replay differ by the objects in the context and by nothing else.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from lib.clock import Clock, SteadyClock
from lib.domain.account import PlatformLimits, Pool, Slot
from lib.domain.account_records import TraderAccount
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS, Order
from lib.domain.pricing import AnalystPrices
from lib.domain.venues import feed_fits
from lib.ports.analyst import Analyst
from lib.ports.exchange import Exchanges
from lib.ports.ledger import BookLedger, CycleLedger, LimitLedger, OrderLedger, Spending, SwitchLedger
from lib.ports.market import AsyncCandleReader, AsyncMarket, AsyncMeasureReader, NothingMeasured
from lib.ports.models import ModelDesk
from lib.ports.news import AsyncNewsReader, NoNews
from lib.ports.notifier import Notifier
from lib.trading.part import Part, Whole
from lib.trading.state import TraderState
from lib.trading.turns import Turns

WINDOW = 30
"""Closed candles shown to the analyst."""
INTERVAL = "1m"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContext:
    """
    The part of a context that bringing orders to their end needs, without trading: ledger, exchanges, clock.

    *holder* names this process in the lease, *feed* the prices its accounts trade on; *state* is the process's memory.
    """

    orders: OrderLedger
    books: BookLedger
    switches: SwitchLedger
    exchanges: Exchanges
    clock: Clock
    feed: str
    installation: str
    holder: str
    lease_ms: int = 30_000
    state: TraderState = field(default_factory=TraderState)
    part: Part = field(default_factory=Whole)
    steady: SteadyClock = field(init=False)
    """*clock*, but never set back: for pauses and patience."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steady", SteadyClock(self.clock))

    async def led_epoch(self) -> int | None:
        """
        The epoch under which this process serves its accounts, None while it may serve none.

        A trader leads by its lease; a share of the accounts is held by theirs, each with an epoch of its own.
        """
        if self.part.is_whole:
            return await self.switches.hold_lease(self.holder, self.lease_ms)
        return 0 if self.part.may_serve() else None

    async def own_accounts(self) -> list[TraderAccount]:
        """The accounts of the roster that are this process's."""
        return [account for account in await self.switches.accounts() if self.part.owns(account.account_id)]

    async def rows_of(self, slot: Slot) -> list[Order]:
        """The rows of that symbol of the account that are not terminal."""
        return [row for row in await self.orders.open_orders(slot[0]) if row.symbol == slot[1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingContext(OrderContext):
    """Every port and setting of one trader. Built once by bootstrap and never changed."""

    limits: LimitLedger
    cycles: CycleLedger
    notifier: Notifier
    market: AsyncMarket
    candles: AsyncCandleReader
    measures: AsyncMeasureReader = field(default_factory=NothingMeasured)
    news: AsyncNewsReader = field(default_factory=NoNews)
    analyst: Analyst
    model: str
    analyst_budget_s: float = 45.0
    platform: PlatformLimits = field(default_factory=PlatformLimits)
    prices: AnalystPrices = field(default_factory=AnalystPrices)
    models: ModelDesk | None = None
    """The models of the lists; None = there is *model* alone, of which *analyst* is asked."""
    pools: frozenset[Pool] = frozenset({"paper"})
    """The pools of accounts this deployment serves, as the platform's limits count them."""

    @property
    def turns(self) -> Turns:
        """Whose turn it is to have a model asked."""
        return self.state.turns

    @property
    def spending(self) -> Spending:
        """What calls cost so far."""
        return self.cycles


def on_each_symbol(accounts: Iterable[TraderAccount]) -> list[TraderAccount]:
    """*accounts* on each of their symbols."""
    return [view for account in accounts for view in account.views]


def boundary(now_ms: int) -> int:
    """T: the newest five-minute boundary at or before *now_ms*, epoch ms."""
    return now_ms - now_ms % CYCLE_MS


async def until(clock: Clock, deadline_ms: int, pause_s: float, ready: Callable[[], Awaitable[bool]]) -> bool:
    """Ask *ready* now and every *pause_s* market seconds until it holds (True) or *deadline_ms* has passed (False)."""
    while not await ready():
        if clock.now_ms() >= deadline_ms:
            return False
        await clock.sleep(pause_s)
    return True


def due(account: TraderAccount, feed: str, t_ms: int) -> bool:
    """
    Whether *account* takes part in the cycle of T in the symbol it is seen on: switched on before T, trading that
    symbol, at a venue whose prices are *feed*'s, and T is one of its cadence's.
    """
    on = account.auto_trade and account.trading_enabled and account.traded and account.auto_since <= t_ms
    return on and fits(account, feed) and t_ms % (account.settings.cadence_min * MINUTE_MS) == 0


def fits(account: TraderAccount, feed: str) -> bool:
    """Whether decisions made from *feed* are *account*'s to trade on."""
    return account.feed == feed and feed_fits(feed, account.venue)
