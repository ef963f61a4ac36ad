"""
The assistant's tools over streamable HTTP, for this machine: bound to the loopback, each request with its own bearer.

Nothing is kept between requests and no token is held here: what a request may is what its token may, decided by the
REST API it is handed on to. A page of another site can neither name us (Host) nor ask from where it is (Origin), and it
has no token.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.domain.api_token import PREFIX

LOOPBACK = "127.0.0.1"
LONGEST_TOKEN = 200
MOST_BYTES = 64 * 1024
_bearer: ContextVar[str] = ContextVar("bearer")

Ask = Callable[[str, str, dict[str, Any]], Any]


def by_bearer(caller: Callable[[str], Ask]) -> Ask:
    """Asks with the token of the request that is answered; *caller* makes what asks with one token."""
    return lambda method, path, given: caller(_bearer.get())(method, path, given)


class NeedsBearer:
    """Who shows no personal token gets 401 before anything is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
            refusal = {"error": "send a personal token: Authorization: Bearer mm_…"}
            await JSONResponse(refusal, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
            return
        with_token = _bearer.set(token)
        try:
            await self._app(scope, receive, send)
        finally:
            _bearer.reset(with_token)


def app_of(tools: MCPServer, port: int) -> ASGIApp:
    """*tools* at /mcp, for requests that name this machine and *port*."""
    names = [f"{name}:{port}" for name in (LOOPBACK, "localhost")]
    guarded = TransportSecuritySettings(allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names])
    return NeedsBearer(
        tools.streamable_http_app(
            stateless_http=True, json_response=True, max_request_body_size=MOST_BYTES, transport_security=guarded
        )
    )


def serve(tools: MCPServer, port: int) -> None:
    """Answer on the loopback until Ctrl-C or SIGTERM."""
    uvicorn.run(app_of(tools, port), host=LOOPBACK, port=port, log_level="warning", server_header=False)
