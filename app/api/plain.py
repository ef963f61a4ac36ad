"""
Routes that are nobody's: is this process alive, is the system ready, its figures for whoever brings the token, and what
is not there.
"""

import hmac
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api.endpoints import Endpoint
from app.api.exchange import answered, refused
from app.system import system
from app.threads import in_thread, in_watch_thread
from lib.accounts.refusal import Refusal

ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@answered
async def healthz(request: Request) -> Response:
    """200 when database and Redis answer, 503 when one does not; nothing about anybody."""
    await in_thread(system().check)
    return JSONResponse({"ok": True})


@answered
async def readyz(request: Request) -> Response:
    """200 when the system may take work, else 503: a line a check, its name and whether it holds, nothing else."""
    found = await in_watch_thread(system().ready)
    told = {"ready": found.is_ready, "checks": dict(found.checks), "advice": dict(found.advice)}
    body = json.dumps(told, indent=1)
    return Response(body, 200 if found.is_ready else 503, media_type="application/json")


@answered
async def metrics(request: Request) -> Response:
    """This process' figures in Prometheus' format; without METRICS_TOKEN there is nothing here."""
    shown, token = system().metrics, system().metrics_token
    if shown is None or not token:
        return refused(Refusal("refuse.not_found"))
    said = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(said, f"Bearer {token}".encode()):
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    body, kind = await in_watch_thread(shown.exposition)
    return Response(body, headers={"Content-Type": kind})


@answered
async def nothing_here(request: Request) -> Response:
    """An unknown API path; Streamlit would answer it with its page and 200."""
    return refused(Refusal("refuse.not_found"))


ENDPOINTS = (
    Endpoint("GET", "/healthz", healthz, "Whether this process, its database and Redis answer.", is_open=True),
    Endpoint(
        "GET", "/readyz", readyz, "Whether the system may take work now, a name and a boolean a check.", is_open=True
    ),
)
LAST = [
    Route("/metrics", metrics, methods=["GET"]),
    Route("/api", nothing_here, methods=ALL),
    Route("/api/{path:path}", nothing_here, methods=ALL),
]
