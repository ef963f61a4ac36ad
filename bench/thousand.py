"""
A thousand accounts in one cycle from one address, everybody buying, against the venue's own limits.

Ours is `run_cycle` over the real client, the shared limiter on a real Redis and a SQL ledger; the venue is the
simulator in a process of its own on real loopback HTTP with Bybit's limits on: 600 calls in 5 s from an address, then
HTTP 403 for ten minutes, and those per account and endpoint. The analyst answers at once. The clock starts at T, the
cycle two seconds later, as by the timetable. The venue itself says what the most calls in any 5 s were. The rate until
the last claim is held against 80 % of the venue's limit, 96 calls a second. An account whose entry is not its day's
first costs four calls (wallet, position, position again before signing, create); a day's first entry reads the margin
mode too, and `--first-of-day` measures that. Not measured: the guardian, who rests, and accounts whose leverage must be
set first (two calls more). The trader's own CPU stands beside the limit: what it took until the last claim, as a share
of the time until then. Start: `python -m bench.thousand`.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from lib.adapters.bybit.limits.limiter import IP_CALLS, IP_WINDOW_MS, SHARE
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.redis import embedded
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import orders
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SystemClock
from lib.domain.account import PlatformLimits
from lib.domain.account_records import NewAccount
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.day import utc_day
from lib.domain.decision import Decision
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import CYCLE_MS, Claim, Order, OrderState
from lib.simulator.server import SimulatorConfig, serve
from lib.simulator.venue import venue
from lib.simulator.venue.limits import AddressLimits
from lib.trading.context import TradingContext
from lib.trading.cycle.run import CycleReport, run_cycle

SYMBOL, FEED, INSTALLATION = "BTCUSDT", "synthetic", "bench"
BALANCE = Decimal(100_000)
VIEW = Decision("buy", Decimal("0.9"), 10, "bench", Decimal("0.02"), Decimal("0.05"))
LAG_MS = 2_000
"""The timetable starts a cycle this long after T."""
LAST_CLAIM_S = 60.0
FLOOR_PER_SECOND = IP_CALLS * SHARE / (IP_WINDOW_MS / 1000)
MOST_IN_WINDOW = int(IP_CALLS * SHARE)
HOME = "127.0.0.1"
SETTING_UP = "127.0.0.2"
"""Accounts are opened from another address, whose calls are not those of the cycle."""


class CountingTransport:
    """A transport that knows how often the venue said that it was too much."""

    def __init__(self, inner: AiohttpTransport) -> None:
        self._inner = inner
        self.refused = 0

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        status, named, answer = await self._inner.request(method, path, query, headers, body)
        self.refused += status in (403, 429) or b'"retCode":10006' in answer.replace(b" ", b"")
        return status, named, answer


class ClaimingLedger(SqlLedger):
    """A ledger that remembers when each claim was granted (epoch ms), and the process's CPU time then (s)."""

    claims: list[int]
    cpu_s: list[float]

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        claim = await super().claim(order, signed, holder)
        if claim.granted:
            self.claims.append(SystemClock().now_ms())
            self.cpu_s.append(time.process_time())
        return claim


class ReadyAnalyst:
    """Answers at once, always the same."""

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        return AnalystAnswer(VIEW, "", prompt.model, 0, 0, 0, False)


@dataclass
class Window:
    """The candles of one T, already in the store."""

    candles: list[Candle] = field(default_factory=list)

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        return self.candles

    async def set_status(self, fields: dict[str, str]) -> None:
        """Nobody looks."""


@dataclass(frozen=True)
class Result:
    """What one cycle of everybody came to."""

    accounts: int
    entered: int
    resolved: int
    claims_s: float
    cycle_s: float
    requests: int
    peak: int
    per_second: float
    refused: int
    cpu_s: float

    @property
    def is_fine(self) -> bool:
        all_of_them = self.entered == self.resolved == self.accounts
        return all_of_them and self.claims_s <= LAST_CLAIM_S and self.peak <= MOST_IN_WINDOW and not self.refused


# --- the venue, in its own process ------------------------------------------------------------------------------------


class Listening(AddressLimits):
    """The venue's own gate, which also writes down when each call of the trader's address came."""

    seen: tuple[list[int], ...] = ([],)

    def admits(self, remote: str, now: int) -> bool:
        if remote == HOME:
            self.seen[0].append(SystemClock().now_ms())
        return super().admits(remote, now)


async def serve_venue(folder: Path) -> None:
    """Serve until told to end; the port goes to standard output, the calls seen to a file."""
    venue.AddressLimits = Listening  # type: ignore[attr-defined]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = SimulatorConfig(FEED, folder / "simulator.db", port=0)
    await serve(config, stop, on_ready=lambda port: print(port, flush=True))
    (folder / "seen.json").write_text(json.dumps(Listening.seen[0]))


@asynccontextmanager
async def running_venue(folder: Path) -> AsyncIterator[str]:
    """The simulator in a process of its own; its URL."""
    command = [sys.executable, "-m", "bench.thousand", "--serve", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield f"http://{HOME}:{port}"
    finally:
        process.terminate()
        await process.wait()


# --- the people -------------------------------------------------------------------------------------------------------


async def open_accounts(url: str, count: int) -> list[tuple[str, ApiKey]]:
    """(uid, key) of *count* fresh accounts at the venue, opened no faster than it lets anybody."""
    body = json.dumps({"balance": str(BALANCE)}).encode()
    found: list[tuple[str, ApiKey]] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(SETTING_UP, 0))) as session:
        for number in range(count):
            async with session.post(f"{url}/sim/accounts", data=body) as reply:
                made = await reply.json()
            found.append((str(made["uid"]), ApiKey(made["apiKey"], made["apiSecret"])))
            if number % 50 == 49:
                await asyncio.sleep(0.5)
    return found


def enlist(engine: sa.Engine, sealer: VaultSealer, members: Sequence[tuple[str, ApiKey]], t_ms: int) -> None:
    """A person for each of *members*, trading since before T."""
    people = SqlAccounts(engine)
    for uid, key in members:
        user_id = people.add_user(f"{uid}@example.org", "!")
        people.add_account(
            NewAccount(
                user_id=user_id,
                venue="paper",
                feed=FEED,
                uid=uid,
                symbol=SYMBOL,
                sealed_key=sealer.seal(key, SealContext(user_id, "paper", uid, 1)),
                key_last4=key.api_key[-4:],
                key_version=1,
                start_balance=BALANCE,
                opened_ms=t_ms - 1,
            )
        )
        people.set_auto_trade(user_id, True, t_ms - 1)


# --- the cycle --------------------------------------------------------------------------------------------------------


@contextmanager
def opened_ledger(folder: Path, url: str) -> Iterator[tuple[sa.Engine, ClaimingLedger]]:
    """A migrated database of its own; *url* names an empty one, "" = SQLite."""
    engine = make_engine(url or f"sqlite:///{folder / 'ledger.db'}")
    migrate(engine)
    ledger = ClaimingLedger(engine, installation=INSTALLATION)
    ledger.claims, ledger.cpu_s = [], []
    try:
        yield engine, ledger
    finally:
        ledger.close()
        engine.dispose()


@asynccontextmanager
async def shared_limits(folder: Path) -> AsyncIterator[RedisLimits]:
    """The limiter over a real Redis of its own."""
    server = embedded.ensure(folder / "redis")
    redis = connect_async(server.url)
    try:
        yield RedisLimits(redis, SystemClock())
    finally:
        await redis.aclose()
        server.stop()


def context_of(
    url: str, transport: CountingTransport, limits: RedisLimits, ledger: SqlLedger, private_key: str
) -> TradingContext:
    """A trader's context whose limits of a whole platform do not count here."""
    clock = SystemClock()
    return TradingContext(
        orders=ledger,
        books=ledger,
        limits=ledger,
        switches=ledger,
        cycles=ledger,
        notifier=ledger,
        exchanges=BybitExchanges(VaultOpener([private_key]), {"paper": url}, lambda _: transport, clock, limits),
        market=BybitAsyncMarket(url, {"paper": url}, lambda _: transport, clock, limits),
        candles=Window(),
        analyst=ReadyAnalyst(),
        clock=clock,
        feed=FEED,
        model="bench",
        installation=INSTALLATION,
        holder="bench",
        lease_ms=600_000,
        platform=PlatformLimits(entries_per_day=10**6, max_exposure=Decimal(10) ** 12),
    )


async def measure(folder: Path, count: int, database: str, *, first_of_day: bool) -> Result:
    """One cycle of *count* accounts, whose entries are their day's first or not."""
    private, public = generate_keys()
    with opened_ledger(folder, database) as (engine, ledger):
        async with running_venue(folder) as url, shared_limits(folder) as limits, open_session() as session:
            transport = CountingTransport(AiohttpTransport(url, session))
            context = context_of(url, transport, limits, ledger, private)
            members = await open_accounts(url, count)
            await asyncio.to_thread(enlist, engine, VaultSealer(public), members, context.clock.now_ms())
            await as_by_the_last_cycle(context)
            if not first_of_day:
                await asyncio.to_thread(have_entered_today, engine, context)
            t_ms, report = await next_cycle(context)
            ended = context.clock.now_ms()
    seen = json.loads((folder / "seen.json").read_text())
    return summed_up(count, t_ms, ended, report, ledger, seen, transport.refused)


async def next_cycle(context: TradingContext) -> tuple[int, CycleReport]:
    """The cycle of the next T, two seconds after it; in the minutes between two nobody is due."""
    t_ms = context.clock.now_ms() // CYCLE_MS * CYCLE_MS + CYCLE_MS
    await context.clock.sleep((t_ms + LAG_MS - context.clock.now_ms()) / 1000)
    assert isinstance(context.candles, Window)
    context.candles.candles = await context.market.closed_candles(SYMBOL, "1m", end=t_ms - MINUTE_MS, limit=30)
    assert isinstance(context.orders, ClaimingLedger)
    context.orders.cpu_s.append(time.process_time())
    return t_ms, await run_cycle(context, t_ms)


async def as_by_the_last_cycle(context: TradingContext) -> None:
    """Every account was swept when it last ended a cycle, as in a trader that runs; these are new."""
    epoch = await context.switches.hold_lease(context.holder, context.lease_ms)
    assert epoch is not None
    for account in await context.switches.accounts():
        context.state.swept(account.slot, epoch)


def have_entered_today(engine: sa.Engine, context: TradingContext) -> None:
    """Each account sent an entry a cycle ago, which found no market; its modes were seen to be right then."""
    t_ms = context.clock.now_ms() // CYCLE_MS * CYCLE_MS - CYCLE_MS
    with engine.begin() as connection:
        found = connection.execute(sa.select(accounts.c.id, accounts.c.user_id, accounts.c.uid)).all()
        connection.execute(sa.insert(orders), [_past_entry(*row, t_ms) for row in found])
    for account_id, _, _ in found:
        context.state.modes_right(account_id, utc_day(t_ms))


def _past_entry(account_id: int, user_id: int, uid: str, t_ms: int) -> dict[str, object]:
    done = {"state": OrderState.CANCELLED.value, "attempts": 1, "side": "buy", "leverage": 10, "seq": 0, "leg": "e"}
    whose = {"account_id": account_id, "user_id": user_id, "uid": uid, "venue": "paper", "symbol": SYMBOL}
    return done | whose | {"t_ms": t_ms, "order_link_id": f"mmbench-past-{account_id}", "qty": Decimal(1)}


def summed_up(
    count: int, t_ms: int, ended: int, report: CycleReport, ledger: ClaimingLedger, seen: list[int], refused: int
) -> Result:
    """The figures of one run."""
    outcomes: dict[str, int] = {}
    for result in report.results:
        outcomes[f"{result.outcome}: {result.reason}"] = outcomes.get(f"{result.outcome}: {result.reason}", 0) + 1
    if report.idle or len(outcomes) > 1:
        print(report.idle, outcomes)
    orders = [order for result in report.results for order in result.orders]
    last = max(ledger.claims, default=ended)
    of_cycle = [at for at in seen if t_ms + LAG_MS <= at]
    to_last = [at for at in of_cycle if at <= last]
    return Result(
        accounts=count,
        entered=len([result for result in report.results if result.outcome == "bought"]),
        resolved=len([order for order in orders if order.state is OrderState.FILLED]),
        claims_s=(last - t_ms) / 1000,
        cycle_s=(ended - t_ms) / 1000,
        requests=len(of_cycle),
        peak=max((bisect_left(seen, at + IP_WINDOW_MS) - number for number, at in enumerate(seen)), default=0),
        per_second=len(to_last) / max((last - t_ms - LAG_MS) / 1000, 0.001),
        refused=refused,
        cpu_s=max(ledger.cpu_s) - min(ledger.cpu_s),
    )


def show(result: Result, took_s: float) -> None:
    """Print the figures."""
    print(
        f"{result.accounts} accounts, {result.entered} entered, {result.resolved} resolved   "
        f"last claim T + {result.claims_s:.1f} s ({result.claims_s / LAST_CLAIM_S:.2f} of the limit)   "
        f"all known T + {result.cycle_s:.1f} s\n"
        f"{result.requests} calls, at most {result.peak} in 5 s ({result.peak / MOST_IN_WINDOW:.2f} of 80 % of the "
        f"venue's limit), {result.refused} refused as too many   {result.per_second:.1f} calls/s until the last claim, "
        f"{result.per_second / FLOOR_PER_SECOND:.2f} of what the limit allows   {took_s:.0f} s in all\n"
        f"CPU until the last claim {result.cpu_s:.1f} s ({result.cpu_s / max(result.claims_s, 0.001):.2f} of the time, "
        f"{result.cpu_s * 1000 / result.accounts:.1f} ms an account)"
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--database", default="", help="an empty MariaDB or MySQL; SQLite when not given")
    parser.add_argument("--first-of-day", action="store_true", help="entries that are their day's first")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_venue(options.serve))
        return
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        kind = {"first_of_day": options.first_of_day}
        result = asyncio.run(measure(Path(name), options.accounts, options.database, **kind))
    show(result, time.monotonic() - began)
    sys.exit(0 if result.is_fine else 1)


if __name__ == "__main__":
    main()
