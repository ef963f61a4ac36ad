"""
Files that never change under their address, compressed once.

Starlette's middleware compresses; what it made of a file is kept here, because Streamlit leaves its scripts
uncompressed (5 MB a first visit) and compressing them again for every visitor would cost a third of a second each. Only
files with a versioned name are kept, never an answer about anybody, and never more than `MOST_BYTES`.
"""

from dataclasses import dataclass, field
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

from app.security import App, Message, Receive, Scope, Send
from app.visit import header

FILES = ("/static/", "/assets/")
MOST_BYTES = 24 * 1024 * 1024
LEVEL = 6
_ANSWERED_APART = (b"range", b"if-none-match", b"if-modified-since")


@dataclass(slots=True)
class _Answer:
    """One whole answer."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class KeptAssets:
    """Pure ASGI around *app*."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._compressing: Any = GZipMiddleware(app, minimum_size=500, compresslevel=LEVEL)
        self._kept: dict[str, _Answer] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_be_kept(scope):
            await self._app(scope, receive, send)
        elif (kept := self._kept.get(scope["path"])) is not None:
            await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
            await send({"type": "http.response.body", "body": kept.body})
        else:
            await self._compressing(scope, receive, self._keeping(scope["path"], send))

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
        if path in self._kept or self._bytes + len(answer.body) > MOST_BYTES:
            return
        headers = [pair for pair in answer.headers if pair[0].lower() not in (b"content-length", b"transfer-encoding")]
        answer.headers = [*headers, (b"content-length", str(len(answer.body)).encode())]
        self._kept[path] = answer
        self._bytes += len(answer.body)


def _may_be_kept(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(FILES):
        return False
    headers = scope["headers"]
    apart = any(name.lower() in _ANSWERED_APART for name, _ in headers)
    return not apart and "gzip" in header(headers, b"accept-encoding")


def _is_file(start: Message) -> bool:
    """Whether a whole, compressed file begins: an unknown name is answered with a page."""
    headers = start.get("headers", ())
    kind, packing = header(headers, b"content-type"), header(headers, b"content-encoding")
    return bool(start["status"] == 200 and packing == "gzip" and not kind.startswith("text/html"))
