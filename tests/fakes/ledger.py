"""
The ledger in memory: the same contract and the same rules as over SQL, no threads, fast.

For simulations: `commit_unknown` makes the next write raise *Retry* after it took effect ("applied") or without effect
("lost"); `snapshot` and `rollback` lose acknowledged commits, as a failed-over database may. Each method yields to the
loop before and after its step, so that other tasks meet it where they would meet a real transaction.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lib.adapters.sql.ledger.claiming import exit_facts
from lib.clock import Clock
from lib.domain import locks, order_rules
from lib.domain import reason_codes as codes
from lib.domain.account import Slot
from lib.domain.account_records import AccountSymbol, TraderAccount
from lib.domain.analyst_call import SHADOW, AnalystAnswer, CycleKey, CycleRecord
from lib.domain.audit_chain import GENESIS, OrderEvent
from lib.domain.day import utc_day
from lib.domain.decision import Decision
from lib.domain.errors import Retry
from lib.domain.events import of_order
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.gates import kinds_of
from lib.domain.opinions import Opinion
from lib.domain.order import TERMINAL, Claim, ClaimFacts, Order, OrderState, link_prefix
from lib.domain.position import ZERO
from lib.domain.real_money import real_money_refusal
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import AccountPlan, Sizing, fitted
from lib.domain.stakes import beyond
from lib.domain.stored_reason import stored
from lib.domain.venues import CAPABILITIES, feed_fits, pool_of
from lib.domain.worker import LeaseHeld, is_owner
from lib.ports.ledger import Ledger
from tests.fakes.accounts import AccountRow, LeaseRow, LogRow, Store, UserRow
from tests.fakes.dividing import MemoryLeases
from tests.fakes.stops import MemoryStops


class MemoryLedger(MemoryLeases, MemoryStops, Ledger):
    """`lib.ports.ledger.Ledger` over a *Store*; people are added through `people`."""

    def __init__(self, clock: Clock, installation: str, store: Store | None = None) -> None:
        link_prefix(installation)
        super().__init__(clock, store or Store())
        self._installation = installation
        self._read: dict[int, tuple[AccountRow, UserRow, TraderAccount]] = {}

    def snapshot(self) -> Store:
        """Everything as it is now, for `rollback`."""
        return self.store.copy()

    def rollback(self, to: Store) -> None:
        """Forget every commit since *to* was taken."""
        self.store = to.copy()

    # --- lease, switches, people -----------------------------------------------------------------------------------

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        return await self._commit(lambda: self._hold_lease(holder, ttl_ms))

    def _hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        lease, at = self.store.lease, self._clock.now_ms()
        ours = lease.holder == holder
        if lease.holder and not ours and lease.expires_ms > at:
            return None
        epoch = lease.epoch if ours else lease.epoch + 1
        self.store.lease = LeaseRow(holder, epoch, at + ttl_ms)
        return epoch

    async def release_lease(self, holder: str) -> None:
        def release() -> None:
            if self.store.lease.holder == holder:
                self.store.lease = replace(self.store.lease, holder="", expires_ms=0)

        await self._commit(release)

    async def accounts(self) -> list[TraderAccount]:
        rows = self.store.accounts.items()
        return [self._account(number, row) for number, row in rows if row.active and self._to_guard(number, row)]

    def _listed(self, account_id: int, row: AccountRow) -> tuple[AccountSymbol, ...]:
        """The symbols to trade or to guard, by number."""
        since = self._clock.now_ms() - order_rules.LEFT_MS
        own = sorted(row.symbols.items(), key=lambda item: item[1].symbol_no)
        return tuple(
            AccountSymbol(symbol, one.symbol_no, one.qty, one.traded)
            for symbol, one in own
            if one.traded or one.changed_ms >= since or self.store.is_used((account_id, symbol))
        )

    def _to_guard(self, account_id: int, row: AccountRow) -> bool:
        user = self.store.users[row.user_id]
        if not user.deleted or user.deleted_ms >= self._clock.now_ms() - order_rules.LEFT_MS:
            return True
        return self.store.in_use(account_id)

    def _account(self, account_id: int, row: AccountRow) -> TraderAccount:
        user = self.store.users[row.user_id]
        known = self._read.get(account_id)
        if known is None or known[0] is not row or known[1] is not user or len(row.symbols) > 1:
            known = self._read[account_id] = row, user, self._joined(account_id, row, user)
        return known[2]

    def _joined(self, account_id: int, row: AccountRow, user: UserRow) -> TraderAccount:
        symbols = self._listed(account_id, row)
        first = next((one for one in symbols if one.symbol == row.symbol), symbols[0])
        return TraderAccount(
            account_id=account_id,
            user_id=row.user_id,
            venue=row.venue,
            feed=row.feed,
            uid=row.uid,
            symbol=first.symbol,
            symbol_no=first.symbol_no,
            settings=user.settings,
            key_version=row.key_version,
            settings_version=user.settings_version,
            sealed_key=row.sealed_key,
            auto_trade=user.auto_trade and not user.deleted,
            auto_since=user.auto_since,
            trading_enabled=row.trading_enabled,
            booked_qty=first.booked_qty,
            traded=first.traded,
            symbols=symbols,
            flatten=row.flatten,
            switched_ms=row.switched_ms,
            proven_ms=row.proven_ms,
            paused_by=row.paused_by,
            is_guest=user.is_guest,
            language=user.locale,
            doubts=row.doubts,
        )

    # --- cycles ----------------------------------------------------------------------------------------------------

    async def cycle(self, key: CycleKey) -> AnalystAnswer | None:
        return self.store.cycles.get(key)

    async def record_cycle(self, record: CycleRecord) -> AnalystAnswer:
        def record_once() -> AnalystAnswer:
            self.store.asked_for.setdefault(record.key, record.asked_for)
            self.store.records.setdefault(record.key, record)
            for seq, call in enumerate(record.calls):
                self.store.calls.setdefault((record.key, record.asker, seq), (call, record.people))
            return self.store.cycles.setdefault(record.key, record.answer)

        return await self._commit(record_once)

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        called = ((key, call) for (key, *_), (call, _) in self.store.calls.items() if not self._is_shadow(key))
        day = [call for key, call in called if utc_day(key.t_ms) == utc_day(t_ms)]
        costs = (call.answer.cost for call in day if (call.owner_id, call.name) == (owner_id, name))
        return sum((cost for cost in costs if cost is not None), ZERO)

    def _is_shadow(self, key: CycleKey) -> bool:
        return self.store.asked_for.get(key) == SHADOW

    async def opinions(self, feed: str, symbol: str, asked_sha256: str, before_ms: int) -> list[Opinion]:
        found: dict[int, Opinion] = {}
        for key, record in self.store.records.items():
            view = record.answer.decision
            asked = (key.feed, key.symbol, record.asked_sha256) == (feed, symbol, asked_sha256)
            if asked and key.t_ms < before_ms and isinstance(view, Decision) and view.action in ("buy", "sell"):
                view_of = Opinion(key.t_ms, view.action, view.confidence, view.stop_loss, view.take_profit)
                found.setdefault(key.t_ms, view_of)
        return [found[t_ms] for t_ms in sorted(found, reverse=True)]

    async def person_spent(self, user_id: int, t_ms: int) -> Decimal:
        mine = {number for number, row in self.store.accounts.items() if row.user_id == user_id}
        found = self.store.decided_by.items()
        keys = {key for (number, _, at), key in found if number in mine and utc_day(at) == utc_day(t_ms)}
        shared = [(call, people) for (key, *_), (call, people) in self.store.calls.items() if key in keys]
        parts = (call.answer.cost / people for call, people in shared if not call.owner_id and call.answer.cost)
        return sum(parts, ZERO)

    # --- plans -----------------------------------------------------------------------------------------------------

    async def plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        return await self._commit(lambda: self._plan(account, key, t_ms, plan))

    def _plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        if (*account.slot, t_ms) not in self.store.logs:
            at = self._clock.now_ms()
            plan = fitted(plan, self._stakes(account.account_id, but=account.symbol))
            drafts = [order_rules.planned_order(self._installation, account, t_ms, draft, at) for draft in plan.orders]
            answer = self.store.cycles.get(key) if key else None
            self._insert_log(account.slot, t_ms, plan, answer)
            if key:
                self.store.decided_by[(*account.slot, t_ms)] = key
            for order in drafts:
                self._insert(order)
            if plan.stop:
                self._insert_move(account, t_ms, plan.stop)
        return [order for order in self._at(account.slot, t_ms) if order.leg in ("e", "x")]

    async def plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        return await self._commit(lambda: self._plan_exit(account, t_ms, plan))

    def _plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        draft = plan.orders[0]
        if not draft.reduce_only:
            raise ValueError("only reduce-only orders may stand outside a plan")
        same_leg = [order for order in self._at(account.slot, t_ms) if order.leg == draft.leg]
        if standing := order_rules.same_exit(same_leg, draft, account.key_version):
            return standing
        numbered = replace(draft, seq=order_rules.free_seq(same_leg))
        order = order_rules.planned_order(self._installation, account, t_ms, numbered, self._clock.now_ms())
        self._insert_log(account.slot, t_ms, plan, None)
        return self._insert(order)

    def _insert_log(self, slot: Slot, t_ms: int, plan: AccountPlan, answer: AnalystAnswer | None) -> None:
        summary = order_rules.log_summary(plan.outcome, plan.reason, [])
        row = LogRow(plan.outcome, plan.reason, summary, plan.clamps, answer)
        self.store.logs.setdefault((*slot, t_ms), row)

    def _insert(self, draft: Order) -> Order:
        order = replace(draft, id=len(self.store.orders) + 1)
        self.store.orders[order.id] = order
        self.store.by_link[order.order_link_id] = order.id
        event = OrderEvent(order.order_link_id, order.created_ms, "", order.state.value, stored(order.why), 0, GENESIS)
        self.store.events[order.id] = ((event, event.hash),)
        self._refresh_log(order.slot, order.t_ms)
        return order

    def _row(self, asked: Order) -> Order:
        row = self.store.orders.get(asked.id)
        if row is None or row.order_link_id != asked.order_link_id:
            raise Retry(codes.ORDER_ROW_LOST(link=asked.order_link_id))
        return row

    async def size(self, order: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        return await self._commit(lambda: self._size(order, sizing, ref_price))

    def _size(self, asked: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        row = self._row(asked)
        if not order_rules.sizable(row, sizing) or not self._fits(row, sizing):
            return False
        self.store.orders[row.id] = order_rules.sized(row, sizing, ref_price, self._clock.now_ms())
        log = self.store.logs[(*row.slot, row.t_ms)]
        fired = tuple(clamp for clamp in sizing.clamps if clamp not in log.clamps)
        self.store.logs[(*row.slot, row.t_ms)] = replace(log, clamps=log.clamps + fired)
        return True

    def _fits(self, row: Order, sizing: Sizing) -> bool:
        if sizing.ceiling is None:
            return True
        notional, others = (
            sizing.qty * max(sizing.limit_price, row.ref_price),
            self._stakes(row.account_id, but=row.symbol),
        )
        return not beyond(sizing.ceiling, others, row.side, notional, notional / max(sizing.leverage, 1))

    async def sent_links(self, order_link_ids: Sequence[str]) -> set[str]:
        rows = (self._by_link(link) for link in order_link_ids)
        return {row.order_link_id for row in rows if row is not None and row.attempts}

    async def known_links(self, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
        rows = (self._by_link(link) for link in order_link_ids)
        left = (row for row in rows if row is not None and row.state not in order_rules.ADOPTABLE)
        return {row.order_link_id for row in left if row.account_id == account_id}

    async def adopt(self, account: TraderAccount, record: OrderRecord, t_ms: int) -> bool:
        return await self._commit(lambda: self._adopt(account, record))

    def _adopt(self, account: TraderAccount, record: OrderRecord) -> bool:
        link = order_rules.our_orphan(self._installation, account, record)
        if link is None:
            return False
        at = self._clock.now_ms()
        row = self._by_link(record.order_link_id)
        if row is None:
            found = AccountPlan(order_rules.orphan_outcome(record), order_rules.ORPHAN_REASON)
            self._insert_log(account.slot, link.t_ms, found, None)
            self._insert(order_rules.orphan_order(account, record, link, at))
            return True
        if row.state not in order_rules.ADOPTABLE:
            return False
        after = order_rules.moved(order_rules.adopted(row, record), OrderState.UNKNOWN, order_rules.ORPHAN, at)
        self._transition(row, after, row.last_code)
        return True

    # --- moves -----------------------------------------------------------------------------------------------------

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        return await self._commit(lambda: self._claim(order, signed, holder))

    def _claim(self, asked: Order, signed: SignedOrder, holder: str) -> Claim:
        row, at = self._row(asked), self._clock.now_ms()
        facts = self._claim_facts(asked, holder, at)
        ruling = order_rules.rule_claim(row, asked, signed, facts)
        if ruling.granted:
            epoch = 0 if asked.reduce_only else self.store.lease.epoch
            self._transition(row, order_rules.claimed(row, ruling, signed, epoch, at), row.last_code)
        elif ruling.state is not row.state:
            self._transition(row, order_rules.moved(row, ruling.state, ruling.why, at), row.last_code)
        return ruling

    def _claim_facts(self, asked: Order, holder: str, at: int) -> ClaimFacts:
        account = self.store.accounts[asked.account_id]
        if asked.reduce_only:
            return exit_facts(at, account.key_version)
        user, lease, flags = self.store.users[account.user_id], self.store.lease, self.store.flags
        return ClaimFacts(
            now=at,
            trading_enabled=flags.trading_enabled and account.trading_enabled,
            flatten=flags.flatten or account.flatten,
            lease_ours=is_owner(
                holder,
                at,
                self.store.leases.get(asked.account_id),
                LeaseHeld(lease.holder, lease.epoch, lease.expires_ms),
            ),
            auto_trade=user.auto_trade,
            deleted=user.deleted or not account.active,
            feed_fits=feed_fits(account.feed, account.venue),
            key_version=account.key_version,
            settings_version=user.settings_version,
            locks=locks.claim_locks(
                kinds_of(pool_of(account.venue), self._kinds(0, at)), self._kinds(asked.account_id, at)
            ),
            real_money=self._real_money(asked, at),
            traded=asked.symbol in account.symbols and account.symbols[asked.symbol].traded,
        )

    def _real_money(self, asked: Order, at: int) -> Reason:
        if not CAPABILITIES[self.store.accounts[asked.account_id].venue].has_real_money:
            return NOTHING
        notional = (asked.qty or ZERO) * max(asked.limit_price, asked.ref_price)
        key = self.store.decided_by.get((*asked.slot, asked.t_ms))
        answered = self.store.cycles[key].model if key else ""
        facts = self._real_facts(asked.account_id, at)
        return real_money_refusal(replace(facts, notional=notional, answered=answered))

    async def move(self, order: Order, after: OrderState, why: Reason, code: int = 0) -> Order | None:
        return await self._commit(lambda: self._move(order, order, after, why, code))

    async def close_order(self, order: Order, verdict: Verdict) -> Order | None:
        def close() -> Order | None:
            row = order_rules.with_verdict(self._row(order), verdict)
            return self._move(order, row, verdict.state, verdict.why, row.last_code)

        return await self._commit(close)

    def _move(self, asked: Order, filled: Order, after: OrderState, why: Reason, code: int) -> Order | None:
        order_rules.check_move(asked, after)
        row = self._row(asked)
        if not order_rules.still_movable(row, asked, after):
            return None
        base = row if filled is asked else filled
        return self._transition(row, order_rules.moved(base, after, why, self._clock.now_ms()), code)

    def _transition(self, row: Order, after: Order, code: int) -> Order:
        self.store.orders[row.id] = replace(after, last_code=code)
        chain = self.store.events[row.id]
        event = OrderEvent(
            row.order_link_id,
            after.updated_ms,
            row.state.value,
            after.state.value,
            stored(after.why),
            code,
            chain[-1][1],
        )
        self.store.events[row.id] = (*chain, (event, event.hash))
        if told := of_order(after):
            self.tell(row.account_id, told)
        self._refresh_log(row.slot, row.t_ms)
        return self.store.orders[row.id]

    def _refresh_log(self, slot: Slot, t_ms: int) -> None:
        log, rows = self.store.logs[(*slot, t_ms)], self._at(slot, t_ms)
        summary = order_rules.log_summary(log.planned, log.reason, rows)
        self.store.logs[(*slot, t_ms)] = replace(log, summary=summary, order_id=order_rules.shown_order_id(rows))

    def _at(self, slot: Slot, t_ms: int) -> list[Order]:
        return [order for order in self.store.of_slot(slot) if order.t_ms == t_ms]

    async def open_orders(self, account_id: int = 0) -> list[Order]:
        rows = self.store.of_account(account_id) if account_id else self.store.orders.values()
        return [order for order in rows if order.state not in TERMINAL]

    async def order_by_link(self, order_link_id: str) -> Order | None:
        return self._by_link(order_link_id)

    def _by_link(self, order_link_id: str) -> Order | None:
        return self.store.orders.get(self.store.by_link.get(order_link_id, 0))

    async def last_entry(self, slot: Slot) -> Order | None:
        return self._last_entry(slot)
