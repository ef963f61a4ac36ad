"""
The job of the kill switch: what happens from a thrown switch until the stop is proved.

A switch itself is a flag the claim reads, so entries end when the switch commits, whatever happens here. This job
brings every open row to its end, closes our parts for L3, and only then stores that the account, or the platform, is
stopped: by the proof of `lib.trading.kill_switch.proof`, and for L3 a position read after the proof's bound without a
part of ours. The job never switches trading on. With the ledger away it goes by the switches it last read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import Order
from lib.domain.switches import Flags
from lib.trading.context import TradingContext, on_each_symbol
from lib.trading.kill_switch.flatten import Flattener
from lib.trading.kill_switch.proof import PROOF_MS, Proof, Prover

LOG = log.get("trading.stopper")
PASS_MS = 2_000
"""Between two passes; a proof that is due before the next pass is waited for."""
LATE_MS = 60_000
"""A stop that is not proved after this long is alerted."""
NOBODY: Slot = (0, "")
"""The platform, in the place of an account."""
BY_ENVIRONMENT = codes.SWITCHED_OFF_BY_SETTINGS()


def is_thrown(switches: Flags | TraderAccount) -> bool:
    """Whether an account's or the platform's switches forbid entries."""
    return switches.flatten or not switches.trading_enabled


def waits_for_proof(switches: Flags | TraderAccount) -> bool:
    """Whether *switches* are thrown and not proved stopped yet."""
    return is_thrown(switches) and not switches.proven_ms


@dataclass(slots=True)
class Stopper:
    """
    One trader's part in every thrown switch. Passes may overlap; the steps of one symbol of an account never do, and
    none of them waits for another's.
    """

    context: TradingContext
    allowed: bool = True
    """False = the environment says that nothing may be traded."""
    everybody: bool = True
    """False = a worker: it stops its own accounts, and another process proves that the platform stopped."""
    flattener: Flattener = field(init=False)
    prover: Prover = field(init=False)
    flags: Flags = field(default_factory=lambda: Flags(trading_enabled=True, flatten=False))
    accounts: list[TraderAccount] = field(default_factory=list)
    empty: dict[Slot, tuple[tuple[int, Decimal], int]] = field(default_factory=dict)
    """
    Symbol of an account → (when its switch was thrown and the quantity its books held, the venue's time at which the
    account held no part of ours there; 0 until the position was read after a sweep).
    """
    _busy: set[Slot] = field(default_factory=set)
    _called: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.flattener, self.prover = Flattener(self.context), Prover(self.context)

    async def obey(self) -> None:
        """Throw the platform's switch if the environment says so and it is not thrown; never take the switch back."""
        flags = await self.context.switches.flags()
        if not self.allowed and flags.trading_enabled:
            off = Flags(trading_enabled=False, flatten=False, why=BY_ENVIRONMENT)
            await self.context.switches.set_flags(off, "environment")
            LOG.alert("stop.by_environment")

    async def run_pass(self) -> None:
        """One pass over every thrown switch; trading that the environment forbids, no switch allows."""
        if not self.allowed:
            await self._alone(NOBODY, self.obey)
        rows = await self._read()
        self.prover.accounts = self.accounts
        self.prover.search(self.flags)
        self.flattener.keep(view.slot for view in on_each_symbol(self.accounts) if self._flattens(view))
        await asyncio.gather(*(self._attend(account, rows) for account in self._stopping(rows)))
        if self.everybody and waits_for_proof(self.flags):
            await self._alone(NOBODY, self._prove_platform)

    async def _read(self) -> Sequence[Order]:
        """Switches and accounts now, and the open rows if any is thrown; with the ledger away the last known ones."""
        try:
            flags, accounts = await self.context.switches.flags(), await self.context.switches.accounts()
            any_thrown = is_thrown(flags) or any(map(is_thrown, accounts))
            rows = await self.context.orders.open_orders() if any_thrown else ()
        except Retry as busy:
            LOG.warning("stop.ledger_down", why=str(busy))
            return ()
        # together or not at all: a platform without its accounts would be proved stopped at once
        self.flags, self.accounts = flags, accounts
        return rows

    def _stopping(self, rows: Iterable[Order]) -> list[TraderAccount]:
        """Accounts under a switch that is not proved, or that have an open row after all."""
        unresolved = {row.account_id for row in rows}
        by_platform, unproved = is_thrown(self.flags), waits_for_proof(self.flags)
        return [
            account
            for account in self.accounts
            if (self.everybody or self.context.part.owns(account.account_id))
            and (by_platform or is_thrown(account))
            and (unproved or waits_for_proof(account) or account.account_id in unresolved or self._is_back(account))
        ]

    def _is_back(self, account: TraderAccount) -> bool:
        """Whether the books hold a position again where everything was closed: a database may have lost commits."""
        held = [view for view in account.views if view.booked_qty]
        return self._flattens(account) and any(self._known(view) is None for view in held)

    def _known(self, account: TraderAccount) -> int | None:
        """
        The venue's time at which the account, as it is now in its symbol, was seen without a part of ours; None =
        never.
        """
        known_for, seen_at = self.empty.get(account.slot, (None, 0))
        return seen_at if known_for == self._as_it_is(account) else None

    def _empty_since(self, account: TraderAccount) -> int:
        """The earliest such time of its symbols; 0 while one of them was never seen so."""
        return min(self._known(view) or 0 for view in account.views)

    def _as_it_is(self, account: TraderAccount) -> tuple[int, Decimal]:
        return self._thrown_ms(account), account.booked_qty

    def _flattens(self, account: TraderAccount) -> bool:
        return self.flags.flatten or account.flatten

    def _thrown_ms(self, account: TraderAccount) -> int:
        """When the newest of the switches that bind *account* was thrown."""
        return max(switches.switched_ms for switches in (self.flags, account) if is_thrown(switches))

    async def _attend(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        await asyncio.gather(*(self._attend_symbol(view, rows) for view in account.views))
        if waits_for_proof(account):
            await self._alone((account.account_id, ""), lambda: self._prove(account))

    async def _attend_symbol(self, view: TraderAccount, rows: Sequence[Order]) -> None:
        mine = [row for row in rows if row.slot == view.slot]
        await self._alone(view.slot, lambda: self._stop(view, mine))

    async def _alone(self, slot: Slot, step: Callable[[], Awaitable[None]]) -> None:
        """
        Run *step* of that symbol of an account ("": of the account itself) unless one is under way; a failure stays its
        own.
        """
        if slot in self._busy:
            return
        self._busy.add(slot)
        try:
            await step()
        except (Retry, Pause) as held:
            LOG.warning("stop.waits", account=slot[0], why=str(held))
        except Exception as bug:  # noqa: BLE001 - one account's bug must never keep another's switch from working
            LOG.error("stop.failed", bug, account=slot[0])
        finally:
            self._busy.discard(slot)

    async def _stop(self, view: TraderAccount, rows: Sequence[Order]) -> None:
        await self.prover.resolve_rows(view, rows)
        if self._flattens(view):
            await self._flatten(view, rows)

    # --- nothing of ours left -------------------------------------------------------------------------------------

    async def _flatten(self, account: TraderAccount, rows: Sequence[Order]) -> None:
        """Close our part; once it is closed, read the position again only where the proof needs that."""
        thrown, known, is_swept = self._thrown_ms(account), self._known(account), False
        if known is not None and not rows:
            if known > thrown + PROOF_MS or not await self._ripe(thrown):
                return
            is_swept = await self.prover.is_swept(account, thrown + PROOF_MS)  # what was lost must be closed too
        found = await self._emptied(account)
        if found is None:  # a part of ours may be there, whatever was seen before: a database may have lost its entry
            self.empty.pop(account.slot, None)
        elif not rows:  # an open row may still fill
            self.empty[account.slot] = self._as_it_is(account), found if is_swept else 0

    async def _emptied(self, account: TraderAccount) -> int | None:
        if (seen_at := await self.flattener.step(account)) is not None:
            return seen_at
        if await self.prover.never_held(account):  # nothing to close: a key that can ask nothing is no matter then
            return await self.prover.time_at(account.venue, past=self._thrown_ms(account) + PROOF_MS)
        return None

    # --- the proof ------------------------------------------------------------------------------------------------

    async def _prove(self, account: TraderAccount) -> None:
        if await self._ripe(account.switched_ms):
            seen_at = await self._seen(account)
            await self._conclude(account.account_id, account, [account], seen_at)

    async def _seen(self, account: TraderAccount) -> int:
        """The venue's time as of which nothing but open rows contradicts that the account is stopped."""
        if account.flatten:
            return self._empty_since(account)
        return await self.prover.seen([account], past=account.switched_ms + PROOF_MS)

    async def _prove_platform(self) -> None:
        if not await self._ripe(self.flags.switched_ms):
            return
        seen = [await self.prover.seen(self.accounts, past=self.flags.switched_ms + PROOF_MS)]
        if self.flags.flatten:
            seen += [self._empty_since(account) for account in self.accounts]
        await self._conclude(0, self.flags, self.accounts, min(seen))

    async def _conclude(
        self, number: int, switches: Flags | TraderAccount, accounts: Sequence[TraderAccount], seen_at: int
    ) -> None:
        if await self.prover.prove(number, switches, accounts, seen_at) is not Proof.PROVED:
            self._late(number, switches.switched_ms)

    def _late(self, number: int, switched_ms: int) -> None:
        """Alert once when a switch thrown a minute ago still waits for its proof."""
        if self.context.clock.now_ms() - switched_ms > LATE_MS and (number, switched_ms) not in self._called:
            self._called.add((number, switched_ms))
            LOG.alert("stop.unproved", account=number, switched_ms=switched_ms)

    async def _ripe(self, switched_ms: int) -> bool:
        """Whether the proof is due by our own clock; waits for that moment when the next pass would be later."""
        left_ms = switched_ms + PROOF_MS - self.context.clock.now_ms()
        if left_ms > PASS_MS:
            return False
        if left_ms >= 0:
            await self.context.clock.sleep((left_ms + 50) / 1000)
        return True
