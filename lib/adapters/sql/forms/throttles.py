"""
Tallies of tries over SQL: `lib.ports.people.Throttles`.

A try is counted in the same transaction that allows it, under the row's lock, so a hundred parallel tries are counted
one after another. A try that comes too early is refused by a plain read: a flood of refused tries holds no lock that an
order waits for. The arithmetic is `lib.domain.pace`.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.ledger.rows import exclusively, insert_once
from lib.adapters.sql.tables.people import throttles
from lib.domain.pace import Pace, Tally
from lib.ports.people import Throttles


class SqlThrottles(Throttles):
    """`lib.ports.people.Throttles`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def attempt(self, key: str, pace: Pace, now_ms: int) -> int:
        seen = transact(self._engine, lambda c: _read(c, _of(key)), readonly=True)
        if seen is not None and (wait_ms := seen.wait_ms(pace, now_ms)):
            return wait_ms
        return transact(self._engine, lambda c: _attempt(c, key, pace, now_ms))

    def forgive(self, key: str, pace: Pace, now_ms: int) -> None:
        transact(self._engine, lambda c: _forgive(c, key, pace, now_ms))

    def drop_older(self, before_ms: int) -> int:
        return transact(self._engine, counted(sa.delete(throttles).where(throttles.c.at_ms < before_ms)))


def _attempt(connection: sa.Connection, key: str, pace: Pace, now_ms: int) -> int:
    tally = _locked(connection, key)
    if tally is None:
        insert_once(connection, throttles, {"tally_key": key, "weight": 0.0, "at_ms": now_ms})
        tally = _locked(connection, key) or Tally()
    wait = tally.wait_ms(pace, now_ms)
    if wait == 0:
        _write(connection, key, tally.tried(pace, now_ms))
    return wait


def _forgive(connection: sa.Connection, key: str, pace: Pace, now_ms: int) -> None:
    if (tally := _locked(connection, key)) is not None:
        _write(connection, key, tally.forgiven(pace, now_ms))


def _locked(connection: sa.Connection, key: str) -> Tally | None:
    return _read(connection, exclusively(_of(key)))


def _of(key: str) -> sa.Select[Any]:
    return sa.select(throttles.c.weight, throttles.c.at_ms).where(throttles.c.tally_key == key)


def _read(connection: sa.Connection, query: sa.Select[Any]) -> Tally | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else Tally(row[0], row[1])


def _write(connection: sa.Connection, key: str, tally: Tally) -> None:
    mine = throttles.c.tally_key == key
    connection.execute(sa.update(throttles).where(mine).values(weight=tally.weight, at_ms=tally.at_ms))
