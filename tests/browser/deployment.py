"""
A deployment of this test's own: simulator, collector, trader and web as real processes on free loopback ports.

Its clock begins shortly after a five-minute boundary of the last days, so that no cycle of the timetable comes
between, and its synthetic market makes the local analyst want a position at each of the first three minutes.
Accounts trade BTCUSDT; ETHUSDT can be looked at beside it.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import new_secret
from lib.clock import SystemClock
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS
from lib.simulator.analyst.rules import Question, analyse
from lib.simulator.feeds import INSTRUMENTS
from lib.simulator.market.market import SyntheticMarket
from tests.browser.postbox import Postbox, postbox
from tests.databases import with_schema

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("simulator", "collector", "trader", "web")
BEGIN_MS = 5_000
"""How long after a boundary the deployment's clock begins."""
ASKED_WITHIN = range(3)
"""The minutes after that boundary in which somebody may ask."""
NEW_MS = 2 * MINUTE_MS
"""How long after its beginning somebody may still come in for the first time, to ask within ASKED_WITHIN."""
SEARCHED_MS = 2 * 24 * 60 * MINUTE_MS
READY_S = 300
STOP_S = 15


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moment_that_trades(now_ms: int) -> tuple[int, int]:
    """
    A boundary of the last two days and the seed of a synthetic market that moves there: the local analyst is
    convinced at every minute of ASKED_WITHIN.

    Both are looked for, because whole hours exist in which hardly any seed moves for three minutes running: the
    lattice of the noise is the same for all of them.
    """
    newest = now_ms // CYCLE_MS * CYCLE_MS
    for t_ms in range(newest, newest - SEARCHED_MS, -CYCLE_MS):
        for seed in range(1, 200):
            market = SyntheticMarket(seed, {"BTCUSDT": INSTRUMENTS["BTCUSDT"]})
            if all(_convinced(market, t_ms + n * MINUTE_MS) for n in ASKED_WITHIN):
                return t_ms, seed
    raise AssertionError("no synthetic market moves in two days")


def _convinced(market: SyntheticMarket, t_ms: int) -> bool:
    found = [market.candle("BTCUSDT", t_ms - n * MINUTE_MS) for n in range(30, 0, -1)]
    opinion = analyse(Question(tuple(candle for candle in found if candle), "medium", 10))
    return opinion.action != "hold" and opinion.confidence >= Decimal("0.70")


def eventually(what: str, holds: Callable[[], Any], seconds: float) -> Any:
    """Ask until *holds* gives something true; the deadline is a failure, not a rhythm."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")


@dataclass
class Deployment:
    """The processes, their environment and the clock they live by."""

    folder: Path
    env: dict[str, str]
    shift_ms: int
    engine: sa.Engine
    post: Postbox
    """Where its letters go."""
    began_ms: int
    """What their clocks said when it was made."""
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.env['PORT']}"

    @property
    def now_ms(self) -> int:
        """What the processes' clocks say."""
        return SystemClock().now_ms() + self.shift_ms

    @property
    def is_new(self) -> bool:
        """Whether its market still moves for long enough that somebody can come in and ask."""
        return self.now_ms - self.began_ms < NEW_MS

    def start(self, service: str) -> None:
        """Start one process; what it says goes to a file of its own."""
        command = [sys.executable, "-m", "tests.e2e.shifted", service, str(self.shift_ms)]
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)

    def said(self, service: str) -> str:
        """What that process wrote."""
        return (self.folder / f"{service}.log").read_text(errors="replace")

    def await_ready(self) -> None:
        """Until pages answer and the newest closed candle is stored."""
        eventually("the simulator listens", lambda: _listens(self.env["SIMULATOR_PORT"]), READY_S)
        for service in SERVICES[1:]:
            self.start(service)
        client = connect(self.env["REDIS_URL"])
        store = RedisCandleStore(client)
        try:
            eventually("candles are there", lambda: self._is_fresh(store), READY_S)
        finally:
            client.close()
        eventually("the pages answer", lambda: _answers(f"{self.url}/healthz"), READY_S)
        eventually("the trader is ready", lambda: "trader.reconciled" in self.said("trader"), READY_S)

    def _is_fresh(self, store: RedisCandleStore) -> bool:
        newest = store.newest("BTCUSDT", "1m", 1)
        return bool(newest) and self.now_ms - newest[0].open_time < 2 * MINUTE_MS

    def stop(self) -> dict[str, int]:
        """End every process, the last started first; exit statuses by name."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: _ended(process) for name, process in reversed(self.running.items())}


def _ended(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _listens(port: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=1):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - our own loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@contextmanager
def deployment(folder: Path, **settings: str) -> Iterator[Deployment]:
    """A running system in *folder* with *settings* beside its own, ended with the block."""
    redis = ensure(folder / "redis")
    made: Deployment | None = None
    try:
        with postbox() as post:
            t_ms, seed = moment_that_trades(SystemClock().now_ms())
            env = _environment(folder, redis.url, seed) | _mail(post) | settings
            env.setdefault("PUBLIC_URL", f"http://127.0.0.1:{env['PORT']}")
            now = SystemClock().now_ms()
            made = Deployment(
                folder, env, t_ms + BEGIN_MS - now, make_engine(env["DATABASE_URL"]), post, t_ms + BEGIN_MS
            )
            with_schema(made.engine)
            made.start("simulator")
            made.await_ready()
            yield made
    finally:
        if made is not None:
            made.stop()
            made.engine.dispose()
        redis.stop()


def _mail(post: Postbox) -> dict[str, str]:
    return {"SMTP_URL": post.url, "MAIL_FROM": "maemae@example.com"}


def _environment(folder: Path, redis_url: str, seed: int) -> dict[str, str]:
    private, public = generate_keys()
    simulator = str(free_port())
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FEED": "synthetic",
        "SYMBOLS": "BTCUSDT,ETHUSDT",
        "SIMULATOR_SEED": str(seed),
        "SIMULATOR_PORT": simulator,
        "SIMULATOR_TOKEN": secrets.token_urlsafe(16),
        "PORT": str(free_port()),
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'maemae.db'}",
        "REDIS_URL": redis_url,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{simulator}/v1",
        "OPENAI_API_KEY": "local-analyst",
        "ENCRYPTION_KEY": private,
        "ENCRYPTION_PUBLIC_KEY": public,
        "WEB_SECRET": new_secret(),
        "INSTALLATION": "web",
        "TRUSTED_PROXIES": "1",
        "MOST_GUESTS": "500",
    }
