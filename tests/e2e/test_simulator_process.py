"""The simulator as a real process: killed, restarted, stopped, and refused a port."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lib.clock import SystemClock
from tests.simulator.running import Key, Running, until

pytestmark = [pytest.mark.enable_socket, pytest.mark.server, pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
SIX_HOURS = 6 * 3_600_000


@dataclass
class Child:
    """A simulator process and a way to talk to it."""

    process: asyncio.subprocess.Process
    running: Running

    async def end(self, number: signal.Signals) -> int:
        """Send *number* and return the exit status; TimeoutError after three seconds."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 3)


async def start(*arguments: object) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.e2e.simulator_process", *map(str, arguments)]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)


@asynccontextmanager
async def child(*arguments: object) -> AsyncIterator[Child]:
    process = await start(*arguments)
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 30))
        async with aiohttp.ClientSession() as session:
            yield Child(process, Running(f"http://127.0.0.1:{port}", session))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def position_of(key: Key) -> Any:
    return (await key.get("/v5/position/list", "category=linear&symbol=BTCUSDT"))["result"]["list"][0]


async def open_and_rest(key: Key) -> None:
    """A filled long with a stop and a target close by, and an order far below the market."""
    _, answer = await key.running.get("/v5/market/tickers?category=linear&symbol=BTCUSDT")
    last = Decimal(answer["result"]["list"][0]["lastPrice"])
    near = {
        name: str((last * Decimal(share)).quantize(Decimal("0.1")))
        for name, share in (("stopLoss", "0.998"), ("takeProfit", "1.002"))
    }
    entry = {"side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": "entry-1"}
    assert (await key.post("/v5/order/create", **entry, **near))["retCode"] == 0

    async def filled() -> bool:
        return bool((await position_of(key))["size"] == "0.01")

    await until(filled)
    rest = {"side": "Buy", "orderType": "Limit", "price": "15000", "qty": "0.01", "orderLinkId": "rest-1"}
    assert (await key.post("/v5/order/create", **rest))["retCode"] == 0


async def test_a_killed_simulator_keeps_its_books_and_runs_the_minutes_it_missed(tmp_path: Path) -> None:
    database = tmp_path / "sim.db"
    async with child(database, 0, 0) as first:
        key = await first.running.account()
        await open_and_rest(key)
        killed_at = SystemClock().now_ms()
        assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    async with child(database, 0, SIX_HOURS) as second:
        key.running = second.running
        assert (await position_of(key))["size"] == "0"
        executions = (await key.get("/v5/execution/list", "category=linear&symbol=BTCUSDT"))["result"]["list"]
        trades = [e for e in executions if e["execType"] == "Trade"]
        assert [e["side"] for e in trades] == ["Sell", "Buy"]
        assert killed_at <= int(trades[0]["execTime"]) < killed_at + SIX_HOURS
        assert trades[0]["stopOrderType"] in ("StopLoss", "TakeProfit")
        orders = (await key.get("/v5/order/realtime", "category=linear&symbol=BTCUSDT"))["result"]["list"]
        assert [o["orderLinkId"] for o in orders] == ["rest-1"]
        log = (await key.get("/v5/account/transaction-log", "accountType=UNIFIED"))["result"]["list"]
        wallet = (await key.get("/v5/account/wallet-balance", "accountType=UNIFIED"))["result"]["list"][0]
        balance = Decimal(wallet["coin"][0]["walletBalance"])
        assert sum(Decimal(row["change"]) for row in log) == balance == Decimal(log[0]["cashBalance"])


async def test_an_acknowledged_order_survives_a_kill_on_the_spot(tmp_path: Path) -> None:
    database = tmp_path / "sim.db"
    async with child(database, 0, 0) as first:
        key = await first.running.account()
        entry = {"side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": "entry-1"}
        placed = await key.post("/v5/order/create", **entry)
        await first.end(signal.SIGKILL)
    async with child(database, 0, 1_000) as second:
        key.running = second.running

        async def final() -> Any:
            query = "category=linear&symbol=BTCUSDT&orderLinkId=entry-1"
            found = (await key.get("/v5/order/history", query))["result"]["list"]
            return found[0] if found else None

        order = await until(final)
        assert (order["orderId"], order["orderStatus"]) == (placed["result"]["orderId"], "Filled")


async def test_a_stop_is_clean_and_quick_with_clients_connected(tmp_path: Path) -> None:
    async with child(tmp_path / "sim.db", 0, 0) as first:
        running = first.running
        async with running.session.ws_connect(running.ws_url + "/v5/public/linear") as socket:
            await running.post("/sim/faults", {"kind": "analyst", "params": {"answer": "hang"}})
            hanging = asyncio.create_task(running.post("/v1/chat/completions", {}))
            await running.get("/sim/state")
            assert await first.end(signal.SIGTERM) == 0
            assert (await socket.receive(timeout=1)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            with pytest.raises(aiohttp.ClientError):
                await hanging


async def test_a_busy_port_is_one_line_and_status_78(tmp_path: Path) -> None:
    async with child(tmp_path / "sim.db", 0, 0) as first:
        port = first.running.url.rpartition(":")[2]
        second = await start(tmp_path / "other.db", port, 0)
        _, problem = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 78
        lines = problem.decode().splitlines()
        assert len(lines) == 1
        assert f"port {port} on 127.0.0.1 is in use" in lines[0]
