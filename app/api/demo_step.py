"""
The lowest step of the ladder by REST: whether auto-trading may be switched on in demo trading, stretches of evidence on
paper, and doing without one.

It says and does what the key page does. No token reaches an act, and no account's number comes in.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.api.real_money import LONGEST_SENTENCE, NO_RECORD, told_stretch
from app.comparison import criteria_of_running
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.stretch import Criteria
from lib.queries.demo_step import DemoStanding

NO_STEP = Refusal("refuse.demo.account")


@for_people
async def read_step(request: Request, user: SessionUser) -> Response:
    """
    `{venue, can_learn, is_on, is_open, why, overridden_until_ms, stretches, next}`: *is_open* = auto-trading may be
    switched on in demo trading, *why* not; *can_learn* = the account is on paper at real prices; stretches on paper of
    the version that runs, the newest first; *next* = what one that begins now would have to show, null where none can.
    """
    found = await _standing(user)
    if found is None:
        return refused(NO_STEP)
    now = system().clock.now_ms()
    told = plain(found)
    del told["account_id"]
    is_open = {"is_open": not found.why, "why": plain(found.why) if found.why else None}
    stretches = [told_stretch(one, now) for one in found.stretches]
    criteria = await in_thread(_criteria, user, found)
    return JSONResponse(told | is_open | {"stretches": stretches, "next": plain(criteria)})


@for_actors
async def begin(request: Request, user: SessionUser) -> Response:
    """`{}`: ask for a stretch of evidence on paper by the criteria that `next` tells; it is sealed within minutes."""
    await body_of(request)
    found = await _standing(user)
    if found is None:
        return refused(NO_STEP)
    criteria = await in_thread(_criteria, user, found)
    if criteria is None:
        return refused(NO_RECORD)
    return done(await in_thread(system().demo_step.begin, user, found.account_id, criteria))


@for_actors
async def override(request: Request, user: SessionUser) -> Response:
    """`{sentence}`: a week without evidence in demo trading, typed letter by letter, by who proved themselves."""
    typed = (await body_of(request)).typed("sentence", LONGEST_SENTENCE)
    return done(await in_thread(system().demo_step.override, user, typed))


def _criteria(user: SessionUser, found: DemoStanding) -> Criteria | None:
    return criteria_of_running(user.user_id, len(found.stretches) + 1) if found.can_learn else None


async def _standing(user: SessionUser) -> DemoStanding | None:
    return await in_thread(system().readings.demo_step, user.user_id, system().clock.now_ms())


ENDPOINTS = (
    Endpoint("GET", "/api/demo-trading", read_step, "Whether demo trading may be switched on, and why not.",
             scope="read"),
    Endpoint("POST", "/api/demo-trading/stretch", begin, "Begin a stretch of evidence on paper."),
    Endpoint("POST", "/api/demo-trading/override", override, "Do without evidence in demo trading for a week.",
             body=(api.text("sentence", LONGEST_SENTENCE),)),
)  # fmt: skip
