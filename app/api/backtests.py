"""A person's backtests: asked, listed, one in full, cancelled, deleted, shown by a link; and what a link shows."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app.addresses import PAST, missing, reader_language
from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import answered, body_of, done, for_actors, for_people, plain, refused
from app.http.fields import Fields, read_whole, wrong
from app.past_page import past_page
from app.system import system
from app.threads import in_thread
from lib.accounts.entrance import sha256
from lib.accounts.records import LONGEST_RECORD_CODE
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES, RiskLevel
from lib.domain.backtests import FREE, MOST_LEVERAGE, Wish
from lib.domain.day import DAY_MS
from lib.queries import BacktestFound, BacktestLine

LATEST_ID = 10**15 - 1
_EPOCH = date(1970, 1, 1)
_NOTHING = Refusal("refuse.not_found")


@for_people
async def read_backtests(request: Request, user: SessionUser) -> Response:
    """The newest fifty, newest first."""
    found = await in_thread(system().readings.backtests, user.user_id)
    return JSONResponse({"backtests": [_told(line) for line in found]})


@for_people
async def read_backtest(request: Request, user: SessionUser) -> Response:
    """One in full. *tries* counts every question over the same prices; *sure* falls with it."""
    job_id = read_whole(request.path_params["job_id"])
    found = None if job_id is None else await in_thread(system().readings.backtest, user.user_id, job_id)
    return refused(_NOTHING) if found is None else JSONResponse(_whole(found))


@for_actors
async def ask_backtest(request: Request, user: SessionUser) -> Response:
    """
    `{kind, symbol, since, until, …}`: what is not named is as `make backtest` has it. The same question again has the
    number it had. One at a time.
    """
    wish = _wish(await body_of(request))
    made = await in_thread(system().backtests.ask, user, wish)
    return done(made) if isinstance(made, Refusal) else JSONResponse({"job_id": made.job_id})


@for_actors
async def cancel_backtest(request: Request, user: SessionUser) -> Response:
    """`{job_id}`: wanted no more."""
    return done(await in_thread(system().backtests.cancel, user, (await body_of(request)).count("job_id")))


@for_actors
async def delete_backtest(request: Request, user: SessionUser) -> Response:
    """`{job_id}`: result and link go; it stays counted as a try."""
    return done(await in_thread(system().backtests.delete, user, (await body_of(request)).count("job_id")))


@for_actors
async def show_backtest(request: Request, user: SessionUser) -> Response:
    """`{job_id}`: a code that shows the result to anybody, told this once."""
    made = await in_thread(system().backtests.share, user, (await body_of(request)).count("job_id"))
    return done(made) if isinstance(made, Refusal) else JSONResponse({"code": made.code})


@for_actors
async def conceal_backtest(request: Request, user: SessionUser) -> Response:
    """`{job_id}`: its link opens nothing from now on."""
    return done(await in_thread(system().backtests.unshare, user, (await body_of(request)).count("job_id")))


async def read_shown(request: Request) -> Response:
    """`?code`: the backtest that a link shows, without its number, whose it is, or when it was asked."""
    found = await _opened(request)
    if found is None:
        return refused(_NOTHING)
    told = _whole(found)
    return JSONResponse({name: told[name] for name in ("wish", "tries", "sure", "result")})


@answered
async def page(request: Request) -> Response:
    """The backtest that a link shows, for a reader."""
    found = await _opened(request)
    if found is None or found.result is None:
        return missing(request.scope)
    text = past_page(reader_language(request.scope), found)
    return HTMLResponse(text, headers={"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"})


async def _opened(request: Request) -> BacktestFound | None:
    code = request.query_params.get("code", "")
    if not 0 < len(code) <= LONGEST_RECORD_CODE:
        return None
    return await in_thread(system().readings.opened_backtest, sha256(code))


def _wish(body: Fields) -> Wish:
    usual = Wish("rules", "BTCUSDT", 0, 0)
    kind = body.choice("kind", FREE)
    wish = replace(
        usual,
        kind=kind,
        symbol=body.line("symbol", 30).upper(),
        since_ms=day_of(body, "since"),
        until_ms=day_of(body, "until") + DAY_MS,
        level=RiskLevel(body.choice("level", [str(one) for one in RiskLevel], str(usual.level))),
        leverage=body.count("leverage", usual.leverage),
        cadence_min=body.count("cadence_min", usual.cadence_min),
        long_only=body.flag("long_only", False),
        account_id=body.count("account_id") if kind == "answers" else 0,
    )
    named = [name for name in ("balance", "risk", "confidence") if name in body and not body.is_null(name)]
    given: dict[str, Any] = {name: body.decimal(name) for name in named}
    return replace(wish, **given)


def day_of(body: Fields, name: str) -> int:
    """The UTC midnight, epoch ms, that begins the day of the field *name*."""
    try:
        day = date.fromisoformat(body.line(name, 10))
    except ValueError:
        wrong(name)
    return (day - _EPOCH).days * DAY_MS


def _told(line: BacktestLine) -> dict[str, Any]:
    told: dict[str, Any] = plain(line)
    return told | {"wish": wish_told(line.wish)}


def wish_told(wish: Wish) -> dict[str, Any]:
    """*wish* as it is asked: days by name, the last one included."""
    told: dict[str, Any] = plain(wish)
    for name in ("since_ms", "until_ms", "account_id", "content", "language", "version_id"):
        told.pop(name)  # a version's words are its owner's, and are on no link
    if wish.kind in FREE:
        for name in ("model", "windows", "most_calls", "most_usd"):
            told.pop(name)
    last = _EPOCH + timedelta(days=wish.until_ms // DAY_MS - 1)
    return told | {"since": str(_EPOCH + timedelta(days=wish.since_ms // DAY_MS)), "until": str(last)}


def _whole(found: BacktestFound) -> dict[str, Any]:
    return _told(found.line) | {"tries": found.tries, "sure": found.sure, "result": found.result}


PAGE = Route(PAST, page, methods=["GET"])
_ID = api.whole("job_id", 0, LATEST_ID, required=True)
_BODY = (
    api.choice("kind", FREE),
    api.text("symbol", 30),
    api.text("since", 10, shape="date"),
    api.text("until", 10, shape="date"),
    api.choice("level", [str(one) for one in RiskLevel], required=False),
    api.whole("leverage", 1, MOST_LEVERAGE),
    api.whole("cadence_min", min(CADENCES), max(CADENCES)),
    api.flag("long_only", required=False),
    api.decimal("balance", nullable=True),
    api.decimal("risk", nullable=True),
    api.decimal("confidence", nullable=True),
    api.whole("account_id", 0, LATEST_ID),
)

ENDPOINTS = (
    Endpoint("GET", "/api/backtests", read_backtests, "What was asked of the past, and how far it is.", scope="read"),
    Endpoint("GET", "/api/backtests/{job_id}", read_backtest, "A backtest in full.", path_parts=(_ID,), scope="read"),
    Endpoint("POST", "/api/backtests", ask_backtest, "Ask the past; one question at a time.", body=_BODY),
    Endpoint("POST", "/api/backtests/cancel", cancel_backtest, "Want a backtest no more.", body=(_ID,)),
    Endpoint("POST", "/api/backtests/delete", delete_backtest, "Delete what came of it.", body=(_ID,)),
    Endpoint("POST", "/api/backtests/link", show_backtest, "Show it by a code, told this once.", body=(_ID,)),
    Endpoint("POST", "/api/backtests/link/end", conceal_backtest, "Take its link back.", body=(_ID,)),
    Endpoint("GET", "/api/backtest", read_shown, "The backtest that a link shows.",
             query=(api.text("code", LONGEST_RECORD_CODE),), is_open=True),
)  # fmt: skip
