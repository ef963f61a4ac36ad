"""
The safety of a person's own account: their sessions, ended one by one, and their trail. Nobody else's id is ever taken.

A read-only visitor of the demo reads none of it either: other visitors' addresses are in it.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api.exchange import body_of, done, for_actors, plain, whole
from app.system import system
from app.threads import in_thread
from lib.accounts.web import SessionUser

MOST_NOTES = 200
LATEST_ID = 10**15 - 1


@for_actors
async def sessions(request: Request, user: SessionUser) -> Response:
    """The living sessions, and which of them asks."""
    found = await in_thread(system().readings.sessions, user.user_id)
    return JSONResponse({"sessions": plain(found), "this": user.session_id})


@for_actors
async def end_session(request: Request, user: SessionUser) -> Response:
    """`{session_id}`."""
    number = (await body_of(request)).count("session_id")
    return done(await in_thread(system().safety.end_session, user, number))


@for_actors
async def end_others(request: Request, user: SessionUser) -> Response:
    """End every other session."""
    await body_of(request)
    return done(await in_thread(system().safety.end_other_sessions, user))


@for_actors
async def trail(request: Request, user: SessionUser) -> Response:
    """`?limit&before`: the newest notes, or those before the note *before*."""
    limit, before = whole(request, "limit", 50, 1, MOST_NOTES), whole(request, "before", 0, 0, LATEST_ID)
    found = await in_thread(system().readings.trail, user.user_id, limit, before)
    return JSONResponse({"notes": plain(found)})


ROUTES = [
    Route("/api/account/sessions", sessions, methods=["GET"]),
    Route("/api/account/sessions/end", end_session, methods=["POST"]),
    Route("/api/account/sessions/end-others", end_others, methods=["POST"]),
    Route("/api/account/trail", trail, methods=["GET"]),
]
