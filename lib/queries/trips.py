"""
The round trips of a person's account, rebuilt from its executions.

A walk that was made is kept, and goes on where it stopped: executions are only ever added, in the order they are
booked. Should the newest one known not be there any more (a database put back), the walk begins anew.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import read_charges
from lib.adapters.sql.tables.trading import fills, orders, trade_logs
from lib.domain.round_trips import Execution, Intent, Trips, Walk
from lib.queries.own import own_account
from lib.queries.reading import Reading

MOST_KEPT = 16
"""Accounts whose walk is kept; a year of one takes a few megabytes."""
_BOOKED = ("at_ms", "symbol", "side", "qty", "price", "fee", "realised", "kind", "is_stop")
_INTENT = ("leg", "t_ms", "leverage", "stop_loss", "take_profit")
_COLUMNS: list[sa.ColumnElement[Any]] = [
    fills.c.id,
    fills.c.exec_id,
    fills.c.charges,
    *(fills.c[name] for name in _BOOKED),
    *(orders.c[name] for name in _INTENT),
    trade_logs.c.id.label("log_id"),
    trade_logs.c.confidence,
]
_OF_CYCLE = (
    (trade_logs.c.account_id == fills.c.account_id)
    & (trade_logs.c.t_ms == orders.c.t_ms)
    & (trade_logs.c.symbol == orders.c.symbol)
)
_EXECUTIONS = (
    sa.select(*_COLUMNS)
    .outerjoin(orders, orders.c.id == fills.c.order_id)
    .outerjoin(trade_logs, _OF_CYCLE)
    .where(fills.c.account_id == sa.bindparam("of_account"), fills.c.id >= sa.bindparam("known"))
    .order_by(fills.c.id)
)


@dataclass(slots=True)
class _Kept:
    """A walk, and the execution it has come to; one thread at a time goes on with it."""

    walk: Walk = field(default_factory=Walk)
    newest: tuple[int, str] = (0, "")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def go_on(self, connection: sa.Connection, account_id: int) -> Trips:
        found = _read(connection, account_id, self.newest[0])
        if self.newest[0] and not (found and (found[0].id, found[0].exec_id) == self.newest):
            self.walk, self.newest = Walk(), (0, "")
            found = _read(connection, account_id, 0)
        for row in found[1 if self.newest[0] else 0 :]:
            self.walk.take(_execution(row))
            self.newest = (row.id, row.exec_id)
        return self.walk.found()


class Walks:
    """The walks of the accounts that were asked for last; used from any thread."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def trips(self, connection: sa.Connection, account_id: int) -> Trips:
        """The account's round trips as of now."""
        kept = self._of(account_id)
        with kept.lock:
            try:
                return kept.go_on(connection, account_id)
            except BaseException:
                # half a step is no place to go on from
                kept.walk, kept.newest = Walk(), (0, "")
                raise

    def _of(self, account_id: int) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(account_id, _Kept())
            self._kept.move_to_end(account_id)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return kept


class TripReadings(Reading):
    """Of one account of one person."""

    def __init__(self, *stores: Any, **more: Any) -> None:
        super().__init__(*stores, **more)
        self._walks = Walks()

    def trips(self, user_id: int, account_id: int | None = None) -> Trips:
        """Every round trip of the person's account *account_id* (None: the one in use); none of another's."""

        def read(connection: sa.Connection) -> Trips:
            mine = own_account(connection, user_id, account_id)
            return self._walks.trips(connection, mine.id) if mine else Trips()

        return self._read(read)


def _read(connection: sa.Connection, account_id: int, known: int) -> "list[sa.Row[Any]]":
    return list(connection.execute(_EXECUTIONS, {"of_account": account_id, "known": known}).all())


def _execution(row: "sa.Row[Any]") -> Execution:
    intent = None
    if row.leg is not None:
        carried = (row.leverage, row.stop_loss, row.take_profit)
        intent = Intent(row.leg, row.t_ms, *carried, log_id=row.log_id, confidence=row.confidence)
    booked = (row.at_ms, row.symbol, row.side, row.qty, row.price, row.fee, row.realised, row.kind, row.is_stop)
    return Execution(row.id, *booked, order=intent, charges=read_charges(row.charges))
