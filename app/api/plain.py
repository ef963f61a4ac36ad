"""Routes that are nobody's: is this process alive, and what is not there."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api.endpoints import Endpoint
from app.api.exchange import answered, refused
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal

ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@answered
async def healthz(request: Request) -> Response:
    """200 when database and Redis answer, 503 when one does not; nothing about anybody."""
    await in_thread(system().check)
    return JSONResponse({"ok": True})


@answered
async def nothing_here(request: Request) -> Response:
    """An unknown API path; Streamlit would answer it with its page and 200."""
    return refused(Refusal("refuse.not_found"))


ENDPOINTS = (
    Endpoint("GET", "/healthz", healthz, "Whether this process, its database and Redis answer.", is_open=True),
)
LAST = [Route("/api", nothing_here, methods=ALL), Route("/api/{path:path}", nothing_here, methods=ALL)]
