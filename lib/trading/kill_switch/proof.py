"""
The proof behind the word "stopped", one for the running trader and for an operator without one.

A thrown switch is proved when the venue's own clock is past the last moment at which bytes claimed before it could be
accepted and listed, each account's orders at the venue were looked through after that moment for one of ours without a
row, and then every row is terminal. That nothing is held any more, which a close needs besides, its caller brings.
Nothing here sends or closes anything, or throws a switch.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lib import log
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Order, OrderState
from lib.domain.switches import Flags
from lib.trading.context import OrderContext
from lib.trading.kill_switch.flatten import take_back
from lib.trading.orders.reconcile import Sweep, recover

LOG = log.get("trading.proof")
PROOF_MS = RECV_WINDOW_MS + 2_000 + INDEX_LAG_MS
"""After this much of the venue's time nothing claimed before the switch can be accepted or still be unlisted."""
UNHEARD = "the exchange is away, or the key cannot be opened here"
A_DAY = Sweep(None)
VenueTime = Callable[[], Awaitable[int]]
"""A venue's own clock, epoch ms, asked without a key. *Retry* when unreachable."""


class Proof(Enum):
    """How far the proof of a thrown switch is. UNSEEN: all else holds, but not every account was looked through."""

    WAITS = "waits"
    UNSEEN = "unseen"
    PROVED = "proved"


@dataclass(slots=True)
class Prover:
    """One process's looks at the venues, and what it saw there; a look that holds is not repeated."""

    context: OrderContext
    sweep: Sweep = A_DAY
    """How far back orders without a row are looked for: a day is enough where a start has looked further."""
    clocks: Mapping[Venue, VenueTime] = field(default_factory=dict)
    """Of the venues that need no key to be asked for their time."""
    accounts: Sequence[TraderAccount] = ()
    """Whose keys may ask the other venues for theirs."""
    swept: dict[int, int] = field(default_factory=dict)
    """Account → the venue's time after which its orders there were last looked through."""
    unseen: dict[int, str] = field(default_factory=dict)
    """Account → why its orders could not be looked through, in plain words."""
    _times: dict[Venue, int] = field(default_factory=dict)
    _asking: defaultdict[Venue, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def resolve_rows(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        """Bring the account's open *rows* forward by query; an entry nobody has sent is taken back at once."""
        planned = [row for row in rows if row.is_entry and row.state is OrderState.PLANNED]
        for row in planned:
            await take_back(self.context, row)
        sent = [row for row in rows if row not in planned]
        try:
            if sent:
                await recover(self.context, account, sent)
        except Pause as refused:
            self.unseen[account.account_id] = str(refused)
            LOG.warning("stop.unsettled", account=account.account_id, why=str(refused))

    async def prove(
        self, number: int, switches: Flags | TraderAccount, accounts: Sequence[TraderAccount], seen_at: int
    ) -> Proof:
        """
        Prove the thrown *switches* of account *number* (0: of the platform) if everything holds, and write it down.

        *accounts* are those they stop; *seen_at* is the venues' time as of which nothing else speaks against it.
        """
        bound = switches.switched_ms + PROOF_MS
        if seen_at <= bound:
            return Proof.WAITS
        are_swept = all(await asyncio.gather(*(self.is_swept(account, bound) for account in accounts)))
        if await self.context.orders.open_orders(number):  # looked through first: what was found there has a row now
            return Proof.WAITS
        if not are_swept:
            return Proof.UNSEEN
        if not await self.context.switches.prove_stopped(number, switches.switched_ms, seen_at):
            return Proof.WAITS
        LOG.info("stop.proved", account=number, after_ms=seen_at - switches.switched_ms)
        return Proof.PROVED

    async def is_swept(self, account: TraderAccount, bound: int) -> bool:
        """Whether the account's orders at the venue were looked through past *bound*: the ledger may have lost rows."""
        number = account.account_id
        if self.swept.get(number, 0) > bound:
            return True
        try:
            seen_at = await self.time_at(account.venue, past=bound)
            done = await recover(self.context, account, (), sweep=self.sweep, lane="guard")
        except Pause as refused:
            return await self._is_excused(account, str(refused))
        if not done:
            self.unseen[number] = UNHEARD
            return False
        self.swept[number] = seen_at
        self.unseen.pop(number, None)
        return seen_at > bound

    async def _is_excused(self, account: TraderAccount, why: str) -> bool:
        """Whether a key that can ask nothing is no matter."""
        if await self.never_held(account):
            self.unseen.pop(account.account_id, None)
            return True
        self.unseen[account.account_id] = why
        return False

    async def never_held(self, account: TraderAccount) -> bool:
        """Whether the account never had an entry, by our books and, should they have lost it, by our memory."""
        if account.booked_qty or self.context.state.newest_sent(account.account_id) is not None:
            return False
        return await self.context.orders.last_entry(account.account_id) is None

    # --- the venues' clocks ---------------------------------------------------------------------------------------

    async def seen(self, accounts: Sequence[TraderAccount], *, past: int) -> int:
        """The earliest of the clocks of the venues of *accounts*; the ledger's where there are none."""
        venues = sorted({account.venue for account in accounts})
        times = [await self.time_at(venue, past=past) for venue in venues]
        return min(times) if times else await self.context.orders.now()

    async def time_at(self, venue: Venue, *, past: int) -> int:
        """The venue's clock, asked unless an answer past that moment is known already: one question serves all."""
        async with self._asking[venue]:
            if self._times.get(venue, 0) <= past:
                self._times[venue] = await self._ask_time(venue)
            return self._times[venue]

    async def _ask_time(self, venue: Venue) -> int:
        if venue in self.clocks:
            return await self.clocks[venue]()
        for account in self.accounts:
            if account.venue == venue:
                try:
                    return await self.context.exchanges.open(account, "guard").server_time()
                except Pause:
                    continue  # any other key of the venue will do
        raise Retry(f"no key of the {venue} venue can ask for its time")
