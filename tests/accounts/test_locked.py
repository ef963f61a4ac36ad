"""A database that is locked for writing: people are recognised, read, and told that what they threw is thrown."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.accounts.beside import Beside
from lib.accounts.doors import Doors
from lib.accounts.entrance import PeopleStores
from lib.accounts.people import People
from lib.accounts.trading import TradingDesk
from lib.accounts.web import Origin, SignedIn
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.adapters.sql.forms.trail import SqlTrail
from lib.adapters.sql.tables.people import accounts, sessions
from lib.adapters.web_lock import WebLock
from lib.domain.command import Command
from lib.domain.errors import Retry
from lib.domain.platform_settings import Admission
from lib.domain.trail import Note
from lib.ports.people import CommandQueue
from tests.accounts.conftest import Scene
from tests.databases import with_schema
from tests.fakes.people import QuickHasher, StandingClock


@dataclass
class Town:
    """People over a database whose one writer can be held up."""

    people: People
    beside: Beside
    clock: StandingClock
    engine: sa.Engine
    writer: sqlite3.Connection


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    file = tmp_path / "maemae.db"
    engine = make_engine(f"sqlite:///{file}", sqlite_busy_ms=1)
    with_schema(engine)
    clock, beside = StandingClock(10**12), Beside()
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
    writer = sqlite3.connect(file, isolation_level=None, timeout=0)
    yield Town(
        People(stores, clock, lambda _: None, lambda: None, doors=Doors(Admission, clock), beside=beside),
        beside,
        clock,
        engine,
        writer,
    )
    writer.close()
    engine.dispose()


def test_a_session_is_recognised_while_its_use_cannot_be_noted(town: Town) -> None:
    inside = town.people.try_paper(accepted_risk=True, origin=Origin("10.0.0.1"))
    assert isinstance(inside, SignedIn)
    town.clock.forward(minutes=10)
    town.writer.execute("BEGIN IMMEDIATE")
    assert [town.people.user_of(inside.token) for _ in range(50)] == [inside.user] * 50
    town.writer.execute("ROLLBACK")
    town.beside._thread.submit(lambda: None).result()
    town.people.user_of(inside.token)
    town.beside._thread.shutdown()
    with town.engine.connect() as connection:
        assert connection.scalar(sa.select(sessions.c.seen_ms)) == town.clock.now_ms(), "noted as soon as it can be"


@pytest.mark.server
@pytest.mark.enable_socket
async def test_closing_everything_is_told_as_done_when_only_the_trader_could_not_be_asked(scene: Scene) -> None:
    class Locked(CommandQueue):
        def ask(self, wish: Command, every_ms: int, note: Note | None = None) -> int:
            raise Retry("locked")

    await scene.save()
    desk = TradingDesk(replace(scene.desk._ports, queue=Locked()), scene.desk._here)
    assert await asyncio.to_thread(desk.flatten, scene.user) is None
    assert [(row["trading_enabled"], row["flatten"]) for row in scene.rows(accounts)] == [(False, True)]
