"""Closed positions come from a walk in memory, and are paged as any table of the database."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lib.queries import Cursor
from lib.queries.sheets import closed_sheet
from tests.factories import T
from tests.worlds.results import results

FOUND = results(1)
assert FOUND is not None
TRIP = FOUND.trips[0]


@given(st.lists(st.integers(1, 6), max_size=9), st.integers(1, 4))
def test_closed_positions_are_paged_as_a_table_of_the_database(ends: list[int], limit: int) -> None:
    trips = [replace(TRIP, trip_id=number, closed_ms=T + at) for number, at in enumerate(ends, 1)]
    pages = [closed_sheet(trips, None, limit)]
    while pages[-1].older is not None:
        pages.append(closed_sheet(trips, pages[-1].older, limit))
    rows = [trip for page in pages for trip in page.rows]
    assert rows == sorted(trips, key=lambda trip: (trip.closed_ms, trip.trip_id), reverse=True)
    back = pages[-1]
    for page in reversed(pages[:-1]):
        assert back.newer is not None
        back = closed_sheet(trips, back.newer, limit)
        assert back.rows == page.rows
    assert pages[0].newer is None
    if trips:
        beyond = Cursor(True, 1, 1)
        assert closed_sheet(trips, beyond, limit).rows == pages[0].rows, "nothing beyond it is the newest page"
