"""
A browser whose requests are calls of the application, made within its event loop: a third of what a client's cost.

What is asked arrives as it was written, by the bytes a server would hand on; cookies of answers are kept and sent as a
browser's are, and what the application raises is an answer of 500.
"""

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

from starlette.testclient import TestClient

ASCII = "".join(map(chr, range(0x21, 0x7F)))
SAYS_ITS_LENGTH = ("POST", "PUT", "PATCH")
OF_EVERY_BROWSER = {
    b"host": b"testserver",
    b"accept": b"*/*",
    b"accept-encoding": b"gzip, deflate, br",
    b"user-agent": b"testclient",
}
"""As starlette's client sends them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the body, unpacked."""

    status_code: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.content)

    def told(self, name: bytes) -> list[str]:
        """Every value of the header *name* (lower case)."""
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name]


class AtOnce:
    """Asks the running application of *client*, with a cookie jar of its own."""

    def __init__(self, client: TestClient) -> None:
        assert client.portal is not None
        self._app, self._portal = client.app, client.portal
        self.cookies: dict[str, str] = {}

    def request(
        self, method: str, target: str, *, headers: Mapping[str, bytes] | None = None, content: bytes = b""
    ) -> Answer:
        """The answer to *method* of *target* (path and query, quoted only where no server would let it pass)."""
        answer: Answer = self._portal.call(self._ask, self._scope(method, target, headers or {}, content), content)
        for one in answer.told(b"set-cookie"):
            for name, morsel in SimpleCookie(one).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return answer

    def _scope(self, method: str, target: str, headers: Mapping[str, bytes], content: bytes) -> dict[str, Any]:
        path, _, query = target.partition("?")
        raw = quote(path, safe=ASCII)
        sent = dict(OF_EVERY_BROWSER)
        if self.cookies:
            sent[b"cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items()).encode()
        if content or method in SAYS_ITS_LENGTH:
            sent[b"content-length"] = str(len(content)).encode()
        sent |= {name.lower().encode(): value for name, value in headers.items()}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "headers": list(sent.items()),
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": quote(query, safe=ASCII).encode(),
            "server": ("testserver", None),
            "client": ("testclient", 50_000),
            "root_path": "",
        }

    async def _ask(self, scope: dict[str, Any], content: bytes) -> Answer:
        waiting = [{"type": "http.request", "body": content, "more_body": False}]
        said: list[Any] = []
        ended = asyncio.Event()

        async def receive() -> Any:
            if waiting:
                return waiting.pop()
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.set()

        try:
            await self._app(scope, receive, send)
        except Exception:  # noqa: BLE001 - as a server would: whoever judges the answer is told
            return Answer(500, (), b"the application raised")
        finally:
            ended.set()
        return _whole(scope["method"], said)


def _whole(method: str, said: list[Any]) -> Answer:
    start, *parts = said
    headers = tuple(start["headers"])
    body = b"" if method == "HEAD" else b"".join(part.get("body", b"") for part in parts)
    if body and (b"content-encoding", b"gzip") in headers:
        body = gzip.decompress(body)
    return Answer(start["status"], headers, body)
