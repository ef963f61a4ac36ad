"""
A database emptied and filled from a backup, so that a restore cut off anywhere trades on nothing.

SQLite does all of it in one transaction: whoever looks sees the database of before or the restored one. MySQL commits
each table it makes, so the database is marked as half restored until all is done; nothing starts on it, and the restore
is run again. Before the mark is taken away trading is off, every account is paused, and whatever opens a door is gone:
the backup does not know what people ended since. No consent to real money stands then, no cap and no preflight. Nothing
it had still to tell, ask or send is told, asked or sent.
"""

from collections.abc import Callable

import sqlalchemy as sa

from lib.adapters.sql.database.migrating import rebuild
from lib.adapters.sql.ledger.switches import columns_of, stop_of, thrown
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.operating import operator_acts
from lib.adapters.sql.tables.people import (
    accounts,
    commands,
    invites,
    known_browsers,
    outbox,
    sessions,
    system_flags,
)
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps, real_consents
from lib.adapters.sql.tables.records import record_links
from lib.adapters.sql.tables.safety import api_tokens, email_links, reset_links
from lib.adapters.sql.tables.strategies import strategy_shares
from lib.adapters.sql.tables.stretches import demo_overrides, stretch_marks, stretch_overrides
from lib.adapters.sql.tables.telling import chats, deliveries
from lib.adapters.sql.tables.trading import trader_lease
from lib.adapters.sql.tables.workers import account_leases
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt
from lib.domain.events import Event, EventKind
from lib.domain.switches import AccountStop

RESTORED_BY = "restore"
SYSTEM = "system"
"""The author of a pause that the account's owner, or an operator, ends."""
DOORS = (sessions, api_tokens, reset_links, email_links, known_browsers, chats, strategy_shares, record_links)
"""
What somebody may have ended or used since the backup, and what would open a door again. Recovery codes stay, used ones
of since then among them: without them whoever lost their authenticator is locked out.
"""

Fill = Callable[[sa.Connection], None]


def refill(engine: sa.Engine, revision: str, fill: Fill, now: Callable[[sa.Connection], int], as_of_ms: int) -> None:
    """
    Empty the database, make the tables of *revision*, have *fill* put rows into them, as they were at *as_of_ms* (epoch
    ms), upgrade to this release's schema.

    *Halt* when the database cannot be reached, or a trader works on it. An exception of *fill* leaves it as it was
    (SQLite) or marked (MySQL).
    """

    def filled(connection: sa.Connection) -> None:
        fill(connection)
        if sa.inspect(connection).has_table("system_flags"):
            # on MySQL the upgrade commits what was filled: a trader that lives through all this may read it then
            connection.execute(sa.text("UPDATE system_flags SET trading_enabled = 0"))

    def alone(connection: sa.Connection) -> None:
        refuse_trader(connection, now(connection))

    def quiet(connection: sa.Connection) -> None:
        keep_quiet(connection, now(connection), as_of_ms)

    rebuild(engine, revision, alone, filled, quiet)


def refuse_trader(connection: sa.Connection, now_ms: int) -> None:
    """*Halt* while somebody trades on this database."""
    if holder := lease_holder(connection, now_ms):
        raise Halt(f"a trader ({holder}) works on this database: stop it, wait half a minute, and restore then")


def keep_quiet(connection: sa.Connection, now_ms: int, as_of_ms: int) -> None:
    """
    Trading off with its reason, every account paused, no lease, nobody signed in, nothing left to tell or to carry out.

    A close of everything that stood in the backup goes on: taking that back is a person's to do.
    """
    for ended in DOORS:
        connection.execute(sa.delete(ended))
    connection.execute(sa.update(backtests).values(code_sha256=None))
    connection.execute(sa.delete(invites).where(invites.c.used_ms == 0))
    connection.execute(sa.update(trader_lease).values(holder="", expires_ms=0))
    connection.execute(sa.update(account_leases).values(holder="", until_ms=0))
    off = {"trading_enabled": False, "changed_by": RESTORED_BY, "why": codes.RESTORED(), "restored_ms": as_of_ms}
    counted = {"version": system_flags.c.version + 1, "switched_ms": now_ms, "proven_ms": 0}
    connection.execute(sa.update(system_flags).values(off | counted))
    _end_real_money(connection, now_ms)
    _leave_out(connection, now_ms)
    _pause_accounts(connection, now_ms)


def _end_real_money(connection: sa.Connection, now_ms: int) -> None:
    """
    No consent stands, there is no cap, no preflight and no stretch of evidence that opens anything: a consent may have
    been taken back since the backup, a smaller cap written, and a later preflight or stretch may have failed.

    A person consents anew, an operator writes a cap anew, and every card is asked anew; their evidence lies in files.
    """
    standing = sa.update(real_consents).where(real_consents.c.withdrawn_ms == 0)
    connection.execute(standing.values(withdrawn_ms=now_ms))
    connection.execute(sa.delete(real_caps))
    connection.execute(sa.delete(preflight_runs))
    connection.execute(sa.delete(stretch_overrides))
    connection.execute(sa.delete(demo_overrides))
    connection.execute(sa.delete(stretch_marks))


def _leave_out(connection: sa.Connection, now_ms: int) -> None:
    """What was not told, asked or carried out at the backup's moment has been since, or is too late."""
    connection.execute(sa.delete(deliveries))
    now = utc_from_ms(now_ms)
    connection.execute(sa.update(outbox).where(outbox.c.sent_at.is_(None)).values(sent_at=now))
    cut = codes.COMMAND_INTERRUPTED()
    connection.execute(sa.update(commands).where(commands.c.done_at.is_(None)).values(done_at=now, result=cut))
    connection.execute(sa.update(operator_acts).where(operator_acts.c.done_ms == 0).values(done_ms=now_ms, result=cut))


def _pause_accounts(connection: sa.Connection, now_ms: int) -> None:
    """
    A pause and its notice for every account that could enter: its owner may have stopped it since, and resumes it on
    purpose. A stop that stands in the backup stays with its author.
    """
    why = codes.ACCOUNT_RESTORED()
    active = sa.select(accounts).where(accounts.c.active, accounts.c.trading_enabled)
    for account in connection.execute(active).mappings().all():
        flatten = stop_of(account).flatten
        stop = columns_of(AccountStop(False, flatten, SYSTEM, account["owner_stop"], why))
        this = sa.update(accounts).where(accounts.c.id == account["id"])
        connection.execute(this.values(stop | thrown(accounts, now_ms)))
        told = Event(EventKind.PAUSED, why, f"restored:{account['id']}:{now_ms}")
        tell(connection, account["user_id"], account["id"], told)


def lease_holder(connection: sa.Connection, now_ms: int) -> str:
    """Who trades on this database now; "" = nobody, or there is nothing here yet."""
    if not sa.inspect(connection).has_table("trader_lease"):
        return ""
    row = connection.execute(sa.text("SELECT holder, expires_ms FROM trader_lease")).first()
    if row is not None and row.expires_ms > now_ms:
        return str(row.holder)
    if not sa.inspect(connection).has_table("account_leases"):
        return ""
    worker = sa.text("SELECT holder FROM account_leases WHERE until_ms > :now LIMIT 1")
    return str(connection.scalar(worker, {"now": now_ms}) or "")
