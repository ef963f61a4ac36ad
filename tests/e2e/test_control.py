"""The operator's command line on real processes: everything closed and proved, stopped without a trader, resumed."""

import asyncio
import re
import signal
import sys
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.tables.people import account_symbols, accounts, system_flags
from lib.adapters.sql.tables.trading import orders
from lib.adapters.vault import VaultOpener
from lib.clock import SystemClock
from lib.domain.api_key import ApiKey
from lib.domain.candle import MINUTE_MS
from lib.domain.order import order_link_id
from lib.trading.context import boundary
from services.control import main
from tests.e2e.test_whole_system import (
    System,
    answers,
    eventually,
    position_at_the_exchange,
    register,
    system,
)
from tests.factories import order
from tests.torture.forks import ran

__all__ = ["system"]
pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

PROVED = re.compile(r"proved (\d+\.\d) s after")
WITHIN_S = 20.0


def control(deployment: System, *words: str) -> tuple[int, str]:
    """The command line's exit status and everything it said."""
    shifted = ("tests.e2e.control_on", str(deployment.shift_ms), *words)
    status, out, err = ran(deployment.folder, *shifted, env=deployment.env)
    assert status is not None
    return status, out + err


def a_position(deployment: System) -> None:
    """Simulator, collector and trader at work, and the entry of T filled."""
    deployment.start("collector")
    client = connect(deployment.env["REDIS_URL"])
    store = RedisCandleStore(client)

    def window_is_there() -> bool:
        newest = store.newest("BTCUSDT", "1m", 1)
        return bool(newest) and newest[0].open_time + MINUTE_MS == deployment.t_ms

    eventually("the candle that closes at T is stored", window_is_there)
    client.close()
    deployment.start("trader")
    eventually("the entry filled", lambda: [row for row in rows(deployment, orders) if row["state"] == "FILLED"])


def an_order_the_database_lost(deployment: System, uid: str, key: ApiKey) -> str:
    """Send an entry of account 1 without a row, and be heard; its id."""

    async def send() -> str:
        async with open_session() as session:
            url, clock = f"http://127.0.0.1:{deployment.env['SIMULATOR_PORT']}", SystemClock()
            few = LocalLimiter(clock)

            def transport_for(base: str) -> AiohttpTransport:
                return AiohttpTransport(base, session)

            market = BybitAsyncMarket(url, {"paper": url}, transport_for, clock, few)
            opener = VaultOpener([deployment.env["ENCRYPTION_KEY"]])
            exchange = BybitExchanges(opener, {"paper": url}, transport_for, clock, few).of("paper", uid, key)
            last = (await market.ticker("paper", "BTCUSDT")).last
            t_ms = boundary(deployment.now_ms)
            entry = order(
                t_ms=t_ms,
                order_link_id=order_link_id(deployment.env["INSTALLATION"], t_ms, 1, 1, "e", 0),
                limit_price=(last * Decimal("1.005")).quantize(Decimal(1)),
                stop_loss=(last * Decimal("0.97")).quantize(Decimal(1)),
                take_profit=Decimal(0),
            )
            answer = await exchange.send_order(exchange.sign_order(entry, deployment.now_ms))
            assert answer.code == 0, answer
            return entry.order_link_id

    return asyncio.run(send())


def rows(deployment: System, table: sa.Table) -> list[sa.RowMapping]:
    with deployment.engine.connect() as connection:
        return list(connection.execute(sa.select(table)).mappings())


def test_everything_is_closed_and_proved_within_twenty_seconds_and_only_a_person_resumes(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.start("simulator")
    eventually("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
    uid, key = register(system)
    a_position(system)

    status, said = control(system, "flatten", "--all")
    assert status == 0, said + system.said("trader")
    assert position_at_the_exchange(system, uid, key).is_flat
    took = float(PROVED.search(said)[1])  # type: ignore[index]
    with capsys.disabled():
        sys.stdout.write(f"\nkill switch, real processes: everything closed and proved stopped after {took:.1f} s\n")
    assert 17 < took <= WITHIN_S
    assert [row["leg"] for row in rows(system, orders)] == ["e", "f"]
    [flags] = rows(system, system_flags)
    assert flags["changed_by"].startswith("cli:")

    status, said = control(system, "status")
    assert status == 0
    assert "stopped, proved" in said
    assert uid not in said, "an exchange uid is shown masked"

    # kill -9 and a new trader: nothing trades again by itself
    assert system.end("trader", signal.SIGKILL) == -signal.SIGKILL
    system.start("trader")
    eventually("the next trader has reconciled", lambda: system.said("trader").count("trader.reconciled") > 1)
    [flags] = rows(system, system_flags)
    assert (flags["trading_enabled"], flags["flatten"]) == (False, True)
    assert flags["proven_ms"] > 0

    assert control(system, "resume")[0] == 0
    [flags] = rows(system, system_flags)
    assert (flags["trading_enabled"], flags["flatten"], flags["proven_ms"]) == (True, False, 0)

    # an order nothing could be proved about for a day: the exchange's record is the only word that is taken
    entry = rows(system, orders)[0]["order_link_id"]
    with system.engine.begin() as connection:
        connection.execute(sa.update(orders).where(orders.c.order_link_id == entry).values(state="NEEDS_HUMAN"))
    status, said = control(system, "needs-human")
    assert status == 0
    assert "the exchange says FILLED" in said
    status, said = control(system, "settle", entry, "CANCELLED", "--why", "I saw nothing")
    assert status == 1
    assert "the exchange's record: filled" in said
    assert control(system, "settle", entry, "FILLED", "--why", "it stands in the app")[0] == 0
    assert rows(system, orders)[0]["state"] == "FILLED"
    assert rows(system, orders)[0]["why"].params["note"] == "it stands in the app"
    assert not rows(system, accounts)[0]["trading_enabled"], "trading again is a person's act of its own"


def test_without_a_trader_a_pause_is_proved_and_a_close_is_said_to_wait(system: System) -> None:
    system.start("simulator")
    eventually("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
    uid, key = register(system)

    key_of_the_traders = system.env.pop("ENCRYPTION_KEY")
    status, said = control(system, "stop", "--account", "1")
    assert status == 1
    assert "not looked at, for want of a key" in said
    assert "start the trader, or stop again with ENCRYPTION_KEY" in said
    assert "not proved within" not in said, "nothing that is still waited for would change it"
    assert "stopped" not in said
    assert rows(system, accounts)[0]["proven_ms"] == 0

    system.env["ENCRYPTION_KEY"] = key_of_the_traders
    lost = an_order_the_database_lost(system, uid, key)
    status, said = control(system, "stop", "--account", "1")
    assert status == 0, said
    assert "the trader is not running" in said
    assert [(row["order_link_id"], row["state"]) for row in rows(system, orders)] == [(lost, "FILLED")]
    assert control(system, "stop", "--account", "2") == (1, "control: there is no account 2\n")

    status, said = control(system, "flatten", "--account", "1", "--timeout", "1")
    assert status == 1
    assert "only a running trader closes" in said
    assert "the switch stays thrown" in said
    [account] = rows(system, accounts)
    assert (account["trading_enabled"], account["flatten"], account["proven_ms"]) == (False, True, 0)

    assert control(system, "resume", "--account", "1")[0] == 0
    [account] = rows(system, accounts)
    assert (account["trading_enabled"], account["flatten"]) == (True, False)
    [symbol] = rows(system, account_symbols)
    assert symbol["position_qty"] == position_at_the_exchange(system, uid, key).qty


@pytest.mark.parametrize("words", [["flatten"], ["stop", "--account", "0"], ["settle", "x", "OPEN", "--why", "y"], []])
def test_wrong_words_end_before_anything_is_touched(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: control" in capsys.readouterr().err


def test_quiet_lists_say_that_they_are_empty_and_the_environment_keeps_everybody_off(system: System) -> None:
    assert control(system, "locks") == (0, "no lock holds\n")
    assert control(system, "needs-human") == (0, "no order needs a person\n")
    assert control(system, "unlock", "drawdown")[0] == 1
    assert control(system, "settle", "mmx-1", "ABSENT", "--why", "gone")[0] == 1
    system.env["TRADING_ENABLED"] = "false"
    status, said = control(system, "resume")
    assert status == 1
    assert "TRADING_ENABLED" in said
