"""
What the operators' room reads of a deployment as a whole: its switches and locks, what a person must look at, what the
analyst cost, platform settings, and what operators did. Nobody's in particular, and no key, prompt or answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger import locks
from lib.adapters.sql.ledger.rows import read_orders, setting_rows
from lib.adapters.sql.ledger.shadowing import paid_on
from lib.adapters.sql.tables.operating import operator_acts, operators
from lib.adapters.sql.tables.people import accounts, invites, setting_changes, users
from lib.adapters.sql.tables.trading import orders, risk_locks
from lib.domain.locks import RiskLock
from lib.domain.operator_act import ActRow, OperatorRow
from lib.domain.order import TERMINAL, Order, OrderState
from lib.domain.platform_settings import Invites, SettingChange
from lib.domain.position import ZERO
from lib.domain.shadow import ShadowUse
from lib.queries.audit import Audited, Broken, audit
from lib.queries.real import CapStanding, cap_standing
from lib.queries.roster import RosterReadings, calls_of_day
from lib.queries.standing import HOLDS, Standing, Switches, is_trader_alive, platform_switches, standings

_OPEN = [state.value for state in OrderState if state not in TERMINAL]
MOST_TOLD = 50
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Overview:
    """
    The platform at one moment. *open_rows* are the first of *open_count* orders that are not terminal; *holding* is how
    many accounts hold something of ours.
    """

    switches: Switches
    locks: tuple[RiskLock, ...]
    trader_alive: bool
    accounts: int
    auto_trading: int
    stopped: int
    holding: int
    open_count: int
    open_rows: tuple[Order, ...]

    @property
    def is_proved(self) -> bool:
        """Whether "stopped" may be said: the thrown switch is proved, and nothing has come up since."""
        return self.switches.is_thrown and self.switches.proven_ms > 0 and not self.open_count


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that holds, and whose it is: *email* "" = the platform's."""

    lock: RiskLock
    user_id: int
    email: str


@dataclass(frozen=True, slots=True)
class Differing:
    """An account whose books differ from the exchange's wallet by *difference* USDT."""

    account_id: int
    user_id: int
    email: str
    difference: Decimal
    checked_ms: int


@dataclass(frozen=True, slots=True)
class External:
    """Another hand at an account: when it was seen, until when entries are locked for it, and who ended that early."""

    account_id: int
    user_id: int
    email: str
    lock: RiskLock
    ended_by: str


@dataclass(frozen=True, slots=True)
class ModelSpend:
    """The analyst's calls of the UTC day by one model; *cost* None = no price is known."""

    model: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    latency_ms: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Orders and events verified so far, the first broken ones, and whether that were all."""

    orders: int = 0
    events: int = 0
    broken: tuple[Broken, ...] = ()
    is_complete: bool = False

    def plus(self, part: Audited) -> "AuditReport":
        """With one more part verified."""
        broken = (*self.broken, *part.broken)[:MOST_TOLD]
        return AuditReport(self.orders + part.orders, self.events + part.events, broken)


class OperatingReadings(RosterReadings):
    """For operators alone; who asks is checked where they come in."""

    def overview(self) -> Overview:
        """How everything stands now."""
        now = self._clock.now_ms()
        return self._read(lambda c: _overview(c, now))

    def account_standing(self, account_id: int) -> Standing | None:
        """How one account stands, whoever's it is; None for none."""
        now = self._clock.now_ms()
        found = self._read(lambda c: standings(c, now, accounts.c.id == account_id))
        return found[0] if found else None

    def held_locks(self) -> list[HeldLock]:
        """Every lock that holds, the platform's first."""
        now = self._clock.now_ms()
        return self._read(lambda c: _held_locks(c, now))

    def needs_human(self) -> list[tuple[Order, str]]:
        """The orders only a person can end, each with its owner's e-mail."""

        def read(connection: sa.Connection) -> list[tuple[Order, str]]:
            rows = read_orders(connection, orders.c.state == OrderState.NEEDS_HUMAN.value)
            names = _emails(connection, [row.user_id for row in rows])
            return [(row, names.get(row.user_id, "")) for row in rows[:MOST_TOLD]]

        return self._read(read)

    def externals(self) -> list[External]:
        """Other hands seen in the last week, newest first."""
        since = self._clock.now_ms() - WEEK_MS
        query = (
            sa.select(risk_locks, accounts.c.user_id, users.c.email)
            .join(accounts, accounts.c.id == risk_locks.c.account_id)
            .join(users, users.c.id == accounts.c.user_id)
            .where(risk_locks.c.kind == "external", risk_locks.c.created_ms >= since)
            .order_by(risk_locks.c.created_ms.desc())
            .limit(MOST_TOLD)
        )
        rows = self._read(lambda c: c.execute(query).mappings().all())
        return [External(row["account_id"], row["user_id"], row["email"], _lock(row), row["ended_by"]) for row in rows]

    def differing(self) -> list[Differing]:
        """Active accounts whose books differ from the exchange."""
        columns = (accounts.c.id, accounts.c.user_id, users.c.email, accounts.c.difference, accounts.c.checked_ms)
        query = sa.select(*columns).join(users, users.c.id == accounts.c.user_id).where(accounts.c.active)
        rows = self._read(lambda c: c.execute(query).all())
        return [Differing(*row) for row in rows if row.difference][:MOST_TOLD]

    def models(self, feed: str) -> list[ModelSpend]:
        """What each model was asked today, and what that cost."""
        rows = self._read(lambda c: calls_of_day(c, feed, self._clock.now_ms()))
        by_model: dict[str, list[sa.RowMapping]] = {}
        for row in rows:
            by_model.setdefault(row["model"], []).append(row)
        return [_model(name, by_model[name]) for name in sorted(by_model)]

    def shadow_use(self) -> ShadowUse:
        """What shadows of all people were asked today, and what that cost the operator; `models` has none of it."""
        now = self._clock.now_ms()
        return self._read(lambda c: paid_on(c, now))

    def real_cap(self) -> CapStanding | None:
        """The cap for real money and what is left of it; None without one."""
        now = self._clock.now_ms()
        return self._read(lambda c: cap_standing(c, now))

    def setting_rows(self) -> dict[str, str]:
        """Platform settings that have a row, as stored."""
        return self._read(setting_rows)

    def invites(self) -> Invites:
        """How many invitations are still good, were used, ended unused."""
        now = self._clock.now_ms()
        rows = self._read(lambda c: c.execute(sa.select(invites.c.used_ms, invites.c.expires_ms)).all())
        used = sum(row.used_ms > 0 for row in rows)
        good = sum(row.used_ms == 0 and row.expires_ms > now for row in rows)
        return Invites(good, used, len(rows) - used - good)

    def setting_changes(self, newest: int = 20) -> list[SettingChange]:
        """Who changed which platform setting, newest first."""
        names = ("setting_key", "before_value", "after_value", "changed_by", "why", "changed_ms")
        query = sa.select(*(setting_changes.c[name] for name in names)).order_by(setting_changes.c.id.desc())
        return [SettingChange(*row) for row in self._read(lambda c: c.execute(query.limit(newest)).all())]

    def acts(self, limit: int = MOST_TOLD, before: int = 0) -> list[ActRow]:
        """Operators' acts, newest first; with *before* those older than that one."""
        older = (operator_acts.c.id < before,) if before else ()
        query = (
            sa.select(operator_acts, users.c.email)
            .outerjoin(users, users.c.id == operator_acts.c.user_id)
            .where(*older)
            .order_by(operator_acts.c.id.desc())
            .limit(limit)
        )
        return [_act(row) for row in self._read(lambda c: c.execute(query).mappings().all())]

    def operators(self) -> list[OperatorRow]:
        """Everybody who has or had the role, the newest first."""
        names = ("granted_by", "granted_ms", "revoked_by", "revoked_ms")
        query = (
            sa.select(operators.c.user_id, users.c.email, *(operators.c[name] for name in names))
            .join(users, users.c.id == operators.c.user_id)
            .order_by(operators.c.granted_ms.desc(), operators.c.user_id.desc())
        )
        return self._read(lambda c: [OperatorRow(*row) for row in c.execute(query)])

    def audited(self, within_ms: int) -> AuditReport:
        """Verify the histories of orders, from the first on, for as long as *within_ms* go."""
        until, report = self._clock.now_ms() + within_ms, AuditReport()
        for part in audit(self._engine):
            report = report.plus(part)
            if self._clock.now_ms() > until:
                return report
        return replace(report, is_complete=True)


def _overview(connection: sa.Connection, now_ms: int) -> Overview:
    query = (
        sa.select(HOLDS.label("holds"), accounts.c.trading_enabled, users.c.auto_trade_enabled)
        .join(users, users.c.id == accounts.c.user_id)
        .where(accounts.c.active, users.c.deleted_at.is_(None))
    )
    rows = connection.execute(query).all()
    is_open = orders.c.state.in_(_OPEN)
    count = connection.scalar(sa.select(sa.func.count()).select_from(orders).where(is_open)) or 0
    first = sa.select(orders.c.id).where(is_open).order_by(orders.c.id).limit(MOST_TOLD)
    ids = list(connection.scalars(first))
    return Overview(
        switches=platform_switches(connection),
        locks=tuple(locks.locks(connection, lambda _: now_ms, 0)),
        trader_alive=is_trader_alive(connection, now_ms),
        accounts=len(rows),
        auto_trading=sum(bool(row.auto_trade_enabled) and bool(row.trading_enabled) for row in rows),
        stopped=sum(not row.trading_enabled for row in rows),
        holding=sum(bool(row.holds) for row in rows),
        open_count=count,
        open_rows=tuple(read_orders(connection, orders.c.id.in_(ids))),
    )


def _held_locks(connection: sa.Connection, now_ms: int) -> list[HeldLock]:
    everybodys = [HeldLock(lock, 0, "") for lock in locks.locks(connection, lambda _: now_ms, 0)]
    query = (
        sa.select(risk_locks, accounts.c.user_id, users.c.email)
        .join(accounts, accounts.c.id == risk_locks.c.account_id)
        .join(users, users.c.id == accounts.c.user_id)
        .where(risk_locks.c.until_ms > now_ms, accounts.c.active, users.c.deleted_at.is_(None))
        .order_by(risk_locks.c.created_ms.desc(), risk_locks.c.id.desc())
        .limit(MOST_TOLD)
    )
    rows = connection.execute(query).mappings().all()
    return everybodys + [HeldLock(_lock(row), row["user_id"], row["email"]) for row in rows]


def _lock(row: sa.RowMapping) -> RiskLock:
    return RiskLock(row["account_id"], row["kind"], row["until_ms"], row["why"], row["created_ms"])


def _emails(connection: sa.Connection, user_ids: Sequence[int]) -> dict[int, str]:
    query = sa.select(users.c.id, users.c.email).where(users.c.id.in_(user_ids))
    return {row.id: row.email for row in connection.execute(query)}


def _model(name: str, rows: Sequence[Any]) -> ModelSpend:
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    answered = [row["latency_ms"] for row in rows if row["state"] != "failed"]
    return ModelSpend(
        model=name,
        calls=len(rows),
        failed=sum(row["state"] == "failed" for row in rows),
        prompt_tokens=sum(row["prompt_tokens"] for row in rows),
        completion_tokens=sum(row["completion_tokens"] for row in rows),
        cost=sum(costs, ZERO) if costs else None,
        latency_ms=round(sum(answered) / len(answered)) if answered else 0,
    )


def _act(row: sa.RowMapping) -> ActRow:
    names = ("id", "kind", "origin", "asked_ms", "taken_ms", "done_ms", "result", "who")
    args = {str(name): str(value) for name, value in (row["args"] or {}).items()}
    whose: dict[str, Any] = {
        "user_id": row["user_id"] or 0,
        "email": row["email"] or "",
        "account_id": row["account_id"] or 0,
    }
    return ActRow(**{name: row[name] for name in names}, **whose, args=args)
