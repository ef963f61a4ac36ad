"""A person's own stops: how the account stands, pause, close one position or everything, resume, end a lock."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.api.symbols import LONGEST_SYMBOL
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.trading import ENDABLE_LOCKS
from lib.accounts.web import SessionUser
from lib.domain.locks import RiskLock
from lib.domain.position import Direction
from lib.queries import Standing

LONGEST_KIND = 40
LONGEST_SYMBOLS = 400
SIDES: tuple[Direction, ...] = ("long", "short")


@for_people
async def read_standing(request: Request, user: SessionUser) -> Response:
    """`{state: off | on | stopping | stopped, closing, proven_ms, …}`; *stopped* is said of a proof alone."""
    found = await in_thread(system().readings.standing, user.user_id)
    return refused(Refusal("refuse.no_account")) if found is None else JSONResponse(plain(_standing(found)))


def _standing(found: Standing) -> dict[str, Any]:
    return {
        "state": found.state,
        "closing": found.flattens,
        "switched_ms": found.switched_ms,
        "proven_ms": found.proven_ms if found.state == "stopped" else 0,
        "by_platform": found.platform.is_thrown,
        "why": found.why,
        "position_qty": found.position_qty,
        "open_orders": len(found.open_rows),
        "needs_human": [row.order_link_id for row in found.needs_human],
        "platform_locks": [_lock(lock, may_end=False) for lock in found.platform_locks],
        "locks": [_lock(lock, may_end=lock.kind in ENDABLE_LOCKS) for lock in found.locks],
    }


def _lock(lock: RiskLock, *, may_end: bool) -> dict[str, Any]:
    return {"kind": lock.kind, "until_ms": lock.until_ms, "why": lock.why, "may_end": may_end}


@for_actors
async def pause(request: Request, user: SessionUser) -> Response:
    """No new entries of this account from now on; exits and stops go on."""
    await body_of(request)
    return done(await in_thread(system().trading.pause, user))


@for_actors
async def close(request: Request, user: SessionUser) -> Response:
    """
    `{side, symbol}`: what we hold of the position of that side is closed; entries stay as they are. Without *symbol* it
    is that of the symbol shown first.
    """
    body = await body_of(request)
    side, symbol = body.choice("side", SIDES), body.typed_or_none("symbol", LONGEST_SYMBOL)
    return done(await in_thread(system().trading.close_position, user, side, symbol))


@for_people
async def read_symbols(request: Request, user: SessionUser) -> Response:
    """What the account may trade (*offered*), what it trades, and what it holds of each."""
    held = await in_thread(system().readings.holdings, user.user_id)
    own = [{"symbol": one.symbol, "traded": one.traded, "position_qty": one.position_qty} for one in held]
    return JSONResponse({"offered": list(system().symbols), "symbols": plain(own)})


@for_actors
async def choose_symbols(request: Request, user: SessionUser) -> Response:
    """`{symbols}`, with commas between: the account trades exactly these; others are entered no more."""
    wanted = (await body_of(request)).typed("symbols", LONGEST_SYMBOLS)
    chosen = [symbol.strip() for symbol in wanted.split(",") if symbol.strip()]
    return done(await in_thread(system().trading.choose_symbols, user, chosen))


@for_actors
async def flatten(request: Request, user: SessionUser) -> Response:
    """As pause, and what we opened is closed."""
    await body_of(request)
    return done(await in_thread(system().trading.flatten, user))


@for_actors
async def resume(request: Request, user: SessionUser) -> Response:
    """Entries are allowed again."""
    await body_of(request)
    return done(await in_thread(system().trading.resume, user))


@for_actors
async def end_lock(request: Request, user: SessionUser) -> Response:
    """`{kind}`: end one of the locks a person may end."""
    kind = (await body_of(request)).line("kind", LONGEST_KIND)
    return done(await in_thread(system().trading.end_lock, user, kind))


ENDPOINTS = (
    Endpoint(
        "GET", "/api/standing", read_standing, "How the account stands: state, position, orders, locks.", scope="read"
    ),
    Endpoint("POST", "/api/pause", pause, "No new entries from now on; exits and stops go on.", scope="control"),
    Endpoint(
        "POST",
        "/api/close",
        close,
        "Close the position of that side, as far as we opened it; entries stay as they are.",
        body=(api.choice("side", SIDES), api.text("symbol", LONGEST_SYMBOL, required=False)),
        scope="control",
    ),
    Endpoint("GET", "/api/symbols", read_symbols, "What the account may trade, and what it trades.", scope="read"),
    Endpoint(
        "POST",
        "/api/symbols",
        choose_symbols,
        "Choose what the account trades.",
        body=(api.text("symbols", LONGEST_SYMBOLS),),
    ),
    Endpoint("POST", "/api/flatten", flatten, "As pause, and what we opened is closed.", scope="control"),
    Endpoint("POST", "/api/resume", resume, "Allow entries again.", scope="control"),
    Endpoint(
        "POST", "/api/locks/end", end_lock, "End a lock that may be ended.", body=(api.text("kind", LONGEST_KIND),)
    ),
)
