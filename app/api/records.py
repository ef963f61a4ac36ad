"""
A person's records: listed, as files, one decision proved, shown by a link. And what a link shows to anybody: the same
reading without a session, as JSON and as a page; a code that opens nothing is told nothing but that.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.addresses import RECORD, missing, reader_language
from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import answered, body_of, done, for_actors, for_people, plain, refused
from app.http.fields import read_whole, wrong
from app.record_page import record_page
from app.system import system
from app.threads import in_slow_thread, in_thread
from lib.accounts.entrance import sha256
from lib.accounts.records import LONGEST_RECORD_CODE
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.queries import OpenedRecord, RecordLine

LATEST_ID = 10**15 - 1
MOST_AT_ONCE = 4
"""Files made at once for whoever has a link."""
_NOTHING = Refusal("refuse.not_found")
_fetched: set[int] = set()
"""Records a file is being made of; of the event loop alone."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A record that may be read by who asks."""

    user_id: int
    record_id: int
    amounts: bool


@for_people
async def read_records(request: Request, user: SessionUser) -> Response:
    """The person's records, the newest first, and the links that show one."""
    read = system().readings
    told = {"records": await in_thread(read.records, user.user_id)}
    return JSONResponse(plain(told | {"links": await in_thread(read.record_links, user.user_id)}))


@for_people
async def export_record(request: Request, user: SessionUser) -> Response:
    """A record as a file, amounts included: it is the person's own."""
    return await _file(_Shown(user.user_id, _number(request), True))


@for_people
async def prove_decision(request: Request, user: SessionUser) -> Response:
    """`?t&symbol`: that one decision is in a record, without the others."""
    return await _proof(request, _Shown(user.user_id, _number(request), True))


@for_actors
async def show_record(request: Request, user: SessionUser) -> Response:
    """`{record_id, named, amounts}`: a code that shows the record to anybody, told this once."""
    body = await body_of(request)
    number, named, amounts = body.count("record_id"), body.flag("named", False), body.flag("amounts", False)
    made = await in_thread(lambda: system().records.share(user, number, named=named, amounts=amounts))
    return done(made) if isinstance(made, Refusal) else JSONResponse({"code": made.code})


@for_actors
async def hide_record(request: Request, user: SessionUser) -> Response:
    """`{link_id}`: the link opens nothing from now on."""
    number = (await body_of(request)).count("link_id")
    return done(await in_thread(system().records.unshare, user, number))


async def read_shown(request: Request) -> Response:
    """`?code`: the record that a link shows."""
    found = await _opened(request)
    if found is None:
        return refused(_NOTHING)
    opened, line = found
    curve = await in_thread(system().readings.record_curve, opened.user_id, opened.record_id)
    told = {name: value for name, value in asdict(_public(opened, line)).items() if name != "record_id"}
    return JSONResponse(told | {"curve": [list(point) for point in curve]})


async def export_shown(request: Request) -> Response:
    """`?code`: the file of the record that a link shows."""
    found = await _opened(request)
    if found is None:
        return refused(_NOTHING)
    opened = found[0]
    if opened.record_id in _fetched or len(_fetched) >= MOST_AT_ONCE:
        return refused(Refusal("refuse.busy"))
    return await _file(_Shown(opened.user_id, opened.record_id, opened.amounts), is_shown=True)


async def prove_shown(request: Request) -> Response:
    """`?code&t&symbol`: that one decision is in the record that a link shows."""
    found = await _opened(request)
    if found is None:
        return refused(_NOTHING)
    return await _proof(request, _Shown(found[0].user_id, found[0].record_id, found[0].amounts))


@answered
async def page(request: Request) -> Response:
    """The record that a link shows, for a reader."""
    found = await _opened(request)
    if found is None:
        return missing(request.scope)
    opened, line = found
    curve = await in_thread(system().readings.record_curve, opened.user_id, opened.record_id)
    text = record_page(reader_language(request.scope), _public(opened, line), curve, request.query_params["code"])
    return HTMLResponse(text, headers={"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"})


async def _opened(request: Request) -> tuple[OpenedRecord, RecordLine] | None:
    code = request.query_params.get("code", "")
    if not 0 < len(code) <= LONGEST_RECORD_CODE:
        return None
    opened = await in_thread(system().readings.opened_record, sha256(code))
    if opened is None:
        return None
    lines = await in_thread(system().readings.records, opened.user_id)
    return next(((opened, line) for line in lines if line.record_id == opened.record_id), None)


def _public(opened: OpenedRecord, line: RecordLine) -> RecordLine:
    return line if opened.named else RecordLine(**(asdict(line) | {"name": ""}))


def _number(request: Request) -> int:
    number = read_whole(request.path_params["record_id"])
    return wrong("record_id") if number is None else number


async def _proof(request: Request, shown: _Shown) -> Response:
    t_ms, symbol = read_whole(request.query_params.get("t", "")), request.query_params.get("symbol", "")
    if t_ms is None:
        return wrong("t")
    told = await in_thread(system().readings.record_proof, shown.user_id, shown.record_id, t_ms, symbol)
    return refused(_NOTHING) if told is None else JSONResponse(told)


async def _file(shown: _Shown, *, is_shown: bool = False) -> Response:
    read = system().readings
    pieces = await in_thread(lambda: read.record_file(shown.user_id, shown.record_id, amounts=shown.amounts))
    if pieces is None:
        return refused(_NOTHING)
    headers = {
        "Content-Disposition": f'attachment; filename="maemae-record-{shown.record_id}.jsonl.gz"',
        "X-Robots-Tag": "noindex, nofollow",
    }
    name = 'attachment; filename="maemae-record.jsonl.gz"'
    headers |= {"Content-Disposition": name} if is_shown else {}
    made = _pieces(shown.record_id, _packed(pieces))
    return StreamingResponse(made, media_type="application/gzip", headers=headers)


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gzip = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


async def _pieces(record_id: int, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    _fetched.add(record_id)
    try:
        while (piece := await in_slow_thread(next, pieces, None)) is not None:
            yield piece
            await asyncio.sleep(0)
    finally:
        _fetched.discard(record_id)


PAGE = Route(RECORD, page, methods=["GET"])
_ID = api.whole("record_id", 0, LATEST_ID, required=True)
_WHICH = (api.whole("t", 0, LATEST_ID, required=True), api.text("symbol", 32))
_CODE = api.text("code", LONGEST_RECORD_CODE)

ENDPOINTS = (
    Endpoint("GET", "/api/records", read_records, "Records that a stranger can check, and links to them.",
             scope="read"),
    Endpoint("GET", "/api/records/{record_id}/export", export_record, "A record as a file (gzip of JSON lines).",
             path_parts=(_ID,), scope="read", media="application/gzip"),
    Endpoint("GET", "/api/records/{record_id}/proof", prove_decision, "That one decision is in a record.",
             path_parts=(_ID,), query=_WHICH, scope="read"),
    Endpoint("POST", "/api/records/links", show_record, "Show a record by a code, told this once.",
             body=(_ID, api.flag("named", required=False), api.flag("amounts", required=False))),
    Endpoint("POST", "/api/records/links/end", hide_record, "Take a link to a record back.",
             body=(api.whole("link_id", 0, LATEST_ID, required=True),)),
    Endpoint("GET", "/api/record", read_shown, "The record that a link shows.", query=(_CODE,), is_open=True),
    Endpoint("GET", "/api/record/export", export_shown, "Its file.", query=(_CODE,), is_open=True,
             media="application/gzip"),
    Endpoint("GET", "/api/record/proof", prove_shown, "That one decision is in it.", query=(_CODE, *_WHICH),
             is_open=True),
)  # fmt: skip
