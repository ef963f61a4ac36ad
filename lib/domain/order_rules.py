"""
The rules about orders that every ledger follows, whatever stores its rows: pure.

The claim's ruling, a person's log from its orders, the row of an orphan order, which rows leave an account unresolved.
SQL and in-memory ledgers call these functions, so that one ledger cannot drift from the other.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.books import EquityPoint
from lib.domain.errors import Skip
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.exit_rules import NO_RULES
from lib.domain.order import (
    IN_FLIGHT,
    Claim,
    ClaimFacts,
    LinkId,
    Order,
    OrderDraft,
    OrderState,
    claim_entry,
    claim_exit,
    may_move,
    order_link_id,
    parse_link_id,
)
from lib.domain.reason import Reason
from lib.domain.risk import Outcome, Sizing
from lib.domain.trade_log import Leg, Summary, summarise

MAX_SEQ = 35
"""The greatest seq an order_link_id can hold."""
ADOPTABLE = frozenset({OrderState.PLANNED, OrderState.EXPIRED, OrderState.BLOCKED, OrderState.ABSENT})
"""States that say an order is not at the exchange: an order found there overturns them."""
LATE_FILL_MS = 3_600_000
"""An execution may be listed this long after a newer one."""
LEFT_MS = 3_600_000
"""How long a deleted account is still guarded: a database may have lost the order that was just sent for it."""
ORPHAN = codes.ORPHAN_ADOPTED()
ORPHAN_REASON = codes.ORPHAN_FOUND()


def is_unbooked(row: Order, booked_links: Collection[str], last_fill_ms: int) -> bool:
    """
    Whether *row* filled and none of its executions is in the books yet; *last_fill_ms* is the time of the newest booked
    execution in its symbol.

    Executions are looked for no longer than `LATE_FILL_MS` before the newest booked one.
    """
    is_young = row.t_ms >= last_fill_ms - LATE_FILL_MS
    return row.filled_qty != 0 and is_young and row.order_link_id not in booked_links


def books_differ(point: EquityPoint) -> Reason:
    """What the owner is told about a difference."""
    return codes.BOOKS_DIFFER(difference=point.difference)


def rule_claim(row: Order, asked: Order, signed: SignedOrder, facts: ClaimFacts) -> Claim:
    """The claim of *row* for bytes made from *asked*; bytes that differ from the row are never sent."""
    if signed.order_link_id != row.order_link_id:
        raise ValueError(f"bytes of {signed.order_link_id} claim {row.order_link_id}")
    if row.state is OrderState.PLANNED and (row.qty is None or _terms(row) != _terms(asked)):
        return Claim(False, OrderState.PLANNED, codes.TERMS_CHANGED())
    if row.reduce_only:
        return claim_exit(row, now=facts.now, key_version=facts.key_version, signed_ts=signed.signed_ts)
    return claim_entry(row, facts, signed.signed_ts)


def _terms(order: Order) -> tuple[object, ...]:
    return (
        order.side,
        order.qty,
        order.limit_price,
        order.stop_loss,
        order.take_profit,
        order.leverage,
        order.reduce_only,
    )


def claimed(row: Order, claim: Claim, signed: SignedOrder, epoch: int, now: int) -> Order:
    """*row* after a claim was granted."""
    return replace(
        row,
        state=claim.state,
        why=claim.why,
        signed_ts=signed.signed_ts,
        body_sha256=signed.body_sha256,
        attempts=row.attempts + 1,
        epoch=epoch,
        updated_ms=now,
    )


def check_move(asked: Order, after: OrderState) -> None:
    """ValueError for a move the machine never allows: the caller's mistake, not a lost race."""
    if not may_move(asked.state, after, asked.attempts):
        raise ValueError(f"{asked.order_link_id}: {asked.state} may not become {after}")


def still_movable(row: Order, asked: Order, after: OrderState) -> bool:
    """
    Whether *row* is where *asked* saw it, by state and sends.

    A row sent again since may be in the same state: an answer about the earlier bytes says nothing of the later ones.
    """
    is_same = row.state is asked.state and row.attempts == asked.attempts
    return is_same and may_move(row.state, after, row.attempts)


def moved(row: Order, after: OrderState, why: Reason, now: int) -> Order:
    """*row* in its new state."""
    return replace(row, state=after, why=why, updated_ms=now)


def with_verdict(row: Order, verdict: Verdict) -> Order:
    """*row* with the sums a query found; the row's state moves with the transition."""
    return replace(
        row,
        exchange_order_id=verdict.exchange_order_id or row.exchange_order_id,
        filled_qty=verdict.filled_qty,
        avg_price=verdict.avg_price,
        fee=verdict.fee,
    )


def planned_order(installation: str, account: TraderAccount, t_ms: int, draft: OrderDraft, now: int) -> Order:
    """*draft* as a PLANNED row without an id yet."""
    return Order(
        id=0,
        account_id=account.account_id,
        user_id=account.user_id,
        uid=account.uid,
        venue=account.venue,
        symbol=account.symbol,
        t_ms=t_ms,
        leg=draft.leg,
        seq=draft.seq,
        order_link_id=order_link_id(installation, t_ms, account.symbol_no, account.account_id, draft.leg, draft.seq),
        state=OrderState.PLANNED,
        side=draft.side,
        qty=draft.qty,
        limit_price=draft.limit_price,
        ref_price=draft.ref_price,
        stop_loss=draft.stop_loss,
        take_profit=draft.take_profit,
        leverage=draft.leverage,
        reduce_only=draft.reduce_only,
        key_version=account.key_version,
        settings_version=account.settings_version,
        why=codes.PLANNED(),
        created_ms=now,
        updated_ms=now,
        exits=NO_RULES if draft.reduce_only else account.settings.exits,
    )


def free_seq(same_leg: Sequence[Order]) -> int:
    """The next seq after those of *same_leg*; *Skip* when a T has used up its 36."""
    seq = max((row.seq for row in same_leg), default=-1) + 1
    if seq > MAX_SEQ:
        raise Skip(codes.TOO_MANY_EXITS())
    return seq


def sizable(row: Order, sizing: Sizing) -> bool:
    """Whether *row* is an entry that was never sent and still may be sent; ValueError for a quantity of 0."""
    if sizing.qty <= 0:
        raise ValueError("an entry is sized to something, or not sent")
    return row.is_entry and row.state is OrderState.PLANNED and row.attempts == 0


def sized(row: Order, sizing: Sizing, ref_price: Decimal, now: int) -> Order:
    """*row* with the size and prices of *sizing*."""
    return replace(
        row,
        qty=sizing.qty,
        leverage=sizing.leverage,
        limit_price=sizing.limit_price,
        stop_loss=sizing.stop_loss,
        take_profit=sizing.take_profit,
        ref_price=ref_price,
        updated_ms=now,
    )


def same_exit(rows: Iterable[Order], draft: OrderDraft, key_version: int) -> Order | None:
    """The unsent exit among *rows* that equals *draft*: a repeated `plan_exit` finds it."""
    for row in rows:
        unsent = row.state is OrderState.PLANNED and row.attempts == 0 and row.key_version == key_version
        if unsent and (row.leg, row.side, row.qty) == (draft.leg, draft.side, draft.qty):
            return row
    return None


def our_orphan(installation: str, account: TraderAccount, record: OrderRecord) -> LinkId | None:
    """The record's link id as read when the order is this account's and this installation's, or None."""
    link = parse_link_id(record.order_link_id)
    if link is None or link.installation != installation:
        return None
    ours = link.account_id == account.account_id and link.symbol_no == account.symbol_no
    return link if ours and record.symbol == account.symbol else None


def orphan_order(account: TraderAccount, record: OrderRecord, link: LinkId, now: int) -> Order:
    """The row of an orphan order: UNKNOWN, sent once, signed when the exchange says the order was made."""
    return Order(
        id=0,
        account_id=account.account_id,
        user_id=account.user_id,
        uid=account.uid,
        venue=account.venue,
        symbol=account.symbol,
        t_ms=link.t_ms,
        leg=link.leg,
        seq=link.seq,
        order_link_id=record.order_link_id,
        state=OrderState.UNKNOWN,
        side=record.side,
        qty=record.qty,
        limit_price=Decimal(0),
        ref_price=record.avg_price,
        stop_loss=Decimal(0),
        take_profit=Decimal(0),
        leverage=1,
        reduce_only=record.reduce_only,
        key_version=account.key_version,
        settings_version=account.settings_version,
        attempts=1,
        signed_ts=record.created_ms,
        why=ORPHAN,
        created_ms=now,
        updated_ms=now,
    )


def adopted(row: Order, record: OrderRecord) -> Order:
    """*row* as sent after all; the row's state moves with the transition."""
    return replace(row, attempts=max(1, row.attempts), signed_ts=max(row.signed_ts, record.created_ms))


def orphan_outcome(record: OrderRecord) -> Outcome:
    """The planned outcome in the log of an orphan order that filled."""
    if record.reduce_only:
        return "closed"
    return "bought" if record.side == "buy" else "sold"


def log_summary(planned: Outcome, reason: Reason, rows: Sequence[Order]) -> Summary:
    """The log of (account, T) from its orders, by id."""
    return summarise(planned, reason, [Leg(row.reduce_only, row.state, row.filled_qty, row.why) for row in rows])


def shown_order_id(rows: Sequence[Order]) -> str:
    """The exchange's id a log row shows: the entry's, else an exit's, else ""."""
    entries_first = sorted(rows, key=lambda row: row.reduce_only)
    return next((row.exchange_order_id for row in entries_first if row.exchange_order_id), "")


def is_unresolved(row: Order, symbol: str, t_ms: int) -> bool:
    """
    Whether *row* stands in the way of a new entry of its account in *symbol* at *t_ms*.

    Another symbol's row does so only once it waits for a person: until then what it may become is a stake.
    """
    if row.symbol != symbol:
        return row.state is OrderState.NEEDS_HUMAN
    if row.state is OrderState.PLANNED:
        return row.t_ms < t_ms
    return row.state in IN_FLIGHT or row.state is OrderState.NEEDS_HUMAN
