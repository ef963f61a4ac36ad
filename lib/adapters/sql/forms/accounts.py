"""
People and their accounts over SQL, synchronous: forms, set-up, the demo. `lib.ports.people.Accounts`, and the switches.

One transaction a method. A person has one active account; another may only replace it once it has no open order and no
position, because only an active account is reconciled.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.strategies import keep_running
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger import switches
from lib.adapters.sql.ledger.analysis import limits_json
from lib.adapters.sql.ledger.demo_step import demo_facts, waiting_account
from lib.adapters.sql.ledger.keeping import symbol_number
from lib.adapters.sql.ledger.roster import in_use
from lib.adapters.sql.ledger.rows import Now, doubts_text, exclusively, ledger_clock, settings_from, symbol_rows
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, users
from lib.clock import Clock
from lib.domain.account import AccountSettings
from lib.domain.account_records import NewAccount
from lib.domain.demo_step import demo_refusal
from lib.domain.exit_rules import rules_text
from lib.domain.input_blocks import inputs_text
from lib.domain.spelling import normal_email
from lib.domain.switches import OPERATOR, Flags
from lib.domain.trail import Note
from lib.ports.people import AccountInUse, Accounts, AccountTaken, EvidenceLacking

T = TypeVar("T")


class SqlAccounts(Accounts):
    """`lib.ports.people.Accounts`; switches are dated by *clock*, the database's own unless one is given."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return transact(self._engine, work)

    def add_user(self, email: str, password_hash: str, *, is_demo: bool = False) -> int:
        values = {"email": normal_email(email), "password_hash": password_hash, "is_demo": is_demo}
        return self._write(lambda c: _insert(c, users, values, ValueError("this e-mail address is taken")))

    def user_id(self, email: str) -> int | None:
        query = sa.select(users.c.id).where(users.c.email == normal_email(email))
        return transact(self._engine, lambda c: c.execute(query).scalar_one_or_none(), readonly=True)

    def add_account(self, new: NewAccount) -> int:
        return self._write(lambda c: insert_account(c, new))

    def chosen(self, user_id: int) -> tuple[AccountSettings, int] | None:
        query = sa.select(users).where(users.c.id == user_id, users.c.deleted_at.is_(None))
        row = transact(self._engine, lambda c: c.execute(query).mappings().one_or_none(), readonly=True)
        return None if row is None else (settings_from(row), row["settings_version"])

    def change_settings(
        self, user_id: int, settings: AccountSettings, version: int | None = None, note: Note | None = None
    ) -> bool:
        return self._write(lambda c: _change_settings(c, self._now, user_id, settings, version, note))

    def set_auto_trade(self, user_id: int, on: bool, now_ms: int, note: Note | None = None) -> None:
        self._write(lambda c: _set_auto_trade(c, user_id, on, now_ms, note))

    def choose_symbols(self, user_id: int, symbols: Sequence[str], now_ms: int, note: Note | None = None) -> bool:
        return self._write(lambda c: _choose_symbols(c, user_id, symbols, now_ms, note))

    def set_flags(self, flags: Flags, changed_by: str) -> None:
        """Throw the platform's switches (kill switch L2, L3)."""
        self._write(lambda c: switches.set_flags(c, self._now, flags, changed_by))

    def set_account_flags(self, account_id: int, flags: Flags) -> None:
        """Throw one account's switches (L1, L3) for its owner."""
        self._write(lambda c: switches.set_account_flags(c, self._now, account_id, flags, "user:") and None)


def _choose_symbols(
    connection: sa.Connection, user_id: int, chosen: Sequence[str], now_ms: int, note: Note | None
) -> bool:
    if not chosen:
        raise ValueError("an account trades one symbol at least")
    living_user(connection, user_id)
    mine = exclusively(sa.select(accounts).where(accounts.c.user_id == user_id, accounts.c.active))
    account = connection.execute(mine).mappings().one_or_none()
    if account is None:
        return False
    account_id = int(account["id"])
    rows = symbol_rows(connection, account_id)
    changed = [symbol for symbol, row in rows.items() if bool(row["traded"]) != (symbol in chosen)]
    for symbol in changed:
        this = (account_symbols.c.account_id == account_id, account_symbols.c.symbol_no == rows[symbol]["symbol_no"])
        switched = {"traded": symbol in chosen, "changed_ms": now_ms}
        connection.execute(sa.update(account_symbols).where(*this).values(switched))
    new = [symbol for symbol in chosen if symbol not in rows]
    for symbol in new:
        values = {"account_id": account_id, "symbol_no": symbol_number(connection, symbol), "changed_ms": now_ms}
        connection.execute(sa.insert(account_symbols).values(values))
    first = symbol_number(connection, chosen[0])
    if all(rows[symbol]["symbol_no"] != account["symbol_no"] for symbol in chosen if symbol in rows):
        connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(symbol_no=first))
    if changed or new:
        record(connection, note)
    return True


def _insert(connection: sa.Connection, table: sa.Table, values: dict[str, Any], taken: Exception) -> int:
    try:
        made = connection.execute(sa.insert(table).values(values))
    except IntegrityError:
        raise taken from None
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else 0


def living_user(connection: sa.Connection, user_id: int) -> sa.RowMapping:
    """The person's row, locked; ValueError when there is none or it is deleted."""
    query = exclusively(sa.select(users).where(users.c.id == user_id, users.c.deleted_at.is_(None)))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ValueError("there is no such person")
    return row


def insert_account(connection: sa.Connection, new: NewAccount) -> int:
    """The row and key of a new account, in the place of the person's others; its id."""
    living_user(connection, new.user_id)
    retire_others(connection, new.user_id)
    values: dict[str, Any] = {
        "user_id": new.user_id,
        "venue": new.venue,
        "feed": new.feed,
        "uid": new.uid,
        "symbol_no": symbol_number(connection, new.symbol),
        "key_version": new.key_version,
        "start_balance": new.start_balance,
        "peak_equity": new.start_balance,
        "opened_ms": new.opened_ms,
        "doubts": doubts_text(new.doubts),
    }
    values |= _stop_of_operator(connection, new)
    account_id = _insert(connection, accounts, values, AccountTaken("this exchange account is registered already"))
    key = {"account_id": account_id, "key_version": new.key_version, "sealed": new.sealed_key, "last4": new.key_last4}
    connection.execute(sa.insert(credentials).values(key))
    chosen = {"account_id": account_id, "symbol_no": values["symbol_no"], "changed_ms": new.opened_ms}
    connection.execute(sa.insert(account_symbols).values(chosen))
    return account_id


def _stop_of_operator(connection: sa.Connection, new: NewAccount) -> dict[str, Any]:
    """An operator's stop moves to the new account: no owner ends the stop by adding another account."""
    stopped = (accounts.c.paused_by == OPERATOR, accounts.c.trading_enabled.is_(False))
    query = sa.select(accounts.c.pause_reason).where(accounts.c.user_id == new.user_id, *stopped).limit(1)
    why = connection.execute(query).scalar_one_or_none()
    if why is None:
        return {}
    return {"trading_enabled": False, "paused_by": OPERATOR, "pause_reason": why, "switched_ms": new.opened_ms}


def retire_others(connection: sa.Connection, user_id: int) -> None:
    """Give up every active account of the person; *AccountInUse* when one of them is in use."""
    mine = exclusively(sa.select(accounts).where(accounts.c.user_id == user_id, accounts.c.active))
    for row in connection.execute(mine).mappings().all():
        retire(connection, row)


def retire(connection: sa.Connection, row: sa.RowMapping) -> None:
    """
    Give up the account of *row*, which is locked; *AccountInUse* while an order or position of it is open, or filled
    and not booked yet.
    """
    if connection.execute(sa.select(accounts.c.id).where(accounts.c.id == row["id"], in_use)).first() is not None:
        raise AccountInUse("the account in use still has an open order or position: close it first")
    connection.execute(sa.update(accounts).where(accounts.c.id == row["id"]).values(active=False))


def _change_settings(
    connection: sa.Connection, now: Now, user_id: int, settings: AccountSettings, version: int | None, note: Note | None
) -> bool:
    row = living_user(connection, user_id)
    before = settings_from(row)
    if before == settings:
        return True
    if version not in (None, row["settings_version"]):
        return False
    running = keep_running(connection, row, before, settings, now(connection))
    write_settings(connection, row, settings, running)
    record(connection, note)
    return True


def write_settings(
    connection: sa.Connection, row: sa.RowMapping, settings: AccountSettings, running: int | None
) -> None:
    """Put *settings* in force, which are those of the version *running*; *row* is the person's, locked."""
    values = {
        "risk_level": settings.risk_level.value,
        "max_leverage": settings.max_leverage,
        "custom_prompt": settings.custom_prompt,
        "long_only": settings.long_only,
        "risk_per_trade": settings.risk_per_trade,
        "min_confidence": settings.min_confidence,
        "limits": limits_json(settings.limits),
        "system_text": settings.system,
        "cadence_min": settings.cadence_min,
        "inputs": inputs_text(settings.inputs),
        "models": ",".join(settings.models),
        "answer_version": settings.answer_version,
        "exits": rules_text(settings.exits),
        "strategy_version_id": running,
        "settings_version": row["settings_version"] + 1,
    }
    connection.execute(sa.update(users).where(users.c.id == row["id"]).values(values))


def _set_auto_trade(connection: sa.Connection, user_id: int, on: bool, now_ms: int, note: Note | None) -> None:
    row = living_user(connection, user_id)
    values: dict[str, Any] = {"auto_trade_enabled": on}
    if on and not row["auto_trade_enabled"]:
        _refuse_unproved(connection, user_id, now_ms)
        values["auto_trade_since_ms"] = now_ms
    connection.execute(sa.update(users).where(users.c.id == user_id).values(values))
    if on != row["auto_trade_enabled"]:
        switches.throw_of_person(connection, user_id, now_ms)
        record(connection, note)


def _refuse_unproved(connection: sa.Connection, user_id: int, now_ms: int) -> None:
    """*EvidenceLacking* where the active account waits for paper; the person's row is locked, so it stays that one."""
    account_id = waiting_account(connection, user_id)
    if account_id and (why := demo_refusal(demo_facts(connection, user_id, account_id, now_ms))):
        raise EvidenceLacking(why)
