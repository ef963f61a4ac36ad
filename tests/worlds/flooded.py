"""
A web process as it is deployed, with candles and a person who has an account; what that person waits during a flood.

Nothing but the web runs: no floods end in the trader. People come from other loopback addresses than the flood.
"""

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import aiohttp

from lib.accounts.doors import Doors
from lib.accounts.entrance import PeopleStores
from lib.accounts.people import People
from lib.accounts.web import Origin, SignedIn
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.adapters.sql.forms.trail import SqlTrail
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import WebLock
from lib.clock import SystemClock
from lib.domain.account_records import NewAccount
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.platform_settings import Admission
from tests.browser.deployment import eventually, free_port
from tests.databases import with_schema
from tests.fakes.people import QuickHasher
from tests.web.whole import database_in

ROOT = Path(__file__).resolve().parents[2]
READY_S = 300
ANOTHER = "127.0.0.7"
"""Where the other person asks from."""


@dataclass
class Waits:
    """What somebody asked for while a flood went on: seconds by question, and whatever was not answered with 200."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def worst(self) -> float:
        return max((one for several in self.seconds.values() for one in several), default=0.0)


@dataclass(frozen=True)
class Web:
    """The process and the sessions of the people it knows."""

    port: int
    pid: int
    tokens: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory_mb(self) -> float:
        """What the process holds now (Linux)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    async def ask(self, waits: Waits, source: str = ANOTHER) -> None:
        """A person's page, their standing, and *pause*, each over a connection of its own."""
        for name, method, path in (
            ("page", "GET", "/"),
            ("read", "GET", "/api/standing"),
            ("pause", "POST", "/api/pause"),
        ):
            began = time.monotonic()
            try:
                status = await self._status(method, path, source)
            except (OSError, aiohttp.ClientError, TimeoutError) as lost:
                waits.failed.append(f"{name}: {type(lost).__name__}")
                continue
            waits.seconds.setdefault(name, []).append(time.monotonic() - began)
            if status != 200:
                waits.failed.append(f"{name}: {status}")

    async def _status(self, method: str, path: str, source: str) -> int:
        connector = aiohttp.TCPConnector(local_addr=(source, 0), force_close=True)
        timeout = aiohttp.ClientTimeout(total=20)
        headers = {"Cookie": f"maemae={self.tokens[0]}"}
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            body: dict[str, str] | None = {} if method == "POST" else None
            async with session.request(method, f"{self.url}{path}", json=body, headers=headers) as reply:
                await reply.read()
                return reply.status


@contextmanager
def web(folder: Path, people: int = 17) -> Iterator[Web]:
    """A running web in *folder* that knows *people* signed-in people, the first of them with an account."""
    with database_in(folder) as database:
        yield from _running(folder, database, people)


def _running(folder: Path, database: str, people: int) -> Iterator[Web]:
    redis = ensure(folder / "redis")
    env = _environment(folder, redis.url, database)
    try:
        tokens = _prepare(env, people)
        with (folder / "web.log").open("ab") as log:
            command = [sys.executable, "-m", "app.server"]
            with subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log) as process:
                try:
                    made = Web(int(env["PORT"]), process.pid, tokens)
                    eventually("the web answers", lambda: _answers(f"{made.url}/healthz"), READY_S)
                    yield made
                finally:
                    process.kill()
    finally:
        redis.stop()


def _environment(folder: Path, redis_url: str, database: str) -> dict[str, str]:
    _, public = generate_keys()
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FEED": "synthetic",
        "PORT": str(free_port()),
        "DATA_DIR": str(folder),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "ENCRYPTION_PUBLIC_KEY": public,
        "INSTALLATION": "flood",
    }


def _prepare(env: dict[str, str], count: int) -> tuple[str, ...]:
    engine, clock = make_engine(env["DATABASE_URL"]), SystemClock()
    with_schema(engine)
    stores = PeopleStores(
        SqlLogins(engine),
        SqlSessions(engine),
        SqlBrowsers(engine),
        SqlThrottles(engine),
        QuickHasher(),
        SqlTrail(engine),
        SqlSecondFactors(engine),
        WebLock(""),
    )
    people = People(stores, clock, lambda _: None, lambda: None, doors=Doors(Admission, clock, count))
    entered = [people.try_paper(accepted_risk=True, origin=Origin(f"10.0.{number}.1")) for number in range(count)]
    inside = [one for one in entered if isinstance(one, SignedIn)]
    opened = NewAccount(
        inside[0].user.user_id,
        "paper",
        "synthetic",
        "1",
        "BTCUSDT",
        "sealed",
        "0000",
        1,
        Decimal(10_000),
        clock.now_ms(),
    )
    SqlAccounts(engine).add_account(opened)
    engine.dispose()
    _fill(env["REDIS_URL"], clock.now_ms())
    return tuple(one.token for one in inside)


def _fill(redis_url: str, now_ms: int) -> None:
    first = now_ms // MINUTE_MS * MINUTE_MS - 5_000 * MINUTE_MS
    price = Decimal(60_000)
    made = [
        Candle(first + n * MINUTE_MS, price, price + n % 91, price - n % 89, price + n % 7, Decimal(n % 311))
        for n in range(5_000)
    ]
    client = connect(redis_url)
    RedisCandleStore(client).rebuild("BTCUSDT", "1m", made)
    client.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - our own loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


async def asking(web: Web, waits: Waits, times: int, every_s: float, source: str = ANOTHER) -> None:
    """Ask so many times, with so long between."""
    for _ in range(times):
        await web.ask(waits, source)
        await asyncio.sleep(every_s)
