"""
The operators' routes, thin over the operators' room and its readings: JSON in, JSON out.

For who is no operator at that moment (a stranger, another person, a visitor of the demo, somebody whose role was taken)
each of them answers exactly what an address answers where nothing is, whatever the method and the body.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api.exchange import answered, body_of, done, plain, refused, whole
from app.api.plain import ALL
from app.http.fields import read_whole
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.visit import visit_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.bootstrap import OperatorsDoor
from lib.domain.model_profile import LONGEST_MODEL, LONGEST_SHOWN, LONGEST_URL, KeptModel
from lib.domain.model_wish import ModelWish
from lib.domain.order import Order
from lib.domain.platform_settings import (
    BANNER_CHARS,
    Banner,
    admission,
    arena_door,
    krw_rates,
    limit_overrides,
    read_banner,
)
from lib.queries import Overview, PersonLine, Standing
from lib.queries.roster import MOST_SEARCHED
from lib.trading.operators_room import DOORS, LONGEST_NAME, LONGEST_RATES, LONGEST_WHY, NOTHING_HERE

LATEST_ID = 10**15 - 1
LONGEST_VALUE = 30
AUDIT_MS = 20_000
"""How long one verification may take."""

Work = Callable[[Request, SessionUser], Awaitable[Response]]


_AMOUNT = 12
_MODEL = {
    "shown": LONGEST_SHOWN,
    "base_url": LONGEST_URL,
    "model": LONGEST_MODEL,
    "input_usd": _AMOUNT,
    "output_usd": _AMOUNT,
    "day_usd": _AMOUNT,
}
"""Fields of a model, and their longest text."""


def for_operators(**by_method: Work) -> Callable[[Request], Awaitable[Response]]:
    """A route for operators alone, by its methods."""

    @answered
    async def route(request: Request) -> Response:
        user = visit_of(request.scope).user
        by_token = user is not None and user.scopes is not None
        if user is None or by_token or not await in_thread(system().operators.room.admits, user):
            return refused(NOTHING_HERE)
        work = by_method.get(request.method)
        return refused(Refusal("refuse.request"), 405) if work is None else await work(request, user)

    return route


def door() -> OperatorsDoor:
    """What stands behind these routes."""
    return system().operators


# --- looking ----------------------------------------------------------------------------------------------------------


async def status(request: Request, user: SessionUser) -> Response:
    """The platform's switches and how far a stop is, the system's health, the request budget, today's models."""
    found = await in_thread(door().readings.overview)
    health = await in_thread(system().readings.health, system().clock.now_ms())
    budget, models = await in_thread(door().budget.uses), await in_thread(door().readings.models, system().feed)
    spenders = await in_thread(door().readings.spenders, system().feed)
    told = {"platform": _overview(found), "health": health, "budget": budget, "models": models, "spenders": spenders}
    return JSONResponse(plain(told))


def _overview(found: Overview) -> dict[str, Any]:
    return {
        "trading": not found.switches.is_thrown,
        "closing": found.switches.flatten,
        "switched_ms": found.switches.switched_ms,
        "proven_ms": found.switches.proven_ms if found.is_proved else 0,
        "why": found.switches.why,
        "trader_alive": found.trader_alive,
        "accounts": found.accounts,
        "auto_trading": found.auto_trading,
        "holding": found.holding,
        "open_orders": found.open_count,
        "locks": found.locks,
    }


async def people(request: Request, user: SessionUser) -> Response:
    """`?search&guests&before&limit`: figures of people, newest first."""
    limit, before = whole(request, "limit", 25, 1, 100), whole(request, "before", 0, 0, LATEST_ID)
    guests = request.query_params.get("guests") == "true"
    search = request.query_params.get("search", "")[:MOST_SEARCHED]
    found = await in_thread(lambda: door().readings.people(search, guests=guests, before=before, limit=limit))
    rows = [_person(line) for line in found.rows]
    return JSONResponse({"rows": plain(rows), "total": found.total, "older": found.older})


def _person(line: PersonLine) -> dict[str, Any]:
    told = {name: getattr(line, name) for name in PersonLine.__dataclass_fields__ if name != "standing"}
    return {**told, "account": None if line.standing is None else _account(line.standing)}


def _account(found: Standing) -> dict[str, Any]:
    return {
        "account_id": found.account_id,
        "venue": found.venue,
        "symbol": found.symbol,
        "state": found.state,
        "closing": found.flattens,
        "switched_ms": found.switched_ms,
        "proven_ms": found.proven_ms if found.state == "stopped" else 0,
        "why": found.why,
        "position_qty": found.position_qty,
        "open_orders": len(found.open_rows),
        "locks": [lock.kind for lock in (*found.platform_locks, *found.locks)],
    }


async def account(request: Request, user: SessionUser) -> Response:
    """How one account stands, and how far its stop is."""
    number = read_whole(request.path_params["account_id"])
    found = None if number is None else await in_thread(door().readings.account_standing, number)
    return refused(NOTHING_HERE) if found is None else JSONResponse(plain(_account(found)))


async def review(request: Request, user: SessionUser) -> Response:
    """Locks that hold, orders only a person can end, other hands, books that differ."""
    readings = door().readings
    told = {
        "locks": await in_thread(readings.held_locks),
        "needs_human": [_order(*pair) for pair in await in_thread(readings.needs_human)],
        "externals": await in_thread(readings.externals),
        "differing": await in_thread(readings.differing),
    }
    return JSONResponse(plain(told))


def _order(row: Order, email: str) -> dict[str, Any]:
    names = ("order_link_id", "account_id", "symbol", "side", "qty", "t_ms", "why")
    return {**{name: getattr(row, name) for name in names}, "email": email}


async def settings(request: Request, user: SessionUser) -> Response:
    """Platform settings as they hold, how many invitations there are, and who changed what."""
    readings = door().readings
    rows = await in_thread(readings.setting_rows)
    told = {
        "doors": {**asdict(admission(rows)), "arena": arena_door(rows)},
        "banner": read_banner(rows),
        "limits": limit_overrides(rows).over(door().limits),
        "krw_per_usdt": [str(rate) for rate in krw_rates(rows)],
        "set": sorted(rows),
        "invites": await in_thread(readings.invites),
        "models": [_model(one) for one in await in_thread(door().models)],
        "changes": await in_thread(readings.setting_changes),
    }
    return JSONResponse(plain(told))


def _model(kept: KeptModel) -> dict[str, Any]:
    """One model of the list; of its key that there is one."""
    profile = kept.profile
    names = ("name", "shown", "base_url", "model", "day_usd", "offered")
    told = {name: getattr(profile, name) for name in names}
    return {
        **told,
        "input_usd": profile.prices.input_usd,
        "output_usd": profile.prices.output_usd,
        "has_key": bool(kept.sealed),
    }


async def logs(request: Request, user: SessionUser) -> Response:
    """`?name&lines`: the newest lines of a process on this machine, and which processes there are."""
    lines, files = whole(request, "lines", 200, 1, 1_000), door().logs
    found = await in_thread(files.newest, request.query_params.get("name", "")[:LONGEST_NAME], lines)
    return JSONResponse({"names": await in_thread(files.names), "lines": list(found)})


async def acts(request: Request, user: SessionUser) -> Response:
    """`?before&limit`: what operators did, newest first, and who they are."""
    limit, before = whole(request, "limit", 50, 1, 200), whole(request, "before", 0, 0, LATEST_ID)
    found = await in_thread(door().readings.acts, limit, before)
    return JSONResponse(plain({"acts": found, "operators": await in_thread(door().readings.operators)}))


async def audit(request: Request, user: SessionUser) -> Response:
    """Whether every order's history is as it was written, as far as 20 seconds go."""
    return JSONResponse(plain(await in_slow_thread(door().readings.audited, AUDIT_MS)))


# --- acting -----------------------------------------------------------------------------------------------------------


async def stop(request: Request, user: SessionUser) -> Response:
    """`{account}`: L1 of one account, L2 of everybody (0)."""
    number = (await body_of(request)).count("account")
    return done(await in_thread(door().room.stop, user, number))


async def flatten(request: Request, user: SessionUser) -> Response:
    """`{account}`: L3; the session must have proved whose it is in the last five minutes."""
    number = (await body_of(request)).count("account")
    return done(await in_thread(door().room.flatten, user, number))


async def resume(request: Request, user: SessionUser) -> Response:
    """`{account}`; the session must have proved whose it is, as for a close."""
    number = (await body_of(request)).count("account")
    return done(await in_thread(door().room.resume, user, number))


async def unlock(request: Request, user: SessionUser) -> Response:
    """`{account, kind, why}`."""
    body = await body_of(request)
    number, kind, why = body.count("account"), body.line("kind", LONGEST_NAME), body.line("why", LONGEST_WHY)
    return done(await in_thread(door().room.unlock, user, number, kind, why))


async def settle(request: Request, user: SessionUser) -> Response:
    """`{link, state, why}`: asked of the trader; what became of it is among the acts."""
    body = await body_of(request)
    link, state = body.line("link", LONGEST_NAME), body.line("state", LONGEST_NAME)
    return done(await in_thread(door().room.settle, user, link, state, body.line("why", LONGEST_WHY)))


async def invite(request: Request, user: SessionUser) -> Response:
    """`{count, days}`: the codes, once."""
    body = await body_of(request)
    return done(await in_thread(door().room.invite, user, body.count("count", 1), body.count("days", 7)))


async def set_door(request: Request, user: SessionUser) -> Response:
    """`{setting: registration | guests | arena, word, why}`."""
    body = await body_of(request)
    setting, word = body.choice("setting", sorted(DOORS)), body.line("word", LONGEST_VALUE)
    return done(await in_thread(door().room.choose, user, setting, word, body.line("why", LONGEST_WHY)))


async def set_banner(request: Request, user: SessionUser) -> Response:
    """`{ko, en}`; both empty takes it away."""
    body = await body_of(request)
    ko, en = body.prose("ko", BANNER_CHARS), body.prose("en", BANNER_CHARS)
    return done(await in_thread(door().room.say, user, Banner(ko, en) if ko or en else None))


async def set_rates(request: Request, user: SessionUser) -> Response:
    """`{value, why}`: won for one USDT, `1390` or by date `1390,2026-03-01=1402.5`; "default" takes them away."""
    body = await body_of(request)
    value, why = body.line("value", LONGEST_RATES), body.line("why", LONGEST_WHY)
    return done(await in_thread(door().room.set_rates, user, value, why))


async def set_limit(request: Request, user: SessionUser) -> Response:
    """`{name, value, why, loosen?}`; the value "default" takes the environment's again."""
    body = await body_of(request)
    name, value, why = body.line("name", LONGEST_NAME), body.line("value", LONGEST_VALUE), body.line("why", LONGEST_WHY)
    loosen = body.flag("loosen", False)
    return done(await in_thread(lambda: door().room.set_limit(user, name, value, why, loosen=loosen)))


async def set_model(request: Request, user: SessionUser) -> Response:
    """
    `{name, shown?, base_url?, model?, input_usd?, output_usd?, day_usd?, offered?, why}`, amounts as text: a model put
    on the list, or what one on it costs; its address and key are a terminal's.
    """
    body = await body_of(request)
    told = {name: body.typed(name, most) for name, most in _MODEL.items() if name in body}
    offered = "yes" if body.flag("offered", True) else "no"
    wish = ModelWish(body.line("name", LONGEST_NAME), **told, offered=offered)
    return done(await in_thread(door().room.set_model, user, wish, body.line("why", LONGEST_WHY)))


_ROUTES: Mapping[str, Mapping[str, Work]] = {
    "status": {"GET": status},
    "people": {"GET": people},
    "accounts/{account_id}": {"GET": account},
    "review": {"GET": review},
    "settings": {"GET": settings},
    "logs": {"GET": logs},
    "acts": {"GET": acts},
    "audit": {"GET": audit},
    "stop": {"POST": stop},
    "flatten": {"POST": flatten},
    "resume": {"POST": resume},
    "unlock": {"POST": unlock},
    "settle": {"POST": settle},
    "invites": {"POST": invite},
    "settings/door": {"POST": set_door},
    "settings/banner": {"POST": set_banner},
    "settings/rates": {"POST": set_rates},
    "settings/limit": {"POST": set_limit},
    "settings/model": {"POST": set_model},
}
# every method comes in here: a 405 of the router's own would tell a stranger that there is something
ROUTES = [Route(f"/api/operator/{path}", for_operators(**works), methods=ALL) for path, works in _ROUTES.items()]
