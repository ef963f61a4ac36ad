"""
Rows that mean nothing any more, deleted a few at a time by their primary keys: links, tokens and invitations that
ended, commands carried out and things told half a year ago, answers about the past that nobody used for a year.

Nothing that moved money, decided about it or says who did what is among them: orders, executions, transfers, equity,
decisions, audit trails and operators' acts stay. What people's visits leave behind (sessions, known browsers, tallies)
the web tidies up itself.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.past import past_answers, past_questions
from lib.adapters.sql.tables.people import accounts, commands, invites, outbox, users
from lib.adapters.sql.tables.safety import api_tokens, email_links, reset_links
from lib.adapters.sql.tables.telling import deliveries

DAY_MS = 86_400_000
SHOWN_MS = 30 * DAY_MS
"""How long what ended is still shown to its owner as ended."""
READ_MS = 180 * DAY_MS
"""How long what was told or asked can be read back."""

UNUSED_MS = 400 * DAY_MS
"""How long an answer about the past is kept after it was used last."""
GONE = "gone"
"""The uid, with a number, of an account whose person left: the exchange's own is free for whoever brings its key."""
Ended = Callable[[int], tuple[sa.ColumnElement[bool], ...]]


def _is_unasked() -> sa.ColumnElement[bool]:
    return past_answers.c.id.not_in(
        sa.select(past_questions.c.answer_id).where(past_questions.c.answer_id.is_not(None))
    )


ENDED: dict[str, tuple[sa.Table, Ended]] = {
    "reset_links": (reset_links, lambda now: (reset_links.c.expires_ms < now - DAY_MS,)),
    "email_links": (email_links, lambda now: (email_links.c.expires_ms < now - DAY_MS,)),
    "api_tokens": (api_tokens, lambda now: (api_tokens.c.expires_ms > 0, api_tokens.c.expires_ms < now - SHOWN_MS)),
    "invites": (invites, lambda now: (invites.c.used_ms == 0, invites.c.expires_ms < now - SHOWN_MS)),
    "commands": (commands, lambda now: (commands.c.done_at < utc_from_ms(now - READ_MS),)),
    "past_answers": (past_answers, lambda now: (past_answers.c.used_ms < now - UNUSED_MS, _is_unasked())),
    "outbox": (outbox, lambda now: (outbox.c.sent_at < utc_from_ms(now - READ_MS),)),
}
"""Table → which of its rows mean nothing any more at a moment (epoch ms)."""


def free_uids(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Take the exchange's number from accounts that are given up."""
    for account_id in numbers:
        connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(uid=f"{GONE}-{account_id}"))


def free_uids_of_leavers(connection: sa.Connection) -> None:
    """As `free_uids`, for people who left by a web that may not do it itself."""
    left = (
        sa.select(accounts.c.id)
        .join(users, users.c.id == accounts.c.user_id)
        .where(users.c.email.like(f"{GONE}-%"), users.c.deleted_at.is_not(None), accounts.c.active.is_(False))
        .where(accounts.c.uid.not_like(f"{GONE}-%"))
    )
    free_uids(connection, list(connection.scalars(left)))


def drop_ended(engine: sa.Engine, name: str, now_ms: int, most: int) -> int:
    """Delete at most *most* rows of the table *name* that mean nothing any more; how many there were."""
    table, ended = ENDED[name]
    key = next(iter(table.primary_key.columns))
    # found without a lock: what ended stays ended
    query = sa.select(key).where(*ended(now_ms)).limit(most)
    keys = transact(engine, lambda c: list(c.scalars(query)), readonly=True)

    def work(connection: sa.Connection) -> None:
        if table is outbox:
            connection.execute(sa.delete(deliveries).where(deliveries.c.outbox_id.in_(keys)))
        connection.execute(sa.delete(table).where(key.in_(keys)))

    if keys:
        transact(engine, work)
    return len(keys)
