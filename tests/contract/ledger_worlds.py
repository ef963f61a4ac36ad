"""
The worlds the ledger's contract runs in: in memory, on a SQLite file, on a real MariaDB.

A world is a ledger with its people, a clock that moves when told, and what a test must see or do beside the port: the
log row a person reads, an order's events, the outbox, a second ledger on the same rows, a commit that fails.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import event

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.score_book import SqlScoreBook
from lib.adapters.sql.forms.stretches import SqlStretches
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.rows import read_orders
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, outbox, users
from lib.adapters.sql.tables.trading import order_events, orders, trade_logs
from lib.clock import SteppedClock
from lib.domain.audit_chain import OrderEvent
from lib.domain.reason import Reason
from lib.domain.switches import Flags
from lib.domain.trail import Note, TrailEvent
from lib.ports.ledger import Ledger
from lib.ports.people import Accounts
from lib.ports.scores import ScoreBook
from lib.ports.workers import WorkerLeases
from tests.factories import SYMBOL
from tests.fakes.accounts import AS_PLANNED
from tests.fakes.ledger import MemoryLedger
from tests.fakes.scores import MemoryScoreBook, answers_of

INSTALLATION = "t3st"
LONG_AGO = 0


@dataclass(frozen=True, slots=True)
class LogSeen:
    """What a log row says."""

    status: str
    outcome: str
    message: Reason
    planned: str
    reason: Reason
    order_id: str
    clamps: tuple[str, ...]
    action: str


class People(Accounts, Protocol):
    """`Accounts` and the switches beside it."""

    def set_flags(self, flags: Flags, changed_by: str) -> None: ...

    def set_account_flags(self, account_id: int, flags: Flags) -> None: ...


class DividedLedger(Ledger, WorkerLeases, Protocol):
    """A ledger whose accounts may be divided."""


class World(Protocol):
    clock: SteppedClock

    @property
    def ledger(self) -> DividedLedger: ...

    @property
    def people(self) -> People: ...

    @property
    def scores(self) -> ScoreBook: ...

    def another(self) -> DividedLedger:
        """A second ledger on the same rows."""
        ...

    def delete_user(self, user_id: int, at_ms: int = LONG_AGO) -> None: ...

    def replace_key(self, account_id: int) -> None: ...

    def demo_without(self, user_id: int, at_ms: int) -> bool:
        """The person does without evidence in demo trading from then on."""
        ...

    def log(self, account_id: int, t_ms: int, symbol: str = SYMBOL) -> LogSeen: ...

    def events(self, order_link_id: str) -> list[tuple[OrderEvent, str]]: ...

    def liquidation(self, account_id: int) -> Decimal | None:
        """What is kept of where the venue would liquidate the account's position."""
        ...

    def outbox(self) -> list[tuple[int, Reason]]:
        """What owners were told of trouble."""
        ...

    def told(self) -> list[tuple[int, str, Reason]]:
        """Everything anybody was told of: account (0 = the platform), kind, why."""
        ...

    def fail_next_commit(self, *, applied: bool) -> None: ...


class MemoryWorld:
    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.ledger = MemoryLedger(clock, INSTALLATION)
        self.people = self.ledger.people
        self.scores = MemoryScoreBook(lambda: answers_of(self.ledger.store))

    def another(self) -> DividedLedger:
        return MemoryLedger(self.clock, INSTALLATION, self.ledger.store)

    def delete_user(self, user_id: int, at_ms: int = LONG_AGO) -> None:
        rows = self.ledger.store.users
        rows[user_id] = replace(rows[user_id], deleted=True, deleted_ms=at_ms)

    def replace_key(self, account_id: int) -> None:
        rows = self.ledger.store.accounts
        rows[account_id] = replace(rows[account_id], key_version=rows[account_id].key_version + 1)

    def demo_without(self, user_id: int, at_ms: int) -> bool:
        rows = self.ledger.store.accounts.items()
        self.ledger.store.demo_without |= {n for n, row in rows if row.user_id == user_id and row.active}
        return True

    def log(self, account_id: int, t_ms: int, symbol: str = SYMBOL) -> LogSeen:
        row = self.ledger.store.logs[account_id, symbol, t_ms]
        action = getattr(row.answer.decision, "action", "") if row.answer else ""
        said, clamps = row.summary, tuple(clamp.name for clamp in row.clamps)
        return LogSeen(said.status, said.outcome, said.message, row.planned, row.reason, row.order_id, clamps, action)

    def events(self, order_link_id: str) -> list[tuple[OrderEvent, str]]:
        store = self.ledger.store
        return list(store.events[store.by_link[order_link_id]])

    def liquidation(self, account_id: int) -> Decimal | None:
        return self.ledger.store.accounts[account_id].symbols[SYMBOL].liquidation

    def outbox(self) -> list[tuple[int, Reason]]:
        return list(self.ledger.store.outbox)

    def told(self) -> list[tuple[int, str, Reason]]:
        return [(number, event.kind.value, event.why) for number, event in self.ledger.store.events_told]

    def fail_next_commit(self, *, applied: bool) -> None:
        self.ledger.commit_unknown = "applied" if applied else "lost"


class SqlWorld:
    def __init__(self, engine: sa.Engine, clock: SteppedClock) -> None:
        self.clock = clock
        self.engine = engine
        self.people = SqlAccounts(engine, clock)
        self.scores = SqlScoreBook(engine)
        self.ledger = SqlLedger(engine, installation=INSTALLATION, clock=clock)
        self._ledgers = [self.ledger]

    def close(self) -> None:
        for ledger in self._ledgers:
            ledger.close()

    def another(self) -> DividedLedger:
        self._ledgers.append(SqlLedger(self.engine, installation=INSTALLATION, clock=self.clock))
        return self._ledgers[-1]

    def delete_user(self, user_id: int, at_ms: int = LONG_AGO) -> None:
        gone = sa.update(users).where(users.c.id == user_id).values(deleted_at=utc_from_ms(at_ms))
        with self.engine.begin() as connection:
            connection.execute(gone)

    def replace_key(self, account_id: int) -> None:
        with self.engine.begin() as connection:
            mine = accounts.c.id == account_id
            version = connection.execute(sa.select(accounts.c.key_version).where(mine)).scalar_one() + 1
            connection.execute(sa.update(accounts).where(mine).values(key_version=version))
            key = {"account_id": account_id, "key_version": version, "sealed": "sealed again", "last4": "5678"}
            connection.execute(sa.insert(credentials).values(key))

    def demo_without(self, user_id: int, at_ms: int) -> bool:
        return SqlStretches(self.engine).demo_without(Note(user_id, at_ms, TrailEvent.DEMO_OVERRIDDEN))

    def log(self, account_id: int, t_ms: int, symbol: str = SYMBOL) -> LogSeen:
        of_t = (trade_logs.c.account_id == account_id, trade_logs.c.t_ms == t_ms)
        query = sa.select(trade_logs).where(*of_t, trade_logs.c.symbol == symbol)
        with self.engine.begin() as connection:
            row = connection.execute(query).mappings().one()
        return LogSeen(
            row["status"],
            row["outcome"],
            row["error_message"],
            row["planned_outcome"],
            row["reason"],
            row["order_id"] or "",
            tuple(clamp["name"] for clamp in row["clamps"]),
            row["action"] or "",
        )

    def events(self, order_link_id: str) -> list[tuple[OrderEvent, str]]:
        with self.engine.begin() as connection:
            order = read_orders(connection, orders.c.order_link_id == order_link_id)[0]
            query = sa.select(order_events).where(order_events.c.order_id == order.id).order_by(order_events.c.id)
            rows = connection.execute(query).mappings().all()
        return [
            (
                OrderEvent(
                    order_link_id,
                    row["at_ms"],
                    row["from_state"],
                    row["to_state"],
                    row["why"],
                    row["code"],
                    row["prev_hash"],
                ),
                row["hash"],
            )
            for row in rows
        ]

    def liquidation(self, account_id: int) -> Decimal | None:
        with self.engine.begin() as connection:
            kept = connection.execute(
                sa.select(account_symbols.c.liquidation).where(account_symbols.c.account_id == account_id)
            )
            price: Decimal | None = kept.scalar_one()
        return price

    def outbox(self) -> list[tuple[int, Reason]]:
        with self.engine.begin() as connection:
            rows = connection.execute(
                sa.select(outbox.c.account_id, outbox.c.body)
                .where(outbox.c.kind.not_in([kind.value for kind in AS_PLANNED]))
                .order_by(outbox.c.id)
            ).all()
        return [(account_id, body) for account_id, body in rows]

    def told(self) -> list[tuple[int, str, Reason]]:
        with self.engine.begin() as connection:
            rows = connection.execute(sa.select(outbox).order_by(outbox.c.id)).mappings().all()
        return [(row["account_id"] or 0, row["kind"], row["body"]) for row in rows]

    def fail_next_commit(self, *, applied: bool) -> None:
        def fail(connection: sa.Connection) -> None:
            # the hook runs just before the driver's COMMIT: done here, the commit took effect and the answer is lost
            event.remove(self.engine, "commit", fail)
            raw = connection.connection.dbapi_connection
            assert raw is not None
            if applied:
                connection.exec_driver_sql("COMMIT")
            raise sa.exc.OperationalError("COMMIT", {}, ConnectionError("lost"), connection_invalidated=True)

        event.listen(self.engine, "commit", fail)


def wipe(engine: sa.Engine) -> None:
    """Empty every table, the two single rows as the migration made them."""
    with engine.begin() as connection:
        for table in _filled(connection):
            connection.execute(sa.delete(table))
        connection.exec_driver_sql("INSERT INTO system_flags (id) VALUES (1)")
        connection.exec_driver_sql("INSERT INTO trader_lease (id) VALUES (1)")


_CHILDREN_FIRST = tuple(reversed(metadata.sorted_tables))
_HAS_ROWS = sa.select(*(sa.exists().select_from(table).label(table.name) for table in _CHILDREN_FIRST))


def _filled(connection: sa.Connection) -> list[sa.Table]:
    """Tables with a row: a test fills few, and one question costs less than a delete of each."""
    has_rows = connection.execute(_HAS_ROWS).one()
    return [table for table, is_filled in zip(_CHILDREN_FIRST, has_rows, strict=True) if is_filled]
