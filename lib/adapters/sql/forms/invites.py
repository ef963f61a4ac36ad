"""
Invitations over SQL: made by an operator, used up by a compare-and-set inside the transaction that makes the person.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from lib.adapters.sql.tables.people import invites
from lib.domain.platform_settings import Invite
from lib.ports.people import InviteRefused


def use_invite(connection: sa.Connection, invite: Invite) -> None:
    """Use *invite* up. *InviteRefused* when there is no such invitation, or it was used, or is over."""
    good = (invites.c.code_sha256 == invite.code_sha256, invites.c.used_ms == 0, invites.c.expires_ms > invite.at_ms)
    if connection.execute(sa.update(invites).where(*good).values(used_ms=invite.at_ms)).rowcount != 1:
        raise InviteRefused("the invitation is none, was used, or is over")


def used_by(connection: sa.Connection, invite: Invite, user_id: int) -> None:
    """Note that the person *user_id* used *invite*."""
    connection.execute(sa.update(invites).where(invites.c.code_sha256 == invite.code_sha256).values(used_by=user_id))


def add_invites(connection: sa.Connection, codes_sha256: Sequence[str], times: tuple[int, int], who: str) -> None:
    """One invitation for each of *codes_sha256*; *times* are when they are made and when they end, epoch ms."""
    made_ms, expires_ms = times
    common = {"made_by": who[:255], "made_ms": made_ms, "expires_ms": expires_ms}
    connection.execute(sa.insert(invites), [{"code_sha256": code, **common} for code in codes_sha256])
