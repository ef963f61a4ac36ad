"""A person's own: settings, exchange key, trade log, the switch, the question. Nobody else's id is ever taken."""

from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api.exchange import (
    BadInput,
    Body,
    done,
    for_actors,
    for_people,
    json_body,
    plain,
    refused,
    switch,
    text,
    whole,
)
from app.system import system
from app.threads import in_slow_thread, in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, VENUES, AccountSettings, Limits, RiskLevel, Venue

MOST_ROWS = 100
LIMIT_NAMES = frozenset(field.name for field in fields(Limits))


@for_people
async def read_settings(request: Request, user: SessionUser) -> Response:
    """What the person chose."""
    return JSONResponse(plain(await in_thread(system().readings.settings, user.user_id)))


@for_actors
async def change_settings(request: Request, user: SessionUser) -> Response:
    """
    Any of `risk_level, max_leverage, custom_prompt, long_only, risk_per_trade, min_confidence, limits`; the rest stays.

    *limits* is an object of limits by name: counts as numbers, fractions as decimal strings; only ever stricter.
    """
    body = await json_body(request)
    now = await in_thread(system().readings.settings, user.user_id)
    if now is None:
        return refused(Refusal("refuse.no_account"))
    return done(await in_thread(system().trading.change_settings, user, _settings(body, now.settings)))


def _settings(body: Body, now: AccountSettings) -> AccountSettings:
    try:
        level = RiskLevel(body.get("risk_level", now.risk_level))
    except ValueError:
        raise BadInput(Refusal("refuse.field", field="risk_level")) from None
    leverage = body.get("max_leverage", now.max_leverage)
    if isinstance(leverage, bool) or not isinstance(leverage, int):
        raise BadInput(Refusal("refuse.field", field="max_leverage"))
    return AccountSettings(
        risk_level=level,
        max_leverage=leverage,
        custom_prompt=text(body, "custom_prompt", longest=MAX_CUSTOM_PROMPT, default=now.custom_prompt),
        long_only=switch({"long_only": now.long_only, **body}, "long_only"),
        risk_per_trade=_fraction(body, "risk_per_trade", now.risk_per_trade),
        min_confidence=_fraction(body, "min_confidence", now.min_confidence),
        limits=_limits(body, now.limits),
    )


def _limits(body: Body, now: Limits) -> Limits:
    wished: Any = body.get("limits", {})
    if not isinstance(wished, dict) or not all(name in LIMIT_NAMES for name in wished):
        raise BadInput(Refusal("refuse.field", field="limits"))
    changes: dict[str, Any] = {name: _limit(name, value, getattr(now, name)) for name, value in wished.items()}
    return replace(now, **changes)


def _limit(name: str, value: Any, now: int | Decimal) -> int | Decimal:
    if isinstance(now, int):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadInput(Refusal("refuse.field", field=name))
        return value
    try:
        return Decimal(text({name: value}, name, longest=20))
    except InvalidOperation:
        raise BadInput(Refusal("refuse.field", field=name)) from None


def _fraction(body: Body, name: str, now: Decimal | None) -> Decimal | None:
    """A decimal string from 0 to 1, or null for the level's own; numbers of JSON are floats and not taken."""
    value: Any = body.get(name, now)
    if value is None or isinstance(value, Decimal):
        return value
    try:
        read = Decimal(text(body, name, longest=20))
    except InvalidOperation:
        read = Decimal(-1)
    if not (read.is_finite() and 0 <= read <= 1):
        raise BadInput(Refusal("refuse.field", field=name))
    return read


@for_actors
async def auto_trade(request: Request, user: SessionUser) -> Response:
    """`{on}`."""
    wanted = switch(await json_body(request), "on")
    return done(await in_thread(system().trading.set_auto_trade, user, wanted))


@for_actors
async def ask_now(request: Request, user: SessionUser) -> Response:
    """Ask the analyst now, for this person alone."""
    await json_body(request)
    return done(await in_thread(system().trading.ask_now, user))


@for_people
async def read_key(request: Request, user: SessionUser) -> Response:
    """Which key is in use, never the key; null when none is."""
    return JSONResponse({"key": plain(await in_thread(system().readings.key_status, user.user_id))})


@for_actors
async def save_key(request: Request, user: SessionUser) -> Response:
    """`{venue, api_key, api_secret}`: checked at the venue, sealed, never shown again."""
    body = await json_body(request)
    venue = _venue(text(body, "venue", longest=20))
    key, secret = text(body, "api_key", longest=200).strip(), text(body, "api_secret", longest=400).strip()
    return done(await in_slow_thread(system().trading.save_key, user, venue, key, secret))


def _venue(written: str) -> Venue:
    for venue in VENUES:
        if venue == written:
            return venue
    raise BadInput(Refusal("refuse.field", field="venue"))


@for_actors
async def delete_key(request: Request, user: SessionUser) -> Response:
    """Forget the key in use."""
    await json_body(request)
    return done(await in_thread(system().trading.delete_key, user))


@for_people
async def logs(request: Request, user: SessionUser) -> Response:
    """`?page&limit&outcome&since` (*since* in seconds): the trade log, newest first."""
    page = whole(request, "page", 1, 1, 1_000_000)
    limit = whole(request, "limit", 20, 1, MOST_ROWS)
    outcome = request.query_params.get("outcome") or None
    since_ms = whole(request, "since", 0, 0, 10**12) * 1000 or None
    read = system().readings.logs_page
    found = await in_thread(read, user.user_id, page=page, limit=limit, outcome=outcome, since_ms=since_ms)
    return JSONResponse({"page": page, "limit": limit, "total": found.total, "rows": plain(found.rows)})


@for_people
async def log_detail(request: Request, user: SessionUser) -> Response:
    """Everything about one of the person's own log rows."""
    found = await in_thread(system().readings.log_detail, user.user_id, int(request.path_params["log_id"]))
    return refused(Refusal("refuse.not_found")) if found is None else JSONResponse(plain(found))


ROUTES = [
    Route("/api/settings", read_settings, methods=["GET"]),
    Route("/api/settings", change_settings, methods=["POST"]),
    Route("/api/auto-trade", auto_trade, methods=["POST"]),
    Route("/api/ask-now", ask_now, methods=["POST"]),
    Route("/api/apikey", read_key, methods=["GET"]),
    Route("/api/apikey", save_key, methods=["POST", "PUT"]),
    Route("/api/apikey", delete_key, methods=["DELETE"]),
    Route("/api/logs", logs, methods=["GET"]),
    Route("/api/logs/{log_id:int}", log_detail, methods=["GET"]),
]
