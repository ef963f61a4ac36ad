"""No reading walks: what the server touches for one is bounded, however long its person has been here."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bench import year
from bench.readings import MOST_SOUGHT, MOST_TOUCHED, readings_of, span_of, touched, traded_rows
from lib.adapters.sql.database.engine import make_engine
from lib.clock import SteppedClock
from lib.domain.order import CYCLE_MS
from lib.queries import Readings
from tests.databases import load_schema
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES, new_database_on

CYCLES = 6_000
"""Three weeks: a walk through one account's rows is twice what a reading may touch."""


@pytest.fixture(scope="module", params=AT_TIMES)
def filled(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with new_database_on(request.getfixturevalue(f"{request.param}_url")) as url:
        engine = make_engine(url)
        load_schema(engine)
        year.fill(engine, 2, CYCLES, lambda made, of: None)
        yield engine
        engine.dispose()


NAMES = readings_of(0, 1, {})


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_touches_no_more_rows_than_it_may(filled: sa.Engine, name: str) -> None:
    people, first, last = span_of(filled)
    assert (people, CYCLES) == (2, (last - first) // CYCLE_MS + 1)
    readings = Readings(filled, MemoryCandleStore(), SteppedClock(last))
    read = readings_of(first, last, traded_rows(filled))[name]
    most = MOST_SOUGHT if name.startswith("words") else MOST_TOUCHED
    assert 1 <= touched(filled, lambda: read(readings, 2)) <= most


def test_a_walk_is_seen(filled: sa.Engine) -> None:
    def walk() -> None:
        with filled.connect() as connection, connection.begin():
            connection.exec_driver_sql("SELECT SUM(equity) FROM equity_points WHERE account_id = 1").one()

    assert touched(filled, walk) >= CYCLES
