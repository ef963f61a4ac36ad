"""
Writing plans: the log row and the orders of (account, symbol, T), once; exits beside the plan; sizes; orphans.

The account's row is locked before, so that two traders planning the same T write one set of rows and a retry after an
unknown commit finds what the first try wrote; and so that entries of one account in several symbols, whoever plans
them, are held against its ceiling one after the other.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.ledger.analysis import clamps_json, decision_json
from lib.adapters.sql.ledger.cycles import CycleRow, read_cycle
from lib.adapters.sql.ledger.moving import insert_order, refresh_log, summary_values, transition
from lib.adapters.sql.ledger.rows import (
    Now,
    exclusively,
    insertion,
    lock_account,
    lock_person,
    of,
    order_for_update,
    order_from,
    orders_at,
)
from lib.adapters.sql.ledger.staking import stakes
from lib.adapters.sql.ledger.stop_rows import insert_move
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import orders, trade_logs
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey
from lib.domain.day import utc_day
from lib.domain.decision import Decision
from lib.domain.exchange_records import OrderRecord
from lib.domain.order import Order, OrderState
from lib.domain.order_rules import (
    ADOPTABLE,
    ORPHAN,
    ORPHAN_REASON,
    adopted,
    free_seq,
    moved,
    orphan_order,
    orphan_outcome,
    our_orphan,
    planned_order,
    same_exit,
    sizable,
    sized,
)
from lib.domain.position import ZERO
from lib.domain.risk import AccountPlan, Sizing, fitted
from lib.domain.stakes import beyond

LOG = log.get("ledger")
_LINKS = 500
"""Links asked for in one statement: SQLite may be built to take 999 values."""

_LOG_ID = sa.select(trade_logs.c.id).where(
    trade_logs.c.account_id == sa.bindparam("of_account"),
    trade_logs.c.t_ms == sa.bindparam("at_t"),
    trade_logs.c.symbol == sa.bindparam("of_symbol"),
)
_SET_ACCOUNT = sa.update(accounts).where(accounts.c.id == sa.bindparam("of_account"))
_KNOWN = sa.select(orders.c.order_link_id).where(
    orders.c.account_id == sa.bindparam("of_account"),
    orders.c.order_link_id.in_(sa.bindparam("links", expanding=True)),
    orders.c.state.not_in([state.value for state in ADOPTABLE]),
)

_SENT = sa.select(orders.c.order_link_id).where(
    orders.c.order_link_id.in_(sa.bindparam("links", expanding=True)), orders.c.attempts >= 1
)


def plan(  # noqa: PLR0913
    connection: sa.Connection,
    now: Now,
    installation: str,
    account: TraderAccount,
    key: CycleKey | None,
    t_ms: int,
    made: AccountPlan,
) -> list[Order]:
    """The ledger's `plan`; the rows that stand are those of legs e and x."""
    row = _lock(connection, account)
    if _log_id(connection, account.slot, t_ms) is None:
        at = now(connection)
        if made.ceiling is not None:
            made = fitted(made, stakes(connection, account.account_id, but=account.symbol))
        drafts = [planned_order(installation, account, t_ms, draft, at) for draft in made.orders]
        cycle = read_cycle(connection, key) if key else None
        _insert_log(connection, account, t_ms, made, at, cycle)
        _count_tokens(connection, row, t_ms, cycle)
        for order in drafts:
            insert_order(connection, order)
        if drafts:
            refresh_log(connection, account.slot, t_ms)
        if made.stop:
            insert_move(connection, account.slot, t_ms, made.stop)
    return [order for order in orders_at(connection, account.slot, t_ms) if order.leg in ("e", "x")]


def plan_exit(
    connection: sa.Connection, now: Now, installation: str, account: TraderAccount, t_ms: int, made: AccountPlan
) -> Order:
    """The ledger's `plan_exit`: the first order of *made*; an equal one that was never sent is returned instead."""
    draft = made.orders[0]
    if not draft.reduce_only:
        raise ValueError("only reduce-only orders may stand outside a plan")
    _lock(connection, account)
    same_leg = [row for row in orders_at(connection, account.slot, t_ms) if row.leg == draft.leg]
    if standing := same_exit(same_leg, draft, account.key_version):
        return standing
    at = now(connection)
    order = planned_order(installation, account, t_ms, replace(draft, seq=free_seq(same_leg)), at)
    if _log_id(connection, account.slot, t_ms) is None:
        _insert_log(connection, account, t_ms, made, at, None)
    insert_order(connection, order)
    refresh_log(connection, account.slot, t_ms)
    made_rows = orders_at(connection, account.slot, t_ms)
    return next(row for row in made_rows if row.order_link_id == order.order_link_id)


def size(connection: sa.Connection, now: Now, asked: Order, sizing: Sizing, ref_price: Any) -> bool:
    """The ledger's `size`."""
    lock_person(connection, asked.user_id)
    lock_account(connection, asked.account_id)
    row = order_for_update(connection, asked)
    if not sizable(row, sizing) or not _fits(connection, row, sizing):
        return False
    done = sized(row, sizing, ref_price, now(connection))
    values = {
        name: getattr(done, name)
        for name in ("qty", "leverage", "limit_price", "stop_loss", "take_profit", "ref_price", "updated_ms")
    }
    connection.execute(sa.update(orders).where(orders.c.id == row.id).values(values))
    _add_clamps(connection, row, sizing)
    return True


def _fits(connection: sa.Connection, row: Order, sizing: Sizing) -> bool:
    if sizing.ceiling is None:
        return True
    notional = sizing.qty * max(sizing.limit_price, row.ref_price)
    others = stakes(connection, row.account_id, but=row.symbol)
    return not beyond(sizing.ceiling, others, row.side, notional, notional / max(sizing.leverage, 1))


def _add_clamps(connection: sa.Connection, row: Order, sizing: Sizing) -> None:
    of_t = (trade_logs.c.account_id == row.account_id, trade_logs.c.t_ms == row.t_ms)
    key = (*of_t, trade_logs.c.symbol == row.symbol)
    before = connection.execute(exclusively(sa.select(trade_logs.c.clamps).where(*key))).scalar_one() or []
    fired = [clamp for clamp in clamps_json(sizing.clamps) if clamp not in before]
    if fired:
        connection.execute(sa.update(trade_logs).where(*key).values(clamps=[*before, *fired]))


def known_links(connection: sa.Connection, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
    """The ledger's `known_links`."""
    return set(connection.scalars(_KNOWN, {"of_account": account_id, "links": list(order_link_ids)}))


def sent_links(connection: sa.Connection, order_link_ids: Sequence[str]) -> set[str]:
    """The ledger's `sent_links`."""
    parts = (order_link_ids[at : at + _LINKS] for at in range(0, len(order_link_ids), _LINKS))
    return {link for part in parts for link in connection.scalars(_SENT, {"links": list(part)})}


def adopt(
    connection: sa.Connection, now: Now, installation: str, account: TraderAccount, record: OrderRecord, t_ms: int
) -> bool:
    """The ledger's `adopt`; *t_ms* is the sweep's own T and only named in the process's log."""
    link = our_orphan(installation, account, record)
    if link is None:
        return False
    _lock(connection, account)
    at = now(connection)
    found = exclusively(sa.select(orders).where(orders.c.order_link_id == record.order_link_id))
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        _insert_orphan(connection, account, orphan_order(account, record, link, at), record)
    elif (standing := order_from(row)).state in ADOPTABLE:
        after = moved(adopted(standing, record), OrderState.UNKNOWN, ORPHAN, at)
        transition(connection, standing.state, after, standing.last_code)
    else:
        return False
    # before the commit: one that stands without an answer is alarmed too, if need be twice
    LOG.alert("order.orphan_adopted", order_link_id=record.order_link_id, account=account.account_id, t_ms=t_ms)
    return True


def _insert_orphan(connection: sa.Connection, account: TraderAccount, order: Order, record: OrderRecord) -> None:
    if _log_id(connection, account.slot, order.t_ms) is None:
        made = AccountPlan(orphan_outcome(record), ORPHAN_REASON)
        _insert_log(connection, account, order.t_ms, made, order.created_ms, None)
    insert_order(connection, order)
    refresh_log(connection, account.slot, order.t_ms)


def _lock(connection: sa.Connection, account: TraderAccount) -> sa.RowMapping:
    lock_person(connection, account.user_id)
    return lock_account(connection, account.account_id)


def _count_tokens(connection: sa.Connection, row: sa.RowMapping, t_ms: int, cycle: CycleRow | None) -> None:
    """
    Add the tokens of the answer to the account's UTC day: a running sum, as adding up a day of log rows is too slow.
    """
    if cycle is None or utc_day(t_ms) < row["tokens_day"]:
        return
    before = row["tokens_spent"] if utc_day(t_ms) == row["tokens_day"] else 0
    spent = before + cycle.answer.prompt_tokens + cycle.answer.completion_tokens
    values = {"tokens_day": utc_day(t_ms), "tokens_spent": spent}
    connection.execute(_SET_ACCOUNT, values | {"of_account": row["id"]})


def _log_id(connection: sa.Connection, slot: Slot, t_ms: int) -> int | None:
    return connection.execute(_LOG_ID, of(slot) | {"at_t": t_ms}).scalar_one_or_none()


def _insert_log(
    connection: sa.Connection,
    account: TraderAccount,
    t_ms: int,
    made: AccountPlan,
    at: int,
    cycle: CycleRow | None,
) -> None:
    values = {
        "user_id": account.user_id,
        "account_id": account.account_id,
        "t_ms": t_ms,
        "symbol": account.symbol,
        "executed_at": utc_from_ms(at),
        "planned_outcome": made.outcome,
        "reason": made.reason,
        "clamps": clamps_json(made.clamps),
        "leverage": next((ZERO + draft.leverage for draft in made.orders if not draft.reduce_only), None),
    }
    values |= summary_values(made.outcome, made.reason, []) | _analysis_values(cycle)
    connection.execute(insertion(trade_logs), values)


def _analysis_values(cycle: CycleRow | None) -> dict[str, Any]:
    if cycle is None:
        return {}
    decision = cycle.answer.decision
    values: dict[str, Any] = {"cycle_id": cycle.id, "gpt_analysis": decision_json(decision)}
    if isinstance(decision, Decision):
        values |= {"action": decision.action, "confidence": decision.confidence}
    return values
