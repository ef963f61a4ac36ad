"""
The kill switch's hand: what a thrown switch means until it is proved, and the proof.

A switch itself is a flag the claim reads, so entries end when it commits, whatever happens here. This is the job that
brings every open row to its end, closes what L3 says shall be closed, and only then writes down that the account, or
the platform, is stopped: every row terminal, the venue's own clock past the last moment at which bytes claimed before
the switch could be accepted and listed, its list of our orders looked through after that moment for one without a row,
and for L3 a position read after that moment without anything of ours. It never switches anything on. With the ledger
away it goes by the switches it last read.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lib import log
from lib.domain.account import Venue
from lib.domain.errors import Pause, Retry
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Order, OrderState
from lib.ports import Flags, TraderAccount
from lib.trading.desk import Desk
from lib.trading.flatten import Flattener, take_back
from lib.trading.resolution import Sweep, recover

LOG = log.get("trading.stopping")
PROOF_MS = RECV_WINDOW_MS + 2_000 + INDEX_LAG_MS
"""After this much of the venue's time nothing claimed before the switch can be accepted or still be unlisted."""
PASS_MS = 2_000
"""Between two passes; a proof that ripens before the next one is waited for."""
LATE_MS = 60_000
"""Not proved after this, somebody is called."""
BY_ENVIRONMENT = "switched off by TRADING_ENABLED"


def is_thrown(switches: Flags | TraderAccount) -> bool:
    """Whether an account's or the platform's switches forbid entries."""
    return switches.flatten or not switches.trading_enabled


def waits_for_proof(switches: Flags | TraderAccount) -> bool:
    """Whether they are thrown and not proved stopped yet."""
    return is_thrown(switches) and not switches.proven_ms


@dataclass(slots=True)
class Stopper:
    """One trader's part in every thrown switch. Passes may overlap; the steps of one account never do."""

    desk: Desk
    allowed: bool = True
    """False = the environment says that nothing may be traded."""
    flattener: Flattener = field(init=False)
    flags: Flags = field(default_factory=lambda: Flags(trading_enabled=True, flatten=False))
    accounts: list[TraderAccount] = field(default_factory=list)
    empty: dict[int, tuple[tuple[int, Decimal], int]] = field(default_factory=dict)
    """
    Account → (the moment its switch was thrown and what its books held, the venue's time at which it held nothing of
    ours; 0 until that was looked at after its orders were looked through).
    """
    swept: dict[int, int] = field(default_factory=dict)
    """Account → the venue's time after which its orders there were last looked through."""
    _times: dict[Venue, int] = field(default_factory=dict)
    _asking: defaultdict[Venue, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _busy: set[int] = field(default_factory=set)
    _called: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.flattener = Flattener(self.desk)

    async def obey(self) -> None:
        """Throw the platform's switch if the environment says so and nobody has; it is never thrown back here."""
        flags = await self.desk.ledger.flags()
        if not self.allowed and flags.trading_enabled:
            off = Flags(trading_enabled=False, flatten=flags.flatten, why=BY_ENVIRONMENT)
            await self.desk.ledger.set_flags(off, "environment")
            LOG.alert("stop.by_environment")

    async def run_pass(self) -> None:
        """One look at every thrown switch; what the environment forbids, nobody's switch allows."""
        if not self.allowed:
            await self._alone(0, self.obey)
        rows = await self._read()
        self.flattener.keep(account.account_id for account in self.accounts if self._flattens(account))
        await asyncio.gather(*(self._attend(account, rows) for account in self._stopping(rows)))
        if waits_for_proof(self.flags):
            await self._alone(0, self._prove_platform)

    async def _read(self) -> Sequence[Order]:
        """Switches, accounts and open rows now; with the ledger away the last known switches and no rows."""
        try:
            flags, accounts = await self.desk.ledger.flags(), await self.desk.ledger.accounts()
            rows = await self.desk.ledger.open_orders()
        except Retry as busy:
            LOG.warning("stop.ledger_down", why=str(busy))
            return ()
        # together or not at all: a platform without its accounts would be proved stopped at once
        self.flags, self.accounts = flags, accounts
        return rows

    def _stopping(self, rows: Iterable[Order]) -> list[TraderAccount]:
        """Accounts under a switch that is not proved, or that have an open row after all."""
        unsettled = {row.account_id for row in rows}
        by_platform, unproved = is_thrown(self.flags), waits_for_proof(self.flags)
        return [
            account
            for account in self.accounts
            if (by_platform or is_thrown(account))
            and (unproved or waits_for_proof(account) or account.account_id in unsettled or self._is_back(account))
        ]

    def _is_back(self, account: TraderAccount) -> bool:
        """Whether the books hold something again where everything was closed: a database may have lost it, and more."""
        return self._flattens(account) and bool(account.booked_qty) and self._known(account) is None

    def _known(self, account: TraderAccount) -> int | None:
        """When the account, as it is now, was seen without anything of ours; None = it was not."""
        known_for, seen_at = self.empty.get(account.account_id, (None, 0))
        return seen_at if known_for == self._as_it_is(account) else None

    def _as_it_is(self, account: TraderAccount) -> tuple[int, Decimal]:
        return self._thrown_ms(account), account.booked_qty

    def _flattens(self, account: TraderAccount) -> bool:
        return self.flags.flatten or account.flatten

    def _thrown_ms(self, account: TraderAccount) -> int:
        """When the newest of the switches that bind *account* was thrown."""
        return max(switches.switched_ms for switches in (self.flags, account) if is_thrown(switches))

    async def _attend(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        mine = [row for row in rows if row.account_id == account.account_id]
        await self._alone(account.account_id, lambda: self._stop(account, mine))

    async def _alone(self, number: int, step: Callable[[], Awaitable[None]]) -> None:
        """*step* of the account *number* (0: of the platform) unless one is under way; its failure stays its own."""
        if number in self._busy:
            return
        self._busy.add(number)
        try:
            await step()
        except (Retry, Pause) as held:
            LOG.warning("stop.waits", account=number, why=str(held))
        except Exception as bug:  # noqa: BLE001 - one account's bug must never keep another's switch from working
            LOG.error("stop.failed", bug, account=number)
        finally:
            self._busy.discard(number)

    async def _stop(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        try:
            await self._settle(account, rows)
        except Pause as held:
            LOG.warning("stop.unsettled", account=account.account_id, why=str(held))
        if self._flattens(account):
            await self._flatten(account, rows)
        if waits_for_proof(account):
            await self._prove(account)

    async def _settle(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        """Bring the account's open *rows* forward; an entry nobody has sent is taken back at once."""
        for row in rows:
            if row.is_entry and row.state is OrderState.PLANNED:
                await take_back(self.desk, row)
        if rows:
            await recover(self.desk, account, rows)

    # --- nothing of ours left -------------------------------------------------------------------------------------

    async def _flatten(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        """Close what is open; once closed, look again only where the proof needs it."""
        thrown, known, is_swept = self._thrown_ms(account), self._known(account), False
        if known is not None and not rows:
            if known > thrown + PROOF_MS or not await self._ripe(thrown):
                return
            is_swept = await self._is_swept(account, thrown + PROOF_MS)  # what was lost must be closed too
        found = await self._emptied(account)
        if found is not None and not rows:  # an open row may still fill
            self.empty[account.account_id] = self._as_it_is(account), found if is_swept else 0

    async def _emptied(self, account: TraderAccount) -> int | None:
        if (seen_at := await self.flattener.step(account)) is not None:
            return seen_at
        if await self._never_held(account):
            return await self._time_at(account.venue, past=self._thrown_ms(account) + PROOF_MS)
        return None

    async def _never_held(self, account: TraderAccount) -> bool:
        """Whether there is nothing to close by our books: a key that can ask nothing is no matter then."""
        return account.booked_qty == 0 and await self.desk.ledger.last_entry(account.account_id) is None

    # --- the proof ------------------------------------------------------------------------------------------------

    async def _prove(self, account: TraderAccount) -> None:
        bound = account.switched_ms + PROOF_MS
        if not await self._ripe(account.switched_ms):
            return
        seen_at = await self._seen(account, bound)
        if seen_at > bound and await self._is_swept(account, bound) and not await self._open_rows(account.account_id):
            await self._proved(account.account_id, account.switched_ms, seen_at)
        else:
            self._late(account.account_id, account.switched_ms)

    async def _seen(self, account: TraderAccount, bound: int) -> int:
        """The venue's time as of which nothing speaks against the account being stopped, but open rows."""
        if account.flatten:
            return self._known(account) or 0
        return await self._time_at(account.venue, past=bound)

    async def _prove_platform(self) -> None:
        bound = self.flags.switched_ms + PROOF_MS
        if not await self._ripe(self.flags.switched_ms):
            return
        seen = [await self._time_at(venue, past=bound) for venue in sorted({a.venue for a in self.accounts})]
        if self.flags.flatten:
            seen += [self._known(account) or 0 for account in self.accounts]
        as_of = min(seen, default=await self.desk.ledger.now())
        if as_of > bound and await self._are_swept(bound) and not await self.desk.ledger.open_orders():
            await self._proved(0, self.flags.switched_ms, as_of)
        else:
            self._late(0, self.flags.switched_ms)

    async def _are_swept(self, bound: int) -> bool:
        swept = await asyncio.gather(*(self._is_swept(account, bound) for account in self.accounts))
        return all(swept)

    async def _is_swept(self, account: TraderAccount, bound: int) -> bool:
        """Whether the account's orders at the venue were looked through past *bound*: the ledger may have lost rows."""
        if self.swept.get(account.account_id, 0) > bound:
            return True
        try:
            seen_at = await self._time_at(account.venue, past=bound)
            done = await recover(self.desk, account, (), sweep=Sweep(None), lane="guard")
        except Pause:
            return await self._never_held(account)  # a key that can ask nothing
        if done:
            self.swept[account.account_id] = seen_at
        return done and seen_at > bound

    async def _proved(self, number: int, switched_ms: int, at_ms: int) -> None:
        if await self.desk.ledger.prove_stopped(number, switched_ms, at_ms):
            LOG.info("stop.proved", account=number, after_ms=at_ms - switched_ms)

    def _late(self, number: int, switched_ms: int) -> None:
        """Call somebody, once, when a switch thrown a minute ago still waits for its proof."""
        if self.desk.clock.now_ms() - switched_ms > LATE_MS and (number, switched_ms) not in self._called:
            self._called.add((number, switched_ms))
            LOG.alert("stop.unproved", account=number, switched_ms=switched_ms)

    async def _ripe(self, switched_ms: int) -> bool:
        """Whether the proof's time has come, by our own clock; waits for it when the next pass would be later."""
        left_ms = switched_ms + PROOF_MS - self.desk.clock.now_ms()
        if left_ms > PASS_MS:
            return False
        if left_ms >= 0:
            await self.desk.clock.sleep((left_ms + 50) / 1000)
        return True

    async def _open_rows(self, account_id: int) -> bool:
        return bool(await self.desk.ledger.open_orders(account_id))

    async def _time_at(self, venue: Venue, *, past: int) -> int:
        """The venue's clock, asked unless an answer past that moment is known already: one question serves all."""
        async with self._asking[venue]:
            if self._times.get(venue, 0) <= past:
                self._times[venue] = await self._ask_time(venue)
            return self._times[venue]

    async def _ask_time(self, venue: Venue) -> int:
        for account in self.accounts:
            if account.venue == venue:
                try:
                    return await self.desk.exchanges.open(account, "guard").server_time()
                except Pause:
                    continue  # any other key of the venue will do
        raise Retry(f"no key of the {venue} venue can ask for its time")
