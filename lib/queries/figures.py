"""
The deployment as figures, for whoever watches it: what is open, locked, stopped, untold, and how books differ.

Counts, ages and sums over everybody, nobody's in particular: no id, name or order leaves here. Each is a look at an
index or at as many rows as there are accounts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger import locks
from lib.adapters.sql.tables.people import accounts, outbox, users
from lib.adapters.sql.tables.trading import cycles, orders, risk_locks, trader_lease
from lib.adapters.sql.tables.workers import account_leases, workers
from lib.clock import Clock, SystemClock
from lib.domain.analyst_call import SHADOW
from lib.domain.order import TERMINAL, OrderState
from lib.domain.position import ZERO
from lib.queries.reading import epoch_ms
from lib.queries.standing import HOLDS, is_trader_alive, platform_switches

UNTOLD_MOST = 10_000
"""Unsent notices that are counted."""
WORKER_DEAD_MS, WORKER_GONE_MS = 30_000, 3_600_000
"""A worker unheard of for longer than any lease is dead, and after an hour it is nobody's concern."""
_OPEN = [state.value for state in OrderState if state not in TERMINAL]


@dataclass(frozen=True, slots=True)
class Figures:
    """
    The deployment at one moment; ages in seconds, 0.0 = there is none. *kill_switch* is 0, 2 or 3 (L2, L3),
    *unproved_s* how long its proof has been waited for. *locks* are counted by whose they are ("account", "platform")
    and kind. *workers* live and *workers_dead* did; *unowned* accounts are nobody's, where there are or were any.
    """

    unresolved: Mapping[str, int]
    unresolved_s: float
    accounts: int
    stopped: int
    holding: int
    differing: int
    difference: Decimal
    locks: Mapping[tuple[str, str], int]
    kill_switch: int
    unproved_s: float
    lease_held: bool
    epoch: int
    untold: int
    untold_s: float
    workers: int
    workers_dead: int
    unowned: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    Whether a trader holds the lease, the age of the oldest notice nobody sent (0.0 = none), and how the newest call of
    the analyst went: its age, None = none was made.
    """

    lease_held: bool
    untold_s: float
    call_s: float | None
    call_failed: bool


class FigureReadings:
    """Reads them; *Retry* when the database is away."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def figures(self) -> Figures:
        """As everything stands now."""
        now = self._clock.now_ms()
        return transact(self._engine, lambda c: _figures(c, now), readonly=True)

    def waiting(self) -> Waiting:
        """What readiness asks."""
        now = self._clock.now_ms()
        return transact(self._engine, lambda c: _waiting(c, now), readonly=True)


def _waiting(connection: sa.Connection, now_ms: int) -> Waiting:
    newest = sa.select(cycles.c.state, cycles.c.created_at).where(cycles.c.asked_for != SHADOW)
    call = connection.execute(newest.order_by(cycles.c.id.desc()).limit(1)).first()
    age = None if call is None else _since(now_ms, epoch_ms(call.created_at))
    is_led = is_trader_alive(connection, now_ms)
    return Waiting(is_led, _untold(connection, now_ms)[1], age, call is not None and call.state == "failed")


def _figures(connection: sa.Connection, now_ms: int) -> Figures:
    own = [accounts.c[name] for name in ("trading_enabled", "flatten", "difference")]
    query = sa.select(*own, HOLDS.label("holds")).join(users, users.c.id == accounts.c.user_id)
    rows = connection.execute(query.where(accounts.c.active, users.c.deleted_at.is_(None))).all()
    unresolved, unresolved_s = _unresolved(connection, now_ms)
    switches, lease = platform_switches(connection), connection.execute(sa.select(trader_lease)).one()
    waits = switches.is_thrown and not switches.proven_ms
    untold, untold_s = _untold(connection, now_ms)
    alive, dead, owned = _workers(connection, now_ms)
    return Figures(
        unresolved=unresolved,
        unresolved_s=unresolved_s,
        accounts=len(rows),
        stopped=sum(not row.trading_enabled or bool(row.flatten) for row in rows),
        holding=sum(bool(row.holds) for row in rows),
        differing=sum(bool(row.difference) for row in rows),
        difference=max((abs(row.difference) for row in rows), default=ZERO),
        locks=_locks(connection, now_ms),
        kill_switch=3 if switches.flatten else 2 if switches.is_thrown else 0,
        unproved_s=_since(now_ms, switches.switched_ms) if waits else 0.0,
        lease_held=bool(lease.holder) and lease.expires_ms > now_ms,
        epoch=lease.epoch,
        untold=untold,
        untold_s=untold_s,
        workers=alive,
        workers_dead=dead,
        unowned=len(rows) - owned if alive + dead else 0,
    )


def _workers(connection: sa.Connection, now_ms: int) -> tuple[int, int, int]:
    """How many workers live and how many are dead, and how many active accounts they own."""
    seen = sa.select(workers.c.seen_ms).where(workers.c.holder != "", workers.c.seen_ms > now_ms - WORKER_GONE_MS)
    ages = [now_ms - seen_ms for seen_ms in connection.scalars(seen)]
    lease = account_leases.c
    joined = accounts.join(users, users.c.id == accounts.c.user_id).join(
        account_leases, lease.account_id == accounts.c.id
    )
    held = (accounts.c.active, users.c.deleted_at.is_(None), lease.holder != "", lease.until_ms > now_ms)
    owned = connection.scalar(sa.select(sa.func.count()).select_from(joined).where(*held)) if ages else 0
    dead = sum(age > WORKER_DEAD_MS for age in ages)
    return len(ages) - dead, dead, owned or 0


def _unresolved(connection: sa.Connection, now_ms: int) -> tuple[dict[str, int], float]:
    """Open orders by state, and the age of the oldest that was sent."""
    query = sa.select(orders.c.state, sa.func.count(), sa.func.min(orders.c.created_ms)).group_by(orders.c.state)
    found = {row[0]: (row[1], row[2]) for row in connection.execute(query.where(orders.c.state.in_(_OPEN)))}
    sent = [since for state, (_, since) in found.items() if state != OrderState.PLANNED.value]
    return {state: count for state, (count, _) in found.items()}, _since(now_ms, min(sent, default=0))


def _locks(connection: sa.Connection, now_ms: int) -> dict[tuple[str, str], int]:
    everybodys = (("platform", lock.kind) for lock in locks.locks(connection, lambda _: now_ms, 0))
    query = (
        sa.select(risk_locks.c.kind)
        .join(accounts, accounts.c.id == risk_locks.c.account_id)
        .where(risk_locks.c.until_ms > now_ms, accounts.c.active)
    )
    return dict(Counter([*everybodys, *(("account", row.kind) for row in connection.execute(query))]))


def _untold(connection: sa.Connection, now_ms: int) -> tuple[int, float]:
    """The unsent notices, UNTOLD_MOST at most, and the age of the oldest: where no notifier runs they only grow."""
    unsent = sa.select(outbox.c.created_at).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id)
    first = unsent.limit(UNTOLD_MOST).subquery()
    count, oldest = connection.execute(sa.select(sa.func.count(), sa.func.min(first.c.created_at))).one()
    return count, _since(now_ms, 0 if oldest is None else epoch_ms(oldest))


def _since(now_ms: int, at_ms: int) -> float:
    return max(0.0, (now_ms - at_ms) / 1000) if at_ms else 0.0
