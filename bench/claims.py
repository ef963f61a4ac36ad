"""
From the analyst's answers to the last order's send, for 200 accounts, against the bare signed-HTTP floor, in one run.

Ours is `run_cycle` over the real client, a SQLite ledger and the simulator in a process of its own on real loopback
HTTP: gates, sizing, plan, leverage check, claim, send, while the first orders are already being asked about. The clock
starts when the answers are there, prefetching being done by then. The floor makes the same signed calls an account
needs from there to its day's first order (position, margin mode, create), all accounts at once, with nothing in
between. Rounds are interleaved on fresh accounts and medians compared. Each round has a minute of its own, from its
beginning, so that no figure depends on the second the command was started in. Both sides lift the limit of calls per
address, which the venue would hold everybody to. Start: `python -m bench.claims`.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import aiohttp

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.bybit.signing import signed_headers
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SystemClock
from lib.domain.account import AccountSettings, PlatformLimits
from lib.domain.account_records import NewAccount
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Decision
from lib.domain.order import MAX_AGE_MS
from lib.simulator.server import SimulatorConfig, serve
from lib.simulator.venue.venue import VenueConfig
from lib.trading.context import TradingContext
from lib.trading.cycle.run import CycleReport, run_cycle

SYMBOL, FEED, INSTALLATION = "BTCUSDT", "synthetic", "bench"
WALLET, POSITION, CREATE = "/v5/account/wallet-balance", "/v5/position/list", "/v5/order/create"
MODES = "/v5/account/info"
BALANCE = Decimal(100_000)
LEVERAGE = 10  # what a fresh account has: the usual case, in which nothing needs setting
VIEW = Decision("buy", Decimal("0.9"), LEVERAGE, "bench", Decimal("0.02"), Decimal("0.05"))
QUIET_S = 0.2
TOO_OLD = 10002
CLOSED_MS = 1_000
"""How long after T its candle is there."""

Member = tuple[str, ApiKey]
"""(uid, key) of an account at the simulator."""


class TimedTransport:
    """A transport that knows when each create left, how many wallets were read and whether anything is under way."""

    def __init__(self, inner: AiohttpTransport) -> None:
        self._inner = inner
        self.left: list[float] = []
        self.on_create: Callable[[], None] = lambda: None
        self.wallets = 0
        self.under_way = 0
        self.last_at = 0.0

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        if path == CREATE:
            self.left.append(time.perf_counter())
            self.on_create()
        self.under_way += 1
        try:
            return await self._inner.request(method, path, query, headers, body)
        finally:
            self.wallets += path == WALLET
            self.under_way -= 1
            self.last_at = time.perf_counter()


@dataclass
class ReadyAnalyst:
    """Answers once *accounts* have been read; remembers when."""

    transport: TimedTransport
    accounts: int = 0
    answered_at: float = 0.0
    on_answer: Callable[[], None] = field(default=lambda: None)

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        while not self._prefetched():  # noqa: ASYNC110 - it is the absence of events that is waited for
            await asyncio.sleep(0.01)
        self.answered_at = time.perf_counter()
        self.on_answer()
        return AnalystAnswer(VIEW, "", prompt.model, 0, 0, 0, False)

    def _prefetched(self) -> bool:
        seen = self.transport
        quiet = not seen.under_way and time.perf_counter() - seen.last_at > QUIET_S
        return quiet and seen.wallets >= self.accounts


@dataclass
class Window:
    """The candles of one T, already in the store."""

    candles: list[Candle] = field(default_factory=list)

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        return self.candles

    async def set_status(self, fields: dict[str, str]) -> None:
        """Nobody looks."""


class Bench:
    """Everything both sides use; one venue, one session. *database* names an empty one, "" = SQLite in *folder*."""

    def __init__(self, folder: Path, url: str, session: aiohttp.ClientSession, database: str = "") -> None:
        self.url, self.session = url, session
        self.transport = TimedTransport(AiohttpTransport(url, session))
        self.analyst, self.window = ReadyAnalyst(self.transport), Window()
        self.engine = make_engine(database or f"sqlite:///{folder / 'ledger.db'}")
        migrate(self.engine)
        self.accounts = SqlAccounts(self.engine)
        self.round = 0
        self.ledger = SqlLedger(self.engine, installation=INSTALLATION)
        private, public = generate_keys()
        self.sealer = VaultSealer(public)
        clock = SystemClock()
        limiter = LocalLimiter(clock, ip_calls=0)
        self.context = TradingContext(
            orders=self.ledger,
            books=self.ledger,
            limits=self.ledger,
            switches=self.ledger,
            cycles=self.ledger,
            notifier=self.ledger,
            exchanges=BybitExchanges(VaultOpener([private]), {"paper": url}, lambda _: self.transport, clock, limiter),
            market=BybitAsyncMarket(url, {"paper": url}, lambda _: self.transport, clock, limiter),
            candles=self.window,
            analyst=self.analyst,
            clock=clock,
            feed=FEED,
            model="bench",
            installation=INSTALLATION,
            holder="bench",
            lease_ms=600_000,
            # a whole platform's limits would end the measurement: round after round adds to one day and one exposure
            platform=PlatformLimits(entries_per_day=10**6, max_exposure=Decimal(10) ** 12),
        )

    async def members(self, count: int) -> list[Member]:
        """Fresh accounts at the simulator."""
        body = json.dumps({"balance": str(BALANCE)}).encode()
        found = []
        for _ in range(count):
            async with self.session.post(f"{self.url}/sim/accounts", data=body) as reply:
                made = await reply.json()
            found.append((str(made["uid"]), ApiKey(made["apiKey"], made["apiSecret"])))
        return found

    def enlist(self, member: Member, t_ms: int) -> int:
        """A person with *member* as their account, trading since before T; the user's id."""
        uid, key = member
        user_id = self.accounts.add_user(f"{uid}@example.org", "!")
        self.accounts.add_account(
            NewAccount(
                user_id=user_id,
                venue="paper",
                feed=FEED,
                uid=uid,
                symbol=SYMBOL,
                sealed_key=self.sealer.seal(key, SealContext(user_id, "paper", uid, 1)),
                key_last4=key.api_key[-4:],
                key_version=1,
                start_balance=BALANCE,
                opened_ms=t_ms - 1,
            )
        )
        # a prompt group for each round: T may be the last round's, whose answer would stand
        self.accounts.change_settings(user_id, AccountSettings(custom_prompt=f"round {self.round}"))
        self.accounts.set_auto_trade(user_id, True, t_ms - 1)
        return user_id

    async def enlisted(self, count: int) -> list[int]:
        """The user ids of *count* fresh people, trading since before the next T."""
        members = await self.members(count)
        self.round += 1
        now = self.context.clock.now_ms()
        return [await asyncio.to_thread(self.enlist, member, now) for member in members]

    async def next_t(self) -> int:
        """
        The minute that begins now, with its candles in the store.

        Waited for: late in a minute the decision is nearly too old, and the price may have left the newest close.
        """
        clock = self.context.clock
        t_ms = clock.now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
        await clock.sleep((t_ms + CLOSED_MS - clock.now_ms()) / 1000)
        self.window.candles = await self.context.market.closed_candles(SYMBOL, "1m", end=t_ms - MINUTE_MS, limit=30)
        return t_ms

    async def cycle(self, t_ms: int, users: Sequence[int]) -> CycleReport:
        """The cycle of T, in which all of *users* buy; they trade no more afterwards."""
        self.transport.left.clear()
        self.transport.wallets, self.analyst.accounts = 0, len(users)
        report = await run_cycle(self.context, t_ms)
        _check(report, len(self.transport.left), len(users))
        for user_id in users:
            await asyncio.to_thread(self.accounts.set_auto_trade, user_id, False, t_ms)
        return report

    async def ours(self, count: int) -> float:
        """Seconds from the answers to the last of *count* orders leaving."""
        users = await self.enlisted(count)
        await self.cycle(await self.next_t(), users)
        return max(self.transport.left) - self.analyst.answered_at

    async def floor(self, count: int) -> float:
        """Seconds from the start to the last of *count* orders leaving, with nothing but signed calls."""
        members = await self.members(count)
        ticker = await self.context.market.ticker("paper", SYMBOL)
        self.transport.left.clear()
        began = time.perf_counter()
        await asyncio.gather(*(self._bare(member, ticker.last) for member in members))
        if len(self.transport.left) != count:
            raise RuntimeError("the floor did not send every order")
        return max(self.transport.left) - began

    async def _bare(self, member: Member, price: Decimal) -> None:
        uid, key = member
        query = f"category=linear&symbol={SYMBOL}"
        await self._call(key, "GET", POSITION, query, b"")
        await self._call(key, "GET", MODES, "", b"")
        body = {
            "category": "linear",
            "symbol": SYMBOL,
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.100",
            "price": str((price * Decimal("1.003")).quantize(Decimal("0.1"))),
            "timeInForce": "IOC",
            "positionIdx": 0,
            "orderLinkId": f"floor-{uid}",
            "stopLoss": str((price * Decimal("0.98")).quantize(Decimal("0.1"))),
            "tpslMode": "Full",
        }
        await self._call(key, "POST", CREATE, "", json.dumps(body).encode())

    async def _call(self, key: ApiKey, method: str, path: str, query: str, body: bytes) -> None:
        headers = signed_headers(key, self.context.clock.now_ms() - 100, query.encode() or body)
        if body:
            headers["Content-Type"] = "application/json"
        status, _, answer = await self.transport.request(method, path, query, headers, body)
        # it has left, which is what counts; on a busy machine the venue may come to it when its signature is old
        if status != 200 or json.loads(answer)["retCode"] not in (0, TOO_OLD):
            raise RuntimeError(f"the floor was refused: {answer[:200]!r}")


def _check(report: CycleReport, sent: int, count: int) -> None:
    outcomes = {result.outcome for result in report.results}
    if outcomes != {"bought"} or len(report.results) != count or sent != count:
        # an order that is still PLANNED counts as what was planned: its signatures grew old before their claims
        states = Counter(order.state.value for result in report.results for order in result.orders)
        raise RuntimeError(f"not every account bought: {outcomes}, {sent} orders of {count}, {states} {report.idle}")


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[str]:
    """The simulator in a process of its own; its URL."""
    command = [sys.executable, "-m", "bench.claims", "--serve", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def serve_simulator(folder: Path) -> None:
    """Serve until terminated; the port goes to standard output."""
    config = SimulatorConfig(FEED, folder / "simulator.db", port=0, venue=VenueConfig(ip_limit=None))
    await serve(config, asyncio.Event(), on_ready=lambda port: print(port, flush=True))


async def compare(accounts: int, rounds: int) -> None:
    """Run and print."""
    ours: list[float] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        async with simulator(Path(name)) as url, open_session() as session:
            bench = Bench(Path(name), url, session)
            await bench.floor(accounts)  # connections are open before anything counts
            for _ in range(rounds):
                floor.append(await bench.floor(accounts))
                ours.append(await bench.ours(accounts))
            bench.ledger.close()
    _print(accounts, floor, ours)


def _print(accounts: int, floor: Sequence[float], ours: Sequence[float]) -> None:
    bare, whole = statistics.median(floor), statistics.median(ours)
    print(
        f"{accounts} accounts, {len(ours)} rounds   "
        f"bare signed HTTP {bare:.3f} s   answers to last send {whole:.2f} s   "
        f"ratio {bare / whole:.3f} of the floor, {whole / (MAX_AGE_MS / 1000):.3f} of the time an entry has"
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_simulator(options.serve))
    else:
        asyncio.run(compare(options.accounts, options.rounds))


if __name__ == "__main__":
    main()
