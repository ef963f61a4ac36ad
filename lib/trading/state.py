"""
The memory of one trader process between its jobs, and the locks by which its jobs wait for each other.

One object a process, shared by every cycle, guardian and stopper in it, on one event loop. This memory is no evidence:
it spares requests and orders work, and each of its entries may be lost with the process at any line.
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
from lib.trading.turns import Turns

SIGNERS = 8
CLOSERS = 96


@dataclass(slots=True)
class Reservations:
    """
    What entries have reserved of the platform's limits since this process began: their number, their notional in USDT.

    *standing* are the reservations, by account, that rows and books may not tell of yet.
    """

    entries: int = 0
    notional: Decimal = ZERO
    standing: dict[int, Decimal] = field(default_factory=dict)

    def take(self, account_id: int, notional: Decimal) -> None:
        """The account is about to make one entry of at most *notional* USDT; an account makes one entry at a time."""
        self.entries += 1
        self.notional += notional
        self.standing[account_id] = notional

    def conclude(self, account_id: int) -> None:
        """The account's entry has ended, or stands among the open rows: a cycle that reads them now sees it there."""
        self.standing.pop(account_id, None)

    def mark(self) -> "Reservations":
        """The reservations as they are now; later reservations do not show in the mark."""
        return Reservations(self.entries, self.notional, dict(self.standing))


@dataclass(slots=True)
class TraderState:
    """The memory of one trader process. Accounts are named by their id."""

    reservations: defaultdict[Pool, Reservations] = field(default_factory=lambda: defaultdict(Reservations))
    """
    By pool, and shared by every cycle under way: what one cycle reserves of the platform's limits, the others have no
    more.
    """
    hours: OpeningHours = field(default_factory=OpeningHours)
    """Venues and symbols without entries now; plans read the hours, a job of its own refreshes them."""
    turns: Turns = field(default_factory=Turns)
    """Whose turn it is to have a model asked, over every cycle under way."""
    signing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIGNERS))
    """Places to sign and claim: in a crowd the unsigned orders wait, as a signature is too old to claim in a second."""
    closers: int = CLOSERS
    """How many accounts of each venue close outside the plans at once."""
    _closing: dict[Venue, asyncio.Semaphore] = field(default_factory=dict)
    _turns: defaultdict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _sent: dict[int, str] = field(default_factory=dict)
    _entered: dict[int, Order] = field(default_factory=dict)
    _unbooked: set[int] = field(default_factory=set)
    _swept: dict[int, int] = field(default_factory=dict)
    _modes_seen: dict[int, int] = field(default_factory=dict)

    def turn(self, account_id: int) -> asyncio.Lock:
        """The account's turn: held by the task that trades for the account, from the prefetch to the last verdict."""
        return self._turns[account_id]

    def closing(self, venue: Venue) -> asyncio.Semaphore:
        """Places for closes outside the plans: in a crowd they wait before they have a row, for an unsent row is soon
        taken back."""
        return self._closing.setdefault(venue, asyncio.Semaphore(self.closers))

    # --- orders that left ---------------------------------------------------------------------------------------------

    def order_leaves(self, order: Order) -> None:
        """*order* is claimed and about to be sent: from now on the books may lack its executions."""
        self._unbooked.add(order.account_id)
        self._sent[order.account_id] = order.order_link_id
        if order.is_entry:
            self._entered[order.account_id] = order

    def newest_sent(self, account_id: int) -> str | None:
        """The order_link_id of the newest order this process sent; a ledger without it has lost commits."""
        return self._sent.get(account_id)

    def forget_sent(self, account_id: int) -> None:
        """The loss of the newest sent order's row was alerted and swept for."""
        self._sent.pop(account_id, None)

    def newest_entry(self, account_id: int) -> Order | None:
        """The newest entry this process sent: with the database down this is where the guardian finds its stop."""
        return self._entered.get(account_id)

    @property
    def unbooked(self) -> Set[int]:
        """Accounts of which an order was sent and the books may lack its executions; the guardian inspects them."""
        return self._unbooked

    def booked(self, account_id: int) -> None:
        """The books hold every execution of the account's orders."""
        self._unbooked.discard(account_id)

    def forget(self, account_id: int) -> None:
        """The account is ours anew: another process may have traded there, and nothing remembered of it holds."""
        for known in (self._sent, self._entered, self._swept, self._modes_seen):
            known.pop(account_id, None)
        self._unbooked.discard(account_id)

    # --- what was looked through --------------------------------------------------------------------------------------

    def swept(self, account_id: int, epoch: int) -> None:
        """The account was swept under *epoch* of our lease: every order of it at the exchange has its row."""
        self._swept[account_id] = epoch

    def unswept(self, account_id: int) -> None:
        """The account is to be swept again."""
        self._swept.pop(account_id, None)

    def swept_under(self, account_id: int) -> int | None:
        """The epoch of our lease under which the account was last swept, None = it is to be swept."""
        return self._swept.get(account_id)

    def modes_right(self, account_id: int, day: int) -> None:
        """Margin and position mode of the account were seen to be right on UTC *day* (days since 1970)."""
        self._modes_seen[account_id] = day

    def modes_doubtful(self, account_id: int) -> None:
        """The modes of the account are to be read again before its next entry."""
        self._modes_seen.pop(account_id, None)

    def modes_right_on(self, account_id: int) -> int | None:
        """The UTC day on which the modes were last seen to be right, None = not since they changed."""
        return self._modes_seen.get(account_id)
