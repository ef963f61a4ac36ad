"""
Migrations that go on where they were cut off.

MySQL commits every DDL statement by itself, so a migration killed half-way leaves the first of its statements done and
its revision unwritten. Each statement is atomic: a statement whose effect the database shows already is left out. That
holds for every migration, written or not yet written; rows a migration inserts must say themselves that they are
inserted once. A table, column or index of another shape than ours is *Halt*.

SQLite needs none of it: there a migration is one transaction. Importing this module is what puts it in force.
"""

from functools import singledispatchmethod
from typing import Any

import sqlalchemy as sa
from alembic.ddl.base import AddColumn, DropColumn, RenameTable
from alembic.ddl.mysql import MySQLChangeColumn, MySQLImpl
from sqlalchemy import schema

from lib.domain.errors import Halt


class ResumingMySQL(MySQLImpl):
    """Alembic's MySQL, which leaves out the statements that are done."""

    __dialect__ = "mysql"  # the name under which Alembic looks for it, in the place of its own

    def _exec(self, construct: Any, *args: Any, **options: Any) -> Any:
        if not self.as_sql and self._is_done(construct):
            return None
        return super()._exec(construct, *args, **options)

    @singledispatchmethod
    def _is_done(self, construct: object) -> bool:
        """Whether the database shows the effect of *construct*; any other statement may be repeated without harm."""
        return False

    @_is_done.register
    def _(self, create: schema.CreateTable) -> bool:
        table = create.element
        if not self._inspector().has_table(table.name):
            return False
        if set(table.columns.keys()) != set(self._columns(table.name)):
            raise Halt(_in_the_way(table.name))
        return all(self._has_column(table.name, column) for column in table.columns)

    @_is_done.register
    def _(self, drop: schema.DropTable) -> bool:
        return not self._inspector().has_table(drop.element.name)

    @_is_done.register
    def _(self, rename: RenameTable) -> bool:
        return not self._inspector().has_table(rename.table_name) and self._inspector().has_table(rename.new_table_name)

    @_is_done.register
    def _(self, add: AddColumn) -> bool:
        return self._has_column(add.table_name, add.column)

    @_is_done.register
    def _(self, drop: DropColumn) -> bool:
        return drop.column.name not in self._columns(drop.table_name)

    @_is_done.register
    def _(self, change: MySQLChangeColumn) -> bool:
        columns = self._columns(change.table_name)
        renamed = change.newname or change.column_name
        if renamed == change.column_name:
            return self._is_so(change)
        return change.column_name not in columns and renamed in columns

    @_is_done.register
    def _(self, create: schema.CreateIndex) -> bool:
        index = create.element
        return self._indexes(index).get(str(index.name)) == [column.name for column in index.columns]

    @_is_done.register
    def _(self, drop: schema.DropIndex) -> bool:
        return str(drop.element.name) not in self._indexes(drop.element)

    @_is_done.register
    def _(self, add: schema.AddConstraint) -> bool:
        return self._has_constraint(add.element)

    @_is_done.register
    def _(self, drop: schema.DropConstraint) -> bool:
        return not self._has_constraint(drop.element)

    def _is_so(self, change: MySQLChangeColumn) -> bool:
        """Whether a column is as *change* makes it; a column in doubt is changed again, which does no harm."""
        found = self._columns(change.table_name).get(change.column_name)
        if found is None or change.autoincrement is not None or (change.comment or None) != found["comment"]:
            return False
        column = sa.Column(change.column_name, change.type_)
        same_kind = not self.compare_type(sa.Column(change.column_name, found["type"]), column)
        same_default = change.default is False or _default(change.default) == found["default"]
        return same_kind and same_default and change.nullable == found["nullable"] and self._collates_so(change)

    def _collates_so(self, change: MySQLChangeColumn) -> bool:
        # Alembic's comparison does not look at it; a type that names none has its table's
        asked = getattr(change.type_.dialect_impl(self.dialect), "collation", None)
        query = sa.text(
            "SELECT c.collation_name IS NULL OR c.collation_name = COALESCE(:asked, t.table_collation) "
            "FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE t.table_schema = DATABASE() AND t.table_name = :table AND c.column_name = :name"
        )
        named = {"asked": asked, "table": change.table_name, "name": change.column_name}
        return bool(self._open().scalar(query, named))

    def _has_column(self, table: str, column: "sa.Column[Any]") -> bool:
        found = self._columns(table).get(column.name)
        if found is None:
            return False
        if self.compare_type(sa.Column(column.name, found["type"]), column):
            raise Halt(_in_the_way(f"{table}.{column.name}"))
        return True

    def _has_constraint(self, constraint: Any) -> bool:
        query = sa.text(
            "SELECT COUNT(*) FROM information_schema.table_constraints "
            "WHERE constraint_schema = DATABASE() AND table_name = :table AND constraint_name = :name"
        )
        named = {"table": constraint.table.name, "name": str(constraint.name)}
        return bool(self._open().scalar(query, named))

    def _columns(self, table: str) -> dict[str, Any]:
        return {column["name"]: column for column in self._inspector().get_columns(table)}

    def _indexes(self, index: sa.Index) -> dict[str, list[str | None]]:
        if index.table is None:
            raise ValueError("an index is made on a table")
        found = self._inspector().get_indexes(index.table.name)
        return {str(found_index["name"]): found_index["column_names"] for found_index in found}

    def _inspector(self) -> sa.Inspector:
        # a new one each time: an inspector remembers, and the statement before has changed what there is
        return sa.inspect(self._open())

    def _open(self) -> sa.Connection:
        if self.connection is None:
            raise ValueError("without a connection nothing can be looked at")
        return self.connection


def _default(given: Any) -> str | None:
    return given if given is None else str(getattr(given, "text", given))


def _in_the_way(name: str) -> str:
    return f"the database holds {name} already, and not as this program makes it: use an empty database of its own"
