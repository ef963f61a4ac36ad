"""
The memory of one trader process between its jobs, and the locks by which its jobs wait for each other.

One object a process, shared by every cycle, guardian and stopper in it, on one event loop. This memory is no evidence:
it spares requests and orders work, and each of its entries may be lost with the process at any line.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from weakref import WeakValueDictionary

from lib.domain.account import Pool, Slot, Venue
from lib.domain.analyst_call import CycleKey
from lib.domain.order import Order
from lib.domain.position import ZERO
from lib.trading.asked import AskedAbout
from lib.trading.opening_hours import OpeningHours
from lib.trading.turns import Turns

SIGNERS = 8
CLOSERS = 96


@dataclass(slots=True)
class Reservations:
    """
    What entries have reserved of the platform's limits since this process began: their number, their notional in USDT.

    *standing* are the reservations that rows and books may not tell of yet.
    """

    entries: int = 0
    notional: Decimal = ZERO
    standing: dict[Slot, Decimal] = field(default_factory=dict)

    def take(self, slot: Slot, notional: Decimal) -> None:
        """One entry of at most *notional* USDT is about to be made there, where one is made at a time."""
        self.entries += 1
        self.notional += notional
        self.standing[slot] = notional

    def conclude(self, slot: Slot) -> None:
        """The entry has ended, or stands among the open rows: a cycle that reads them now sees it there."""
        self.standing.pop(slot, None)

    def mark(self) -> "Reservations":
        """The reservations as they are now; later reservations do not show in the mark."""
        return Reservations(self.entries, self.notional, dict(self.standing))


class EntryTurn:
    """
    One account's turn to plan an entry, so that each is judged by what those before it have at stake.

    Of those that are ready the first in the fixed order goes first; nobody waits for one that is not. *count* is how
    many turns there were: who read the account before the newest one reads it again.
    """

    def __init__(self) -> None:
        self.count = 0
        self._is_taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def of(self, place: int) -> AsyncIterator[None]:
        """Held by the one at *place* of the fixed order."""
        if self._is_taken:
            mine = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (place, id(mine), mine))
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._pass_on()
                raise
        self._is_taken = True
        try:
            yield
        finally:
            self.count += 1
            self._pass_on()

    def _pass_on(self) -> None:
        """To the next who still waits; it stays taken meanwhile, so that nobody slips in between."""
        while self._waiting:
            _, _, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                waiter.set_result(None)
                return
        self._is_taken = False


@dataclass(slots=True)
class TraderState:
    """
    The memory of one trader process. What is a position's or an order's is kept by account and symbol (`Slot`).
    """

    reservations: defaultdict[Pool, Reservations] = field(default_factory=lambda: defaultdict(Reservations))
    """
    By pool, and shared by every cycle under way: what one cycle reserves of the platform's limits, the others have no
    more.
    """
    hours: OpeningHours = field(default_factory=OpeningHours)
    """Venues and symbols without entries now; plans read the hours, a job of its own refreshes them."""
    turns: Turns = field(default_factory=Turns)
    """Whose turn it is to have a model asked, over every cycle under way."""
    asked: AskedAbout = field(default_factory=AskedAbout)
    """What the newest T asked about, for who answers beside it."""
    signing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIGNERS))
    """Places to sign and claim: in a crowd the unsigned orders wait, as a signature is too old to claim in a second."""
    closers: int = CLOSERS
    """How many accounts of each venue close outside the plans at once."""
    _closing: dict[Venue, asyncio.Semaphore] = field(default_factory=dict)
    _turns: defaultdict[Slot, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _entering: defaultdict[int, EntryTurn] = field(default_factory=lambda: defaultdict(EntryTurn))
    _questions: WeakValueDictionary[CycleKey, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _sent: dict[Slot, str] = field(default_factory=dict)
    _entered: dict[Slot, Order] = field(default_factory=dict)
    _unbooked: set[Slot] = field(default_factory=set)
    _swept: dict[Slot, int] = field(default_factory=dict)
    _modes_seen: dict[Slot, int] = field(default_factory=dict)

    def turn(self, slot: Slot) -> asyncio.Lock:
        """
        The turn of one symbol of an account: held by the task that trades there, from the prefetch to the last verdict.
        """
        return self._turns[slot]

    def entering(self, account_id: int) -> EntryTurn:
        """The account's turn to plan an entry, in whichever symbol."""
        return self._entering[account_id]

    def question(self, key: CycleKey) -> asyncio.Lock:
        """The group's question: held by the task of this process that has the analyst asked, until it is recorded."""
        return self._questions.setdefault(key, asyncio.Lock())

    def is_busy(self, account_id: int) -> bool:
        """Whether a task trades for the account, or its books may lack executions, in any of its symbols."""
        is_traded = any(turn.locked() for (number, _), turn in self._turns.items() if number == account_id)
        return is_traded or any(number == account_id for number, _ in self._unbooked)

    def closing(self, venue: Venue) -> asyncio.Semaphore:
        """Places for closes outside the plans: in a crowd they wait before they have a row, for an unsent row is soon
        taken back."""
        return self._closing.setdefault(venue, asyncio.Semaphore(self.closers))

    # --- orders that left ---------------------------------------------------------------------------------------------

    def order_leaves(self, order: Order) -> None:
        """*order* is claimed and about to be sent: from now on the books may lack its executions."""
        self._unbooked.add(order.slot)
        self._sent[order.slot] = order.order_link_id
        if order.is_entry:
            self._entered[order.slot] = order

    def newest_sent(self, slot: Slot) -> str | None:
        """The order_link_id of the newest order this process sent there; a ledger without it has lost commits."""
        return self._sent.get(slot)

    def forget_sent(self, slot: Slot) -> None:
        """The loss of the newest sent order's row was alerted and swept for."""
        self._sent.pop(slot, None)

    def newest_entry(self, slot: Slot) -> Order | None:
        """
        The newest entry this process sent there: with the database down this is where the guardian finds its stop.
        """
        return self._entered.get(slot)

    @property
    def unbooked(self) -> Set[Slot]:
        """Where an order was sent and the books may lack its executions; the guardian inspects there."""
        return self._unbooked

    def booked(self, slot: Slot) -> None:
        """The books hold every execution of the orders there."""
        self._unbooked.discard(slot)

    def forget(self, account_id: int) -> None:
        """The account is ours anew: another process may have traded there, and nothing remembered of it holds."""
        for known in (self._sent, self._entered, self._swept, self._modes_seen):
            for slot in [slot for slot in known if slot[0] == account_id]:
                known.pop(slot, None)
        self._unbooked = {slot for slot in self._unbooked if slot[0] != account_id}

    # --- what was looked through --------------------------------------------------------------------------------------

    def swept(self, slot: Slot, epoch: int) -> None:
        """It was swept there under *epoch* of our lease: every order there at the exchange has its row."""
        self._swept[slot] = epoch

    def unswept(self, slot: Slot) -> None:
        """It is to be swept there again."""
        self._swept.pop(slot, None)

    def swept_under(self, slot: Slot) -> int | None:
        """The epoch of our lease under which it was last swept there, None = it is to be swept."""
        return self._swept.get(slot)

    def modes_right(self, slot: Slot, day: int) -> None:
        """Margin and position mode of the account there were seen to be right on UTC *day* (days since 1970)."""
        self._modes_seen[slot] = day

    def modes_doubtful(self, slot: Slot) -> None:
        """The modes of the account there are to be read again before its next entry."""
        self._modes_seen.pop(slot, None)

    def modes_right_on(self, slot: Slot) -> int | None:
        """The UTC day on which the modes were last seen to be right there, None = not since they changed."""
        return self._modes_seen.get(slot)
