"""The arena as JSON, and a person's acts in it. Of others it tells names they chose, models and figures, no numbers."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, for_people, plain
from app.system import system
from app.threads import in_thread
from lib.accounts.web import SessionUser
from lib.domain.arena import LEAST_DAYS, LEAST_DECIDED, LONGEST_NAME, Board, Entry, board
from lib.evidence.intervals import AnytimeInterval
from lib.queries import ArenaView

LATEST_ID = 10**15 - 1


@for_people
async def read_arena(request: Request, user: SessionUser) -> Response:
    """
    The newest season (null: none, or the operator closed the arena), its sealed rules, and its board. *ranked* by the
    lower bound (*net.low*) of what a decision was worth after fees, funding and calls, a fraction of the notional, for
    any number of looks and all *places* of the season; *chance*: beyond a coin at the same moments. *waiting* have
    fewer than *few* entries or *few_days* whole days and no rank (*more_days* missing, about); *house* competes with
    nobody; *left* have no name. *random* and *long* are what random entries and always long made at the moments of
    all. *fall* is the deepest fall of the sum of *net*. *entry_id* is there for the person's own alone.
    """
    return JSONResponse(_told(await in_thread(system().readings.arena), user))


def _told(view: ArenaView, user: SessionUser) -> dict[str, object]:
    season = view.season
    if season is None:
        return {"open": view.is_open, "season": None}
    rules, found = season.rules, board(view.entries)
    return {
        "open": view.is_open,
        "season": {
            "first_ms": season.first_ms,
            "until_ms": season.until_ms,
            "takes_entries": season.is_open(system().clock.now_ms()),
            "seal": season.seal,
            "places": rules.places,
            "each": rules.each,
            "taken": season.taken,
        },
        "interval": AnytimeInterval.name,
        "few": LEAST_DECIDED,
        "few_days": LEAST_DAYS,
        **_rows(found, user),
        "random": plain(found.random),
        "long": plain(found.long),
    }


def _rows(found: Board, user: SessionUser) -> dict[str, object]:
    return {
        "ranked": [{"rank": one.rank, **_row(one.entry, user)} for one in found.ranked],
        "waiting": [_row(one, user) for one in found.waiting],
        "house": [_row(one, user) for one in found.house],
        "left": [_row(one, user) for one in found.left],
    }


def _row(entry: Entry, user: SessionUser) -> dict[str, object]:
    is_mine, standing = entry.user_id == user.user_id, entry.standing
    return {
        "entry_id": entry.entry_id if is_mine else None,
        "name": entry.name if is_mine or not entry.left_ms else None,
        "model": entry.model,
        "from_ms": entry.from_ms,
        "standing": None if standing is None else {**plain(standing), "more_days": standing.more_days},
    }


@for_actors
async def enter_arena(request: Request, user: SessionUser) -> Response:
    """`{name, house}`: show the version that runs, as *name*, with the model that answered last; *house*: operators."""
    body = await body_of(request)
    name, house = body.line("name", LONGEST_NAME), "house" in body and body.flag("house")
    return done(await in_thread(lambda: system().arena.enter(user, name, house=house)))


@for_actors
async def rename_in_arena(request: Request, user: SessionUser) -> Response:
    """`{entry_id, name}`: another name for the same entry."""
    body = await body_of(request)
    number, name = body.count("entry_id"), body.line("name", LONGEST_NAME)
    return done(await in_thread(system().arena.rename, user, number, name))


@for_actors
async def leave_arena(request: Request, user: SessionUser) -> Response:
    """`{entry_id}`: shown by name no more; its place stays taken."""
    number = (await body_of(request)).count("entry_id")
    return done(await in_thread(system().arena.leave, user, number))


_ID = api.whole("entry_id", 0, LATEST_ID, required=True)
_NAME = api.text("name", LONGEST_NAME)

ENDPOINTS = (
    Endpoint("GET", "/api/arena", read_arena, "The arena: the season, its rules, and who stands where.", scope="read"),
    Endpoint("POST", "/api/arena/enter", enter_arena, "Enter the version that runs under a name of your choice.",
             body=(_NAME, api.flag("house", required=False))),
    Endpoint("POST", "/api/arena/rename", rename_in_arena, "Change the name of an entry.", body=(_ID, _NAME)),
    Endpoint("POST", "/api/arena/leave", leave_arena, "Be shown in the arena no more.", body=(_ID,)),
)  # fmt: skip
