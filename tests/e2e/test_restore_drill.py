"""
The drill of a restore, in real processes: the newest orders are lost with the database, and come from the exchange.

The backup is older than the account's position. After it came back nobody can resume before the trader has searched for
what the database does not know; then books and exchange agree again, by the very same executions, and no second order
was made.
"""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib import bootstrap, settings
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.people import account_symbols, accounts, system_flags
from lib.adapters.sql.tables.trading import fills, orders, trade_logs
from lib.bootstrap import RestoreWishes
from lib.domain import reason_codes as codes
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Halt, Retry
from lib.trading.kill_switch.operator import Operator
from tests.e2e.test_whole_system import System, answers, deployed, eventually, position_at_the_exchange, register

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

LEAD_MS = 10_000
"""A late start is no harm: a trader takes up a cycle that is less than a minute old."""
BOOKED = ("position_qty", "avg_entry_price", "realised", "fees", "funding")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with deployed(tmp_path, LEAD_MS) as made:
        yield made


def rows(system: System, table: sa.Table) -> list[sa.RowMapping]:
    with system.engine.connect() as connection:
        return list(connection.execute(sa.select(table)).mappings())


def books(system: System) -> dict[str, object]:
    [account], [symbol] = rows(system, accounts), rows(system, account_symbols)
    return {name: {**account, **symbol}[name] for name in BOOKED}


def resume(system: System) -> None:
    ledger = SqlLedger(system.engine, installation=system.env["INSTALLATION"])
    try:
        asyncio.run(Operator(ledger, "cli:drill").resume(0))
    finally:
        ledger.close()


def test_orders_younger_than_the_backup_come_back_before_anybody_may_trade(system: System, tmp_path: Path) -> None:
    here, file = settings.load(system.env), tmp_path / "older.backup"
    system.start("simulator")
    eventually("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
    uid, key = register(system)
    made = bootstrap.backup(here, file)
    assert (made.header.rows["accounts"], made.header.rows["orders"]) == (1, 0)

    system.start("collector")
    client = connect(system.env["REDIS_URL"])
    store = RedisCandleStore(client)

    def window_is_there() -> bool:
        newest = store.newest("BTCUSDT", "1m", 1)
        return bool(newest) and newest[0].open_time + MINUTE_MS >= system.t_ms

    eventually("the candle that closes at T is stored", window_is_there)
    system.start("trader")
    eventually("the cycle is decided", lambda: any(row["status"] != "pending" for row in rows(system, trade_logs)))
    [placed] = eventually("its order is filled", lambda: [r for r in rows(system, orders) if r["state"] == "FILLED"])
    eventually("its executions are booked", lambda: books(system)["position_qty"])
    before, executions = books(system), {row["exec_id"] for row in rows(system, fills)}
    assert abs(position_at_the_exchange(system, uid, key).qty) == placed["filled_qty"]

    with pytest.raises(Halt, match="works on this database"):
        bootstrap.restore(here, file, RestoreWishes())
    assert system.end("trader", signal.SIGTERM) == 0
    bootstrap.restore(here, file, RestoreWishes())
    assert (rows(system, orders), rows(system, fills)) == ([], [])
    with pytest.raises(Retry, match="restore_not_proved"):
        resume(system)

    system.start("trader")
    [adopted] = eventually("the order is adopted", lambda: [r for r in rows(system, orders) if r["state"] == "FILLED"])
    assert adopted["order_link_id"] == placed["order_link_id"]
    eventually("the books are the exchange's again", lambda: books(system) == before)
    assert {row["exec_id"] for row in rows(system, fills)} == executions
    assert books(system)["position_qty"] == position_at_the_exchange(system, uid, key).qty
    # the restore dated its switch by this process' clock, which the others' are ahead of: the proof's seconds are over
    eventually("nothing of ours is unknown, proved", lambda: rows(system, system_flags)[0]["proven_ms"])
    [flags] = rows(system, system_flags)
    assert (flags["trading_enabled"], flags["why"]) == (False, codes.RESTORED())
    assert len(rows(system, orders)) == 1
    resume(system)
    assert rows(system, system_flags)[0]["trading_enabled"]
    [account] = rows(system, accounts)
    assert (account["trading_enabled"], account["pause_reason"]) == (False, codes.ACCOUNT_RESTORED()), "its owner's"
    assert system.end("trader", signal.SIGTERM) == 0
    client.close()
