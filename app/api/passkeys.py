"""
Passkeys: made, removed and shown by who is signed in, and a way in of their own.

What a browser and its authenticator say to each other is handed on as JSON text; `lib.accounts.passkeys` judges it. A
passkey belongs to the name people open this server by: under a bare address no browser makes one.
"""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.auth import come_in
from app.api.endpoints import Endpoint
from app.api.exchange import answered, body_of, done, for_actors, refused
from app.http.hosts import read_place, usual_port
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.visit import header, visit_of
from lib.accounts.passkeys import Asked
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.device import device_name
from lib.domain.passkey import RelyingParty

LONGEST_ANSWER = 12_000


@for_actors
async def begin(request: Request, user: SessionUser) -> Response:
    """What the browser needs to make a passkey."""
    await body_of(request)
    return _asked(await in_thread(system().passkeys.begin, user, _place(request)))


@for_actors
async def add(request: Request, user: SessionUser) -> Response:
    """`{answer}`: the browser's answer, as JSON text."""
    answer = (await body_of(request)).typed("answer", LONGEST_ANSWER)
    name = device_name(visit_of(request.scope).origin.user_agent) or "?"
    return done(await in_slow_thread(system().passkeys.add, user, _place(request), answer, name))


@for_actors
async def remove(request: Request, user: SessionUser) -> Response:
    """`{passkey_id}`."""
    number = (await body_of(request)).count("passkey_id")
    return done(await in_thread(system().passkeys.remove, user, number))


@for_actors
async def begin_proof(request: Request, user: SessionUser) -> Response:
    """What the browser needs to prove whose session this is."""
    await body_of(request)
    return _asked(await in_thread(system().passkeys.begin_proof, user, _place(request)))


@for_actors
async def prove(request: Request, user: SessionUser) -> Response:
    """`{answer}`."""
    answer = (await body_of(request)).typed("answer", LONGEST_ANSWER)
    return done(await in_slow_thread(system().passkeys.prove, user, _place(request), answer))


@answered
async def begin_sign_in(request: Request) -> Response:
    """What the browser needs to sign somebody in."""
    await body_of(request)
    origin = visit_of(request.scope).origin
    return _asked(await in_thread(system().passkeys.begin_sign_in, _place(request), origin))


@answered
async def sign_in(request: Request) -> Response:
    """`{answer}`."""
    answer, visit = (await body_of(request)).typed("answer", LONGEST_ANSWER), visit_of(request.scope)
    place, passkeys = _place(request), system().passkeys
    return await come_in(visit, lambda: passkeys.sign_in(place, answer, visit.origin))


def _place(request: Request) -> RelyingParty:
    """Where the browser is, by the name it asked for: the layer in front let no other name through."""
    scheme = visit_of(request.scope).scheme
    host = header(request.scope["headers"], b"host")
    place = read_place(host, scheme)
    name = "" if place is None else place.name
    port = "" if place is None or place.port == usual_port(scheme) else f":{place.port}"
    return RelyingParty(name, f"{scheme}://{name}{port}")


def _asked(result: Asked | Refusal) -> Response:
    return refused(result) if isinstance(result, Refusal) else JSONResponse({"options": json.loads(result.options)})


_ANSWER = (api.text("answer", LONGEST_ANSWER),)
ENDPOINTS = (
    Endpoint("POST", "/api/account/passkeys/begin", begin, "What a browser needs to make a passkey."),
    Endpoint("POST", "/api/account/passkeys", add, "Keep a passkey, by the browser's answer.", body=_ANSWER),
    Endpoint("DELETE", "/api/account/passkeys", remove, "Forget a passkey.",
             body=(api.whole("passkey_id", 0, 10**15 - 1, required=True),)),
    Endpoint("POST", "/api/account/passkeys/prove/begin", begin_proof, "What a browser needs to show a passkey."),
    Endpoint("POST", "/api/account/passkeys/prove", prove, "Prove whose session this is, by a passkey.", body=_ANSWER),
    Endpoint("POST", "/api/auth/passkey/begin", begin_sign_in, "What a browser needs to sign in by a passkey.",
             is_open=True),
    Endpoint("POST", "/api/auth/passkey", sign_in, "Sign in by a passkey.", body=_ANSWER, is_open=True),
)  # fmt: skip
