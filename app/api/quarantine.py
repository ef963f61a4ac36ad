"""A model asked about the past, in quarantine: what it costs, then, within what the person allows, asked."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.backtests import LATEST_ID, day_of
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.http.fields import Fields
from app.system import system
from app.threads import in_thread
from lib.accounts.quarantine import PastWish
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES
from lib.domain.backtests import MOST_QUESTIONS, MOST_WINDOWS
from lib.domain.day import DAY_MS

KINDS = ("model", "memory")


@for_people
async def price_past(request: Request, user: SessionUser) -> Response:
    """
    What it would cost: questions at most of about *tokens* each, USD from *low* to *high* (null = no price is known),
    and whether the days lie before or after the end of what the model learnt from.
    """
    found = await in_thread(system().quarantine.offer, user, _wish(await body_of(request)))
    if isinstance(found, Refusal):
        return refused(found)
    model = {"name": found.model.name, "shown": found.model.shown, "cutoff": found.model.cutoff}
    return JSONResponse({"model": model, "when": found.when, **plain(found.cost)})


@for_actors
async def ask_past(request: Request, user: SessionUser) -> Response:
    """
    As above with what is allowed: `most_usd` where a price is known, else `most_calls`. The result is a backtest's and
    says that it is in quarantine.
    """
    made = await in_thread(system().quarantine.ask, user, _wish(await body_of(request)))
    return done(made) if isinstance(made, Refusal) else JSONResponse({"job_id": made.job_id})


@for_actors
async def go_on_past(request: Request, user: SessionUser) -> Response:
    """`{job_id}`: one that was cancelled or ended at a cap goes on where it was; nothing is paid twice."""
    job_id = (await body_of(request)).count("job_id")
    found = await in_thread(system().readings.backtest, user.user_id, job_id)
    if found is None or found.line.state not in ("cancelled", "failed"):
        return refused(Refusal("refuse.not_found"))
    made = await in_thread(system().quarantine.again, user, found.line.wish)
    return done(made) if isinstance(made, Refusal) else JSONResponse({"job_id": made.job_id})


def _wish(body: Fields) -> PastWish:
    given: dict[str, Any] = {
        name: body.decimal(name) for name in ("balance", "most_usd") if name in body and not body.is_null(name)
    }
    return PastWish(
        kind=body.choice("kind", KINDS),  # type: ignore[arg-type]
        version_id=body.count("version_id", 0),
        model=body.line("model", 40, ""),
        symbol=body.line("symbol", 30).upper(),
        since_ms=day_of(body, "since"),
        until_ms=day_of(body, "until") + DAY_MS,
        windows=body.count("windows", 0),
        most_calls=body.count("most_calls", 0),
        cadence_min=body.count("cadence_min", 0),
        **given,
    )


_BODY = (
    api.choice("kind", KINDS),
    api.whole("version_id", 0, LATEST_ID),
    api.text("model", 40, required=False),
    api.text("symbol", 30),
    api.text("since", 10, shape="date"),
    api.text("until", 10, shape="date"),
    api.decimal("balance", nullable=True),
    api.whole("windows", 0, MOST_WINDOWS),
    api.whole("cadence_min", 0, max(CADENCES)),
)
_CAPS = (api.whole("most_calls", 0, MOST_QUESTIONS), api.decimal("most_usd", nullable=True))

ENDPOINTS = (
    Endpoint("POST", "/api/backtests/model/price", price_past, "What asking a model about the past costs.",
             body=(*_BODY, *_CAPS), scope="read"),
    Endpoint("POST", "/api/backtests/model", ask_past, "Ask a model about the past, within what you allow.",
             body=(*_BODY, *_CAPS)),
    Endpoint("POST", "/api/backtests/model/again", go_on_past, "Go on with one that ended before its end.",
             body=(api.whole("job_id", 0, LATEST_ID, required=True),)),
)  # fmt: skip
