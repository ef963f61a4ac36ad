"""
A row for every table of a database at any revision, by the kinds of its columns alone.

Knows nothing of what the tables mean but a few values that a CHECK, a parser or the order of a hash insists on.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.recovery.table_rows import table_names
from lib.adapters.sql.tables.columns import Dec
from lib.adapters.sql.tables.models import metadata

MEANT: dict[tuple[str, str], object] = {
    ("users", "bybit_api_key"): None,
    ("users", "bybit_api_secret"): None,
    ("users", "auto_trade_enabled"): 0,
    ("users", "risk_level"): "low",
    ("users", "language"): "ko",
    ("users", "time_zone"): "",
    ("users", "models"): "",
    ("users", "answer_version"): 1,
    ("users", "exits"): "",
    ("orders", "exits"): "",
    ("accounts", "pause_reason"): "",
    ("accounts", "doubts"): "",
    ("accounts", "venue"): "paper",
    ("cycles", "decision"): "{}",
    ("commands", "args"): "{}",
    ("commands", "result"): "",
}
"""What is written where another value would be refused, or read back as something else."""

MONEY_ONCE = {("accounts", name) for name in ("position_qty", "avg_entry_price", "round_result", "liquidation")}
"""Money of columns that today's tables have no more."""


def seed(connection: sa.Connection, rows: int = 2) -> dict[str, int]:
    """Put up to *rows* rows into every table that has none; how many each has then."""
    look, before = sa.inspect(connection), counted(connection)
    for name, count in before.items():
        if not count:
            _put(connection, look, name, rows)
    return counted(connection)


def counted(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has, those that others point to first."""
    names = table_names(connection)
    counts = [sa.select(sa.func.count()).select_from(sa.table(name)) for name in names]
    row = connection.execute(sa.select(*(count.scalar_subquery() for count in counts))).one()
    return dict(zip(names, map(int, row), strict=True))


def _put(connection: sa.Connection, look: sa.Inspector, name: str, rows: int) -> None:
    choices, columns = _choices(look, name), look.get_columns(name)
    points = {key["constrained_columns"][0] for key in look.get_foreign_keys(name)}

    def value(column: Any, number: int) -> object:
        here = str(column["name"])
        if (name, here) in MEANT:
            return MEANT[name, here]
        if here in choices:
            return choices[here][0]
        return number if here in points else _value(_kind(name, column), here, number)

    made = [{str(column["name"]): value(column, number) for column in columns} for number in range(1, rows + 1)]
    connection.execute(sa.insert(sa.table(name, *map(sa.column, made[0]))), made)


def _choices(look: sa.Inspector, name: str) -> dict[str, list[str]]:
    """The words an ENUM (MySQL) or a CHECK of a list (SQLite) allows."""
    found = {str(c["name"]): list(c["type"].enums) for c in look.get_columns(name) if isinstance(c["type"], sa.Enum)}
    for check in look.get_check_constraints(name):
        column, listed, words = check["sqltext"].partition(" IN (")
        if listed:
            found[column.strip('"` ')] = [word.strip(" '") for word in words.rstrip(")").split(",")]
    return found


def _kind(name: str, column: Any) -> Any:
    """The column's type; SQLite keeps money as text and MariaDB JSON, which this release's tables still know."""
    if (name, column["name"]) in MONEY_ONCE:
        return Dec()
    known = metadata.tables.get(name)
    ours = None if known is None else known.c.get(column["name"])
    return ours.type if ours is not None and isinstance(ours.type, Dec | sa.JSON) else column["type"]


def _value(kind: Any, name: str, number: int) -> object:
    if isinstance(kind, sa.Boolean) or name.startswith("is_"):
        return number % 2
    if isinstance(kind, sa.Float | sa.Double):
        return number + 0.5
    if isinstance(kind, sa.Numeric | Dec):
        return f"{number}.125"
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.DateTime):
        return f"2026-01-0{number} 10:20:30.456000"
    if isinstance(kind, sa.JSON):
        return "{}"
    if isinstance(kind, sa.String):
        text = f"{number}-행-{name}" if kind.length is None else f"{number}{name}"
        return text[: kind.length] if kind.length else text
    raise AssertionError(f"no value for {name}, a {kind!r}")
