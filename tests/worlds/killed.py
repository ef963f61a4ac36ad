"""
One scenario's deployment on the shared ground: a database, an installation, people with accounts, one trader at a time.

The driver reads its database past the cable, so that cutting the trader off blinds nobody else.
"""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.trading import equity_points, orders, trade_logs
from lib.adapters.vault import VaultSealer
from lib.bootstrap.seat import TRADERS as SEAT
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.exit_rules import ExitRules, rules_text
from lib.domain.order import TERMINAL, base36
from tests.simulator.running import Key
from tests.torture import stores
from tests.torture.failpoints import Trap
from tests.torture.ground import Ground, ended
from tests.torture.trader import TraderPlan

SYMBOL = "BTCUSDT"
BALANCE = Decimal(10_000)
CYCLE_LAG_MS = 2_500
"""Later than the timetable's own, which is not to come again in the middle of a scenario."""
TERMINAL_WORDS = frozenset(state.value for state in TERMINAL)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who trades: our account, the exchange's, and the key to ask it with."""

    account_id: int
    uid: str
    key: Key


@dataclass
class World:
    """Build with `built`, begin with `come` and `start`."""

    ground: Ground
    name: str
    engine: sa.Engine
    env: dict[str, str]
    people: list[Person] = field(default_factory=list)
    t_ms: int = 0
    trader: BaseProcess | None = None
    starts: int = 0
    _said_before: int = 0
    """How much had been written when the newest trader started, bytes."""
    statuses: list[int] = field(default_factory=list)

    @property
    def installation(self) -> str:
        return self.env["INSTALLATION"]

    @property
    def hits(self) -> Path:
        return self.ground.folder / f"{self.name}.hits"

    @property
    def log(self) -> Path:
        return self.ground.folder / f"{self.name}.log"

    def said(self) -> str:
        """Everything this world's traders wrote."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_ready(self) -> bool:
        """Whether the newest trader has reconciled: until then there is something to wait for that writes nothing."""
        return b"trader.reconciled" in self._written()[self._said_before :]

    def _written(self) -> bytes:
        return self.log.read_bytes() if self.log.exists() else b""

    def was_hit(self) -> int:
        """How many traps have sprung."""
        return len(self.hits.read_text().splitlines()) if self.hits.exists() else 0

    # --- time ---------------------------------------------------------------------------------------------------------

    async def come(self, action: str, stop: float = 0.02) -> None:
        """The next T is now: its candles are stored, and the analyst will say *action* with *stop*."""
        self.ground.views.action, self.ground.views.stop = action, 0.01 if action == "tighten" else stop
        self.t_ms = self.ground.next_t()
        self.ground.warp.jump_to(self.t_ms + CYCLE_LAG_MS)
        await self.store_candles(self.t_ms)

    def let_manage(self) -> None:
        """Everybody's analyst answers in version 2."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(users).values(answer_version=2))

    def let_exit(self, rules: ExitRules) -> None:
        """Whatever everybody enters from now on has these exits by rule."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(users).values(exits=rules_text(rules)))

    async def store_candles(self, closes_at: int) -> None:
        """What the collector would have stored by then."""
        query = f"category=linear&symbol={SYMBOL}&interval=1&limit=60&end={closes_at - 1}"
        _, found = await self.ground.exchange.get(f"/v5/market/kline?{query}")
        rows = sorted(found["result"]["list"], key=lambda row: int(row[0]))
        candles = [Candle(int(row[0]), *(Decimal(text) for text in row[1:6])) for row in rows]
        client = connect(self.ground.redis_url)
        try:
            RedisCandleStore(client).rebuild(SYMBOL, "1m", [c for c in candles if c.open_time + MINUTE_MS <= closes_at])
        finally:
            client.close()

    # --- the trader ---------------------------------------------------------------------------------------------------

    def plan(self, trap: Trap | None = None) -> TraderPlan:
        return TraderPlan(self.env, str(self.ground.folder / "warp"), str(self.log), str(self.hits), trap)

    def start(self, trap: Trap | None = None) -> None:
        """Start a trader with *trap* somewhere in its way."""
        self.starts += 1
        self._said_before = len(self._written())
        self.trader = self.ground.start_trader(self.plan(trap))

    def is_up(self) -> bool:
        return self.trader is not None and self.trader.is_alive()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End the trader; its exit status."""
        if self.trader is None:
            return 0
        process, self.trader = self.trader, None
        status = await ended(process, number)
        self.statuses.append(status)
        return status

    # --- what the database says ---------------------------------------------------------------------------------------

    def rows(self, query: "sa.Select[Any] | sa.Table") -> list[sa.RowMapping]:
        """The rows of *query*, read past the cable."""
        with self.engine.connect() as connection:
            select = sa.select(query) if isinstance(query, sa.Table) else query
            return list(connection.execute(select).mappings())

    def seated(self) -> str:
        """The newest trader as the lease names it, once it has come up."""
        return (self.ground.folder / SEAT).read_text().strip()

    def progress(self) -> tuple[Any, ...]:
        """What changes while anything still happens."""
        return (
            len(self._written()),
            tuple((row["id"], row["state"], row["updated_ms"]) for row in self.rows(orders)),
            tuple((row["id"], row["status"]) for row in self.rows(trade_logs)),
        )

    def is_terminal(self) -> bool:
        """Whether every order row has ended, and every log row with it."""
        return not self.open_rows() and all(row["status"] != "pending" for row in self.rows(trade_logs))

    def open_rows(self) -> list[sa.RowMapping]:
        return [row for row in self.rows(orders) if row["state"] not in TERMINAL_WORDS]

    def logged(self, t_ms: int) -> bool:
        """Whether every account has its log row of *t_ms*."""
        found = self.rows(sa.select(trade_logs).where(trade_logs.c.t_ms == t_ms))
        return len(found) == len(self.people)

    def checked(self, t_ms: int) -> bool:
        """Whether every account's books were held against the exchange at *t_ms*."""
        found = self.rows(sa.select(equity_points).where(equity_points.c.t_ms == t_ms))
        return len(found) == len(self.people)

    async def end(self) -> None:
        """Stop what runs and drop the database, unless the server of it is gone."""
        await self.stop(signal.SIGKILL)
        self.engine.dispose()
        with suppress(sa.exc.OperationalError):
            stores.run_sql(self.ground.database.socket, f"DROP DATABASE `{self.name}`")


async def built(ground: Ground, people: int = 2) -> World:
    """A new world with *people* who want to trade, in a time in which nothing has happened yet."""
    await ground.fresh_venue()
    number = next(ground.numbers)
    name = f"world_{number}"
    await asyncio.to_thread(stores.copied, ground.database.socket, ground.template, name)
    engine = make_engine(stores.address(ground.database.socket, name))
    ground.warp.attend(engine)
    secret, public = ground.keys
    net = f"http://127.0.0.1:{ground.net_cable.port}"
    env = {
        "PATH": "/usr/bin:/bin",
        "FEED": "synthetic",
        "PAPER_API_URL": net,
        "DATABASE_URL": f"mysql://root@127.0.0.1:{ground.database_cable.port}/{name}",
        "REDIS_URL": ground.redis_url,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{ground.views.port}/v1",
        "OPENAI_API_KEY": "local-analyst",
        "ENCRYPTION_KEY": secret,
        "ENCRYPTION_PUBLIC_KEY": public,
        "INSTALLATION": f"t{base36(number)}",
        "DATA_DIR": str(ground.folder),
    }
    world = World(ground, name, engine, env)
    for _ in range(people):
        world.people.append(await register(world, public))
    return world


async def register(world: World, public: str) -> Person:
    """A person with a paper account, who has trading switched on."""
    ground, accounts = world.ground, SqlAccounts(world.engine)
    status, made = await ground.exchange.post("/sim/accounts", {"balance": str(BALANCE), "label": world.name})
    if status != 200:
        raise AssertionError(made)
    uid, key = str(made["uid"]), ApiKey(made["apiKey"], made["apiSecret"])
    now = ground.warp.now_ms()
    user_id = accounts.add_user(f"person{uid}@example.com", "!")
    sealed = VaultSealer(public).seal(key, SealContext(user_id, "paper", uid, 1))
    new = NewAccount(user_id, "paper", "synthetic", uid, SYMBOL, sealed, key.api_key[-4:], 1, BALANCE, now)
    account_id = accounts.add_account(new)
    accounts.change_settings(user_id, AccountSettings(risk_level=RiskLevel.HIGH, max_leverage=5))
    accounts.set_auto_trade(user_id, True, now)
    return Person(account_id, uid, Key(ground.exchange, key.api_key, key.api_secret))
