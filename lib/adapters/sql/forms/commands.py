"""
The `commands` table: the web asks, the trader acts. Both halves, `lib.ports.people.CommandQueue` and
`lib.ports.ledger.Commands`.

A command is taken once and never taken again: acting twice is worse than not acting, and the person can ask again.
Times are the callers', so that a stepped clock rules here too.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import exclusively
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import commands
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.command import Command
from lib.domain.reason import Reason
from lib.domain.trail import Note
from lib.ports.ledger import Commands
from lib.ports.people import CommandQueue

BATCH = 20
"""Commands taken at once."""
MOST_AT_ONCE = 16
"""Wishes of one kind about different symbols that a person may put within the wait for one of them."""
LOST_MS = 180_000
"""A command taken this long ago and not done was cut off."""
LOST = codes.COMMAND_INTERRUPTED()


class SqlCommandQueue(CommandQueue):
    """`lib.ports.people.CommandQueue`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ask(self, wish: Command, every_ms: int, note: Note | None = None) -> int:
        # a wish that comes too early is told so by a plain read: a flood of them holds no lock an order waits for
        if wait_ms := transact(self._engine, lambda c: _wait_ms(c, wish, every_ms), readonly=True):
            return wait_ms
        return transact(self._engine, lambda c: _ask(c, wish, every_ms, note))


def _wait_ms(connection: sa.Connection, wish: Command, every_ms: int) -> int:
    """The ms until *wish* may be put again; 0 = now."""
    since = utc_from_ms(max(wish.asked_ms - every_ms, 0))
    theirs = (commands.c.user_id == wish.user_id, commands.c.kind == wish.kind, commands.c.created_at > since)
    query = sa.select(commands.c.created_at, commands.c.args).where(*theirs).order_by(commands.c.id.desc())
    found = connection.execute(query.limit(MOST_AT_ONCE)).all()
    is_full = len(found) == MOST_AT_ONCE
    newest = max((_ms(at) for at, args in found if is_full or _symbol(args) == wish.symbol), default=None)
    return 0 if newest is None else max(newest + every_ms - wish.asked_ms, 0)


def _symbol(args: Mapping[str, str] | None) -> str:
    return (args or {}).get("symbol", "")


def _ask(connection: sa.Connection, wish: Command, every_ms: int, note: Note | None) -> int:
    living_user(connection, wish.user_id)  # its lock makes two clicks take turns
    if wait := _wait_ms(connection, wish, every_ms):
        return wait
    args = {"side": wish.side if wish.side != "flat" else "", "symbol": wish.symbol}
    args = {name: text for name, text in args.items() if text}
    values = {"user_id": wish.user_id, "account_id": wish.account_id, "kind": wish.kind, "args": args or None}
    connection.execute(sa.insert(commands).values({**values, "created_at": utc_from_ms(wish.asked_ms)}))
    record(connection, note)
    return 0


class SqlCommands(Commands):
    """`lib.ports.ledger.Commands`; each call in a thread of its own. *clock* dates finished commands."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def waiting(self) -> bool:
        return await asyncio.to_thread(transact, self._engine, _any_open, readonly=True)

    async def take(self, now_ms: int, account_ids: Collection[int] | None = None) -> list[Command]:
        return await asyncio.to_thread(transact, self._engine, lambda c: _take(c, now_ms, account_ids))

    async def done(self, command_id: int, result: Reason) -> None:
        values = {"done_at": utc_from_ms(self._clock.now_ms()), "result": result}
        update = sa.update(commands).where(commands.c.id == command_id).values(values)
        await asyncio.to_thread(transact, self._engine, lambda c: c.execute(update) and None)


def _any_open(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(commands.c.id).where(commands.c.done_at.is_(None)).limit(1)).first() is not None


def _take(connection: sa.Connection, now_ms: int, account_ids: Collection[int] | None) -> list[Command]:
    is_open: sa.ColumnElement[bool] = commands.c.done_at.is_(None)
    if account_ids is not None:
        is_open = sa.and_(is_open, commands.c.account_id.in_(account_ids))
    lost = (is_open, commands.c.taken_at < utc_from_ms(now_ms - LOST_MS))
    connection.execute(sa.update(commands).where(*lost).values(done_at=utc_from_ms(now_ms), result=LOST))
    waiting = sa.select(commands).where(is_open, commands.c.taken_at.is_(None)).order_by(commands.c.id).limit(BATCH)
    rows = connection.execute(exclusively(waiting)).mappings().all()
    ids = [row["id"] for row in rows]
    if ids:
        taken = sa.update(commands).where(commands.c.id.in_(ids)).values(taken_at=utc_from_ms(now_ms))
        connection.execute(taken)
    return [_command(row) for row in rows]


def _command(row: sa.RowMapping) -> Command:
    args = row["args"] or {}
    whose = (row["id"], row["user_id"], row["account_id"], row["kind"], _ms(row["created_at"]))
    return Command(*whose, args.get("side", "flat"), args.get("symbol", ""))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
