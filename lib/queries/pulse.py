"""
Whether anything about some people changed: one small statement for all of them, instead of every reading of each.

A pulse is compared, never read: two that are equal say that nothing a person's screens show has changed but a rate of
the won, a symbol's rules, the platform's settings and what the market says. Whoever follows pulses reads those again in
a rhythm of their own. A lock that runs out changes the pulse by itself.
"""

from collections.abc import Collection

import sqlalchemy as sa

from lib.adapters.sql.tables.people import (
    account_symbols,
    accounts,
    commands,
    notice_choices,
    outbox,
    system_flags,
    users,
)
from lib.adapters.sql.tables.trading import orders, platform_locks, risk_locks, trade_logs
from lib.domain.order import CYCLE_MS
from lib.queries.reading import Reading

Pulse = tuple[object, ...]
_STORED = (
    "id", "trading_enabled", "flatten", "switched_ms", "proven_ms", "pause_reason", "key_version", "realised",
    "fees", "funding", "transfers", "difference", "checked_ms",
)  # fmt: skip
_OF_ACCOUNT = [accounts.c[name] for name in _STORED]
_CHOSEN = (users.c.auto_trade_enabled, users.c.settings_version, users.c.numbers, users.c.deleted_at)


def _newest_of(table: sa.Table, column: str, *order: str) -> sa.ScalarSelect[object]:
    """*column* of the newest row of the account in *table*: one step in an index."""
    newest = (table.c[name].desc() for name in order)
    return (
        sa.select(table.c[column])
        .where(table.c.account_id == accounts.c.id)
        .correlate(accounts)
        .order_by(*newest)
        .limit(1)
        .scalar_subquery()
    )


_MOVED = _newest_of(orders, "updated_ms", "t_ms", "id").label("moved")
_ASKED = (
    sa.select(sa.func.max(commands.c.id) * 4 + sa.func.count(commands.c.taken_at) + sa.func.count(commands.c.done_at))
    .where(commands.c.user_id == users.c.id)
    .correlate(users)
    .scalar_subquery()
    .label("asked")
)

_TOLD = (
    sa.select(sa.func.max(outbox.c.id)).where(outbox.c.user_id == users.c.id).correlate(users).scalar_subquery()
).label("told")
_SEEN = (
    sa.select(notice_choices.c.seen_id)
    .where(notice_choices.c.user_id == users.c.id)
    .correlate(users)
    .scalar_subquery()
    .label("seen")
)


def _of_symbols(column: str) -> "sa.Label[str]":
    """*column* of every symbol of the account, as one text."""
    held = account_symbols.c
    every = sa.select(sa.func.group_concat(sa.type_coerce(held[column], sa.Text()), type_=sa.Text()))
    mine = every.where(held.account_id == accounts.c.id).correlate(accounts).scalar_subquery()
    return mine.label(f"of_symbols_{column}")


_HELD = [_of_symbols(name) for name in ("position_qty", "avg_entry_price", "liquidation", "traded")]
_MOVING = (_MOVED, _ASKED, _TOLD, _SEEN, *_HELD)


def _decided(t_ms: int) -> sa.ScalarSelect[object]:
    """
    The account's decisions of T as one number: asked for by their key, as MySQL reads every row in search of the
    newest.
    """
    mine = (trade_logs.c.account_id == accounts.c.id, trade_logs.c.t_ms == t_ms)
    return sa.select(sa.func.sum(trade_logs.c.id)).where(*mine).correlate(accounts).scalar_subquery()


def _held(now_ms: int) -> sa.ScalarSelect[object]:
    """The locks that hold at *now_ms* as one number: another one when any begins, ends or is written anew."""
    mine = (risk_locks.c.account_id == accounts.c.id, risk_locks.c.until_ms > now_ms)
    signs = risk_locks.c.id + risk_locks.c.until_ms + risk_locks.c.created_ms
    return sa.select(sa.func.sum(signs)).where(*mine).correlate(accounts).scalar_subquery()


class PulseReadings(Reading):
    """Of the active accounts of several people."""

    def pulses(self, user_ids: Collection[int]) -> dict[int, Pulse]:
        """The pulse of each of *user_ids* who has an account, by person."""
        now = self._clock.now_ms()
        return self._read(lambda c: _pulses(c, user_ids, now)) if user_ids else {}


def _pulses(connection: sa.Connection, user_ids: Collection[int], now_ms: int) -> dict[int, Pulse]:
    t_ms = now_ms - now_ms % CYCLE_MS
    timed = (_decided(t_ms).label("decided"), _decided(t_ms - CYCLE_MS).label("before"), _held(now_ms).label("held"))
    query = (
        sa.select(users.c.id.label("person"), *_CHOSEN, *_OF_ACCOUNT, *_MOVING, *timed)
        .join(accounts, accounts.c.user_id == users.c.id)
        .where(users.c.id.in_(user_ids), accounts.c.active)
    )
    everybodys = _everybodys(connection, now_ms)
    return {row.person: (*row, *everybodys) for row in connection.execute(query)}


def _everybodys(connection: sa.Connection, now_ms: int) -> Pulse:
    """The platform's switches, and its locks that hold at *now_ms*."""
    flags = connection.execute(sa.select(system_flags)).one()
    held = sa.select(platform_locks).where(platform_locks.c.until_ms > now_ms).order_by(platform_locks.c.kind)
    return (*flags, *(tuple(row) for row in connection.execute(held)))
