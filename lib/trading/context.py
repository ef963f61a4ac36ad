"""
What every trading use-case works with: the ports, and the few numbers that are not law.

A desk is built once by bootstrap. Live, paper and replay desks differ by the objects in it and by nothing else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from lib.clock import Clock, SteadyClock
from lib.domain.account import PlatformLimits, Pool, Venue, feed_fits
from lib.domain.account_records import TraderAccount
from lib.domain.order import CYCLE_MS, Order
from lib.domain.position import ZERO
from lib.domain.pricing import AnalystPrices
from lib.ports.analyst import Analyst
from lib.ports.exchange import Exchanges
from lib.ports.ledger import Ledger
from lib.ports.market import AsyncCandleReader, AsyncMarket
from lib.trading.opening_hours import OpeningHours

WINDOW = 30
"""Closed candles shown to the analyst."""
INTERVAL = "1m"
SIGNERS = 8
CLOSERS = 96


def _closers() -> asyncio.Semaphore:
    return asyncio.Semaphore(CLOSERS)


@dataclass(slots=True)
class Draws:
    """
    What entries have drawn from the platform's limits since this process began: their number, their notional in USDT.

    *standing* are the draws, by account, that rows and books may not tell of yet.
    """

    entries: int = 0
    notional: Decimal = ZERO
    standing: dict[int, Decimal] = field(default_factory=dict)

    def take(self, account_id: int, notional: Decimal) -> None:
        """The account is about to make one entry of at most *notional*; an account makes one at a time."""
        self.entries += 1
        self.notional += notional
        self.standing[account_id] = notional

    def settle(self, account_id: int) -> None:
        """The account's entry has ended, or stands among the open rows: who reads them now sees it there."""
        self.standing.pop(account_id, None)

    def mark(self) -> "Draws":
        """As it is now; later draws do not show in it."""
        return Draws(self.entries, self.notional, dict(self.standing))


@dataclass(frozen=True, slots=True)
class Desk:
    """The trader's world. *holder* names this process in the lease; *report* receives every cycle's result."""

    ledger: Ledger
    exchanges: Exchanges
    market: AsyncMarket
    candles: AsyncCandleReader
    analyst: Analyst
    clock: Clock
    feed: str
    model: str
    installation: str
    holder: str
    analyst_budget_s: float = 45.0
    lease_ms: int = 30_000
    platform: PlatformLimits = field(default_factory=PlatformLimits)
    prices: AnalystPrices = field(default_factory=AnalystPrices)
    unbooked: set[int] = field(default_factory=set)
    """Accounts an order has left for whose executions the books may not hold yet; the guardian looks at them."""
    swept: dict[int, int] = field(default_factory=dict)
    """Accounts whose every order at the exchange was found to have its row, and under which epoch of our lease."""
    sent: dict[int, str] = field(default_factory=dict)
    """The newest order this process sent for each account (order_link_id): a ledger without it has lost commits."""
    entered: dict[int, Order] = field(default_factory=dict)
    """The newest entry this process sent for each account: with the database down its stop is known from here."""
    modes_seen: dict[int, int] = field(default_factory=dict)
    """Accounts whose margin and position modes were seen to be right, and on which UTC day (days since 1970) last."""
    pools: frozenset[Pool] = frozenset({"paper"})
    """Which accounts this deployment serves, as the platform's limits count them."""
    draws: defaultdict[Pool, Draws] = field(default_factory=lambda: defaultdict(Draws))
    """
    By pool, and shared by every cycle under way: what one of them takes of the platform's limits, the others have no
    more.
    """
    signing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIGNERS))
    """Who signs and claims: in a crowd it is the unsigned that wait, a signature is too old to claim after a second."""
    closing: defaultdict[Venue, asyncio.Semaphore] = field(default_factory=lambda: defaultdict(_closers))
    """Who closes outside the plans, by venue: in a crowd the rowless wait; an unsent row is soon taken back."""
    turns: defaultdict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Who trades for an account holds its turn, from the prefetch to the last verdict."""
    hours: OpeningHours = field(default_factory=OpeningHours)
    """Where nothing can be entered now; plans read it, a job of its own asks."""
    steady: SteadyClock = field(init=False)
    """*clock*, but never set back: for pauses and patience."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steady", SteadyClock(self.clock))


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
    """Whether *account* takes part in the cycle of T: switched on since before T, at a venue of this very feed."""
    on = account.auto_trade and account.trading_enabled and account.auto_since <= t_ms
    return on and fits(account, feed)


def fits(account: TraderAccount, feed: str) -> bool:
    """Whether decisions made from *feed* are *account*'s to trade on."""
    return account.feed == feed and feed_fits(feed, account.venue)
