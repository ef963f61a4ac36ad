"""The simulator over real sockets: foreign clients, durability, guards and the switches."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pybit.unified_trading as pybit
import pytest

from lib.clock import SystemClock
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Halt
from lib.simulator.analyst.questions import FIELDS
from lib.simulator.server import SimulatorConfig, serve
from tests.simulator.running import Key, Running, ShiftedClock, served, until
from tests.simulator.test_analyst import SCHEMA, content_of, walk

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]


def config_in(folder: Path, **changes: Any) -> SimulatorConfig:
    return replace(SimulatorConfig("synthetic", folder / "sim.db", port=0), **changes)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with served(config_in(tmp_path)) as running:
        yield running


def foreign(running: Running, key: Key | None = None) -> pybit.HTTP:
    """pybit, pointed here."""
    http = pybit.HTTP(
        api_key=key.api_key if key else None, api_secret=key.api_secret if key else None, max_retries=1, timeout=5
    )
    http.endpoint = running.url
    return http


# --- foreign clients -------------------------------------------------------------------------------------------------


async def test_pybit_trades_over_http(running: Running) -> None:
    key = await running.account()
    http = foreign(running, key)

    async def call(method: Callable[..., Any], **arguments: Any) -> Any:
        return (await asyncio.to_thread(method, category="linear", **arguments))["result"]

    rows = (await call(http.get_kline, symbol="BTCUSDT", interval=1, limit=50))["list"]
    assert len(rows) == 50
    assert [int(r[0]) for r in rows] == [int(rows[0][0]) - n * MINUTE_MS for n in range(50)]
    await call(http.set_leverage, symbol="BTCUSDT", buyLeverage="5", sellLeverage="5")
    last = Decimal(rows[0][4])
    placed = await call(
        http.place_order,
        symbol="BTCUSDT",
        side="Buy",
        orderType="Market",
        qty="0.010",
        orderLinkId="pybit-1",
        stopLoss=str((last * Decimal("0.98")).quantize(Decimal("0.1"))),
        takeProfit=str((last * Decimal("1.05")).quantize(Decimal("0.1"))),
    )
    assert placed["orderLinkId"] == "pybit-1"

    async def open_position() -> Any:
        (row,) = (await call(http.get_positions, symbol="BTCUSDT"))["list"]
        return row if row["size"] != "0" else None

    position = await until(open_position)
    assert (position["side"], Decimal(position["size"]), position["leverage"]) == ("Buy", Decimal("0.01"), "5")
    assert Decimal(position["stopLoss"]) < last < Decimal(position["takeProfit"])
    executions = (await call(http.get_executions, symbol="BTCUSDT"))["list"]
    assert sum(Decimal(e["execQty"]) for e in executions) == Decimal("0.01")
    wallet = (await asyncio.to_thread(http.get_wallet_balance, accountType="UNIFIED"))["result"]["list"][0]
    fees = sum(Decimal(e["execFee"]) for e in executions)
    assert Decimal(wallet["coin"][0]["walletBalance"]) == Decimal(10_000) - fees


def quietly(socket: pybit.WebSocket) -> pybit.WebSocket:
    """pybit notes a subscription after sending it and dies when the answer is faster: let it note first."""
    send = socket.ws.send

    def later(text: str) -> None:
        threading.Timer(0.05, send, [text]).start()

    socket.ws.send = later
    return socket


async def test_pybit_hears_the_kline_close_and_its_own_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SystemClock().now_ms()
    clock = ShiftedClock(MINUTE_MS - now % MINUTE_MS - 2_000)  # two seconds before a minute ends
    loop, frames = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()
    async with served(config_in(tmp_path), clock) as running:
        monkeypatch.setattr(pybit, "PUBLIC_WSS", running.ws_url + "/v5/public/{CHANNEL_TYPE}")
        socket = await asyncio.to_thread(lambda: quietly(pybit.WebSocket(testnet=False, channel_type="linear")))

        def heard(frame: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(frames.put_nowait, frame)

        await asyncio.to_thread(socket.kline_stream, interval=1, symbol="BTCUSDT", callback=heard)
        rows: list[dict[str, Any]] = []
        while len(rows) < 3 or not rows[-2]["confirm"]:
            rows += (await asyncio.wait_for(frames.get(), 5))["data"]
        assert not rows[0]["confirm"]
        assert rows[-1]["start"] == rows[-2]["start"] + MINUTE_MS
        assert rows[-1]["open"] == rows[-2]["close"]
        await asyncio.to_thread(socket.exit)


async def test_pybit_hears_its_own_orders(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await running.account()
    loop, frames = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()
    monkeypatch.setattr(pybit, "PRIVATE_WSS", running.ws_url + "/v5/private")

    def connect() -> pybit.WebSocket:
        secret = {"api_key": key.api_key, "api_secret": key.api_secret}
        return quietly(pybit.WebSocket(testnet=False, channel_type="private", **secret))

    socket = await asyncio.to_thread(connect)
    await asyncio.to_thread(socket.order_stream, lambda f: loop.call_soon_threadsafe(frames.put_nowait, f))

    async def subscribed() -> bool:
        return bool(socket.auth and (await running.get("/sim/state"))[1]["subscriptions"])

    await until(subscribed)
    await key.post("/v5/order/create", side="Buy", orderType="Market", qty="0.002", orderLinkId="heard-1")
    statuses = []
    while "Filled" not in statuses:
        frame = await asyncio.wait_for(frames.get(), 5)
        statuses += [row["orderStatus"] for row in frame["data"] if row["orderLinkId"] == "heard-1"]
    await asyncio.to_thread(socket.exit)


async def test_the_openai_client_gets_a_decision(running: Running) -> None:
    client = openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="sk-anything", max_retries=0, timeout=5)
    async with client:
        answer = await client.chat.completions.create(
            model="gpt-6-luna",
            messages=[{"role": "user", "content": content_of(walk(7))}],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "Decision", "strict": True, "schema": SCHEMA},
            },
        )
        assert sorted(json.loads(answer.choices[0].message.content or "")) == sorted(FIELDS)
        assert answer.usage is not None
        assert answer.usage.total_tokens > 0
        assert (await client.models.list()).data[0].id == "gpt-6-luna"
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="gpt-1", messages=[{"role": "user", "content": "{}"}])
        await running.post("/sim/faults", {"kind": "analyst", "params": {"answer": "429"}})
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(
                model="gpt-6-luna", messages=[{"role": "user", "content": content_of(walk(7))}]
            )


# --- durability ------------------------------------------------------------------------------------------------------


async def test_a_restarted_simulator_has_everything_it_acknowledged(tmp_path: Path) -> None:
    async with served(config_in(tmp_path)) as running:
        key = await running.account("2500.50")
        resting = await key.post(
            "/v5/order/create", side="Buy", orderType="Limit", price="20000", qty="0.01", orderLinkId="rest-1"
        )
        before = await key.get("/v5/account/transaction-log", "category=linear")
        before |= await key.get("/v5/account/transaction-log", "accountType=UNIFIED")
    async with served(config_in(tmp_path)) as running:
        key.running = running
        orders = await key.get("/v5/order/realtime", "category=linear&symbol=BTCUSDT")
        assert [o["orderId"] for o in orders["result"]["list"]] == [resting["result"]["orderId"]]
        again = await key.post(
            "/v5/order/create", side="Buy", orderType="Limit", price="20000", qty="0.01", orderLinkId="rest-1"
        )
        assert again["retCode"] == 110072
        after = await key.get("/v5/account/transaction-log", "accountType=UNIFIED")
        assert after["result"]["list"] == before["result"]["list"]
        assert len(after["result"]["list"]) == 1


async def test_books_of_another_seed_are_refused(tmp_path: Path) -> None:
    async with served(config_in(tmp_path)):
        pass
    with pytest.raises(Halt, match="seed 7"):
        await serve(config_in(tmp_path, seed=8), asyncio.Event())


async def test_a_lost_reply_is_a_cut_connection_and_an_accepted_order(running: Running) -> None:
    key = await running.account()
    await running.post("/sim/faults", {"kind": "drop_reply", "path": "/v5/order/create"})
    with pytest.raises(aiohttp.ClientError):
        await key.post("/v5/order/create", side="Buy", orderType="Market", qty="0.002", orderLinkId="lost-1")
    found = await key.get("/v5/order/realtime", "category=linear&symbol=BTCUSDT&orderLinkId=lost-1")
    assert [o["orderLinkId"] for o in found["result"]["list"]] == ["lost-1"]


# --- replay ----------------------------------------------------------------------------------------------------------


def candle_file(folder: Path, minutes: int) -> Path:
    lines = ["open_time,open,high,low,close,volume"]
    for n in range(minutes):
        price = 50_000 + n * 10
        lines.append(f"{1_640_995_200_000 + n * MINUTE_MS},{price},{price + 15},{price - 5},{price + 10},1.5")
    path = folder / "candles.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_a_replay_starts_with_its_history_in_the_past_and_keeps_its_place(tmp_path: Path) -> None:
    config = config_in(tmp_path, feed=f"replay:{candle_file(tmp_path, 40)}", replay_history=30)
    answers = []
    for _ in range(2):
        async with served(config) as running:
            answers.append(
                (await running.get("/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&limit=200"))[1]
            )
    rows = answers[0]["result"]["list"]
    assert rows[-1][1] == "50000"
    assert 30 <= len(rows) <= 32  # the past, and the minute under way
    assert answers[1]["result"]["list"][-1] == rows[-1]


async def test_a_replay_that_is_over_pushes_no_klines(tmp_path: Path) -> None:
    config = config_in(tmp_path, feed=f"replay:{candle_file(tmp_path, 5)}", replay_history=5)
    async with served(config) as running, running.session.ws_connect(running.ws_url + "/v5/public/linear") as socket:
        await socket.send_json({"op": "subscribe", "args": ["kline.1.BTCUSDT"]})
        assert (await socket.receive_json(timeout=2))["success"] is True
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=1.2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feed": "replay:/nowhere/candles.csv"}, "cannot read the candle file /nowhere/candles.csv"),
        ({"feed": "dreams"}, "unknown feed 'dreams'"),
        ({"feed": "bybit"}, "needs a real venue"),
        ({"symbols": ("DOGEUSD",)}, "DOGEUSD cannot be simulated"),
        ({"host": "0.0.0.0"}, "without SIMULATOR_TOKEN"),  # noqa: S104 - the point of the test
    ],
)
async def test_what_cannot_be_simulated_halts_with_one_line(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Halt, match=words) as caught:
        await serve(config_in(tmp_path, **changes), asyncio.Event())
    assert "\n" not in str(caught.value)


# --- guards and switches ---------------------------------------------------------------------------------------------


async def test_a_busy_port_halts_with_one_line(tmp_path: Path, running: Running) -> None:
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(Halt, match=f"port {port} on 127.0.0.1 is in use"):
        await serve(config_in(tmp_path, port=port, database=tmp_path / "other.db"), asyncio.Event())


async def test_a_token_guards_the_switches_and_nothing_else(tmp_path: Path) -> None:
    async with served(config_in(tmp_path, token="t0ken")) as running:
        for path in ("/sim/accounts", "/sim/faults"):
            assert (await running.post(path, {"balance": "1", "kind": "ws_reset"}))[0] == 401
        assert (await running.get("/sim/state", **{"X-Simulator-Token": "wrong"}))[0] == 401
        status, state = await running.get("/sim/state", **{"X-Simulator-Token": "t0ken"})
        assert (status, state["feed"], state["accounts"]) == (200, "synthetic seed 7", 0)
        assert (await running.get("/v5/market/time"))[0] == 200


async def test_a_web_page_cannot_turn_the_switches(running: Running) -> None:
    assert (await running.post("/sim/accounts", {}, Origin="https://evil.example"))[0] == 403


@pytest.mark.parametrize(
    "body", [{"kind": "nonsense"}, {"kind": "ws_reset", "count": 0}, {"kind": "analyst"}, {"what": 1}, []]
)
async def test_an_unknown_fault_is_refused(running: Running, body: Any) -> None:
    assert (await running.post("/sim/faults", body))[0] == 400
    assert (await running.get("/sim/state"))[1]["faults"] == []


async def test_an_unknown_route_is_answered_by_the_venue(running: Running) -> None:
    _, answer = await running.get("/v5/market/weather")
    assert answer["retCode"] == 10017
