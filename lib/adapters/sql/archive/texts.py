"""
The long texts of old analyst calls (prompt, candles, raw answer), read for a file, taken out of their rows, put back.

A row keeps everything else: decision, model, tokens, cost, and the newest of its candles, which readings of prices
want. Texts never change once written, so they are read without a lock and taken out afterwards, a few rows a
transaction, each found by its primary key: the trader, which writes new rows alone, waits for none of it. No other
table is touched.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.people import system_settings
from lib.adapters.sql.tables.trading import cycles

CURSOR = "archive:cycles"
"""The row of `system_settings` with the id up to which calls have been archived."""
_TEXTS = ("prompt", "candles", "raw_answer")
_NAMES = ("id", "t_ms", "prompt_group", *_TEXTS)
_C = cycles.c


@dataclass(frozen=True, slots=True)
class CallTexts:
    """The texts of one analyst call; *id*, *t_ms* and *prompt_group* say which."""

    id: int
    t_ms: int
    prompt_group: str
    prompt: str
    candles: str
    raw_answer: str

    @property
    def line(self) -> str:
        """One line of JSON; the way back is `from_line`."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def from_line(line: str) -> CallTexts:
    """The texts in *line*."""
    return CallTexts(**json.loads(line))


def cursor(engine: sa.Engine) -> int:
    """The id up to which calls have been archived; 0 = none."""
    query = sa.select(system_settings.c.setting_value).where(system_settings.c.setting_key == CURSOR)
    return int(transact(engine, lambda c: c.scalar(query), readonly=True) or 0)


def move_cursor(engine: sa.Engine, last_id: int) -> None:
    """Calls up to *last_id* are archived: their file is whole and their texts are out of the rows."""
    row = {"setting_key": CURSOR, "setting_value": str(last_id)}

    def work(connection: sa.Connection) -> None:
        if not insert_once(connection, system_settings, row):
            here = system_settings.c.setting_key == CURSOR
            connection.execute(sa.update(system_settings).where(here).values(setting_value=str(last_id)))

    transact(engine, work)


def due(engine: sa.Engine, after_id: int, before_ms: int, most: int) -> Iterator[CallTexts]:
    """
    Calls after *after_id* in their order, *most* at most, up to the first that is not older than *before_ms*: what is
    younger ends the search, so that the cursor never passes a call whose time has not come.
    """
    left = most
    while left:
        batch = _after(engine, after_id, min(left, 200))
        for call, is_archived in batch:
            if call.t_ms >= before_ms:
                return
            if not is_archived:
                yield call
        if not batch:
            return
        after_id, left = batch[-1][0].id, left - len(batch)


def _after(engine: sa.Engine, after_id: int, most: int) -> list[tuple[CallTexts, bool]]:
    columns = [_C[name] for name in _NAMES]
    query = sa.select(*columns, _C.archived).where(_C.id > after_id).order_by(_C.id).limit(most)
    rows = transact(engine, lambda c: c.execute(query).all(), readonly=True)
    return [(CallTexts(*row[:-1]), row[-1]) for row in rows]


def all_stand(engine: sa.Engine, calls: Sequence[CallTexts]) -> bool:
    """Whether the rows of *calls* are these very calls, with these texts or without theirs: not another history's."""
    columns = [_C[name] for name in _NAMES]
    query = sa.select(*columns, _C.archived).where(_C.id.in_([call.id for call in calls]))
    rows = transact(engine, lambda c: c.execute(query).all(), readonly=True)
    found = {row.id: (CallTexts(*row[:-1]), row.archived) for row in rows}
    return all(call.id in found and _is_of(*found[call.id], call) for call in calls)


def _is_of(row: CallTexts, is_archived: bool, call: CallTexts) -> bool:
    same = (row.t_ms, row.prompt_group) == (call.t_ms, call.prompt_group)
    return same and (is_archived or row == call)


def take_out(engine: sa.Engine, calls: Sequence[CallTexts]) -> int:
    """Take the texts of *calls* out of their rows, in one transaction; how many had them."""

    def work(connection: sa.Connection) -> int:
        taken = 0
        for call in calls:
            here = (_C.id == call.id, _C.t_ms == call.t_ms, _C.archived.is_(False))
            empty = {"prompt": "", "raw_answer": "", "candles": newest_alone(call.candles), "archived": True}
            taken += connection.execute(sa.update(cycles).where(*here).values(empty)).rowcount
        return taken

    return transact(engine, work)


def put_back(engine: sa.Engine, calls: Sequence[CallTexts]) -> int:
    """Put the texts of *calls* into the rows they were taken out of, in one transaction; how many had none."""

    def work(connection: sa.Connection) -> int:
        back = 0
        for call in calls:
            here = (_C.id == call.id, _C.t_ms == call.t_ms, _C.prompt_group == call.prompt_group, _C.archived)
            whole = {name: getattr(call, name) for name in _TEXTS} | {"archived": False}
            back += connection.execute(sa.update(cycles).where(*here).values(whole)).rowcount
        return back

    return transact(engine, work)


def newest_alone(candles: str) -> str:
    """The list of candles *candles* (JSON) with its last one only; what is no list becomes an empty one."""
    try:
        known = json.loads(candles)
    except ValueError:
        return "[]"
    return json.dumps(known[-1:], separators=(",", ":")) if isinstance(known, list) else "[]"
