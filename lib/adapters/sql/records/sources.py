"""
What an account did, read for its record: which version ran when, its decisions, its equity points. Nothing is written.

A version is in force for every T at or after the moment it was put in force; before the first of them the person's
settings stood, which are version 1 of that strategy when they were kept, else the original design.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import settings_from
from lib.adapters.sql.tables.people import accounts, users
from lib.adapters.sql.tables.records import record_days, records
from lib.adapters.sql.tables.strategies import strategy_runs, strategy_versions
from lib.adapters.sql.tables.trading import cycles, equity_points, trade_logs
from lib.domain.day import DAY_MS
from lib.domain.record import Asked, Decided, Money, Version
from lib.domain.strategy import DESIGN, strategy_of

_L, _C, _E = trade_logs.c, cycles.c, equity_points.c
_R, _V = strategy_runs.c, strategy_versions.c
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """An account whose days are sealed up to *newest* (days since 1970-01-01; -1 = none yet)."""

    account_id: int
    user_id: int
    newest: int


@dataclass(frozen=True, slots=True)
class Run:
    """A version in force from *from_ms* on, until the run after it; *version_id* 0 = before anything was chosen."""

    from_ms: int
    version_id: int
    version: Version


def kept_accounts(connection: sa.Connection) -> list[Kept]:
    """Every account of somebody who stays: guests and people who left have no record that goes on."""
    newest = (
        sa.select(records.c.account_id, sa.func.max(record_days.c.day).label("day"))
        .join(record_days, record_days.c.record_id == records.c.id)
        .group_by(records.c.account_id)
        .subquery()
    )
    query = (
        sa.select(accounts.c.id, accounts.c.user_id, sa.func.coalesce(newest.c.day, -1))
        .join(users, users.c.id == accounts.c.user_id)
        .outerjoin(newest, newest.c.account_id == accounts.c.id)
        .where(users.c.is_guest.is_(False), users.c.deleted_at.is_(None))
        .order_by(accounts.c.id)
    )
    return [Kept(*row) for row in connection.execute(query)]


def day_with_rows(connection: sa.Connection, account_id: int, after_day: int) -> int | None:
    """The first day after *after_day* on which the account did anything."""
    begin = (after_day + 1) * DAY_MS
    found = [
        connection.scalar(sa.select(sa.func.min(c.t_ms)).where(c.account_id == account_id, c.t_ms >= begin))
        for c in (_L, _E)
    ]
    return min((t_ms // DAY_MS for t_ms in found if t_ms is not None), default=None)


def runs_of(connection: sa.Connection, user_id: int) -> list[Run]:
    """What ran, oldest first; the first of them from the beginning on."""
    query = (
        sa.select(_R.from_ms, _V.id, _V.number, _V.sha256, _V.strategy_id)
        .join(strategy_versions, _V.id == _R.version_id)
        .where(_R.user_id == user_id)
        .order_by(_R.id)
    )
    rows = connection.execute(query).all()
    ran = [Run(row.from_ms, row.id, Version(row.number, row.sha256)) for row in rows]
    return [_before(connection, user_id, rows[0].strategy_id if rows else None), *ran]


def _before(connection: sa.Connection, user_id: int, strategy_id: int | None) -> Run:
    if strategy_id is None:
        row = connection.execute(sa.select(users).where(users.c.id == user_id)).mappings().one()
        return Run(0, 0, Version(0, strategy_of(settings_from(row)).sha256))
    stood = (_V.strategy_id == strategy_id, _V.number == 1, _V.made_ms == 0)
    first = connection.execute(sa.select(_V.id, _V.sha256).where(*stood)).one_or_none()
    return Run(0, 0, Version(0, DESIGN.sha256)) if first is None else Run(0, first.id, Version(1, first.sha256))


def run_at(runs: Sequence[Run], t_ms: int) -> Run:
    """What was in force at *t_ms* (epoch ms)."""
    return next((run for run in reversed(runs) if run.from_ms <= t_ms), runs[0])


def outcomes_between(
    connection: sa.Connection, account_id: int, from_ms: int, until_ms: int
) -> dict[tuple[int, str], str]:
    """(T, symbol) → the outcome of today, of every decision from *from_ms* until before *until_ms*."""
    query = sa.select(_L.t_ms, _L.symbol, _L.outcome).where(
        _L.account_id == account_id, _L.t_ms >= from_ms, _L.t_ms < until_ms
    )
    return {(t_ms, symbol): outcome for t_ms, symbol, outcome in connection.execute(query)}


def decided_at(connection: sa.Connection, account_id: int, times: Collection[int]) -> list[Decided]:
    """The account's decisions of those T's."""
    query = (
        sa.select(
            _L.t_ms, _L.symbol, _L.outcome, _L.gpt_analysis, _C.id, _C.model, _C.sent_sha256, _C.raw_answer, _C.archived
        )
        .outerjoin(cycles, _C.id == _L.cycle_id)
        .where(_L.account_id == account_id)
    )
    wanted = sorted(times)
    parts = (wanted[first : first + AT_ONCE] for first in range(0, len(wanted), AT_ONCE))
    return [_decided(row) for part in parts for row in connection.execute(query.where(_L.t_ms.in_(part)))]


def _decided(row: Any) -> Decided:
    analysis = row.gpt_analysis or {}
    raw = "" if row.archived or not row.raw_answer else sha256(row.raw_answer.encode()).hexdigest()
    return Decided(
        row.t_ms,
        row.symbol,
        row.outcome,
        analysis.get("action"),
        _decimal(analysis, "confidence"),
        analysis.get("leverage"),
        _decimal(analysis, "stop_loss"),
        _decimal(analysis, "take_profit"),
        _decimal(analysis, "close_fraction"),
        None if row.id is None else Asked(row.model, row.sent_sha256, raw),
    )


def _decimal(analysis: dict[str, Any], name: str) -> Decimal | None:
    return None if analysis.get(name) is None else Decimal(analysis[name])


def money_of_day(connection: sa.Connection, account_id: int, day: int) -> tuple[Money | None, list[Money]]:
    """The account's equity points of *day*, oldest first, and the last one before them."""
    points = sa.select(_E.t_ms, _E.balance, _E.equity, _E.transfers).where(_E.account_id == account_id)
    begin = day * DAY_MS
    before = points.where(_E.t_ms < begin).order_by(_E.t_ms.desc()).limit(1)
    of_day = points.where(_E.t_ms >= begin, _E.t_ms < begin + DAY_MS).order_by(_E.t_ms)
    last = connection.execute(before).one_or_none()
    return None if last is None else Money(*last), [Money(*row) for row in connection.execute(of_day)]
