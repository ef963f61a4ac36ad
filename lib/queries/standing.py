"""
Whether an account trades, is stopping, or is proved stopped: switches, locks, open rows, and what a person must settle.

"Stopped" is said only of a switch that was proved and where nothing has come up since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger import locks
from lib.adapters.sql.ledger.rows import read_orders
from lib.adapters.sql.tables.people import account_symbols, accounts, symbols, system_flags, users
from lib.adapters.sql.tables.trading import orders, trader_lease
from lib.clock import Clock, SystemClock
from lib.domain.account import Venue
from lib.domain.gates import kinds_of
from lib.domain.locks import RiskLock
from lib.domain.order import TERMINAL, Order, OrderState
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING, Reason
from lib.domain.venues import pool_of
from lib.queries.audit import Audited, audit
from lib.queries.reading import Reading

State = Literal["off", "on", "stopping", "stopped"]
"""The one word for an account: on the dashboard, the settings, in the terminal and by REST."""
HOLDS = sa.exists().where(account_symbols.c.account_id == accounts.c.id, account_symbols.c.position_qty != ZERO)
"""Whether an account holds a position in any of its symbols."""
_OPEN = [state.value for state in OrderState if state not in TERMINAL]


@dataclass(frozen=True, slots=True)
class Switches:
    """The two switches of an account or the platform: when they were thrown, proved stopped (0 = not), and why."""

    trading_enabled: bool
    flatten: bool
    switched_ms: int
    proven_ms: int
    why: Reason

    @property
    def is_thrown(self) -> bool:
        return self.flatten or not self.trading_enabled


@dataclass(frozen=True, slots=True)
class Standing:
    """How one account stands. *switches* are its own, *platform* binds everybody; *open_rows* are not terminal."""

    account_id: int
    venue: str
    feed: str
    uid: str
    symbol: str
    auto_trade: bool
    position_qty: Decimal
    switches: Switches
    platform: Switches
    open_rows: tuple[Order, ...]
    locks: tuple[RiskLock, ...]
    platform_locks: tuple[RiskLock, ...]

    @property
    def state(self) -> State:
        """
        *on* or *off* is the auto-trading switch while no stop is thrown; *off* waits for what was sent to end.
        *stopped* only when proved, and nothing is open.
        """
        if self.is_halted:
            return "stopped" if self.proven_ms and not self.open_rows else "stopping"
        if self.auto_trade:
            return "on"
        return "stopping" if self.open_rows else "off"

    @property
    def is_halted(self) -> bool:
        """Whether a stop is thrown, by its owner, an operator or the system."""
        return bool(self._binding())

    @property
    def why(self) -> Reason:
        """Why it is halted; `NOTHING` when it is not, or its owner gave no reason."""
        return self.platform.why if self.platform.is_thrown else self.switches.why if self.is_halted else NOTHING

    @property
    def flattens(self) -> bool:
        return self.switches.flatten or self.platform.flatten

    @property
    def proven_ms(self) -> int:
        """When the strictest thrown switch was proved; 0 = not yet."""
        return max((one.proven_ms for one in self._binding()), default=0)

    @property
    def switched_ms(self) -> int:
        """When the strictest thrown switch was thrown; 0 = none is."""
        return max((one.switched_ms for one in self._binding()), default=0)

    @property
    def needs_human(self) -> tuple[Order, ...]:
        """Rows only a person can end."""
        return tuple(row for row in self.open_rows if row.state is OrderState.NEEDS_HUMAN)

    def _binding(self) -> list[Switches]:
        """The thrown switches that ask for most: closing where any asks for it."""
        thrown = [one for one in (self.platform, self.switches) if one.is_thrown]
        closing = [one for one in thrown if one.flatten]
        return closing or thrown


class StandingReadings(Reading):
    """Of the active account of one person."""

    def standing(self, user_id: int) -> Standing | None:
        """How the person's account stands; None without one."""
        mine = (accounts.c.user_id == user_id, accounts.c.active)
        found = self._read(lambda c: standings(c, self._clock.now_ms(), *mine))
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class PlatformStanding:
    """Everybody's switches and locks, and whether a trader is at work by its lease."""

    switches: Switches
    locks: tuple[RiskLock, ...]
    trader_alive: bool
    accounts: tuple[Standing, ...]


class OperatorReadings:
    """What the operator of a deployment sees: every account. A terminal's; the room's are `lib.queries.operating`."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def platform(self) -> PlatformStanding:
        """How everything stands now. *Retry* when the database is away."""
        return transact(self._engine, lambda c: _platform(c, self._clock.now_ms()), readonly=True)

    def audit(self) -> Iterator[Audited]:
        """Verify the history of every order, some at a time. *Retry* when the database is away."""
        return audit(self._engine)


def _platform(connection: sa.Connection, now_ms: int) -> PlatformStanding:
    alive = is_trader_alive(connection, now_ms)
    held = tuple(locks.locks(connection, lambda _: now_ms, 0))
    every = sa.or_(
        accounts.c.active, accounts.c.id.in_(sa.select(orders.c.account_id).where(orders.c.state.in_(_OPEN)))
    )
    return PlatformStanding(platform_switches(connection), held, alive, tuple(standings(connection, now_ms, every)))


def is_trader_alive(connection: sa.Connection, now_ms: int) -> bool:
    """Whether a trader holds the lease now."""
    lease = connection.execute(sa.select(trader_lease)).mappings().one()
    return bool(lease["holder"]) and lease["expires_ms"] > now_ms


def platform_switches(connection: sa.Connection) -> Switches:
    """The platform's switches."""
    row = connection.execute(sa.select(system_flags)).mappings().one()
    return Switches(**{name: row[name] for name in Switches.__dataclass_fields__})


def standings(connection: sa.Connection, now_ms: int, *where: sa.ColumnElement[bool]) -> list[Standing]:
    """How the accounts stand that *where* finds, by id."""
    query = (
        sa.select(accounts, users.c.auto_trade_enabled, users.c.deleted_at)
        .join(users, users.c.id == accounts.c.user_id)
        .where(*where)
        .order_by(accounts.c.id)
    )
    rows = connection.execute(query).mappings().all()
    open_rows = read_orders(connection, orders.c.state.in_(_OPEN), orders.c.account_id.in_([row["id"] for row in rows]))
    platform, everybodys = platform_switches(connection), tuple(locks.locks(connection, lambda _: now_ms, 0))
    of_symbols = _symbols_of(connection, [row["id"] for row in rows])
    return [
        _standing(connection, now_ms, dict(row) | of_symbols.get(row["id"], {}), open_rows, (platform, everybodys))
        for row in rows
    ]


def _symbols_of(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """
    Of each account the symbol that is told: the first with a position, the one that is shown first before the others.
    """
    query = (
        sa.select(account_symbols.c.account_id, symbols.c.symbol, account_symbols.c.position_qty)
        .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
        .join(accounts, accounts.c.id == account_symbols.c.account_id)
        .where(account_symbols.c.account_id.in_(numbers))
        .order_by(account_symbols.c.symbol_no != accounts.c.symbol_no, account_symbols.c.symbol_no)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query):
        told = {"symbol": row.symbol, "position_qty": row.position_qty}
        if row.account_id not in found or (row.position_qty and not found[row.account_id]["position_qty"]):
            found[row.account_id] = told
    return found


def _standing(
    connection: sa.Connection,
    now_ms: int,
    row: Mapping[str, Any],
    open_rows: Sequence[Order],
    everybodys: tuple[Switches, tuple[RiskLock, ...]],
) -> Standing:
    return Standing(
        account_id=row["id"],
        venue=row["venue"],
        feed=row["feed"],
        uid=row["uid"],
        symbol=row["symbol"],
        auto_trade=bool(row["auto_trade_enabled"]) and row["deleted_at"] is None,
        position_qty=row["position_qty"],
        switches=_own(row),
        platform=everybodys[0],
        open_rows=tuple(order for order in open_rows if order.account_id == row["id"]),
        locks=tuple(locks.locks(connection, lambda _: now_ms, row["id"])),
        platform_locks=_holding(row["venue"], everybodys[1]),
    )


def _holding(venue: Venue, everybodys: Sequence[RiskLock]) -> tuple[RiskLock, ...]:
    """The platform's locks that stop entries on *venue*, by their plain kinds."""
    named = ((kinds_of(pool_of(venue), (lock.kind,)), lock) for lock in everybodys)
    return tuple(replace(lock, kind=kinds[0]) for kinds, lock in named if kinds)


def _own(row: Mapping[str, Any]) -> Switches:
    names: dict[str, Any] = {name: row[name] for name in Switches.__dataclass_fields__ if name != "why"}
    return Switches(**names, why=row["pause_reason"])
