"""
The guardian: no position of ours without a stop.

An independent task that re-reads every account with a position from the exchange; a missing stop is put back, and when
the venue refuses it the position is closed reduce-only. Repairing needs no row, so it works while the database is down;
closing needs one. It never opens anything and never touches a position that is not ours.
"""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from lib import log
from lib.domain.errors import Pause, Retry
from lib.domain.order import Order, OrderState
from lib.domain.position import ZERO, Position
from lib.domain.risk import AccountPlan, exit_draft
from lib.ports import Exchange, TraderAccount
from lib.trading.books import import_fills, newest_entry, own_quantity
from lib.trading.desk import Desk, boundary
from lib.trading.execution import Errand, run_order

LOG = log.get("trading.guardian")
REPAIR_TRIES = 3
EXTERNAL_MS = 86_400_000
"""How long entries stay locked once another hand was found in a position of ours."""


@dataclass(slots=True)
class Guardian:
    """
    A pass looks at every account that may hold something of ours, the first one at every account there is: what a
    killed process left unbooked is nowhere else to be seen. *accounts* and *stops* outlive a database outage, so a
    repair needs no database.
    """

    desk: Desk
    accounts: list[TraderAccount] = field(default_factory=list)
    stops: dict[int, tuple[str, Decimal, Decimal]] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)
    """Accounts looked at since the process began."""
    busy: set[int] = field(default_factory=set)
    """Accounts a pass is looking at right now; another pass leaves them to it."""
    repaired: int = 0
    closed: int = 0

    async def run_pass(self) -> int:
        """Look at every account that may hold something of ours, all in parallel; how many positions are open."""
        unsettled: set[int] = set()
        try:
            self.accounts = await self.desk.ledger.accounts()
            unsettled = {order.account_id for order in await self.desk.ledger.open_orders()}
        except Retry as busy:
            LOG.error("guardian.ledger_down", why=str(busy))
        maybe = unsettled | self.desk.unbooked | self.stops.keys()
        holders = [
            account
            for account in self.accounts
            if account.booked_qty or account.account_id in maybe or account.account_id not in self.met
            if account.account_id not in self.busy
        ]
        return sum(await asyncio.gather(*(self._watch(account) for account in holders)))

    async def _watch(self, account: TraderAccount) -> bool:
        with log.bind(account=account.account_id):
            self.busy.add(account.account_id)
            try:
                is_open = await self._look(account)
                self.met.add(account.account_id)
                return is_open
            except Pause as held:
                self.met.add(account.account_id)  # nothing can be seen until its owner has acted
                LOG.warning("guardian.unread", why=str(held))
            except Retry as held:
                LOG.warning("guardian.unread", why=str(held))
            except Exception as bug:  # noqa: BLE001 - one account's bug must never leave another unguarded
                LOG.error("guardian.failed", bug)
            finally:
                self.busy.discard(account.account_id)
            return False

    async def _look(self, account: TraderAccount) -> bool:
        exchange = self.desk.exchanges.open(account)
        position = await exchange.position(account.symbol)
        if position.is_flat:
            self.stops.pop(account.account_id, None)
            await import_fills(self.desk, account, exchange)
            return False
        is_known = self.stops.get(account.account_id, ("",))[0] == position.direction
        is_safe = position.stop_loss > 0
        if not (is_known and is_safe) and not await self._is_ours(account, exchange, position):
            return False
        if is_safe:
            self.stops[account.account_id] = (position.direction, position.stop_loss, position.take_profit)
            return True
        await self._restore(account, exchange, position)
        return True

    async def _is_ours(self, account: TraderAccount, exchange: Exchange, position: Position) -> bool:
        try:
            own = await own_quantity(self.desk, account, exchange)
        except Retry:
            # the database is down: what was ours a moment ago is
            return self.stops.get(account.account_id, ("",))[0] == position.direction
        if own == 0:
            self.stops.pop(account.account_id, None)
        return own != 0 and (own > 0) == (position.qty > 0)

    async def _restore(self, account: TraderAccount, exchange: Exchange, position: Position) -> None:
        LOG.error("guardian.naked", symbol=account.symbol, qty=str(position.qty))
        if (wanted := await self._wanted_stop(account, position)) is not None:
            for _ in range(REPAIR_TRIES):
                if await self._repair(account, exchange, wanted):
                    return
        await self._close(account, exchange)

    async def _wanted_stop(self, account: TraderAccount, position: Position) -> tuple[Decimal, Decimal] | None:
        known = self.stops.get(account.account_id)
        if known is not None and known[0] == position.direction:
            return known[1], known[2]
        entry = await newest_entry(self.desk, account.account_id)
        if entry is None or entry.stop_loss == 0 or (entry.side == "buy") != (position.qty > 0):
            return None
        return entry.stop_loss, entry.take_profit

    async def _repair(self, account: TraderAccount, exchange: Exchange, wanted: tuple[Decimal, Decimal]) -> bool:
        try:
            await exchange.set_trading_stop(account.symbol, *wanted)
            seen = await exchange.position(account.symbol)
        except Retry as busy:
            LOG.warning("guardian.repair_failed", why=str(busy))
            return False
        if seen.is_flat or seen.stop_loss > 0:
            self.repaired += 1
            LOG.warning("guardian.repaired", stop=str(seen.stop_loss))
            return True
        return False

    async def _close(self, account: TraderAccount, exchange: Exchange) -> None:
        """Close at most our own quantity, sized from a position read in this task."""
        own = await own_quantity(self.desk, account, exchange)
        position = await exchange.position(account.symbol)
        qty = min(abs(position.qty), abs(own)) if (own > 0) == (position.qty > 0) else ZERO
        if qty == 0:
            return
        if qty < abs(position.qty):
            until = await self.desk.ledger.now() + EXTERNAL_MS
            await self.desk.ledger.lock(account.account_id, "external", until, "another hand is in this position")
        ticker = await self.desk.market.ticker(account.venue, account.symbol)
        instrument = await self.desk.market.instrument(account.venue, account.symbol)
        draft = exit_draft(position, ticker.last, leg="g", qty=qty)
        order = await self._plan_close(account, AccountPlan("closed", "the stop was lost and refused", (draft,)))
        done = await run_order(self.desk, Errand(account, exchange, instrument), order)
        self.closed += done.state is OrderState.FILLED
        await import_fills(self.desk, account, exchange)
        LOG.error("guardian.closed", link=done.order_link_id, state=done.state.value)

    async def _plan_close(self, account: TraderAccount, plan: AccountPlan) -> Order:
        return await self.desk.ledger.plan_exit(account, boundary(await self.desk.ledger.now()), plan)
