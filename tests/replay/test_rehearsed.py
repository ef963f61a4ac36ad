"""A rehearsed past leaves nothing in the way of the live trader that goes on from it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from lib.adapters.redis.connection import connect, connect_async
from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.vault import generate_keys
from lib.clock import SteppedClock
from lib.domain.account import AccountSettings
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS
from lib.domain.reason import NOTHING
from lib.replay.rehearsal import Rehearsal, RehearsalNames, Stores
from lib.simulator.feeds import open_feed
from lib.simulator.server import SimulatorConfig, application, build
from lib.simulator.store import Store
from lib.trading.cycle.run import CycleReport
from tests.databases import with_schema

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

END = 1_760_000_100_000 // CYCLE_MS * CYCLE_MS


@pytest.fixture
async def rehearsal(tmp_path: Path) -> AsyncIterator[Rehearsal]:
    """Seven minutes before *END*, over embedded stores."""
    config = SimulatorConfig(feed="synthetic", database=tmp_path / "exchange.db", seed=7, symbols=("BTCUSDT",))
    store, clock = Store(config.database, "synthetic"), SteppedClock(END - 7 * MINUTE_MS)
    exchange = build(config, open_feed(config, store, clock, None), store, clock)
    engine, server = make_engine(f"sqlite:///{tmp_path / 'maemae.db'}"), ensure(tmp_path / "redis")
    with_schema(engine)
    stores = Stores(engine, connect(server.url), connect_async(server.url))
    secret, public = generate_keys()
    names = RehearsalNames("synthetic", "BTCUSDT", "maemae-rules-1", "test", secret, public)
    try:
        async with Rehearsal.opened(exchange, clock, stores, names, application(config, exchange, clock)) as made:
            yield made
    finally:
        await stores.redis_async.aclose()
        stores.redis.close()
        store.close()
        server.stop()
        engine.dispose()


async def lived(rehearsal: Rehearsal) -> list[CycleReport]:
    reports: list[CycleReport] = []

    async def keep(report: CycleReport) -> None:
        reports.append(report)

    await rehearsal.run(END, keep)
    return reports


async def test_the_live_trader_may_lead_as_soon_as_a_rehearsal_ends(tmp_path: Path, rehearsal: Rehearsal) -> None:
    rehearsal.add_person("someone@example.org", AccountSettings(), Decimal(10_000))
    assert [report.idle for report in await lived(rehearsal)][-1:] == [NOTHING]
    await rehearsal.leave()
    engine = make_engine(f"sqlite:///{tmp_path / 'maemae.db'}")
    ledger = SqlLedger(engine, installation="test", clock=rehearsal.clock)
    try:
        assert await ledger.hold_lease("the live trader", 30_000) is not None
    finally:
        ledger.close()
        engine.dispose()


async def test_a_person_an_earlier_attempt_left_without_an_account_gets_one(rehearsal: Rehearsal) -> None:
    known = rehearsal.accounts.add_user("someone@example.org", "!", is_demo=True)
    made = rehearsal.add_person("someone@example.org", AccountSettings(), Decimal(10_000), is_demo=True)
    assert made == known
    assert len((await lived(rehearsal))[-1].results) == 1
