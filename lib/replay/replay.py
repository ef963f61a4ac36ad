"""
A candle file, lived through by many people: what `make replay` runs.

The real stores (embedded by default, MariaDB and Redis by URL), the real use-cases, the simulator's engine, a stepped
clock. It ends with an audit of what the exchange knows against what our books say, to the last decimal.
"""

import csv
import gzip
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import cast

import redis
import sqlalchemy as sa

from lib.adapters.redis.connection import TlsVerify, connect, connect_async
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.ledger.rows import running_books
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import cycles, equity_points, fills, orders, trade_logs
from lib.adapters.vault import generate_keys
from lib.clock import SteppedClock
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.analyst_name import RULES_MODEL
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Halt
from lib.domain.order import CYCLE_MS, TERMINAL, OrderState
from lib.replay.rehearsal import Rehearsal, RehearsalNames, Stores
from lib.simulator.feeds import Feed, instrument_of
from lib.simulator.market.candle_files import read_candles
from lib.simulator.market.market import ReplayMarket, SyntheticMarket
from lib.simulator.server import SimulatorConfig, application, build
from lib.simulator.store import Store
from lib.trading.cycle.run import CycleReport

WARM_UP = 5_000
"""Candles of the file that are already past when trading begins: what the collector loads by REST."""
LEAST_WARM_UP = 60
"""What a file too short for that begins with: a decision sees thirty candles."""
CYCLES_A_DAY = 288
WISHES = (
    "",
    "보수적으로, 확실할 때만 들어가 주세요.",
    "Be aggressive: take every clean breakout.",
)
BALANCES = (Decimal(10_000), Decimal(1_000), Decimal(50_000), Decimal(150))
"""What people start with, USDT: the last is so small that many an entry is below the venue's minimum."""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay: *days* of *file* after the warm-up, by *users* people; empty URLs are embedded stores."""

    file: Path
    users: int
    days: int
    symbol: str
    database_url: str
    redis_url: str
    redis_tls_verify: str = "full"
    crowd: tuple[AccountSettings, ...] = ()
    """The settings of the people; () = those of `people`."""


@dataclass(slots=True)
class Findings:
    """What the audit found; the lists must be empty."""

    database: str = ""
    redis: str = ""
    first_ms: int = 0
    cycles: int = 0
    decided: int = 0
    skipped: int = 0
    skip_reasons: Counter[str] = field(default_factory=Counter)
    """How often a whole cycle was skipped for what, by the code of the reason."""
    notes: list[str] = field(default_factory=list)
    """What was not as it should be about the file."""
    answers: int = 0
    orders: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    fills: int = 0
    funding: int = 0
    stops: int = 0
    unresolved: list[str] = field(default_factory=list)
    naked: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    people: list["Person"] = field(default_factory=list)
    buy_and_hold: list[tuple[int, Decimal]] = field(default_factory=list)
    """(T, worth of 1 USDT of coins bought at the first T, without fees)."""

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        return not (self.unresolved or self.naked or self.unequal or self.missing)


@dataclass(frozen=True, slots=True)
class Person:
    """One account at the end: books beside the exchange, and its equity at every T."""

    label: str
    start: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    books: Decimal
    exchange: Decimal
    trades: int
    curve: tuple[tuple[int, Decimal], ...]


async def replay(plan: ReplayPlan, progress: Callable[[int, int], None]) -> Findings:
    """Run *plan* and audit it; *progress* hears (cycles done, cycles in all)."""
    file = read_candles(plan.file, instrument_of(plan.symbol))
    span = _span(file.candles, plan.days)
    if span.cycles < 1:
        raise Halt(f"candle file {plan.file}: is too short: {len(file.candles)} candles, and at least 70 are needed")
    with tempfile.TemporaryDirectory(prefix="maemae-replay-") as folder:
        found = await _with_stores(plan, file.candles, Path(folder), span, progress)
    found.notes += file.notes
    if span.cycles < plan.days * CYCLES_A_DAY:
        found.notes.append(f"the file ends before {plan.days} days are over")
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """The part that is lived through: *cycles* of them, the first at T *first* (epoch ms)."""

    first: int
    cycles: int


def _span(candles: Sequence[Candle], days: int) -> Span:
    """As many cycles of *days* as there are candles for, after a warm-up that a short file shortens."""
    begin, end = candles[0].open_time, candles[-1].open_time + MINUTE_MS
    spare = end - begin - days * CYCLES_A_DAY * CYCLE_MS
    ready = begin + min(WARM_UP, max(LEAST_WARM_UP, spare // MINUTE_MS)) * MINUTE_MS
    first = -(-ready // CYCLE_MS) * CYCLE_MS
    # a T at the very end would have no minute after it to trade in
    return Span(first, min(days * CYCLES_A_DAY, (end - first) // CYCLE_MS))


async def _with_stores(
    plan: ReplayPlan, candles: Sequence[Candle], folder: Path, span: Span, progress: Callable[[int, int], None]
) -> Findings:
    engine = make_engine(plan.database_url or f"sqlite:///{folder / 'replay.db'}")
    migrate(engine)
    _refuse_used(engine)
    embedded = None if plan.redis_url else ensure(folder / "redis")
    url = plan.redis_url or (embedded.url if embedded else "")
    verify = cast(TlsVerify, plan.redis_tls_verify)
    client, redis_async = connect(url, tls_verify=verify), connect_async(url, tls_verify=verify)
    try:
        stores = Stores(engine, client, redis_async)
        return await _play(plan, candles, folder, stores, span, progress)
    finally:
        await redis_async.aclose()
        client.close()
        engine.dispose()
        if embedded is not None:
            embedded.stop()


def _refuse_used(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        if connection.execute(sa.select(accounts.c.id).limit(1)).scalar() is not None:
            raise Halt("a replay needs a database of its own: this one already holds accounts")


async def _play(
    plan: ReplayPlan,
    candles: Sequence[Candle],
    folder: Path,
    stores: Stores,
    span: Span,
    progress: Callable[[int, int], None],
) -> Findings:
    first, total = span.first, span.cycles
    rules = instrument_of(plan.symbol)
    feed = Feed(ReplayMarket(plan.symbol, candles, rules.tick_size), {plan.symbol: rules})
    config = SimulatorConfig(feed=f"replay:{plan.file}", database=folder / "exchange.db", symbols=(plan.symbol,))
    clock = SteppedClock(first - CYCLE_MS)
    exchange = build(config, feed, Store(config.database, "replay"), clock)
    exchange.tick()
    secret, public = generate_keys()
    names = RehearsalNames(f"replay:{plan.file.name}", plan.symbol, RULES_MODEL, "replay", secret, public)
    found = Findings(database=_database_version(stores.engine), redis=_redis_version(stores.redis), first_ms=first)
    async with Rehearsal.opened(exchange, clock, stores, names, application(config, exchange, clock)) as rehearsal:
        labels = {}
        for number, settings in enumerate(plan.crowd or people(plan.users), 1):
            user_id = rehearsal.add_person(f"user{number:02d}@replay", settings, BALANCES[number % len(BALANCES)])
            labels[user_id] = f"user{number:02d} {settings.risk_level.value} {settings.max_leverage}x"
        await rehearsal.run(first + (total - 1) * CYCLE_MS, _counting(rehearsal, found, progress, total))
        audit(found, rehearsal, stores.engine, labels)
    found.buy_and_hold = _buy_and_hold(candles, first, total)
    return found


def people(count: int) -> list[AccountSettings]:
    """*count* people of mixed settings, always the same ones."""
    mixed = product((RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH), WISHES, ((3, False), (10, True), (25, False)))
    choices = [
        AccountSettings(risk_level=level, max_leverage=leverage, custom_prompt=wish, long_only=long_only)
        for level, wish, (leverage, long_only) in mixed
    ]
    # 7 and 27 have no common divisor: neighbours differ in every setting
    return [choices[number * 7 % len(choices)] for number in range(count)]


def _counting(
    rehearsal: Rehearsal, found: Findings, progress: Callable[[int, int], None], total: int
) -> Callable[[CycleReport], Awaitable[None]]:
    async def on_cycle(report: CycleReport) -> None:
        found.cycles += 1
        skipped = [result for result in report.results if result.outcome == "skipped" and not result.orders]
        if report.results and len(skipped) == len(report.results):
            found.skipped += 1
            found.skip_reasons[skipped[0].reason.code] += 1
        found.decided += len(skipped) < len(report.results)
        found.answers += len(report.answers)
        for result in report.results:
            found.outcomes[result.outcome] = found.outcomes.get(result.outcome, 0) + 1
            if result.difference:
                found.unequal.append(f"T {report.t_ms} account {result.account_id}: {result.difference}")
        _find_unprotected(rehearsal, found, report.t_ms)
        progress(found.cycles, total)

    return on_cycle


def _find_unprotected(rehearsal: Rehearsal, found: Findings, t_ms: int) -> None:
    """Straight into the exchange's own books, not through any client of ours."""
    for uid, account in rehearsal.exchange.engine.books.accounts.items():
        for holding in account.holdings.values():
            if not holding.position.is_flat and holding.position.stop_loss == 0:
                found.naked.append(f"T {t_ms} uid {uid}")


def audit(found: Findings, rehearsal: Rehearsal, engine: sa.Engine, labels: dict[int, str]) -> None:
    """Hold the database against the exchange's own books."""
    with engine.connect() as connection:
        found.orders = {
            str(state): count
            for state, count in connection.execute(sa.select(orders.c.state, sa.func.count()).group_by(orders.c.state))
        }
        found.unresolved = [
            f"{n} rows are {state}" for state, n in found.orders.items() if OrderState(state) not in TERMINAL
        ]
        found.fills = _count(connection, fills.c.kind == "trade")
        found.funding = _count(connection, fills.c.kind == "funding")
        found.stops = _count(connection, fills.c.is_stop)
        logged = connection.execute(sa.select(sa.func.count()).select_from(trade_logs)).scalar() or 0
        if logged != found.cycles * len(labels):
            found.missing.append(f"{logged} log rows instead of {found.cycles * len(labels)}")
        pending = connection.execute(
            sa.select(sa.func.count()).select_from(trade_logs).where(trade_logs.c.status == "pending")
        ).scalar()
        if pending:
            found.missing.append(f"{pending} log rows are pending")
        found.answers = connection.execute(sa.select(sa.func.count()).select_from(cycles)).scalar() or 0
        for row in connection.execute(sa.select(accounts).order_by(accounts.c.id)).mappings():
            found.people.append(_person(connection, rehearsal, row, labels[row["user_id"]]))
    for person in found.people:
        if person.books != person.exchange:
            found.unequal.append(f"{person.label}: books {person.books}, exchange {person.exchange}")


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(fills).where(condition)).scalar() or 0


def _person(connection: sa.Connection, rehearsal: Rehearsal, row: sa.RowMapping, label: str) -> Person:
    curve = connection.execute(
        sa.select(equity_points.c.t_ms, equity_points.c.equity)
        .where(equity_points.c.account_id == row["id"])
        .order_by(equity_points.c.t_ms)
    ).all()
    filled = orders.c.state.in_([OrderState.FILLED.value, OrderState.PARTIAL.value])
    trades = connection.execute(
        sa.select(sa.func.count()).select_from(orders).where(orders.c.account_id == row["id"], filled)
    ).scalar()
    exchange = rehearsal.exchange.engine.books.account(int(row["uid"])).cash
    books = running_books(row).balance
    return Person(
        label,
        row["start_balance"],
        row["realised"],
        row["fees"],
        row["funding"],
        books,
        exchange,
        trades or 0,
        tuple((t_ms, equity) for t_ms, equity in curve),
    )


def _buy_and_hold(candles: Sequence[Candle], first: int, total: int) -> list[tuple[int, Decimal]]:
    """What one USDT would be worth as coins bought at the first T, without fees."""
    closes = {candle.open_time + MINUTE_MS: candle.close for candle in candles}
    times = [first + number * CYCLE_MS for number in range(total)]
    last = bought = closes.get(first, candles[0].close)
    worth = []
    for t_ms in times:
        last = closes.get(t_ms, last)  # in a hole, what was paid before it
        worth.append((t_ms, last / bought))
    return worth


def _database_version(engine: sa.Engine) -> str:
    if engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT VERSION()").scalar())


def _redis_version(client: redis.Redis) -> str:
    info = client.info("server")
    return str(info["redis_version"]) if isinstance(info, dict) else "?"


def synthetic_file(folder: Path, days: int, seed: int = 7, symbol: str = "BTCUSDT") -> Path:
    """A candle file of the synthetic feed, long enough for *days*: what a replay uses when none is named."""
    market = SyntheticMarket(seed, {symbol: instrument_of(symbol)})
    begin = 1_735_689_600_000 - WARM_UP * MINUTE_MS  # 2025-01-01 00:00 UTC, after the warm-up
    file = folder / f"synthetic-{symbol}-{seed}-{days}d.csv.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["open_time", "open", "high", "low", "close", "volume"])
        for number in range(WARM_UP + days * 1440 + 10):
            candle = market.candle(symbol, begin + number * MINUTE_MS)
            if candle is not None:
                writer.writerow([candle.open_time, candle.open, candle.high, candle.low, candle.close, candle.volume])
    return file
