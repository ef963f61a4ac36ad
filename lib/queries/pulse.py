"""
Whether anything about some people changed: one small statement for all of them, instead of every reading of each.

A pulse is compared, never read: two that are equal say that nothing a person's screens show has changed but locks,
limits of the platform, decisions that ordered nothing and what the market says. Whoever follows pulses reads those
again in a rhythm of their own.
"""

from collections.abc import Collection

import sqlalchemy as sa

from lib.adapters.sql.tables.people import accounts, commands, notice_choices, outbox, system_flags, users
from lib.adapters.sql.tables.trading import orders
from lib.queries.reading import Reading

Pulse = tuple[object, ...]
_STORED = (
    "id", "trading_enabled", "flatten", "switched_ms", "proven_ms", "pause_reason", "key_version", "position_qty",
    "avg_entry_price", "realised", "fees", "funding", "transfers", "difference", "checked_ms", "liquidation",
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


class PulseReadings(Reading):
    """Of the active accounts of several people."""

    def pulses(self, user_ids: Collection[int]) -> dict[int, Pulse]:
        """The pulse of each of *user_ids* who has an account, by person."""
        return self._read(lambda c: _pulses(c, user_ids)) if user_ids else {}


def _pulses(connection: sa.Connection, user_ids: Collection[int]) -> dict[int, Pulse]:
    query = (
        sa.select(users.c.id.label("person"), *_CHOSEN, *_OF_ACCOUNT, _MOVED, _ASKED, _TOLD, _SEEN)
        .join(accounts, accounts.c.user_id == users.c.id)
        .where(users.c.id.in_(user_ids), accounts.c.active)
    )
    flags = tuple(connection.execute(sa.select(system_flags)).one())
    return {row.person: (*row, *flags) for row in connection.execute(query)}
