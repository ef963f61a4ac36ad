"""
What the gates before real money are judged by, read in one transaction.

In a claim the first cap ever written is locked first, the one row all claims find whatever is written meanwhile: two
entries with real money are never ruled side by side, so that neither passes a cap the other is using up. A row that
cannot be read closes the gates it is read for, and raises nothing. Nothing here decides.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.ledger.roster import unbooked
from lib.adapters.sql.ledger.rows import exclusively
from lib.adapters.sql.ledger.stretches import REAL, of_running
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import account_symbols, accounts, outbox, symbols, users
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps, real_consents
from lib.adapters.sql.tables.safety import authenticators, passkeys
from lib.adapters.sql.tables.trading import cycles, equity_points, orders, trade_logs
from lib.domain.account import RiskLevel, Slot
from lib.domain.order import TERMINAL, OrderState
from lib.domain.position import ZERO
from lib.domain.preflight import Card, CardResult, PreflightRun
from lib.domain.real_money import (
    DAY_MS,
    INCIDENTS,
    LEAST_DAYS,
    REHEARSALS,
    RealCap,
    RealFacts,
    RealGate,
    RehearsedDay,
    read_cap,
)
from lib.domain.reason import NOTHING
from lib.domain.stretch import Step
from lib.settings import VERSION

LOG = log.get("ledger.real_money")
HOUR_MS = 3_600_000
NEWEST_RUNS = 50
"""Of one kind: reading runs, however many, hide no run whose order cards passed."""
LOOK_BACK_MS = (LEAST_DAYS + 30) * DAY_MS
_OPEN = [state.value for state in OrderState if state not in TERMINAL]
_TURN = exclusively(sa.select(real_caps.c.id).order_by(real_caps.c.id).limit(1))
_CAP = sa.select(real_caps).order_by(real_caps.c.id.desc()).limit(1)
_ACCOUNT = sa.select(accounts.c.user_id, accounts.c.venue, accounts.c.uid, accounts.c.key_version).where(
    accounts.c.id == sa.bindparam("of_account")
)
UNREADABLE = (ValueError, TypeError, ArithmeticError, AttributeError)
"""What a row of another kind than its writer's raises; trouble with the database itself is none of these."""
_T = TypeVar("_T")
_CARDS = {card.value: card for card in Card}


def take_turn(connection: sa.Connection) -> None:
    """Wait until no other claim with real money is under way, and keep others waiting until this one is decided."""
    connection.execute(_TURN).one_or_none()


class _Reader:
    """Reads for one gate or more; what cannot be read is *nothing* in its place, and the gates are noted."""

    def __init__(self) -> None:
        self.unreadable: set[RealGate] = set()

    def __call__(self, gates: Iterable[RealGate], nothing: _T, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except UNREADABLE as trouble:
            LOG.warning("real_money.unreadable", gates=[gate.value for gate in gates], trouble=type(trouble).__name__)
            self.unreadable.update(gates)
            return nothing


@dataclass(frozen=True, slots=True)
class Entering:
    """An entry that is asked about: what it would add, USDT, by the decision of T."""

    t_ms: int
    notional: Decimal


def real_facts(connection: sa.Connection, slot: Slot, now: int, entry: Entering | None = None) -> RealFacts:
    """Everything known of the account on a venue with real money at *now*, and of the *entry* there asked about."""
    read, c, account_id = _Reader(), connection, slot[0]
    of_cards, of_days, of_cap = (RealGate.CARDS,), (RealGate.CLEAN_DAYS,), (RealGate.CAP,)
    user_id, venue, uid, key_version = c.execute(_ACCOUNT, {"of_account": account_id}).one()
    cap = read(of_cap, None, lambda: newest_cap(c))
    consent = read((RealGate.CONSENT,), 0, lambda: _consent(c, account_id, key_version))
    others = _rehearsing(c, user_id)
    own = (preflight_runs.c.venue == venue, preflight_runs.c.uid == uid)
    facts = RealFacts(
        now=now,
        version=VERSION,
        rehearsals=read(of_cards, [], lambda: _flown(c, preflight_runs.c.venue.in_(REHEARSALS))),
        own=read((RealGate.PREFLIGHT, RealGate.CANARY), [], lambda: [*_runs(c, *own), *_flown(c, *own)]),
        days=read(of_days, [], lambda: _days(c, others, now)),
        trades=_trades(c, others),
        unresolved=_unresolved(c, others),
        cap=cap,
        incidents=read(of_cap, 0, lambda: _incidents(c, cap)),
        has_factor=_has_factor(c, user_id),
        has_consent=consent > 0,
        rank=_rank(c, account_id, consent),
        positions=open_positions(c, slot),
        opened_today=read(of_cap, ZERO, lambda: opened_today(c, now)),
        equity=read(of_cap, ZERO, lambda: _equity(c, account_id)),
        level=read(of_cap, RiskLevel.HIGH, lambda: _level(c, user_id)),
        notional=ZERO if entry is None else entry.notional,
        stretches=read((RealGate.EVIDENCE,), [], lambda: of_running(c, user_id, Step.REAL)),
        answered=None if entry is None else _answered(c, slot, entry.t_ms),
    )
    return replace(facts, unreadable=frozenset(read.unreadable))


def newest_cap(connection: sa.Connection) -> RealCap | None:
    """The cap that holds, as it was written; *ValueError* for one that cannot be read."""
    row = connection.execute(_CAP).mappings().one_or_none()
    if row is None:
        return None
    cap = read_cap(row["accounts"], row["equity"], row["positions"], row["a_day"], row["who"])
    return replace(cap, written_ms=int(row["written_ms"]))


def _answered(connection: sa.Connection, slot: Slot, t_ms: int) -> str:
    """The model that answered at T for what trades in *slot*; "" where no answer is known."""
    log = trade_logs.c
    of = sa.select(cycles.c.model).join(trade_logs, log.cycle_id == cycles.c.id)
    of = of.where(log.account_id == slot[0], log.symbol == slot[1], log.t_ms == t_ms)
    return connection.scalar(of) or ""


def _level(connection: sa.Connection, user_id: int) -> RiskLevel:
    return RiskLevel(connection.scalar(sa.select(users.c.risk_level).where(users.c.id == user_id)) or "high")


def _finite(money: Decimal) -> Decimal:
    if not money.is_finite():
        raise ValueError(f"{money} is no money")
    return money


def _runs(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[PreflightRun]:
    query = sa.select(preflight_runs).where(*where).order_by(preflight_runs.c.id.desc()).limit(NEWEST_RUNS)
    return [_run(row) for row in connection.execute(query).mappings()]


def _flown(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[PreflightRun]:
    """Runs of this version whose order cards passed."""
    table = preflight_runs.c
    return _runs(connection, table.orders_passed.is_(True), table.version == VERSION, *where)


def _run(row: sa.RowMapping) -> PreflightRun:
    results = [
        CardResult(_CARDS[name], passed is True, NOTHING) for name, passed in row["cards"].items() if name in _CARDS
    ]
    told = {name: row[name] for name in ("venue", "uid", "host", "version", "symbol")}
    return PreflightRun(**told, started_ms=int(row["started_ms"]), results=tuple(results))


def _consent(connection: sa.Connection, account_id: int, key_version: int) -> int:
    """The number of the consent that stands for this key, 0 = none."""
    table = real_consents.c
    newest = sa.select(table.id, table.key_version, table.withdrawn_ms).where(table.account_id == account_id)
    row = connection.execute(newest.order_by(table.id.desc()).limit(1)).one_or_none()
    return row.id if row is not None and row.key_version == key_version and not row.withdrawn_ms else 0


def _rank(connection: sa.Connection, account_id: int, consent: int) -> int:
    """How many other real accounts that could enter were consented to before: by consents that stand for their keys."""
    table = real_consents.c
    newest = sa.select(sa.func.max(table.id)).group_by(table.account_id)
    before = (
        sa.select(sa.func.count())
        .select_from(real_consents)
        .join(accounts, accounts.c.id == table.account_id)
        .join(users, users.c.id == accounts.c.user_id)
        .where(table.id.in_(newest), table.id < consent, table.account_id != account_id, table.withdrawn_ms == 0)
        .where(accounts.c.active.is_(True), accounts.c.venue.in_(REAL), accounts.c.key_version == table.key_version)
        .where(users.c.deleted_at.is_(None))
    )
    return connection.scalar(before) or 0


def _rehearsing(connection: sa.Connection, user_id: int) -> list[int]:
    """
    The person's accounts that traded there and nowhere else: by their orders, which the web cannot write, so that a
    row of `accounts` that was made another's or another venue's vouches for nobody.
    """
    elsewhere = sa.exists().where(
        orders.c.account_id == accounts.c.id,
        sa.or_(orders.c.venue.not_in(REHEARSALS), orders.c.user_id != accounts.c.user_id),
    )
    mine = sa.select(accounts.c.id).where(
        accounts.c.user_id == user_id, accounts.c.venue.in_(REHEARSALS), sa.not_(elsewhere)
    )
    return list(connection.scalars(mine))


def _days(connection: sa.Connection, numbers: list[int], now: int) -> list[RehearsedDay]:
    hour, table = (equity_points.c.t_ms // HOUR_MS).label("hour"), equity_points.c
    grouped = (
        sa.select(hour, table.difference, sa.func.count())
        .where(table.account_id.in_(numbers), table.t_ms >= now - LOOK_BACK_MS)
        .group_by(hour, table.difference)
    )
    hours: dict[int, set[int]] = {}
    differing: dict[int, int] = {}
    for at, difference, count in connection.execute(grouped):
        day = int(at) * HOUR_MS // DAY_MS
        hours.setdefault(day, set()).add(int(at))
        differing[day] = differing.get(day, 0) + (count if difference else 0)
    told = _told_by_day(connection, numbers, now)
    return [
        RehearsedDay(day, len(hours.get(day, ())), differing.get(day, 0), told.get(day, 0))
        for day in hours.keys() | told
    ]


def _told_by_day(connection: sa.Connection, numbers: list[int], now: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for moment in connection.scalars(_told(numbers, now - LOOK_BACK_MS)):
        day = int(moment.timestamp() * 1000) // DAY_MS
        counts[day] = counts.get(day, 0) + 1
    return counts


def _told(numbers: Iterable[int], since_ms: int) -> "sa.Select[Any]":
    kinds = [kind.value for kind in INCIDENTS]
    return sa.select(outbox.c.created_at).where(
        outbox.c.account_id.in_(list(numbers)), outbox.c.kind.in_(kinds), outbox.c.created_at >= utc_from_ms(since_ms)
    )


def _trades(connection: sa.Connection, numbers: list[int]) -> int:
    filled = [OrderState.FILLED.value, OrderState.PARTIAL.value]
    query = sa.select(sa.func.count()).where(
        orders.c.account_id.in_(numbers), orders.c.leg == "e", orders.c.state.in_(filled)
    )
    return connection.scalar(query) or 0


def _unresolved(connection: sa.Connection, numbers: list[int]) -> int:
    query = sa.select(sa.func.count()).where(orders.c.account_id.in_(numbers), orders.c.state.in_(_OPEN))
    return connection.scalar(query) or 0


def _incidents(connection: sa.Connection, cap: RealCap | None) -> int:
    """What went wrong on any real account since the cap was written."""
    if cap is None:
        return 0
    numbers = connection.scalars(sa.select(accounts.c.id).where(accounts.c.venue.in_(REAL))).all()
    return len(connection.scalars(_told(numbers, cap.written_ms)).all())


def _has_factor(connection: sa.Connection, user_id: int) -> bool:
    confirmed = sa.select(authenticators.c.user_id).where(
        authenticators.c.user_id == user_id, authenticators.c.confirmed.is_(True)
    )
    keyed = sa.select(passkeys.c.id).where(passkeys.c.user_id == user_id).limit(1)
    return connection.execute(confirmed).first() is not None or connection.execute(keyed).first() is not None


def open_positions(connection: sa.Connection, slot: Slot) -> int:
    """
    Positions of real accounts but the one in *slot* that are open, may be by an entry on its way, or are not yet
    booked: an account has one in each of its symbols.
    """
    held = (
        sa.select(account_symbols.c.account_id, symbols.c.symbol)
        .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
        .join(accounts, accounts.c.id == account_symbols.c.account_id)
        .where(accounts.c.venue.in_(REAL), sa.or_(account_symbols.c.position_qty != ZERO, unbooked))
    )
    coming = sa.select(orders.c.account_id, orders.c.symbol).where(
        orders.c.venue.in_(REAL), orders.c.leg == "e", orders.c.attempts > 0, orders.c.state.in_(_OPEN)
    )
    found = {(number, symbol) for query in (held, coming) for number, symbol in connection.execute(query)}
    return len(found - {slot})


def opened_today(connection: sa.Connection, now: int) -> Decimal:
    """USDT of the entries of the UTC day on all real accounts: what filled, or may still fill."""
    table = orders.c
    sent = sa.select(table.state, table.qty, table.filled_qty, table.limit_price).where(
        table.leg == "e", table.t_ms >= now - now % DAY_MS, table.attempts > 0, table.venue.in_(REAL)
    )
    rows = connection.execute(sent).all()
    sums = (row.limit_price * (row.filled_qty if row.state in TERMINAL else row.qty or ZERO) for row in rows)
    return _finite(sum(sums, ZERO))


def _equity(connection: sa.Connection, account_id: int) -> Decimal:
    """The equity last seen, or the balance our books began with."""
    points = sa.select(equity_points.c.equity).where(equity_points.c.account_id == account_id)
    seen = connection.scalar(points.order_by(equity_points.c.t_ms.desc()).limit(1))
    start = sa.select(accounts.c.start_balance).where(accounts.c.id == account_id)
    return _finite(connection.execute(start).scalar_one() if seen is None else seen)
