"""
Stretches of evidence as values: what was asked for, its marks and its newest override. Nothing here decides.

What cannot be read raises *ValueError*, *TypeError* or *ArithmeticError*: the gate that asks is closed then.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from lib.adapters.sql.tables.people import accounts, users
from lib.adapters.sql.tables.stretches import stretch_marks, stretch_overrides, stretches
from lib.domain.account import Venue
from lib.domain.real_money import REHEARSALS
from lib.domain.stretch import Step, Stretch, read_criteria, read_measured
from lib.domain.venues import CAPABILITIES

REAL: tuple[Venue, ...] = tuple(venue for venue, row in CAPABILITIES.items() if row.has_real_money)
COUNTED: tuple[Venue, ...] = (*REHEARSALS, *REAL)
"""Venues whose stretches count before real money; paper is none of them."""
_ON_PAPER = sa.or_(
    *(
        sa.and_(accounts.c.venue == venue, accounts.c.feed.in_(sorted(row.feeds)))
        for venue, row in CAPABILITIES.items()
        if row.opens_accounts
    )
)
PLACES: Mapping[Step, sa.ColumnElement[bool]] = {Step.REAL: accounts.c.venue.in_(COUNTED), Step.DEMO: _ON_PAPER}
"""On which accounts the stretches of a step are: prices are somebody's there, for invented ones are no evidence."""
NEWEST = 50
"""Stretches of one person that are looked at."""
_S, _B, _E = stretches.c, stretch_marks.alias("begun"), stretch_marks.alias("ended")
_GIVEN = (
    sa.select(sa.func.coalesce(sa.func.max(stretch_overrides.c.given_ms), 0))
    .where(stretch_overrides.c.stretch_id == _S.id, stretch_overrides.c.user_id == _S.user_id)
    .scalar_subquery()
)
_QUERY = (
    sa.select(
        _S.id,
        _S.user_id,
        _S.account_id,
        _S.version_id,
        _S.criteria,
        accounts.c.venue,
        _B.c.at_ms.label("begun_ms"),
        _B.c.seal,
        _E.c.at_ms.label("ended_ms"),
        _E.c.measured,
        _GIVEN.label("overridden_ms"),
    )
    .join(accounts, accounts.c.id == _S.account_id)
    .outerjoin(_B, sa.and_(_B.c.stretch_id == _S.id, _B.c.kind == "begun"))
    .outerjoin(_E, sa.and_(_E.c.stretch_id == _S.id, _E.c.kind == "ended"))
    .order_by(_S.id.desc())
)


def stretches_of(connection: sa.Connection, user_id: int, step: Step, *where: sa.ColumnElement[bool]) -> list[Stretch]:
    """The person's newest stretches towards *step*, the newest first; of their own accounts alone."""
    mine = (_S.user_id == user_id, accounts.c.user_id == user_id, PLACES[step], *where)
    return _read(connection, _QUERY.where(*mine).limit(NEWEST))


def of_running(connection: sa.Connection, user_id: int, step: Step) -> list[Stretch]:
    """Those of the strategy version that runs: evidence of another version is none."""
    return stretches_of(connection, user_id, step, _S.version_id == running_version(connection, user_id))


def running_version(connection: sa.Connection, user_id: int) -> int:
    """The id of the strategy version that runs, 0 = the original design."""
    return connection.scalar(sa.select(users.c.strategy_version_id).where(users.c.id == user_id)) or 0


def open_stretches(connection: sa.Connection) -> list[Stretch]:
    """Everybody's that are not over, oldest first."""
    return _read(connection, _QUERY.where(_E.c.id.is_(None), accounts.c.user_id == _S.user_id))[::-1]


def _read(connection: sa.Connection, query: "sa.Select[tuple[object, ...]]") -> list[Stretch]:
    return [_stretch(row) for row in connection.execute(query).mappings()]


def _stretch(row: sa.RowMapping) -> Stretch:
    return Stretch(
        stretch_id=row["id"],
        user_id=row["user_id"],
        account_id=row["account_id"],
        version_id=row["version_id"],
        on_real=row["venue"] in REAL,
        criteria=read_criteria(row["criteria"]),
        begun_ms=row["begun_ms"] or 0,
        seal=row["seal"] or "",
        ended_ms=row["ended_ms"] or 0,
        measured=read_measured(row["measured"]) if row["measured"] else None,
        overridden_ms=row["overridden_ms"],
    )


def count_of(connection: sa.Connection, user_id: int, step: Step) -> int:
    """How many stretches towards *step* the person ever asked for."""
    asked = sa.select(sa.func.count()).select_from(stretches).join(accounts, accounts.c.id == _S.account_id)
    return connection.scalar(asked.where(_S.user_id == user_id, PLACES[step])) or 0


def are_open(found: Sequence[Stretch], account_id: int) -> bool:
    """Whether one of *account_id* is not over."""
    return any(one.account_id == account_id and not one.ended_ms for one in found)
