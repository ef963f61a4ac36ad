"""
The proof behind the word "stopped", one for the running trader and for an operator without one.

A thrown switch is proved when the venue's own clock is past the last moment at which bytes claimed before it could be
accepted and listed, each account was swept for orphan orders in each of its symbols after that moment, and then every
row is terminal. A *close everything* needs besides that no position of ours is left; the caller brings that proof.
Nothing here sends an order, closes a position or throws a switch.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import Slot, Venue
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Order, OrderState
from lib.domain.reason import Reason
from lib.domain.switches import Flags, lost_since, waits_for_sweep
from lib.trading.context import OrderContext, on_each_symbol
from lib.trading.kill_switch.flatten import take_back
from lib.trading.orders.reconcile import Sweep, recover

LOG = log.get("trading.proof")
PROOF_MS = RECV_WINDOW_MS + 2_000 + INDEX_LAG_MS
"""After this much of the venue's time no order claimed before the switch can be accepted or still be unlisted."""
UNHEARD = codes.EXCHANGE_UNHEARD()
A_DAY = Sweep(None)
VenueTime = Callable[[], Awaitable[int]]
"""A venue's own clock, epoch ms, asked without a key. *Retry* when the venue is unreachable."""


class Proof(Enum):
    """How far the proof of a thrown switch is. UNSEEN: all else holds, but not every account was swept."""

    WAITS = "waits"
    UNSEEN = "unseen"
    PROVED = "proved"


@dataclass(slots=True)
class Prover:
    """One process's proofs, and its sweeps and readings of venues' clocks; those that still hold are not repeated."""

    context: OrderContext
    sweep: Sweep = A_DAY
    """How far back orphan orders are searched: a day is enough where the trader's start has swept further."""
    clocks: Mapping[Venue, VenueTime] = field(default_factory=dict)
    """The clocks of the venues that need no key to be asked for their time."""
    accounts: Sequence[TraderAccount] = ()
    """The accounts whose keys may ask the other venues for their time."""
    swept: dict[Slot, int] = field(default_factory=dict)
    """Symbol of an account → the venue's time after which it was last swept there."""
    _unseen: dict[Slot, Reason] = field(default_factory=dict)
    """Symbol of an account → why it could not be swept there."""
    _times: dict[Venue, int] = field(default_factory=dict)
    _asking: defaultdict[Venue, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def unseen(self) -> dict[int, Reason]:
        """Account → why it could not be swept, in the first of its symbols where it could not."""
        found: dict[int, Reason] = {}
        for slot in sorted(self._unseen):
            found.setdefault(slot[0], self._unseen[slot])
        return found

    def search(self, flags: Flags) -> None:
        """Search as far back as the platform's switches say that rows may be lost: a restored database lost many."""
        deep = self.sweep.deep or waits_for_sweep(flags)
        self.sweep = Sweep(None, deep=deep, since_ms=lost_since(flags))

    async def resolve_rows(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        """Bring the account's open *rows* of one symbol forward by query; an unsent entry is taken back at once."""
        planned = [row for row in rows if row.is_entry and row.state is OrderState.PLANNED]
        for row in planned:
            await take_back(self.context, row)
        sent = [row for row in rows if row not in planned]
        try:
            if sent:
                await recover(self.context, account, sent)
        except Pause as refused:
            self._unseen[account.slot] = refused.why
            LOG.warning("stop.unsettled", account=account.account_id, why=str(refused))

    async def prove(
        self, number: int, switches: Flags | TraderAccount, accounts: Sequence[TraderAccount], seen_at: int
    ) -> Proof:
        """
        Prove the thrown *switches* of account *number* (0: of the platform) if everything holds, and store the proof.

        *accounts* are those the switches stop; *seen_at* is the venues' time as of which nothing else contradicts.
        """
        bound = switches.switched_ms + PROOF_MS
        if seen_at <= bound:
            return Proof.WAITS
        views = on_each_symbol(accounts)
        are_swept = all(await asyncio.gather(*(self.is_swept(view, bound) for view in views)))
        if await self.context.orders.open_orders(number):  # after the sweep: an orphan order found there has a row now
            return Proof.WAITS
        if not are_swept:
            return Proof.UNSEEN
        if not await self.context.switches.prove_stopped(number, switches.switched_ms, seen_at):
            return Proof.WAITS
        LOG.info("stop.proved", account=number, after_ms=seen_at - switches.switched_ms)
        return Proof.PROVED

    async def is_swept(self, account: TraderAccount, bound: int) -> bool:
        """
        Whether the account was swept in its symbol after *bound* by the venue's clock: the ledger may have lost rows.
        """
        if self.swept.get(account.slot, 0) > bound:
            return True
        try:
            seen_at = await self.time_at(account.venue, past=bound)
            done = await recover(self.context, account, (), sweep=self.sweep, lane="guard")
        except Pause as refused:
            return await self._is_excused(account, refused.why)
        if not done:
            self._unseen[account.slot] = UNHEARD
            return False
        self.swept[account.slot] = seen_at
        self._unseen.pop(account.slot, None)
        return seen_at > bound

    async def _is_excused(self, account: TraderAccount, why: Reason) -> bool:
        """Whether the account never held a position, so that its unusable key does not matter."""
        if await self.never_held(account):
            self._unseen.pop(account.slot, None)
            return True
        self._unseen[account.slot] = why
        return False

    async def never_held(self, account: TraderAccount) -> bool:
        """
        Whether the account never had an entry in its symbol, by our books and, should they have lost one, by our
        memory.
        """
        if account.booked_qty or self.context.state.newest_sent(account.slot) is not None:
            return False
        return await self.context.orders.last_entry(account.slot) is None

    # --- the venues' clocks ---------------------------------------------------------------------------------------

    async def seen(self, accounts: Sequence[TraderAccount], *, past: int) -> int:
        """The earliest of the clocks of the venues of *accounts*; the ledger's where there are none."""
        venues = sorted({account.venue for account in accounts})
        times = [await self.time_at(venue, past=past) for venue in venues]
        return min(times) if times else await self.context.orders.now()

    async def time_at(self, venue: Venue, *, past: int) -> int:
        """The venue's clock, asked unless an answer after *past* is known already: one request serves all accounts."""
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
        raise Retry(codes.NO_KEY_FOR_TIME(venue=venue))
