"""
A proxy in front of two webs that keeps a browser with the web it came to: Caddy with our own example where it is
installed, else connections handed on byte for byte to the first web that answers, as a hash of one address would.
"""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIECE = 65_536


@contextmanager
def in_front(folder: Path, port: int, webs: list[int]) -> Iterator[None]:
    """A proxy on the loopback's *port* before *webs*, ended with the block."""
    caddy = shutil.which("caddy")
    with _caddy(caddy, folder, port, webs) if caddy else _handed_on(port, webs):
        yield


@contextmanager
def _caddy(binary: str, folder: Path, port: int, webs: list[int]) -> Iterator[None]:
    config = folder / "Caddyfile"
    config.write_text(f"{{\n\tadmin off\n}}\nimport {ROOT / 'deploy' / 'Caddyfile.two'}\n")
    env = {
        "SITE": f"http://127.0.0.1:{port}", "WEB_A": f"127.0.0.1:{webs[0]}", "WEB_B": f"127.0.0.1:{webs[1]}",
        "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder),
    }  # fmt: skip
    command = [binary, "run", "--config", str(config), "--adapter", "caddyfile"]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def _handed_on(port: int, webs: list[int]) -> Iterator[None]:
    loop, up = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        async with await asyncio.start_server(lambda r, w: _hand_on(r, w, webs), "127.0.0.1", port) as server:
            up.set()
            await server.serve_forever()

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)
        loop.run_until_complete(_ended(loop))
        loop.close()

    serving = loop.create_task(serve())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    up.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join(10)


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """End what is still handed on: whoever collects it later would say so in somebody else's test."""
    rest = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)  # what was closed goes with the next round of the loop


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, webs: list[int]) -> None:
    for port in webs:
        with suppress(OSError):
            theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pour(reader, to_them), _pour(theirs, writer))
            return
    writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                writer.write(piece)
                await writer.drain()
    finally:
        writer.close()
