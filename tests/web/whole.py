"""The whole web over a real database and a real Redis, with nothing but the paces lifted, entered in this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from starlette.testclient import TestClient
from streamlit.runtime import Runtime

from app.http.traffic import Traffic
from app.server import build
from lib import bootstrap
from lib.accounts.doors import Doors
from lib.accounts.entrance import PeopleStores
from lib.accounts.people import People
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.forms.trail import SqlTrail
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import WebLock
from lib.bootstrap import WebSystem
from lib.clock import SystemClock
from lib.domain.pace import Pace
from lib.domain.platform_settings import Admission
from lib.market.scrollback import Scrollback
from lib.settings import load
from tests.databases import with_schema
from tests.fakes.market import ScriptedMarket, SetClock
from tests.fakes.people import QuickHasher
from tests.servers import new_database_on

WHOLE_ON = os.environ.get("WHOLE_ON", "")
"""A database server for every whole system that is given no URL (`make attack`); "" = a SQLite file each."""


class Unhurried(Traffic):
    """Lets everything through."""

    def may_look_up(self, visit: Any) -> bool:
        return True

    def wait_s(self, method: str, path: str, visit: Any) -> int:
        return 0


class NoTallies:
    """`lib.ports.people.Throttles` that counts nothing."""

    def attempt(self, key: str, pace: Pace, now_ms: int) -> int:
        return 0

    def forgive(self, key: str, pace: Pace, now_ms: int) -> None: ...

    def drop_older(self, before_ms: int) -> int:
        return 0


@contextmanager
def database_in(folder: Path) -> Iterator[str]:
    """The URL of an empty database: a new one on `WHOLE_ON`, or a file in *folder*."""
    if not WHOLE_ON:
        yield f"sqlite:///{folder / 'maemae.db'}"
        return
    with new_database_on(WHOLE_ON) as url:
        yield url


@contextmanager
def whole_system(
    folder: Path, url: str | None = None, *, hurried: bool = False
) -> Iterator[tuple[WebSystem, sa.Engine]]:
    """
    A system in *folder* whose paper exchange and whose candles' exchange are away, and its database: that of *url*, or
    one of its own. *hurried* = signing in is paced and hashed as ever.
    """
    with database_in(folder) as own:
        yield from _system(folder, url or own, hurried=hurried)


def _system(folder: Path, url: str, *, hurried: bool) -> Iterator[tuple[WebSystem, sa.Engine]]:
    redis = ensure(folder / "redis")
    engine = make_engine(url)
    with_schema(engine)
    _, public = generate_keys()
    env = {"DATABASE_URL": url, "REDIS_URL": redis.url, "ENCRYPTION_PUBLIC_KEY": public, "INSTALLATION": "odd"}
    made = bootstrap.web_system(load({**env, "PAPER_API_URL": "http://127.0.0.1:9", "WEB_HOSTS": "testserver"}))
    stores = PeopleStores(
        SqlLogins(engine),
        SqlSessions(engine),
        SqlBrowsers(engine),
        cast(Any, NoTallies()),
        QuickHasher(),
        SqlTrail(engine),
        SqlSecondFactors(engine),
        WebLock(""),
    )
    people = People(stores, SystemClock(), lambda _: None, lambda: None, doors=Doors(Admission, SystemClock(), 10**6))
    if not hurried:
        object.__setattr__(made, "people", people)
    # an exchange that is away is a 503 by design
    object.__setattr__(made, "scrollback", Scrollback(ScriptedMarket(SetClock(0), []), SystemClock()))
    yield made, engine
    engine.dispose()
    redis.stop()


@contextmanager
def entered(system: WebSystem, folder: Path) -> Iterator[TestClient]:
    """A client of the running application over *system*, whose mistakes are answers and not exceptions."""
    script = folder / "page.py"
    script.write_text("import streamlit as st\nst.write('hello')\n")
    app = build(system, script, packs_ahead=False)
    app._traffic = Unhurried()
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client
    Runtime._instance = None  # Streamlit allows one runtime a process and never forgets it
