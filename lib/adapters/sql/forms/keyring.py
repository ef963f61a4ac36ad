"""
The sealed keys of people's accounts over SQL: `lib.ports.people.Keyring`.

An account keeps its row, books and history for ever; its keys come and go as versions, of which the newest one is in
use and every other is wiped. The person's row is locked first, then the account's, as everywhere.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import insert_account, living_user, retire, retire_others
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import doubts_text, exclusively
from lib.adapters.sql.ledger.switches import columns_of, stop_of, thrown
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, symbols, users
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import ActiveAccount, NewAccount
from lib.domain.errors import Retry
from lib.domain.reason import NOTHING
from lib.domain.switches import OPERATOR, Flags, after_throw
from lib.domain.trail import Note
from lib.ports.people import AccountTaken, Keyring, StoppedByOperator

T = TypeVar("T")


class SqlKeyring(Keyring):
    """`lib.ports.people.Keyring`; *clock* dates revoked keys."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return transact(self._engine, work)

    def active(self, user_id: int) -> ActiveAccount | None:
        return transact(self._engine, lambda c: _active(c, user_id), readonly=True)

    def next_version(self, user_id: int, venue: Venue, feed: str, uid: str) -> int:
        query = sa.select(accounts.c.key_version).where(
            accounts.c.venue == venue, accounts.c.feed == feed, accounts.c.uid == uid, accounts.c.user_id == user_id
        )
        known = transact(self._engine, lambda c: c.execute(query).scalar_one_or_none(), readonly=True)
        return 1 if known is None else int(known) + 1

    def traded(self, user_id: int, venue: Venue, feed: str, uid: str) -> tuple[str, ...]:
        whose = (accounts.c.venue == venue, accounts.c.feed == feed, accounts.c.uid == uid)
        query = (
            sa.select(symbols.c.symbol)
            .select_from(accounts)
            .join(account_symbols, account_symbols.c.account_id == accounts.c.id)
            .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
            .where(*whose, accounts.c.user_id == user_id, account_symbols.c.traded)
            .order_by(symbols.c.symbol_no)
        )
        return tuple(transact(self._engine, lambda c: c.execute(query).scalars().all(), readonly=True))

    def own_uid(self, user_id: int, account_id: int, venue: Venue, feed: str) -> str | None:
        query = sa.select(accounts.c.user_id, accounts.c.uid).where(
            accounts.c.id == account_id, accounts.c.venue == venue, accounts.c.feed == feed
        )
        found = transact(self._engine, lambda c: c.execute(query).one_or_none(), readonly=True)
        if found is not None and found.user_id != user_id:
            raise AccountTaken("this exchange account is registered already")
        return None if found is None else str(found.uid)

    def put(self, new: NewAccount, note: Note | None = None) -> int:
        def put(connection: sa.Connection) -> int:
            account_id = _put(connection, new, self._clock.now_ms())
            record(connection, note)
            return account_id

        return self._write(put)

    def remove(self, user_id: int, note: Note | None = None) -> bool:
        return self._write(lambda c: _remove(c, user_id, self._clock.now_ms(), note))

    def set_trading(self, user_id: int, on: bool, note: Note | None = None) -> bool:
        return self._write(lambda c: _throw(c, user_id, Flags(on, flatten=False), self._clock, note))

    def flatten(self, user_id: int, note: Note | None = None) -> bool:
        close = Flags(trading_enabled=False, flatten=True, why=codes.CLOSED_BY_OWNER())
        return self._write(lambda c: _throw(c, user_id, close, self._clock, note))


def _active(connection: sa.Connection, user_id: int) -> ActiveAccount | None:
    of_key = (credentials.c.account_id == accounts.c.id) & (credentials.c.key_version == accounts.c.key_version)
    query = (
        sa.select(
            accounts.c.id.label("account_id"),
            accounts.c.venue,
            accounts.c.feed,
            accounts.c.uid,
            symbols.c.symbol,
            accounts.c.key_version,
            accounts.c.trading_enabled,
            credentials.c.revoked_at.is_(None).label("has_key"),
        )
        .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
        .join(credentials, of_key)
        .where(accounts.c.user_id == user_id, accounts.c.active)
    )
    row = connection.execute(query).mappings().first()
    return ActiveAccount(**{**row, "has_key": bool(row["has_key"])}) if row else None


def _put(connection: sa.Connection, new: NewAccount, now_ms: int) -> int:
    living_user(connection, new.user_id)
    found = sa.select(accounts).where(
        accounts.c.venue == new.venue, accounts.c.feed == new.feed, accounts.c.uid == new.uid
    )
    row = connection.execute(exclusively(found)).mappings().one_or_none()
    if row is None:
        _auto_trade_off(connection, new.user_id)
        return insert_account(connection, new)
    if row["user_id"] != new.user_id:
        raise AccountTaken("this exchange account is registered already")
    return _rekey(connection, row, new, now_ms)


def _rekey(connection: sa.Connection, row: sa.RowMapping, new: NewAccount, now_ms: int) -> int:
    if new.key_version != row["key_version"] + 1:
        raise Retry(codes.ANOTHER_KEY_CAME())
    if not row["active"]:
        retire_others(connection, new.user_id)
        _auto_trade_off(connection, new.user_id)
    account_id = int(row["id"])
    _wipe(connection, account_id, now_ms)
    key = {"account_id": account_id, "key_version": new.key_version, "sealed": new.sealed_key, "last4": new.key_last4}
    connection.execute(sa.insert(credentials).values(key))
    # no switch is taken back here: whether owner or operator paused the account, resuming is an act of its own
    values: dict[str, object] = {"key_version": new.key_version, "active": True} | thrown(accounts, now_ms)
    values["doubts"] = doubts_text(new.doubts)
    if row["trading_enabled"]:
        values["pause_reason"] = NOTHING
    connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values))
    return account_id


def _auto_trade_off(connection: sa.Connection, user_id: int) -> None:
    # auto-trading that was switched on for one account must not begin on another
    connection.execute(sa.update(users).where(users.c.id == user_id).values(auto_trade_enabled=False))


def _wipe(connection: sa.Connection, account_id: int, now_ms: int) -> None:
    standing = (credentials.c.account_id == account_id, credentials.c.revoked_at.is_(None))
    connection.execute(sa.update(credentials).where(*standing).values(sealed="", revoked_at=utc_from_ms(now_ms)))


def _remove(connection: sa.Connection, user_id: int, now_ms: int, note: Note | None) -> bool:
    row = _own_account(connection, user_id)
    if row is None:
        return False
    retire(connection, row)
    _auto_trade_off(connection, user_id)
    _wipe(connection, int(row["id"]), now_ms)
    record(connection, note)
    return True


def _own_account(connection: sa.Connection, user_id: int) -> sa.RowMapping | None:
    """The person's active account, locked after their own row."""
    living_user(connection, user_id)
    mine = exclusively(sa.select(accounts).where(accounts.c.user_id == user_id, accounts.c.active))
    return connection.execute(mine).mappings().one_or_none()


def _throw(connection: sa.Connection, user_id: int, flags: Flags, clock: Clock, note: Note | None) -> bool:
    """
    Throw *flags* on the person's own account; what changes nothing is neither dated nor noted. Switching on is the
    explicit act that ends a close (L3) too; pausing leaves one going on.
    """
    row = _own_account(connection, user_id)
    if row is None:
        return False
    now = stop_of(row)
    if flags.trading_enabled and now.paused_by == OPERATOR:
        raise StoppedByOperator("an operator stopped this account")
    left = after_throw(now, flags, f"user:{user_id}")
    values = columns_of(left)
    if (left.trading_enabled, left.flatten) != (now.trading_enabled, now.flatten):
        values |= thrown(accounts, clock.now_ms())
        record(connection, note)
    connection.execute(sa.update(accounts).where(accounts.c.id == row["id"]).values(values))
    return True
