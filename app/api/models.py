"""Models: which may be asked and at what price, a person's own with a key that is told nowhere again, their cost."""

from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain
from app.http.fields import Fields
from app.system import system
from app.threads import in_thread
from lib.accounts.models import ModelChoice
from lib.accounts.web import SessionUser
from lib.domain.day import DAY_MS
from lib.domain.model_profile import (
    LONGEST_KEY,
    LONGEST_MODEL,
    LONGEST_NAME,
    LONGEST_SHOWN,
    LONGEST_URL,
    MOST_DAY,
    MOST_PRICE,
    ModelProfile,
)
from lib.domain.pricing import AnalystPrices

DAYS = 30


@for_people
async def read_models(request: Request, user: SessionUser) -> Response:
    """
    What may be asked, in the order of the lists: a price nobody knows is null, and no key is in it. *person_cap_usd* is
    the most your part of the operator's models may cost a UTC day, null = no cap.
    """
    found = await in_thread(system().models.choices, user.user_id, is_guest=user.is_guest)
    cap = await in_thread(system().readings.person_cap, system().operators.limits)
    return JSONResponse({"models": [_told(one) for one in found], "person_cap_usd": None if cap is None else str(cap)})


@for_people
async def read_costs(request: Request, user: SessionUser) -> Response:
    """The person's part of what models cost, by UTC day and model, of thirty days; USD as text."""
    since = system().clock.now_ms() // DAY_MS * DAY_MS - (DAYS - 1) * DAY_MS
    return JSONResponse({"days": plain(await in_thread(system().readings.model_days, user.user_id, since))})


@for_actors
async def save_model(request: Request, user: SessionUser) -> Response:
    """
    `{name, shown, base_url, model, input_usd, output_usd, cached_usd, free, day_usd, key}`: one of the person's own. A
    key that is left out stays, "" takes it away; without prices the known ones count.
    """
    body = await body_of(request)
    profile = ModelProfile(
        name=body.line("name", LONGEST_NAME),
        shown=body.line("shown", LONGEST_SHOWN),
        base_url=body.typed("base_url", LONGEST_URL),
        model=body.typed("model", LONGEST_MODEL),
        prices=_prices(body),
        day_usd=_usd(body, "day_usd", MOST_DAY),
    )
    key = body.typed("key", LONGEST_KEY) if "key" in body else None
    return done(await in_thread(system().models.save, user, profile, key))


@for_actors
async def delete_model(request: Request, user: SessionUser) -> Response:
    """`{name}`: gone with its key."""
    name = (await body_of(request)).line("name", LONGEST_NAME)
    return done(await in_thread(system().models.delete, user, name))


def _usd(body: Fields, name: str, most: Decimal) -> Decimal | None:
    return body.decimal(name, most=most) if name in body and not body.is_null(name) else None


def _prices(body: Fields) -> AnalystPrices:
    asked, said = _usd(body, "input_usd", MOST_PRICE), _usd(body, "output_usd", MOST_PRICE)
    if body.flag("free", False):
        return AnalystPrices(free=True)
    if asked is None or said is None:
        return AnalystPrices()
    return AnalystPrices(asked, said, _usd(body, "cached_usd", MOST_PRICE))


def _told(one: ModelChoice) -> dict[str, object]:
    profile, prices = one.profile, one.profile.prices
    known = {
        "input_usd": str(prices.input_usd) if prices.known else None,
        "output_usd": str(prices.output_usd) if prices.known else None,
        "cached_usd": None if prices.cached_usd is None else str(prices.cached_usd),
        "day_usd": None if profile.day_usd is None else str(profile.day_usd),
    }
    own = {"base_url": profile.base_url, "has_key": one.has_key, "last4": one.last4} if profile.is_own else {}
    return {"name": profile.name, "shown": profile.shown, "model": profile.model, "own": profile.is_own, **known, **own}


_BODY = (
    api.text("name", LONGEST_NAME),
    api.text("shown", LONGEST_SHOWN),
    api.text("base_url", LONGEST_URL),
    api.text("model", LONGEST_MODEL),
    api.decimal("input_usd", nullable=True),
    api.decimal("output_usd", nullable=True),
    api.decimal("cached_usd", nullable=True),
    api.flag("free", required=False),
    api.decimal("day_usd", nullable=True),
    api.text("key", LONGEST_KEY, required=False),
)

ENDPOINTS = (
    Endpoint("GET", "/api/models", read_models, "Models that may be asked, and their prices.", scope="read"),
    Endpoint("GET", "/api/models/costs", read_costs, "Your part of what models cost, by day and model.", scope="read"),
    Endpoint("POST", "/api/models", save_model, "Keep a model of your own.", body=_BODY),
    Endpoint("POST", "/api/models/delete", delete_model, "Delete a model of your own and its key.",
             body=(api.text("name", LONGEST_NAME),)),
)  # fmt: skip
