"""
The book of shadows over SQL: `lib.ports.shadows.ShadowBook`. One transaction a method, behind the ledger's own.

A turn is written before its question, by a unique key, so that of two processes one asks. Nothing here is read by
what leads to orders.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.ledger.cycles import read_cycle, spent_on
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.analysts import model_calls
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategy_versions
from lib.domain.analyst_call import CycleKey
from lib.domain.day import DAY_MS, midnight_before
from lib.domain.decimals import plain
from lib.domain.position import ZERO
from lib.domain.shadow import Shadow, ShadowBudget, ShadowEnd, ShadowStake, ShadowTry, ShadowUse, with_model
from lib.domain.strategy import DESIGN, read
from lib.ports.shadows import ShadowBook

LOG = log.get("ledger.shadows")
_S, _C, _V = shadows.c, shadow_calls.c, strategy_versions.c
STORED = sa.select(shadows, _V.content).outerjoin(strategy_versions, _V.id == _S.version_id)
"""Shadows with what their version says."""


class SqlShadowBook(ShadowBook):
    """Over *ledger*'s transactions."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    async def running(self, user_ids: Collection[int]) -> list[Shadow]:
        return await self._ledger.survey(lambda c: _running(c, user_ids))

    async def used(self, t_ms: int) -> Mapping[int, ShadowUse]:
        return await self._ledger.survey(lambda c: _used(c, t_ms))

    async def stakes(self, t_ms: int) -> Mapping[int, ShadowStake]:
        return await self._ledger.survey(lambda c: _stakes(c, t_ms))

    async def paid(self, t_ms: int) -> ShadowUse:
        return await self._ledger.survey(lambda c: paid_on(c, t_ms))

    async def claim(self, tries: Sequence[ShadowTry]) -> list[ShadowTry]:
        return await self._ledger.note(lambda c: [one for one in tries if _added(c, one, {"state": "asked"})])

    async def drop(self, tries: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        await self._ledger.note(lambda c: _dropped(c, tries))

    async def conclude(self, ended: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        await self._ledger.note(lambda c: _concluded(c, ended))

    async def call_id(self, key: CycleKey) -> int | None:
        found = await self._ledger.survey(lambda c: read_cycle(c, key))
        return None if found is None else found.id

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        return await self._ledger.survey(lambda c: spent_on(c, owner_id, name, t_ms))


def shadow_from(row: sa.RowMapping) -> Shadow:
    """A row of `STORED`; an error of reading when its version cannot be read."""
    content = DESIGN if row["content"] is None else read(row["content"])
    budget = ShadowBudget(row["day_calls"], row["day_usd"])
    model = row["model"]
    return Shadow(row["id"], row["user_id"], row["version_id"] or 0, model, with_model(content, model), budget)


def _running(connection: sa.Connection, user_ids: Collection[int]) -> list[Shadow]:
    query = STORED.where(_S.running, _S.removed_ms == 0, _S.user_id.in_(user_ids)).order_by(_S.id)
    found = []
    for row in connection.execute(query).mappings() if user_ids else ():
        try:
            found.append(shadow_from(row))
        except (ArithmeticError, LookupError, TypeError, ValueError) as odd:
            LOG.error("shadow.unreadable", odd, shadow=row["id"])
    return found


def _of_day(column: "sa.Column[int]", t_ms: int) -> "tuple[sa.ColumnElement[bool], ...]":
    from_ms = midnight_before(t_ms)
    return column >= from_ms, column < from_ms + DAY_MS


def _used(connection: sa.Connection, t_ms: int) -> dict[int, ShadowUse]:
    """A dropped turn is on nobody's budget but for what it cost."""
    cost = sa.type_coerce(_C.cost_usd, sa.Text())
    query = sa.select(_C.shadow_id, _C.state, cost).where(*_of_day(_C.t_ms, t_ms), _C.shared.is_(False))
    found: defaultdict[int, ShadowUse] = defaultdict(ShadowUse)
    for shadow_id, state, usd in connection.execute(query):
        before = found[shadow_id]
        calls = before.calls + (state != "dropped" or usd is not None)
        found[shadow_id] = ShadowUse(calls, plain(before.usd + Decimal(usd or 0)))
    return _with_removed(connection, dict(found), midnight_before(t_ms))


def _with_removed(connection: sa.Connection, used: dict[int, ShadowUse], from_ms: int) -> dict[int, ShadowUse]:
    """
    *used* of a day with what is counted to those that came in the place of others: one that is removed and made anew
    has no second budget of that day.
    """
    wanted = sa.select(_S.id, _S.user_id, _S.made_ms, _S.removed_ms)
    removed = connection.execute(wanted.where(_S.removed_ms >= from_ms)).all()
    made = connection.execute(wanted.where(_S.made_ms >= from_ms)).all() if removed else []
    whole = dict(used)
    for new in made:
        for old in removed:
            if old.id in used and old.user_id == new.user_id and old.removed_ms <= new.made_ms:
                mine = whole.get(new.id, ShadowUse())
                whole[new.id] = ShadowUse(mine.calls + used[old.id].calls, plain(mine.usd + used[old.id].usd))
    return whole


def _stakes(connection: sa.Connection, t_ms: int) -> dict[int, ShadowStake]:
    since = midnight_before(t_ms) - DAY_MS
    turned = sa.select(_C.user_id).where(_C.t_ms >= since).distinct()
    found = {user_id: ShadowStake(ShadowBudget(0, ZERO)) for user_id in connection.scalars(turned)}
    running = sa.select(_S.user_id, _S.day_calls, _S.day_usd).where(_S.running, _S.removed_ms == 0)
    for user_id, calls, usd in connection.execute(running):
        if (one := found.get(user_id)) is not None:
            found[user_id] = replace(one, budget=ShadowBudget(one.budget.calls + calls, one.budget.usd + usd))
    whose = sa.select(_C.user_id, _C.state, sa.type_coerce(_C.cost_usd, sa.Text()))
    for user_id, state, usd in connection.execute(whose.where(*_of_day(_C.t_ms, t_ms), _C.shared.is_(False))):
        one = found[user_id]
        calls = one.used.calls + (state != "dropped" or usd is not None)
        found[user_id] = replace(one, used=ShadowUse(calls, plain(one.used.usd + Decimal(usd or 0))))
    return found


def paid_on(connection: sa.Connection, t_ms: int) -> ShadowUse:
    """The calls made for shadows on the UTC day of *t_ms*, and what they cost the operator."""
    called = model_calls.c
    of_day = (*_of_day(called.t_ms, t_ms), called.shadow)
    cost = sa.select(sa.type_coerce(called.cost_usd, sa.Text())).where(
        *of_day, called.owner_id == 0, called.cost_usd.is_not(None)
    )
    usd = plain(sum(map(Decimal, connection.scalars(cost)), ZERO))
    return ShadowUse(connection.scalar(sa.select(sa.func.count()).where(*of_day)) or 0, usd)


def _added(connection: sa.Connection, one: ShadowTry, rest: Mapping[str, object]) -> bool:
    values = {name: getattr(one, name) for name in ("shadow_id", "symbol", "t_ms", "user_id", "account_id")}
    return insert_once(connection, shadow_calls, values | {"beside_id": one.beside_id or None, **rest})


def _ended(end: ShadowEnd) -> dict[str, object]:
    return {
        "state": end.state, "why": end.why, "cycle_id": end.cycle_id, "cost_usd": end.usd, "shared": end.is_shared,
    }  # fmt: skip


def _dropped(connection: sa.Connection, tries: Iterable[tuple[ShadowTry, ShadowEnd]]) -> None:
    for one, end in tries:
        _added(connection, one, _ended(end))


def _concluded(connection: sa.Connection, ended: Iterable[tuple[ShadowTry, ShadowEnd]]) -> None:
    for one, end in ended:
        mine = (_C.shadow_id == one.shadow_id, _C.symbol == one.symbol, _C.t_ms == one.t_ms, _C.state == "asked")
        connection.execute(sa.update(shadow_calls).where(*mine).values(_ended(end)))
