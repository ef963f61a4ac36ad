"""
Reasons of before are data too: a code and its parameters, where a sentence stood.

Revision 0012. The sentences are those releases until 0.1 could write; `0012_sentences.toml` beside this file knows them
and is frozen. What it does not know is somebody's own text and stays as it is, and so does what would not fit its
column. Order events are left alone: their words are under a hash. Run again, it finds nothing to do.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = Path(__file__).with_name("0012_sentences.toml")
NARROW = 500
WIDE = 10_000
COLUMNS: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "accounts": ("id", {"pause_reason": NARROW}),
    "commands": ("id", {"result": NARROW}),
    "outbox": ("id", {"body": WIDE}),
    "system_flags": ("id", {"why": NARROW}),
    "orders": ("id", {"why": NARROW}),
    "risk_locks": ("id", {"why": NARROW}),
    "platform_locks": ("kind", {"why": NARROW}),
    "trade_logs": ("id", {"reason": WIDE, "error_message": WIDE}),
}
"""Table → its key, and the columns that hold a reason with what fits them."""
ANSWERS = {"cycles": "decision", "trade_logs": "gpt_analysis"}
"""Table → the JSON column that may hold {"abstained": reason}."""
BATCH = 1_000
DEEPEST = 4

_PLACE = re.compile(r"\\\{(\w+):(\w+)\\\}")
_WORDS = {
    "outcome": "bought|sold|closed|kept|held|skipped|refused|failed|unresolved",
    "state": "(?i:rejected|cancelled|absent|partial|expired|blocked|filled|planned|submitting|accepted|unknown|needs_human)",  # noqa: E501
    "way": "long|short",
    "fields": "action|confidence|leverage|reason|stop_loss|take_profit",
}
_FITS = {
    **{kind: f"(?:{one})(?:, (?:{one}))*" for kind, one in _WORDS.items()},
    "number": r"-?[\d.,]+(?:E[+-]?\d+)?",
    "count": r"-?\d+",
    "percent": r"-?[\d.]+",
    "share": r"\d+(?:\.\d+)?(?:E-?\d+)?",
    "locks": r"(?:platform: )?\w+(?:, (?:platform: )?\w+)*",
    "venue": r"\w+",
    "symbol": r"[A-Z0-9]+",
    "path": r"/[\w/-]+",
    "name": r"[\w ,.-]+",
    "who": r"cli:[^:()]+",
    "moment": r"\d{4}-\d\d-\d\d \d\d:\d\d",
    "text": ".*",
    "why": ".+",
}

Data = dict[str, Any]


def upgrade() -> None:
    connection = op.get_bind()
    for table, (key, columns) in COLUMNS.items():
        _convert(connection, table, key, columns)
    for table, column in ANSWERS.items():
        _convert_answers(connection, table, column)


def downgrade() -> None:
    """Nothing: an older release shows codes as they stand, and no sentence can be made of them here."""


def _convert(connection: sa.Connection, name: str, key: str, columns: Mapping[str, int]) -> None:
    table = sa.table(name, sa.column(key), *(sa.column(column) for column in columns))
    for rows in _batches(connection, table, key):
        for row in rows:
            new = {column: converted(row[column], most) for column, most in columns.items()}
            changed = {column: text for column, text in new.items() if text != row[column]}
            if changed:
                connection.execute(sa.update(table).where(table.c[key] == row[key]).values(changed))


def _convert_answers(connection: sa.Connection, name: str, column: str) -> None:
    table = sa.table(name, sa.column("id"), sa.column(column, sa.JSON()))
    for rows in _batches(connection, table, "id"):
        for row in rows:
            stored = row[column]
            why = stored.get("abstained") if isinstance(stored, dict) else None
            if isinstance(why, str) and (text := converted(why, WIDE)) != why:
                changed = sa.update(table).where(table.c.id == row["id"]).values({column: {"abstained": text}})
                connection.execute(changed)


def _batches(connection: sa.Connection, table: Any, key: str) -> Iterable[list[sa.RowMapping]]:
    query, last = sa.select(table).order_by(table.c[key]).limit(BATCH), None
    while True:
        beyond = query if last is None else query.where(table.c[key] > last)
        rows = list(connection.execute(beyond).mappings())
        if not rows:
            return
        yield rows
        last = rows[-1][key]


# --- sentences --------------------------------------------------------------------------------------------------------


def converted(written: str | None, most: int) -> str | None:
    """What stands in the place of *written* now; itself when nobody knows it, or it would not fit."""
    data = None if written is None else _read(written, DEEPEST)
    if data is None:
        return written
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text if len(text) <= most else written


@cache
def _sentences() -> list[tuple[re.Pattern[str], dict[str, str], str]]:
    listed = tomllib.loads(TABLE.read_text(encoding="utf-8")).items()
    return [(_pattern(sentence), dict(re.findall(r"\{(\w+):(\w+)\}", sentence)), code) for sentence, code in listed]


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub(lambda place: f"(?P<{place[1]}>{_FITS[place[2]]})", re.escape(sentence)), re.DOTALL)


def _read(text: str, deep: int) -> Data | None:
    for pattern, kinds, code in _sentences():
        if found := pattern.fullmatch(text):
            return {"c": code, "p": {name: _value(kinds[name], found[name], deep) for name in kinds}}
    return None


def _value(kind: str, written: str, deep: int) -> Any:
    if kind == "why":
        return (_read(written, deep - 1) if deep > 1 else None) or {"c": "text", "p": {"text": written[:1_000]}}
    if kind in ("number", "share", "percent"):
        return _plain(Decimal(written.replace(",", "")) / (100 if kind == "percent" else 1))
    if kind == "count":
        return int(written)
    if kind == "moment":
        return round(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp() * 1000)
    return written.lower() if kind == "state" else written[: 1_000 if kind == "text" else 80]


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
