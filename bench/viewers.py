"""
Scripted viewers for `bench.dashboards`: what a browser says to Streamlit and to our WebSocket, without a browser.

A page viewer runs the script once, then asks for every fragment again in the rhythm the page itself announced.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

COMING = 12
"""How many wait for what they came to see at once: what a crowd does that comes all together, `bench.floods` says."""


def _home(token: str) -> tuple[str, int]:
    """
    The loopback address of the person behind *token*: what one address may open is limited, and people have their own.
    """
    first, second = hashlib.sha256(token.encode()).digest()[:2]
    return f"127.8.{first}.{second}", 0


@dataclass
class Counted:
    """What the viewers of one case saw."""

    ticks: int = 0
    runs: int = 0
    kilobytes: float = 0
    wrong: list[str] = field(default_factory=list)
    ready: int = 0
    """Viewers who see something."""
    seconds: float = 0


def _request(fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    if fragment:
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = True
    return bytes(message.SerializeToString())


async def chart_viewer(base: str, token: str, seen: Counted) -> None:
    """Follow the live candles."""
    await _listen(f"{base}/api/ws?symbol=BTCUSDT&interval=1m", token, seen)


async def account_viewer(base: str, token: str, seen: Counted) -> None:
    """Follow the account behind *token*."""
    await _listen(f"{base}/api/ws/account", token, seen)


async def _listen(address: str, token: str, seen: Counted) -> None:
    headers = {"Cookie": f"maemae={token}"} if token else {}
    url = f"ws{address.removeprefix('http')}"
    async with websockets.connect(url, additional_headers=headers, compression=None, local_addr=_home(token)) as socket:
        seen.ready += 1
        async for text in socket:
            seen.ticks += 1
            seen.kilobytes += len(text) / 1000


async def page_viewer(base: str, token: str, seen: Counted) -> None:
    """Keep a page open."""
    url = f"ws{base.removeprefix('http')}/_stcore/stream"
    headers = {"Cookie": f"maemae={token}"} if token else {}
    protocols = [websockets.Subprotocol("streamlit")]
    async with (
        websockets.connect(
            url,
            additional_headers=headers,
            subprotocols=protocols,
            origin=websockets.Origin(base),
            compression=None,
            local_addr=_home(token),
            max_size=None,
        ) as socket,
        asyncio.TaskGroup() as group,
    ):
        await socket.send(_request())
        known: set[str] = set()
        drawn = False
        async for raw in socket:
            assert isinstance(raw, bytes)
            seen.kilobytes += len(raw) / 1000
            before = seen.runs
            found = _read(raw, seen)
            if seen.runs > before and not drawn:
                drawn, seen.ready = True, seen.ready + 1
            for fragment, every in found:
                if fragment not in known:
                    known.add(fragment)
                    group.create_task(_repeat(socket, fragment, every))


def _read(raw: bytes, seen: Counted) -> list[tuple[str, float]]:
    """The rhythms *raw* announces; counts what else it is."""
    message = ForwardMsg()
    message.ParseFromString(raw)
    kind = message.WhichOneof("type")
    if kind == "script_finished":
        seen.runs += 1
    if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
        seen.wrong.append(message.delta.new_element.exception.message)
    if kind == "auto_rerun":
        return [(message.auto_rerun.fragment_id, message.auto_rerun.interval)]
    return []


async def _repeat(socket: Any, fragment: str, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await socket.send(_request(fragment))


@asynccontextmanager
async def crowd(viewers: list[Callable[[Counted], Coroutine[Any, Any, None]]]) -> AsyncIterator[Counted]:
    """All *viewers* at once, for as long as the block lasts; they come in `COMING` at a time."""
    seen = Counted()
    tasks = []

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            seen.wrong.append(repr(task.exception() or "a viewer was sent away"))

    for viewer in viewers:
        task = asyncio.create_task(viewer(seen))
        task.add_done_callback(ended)
        tasks.append(task)
        await asyncio.sleep(0.03)
        while len(tasks) - seen.ready >= COMING and not seen.wrong:  # noqa: ASYNC110 - a bench may look now and then
            await asyncio.sleep(0.03)
    try:
        yield seen
    finally:
        for task in tasks:
            task.remove_done_callback(ended)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
