"""
Columns that mean the same on MySQL, MariaDB and SQLite, and the one `MetaData`.

Money is DECIMAL(36,18) on MySQL and TEXT on SQLite, whose own NUMERIC goes through a float: never SUM, compare or
ORDER BY money in SQL. Moments for people are aware UTC, DATETIME(3); times of the order protocol are epoch ms, BIGINT.
Constraint names follow one convention, so that `db/schema.sql` and the migrations can name the same things.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from lib.domain.decimals import plain
from lib.domain.exit_rules import NO_RULES, ExitRules, read_rules, rules_text
from lib.domain.reason import Reason
from lib.domain.stored_reason import LONGEST, parse, stored

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MYSQL_TABLE: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}

TEXT_LIMIT = LONGEST
"""Characters of a stored reason."""
EXITS_CHARS = 160
"""Those of an entry's rules of exits."""
LONG_TEXT = 10_000
"""Those of one that may hold an analyst's whole reason."""


class Dec(TypeDecorator[Decimal]):
    """
    An exact decimal: DECIMAL(precision, scale) on MySQL, TEXT on SQLite.

    Digits finer than the scale round half-even, the same on both; a value too large for it is a ValueError, and so is
    anything that is not a finite Decimal.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int = 36, scale: int = 18) -> None:
        self.precision = precision
        self.scale = scale
        super().__init__(precision, scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(self.precision + 3))
        return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = self._fitted(value)
        return format(plain(exact), "f") if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else plain(Decimal(value))

    def _fitted(self, value: object) -> Decimal:
        # a float here is a bug that must not reach a column of money
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError(f"a money column takes finite Decimals, not {value!r}")
        try:
            step = Decimal(1).scaleb(-self.scale)
            return value.quantize(step, ROUND_HALF_EVEN, Context(prec=self.precision))
        except InvalidOperation:
            raise ValueError(f"{value} does not fit DECIMAL({self.precision},{self.scale})") from None


class Why(TypeDecorator[Reason]):
    """
    A reason, in a column of *most* characters (more than 500: TEXT). NULL is read as no reason.

    What a row of an older release holds, a sentence, is read as somebody's text.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, most: int = TEXT_LIMIT) -> None:
        self.most = most
        super().__init__(most)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.String(self.most) if self.most <= TEXT_LIMIT else sa.Text())

    def process_bind_param(self, value: Reason | None, dialect: Dialect) -> str | None:
        return None if value is None else stored(value, self.most)

    def process_result_value(self, value: Any, dialect: Dialect) -> Reason:
        return parse(value)


class Exits(TypeDecorator[ExitRules]):
    """Rules of exits; what cannot be read is read as none, so that a row never keeps its guardian from its stop."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        is_mysql = dialect.name in ("mysql", "mariadb")
        binary = mysql.VARCHAR(EXITS_CHARS, charset="ascii", collation="ascii_bin")
        return dialect.type_descriptor(binary if is_mysql else sa.String(EXITS_CHARS))

    def process_bind_param(self, value: ExitRules | None, dialect: Dialect) -> str | None:
        return None if value is None else rules_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> ExitRules:
        try:
            return read_rules(value)
        except ValueError:
            return NO_RULES


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC DATETIME(3) in the database; whole ms (MySQL would round, MariaDB truncates)."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = sa.DateTime() if dialect.name == "sqlite" else mysql.DATETIME(fsp=3)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        utc = value.astimezone(UTC).replace(tzinfo=None)
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def utc_from_ms(ms: int) -> datetime:
    """Epoch ms as an aware UTC datetime, exactly."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


class now3(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The current moment with ms, as a column default."""

    type = UtcDateTime()
    inherit_cache = True


class now3_upd(FunctionElement[datetime]):  # noqa: N801
    """As `now3`, renewed by every UPDATE on MySQL; SQLite has no such default and relies on *onupdate*."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(now3)
def _now3(element: now3, compiler: Any, **options: Any) -> str:
    return "CURRENT_TIMESTAMP(3)"


@compiles(now3_upd)
def _now3_upd(element: now3_upd, compiler: Any, **options: Any) -> str:
    return "CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)"


@compiles(now3, "sqlite")
@compiles(now3_upd, "sqlite")
def _now3_sqlite(element: object, compiler: Any, **options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"


BIG = sa.BigInteger()
BIG_ID = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""SQLite counts up only an INTEGER primary key."""
JSON = sa.JSON(none_as_null=True)
EMPTY = sa.text("''")
"""A default of no text; a bare "" compares unequal to itself once it has been in MySQL."""
NO_MONEY = sa.text("0.000000000000000000")
"""A default of no money, spelled as MySQL gives it back."""


def ascii_text(length: int) -> TypeEngine[str]:
    """An identifier: bytes compare as bytes (utf8mb4_unicode_ci would call `A` and `a` the same)."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql")


def exact_text(length: int) -> TypeEngine[str]:
    """A name in any script by which something is found: compared byte by byte, as SQLite does anyway."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql")


def choice(name: str, *values: str) -> sa.Enum:
    """ENUM on MySQL, VARCHAR with a CHECK on SQLite; an unknown value is refused before it is sent."""
    return sa.Enum(*map(str, values), name=name, create_constraint=True, validate_strings=True)


def one_id() -> sa.Column[int]:
    """Primary key of a table; counts up."""
    return sa.Column("id", BIG_ID, primary_key=True, autoincrement=True)


def flag(name: str, *, default: bool) -> sa.Column[bool]:
    """A NOT NULL boolean."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("1" if default else "0"))


def number(name: str, default: int = 0) -> sa.Column[int]:
    """A NOT NULL BIGINT: epoch ms, versions, counts."""
    return sa.Column(name, BIG, nullable=False, server_default=sa.text(str(default)))


def money(name: str) -> sa.Column[Decimal]:
    """A NOT NULL exact decimal, 0 unless said."""
    return sa.Column(name, Dec(), nullable=False, default=Decimal(0))


def added_money(name: str) -> sa.Column[Decimal]:
    """As `money`, for a column that came to a table with rows: they hold 0."""
    return sa.Column(name, Dec(), nullable=False, default=Decimal(0), server_default=NO_MONEY)


def created_at() -> sa.Column[datetime]:
    """When the row was made, by the machine's clock."""
    return sa.Column("created_at", UtcDateTime, nullable=False, server_default=now3())


def updated_at() -> sa.Column[datetime]:
    """When the row last changed, by the machine's clock."""
    return sa.Column(
        "updated_at", UtcDateTime, nullable=False, server_default=now3_upd(), onupdate=lambda: datetime.now(UTC)
    )
