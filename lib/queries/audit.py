"""
Whether the history of every order is as it was written: the chains of `order_events`, verified from the first row on.

An edited, a removed or a moved event shows by its hash; one cut off at the end by a state of the order that no event
tells of. A few hundred orders a statement, so that a year of them neither fills memory nor holds anybody up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.tables.trading import order_events, orders
from lib.domain import reason_codes as codes
from lib.domain.audit_chain import OrderEvent, chain_flaw
from lib.domain.reason import NOTHING, Reason

BATCH = 500
_ORDER = (orders.c.id.label("row_id"), orders.c.order_link_id, orders.c.state)
_EVENT = [order_events.c[name] for name in ("at_ms", "from_state", "to_state", "why", "code", "prev_hash", "hash")]


@dataclass(frozen=True, slots=True)
class Broken:
    """An order whose history is not as it was written, and where."""

    order_link_id: str
    problem: Reason


@dataclass(frozen=True, slots=True)
class Audited:
    """A few orders and events that were verified, and which of them are broken."""

    orders: int
    events: int
    broken: tuple[Broken, ...]


def audit(engine: sa.Engine) -> Iterator[Audited]:
    """Verify everything, batch by batch, by id. *Retry* when the database is away."""
    last = 0
    while ids := transact(engine, partial(_next_ids, after=last), readonly=True):
        yield _verified(transact(engine, partial(_histories, ids=ids), readonly=True))
        last = ids[-1]


def _next_ids(connection: sa.Connection, after: int) -> Sequence[int]:
    query = sa.select(orders.c.id).where(orders.c.id > after).order_by(orders.c.id).limit(BATCH)
    return connection.scalars(query).all()


def _histories(connection: sa.Connection, ids: Sequence[int]) -> Sequence[sa.RowMapping]:
    # orders and their events in one statement: an order that moves meanwhile is seen before or after, never between
    query = (
        sa.select(*_ORDER, order_events.c.id.label("event_id"), *_EVENT)
        .outerjoin(order_events, order_events.c.order_id == orders.c.id)
        .where(orders.c.id.between(ids[0], ids[-1]))
        .order_by(orders.c.id, order_events.c.id)
    )
    return connection.execute(query).mappings().all()


def _verified(rows: Sequence[sa.RowMapping]) -> Audited:
    by_order = [list(of_one) for _, of_one in groupby(rows, key=lambda row: row["row_id"])]
    broken = (Broken(of_one[0]["order_link_id"], problem) for of_one in by_order if (problem := _problem(of_one)))
    return Audited(len(by_order), sum(row["event_id"] is not None for row in rows), tuple(broken))


def _problem(rows: Sequence[sa.RowMapping]) -> Reason:
    """What is wrong with one order, whose rows these are; NOTHING when nothing is."""
    if rows[0]["event_id"] is None:
        return codes.CHAIN_NONE()
    link, state = rows[0]["order_link_id"], rows[0]["state"]
    if problem := chain_flaw((_event(row, link), row["hash"]) for row in rows):
        return problem
    told = rows[-1]["to_state"]
    return NOTHING if told == state else codes.CHAIN_ENDS_ELSEWHERE(state=state, told=told)


def _event(row: sa.RowMapping, link: str) -> OrderEvent:
    return OrderEvent(link, row["at_ms"], row["from_state"], row["to_state"], row["why"], row["code"], row["prev_hash"])
