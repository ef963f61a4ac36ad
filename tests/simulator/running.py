"""A simulator on a real port of the loopback, in the test's own event loop, and the small things tests ask of it."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from lib.clock import Clock, SystemClock
from lib.simulator.market.live_feed import Upstream
from lib.simulator.server import SimulatorConfig, serve


class ShiftedClock(SystemClock):
    """The machine's clock, *shift_ms* ahead."""

    def __init__(self, shift_ms: int) -> None:
        self._shift = shift_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._shift


@dataclass
class Running:
    """A served simulator: *url* without a trailing slash, *session* for plain requests."""

    url: str
    session: aiohttp.ClientSession

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        async with self.session.post(self.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def account(self, balance: str = "10000") -> "Key":
        status, made = await self.post("/sim/accounts", {"balance": balance, "label": "test"})
        assert status == 200, made
        made = made.get("result", made)
        return Key(self, made["apiKey"], made["apiSecret"])


@dataclass
class Key:
    """Signs requests the way the venue's documentation says, by the venue's own clock."""

    running: Running
    api_key: str
    api_secret: str

    async def get(self, path: str, query: str) -> Any:
        return await self._send("GET", path, query)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._send("POST", path, json.dumps({"category": "linear", "symbol": "BTCUSDT"} | body))

    async def _send(self, method: str, path: str, payload: str) -> Any:
        running = self.running
        _, now = await running.get("/v5/market/time")
        headers = sign(self.api_key, self.api_secret, now["time"], payload)
        url = f"{running.url}{path}" + (f"?{payload}" if method == "GET" else "")
        body = payload.encode() if method == "POST" else None
        async with running.session.request(method, url, data=body, headers=headers) as answer:
            return await answer.json()


def sign(api_key: str, api_secret: str, now_ms: int, payload: str) -> dict[str, str]:
    """The headers of a signed request at *now_ms*."""
    plain = f"{now_ms}{api_key}5000{payload}"
    return {
        "X-BAPI-API-KEY": api_key,
        "X-BAPI-TIMESTAMP": str(now_ms),
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": hmac.new(api_secret.encode(), plain.encode(), "sha256").hexdigest(),
        "Content-Type": "application/json",
    }


@asynccontextmanager
async def served(
    config: SimulatorConfig, clock: Clock | None = None, upstream: Upstream | None = None
) -> AsyncIterator[Running]:
    """A simulator of *config* (give it port 0) until the block ends."""
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, stop, clock=clock, upstream=upstream, on_ready=port.set_result))
    await asyncio.wait([task, port], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    async with aiohttp.ClientSession() as session:
        yield Running(f"http://127.0.0.1:{await port}", session)
    stop.set()
    await asyncio.wait_for(task, 3)


async def until(question: Callable[[], Awaitable[Any]], seconds: float = 5) -> Any:
    """Ask again until the answer is truthy."""
    async with asyncio.timeout(seconds):
        while not (answer := await question()):  # noqa: ASYNC110 - a server cannot set our event
            await asyncio.sleep(0.02)  # asking is what lets the simulated exchange move on
    return answer
