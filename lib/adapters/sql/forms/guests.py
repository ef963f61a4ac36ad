"""
Guests over SQL: how many exist, registering one as a person, and ending those whose last session is over.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.forms.invites import use_invite, used_by
from lib.adapters.sql.ledger.rows import has_session
from lib.adapters.sql.ledger.switches import throw_of_person
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import users
from lib.domain.platform_settings import Invite

YOUNG_MS = 60_000
"""A guest made this recently may have no session yet."""

_LIVING = (users.c.is_guest, users.c.deleted_at.is_(None))


def living_guests(connection: sa.Connection) -> int:
    """The port's `living_guests`."""
    return connection.scalar(sa.select(sa.func.count()).select_from(users).where(*_LIVING)) or 0


def keep_guest(connection: sa.Connection, user_id: int, values: dict[str, Any], invite: Invite | None = None) -> bool:
    """The port's `keep_guest`."""
    change = sa.update(users).where(users.c.id == user_id, *_LIVING).values(is_guest=False, **values)
    try:
        kept = connection.execute(change).rowcount == 1
    except IntegrityError:
        raise ValueError("this e-mail address is taken") from None
    if kept and invite is not None:
        use_invite(connection, invite)
        used_by(connection, invite, user_id)
    return kept


def end_guests(connection: sa.Connection, now_ms: int) -> tuple[int, ...]:
    """The port's `end_guests`."""
    gone = sa.select(users.c.id).where(
        *_LIVING, users.c.risk_accepted_ms <= now_ms - YOUNG_MS, sa.not_(has_session(now_ms))
    )
    found = connection.scalars(gone.order_by(users.c.id)).all()
    return tuple(user_id for user_id in found if _end(connection, user_id, now_ms))


def _end(connection: sa.Connection, user_id: int, now_ms: int) -> bool:
    # still a guest: since the guests were read this one may have become a person
    change = sa.update(users).where(users.c.id == user_id, *_LIVING).values(deleted_at=utc_from_ms(now_ms))
    if connection.execute(change).rowcount == 0:
        return False
    throw_of_person(connection, user_id, now_ms)
    return True
