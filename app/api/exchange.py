"""
How a route hears and answers: JSON in, JSON out, refusals (`app.http.refusals`) with a 4xx.

Every route that is not about coming in needs a person; the decorator says 401 to strangers and turns *Retry* into 503.
What comes in is read by `app.http.fields`; a mistake of ours is a line in the log and one sentence for the browser.
Values leave as JSON has them: money as strings, moments as ISO 8601, dataclasses as objects, a reason as its code, its
parameters and its English sentence.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import wraps
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from app.addresses import reader_language
from app.http.fields import LONGEST_BODY, BadInput, Fields, read_object, read_whole, wrong
from app.http.refusals import refusal_body
from app.visit import visit_of
from lib import log
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.errors import Pause, Retry
from lib.domain.reason import Reason
from lib.reason_text import said

_STATUS = {
    "refuse.credentials": 401,
    "refuse.signed_out": 401,
    "refuse.read_only": 403,
    "refuse.step_up": 403,
    "refuse.guest": 403,
    "refuse.proof": 403,
    "refuse.code": 401,
    "refuse.reset": 403,
    "refuse.passkey": 403,
    "refuse.passkey.gone": 404,
    "refuse.passkey.many": 409,
    "refuse.reset.by_operator": 403,
    "refuse.delete.in_use": 409,
    "refuse.factor.on": 409,
    "refuse.factor.off": 409,
    "refuse.factor.unavailable": 503,
    "refuse.origin": 403,
    "refuse.not_found": 404,
    "refuse.no_account": 409,
    "refuse.settings.stale": 409,
    "refuse.backtest.one": 409,
    "refuse.no_demo": 404,
    "refuse.email.taken": 409,
    "refuse.budget": 503,
    "refuse.busy": 503,
    "refuse.guests": 503,
    "refuse.guests.closed": 403,
    "refuse.registration": 403,
    "refuse.invite": 403,
    "refuse.not_a_guest": 409,
    "refuse.operator.account": 404,
    "refuse.operator.environment": 409,
    "refuse.operator.restored": 409,
    "refuse.token.scope": 403,
    "refuse.token.most": 409,
    "refuse.token.gone": 404,
}

_log = log.get("api")

_language: ContextVar[str] = ContextVar("language", default="en")
"""Of who asks, while their request is answered."""

Route = Callable[[Request], Awaitable[Response]]


def answered(work: Route) -> Route:
    """A route whose reactions become answers."""

    @wraps(work)
    async def route(request: Request) -> Response:
        _language.set(reader_language(request.scope))
        try:
            return await work(request)
        except BadInput as bad:
            return refused(bad.refusal, bad.status)
        except ClientDisconnect:
            # nobody is there to read it
            return Response(status_code=400)
        except Retry:
            return refused(Refusal("refuse.busy"))
        except Pause as pause:
            return refused(Refusal("refuse.paused", why=pause.why), 422)
        except Exception as mistake:  # noqa: BLE001 - a mistake in one answer is no reason to say nothing
            _log.error("api.failed", mistake, path=request.url.path)
            return refused(Refusal("refuse.server"), 500)

    return route


def for_people(work: Callable[[Request, SessionUser], Awaitable[Response]]) -> Route:
    """A route that needs a signed-in person, read-only or not."""

    @answered
    @wraps(work)
    async def route(request: Request) -> Response:
        user = visit_of(request.scope).user
        return refused(Refusal("refuse.signed_out")) if user is None else await work(request, user)

    return route


def for_actors(work: Callable[[Request, SessionUser], Awaitable[Response]]) -> Route:
    """A route that changes something: a read-only visitor is refused before its body is read."""

    @wraps(work)
    async def route(request: Request, user: SessionUser) -> Response:
        return refused(Refusal("refuse.read_only")) if user.read_only else await work(request, user)

    return for_people(route)


async def body_of(request: Request, longest: int = LONGEST_BODY) -> Fields:
    """
    The request's JSON object of at most *longest* bytes; *BadInput* for anything else, and for a body sent as a form
    could send it.
    """
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > longest:
            raise BadInput(Refusal("refuse.body"), 413)
    if not raw:
        return Fields({})
    # a form of another site cannot send this type without asking first
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadInput(Refusal("refuse.body"), 415)
    return Fields(read_object(bytes(raw), longest))


def whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    """The whole number *name* of the query; beyond a bound it is that bound."""
    written = request.query_params.get(name)
    read = default if written is None else read_whole(written)
    return wrong(name) if read is None else max(least, min(most, read))


def refused(refusal: Refusal, status: int | None = None) -> Response:
    """*refusal* with the status that suits it."""
    code = status or _STATUS.get(refusal.key, 429 if refusal.key.startswith("refuse.wait") else 422)
    headers = {"Retry-After": str(refusal.params["seconds"])} if "seconds" in refusal.params else None
    return JSONResponse(body_of_refusal(refusal), code, headers)


def body_of_refusal(refusal: Refusal) -> dict[str, Any]:
    """*refusal* as JSON, in the language of who asks."""
    told: dict[str, Any] = refusal_body(refusal.key, refusal.params, _language.get(), plain(refusal.params))
    return told


def done(result: object) -> Response:
    """The outcome of an act: a refusal, or what there is to tell (None = nothing but yes)."""
    if isinstance(result, Refusal):
        return refused(result)
    return JSONResponse({"ok": True} if result is None else plain(result))


def plain(value: object) -> Any:
    """*value* as JSON has it."""
    if isinstance(value, Reason):
        return {"code": value.code, "params": plain(value.params), "text": said(value, "en")}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _leaf(value)


def _leaf(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value
