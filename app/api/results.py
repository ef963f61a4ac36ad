"""
How a person's account did, as JSON, and everything of theirs as files.

A file is streamed: one thread at a time makes its next piece, and a person has one file at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import for_people, plain, refused
from app.export_files import Layout, csv_file, parquet_file
from app.http.fields import read_whole, wrong
from app.i18n import LANGUAGES, Zone, catalogue, zone_named
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.ui.spans import SPANS, USUAL, period
from app.ui.tax import TAX, tax_parts
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.performance import Performance
from lib.domain.round_trips import RoundTrip
from lib.domain.trip_groups import GROUPS
from lib.domain.won_rates import WonRates
from lib.queries import EXPORTS, Results

MOST_TRIPS = 200
"""Round trips of one answer: the newest; all of them are in the file."""
DERIVED = (
    "net", "hit_rate", "profit_factor", "expectancy", "average_win", "average_loss", "average_held_ms", "average_r",
    "fees_of_gross", "funding_of_gross",
)  # fmt: skip
TRIP = ("net", "entry_price", "exit_price", "leverage", "on_margin", "risk", "r_multiple", "duration_ms")
FORMATS: dict[str, tuple[str, Callable[[Layout, Iterator[Any]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_file),
    "parquet": ("application/vnd.apache.parquet", parquet_file),
}
_fetching: set[int] = set()
"""People a file is being made for; of the event loop alone."""


@for_people
async def results(request: Request, user: SessionUser) -> Response:
    """`?span&account`: the account over a period; 409 without an account."""
    span, account_id = request.query_params.get("span", USUAL), account_of(request)
    if span not in SPANS:
        wrong("span")
    zone = zone_of(user)
    asked = period(span, system().clock.now_ms(), zone.tz)
    found = await in_thread(
        system().readings.results, user.user_id, since_ms=asked.since_ms, bounds=asked.bounds, account_id=account_id
    )
    return refused(Refusal("refuse.no_account")) if found is None else JSONResponse(_told(found, zone))


def zone_of(user: SessionUser) -> Zone:
    """How this person's times are written."""
    return zone_named(user.time_zone, _language(user))


def _language(user: SessionUser) -> str:
    return user.locale if user.locale in LANGUAGES else LANGUAGES[0]


def account_of(request: Request) -> int | None:
    """The account that was asked for; None: the one in use."""
    written = request.query_params.get("account")
    if written is None:
        return None
    number = read_whole(written)
    return wrong("account") if number is None else number


def _told(found: Results, zone: Zone) -> dict[str, Any]:
    told: dict[str, Any] = plain(replace(found, rates=WonRates()))
    del told["rates"]
    rate = found.rates.at(found.end.t_ms)
    groups = {
        name: {plain(key): _figures(figures) for key, figures in by(found.trips, zone.offset_s).items()}
        for name, by in GROUPS.items()
    }
    newest = found.trips[: -MOST_TRIPS - 1 : -1]
    return told | {
        "made": plain(found.made),
        "share": plain(found.share),
        "krw": plain(rate.krw) if rate else None,
        "made_krw": plain(found.made_krw),
        "net_krw": plain(found.net_krw),
        "figures": _figures(found.figures),
        "groups": groups,
        "trips": [_trip(trip) for trip in newest],
        "open": [_trip(trip) for trip in found.open],
        "zone": zone.label,
    }


def _figures(figures: Performance) -> dict[str, Any]:
    told: dict[str, Any] = plain(figures)
    return told | {name: plain(getattr(figures, name)) for name in DERIVED}


def _trip(trip: RoundTrip) -> dict[str, Any]:
    told: dict[str, Any] = plain(trip)
    return told | {name: plain(getattr(trip, name)) for name in TRIP}


@for_people
async def export(request: Request, user: SessionUser) -> Response:
    """`/api/export/{what}.csv` or `.parquet`: all rows of every account of the person, in UTC and their own time."""
    what, _, kind = request.path_params["file"].rpartition(".")
    if kind not in FORMATS or what not in (*EXPORTS, "tax"):
        return refused(Refusal("refuse.not_found"))
    if user.user_id in _fetching:
        return refused(Refusal("refuse.busy"))
    media, write = FORMATS[kind]
    layout, parts = await in_thread(_file, user, what)
    headers = {"Content-Disposition": f'attachment; filename="maemae-{what}.{kind}"', "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(user.user_id, write(layout, parts)), media_type=media, headers=headers)


def _file(user: SessionUser, what: str) -> tuple[Layout, Iterator[Sequence[Any]]]:
    zone, language, readings = zone_of(user), _language(user), system().readings
    if what == "tax":
        heads = [catalogue(language)[f"tax.{column.name}"] for column in TAX]
        parts = tax_parts(readings.export(user.user_id, "trips"), readings.won_rates(user.user_id), catalogue(language))
        return Layout(TAX, zone, language, heads), parts
    return Layout(EXPORTS[what], zone, language), readings.export(user.user_id, what)


async def _pieces(user_id: int, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    _fetching.add(user_id)
    try:
        while (piece := await in_slow_thread(next, pieces, None)) is not None:
            yield piece
            await asyncio.sleep(0)
    finally:
        _fetching.discard(user_id)


_ASKED = (api.choice("span", SPANS, required=False), api.whole("account", 0, 10**15 - 1))
_FILE = api.choice("file", [f"{what}.{kind}" for what in (*EXPORTS, "tax") for kind in FORMATS])

ENDPOINTS = (
    Endpoint("GET", "/api/results", results, "How the account did over a period.", query=_ASKED, scope="read"),
    Endpoint("GET", "/api/export/{file}", export, "All rows of one kind, as a file.",
             path_parts=(_FILE,), scope="read", media="application/octet-stream"),
)  # fmt: skip
