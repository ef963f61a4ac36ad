"""
Operators' acts over SQL, both halves: the web stores and ends its own, the trader takes what waits for it.

The role is looked up in the transaction that stores an act, and once more in the one that takes it: a role that was
taken in between asks for nothing any more. Times are the callers', so that a stepped clock rules here too.
"""

import asyncio

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.operators import has_role
from lib.adapters.sql.ledger.rows import exclusively
from lib.adapters.sql.tables.operating import operator_acts
from lib.adapters.sql.tables.people import accounts
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.operator_act import FOR_THE_TRADER, NewAct, OperatorAct
from lib.domain.reason import Reason
from lib.ports.operators import NoOperator, NoSuchSubject, OperatorActs, RequestedActs

BATCH = 20
LOST_MS = 180_000
"""An act taken this long ago and not done was cut off."""
_WAITS = (
    operator_acts.c.kind.in_(sorted(FOR_THE_TRADER)),
    operator_acts.c.done_ms == 0,
    operator_acts.c.user_id.is_not(None),  # a terminal does its own
)


class SqlOperatorActs(OperatorActs):
    """`lib.ports.operators.OperatorActs`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, act: NewAct) -> int:
        return transact(self._engine, lambda c: _begin(c, act))

    def end(self, act_id: int, result: Reason) -> None:
        transact(self._engine, lambda c: end_act(c, act_id, result, self._clock.now_ms()))


class SqlRequestedActs(RequestedActs):
    """`lib.ports.operators.RequestedActs`; each call in a thread of its own."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def waiting(self) -> bool:
        query = sa.select(operator_acts.c.id).where(*_WAITS).limit(1)
        return await asyncio.to_thread(
            transact, self._engine, lambda c: c.execute(query).first() is not None, readonly=True
        )

    async def take(self, now_ms: int) -> list[OperatorAct]:
        return await asyncio.to_thread(transact, self._engine, lambda c: _take(c, now_ms))

    async def done(self, act_id: int, result: Reason) -> None:
        now_ms = self._clock.now_ms()
        await asyncio.to_thread(transact, self._engine, lambda c: end_act(c, act_id, result, now_ms))


def _begin(connection: sa.Connection, act: NewAct) -> int:
    if not has_role(connection, act.user_id):
        raise NoOperator("the person is no operator")
    return insert_act(connection, act)


def insert_act(connection: sa.Connection, act: NewAct) -> int:
    """The row of *act*, whoever does it; its id."""
    known = sa.select(accounts.c.id).where(accounts.c.id == act.account_id)
    if act.account_id and connection.execute(known).first() is None:
        raise NoSuchSubject("there is no such account")
    values = {
        "user_id": act.user_id or None,
        "who": act.who[:255],
        "kind": act.kind,
        "account_id": act.account_id or None,
        "args": dict(act.args),
        "origin": act.origin[:45],
        "asked_ms": act.asked_ms,
    }
    made = connection.execute(sa.insert(operator_acts).values(values))
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else 0


def end_act(connection: sa.Connection, act_id: int, result: Reason, now_ms: int) -> None:
    mine = (operator_acts.c.id == act_id, operator_acts.c.done_ms == 0)
    connection.execute(sa.update(operator_acts).where(*mine).values(done_ms=now_ms, result=result))


def _take(connection: sa.Connection, now_ms: int) -> list[OperatorAct]:
    cut_off = (*_WAITS, operator_acts.c.taken_ms > 0, operator_acts.c.taken_ms < now_ms - LOST_MS)
    ended = {"done_ms": now_ms, "result": codes.COMMAND_INTERRUPTED()}
    connection.execute(sa.update(operator_acts).where(*cut_off).values(ended))
    waiting = sa.select(operator_acts).where(*_WAITS, operator_acts.c.taken_ms == 0).order_by(operator_acts.c.id)
    rows = connection.execute(exclusively(waiting.limit(BATCH))).mappings().all()
    taken = []
    for row in rows:
        if has_role(connection, row["user_id"]):
            taken.append(_act(row))
        else:
            end_act(connection, row["id"], codes.OPERATOR_NO_MORE(), now_ms)
    ids = [act.id for act in taken]
    connection.execute(sa.update(operator_acts).where(operator_acts.c.id.in_(ids)).values(taken_ms=now_ms))
    return taken


def _act(row: sa.RowMapping) -> OperatorAct:
    args = {str(name): str(value) for name, value in (row["args"] or {}).items()}
    return OperatorAct(row["id"], row["user_id"], row["kind"], row["account_id"] or 0, args, row["asked_ms"])
