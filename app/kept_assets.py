"""
Files that never change under their address, compressed once, as small as the reader's browser takes them.

The first answer of a file is gzip, by Starlette's middleware; beside it, in the background and one after another, each
is packed by Brotli as tightly as it can, which takes seconds for the largest (once a machine: `app/packed_files.py`)
and a sixth off the wire, and is what everybody after that gets. What a first visit needs is asked for when the server
starts. Only files with a versioned name are kept, never an answer about anybody (a secret beside a stranger's words
could be guessed by its packed length), and never more than `MOST_BYTES`.
"""

import asyncio
import gzip
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

from app.packed_files import packed
from app.security import App, Message, Receive, Scope, Send
from app.visit import header

PACKED = Path(__file__).resolve().parents[1] / "var" / "packed"
FILES = ("/static/", "/assets/")
MOST_BYTES = 24 * 1024 * 1024
LEVEL = 6
_ANSWERED_APART = (b"range", b"if-none-match", b"if-modified-since")
_OF_THE_BODY = (b"content-length", b"transfer-encoding", b"content-encoding")


@dataclass(slots=True)
class _Answer:
    """One whole answer."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def packed(self, packing: bytes, body: bytes) -> "_Answer":
        """The same with *body*, packed so."""
        headers = [pair for pair in self.headers if pair[0].lower() not in _OF_THE_BODY]
        told = [(b"content-encoding", packing), (b"content-length", str(len(body)).encode())]
        return _Answer([*headers, *told], body)


class KeptAssets:
    """Pure ASGI around *app*; the small files are kept in *folder*."""

    def __init__(self, app: App, folder: Path = PACKED) -> None:
        self._app, self._folder = app, folder
        self._compressing: Any = GZipMiddleware(app, minimum_size=500, compresslevel=LEVEL)
        self._kept: dict[str, _Answer] = {}
        self._smaller: dict[str, _Answer] = {}
        self._bytes = 0
        self._worker = ThreadPoolExecutor(1, "packing")
        self._packing: list[Future[None]] = []
        self._closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_be_kept(scope):
            await self._app(scope, receive, send)
        elif (kept := self._ready(scope)) is not None:
            await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
            await send({"type": "http.response.body", "body": kept.body})
        else:
            await self._compressing(scope, receive, self._keeping(scope["path"], send))

    async def warm(self, addresses: Iterable[str]) -> None:
        """Have the files at *addresses* (with or without a query) ready before somebody asks."""
        for path in dict.fromkeys(address.partition("?")[0] for address in addresses):
            if path.startswith(FILES):
                await self(_asking(path), _nothing, _unheard)
        await self.packed()

    async def packed(self) -> None:
        """Until everything asked for so far is as small as it gets."""
        await asyncio.gather(*map(asyncio.wrap_future, self._packing))

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _ready(self, scope: Scope) -> _Answer | None:
        smaller = self._smaller.get(scope["path"])
        takes = smaller is not None and "br" in _accepted(scope)
        return smaller if takes else self._kept.get(scope["path"])

    def _keeping(self, path: str, send: Send) -> Send:
        """*send*, with an ear for a file that is worth keeping."""
        heard: _Answer | None = None

        async def keep(message: Message) -> None:
            nonlocal heard
            await send(message)
            if message["type"] == "http.response.start" and _is_file(message):
                heard = _Answer(list(message["headers"]))
            elif message["type"] == "http.response.body" and heard is not None:
                heard.body += message.get("body", b"")
                if not message.get("more_body", False):
                    self._keep(path, heard)

        return keep

    def _keep(self, path: str, answer: _Answer) -> None:
        if path in self._kept or not self._has_room(len(answer.body)):
            return
        self._kept[path] = kept = answer.packed(b"gzip", answer.body)
        if not self._closed:
            self._packing.append(self._worker.submit(self._pack, path, kept))

    def _pack(self, path: str, kept: _Answer) -> None:
        body = packed(gzip.decompress(kept.body), self._folder)
        if len(body) < len(kept.body) and self._has_room(len(body)):
            self._smaller[path] = kept.packed(b"br", body)

    def _has_room(self, size: int) -> bool:
        fits = self._bytes + size <= MOST_BYTES
        self._bytes += size if fits else 0
        return fits


def _asking(path: str) -> Scope:
    """Who asks for *path* and takes gzip."""
    headers = [(b"host", b"localhost"), (b"accept-encoding", b"gzip")]
    common = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": ""}
    return {**common, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}


async def _nothing() -> Message:
    """No body comes and nobody hangs up."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def _unheard(message: Message) -> None:
    """An answer nobody waits for."""


def _accepted(scope: Scope) -> set[str]:
    """The packings the reader takes."""
    written = header(scope["headers"], b"accept-encoding").lower()
    offers = (one.partition(";") for one in written.split(","))
    return {name.strip() for name, _, weight in offers if weight.replace(" ", "") not in ("q=0", "q=0.0")}


def _may_be_kept(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(FILES):
        return False
    return not any(name.lower() in _ANSWERED_APART for name, _ in scope["headers"]) and "gzip" in _accepted(scope)


def _is_file(start: Message) -> bool:
    """Whether a whole, compressed file begins: an unknown name is answered with a page."""
    headers = start.get("headers", ())
    kind, packing = header(headers, b"content-type"), header(headers, b"content-encoding")
    return bool(start["status"] == 200 and packing == "gzip" and not kind.startswith("text/html"))
