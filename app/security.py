"""
The outermost layer: every HTTP request and every WebSocket passes here before Streamlit or a route sees it.

Refuses names that are not this server's and foreign origins, slows down who asks too much, finds the person behind the
cookie, closes Streamlit's side doors, and puts our headers on every answer. The identity header is ours alone: what a
client sends by that name is dropped, and Streamlit compares it before it re-attaches a live session, so that a leaked
session id opens nothing.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from app.http.fields import is_plain_path
from app.http.hosts import ANY, Hosts, differs_in_scheme_alone, is_own_origin, read_place
from app.http.refusals import refusal_body
from app.http.traffic import Traffic
from app.i18n import preferred
from app.policy import answer_headers, content_policy
from app.refusal_page import refusal_page, wants_page
from app.threads import in_thread
from app.visit import Visit, header, keep, read_visit
from lib.accounts.web import SessionUser
from lib.domain.errors import Retry

IDENTITY_HEADER = "X-Maemae-Session"
_OURS = b"x-maemae-"
_SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_SAFE, "POST", "PUT", "PATCH", "DELETE")
_OPEN = ("/static/", "/assets/", "/healthz", "/readyz", "/_stcore/health")
"""Nothing personal: no question to the database. Streamlit's front end polls its health route."""
_FOR_NOBODY = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/script-health-check",
)
_FOR_PEOPLE = ("/media", "/_stcore/upload_file")
_ASKED_BY_NUMBER = ("/healthz", "/readyz", "/metrics")
"""Platforms and watchers ask how we are under names of their own; the answer is nobody's, or the token's."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refused = tuple[int, str] | tuple[int, str, int]
"""Status, key, and for how many seconds."""
EVERY_HOST = Hosts([ANY])


class Security:
    """Pure ASGI around *app*; *user_of* answers who a session's token belongs to, *bearer_of* in whose
    name a program asks that shows a personal one, *trusted* is how many proxies are ours."""

    def __init__(  # noqa: PLR0913 - one argument a thing outside
        self,
        app: App,
        user_of: Callable[[str | None], SessionUser | None],
        trusted: int,
        hashes: tuple[str, ...],
        *,
        hosts: Hosts = EVERY_HOST,
        traffic: Traffic | None = None,
        bearer_of: Callable[[str], SessionUser | None] = lambda _: None,
    ) -> None:
        self._app = app
        self._user_of = user_of
        self._bearer_of = bearer_of
        self._trusted = trusted
        self._hashes = hashes
        self._hosts = hosts
        self._traffic = traffic or Traffic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        visit = read_visit(dict(scope), self._trusted)
        if scope["type"] == "http":  # a WebSocket's every text would pass through it
            send = self._with_headers(scope, visit, send)
        if (refused := self._before_asking(scope, visit)) is not None:
            await _refuse(scope, send, *refused)
            return
        try:
            visit = await self._recognised(scope["path"], visit)
        except Retry:
            await _refuse(scope, send, 503, "refuse.busy")
            return
        if (refused := self._asked(scope, visit)) is not None:
            await _refuse(scope, send, *refused)
        elif scope["type"] == "http":
            await self._app(_marked(scope, visit), receive, send)
        else:
            await self._hold(scope, visit, receive, send)

    async def _hold(self, scope: Scope, visit: Visit, receive: Receive, send: Send) -> None:
        with self._traffic.socket(visit) as has_place:
            if has_place and await self._traffic.has_turn(visit):
                await self._app(_marked(scope, visit), self._traffic.paced(receive, visit), send)
            else:
                await _refuse(scope, send, 429, "refuse.wait")

    def _before_asking(self, scope: Scope, visit: Visit) -> Refused | None:
        """What is wrong with this request whoever sends it."""
        host, path = header(scope["headers"], b"host"), scope["path"]
        if not is_plain_path(path):
            return 400, "refuse.request"
        if scope.get("method", "GET") not in _METHODS:
            return 405, "refuse.request"
        if path not in _ASKED_BY_NUMBER and not self._hosts.allow(read_place(host, visit.scheme)):
            return 421, "refuse.host"
        if (refused := refusal(scope, visit.scheme)) is not None:
            return refused
        if visit.credential is None or path.startswith(_OPEN) or self._traffic.may_look_up(visit):
            return None
        return 429, "refuse.wait", 1

    def _asked(self, scope: Scope, visit: Visit) -> Refused | None:
        """What is wrong with it from this visitor."""
        self._traffic.recognised(visit)
        path = scope["path"]
        counts = scope["type"] == "http" and not path.startswith(_OPEN)
        if counts and (wait_s := self._traffic.wait_s(scope["method"], path, visit)):
            return 429, "refuse.wait", wait_s
        return _side_door(path, visit)

    async def _recognised(self, path: str, visit: Visit) -> Visit:
        if visit.bearer is not None:
            return replace(visit, user=await in_thread(self._bearer_of, visit.bearer))
        if visit.token is None or path.startswith(_OPEN):
            return visit
        return replace(visit, user=await in_thread(self._user_of, visit.token))

    def _with_headers(self, scope: Scope, visit: Visit, send: Send) -> Send:
        policy = content_policy(self._hashes, header(scope["headers"], b"host"))
        ours = answer_headers(scope["path"], scope.get("query_string", b""), https=visit.https, policy=policy)
        names = {name for name, _ in ours} | {b"server"}

        async def send_ours(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
                message = {**message, "headers": [*theirs, *ours]}
            await send(message)

        return send_ours


def refusal(scope: Scope, scheme: str) -> Refused | None:
    """(status, key) when another site's page sent this; a client without an Origin is no browser page."""
    if scope["type"] == "http" and scope["method"] in _SAFE:
        return None
    headers = scope["headers"]
    origin, host = header(headers, b"origin"), header(headers, b"host")
    if origin and not is_own_origin(origin, scheme, read_place(host, scheme)):
        return 403, "refuse.scheme" if differs_in_scheme_alone(origin, scheme, host) else "refuse.origin"
    if header(headers, b"sec-fetch-site").lower() not in ("", "same-origin", "none"):
        return 403, "refuse.origin"
    return None


def _side_door(path: str, visit: Visit) -> Refused | None:
    if path.startswith(_FOR_NOBODY):
        return 404, "refuse.not_found"
    if not path.startswith(_FOR_PEOPLE):
        return None
    if visit.user is None:
        return 401, "refuse.signed_out"
    if path.startswith("/_stcore/"):
        # no page takes a file, and what nobody asked for would be kept in memory
        return (403, "refuse.read_only") if visit.user.read_only else (404, "refuse.not_found")
    return None


def _marked(scope: Scope, visit: Visit) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(_OURS)]
    if visit.identity:
        headers.append((IDENTITY_HEADER.lower().encode(), visit.identity.encode()))
    marked = {**scope, "headers": headers}
    keep(marked, visit)
    return marked


async def _refuse(scope: Scope, send: Send, status: int, key: str, wait_s: int = 0) -> None:
    if scope["type"] == "websocket":
        # before the handshake is accepted, so the browser sees a refused connection
        await send({"type": "websocket.close", "code": 1008, "reason": key})
        return
    params = {"seconds": wait_s} if wait_s else {}
    if wants_page(scope["method"], scope["path"], scope["headers"]):
        kind, body = b"text/html; charset=utf-8", refusal_page(key, params, scope["headers"])
    else:
        asked = header(scope["headers"], b"accept-language").partition(",")[0].strip()
        told = refusal_body(key, params, preferred(asked or None))
        kind, body = b"application/json", json.dumps(told, ensure_ascii=False).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if wait_s:
        headers.append((b"retry-after", str(wait_s).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
