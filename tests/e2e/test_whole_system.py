"""The whole system in real processes: simulator, collector and trader over Redis and a database, one real cycle."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.tables.trading import equity_points, orders, trade_logs
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SystemClock
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS, first_gap
from lib.domain.order import CYCLE_MS
from lib.domain.position import Position
from lib.simulator.analyst.rules import Question, analyse
from lib.simulator.feeds import INSTRUMENTS
from lib.simulator.market.market import SyntheticMarket
from tests.databases import with_schema

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
LEAD_MS = 18_000
"""How long before T the simulator and the collector start."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def seed_that_trades(t_ms: int) -> int:
    """A synthetic market on which the local analyst wants a position at *t_ms*."""
    for seed in range(1, 5_000):
        market = SyntheticMarket(seed, {"BTCUSDT": INSTRUMENTS["BTCUSDT"]})
        found = [market.candle("BTCUSDT", t_ms - n * MINUTE_MS) for n in range(30, 0, -1)]
        opinion = analyse(Question(tuple(candle for candle in found if candle), "high", 10))
        if opinion.action != "hold" and opinion.confidence >= Decimal("0.60"):
            return seed
    raise AssertionError("no synthetic market moves at this moment")


def eventually(what: str, holds: Callable[[], Any], seconds: float = 90) -> Any:
    """Ask until *holds* gives something true; the deadline is a failure, not a rhythm."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")


@dataclass
class System:
    """The processes of one deployment, their environment and the moment they live in."""

    folder: Path
    env: dict[str, str]
    shift_ms: int
    t_ms: int
    engine: sa.Engine
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, service: str) -> None:
        command = [sys.executable, "-m", "tests.e2e.shifted", service, str(self.shift_ms)]
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)

    def end(self, service: str, number: int) -> int:
        process = self.running.pop(service)
        process.send_signal(number)
        return process.wait(30)

    def said(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")

    @property
    def now_ms(self) -> int:
        return SystemClock().now_ms() + self.shift_ms


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with deployed(tmp_path, LEAD_MS) as made:
        yield made


@contextmanager
def deployed(tmp_path: Path, lead_ms: int) -> Iterator[System]:
    """Stores of a deployment, *lead_ms* before a T at which its market moves; processes end with the block."""
    redis = ensure(tmp_path / "redis")
    now = SystemClock().now_ms()
    t_ms = (now // CYCLE_MS + 1) * CYCLE_MS
    private, public = generate_keys()
    port = free_port()
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FEED": "synthetic",
        "SIMULATOR_SEED": str(seed_that_trades(t_ms)),
        "SIMULATOR_PORT": str(port),
        "SIMULATOR_TOKEN": "a-token-for-this-test",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'maemae.db'}",
        "REDIS_URL": redis.url,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_API_KEY": "local-analyst",
        "ENCRYPTION_KEY": private,
        "ENCRYPTION_PUBLIC_KEY": public,
        "INSTALLATION": "e2e",
    }
    made = System(tmp_path, env, t_ms - lead_ms - now, t_ms, make_engine(env["DATABASE_URL"]))
    with_schema(made.engine)
    try:
        yield made
    finally:
        made.engine.dispose()
        for process in made.running.values():
            process.kill()
            process.wait()
        redis.stop()


def open_paper_account(system: System) -> tuple[str, ApiKey]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.env['SIMULATOR_PORT']}/sim/accounts",
        data=json.dumps({"balance": "10000"}).encode(),
        headers={"X-Simulator-Token": system.env["SIMULATOR_TOKEN"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - our own loopback
        made = json.loads(reply.read())
    return str(made["uid"]), ApiKey(made["apiKey"], made["apiSecret"])


def register(system: System) -> tuple[str, ApiKey]:
    accounts = SqlAccounts(system.engine)
    user_id = accounts.add_user("person@example.com", "!")
    uid, key = open_paper_account(system)
    sealed = VaultSealer(system.env["ENCRYPTION_PUBLIC_KEY"]).seal(key, SealContext(user_id, "paper", uid, 1))
    accounts.add_account(
        NewAccount(
            user_id, "paper", "synthetic", uid, "BTCUSDT", sealed, key.api_key[-4:], 1, Decimal(10_000), system.now_ms
        )
    )
    accounts.change_settings(user_id, AccountSettings(risk_level=RiskLevel.HIGH, max_leverage=10))
    accounts.set_auto_trade(user_id, True, system.now_ms)
    return uid, key


def answers(port: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=1):
            return True
    except OSError:
        return False


def position_at_the_exchange(system: System, uid: str, key: ApiKey) -> Position:
    async def ask() -> Position:
        async with open_session() as session:
            url = f"http://127.0.0.1:{system.env['SIMULATOR_PORT']}"
            clock = SystemClock()
            exchanges = BybitExchanges(
                VaultOpener([system.env["ENCRYPTION_KEY"]]),
                {"paper": url},
                lambda base: AiohttpTransport(base, session),
                clock,
                LocalLimiter(clock),
            )
            return await exchanges.of("paper", uid, key).position("BTCUSDT")

    return asyncio.run(ask())


def test_a_person_s_order_stands_protected_after_one_cycle_and_a_killed_trader_doubles_nothing(system: System) -> None:
    system.start("simulator")
    eventually("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
    uid, key = register(system)
    system.start("collector")
    client = connect(system.env["REDIS_URL"])
    store = RedisCandleStore(client)

    def window_is_there() -> bool:
        newest = store.newest("BTCUSDT", "1m", 1)
        return bool(newest) and newest[0].open_time + MINUTE_MS == system.t_ms

    eventually("the candle that closes at T is stored", window_is_there)
    system.start("trader")
    engine = system.engine

    def decided() -> sa.RowMapping | None:
        with engine.connect() as connection:
            query = sa.select(trade_logs).where(trade_logs.c.status != "pending")
            return connection.execute(query).mappings().first()

    row = eventually("the cycle is decided", decided)
    placed = _rows(engine, orders)
    assert (row["status"], row["outcome"]) in {("success", "bought"), ("success", "sold")}, system.said("trader")
    assert [order["state"] for order in placed] == ["FILLED"]
    position = position_at_the_exchange(system, uid, key)
    assert abs(position.qty) == placed[0]["filled_qty"]
    assert position.stop_loss > 0
    assert position.take_profit > 0
    point = eventually("the books are checked", lambda: _rows(engine, equity_points))[0]
    assert point["difference"] == 0
    held = store.newest("BTCUSDT", "1m", 5_000)
    assert len(held) == 5_000
    assert first_gap(held, MINUTE_MS) is None

    assert system.end("trader", signal.SIGKILL) == -signal.SIGKILL
    before = system.said("trader").count("trader.reconciled")
    system.start("trader")
    eventually("the next trader has reconciled", lambda: system.said("trader").count("trader.reconciled") > before)
    assert system.end("trader", signal.SIGTERM) == 0
    assert len(_rows(engine, orders)) == 1
    assert position_at_the_exchange(system, uid, key).qty == position.qty
    assert store.status()["last_cycle"].endswith("Z")
    client.close()
    assert system.end("collector", signal.SIGTERM) == 0
    assert system.end("simulator", signal.SIGTERM) == 0
    for secret in (key.api_secret, system.env["ENCRYPTION_KEY"], system.env["SIMULATOR_TOKEN"]):
        assert not any(secret in system.said(service) for service in ("simulator", "collector", "trader"))


def _rows(engine: sa.Engine, table: sa.Table) -> list[sa.RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)).mappings())
