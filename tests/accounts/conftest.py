"""The trading desk's scene: a real database, the simulator's real HTTP and one signed-in person."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.accounts.refusal import Refusal
from lib.accounts.trading import KeySaved, TradingDesk
from lib.accounts.trading_ports import Deployment, TradingPorts
from lib.accounts.web import SessionUser
from lib.adapters.bybit.rest.account_probe import BybitAccountProbe
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.bybit.rest.paper_accounts import SimulatorPaperAccounts
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.commands import SqlCommandQueue
from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.adapters.sql.forms.own_locks import SqlOwnLocks
from lib.adapters.sql.tables.people import accounts, credentials
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.domain.api_key import ApiKey, SealContext
from tests.contract.exchange_worlds import World, over_http
from tests.factories import INSTALLATION, SYMBOL
from tests.fakes.people import MemoryThrottles

PRIVATE, PUBLIC = generate_keys()
PROVED = 2**53
"""Whose session it is was proved just now, whatever the clock says."""
HERE = Deployment("synthetic", ("paper",), SYMBOL, INSTALLATION, symbols=(SYMBOL, "ETHUSDT"))


@dataclass
class Scene:
    """A desk, its database, its exchange, and one signed-in person."""

    world: World
    engine: sa.Engine
    desk: TradingDesk
    user: SessionUser
    ports: TradingPorts

    def another(self, name: str = "other", network: str = "") -> SessionUser:
        email = f"{name}@example.test"
        return SessionUser(
            SqlAccounts(self.engine).add_user(email, "!"), email, "ko", network=network, proved_ms=PROVED
        )

    async def save(self, key: ApiKey | None = None, user: SessionUser | None = None) -> Refusal | KeySaved:
        key = key or self.world.key
        return await asyncio.to_thread(self.desk.save_key, user or self.user, "paper", key.api_key, key.api_secret)

    async def refusal(self, key: ApiKey | None = None, user: SessionUser | None = None) -> str:
        refusal = await self.save(key, user)
        assert isinstance(refusal, Refusal), refusal
        return refusal.key

    def new_key(self, uid: int = 1_000_001, **changes: object) -> ApiKey:
        key = self.world.engine.add_key(uid)
        key.permissions["Wallet"] = []
        for name, value in changes.items():
            setattr(key, name, value)
        return ApiKey(key.key, key.secret)

    def rows(self, table: sa.Table) -> list[sa.RowMapping]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c.id)).mappings())

    def change(self, table: sa.Table, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(table).values(**values))


@pytest.fixture(params=["sqlite", "mariadb"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    engine = request.getfixturevalue(f"{request.param}_engine")
    async with over_http(tmp_path, by_pybit=False) as world:
        world.engine.accounts[1_000_001].keys[0].permissions["Wallet"] = []
        urls, clock = {"paper": world.base_url}, world.clock
        ports = TradingPorts(
            accounts=SqlAccounts(engine),
            keyring=SqlKeyring(engine, clock),
            queue=SqlCommandQueue(engine),
            paper=SimulatorPaperAccounts(world.base_url, ""),
            key_probe=PybitKeyProbe(urls, clock=clock),  # type: ignore[arg-type]
            account_probe=BybitAccountProbe(urls, clock),  # type: ignore[arg-type]
            sealer=VaultSealer(PUBLIC),
            locks=SqlOwnLocks(engine, clock),
            throttles=MemoryThrottles(),
            clock=clock,
        )
        desk = TradingDesk(ports, HERE)
        user_id = SqlAccounts(engine).add_user("person@example.test", "!")
        user = SessionUser(user_id, "person@example.test", "ko", proved_ms=PROVED)
        yield Scene(world, engine, desk, user, ports)


def opened(scene: Scene, number: int = -1) -> ApiKey:
    """The newest key as the trader would open it."""
    account, key = scene.rows(accounts)[-1], scene.rows(credentials)[number]
    context = SealContext(account["user_id"], account["venue"], account["uid"], key["key_version"])
    return VaultOpener([PRIVATE]).open(key["sealed"], context)
