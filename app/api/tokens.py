"""Personal tokens of programs: made, listed and taken back by their person's own session, never by a token."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, plain
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.api_token import LIFETIMES, LONGEST_NAME, SCOPES

LATEST_ID = 10**15 - 1


@for_actors
async def read_tokens(request: Request, user: SessionUser) -> Response:
    """The living tokens, never what opens anything."""
    return JSONResponse({"tokens": plain(await in_thread(system().readings.api_tokens, user.user_id))})


@for_actors
async def make_token(request: Request, user: SessionUser) -> Response:
    """`{name, scope, days}`: the token, told this once."""
    body = await body_of(request)
    name, scope, days = body.line("name", LONGEST_NAME), body.choice("scope", SCOPES), body.count("days")
    made = await in_thread(system().tokens.make, user, name, scope, days)
    return done(made) if isinstance(made, Refusal) else JSONResponse({"token": made.secret})


@for_actors
async def end_token(request: Request, user: SessionUser) -> Response:
    """`{token_id}`."""
    number = (await body_of(request)).count("token_id")
    return done(await in_thread(system().tokens.revoke, user, number))


_NEW = (
    api.text("name", LONGEST_NAME),
    api.choice("scope", SCOPES),
    api.Part("days", {"type": "integer", "enum": list(LIFETIMES)}, required=True),
)

ENDPOINTS = (
    Endpoint("GET", "/api/account/tokens", read_tokens, "Personal tokens that live."),
    Endpoint("POST", "/api/account/tokens", make_token, "A new personal token, told this once.", body=_NEW),
    Endpoint("POST", "/api/account/tokens/end", end_token, "Take a personal token back.",
             body=(api.whole("token_id", 0, LATEST_ID, required=True),)),
)  # fmt: skip
