"""
The rows of a world, in memory or in SQLite, seen from outside: what the people change and what the referee reads.

A cabinet never fails, takes no time and is not asked by any trader; those talk to its *ledger* through their ports.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.rows import read_orders
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, symbols, system_flags, users
from lib.adapters.sql.tables.trading import equity_points, order_events, orders
from lib.clock import Clock
from lib.domain.audit_chain import OrderEvent
from lib.domain.order import Order
from lib.domain.switches import Flags
from lib.ports.people import Accounts
from tests.fakes.ledger import MemoryLedger


class People(Accounts, Protocol):
    """`Accounts` and the switches beside it."""

    def set_flags(self, flags: Flags, changed_by: str) -> None: ...

    def set_account_flags(self, account_id: int, flags: Flags) -> None: ...


@dataclass(frozen=True, slots=True)
class Switches:
    """Everything that may keep an entry of one account from being sent."""

    platform: Flags
    account: Flags
    auto_trade: bool
    deleted: bool
    key_version: int
    settings_version: int

    @property
    def off(self) -> str:
        """Which switch is off, "" when none."""
        states = (
            (not self.platform.trading_enabled, "kill switch"),
            (self.platform.flatten, "flatten of all"),
            (not self.account.trading_enabled, "account paused"),
            (self.account.flatten, "flatten of the account"),
            (not self.auto_trade, "auto-trade off"),
            (self.deleted, "deleted"),
        )
        return next((name for is_off, name in states if is_off), "")


class Cabinet(Protocol):
    @property
    def ledger(self) -> Any: ...

    @property
    def people(self) -> People: ...

    def rows(self) -> list[Order]: ...

    def row(self, order_link_id: str) -> Order | None: ...

    def events(self, order: Order) -> list[tuple[OrderEvent, str]]: ...

    def switches(self, account_id: int) -> Switches: ...

    def traded(self, account_id: int) -> frozenset[str]:
        """The symbols that the account may enter."""
        ...

    def difference(self, account_id: int, t_ms: int) -> Decimal | None:
        """What the cycle of T found between wallet and books; None when it wrote nothing."""
        ...

    def delete_user(self, user_id: int) -> None: ...

    def replace_key(self, account_id: int, sealed: str) -> None: ...

    def snapshot(self) -> Callable[[], None]:
        """What brings everything back to how it is now."""
        ...

    def close(self) -> None: ...


class MemoryCabinet:
    """Rows in dicts."""

    def __init__(self, clock: Clock, installation: str) -> None:
        self._clock = clock
        self.ledger = MemoryLedger(clock, installation)

    @property
    def people(self) -> People:
        return self.ledger.people

    def rows(self) -> list[Order]:
        return list(self.ledger.store.orders.values())

    def row(self, order_link_id: str) -> Order | None:
        store = self.ledger.store
        return store.orders.get(store.by_link.get(order_link_id, 0))

    def events(self, order: Order) -> list[tuple[OrderEvent, str]]:
        return list(self.ledger.store.events[order.id])

    def switches(self, account_id: int) -> Switches:
        store = self.ledger.store
        account = store.accounts[account_id]
        user = store.users[account.user_id]
        own = Flags(account.trading_enabled, account.flatten)
        gone = user.deleted or not account.active
        return Switches(store.flags, own, user.auto_trade, gone, account.key_version, user.settings_version)

    def traded(self, account_id: int) -> frozenset[str]:
        rows = self.ledger.store.accounts[account_id].symbols
        return frozenset(symbol for symbol, row in rows.items() if row.traded)

    def difference(self, account_id: int, t_ms: int) -> Decimal | None:
        point = self.ledger.store.equity.get((account_id, t_ms))
        return point.difference if point else None

    def delete_user(self, user_id: int) -> None:
        rows = self.ledger.store.users
        rows[user_id] = replace(rows[user_id], deleted=True, deleted_ms=self._clock.now_ms())

    def replace_key(self, account_id: int, sealed: str) -> None:
        rows = self.ledger.store.accounts
        row = rows[account_id]
        rows[account_id] = replace(row, key_version=row.key_version + 1, sealed_key=sealed)

    def snapshot(self) -> Callable[[], None]:
        taken = self.ledger.snapshot()
        return lambda: self.ledger.rollback(taken)

    def close(self) -> None:
        """Nothing is open."""


class SqliteCabinet:
    """Rows in a SQLite database in memory, over the real SQL."""

    def __init__(self, clock: Clock, installation: str) -> None:
        self._clock = clock
        self._engine = sa.create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
        sa.event.listen(self._engine, "connect", _plain)
        sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with self._engine.begin() as connection:
            self._restore(connection, _empty())
        self.ledger = SqlLedger(self._engine, installation=installation, clock=clock)
        self.people: People = SqlAccounts(self._engine)

    def _restore(self, connection: sa.Connection, image: bytes) -> None:
        connection.exec_driver_sql("COMMIT")
        _raw(connection).deserialize(image)
        connection.exec_driver_sql("BEGIN")

    def rows(self) -> list[Order]:
        with self._engine.begin() as connection:
            return read_orders(connection)

    def row(self, order_link_id: str) -> Order | None:
        with self._engine.begin() as connection:
            found = read_orders(connection, orders.c.order_link_id == order_link_id)
        return found[0] if found else None

    def events(self, order: Order) -> list[tuple[OrderEvent, str]]:
        query = sa.select(order_events).where(order_events.c.order_id == order.id).order_by(order_events.c.id)
        with self._engine.begin() as connection:
            rows = connection.execute(query).mappings().all()
        return [(_event(order.order_link_id, row), row["hash"]) for row in rows]

    def switches(self, account_id: int) -> Switches:
        columns = (
            *(accounts.c.trading_enabled, accounts.c.flatten, accounts.c.active, accounts.c.key_version),
            *(users.c.auto_trade_enabled, users.c.deleted_at, users.c.settings_version),
        )
        query = sa.select(*columns).join(users, users.c.id == accounts.c.user_id).where(accounts.c.id == account_id)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().one()
            flags = connection.execute(sa.select(system_flags)).mappings().one()
        platform = Flags(flags["trading_enabled"], flags["flatten"])
        own, gone = Flags(row["trading_enabled"], row["flatten"]), row["deleted_at"] is not None or not row["active"]
        return Switches(platform, own, row["auto_trade_enabled"], gone, row["key_version"], row["settings_version"])

    def traded(self, account_id: int) -> frozenset[str]:
        mine = (account_symbols.c.account_id == account_id, account_symbols.c.traded)
        query = sa.select(symbols.c.symbol).join(account_symbols, account_symbols.c.symbol_no == symbols.c.symbol_no)
        with self._engine.begin() as connection:
            return frozenset(connection.scalars(query.where(*mine)))

    def difference(self, account_id: int, t_ms: int) -> Decimal | None:
        where = (equity_points.c.account_id == account_id, equity_points.c.t_ms == t_ms)
        with self._engine.begin() as connection:
            return connection.execute(sa.select(equity_points.c.difference).where(*where)).scalar_one_or_none()

    def delete_user(self, user_id: int) -> None:
        gone = sa.update(users).where(users.c.id == user_id).values(deleted_at=utc_from_ms(self._clock.now_ms()))
        with self._engine.begin() as connection:
            connection.execute(gone)

    def replace_key(self, account_id: int, sealed: str) -> None:
        mine = accounts.c.id == account_id
        with self._engine.begin() as connection:
            version = connection.execute(sa.select(accounts.c.key_version).where(mine)).scalar_one() + 1
            connection.execute(sa.update(accounts).where(mine).values(key_version=version))
            key = {"account_id": account_id, "key_version": version, "sealed": sealed, "last4": "5678"}
            connection.execute(sa.insert(credentials).values(key))

    def snapshot(self) -> Callable[[], None]:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            image: bytes = _raw(connection).serialize()

        def back() -> None:
            with self._engine.begin() as connection:
                self._restore(connection, image)

        return back

    def close(self) -> None:
        self.ledger.close()
        self._engine.dispose()


_image: list[bytes] = []


def _empty() -> bytes:
    """An empty database with the whole schema, made once a process."""
    if not _image:
        engine = sa.create_engine("sqlite://", poolclass=StaticPool)
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO system_flags (id) VALUES (1)")
            connection.exec_driver_sql("INSERT INTO trader_lease (id) VALUES (1)")
        with engine.connect() as connection:
            _image.append(_raw(connection).serialize())
        engine.dispose()
    return _image[0]


def _raw(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def _plain(connection: Any, record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON").close()


def _event(link: str, row: Any) -> OrderEvent:
    return OrderEvent(link, row["at_ms"], row["from_state"], row["to_state"], row["why"], row["code"], row["prev_hash"])
