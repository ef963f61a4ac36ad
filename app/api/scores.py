"""What a person's opinions were worth, traded or not, as JSON: by version over a period, and one by its decision."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import for_people, plain, refused
from app.api.results import account_of, zone_of
from app.http.fields import read_whole, wrong
from app.system import system
from app.threads import in_thread
from app.ui.spans import SPANS, USUAL, period
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.scores import METHOD, NOTIONAL
from lib.evidence.verdict import LEAST_DECIDED
from lib.queries import VersionScores


@for_people
async def scores(request: Request, user: SessionUser) -> Response:
    """
    `?span&account`: scored opinions by the version that ran, the newest first. *mean* is of one decision, holds among
    them, as a fraction of the notional, net of fees, funding and the call on a position of *notional_usdt*. With fewer
    than *few* longs and shorts it says nothing.
    """
    span, account_id = request.query_params.get("span", USUAL), account_of(request)
    if span not in SPANS:
        wrong("span")
    asked = period(span, system().clock.now_ms(), zone_of(user).tz)
    read = system().readings.version_scores
    found = await in_thread(read, user.user_id, since_ms=asked.since_ms, account_id=account_id)
    versions = [_told(one) for one in found]
    return JSONResponse(
        {"method": METHOD, "notional_usdt": plain(NOTIONAL), "few": LEAST_DECIDED, "versions": versions}
    )


def _told(one: VersionScores) -> dict[str, object]:
    told: dict[str, object] = plain(one)
    return told | {"mean": plain(one.mean)}


@for_people
async def decision_score(request: Request, user: SessionUser) -> Response:
    """
    What the opinion behind one of the person's own decisions was worth: *score* null while it has not ended, and where
    *is_gone*, for good. *beside* is the trade it began: its net fraction, and why that differs.
    """
    log_id = read_whole(request.path_params["log_id"])
    found = None if log_id is None else await in_thread(system().readings.worth, user.user_id, log_id)
    return refused(Refusal("refuse.not_found")) if found is None else JSONResponse(plain(found))


ENDPOINTS = (
    Endpoint("GET", "/api/scores", scores, "What opinions were worth, traded or not, by strategy version.",
             query=(api.choice("span", SPANS, required=False), api.whole("account", 0, 10**15 - 1)), scope="read"),
    Endpoint("GET", "/api/scores/{log_id}", decision_score, "What the opinion behind one decision was worth.",
             path_parts=(api.whole("log_id", 0, 10**15 - 1, required=True),), scope="read"),
)  # fmt: skip
