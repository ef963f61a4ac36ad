"""A person's versions beside chance and each other, as JSON."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import for_people, plain, refused
from app.api.results import account_of
from app.comparison import Told, comparison
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.scores import BOTH_WAYS, NOTIONAL
from lib.evidence.intervals import AnytimeInterval
from lib.evidence.spread import LEAST_BLOCKS
from lib.evidence.verdict import LEAST_DECIDED
from lib.queries import VersionKey


@for_people
async def compare(request: Request, user: SessionUser) -> Response:
    """
    `?account`: each version × model that answered, the newest first, judged by whole UTC days before *until_ms*; 409
    without an account. Figures are fractions of the notional a decision, net; the version's have its calls on a
    position of *notional_usdt*. Intervals (*interval*) hold at every look and for all versions together. *against* is
    how far beyond each baseline the version lies, *hold* being its own mean; none under *few* entries or *few_days*.
    *waiting* answers are of days that are not whole yet; *calls* (null: none) of those that are.
    """
    found = await in_thread(comparison, user.user_id, account_of(request))
    return refused(Refusal("refuse.no_account")) if found is None else JSONResponse(_told(found))


def _told(found: Told) -> dict[str, object]:
    told = found.versions
    return {
        "method": BOTH_WAYS,
        "interval": AnytimeInterval.name,
        "notional_usdt": plain(NOTIONAL),
        "few": LEAST_DECIDED,
        "few_days": LEAST_BLOCKS,
        "until_ms": told.until_ms,
        "tries": len(told.judged),
        "one_way": found.one_way,
        "versions": [_version(key, found) for key in told.judged],
        "pairs": [plain(pair) for pair in told.pairs],
        "winner": plain(told.winner),
        "left": [plain(key) for key in told.left],
    }


def _version(key: VersionKey, found: Told) -> dict[str, object]:
    judged: dict[str, object] = plain(found.versions.judged[key])
    calls = plain(found.calls.get(key))
    return {**plain(key), **judged, "traded": key in found.traded, "waiting": found.waiting.get(key, 0), "calls": calls}


ENDPOINTS = (
    Endpoint("GET", "/api/compare", compare, "Versions beside chance and each other: verdict, intervals, calibration.",
             query=(api.whole("account", 0, 10**15 - 1),), scope="read"),
)  # fmt: skip
