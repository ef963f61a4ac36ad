"""A person's shadows: listed with what became of their turns, added, started and stopped, budgeted, removed."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain
from app.api.results import zone_of
from app.http.fields import Fields, wrong
from app.system import system
from app.threads import in_thread
from app.ui.spans import SPANS, USUAL, period
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.model_profile import LONGEST_NAME
from lib.domain.scores import METHOD
from lib.domain.shadow import MOST_CALLS, MOST_USD, USUAL_CALLS, USUAL_USD, ShadowBudget
from lib.queries import ShadowLine

LATEST_ID = 10**15 - 1


@for_people
async def read_shadows(request: Request, user: SessionUser) -> Response:
    """
    Those on the list: *version_id* 0 = the original design, *model* "" = the version's own; today's turns, what they
    cost, and how many answers are scored. *most* may run at once.
    """
    here = system()
    found = await in_thread(here.readings.shadows, user.user_id)
    most = await in_thread(here.shadows.most)
    return JSONResponse({"most": most, "shadows": [_told(one) for one in found]})


@for_people
async def read_shadow_scores(request: Request, user: SessionUser) -> Response:
    """
    `?span`: scored answers of every shadow the person has or had, the newest first: *net* beside that of the version
    that traded, of the same window, as fractions of the notional (null = that one has no score).
    """
    span = request.query_params.get("span", USUAL)
    if span not in SPANS:
        wrong("span")
    since_ms = period(span, system().clock.now_ms(), zone_of(user).tz).since_ms
    read = system().readings.shadow_scores
    found = await in_thread(lambda: read(user.user_id, since_ms=since_ms))
    return JSONResponse({"method": METHOD, "scores": [plain(one) for one in found]})


@for_actors
async def add_shadow(request: Request, user: SessionUser) -> Response:
    """`{version_id, model, day_calls, day_usd}`: it answers from the next T on; *version_id* 0 = what trades now."""
    body = await body_of(request)
    number, model, budget = body.count("version_id", 0), body.line("model", LONGEST_NAME, ""), _budget(body)
    made = await in_thread(system().shadows.add, user, number, model, budget)
    return done(made) if isinstance(made, Refusal) else JSONResponse({"shadow_id": made.shadow_id})


@for_actors
async def switch_shadow(request: Request, user: SessionUser) -> Response:
    """`{shadow_id, running}`: started or stopped."""
    body = await body_of(request)
    number, desk = body.count("shadow_id"), system().shadows
    return done(await in_thread(desk.start if body.flag("running") else desk.stop, user, number))


@for_actors
async def budget_shadow(request: Request, user: SessionUser) -> Response:
    """`{shadow_id, day_calls, day_usd}`: the most it may be asked and may cost a UTC day."""
    body = await body_of(request)
    number, budget = body.count("shadow_id"), _budget(body)
    return done(await in_thread(system().shadows.set_budget, user, number, budget))


@for_actors
async def remove_shadow(request: Request, user: SessionUser) -> Response:
    """`{shadow_id}`: off the list; what it answered stays."""
    number = (await body_of(request)).count("shadow_id")
    return done(await in_thread(system().shadows.remove, user, number))


def _budget(body: Fields) -> ShadowBudget:
    usd = body.decimal("day_usd", most=MOST_USD) if "day_usd" in body else USUAL_USD
    return ShadowBudget(body.count("day_calls", USUAL_CALLS), usd)


def _told(one: ShadowLine) -> dict[str, object]:
    shadow, today = one.shadow, one.today
    return {
        "shadow_id": shadow.shadow_id,
        "version_id": shadow.version_id,
        "name": one.name,
        "number": one.number,
        "model": shadow.model,
        "asks": list(shadow.content.chain),
        "running": one.running,
        "made_ms": one.made_ms,
        "changed_ms": one.changed_ms,
        "day_calls": shadow.budget.calls,
        "day_usd": plain(shadow.budget.usd),
        "today": plain(today) | {"drops": today.drops, "dropped": [_drop(*one) for one in today.dropped]},
        "answered": one.answered,
        "scored": one.scored,
    }


def _drop(why: object, count: int) -> dict[str, object]:
    return {"why": plain(why), "count": count}


_ID = api.whole("shadow_id", 0, LATEST_ID, required=True)
_BUDGET = (api.whole("day_calls", 1, MOST_CALLS), api.decimal("day_usd"))

ENDPOINTS = (
    Endpoint("GET", "/api/shadows", read_shadows, "Versions and models that answer beside the one that trades.",
             scope="read"),
    Endpoint("GET", "/api/shadows/scores", read_shadow_scores, "What shadows' answers were worth, beside yours.",
             query=(api.choice("span", SPANS, required=False),), scope="read"),
    Endpoint("POST", "/api/shadows", add_shadow, "Let a version or a model answer beside the one that trades.",
             body=(api.whole("version_id", 0, LATEST_ID), api.text("model", LONGEST_NAME, required=False), *_BUDGET)),
    Endpoint("POST", "/api/shadows/running", switch_shadow, "Start or stop a shadow.",
             body=(_ID, api.flag("running"))),
    Endpoint("POST", "/api/shadows/budget", budget_shadow, "What a shadow may be asked and may cost a day.",
             body=(_ID, *_BUDGET)),
    Endpoint("POST", "/api/shadows/remove", remove_shadow, "Take a shadow off the list.", body=(_ID,)),
)  # fmt: skip
