"""Columns that mean the same everywhere: exact money, UTC moments, identifiers byte by byte."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables.columns import JSON, Dec, UtcDateTime, Why, ascii_text, choice, utc_from_ms
from lib.domain import reason_codes as codes
from lib.domain.decimals import plain
from lib.domain.reason import NOTHING
from lib.domain.reason import text as words
from tests.effort import examples
from tests.servers import SERVERS

TABLE = sa.Table(
    "samples",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("money", Dec()),
    sa.Column("at", UtcDateTime),
    sa.Column("word", ascii_text(10)),
    sa.Column("side", choice("side", "buy", "sell")),
    sa.Column("data", JSON),
)


@pytest.fixture(params=["sqlite", *SERVERS])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Connection]:
    path = f"sqlite:///{tmp_path / 'app.db'}"
    engine = make_engine(path if request.param == "sqlite" else request.getfixturevalue(f"new_{request.param}"))
    TABLE.create(engine)
    with engine.connect() as made:
        yield made
    engine.dispose()


def round_trip(connection: sa.Connection, **values: object) -> sa.RowMapping:
    with connection.begin():
        connection.execute(sa.delete(TABLE))
        connection.execute(sa.insert(TABLE).values(values))
        return connection.execute(sa.select(TABLE)).mappings().one()


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(10**36) + 1, 10**36 - 1))
def test_money_comes_back_to_the_last_digit(connection: sa.Connection, units: int) -> None:
    money = Decimal(f"{units}E-18")
    assert round_trip(connection, money=money)["money"] == money


def test_money_finer_than_the_column_rounds_alike_everywhere(connection: sa.Connection) -> None:
    half = Decimal("1.0000000000000000005")
    assert round_trip(connection, money=half)["money"] == 1
    assert round_trip(connection, money=half * 3)["money"] == Decimal("3.000000000000000002")


@pytest.mark.parametrize("bad", [1.5, 1, "1.5", Decimal("NaN"), Decimal("Infinity"), Decimal("1e18")])
def test_money_is_a_finite_decimal_that_fits(connection: sa.Connection, bad: object) -> None:
    with pytest.raises(sa.exc.StatementError, match=r"money column|does not fit"):
        round_trip(connection, money=bad)


def test_money_is_shown_as_it_was_written(connection: sa.Connection) -> None:
    for text in ("0.01", "60000", "0", "-12.5", "100"):
        assert str(round_trip(connection, money=Decimal(text))["money"]) == text
    assert str(plain(Decimal("1E+3"))) == "1000"


def test_moments_are_utc_with_whole_milliseconds(connection: sa.Connection) -> None:
    seoul = datetime(2025, 10, 9, 21, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=9)))
    assert round_trip(connection, at=seoul)["at"] == datetime(2025, 10, 9, 12, 0, 0, 123_000, tzinfo=UTC)
    with pytest.raises(sa.exc.StatementError, match="naive"):
        round_trip(connection, at=seoul.replace(tzinfo=None))
    assert utc_from_ms(1_760_000_100_007) == datetime(2025, 10, 9, 8, 55, 0, 7_000, tzinfo=UTC)


def test_identifiers_compare_byte_by_byte(connection: sa.Connection) -> None:
    round_trip(connection, word="abC")
    found = [connection.execute(sa.select(TABLE).where(TABLE.c.word == word)).all() for word in ("abC", "abc")]
    assert [len(rows) for rows in found] == [1, 0]


def test_an_unknown_choice_never_reaches_the_database(connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.StatementError, match="hold"):
        round_trip(connection, side="hold")


def test_json_keeps_text_and_lists(connection: sa.Connection) -> None:
    data = {"reason": "반등 🙂", "clamps": [{"asked": "1.10"}], "none": None}
    assert round_trip(connection, data=data)["data"] == data
    assert round_trip(connection, data=None)["data"] is None


def test_a_reason_comes_back_from_its_column_and_an_old_sentence_is_somebodys_text(sqlite_engine: sa.Engine) -> None:
    table = sa.Table("why_test", sa.MetaData(), sa.Column("why", Why()), sa.Column("long", Why(9_000)))
    table.create(sqlite_engine)
    made = codes.CLOSED_NOT_TURNED(why=codes.VENUE_ERROR(path="/v5/order", code=1, said="x" * 900))
    with sqlite_engine.begin() as connection:
        connection.execute(sa.insert(table).values(why=made, long=made))
        connection.execute(sa.text("INSERT INTO why_test VALUES ('the stop is missing', NULL)"))
        connection.execute(sa.insert(table).values(why=NOTHING, long=None))
        rows = connection.execute(sa.select(table)).all()
    assert [row.long for row in rows] == [made, NOTHING, NOTHING]
    assert rows[0].why.code == made.code
    assert rows[0].why != made, "what others wrote was cut to fit"
    assert [row.why for row in rows[1:]] == [words("the stop is missing"), NOTHING]
