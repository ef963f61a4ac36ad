"""
Every row of a database as lines of text, from one snapshot, while everything goes on; and back into empty tables.

A line is `{"table", "columns"}` or, for each row of that table, a JSON array. Values are written so that MySQL, MariaDB
and SQLite read the same from them: money and moments as text. Tables come in the order in which their rows may be
put back. Tables and columns are those of the database, not of this release: a backup can be made before an upgrade.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.schema import VERSION_TABLE
from lib.domain.errors import Halt

_AT_ONCE = 500


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees the database as it is now, and blocks nobody who writes."""
    with engine.connect() as plain:
        if engine.dialect.name == "sqlite":
            reading = plain.execution_options(sqlite_readonly=True)
            with reading.begin():
                yield reading
            return
        reading = plain.execution_options(isolation_level="REPEATABLE READ")
        if getattr(engine.dialect, "is_mariadb", False):
            reading.exec_driver_sql("SET SESSION idle_transaction_timeout=0")  # writing the file is no idleness
        reading.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield reading
        reading.rollback()
        reading.invalidate()  # its session is not like the pool's others


def table_names(connection: sa.Connection) -> list[str]:
    """Tables with rows worth keeping, each after those it refers to."""
    order = sa.inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in order if name is not None and name != VERSION_TABLE]


def dumped(connection: sa.Connection, counts: Counter[str]) -> Iterator[str]:
    """The rows of all tables as lines; *counts* fills up on the way."""
    look = sa.inspect(connection)
    for name in table_names(connection):
        columns = [str(column["name"]) for column in look.get_columns(name)]
        key = look.get_pk_constraint(name)["constrained_columns"]
        counts[name] = 0
        yield json.dumps({"table": name, "columns": columns})
        table = _plain(name, columns)
        query = sa.select(table).order_by(*(table.c[column] for column in key))
        streamed = connection.execution_options(stream_results=True, yield_per=_AT_ONCE).execute(query)
        for row in streamed:
            counts[name] += 1
            yield json.dumps([_written(value) for value in row], ensure_ascii=False, separators=(",", ":"))


def put_back(connection: sa.Connection, lines: Iterable[str]) -> Counter[str]:
    """Put the rows of *lines* into the tables they name, which lose what they hold; how many rows came to each."""
    counts: Counter[str] = Counter()
    for name in reversed(table_names(connection)):
        connection.execute(sa.delete(sa.table(name)))
    for name, columns, rows in _by_table(lines):
        counts[name] = 0
        insert = sa.insert(_plain(name, columns))
        while batch := list(islice(rows, _AT_ONCE)):
            connection.execute(insert, [dict(zip(columns, row, strict=True)) for row in batch])
            counts[name] += len(batch)
    return counts


def _plain(name: str, columns: list[str]) -> sa.TableClause:
    # without types: what the driver says is what is written, and the other way round
    return sa.table(name, *map(sa.column, columns))


def _by_table(lines: Iterable[str]) -> Iterator[tuple[str, list[str], Iterator[list[Any]]]]:
    coming = iter(lines)
    ahead: list[dict[str, Any]] = []

    def rows() -> Iterator[list[Any]]:
        for line in coming:
            said = json.loads(line)
            if isinstance(said, dict):
                ahead.append(said)
                return
            yield said

    for _ in rows():
        raise Halt("the backup begins with a row of no table: it was not written by this program")
    while ahead:
        head = ahead.pop()
        yield head["table"], head["columns"], rows()


def _written(value: Any) -> Any:
    if value is None or isinstance(value, int | str | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a column holds {type(value).__name__}, which a backup cannot keep")
