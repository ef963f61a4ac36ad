"""A person's own: settings, exchange key, trade log, the switch, the question. Nobody else's id is ever taken."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, body_of_refusal, done, for_actors, for_people, plain, refused, whole
from app.api.symbols import LONGEST_SYMBOL, symbol_of
from app.http.fields import LONGEST_CHAIN, LONGEST_PROSE, Fields, chain_of, read_whole, wrong
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.ui.logs import words_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, VENUES, AccountSettings, Limits, RiskLevel, Venue
from lib.queries import Cursor, LogFilter, read_cursor

MOST_ROWS = 100
LONGEST_KEY, LONGEST_SECRET = 200, 400
LATEST_S = 253_402_300_799
"""The last second of the year 9999: no calendar here goes further."""
STALE = Refusal("refuse.settings.stale")
LIMIT_NAMES = frozenset(field.name for field in fields(Limits))


@for_people
async def read_settings(request: Request, user: SessionUser) -> Response:
    """What the person chose."""
    return JSONResponse(plain(await in_thread(system().readings.settings, user.user_id)))


@for_actors
async def change_settings(request: Request, user: SessionUser) -> Response:
    """
    Any of `risk_level, max_leverage, custom_prompt, long_only, risk_per_trade, min_confidence, cadence_min, models,
    limits`; the rest stays. What of it is the strategy becomes a version of the one that runs.

    *limits* is an object of limits by name: counts as numbers, fractions as decimal strings; only ever stricter.
    `settings_version` is the one that was read; when they changed since, the answer is 409 with what stands *now*.
    Without it the named fields are set whatever they were, and no other field is touched.
    """
    body = await body_of(request, LONGEST_PROSE)
    now = await in_thread(system().readings.settings, user.user_id)
    if now is None:
        return refused(Refusal("refuse.no_account"))
    # sent by nobody it is the one just read, so that a change in between is refused too
    version = body.count("settings_version", now.settings_version)
    result = await in_thread(system().trading.change_settings, user, _settings(body, now.settings), version)
    if result == STALE:
        now = await in_thread(system().readings.settings, user.user_id)
        return JSONResponse({**body_of_refusal(STALE), "now": plain(now)}, 409)
    return done(result)


def _settings(body: Fields, now: AccountSettings) -> AccountSettings:
    return AccountSettings(
        risk_level=body.choice("risk_level", list(RiskLevel), now.risk_level),
        max_leverage=body.count("max_leverage", now.max_leverage),
        custom_prompt=body.prose("custom_prompt", MAX_CUSTOM_PROMPT, now.custom_prompt),
        long_only=body.flag("long_only", now.long_only),
        risk_per_trade=_fraction(body, "risk_per_trade", now.risk_per_trade),
        min_confidence=_fraction(body, "min_confidence", now.min_confidence),
        limits=_limits(body.part("limits", LIMIT_NAMES), now.limits),
        system=now.system,
        cadence_min=body.count("cadence_min", now.cadence_min),
        inputs=now.inputs,
        models=chain_of(body, now.models),
        answer_version=now.answer_version,
        exits=now.exits,
    )


def _limits(wished: Fields, now: Limits) -> Limits:
    changes: dict[str, Any] = {
        name: wished.count(name) if isinstance(getattr(now, name), int) else wished.decimal(name)
        for name in LIMIT_NAMES
        if name in wished
    }
    return replace(now, **changes)


def _fraction(body: Fields, name: str, now: Decimal | None) -> Decimal | None:
    """A decimal string from 0 to 1, or null for the level's own; numbers of JSON are floats and not taken."""
    if name not in body:
        return now
    return None if body.is_null(name) else body.decimal(name, most=Decimal(1))


@for_actors
async def auto_trade(request: Request, user: SessionUser) -> Response:
    """`{on}`."""
    wanted = (await body_of(request)).flag("on")
    return done(await in_thread(system().trading.set_auto_trade, user, wanted))


@for_actors
async def ask_now(request: Request, user: SessionUser) -> Response:
    """Ask the analyst now, for this person alone."""
    await body_of(request)
    return done(await in_thread(system().trading.ask_now, user))


@for_people
async def read_key(request: Request, user: SessionUser) -> Response:
    """Which key is in use, never the key; null when none is."""
    return JSONResponse({"key": plain(await in_thread(system().readings.key_status, user.user_id))})


@for_actors
async def save_key(request: Request, user: SessionUser) -> Response:
    """`{venue, api_key, api_secret}`: checked at the venue, sealed, never shown again."""
    body = await body_of(request)
    venue: Venue = body.choice("venue", VENUES)
    key, secret = body.typed("api_key", LONGEST_KEY), body.typed("api_secret", LONGEST_SECRET)
    return done(await in_slow_thread(system().trading.save_key, user, venue, key, secret))


@for_actors
async def delete_key(request: Request, user: SessionUser) -> Response:
    """Forget the key in use."""
    await body_of(request)
    return done(await in_thread(system().trading.delete_key, user))


@for_people
async def logs(request: Request, user: SessionUser) -> Response:
    """
    `?limit&outcome&symbol&traded&q&since&until&at` (*since* and *until* in seconds): the trade log, newest first.
    *traded*=1 leaves what moved a position, *q* what has those words in its reason or in the analyst's answer. *at* is
    `older` or `newer` of another answer, null at either end; *total* is exact when *all_counted*, else there are more.
    A search looks through so many rows at a time: its answer may be empty, and goes on at *older*.
    """
    limit = whole(request, "limit", 20, 1, MOST_ROWS)
    only = LogFilter(
        outcome=request.query_params.get("outcome") or None,
        since_ms=whole(request, "since", 0, 0, LATEST_S) * 1000 or None,
        until_ms=whole(request, "until", 0, 0, LATEST_S) * 1000 or None,
        traded=bool(whole(request, "traded", 0, 0, 1)),
        words=words_of(request.query_params.get("q", ""), user.locale),
        symbol=symbol_of(request),
    )
    read = system().readings.logs_page
    found = await in_thread(read, user.user_id, limit=limit, cursor=_cursor(request), only=only)
    ends = {name: str(end) if end else None for name, end in (("older", found.older), ("newer", found.newer))}
    counted = {"total": found.total, "all_counted": found.all_counted}
    return JSONResponse({"limit": limit, **counted, **ends, "rows": plain(found.rows)})


def _cursor(request: Request) -> Cursor | None:
    text = request.query_params.get("at", "")
    cursor = read_cursor(text)
    if text and cursor is None:
        wrong("at")
    return cursor


@for_people
async def log_detail(request: Request, user: SessionUser) -> Response:
    """Everything about one of the person's own log rows."""
    log_id = read_whole(request.path_params["log_id"])
    if log_id is None:
        return refused(Refusal("refuse.not_found"))
    found = await in_thread(system().readings.log_detail, user.user_id, log_id)
    return refused(Refusal("refuse.not_found")) if found is None else JSONResponse(plain(found))


_SETTINGS = (
    api.choice("risk_level", [level.value for level in RiskLevel], required=False),
    api.whole("max_leverage", 1, 100),
    api.text("custom_prompt", MAX_CUSTOM_PROMPT, required=False),
    api.flag("long_only", required=False),
    api.decimal("risk_per_trade", nullable=True),
    api.decimal("min_confidence", nullable=True),
    api.part("limits", LIMIT_NAMES),
    api.whole("cadence_min", 5, 60),
    api.text("models", LONGEST_CHAIN, required=False),
    api.whole("settings_version", 0, 10**15 - 1),
)
_KEY = (
    api.choice("venue", VENUES),
    api.text("api_key", LONGEST_KEY, shape="password"),
    api.text("api_secret", LONGEST_SECRET, shape="password"),
)
_PAGE = (
    api.whole("limit", 1, MOST_ROWS),
    api.text("outcome", 20, required=False),
    api.text("symbol", LONGEST_SYMBOL, required=False),
    api.whole("since", 0, LATEST_S),
    api.whole("until", 0, LATEST_S),
    api.whole("traded", 0, 1),
    api.text("q", 200, required=False),
    api.text("at", 80, required=False),
)

ENDPOINTS = (
    Endpoint("GET", "/api/settings", read_settings, "What is chosen, with its version.", scope="read"),
    Endpoint("POST", "/api/settings", change_settings, "Change what is named; no limit gets looser.", body=_SETTINGS),
    Endpoint("POST", "/api/auto-trade", auto_trade, "Switch auto-trading.", body=(api.flag("on"),), scope="control"),
    Endpoint("POST", "/api/ask-now", ask_now, "Ask the analyst now, for this account alone.", scope="control"),
    Endpoint("GET", "/api/apikey", read_key, "Which exchange key is in use, never the key."),
    Endpoint("POST", "/api/apikey", save_key, "Check an exchange key at its venue and seal it.", body=_KEY),
    Endpoint("PUT", "/api/apikey", save_key, "Replace the exchange key.", body=_KEY),
    Endpoint("DELETE", "/api/apikey", delete_key, "Forget the exchange key."),
    Endpoint("GET", "/api/logs", logs, "The trade log, newest first.", query=_PAGE, scope="read"),
    Endpoint("GET", "/api/logs/{log_id}", log_detail, "One decision with everything about it.",
             path_parts=(api.whole("log_id", 0, 10**15 - 1, required=True),), scope="read"),
)  # fmt: skip
