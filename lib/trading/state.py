"""
What one trader process remembers between its jobs, and what its jobs wait for each other by.

One object a process, shared by every cycle, guardian and stopper in it, on one event loop. Nothing here is evidence: it
spares questions and orders work, and each of its entries may be lost with the process at any line.
"""

import asyncio
from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain.account import Pool, Venue
from lib.domain.order import Order
from lib.domain.position import ZERO
from lib.trading.opening_hours import OpeningHours

SIGNERS = 8
CLOSERS = 96


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


@dataclass(slots=True)
class TraderState:
    """The memory of one trader process. Accounts are named by their id."""

    draws: defaultdict[Pool, Draws] = field(default_factory=lambda: defaultdict(Draws))
    """
    By pool, and shared by every cycle under way: what one of them takes of the platform's limits, the others have no
    more.
    """
    hours: OpeningHours = field(default_factory=OpeningHours)
    """Where nothing can be entered now; plans read it, a job of its own asks."""
    signing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIGNERS))
    """Who signs and claims: in a crowd it is the unsigned that wait, a signature is too old to claim after a second."""
    closers: int = CLOSERS
    """How many close outside the plans at once, of each venue."""
    _closing: dict[Venue, asyncio.Semaphore] = field(default_factory=dict)
    _turns: defaultdict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _sent: dict[int, str] = field(default_factory=dict)
    _entered: dict[int, Order] = field(default_factory=dict)
    _unbooked: set[int] = field(default_factory=set)
    _swept: dict[int, int] = field(default_factory=dict)
    _modes_seen: dict[int, int] = field(default_factory=dict)

    def turn(self, account_id: int) -> asyncio.Lock:
        """Held by whoever trades for the account, from the prefetch to the last verdict."""
        return self._turns[account_id]

    def closing(self, venue: Venue) -> asyncio.Semaphore:
        """For closes outside the plans: in a crowd the rowless wait, for an unsent row is soon taken back."""
        return self._closing.setdefault(venue, asyncio.Semaphore(self.closers))

    # --- orders that left ---------------------------------------------------------------------------------------------

    def order_leaves(self, order: Order) -> None:
        """*order* is claimed and about to be sent: from now on its executions may be missing in the books."""
        self._unbooked.add(order.account_id)
        self._sent[order.account_id] = order.order_link_id
        if order.is_entry:
            self._entered[order.account_id] = order

    def newest_sent(self, account_id: int) -> str | None:
        """The order_link_id of the newest order this process sent; a ledger without it has lost commits."""
        return self._sent.get(account_id)

    def forget_sent(self, account_id: int) -> None:
        """The loss of the newest sent order was told and looked into."""
        self._sent.pop(account_id, None)

    def newest_entry(self, account_id: int) -> Order | None:
        """The newest entry this process sent: with the database down its stop is known from here."""
        return self._entered.get(account_id)

    @property
    def unbooked(self) -> Set[int]:
        """Accounts an order has left for whose executions the books may not hold yet; the guardian looks at them."""
        return self._unbooked

    def booked(self, account_id: int) -> None:
        """The books hold all that the account's orders did."""
        self._unbooked.discard(account_id)

    # --- what was looked through --------------------------------------------------------------------------------------

    def swept(self, account_id: int, epoch: int) -> None:
        """Every order of the account at the exchange was found to have its row, under *epoch* of our lease."""
        self._swept[account_id] = epoch

    def unswept(self, account_id: int) -> None:
        """The account's orders are to be looked through again."""
        self._swept.pop(account_id, None)

    def swept_under(self, account_id: int) -> int | None:
        """The epoch of our lease under which the account's orders were last looked through, None = not since."""
        return self._swept.get(account_id)

    def modes_right(self, account_id: int, day: int) -> None:
        """Margin and position mode of the account were seen to be right on UTC *day* (days since 1970)."""
        self._modes_seen[account_id] = day

    def modes_doubtful(self, account_id: int) -> None:
        """The modes of the account are to be read again before it enters anything."""
        self._modes_seen.pop(account_id, None)

    def modes_right_on(self, account_id: int) -> int | None:
        """The UTC day on which the modes were last seen to be right, None = not since they changed."""
        return self._modes_seen.get(account_id)
