"""
Accounts divided among processes, as data: whose an account is, how many are fair, what of a limit each may use. Pure.

An account belongs to the holder of its living lease. The lease saves work; nothing rests on it but one ruling of the
claim: a process that does not own an account enters nothing for it. Whoever owns an account may still use no more of
the platform's limits than it was lent: loans outlast every entry that may be claimed under them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from lib.domain.account import Pool
from lib.domain.order import MAX_AGE_MS
from lib.domain.position import ZERO

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that may own accounts: its name in leases, the address it leaves from, the most it may own."""

    holder: str
    address: str
    capacity: int


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """A lease as stored: *until_ms* by the ledger's clock; *epoch* is one more at every change of the holder."""

    holder: str
    epoch: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Holding:
    """
    What a worker owns: account → epoch, the *active* accounts among them, *surplus* how many of these it should give
    back when they are at rest; *workers* is how many live. *alone* is the holder of a living trader's lease that is no
    worker: it serves every account by itself, and nothing is taken beside it.
    """

    epochs: dict[int, int]
    active: frozenset[int]
    surplus: int = 0
    workers: int = 1
    alone: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """How many entries, and of how much USDT together, one worker may make."""

    entries: int
    exposure: Decimal


NO_ROOM = Room(0, ZERO)


@dataclass(frozen=True, slots=True)
class RoomAsk:
    """
    What is left of *pool*'s limits by books and rows read after *since_ms* (ledger's clock), asked for entries that
    nobody can claim after *until_ms*. *made* are all entries the holder has reserved since it began.
    """

    pool: Pool
    holder: str
    since_ms: int
    until_ms: int
    entries: int
    exposure: Decimal
    made: Room = NO_ROOM


@dataclass(frozen=True, slots=True)
class Loan:
    """A room lent to *holder* until *until_ms*, when it had reserved *made* since it began."""

    pool: Pool
    holder: str
    room: Room
    until_ms: int
    made: Room = NO_ROOM


def is_owner(holder: str, now_ms: int, of_account: LeaseHeld | None, of_trader: LeaseHeld) -> bool:
    """
    Whether *holder* may enter for an account: its owner, or the trader where no worker owned the account lately.

    A worker's loans are not in a trader's sums: until everything claimed under them shows in rows, the trader waits.
    """
    lately = of_account is not None and of_account.holder and of_account.until_ms + MAX_AGE_MS > now_ms
    lease = of_account if of_account is not None and lately else of_trader
    return lease.holder == holder and lease.until_ms > now_ms


def fair_share(accounts: int, workers: Sequence[Worker], holder: str) -> int:
    """How many of *accounts* the worker *holder* of *workers* should own; what others have no room for is divided."""
    left, waiting = accounts, sorted(workers, key=lambda one: (one.capacity, one.holder))
    for number, one in enumerate(waiting):
        share = min(one.capacity, -(-left // (len(waiting) - number)))
        if one.holder == holder:
            return share
        left -= share
    return 0


def lend(ask: RoomAsk, loans: Iterable[Loan], workers: Collection[str]) -> Room:
    """
    The part of the room left that *ask*'s holder is lent: what other workers were lent and may still claim is gone,
    and as much is kept for each of *workers* that has no loan.
    """
    others: dict[str, list[Loan]] = defaultdict(list)
    for one in loans:
        if one.pool == ask.pool and one.holder != ask.holder and one.until_ms > ask.since_ms:
            others[one.holder].append(one)
    gone = [outstanding(theirs) for theirs in others.values()]
    parts = len(set(workers) - others.keys() - {ask.holder}) + 1
    entries = max(ask.entries - sum(one.entries for one in gone), 0)
    exposure = max(ask.exposure - sum((one.exposure for one in gone), ZERO), ZERO)
    return Room(entries // parts, (exposure / parts).quantize(CENT, ROUND_DOWN))


def outstanding(loans: Sequence[Loan]) -> Room:
    """
    The most that one holder can have reserved under its standing *loans* together, in no row that its readers saw.

    Who asks again is lent a room beside what it reserved before, not beside what it was lent before: its cycles count
    each other's reservations. So each loan bounds what was reserved since the oldest one by *room* and the difference
    of *made*, and the largest bound holds.
    """
    entries = min(one.made.entries for one in loans)
    exposure = min(one.made.exposure for one in loans)
    return Room(
        max(one.room.entries + one.made.entries - entries for one in loans),
        max(one.room.exposure + one.made.exposure - exposure for one in loans),
    )
