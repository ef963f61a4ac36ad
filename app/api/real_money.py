"""
The way to real money by REST: every gate of the account in use, the typed consent, and taking it back.

It says and does what the key page does. No token reaches a consent, and no account's number comes in: it is given to
the key of whoever asks.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.venues import CAPABILITIES
from lib.queries.real import RealStanding

LONGEST_SENTENCE = 200
NO_ACCOUNT = Refusal("refuse.no_account")


@for_people
async def read_gates(request: Request, user: SessionUser) -> Response:
    """`{venue, consented, gates: [{gate, is_open, why}]}`, in the order people reach them; none without real money."""
    found = await _standing(user)
    return refused(NO_ACCOUNT) if found is None else JSONResponse(_told(found))


@for_actors
async def consent(request: Request, user: SessionUser) -> Response:
    """`{sentence}`, typed letter by letter, by who has a second factor and proved lately who they are."""
    sentence = (await body_of(request)).typed("sentence", LONGEST_SENTENCE)
    found = await _standing(user)
    if found is None or not _is_real(found):
        return refused(NO_ACCOUNT)
    return done(await in_thread(system().real_money.consent, user, found.account_id, sentence))


@for_actors
async def withdraw(request: Request, user: SessionUser) -> Response:
    """End every consent: nothing is entered with real money from the next claim on; exits and stops go on."""
    await body_of(request)
    return done(await in_thread(system().real_money.withdraw, user))


async def _standing(user: SessionUser) -> RealStanding | None:
    return await in_thread(system().readings.real_money, user.user_id, system().clock.now_ms())


def _is_real(found: RealStanding) -> bool:
    return CAPABILITIES[found.venue].has_real_money


def _told(found: RealStanding) -> dict[str, Any]:
    gates = [
        {"gate": each.gate.value, "is_open": each.is_open, "why": plain(each.why) if each.why else None}
        for each in found.gates
        if _is_real(found)
    ]
    return {"venue": found.venue, "consented": found.consented, "gates": gates}


ENDPOINTS = (
    Endpoint("GET", "/api/real-money", read_gates, "Every gate before real money, and why it is closed.", scope="read"),
    Endpoint("POST", "/api/real-money/consent", consent, "Consent to real money with the key in use.",
             body=(api.text("sentence", LONGEST_SENTENCE),)),
    Endpoint("POST", "/api/real-money/withdraw", withdraw, "Take every consent to real money back."),
)  # fmt: skip
