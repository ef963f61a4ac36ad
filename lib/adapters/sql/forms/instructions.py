"""
The versions of a person's own instructions over SQL: a line other forms write in their own transactions.

The person's row is locked by whoever writes, so numbers have neither gaps nor doubles.
"""

from hashlib import sha256

import sqlalchemy as sa

from lib.adapters.sql.tables.people import instructions


def keep_version(connection: sa.Connection, user_id: int, before: str, after: str, now_ms: int) -> None:
    """
    Keep *after* as the newest version, made at *now_ms* (epoch ms); nothing when it is *before* letter by letter.

    What stood before anything was kept becomes version 1, of a time that is not known (0).
    """
    if before == after:
        return
    mine = sa.select(sa.func.max(instructions.c.number)).where(instructions.c.user_id == user_id)
    newest = connection.scalar(mine) or 0
    if not newest and before:
        newest = 1
        _add(connection, user_id, newest, before, 0)
    _add(connection, user_id, newest + 1, after, now_ms)


def _add(connection: sa.Connection, user_id: int, number: int, text: str, made_ms: int) -> None:
    values = {
        "user_id": user_id,
        "number": number,
        "text": text,
        "sha256": sha256(text.encode()).hexdigest(),
        "made_ms": made_ms,
    }
    connection.execute(sa.insert(instructions).values(values))
