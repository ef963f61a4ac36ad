"""
The way to real money by REST: every gate of the account in use, the typed consent and taking it back, stretches of
evidence and doing without one.

It says and does what the key page does. No token reaches an act, and no account's number comes in: each is about the
key of whoever asks.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.comparison import criteria_of_running
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.real_money import AHEAD_MS
from lib.domain.stretch import OVERRIDE_LIFE_MS, Criteria, Stretch, stretch_refusal
from lib.domain.venues import CAPABILITIES
from lib.queries.real import RealStanding

LONGEST_SENTENCE = 200
LATEST_ID = 10**15 - 1
NO_ACCOUNT, NO_RECORD = Refusal("refuse.no_account"), Refusal("refuse.real.record")


@for_people
async def read_gates(request: Request, user: SessionUser) -> Response:
    """
    `{venue, consented, gates: [{gate, is_open, why}], stretches, next}`: gates in the order people reach them, none
    without real money; stretches of evidence of the version that runs, the newest first, *why* = what one lacks; *next*
    = what one that begins now would have to show, null while no decision was scored.
    """
    found = await _standing(user)
    if found is None:
        return refused(NO_ACCOUNT)
    return JSONResponse(_told(found) | {"next": plain(await in_thread(_criteria, user, found))})


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


@for_actors
async def begin(request: Request, user: SessionUser) -> Response:
    """`{}`: ask for a stretch of evidence by the criteria that `next` tells; it is sealed within minutes."""
    await body_of(request)
    found = await _standing(user)
    if found is None:
        return refused(NO_ACCOUNT)
    criteria = await in_thread(_criteria, user, found)
    if criteria is None:
        return refused(NO_RECORD)
    return done(await in_thread(system().real_money.begin, user, found.account_id, criteria))


@for_actors
async def override(request: Request, user: SessionUser) -> Response:
    """
    `{stretch_id, sentence}`: a week without its evidence, typed letter by letter, by who has a second factor and proved
    lately who they are; it stays in the record.
    """
    body = await body_of(request)
    number, sentence = body.count("stretch_id"), body.typed("sentence", LONGEST_SENTENCE)
    return done(await in_thread(system().real_money.override, user, number, sentence))


def _criteria(user: SessionUser, found: RealStanding) -> Criteria | None:
    return criteria_of_running(user.user_id, len(found.stretches) + 1)


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
    now = system().clock.now_ms()
    stretches = [told_stretch(one, now) for one in found.stretches]
    return {"venue": found.venue, "consented": found.consented, "gates": gates, "stretches": stretches}


def told_stretch(one: Stretch, now_ms: int) -> dict[str, Any]:
    """*one* as JSON has it, with what it lacks at *now_ms* and until when it, and doing without it, lasts."""
    why = stretch_refusal([one], now_ms, now_ms + AHEAD_MS)
    until = one.until_ms if one.begun_ms else 0
    overridden = one.overridden_ms + OVERRIDE_LIFE_MS if one.overridden_ms else 0
    told: dict[str, Any] = plain(one)
    del told["user_id"]
    return told | {"until_ms": until, "overridden_until_ms": overridden, "why": plain(why) if why else None}


ENDPOINTS = (
    Endpoint("GET", "/api/real-money", read_gates, "Every gate before real money, and why it is closed.", scope="read"),
    Endpoint("POST", "/api/real-money/consent", consent, "Consent to real money with the key in use.",
             body=(api.text("sentence", LONGEST_SENTENCE),)),
    Endpoint("POST", "/api/real-money/withdraw", withdraw, "Take every consent to real money back."),
    Endpoint("POST", "/api/real-money/stretch", begin, "Begin a stretch of evidence by the criteria of your record."),
    Endpoint("POST", "/api/real-money/stretch/override", override, "Do without a stretch's evidence for a week.",
             body=(api.whole("stretch_id", 0, LATEST_ID, required=True), api.text("sentence", LONGEST_SENTENCE))),
)  # fmt: skip
