"""The results page: its tables, its filters, what stands in the address, and nothing for who has no account."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from app.panels.result_tables import TABLES
from app.ui.spans import SPANS
from lib.queries import Cursor, Results
from lib.queries.sheets import Asked
from tests.pages.conftest import Visit
from tests.pages.test_pages import component, tree
from tests.worlds import results as samples


def markup(at: AppTest) -> str:
    return " ".join(str(node.proto.body) for node in at.get("html"))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_drawn_or_says_that_it_is_empty(visit: Visit, table: str, language: str) -> None:
    at = visit("t-owner", "results", language, table=table)
    assert not at.exception
    empty = catalogue(language)[f"none.{table}"]
    assert (empty in [info.value for info in at.info]) == (table in ("positions", "transfers"))
    assert len(at.dataframe) == (table not in ("positions", "transfers"))


def test_the_figures_are_those_of_the_trips(visit: Visit) -> None:
    at = visit("t-owner", "results", "en")
    found = samples.results(1)
    assert found is not None
    net = sum(trip.net for trip in found.trips)
    assert f"{net:+,.2f}" in markup(at)
    assert f"{found.figures.won} won, {found.figures.lost} lost" in markup(at)
    [table] = at.dataframe
    assert len(table.value) == 20


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [("side", "long", 13), ("side", "short", 7), ("result", "won", 10), ("result", "lost", 10)],
)
def test_closed_positions_are_filtered_and_each_filter_stands_in_the_address(
    visit: Visit, name: str, value: str, count: int
) -> None:
    at = visit("t-owner", "results", at="older-1-1")
    at.selectbox(key=name).set_value(value).run()
    assert not at.exception
    assert len(at.dataframe[0].value) == count
    assert at.query_params[name] == value
    assert "at" not in at.query_params, "what a filter lets through begins at its newest row"
    again = visit("t-owner", "results", **{name: value})
    assert len(again.dataframe[0].value) == count


@pytest.mark.parametrize("table", TABLES)
def test_a_table_asks_for_what_its_filters_say_and_forgets_them_for_another(
    visit: Visit, staged: SimpleNamespace, table: str
) -> None:
    asked: list[Any] = []
    for name in ("orders_sheet", "fills_sheet", "funding_sheet", "transfers_sheet"):
        _listen(staged.readings, name, asked)
    at = visit("t-owner", "results", table=table, kind="stop" if table == "fills" else "filled", at="older-9-9")
    assert not at.exception
    only = {"orders": Asked(kind="filled"), "fills": Asked(kind="stop")}.get(table, Asked())
    assert [(one["only"], one["cursor"]) for one in asked] == (
        [] if table in ("trips", "positions") else [(only, Cursor(True, 9, 9))]
    )
    at.button_group(key="table").set_value("positions" if table == "trips" else "trips").run()
    assert not {"kind", "at"} & set(at.query_params)


def _listen(readings: Any, name: str, asked: list[Any]) -> None:
    read = getattr(readings, name)

    def told(user_id: int, **more: Any) -> Any:
        asked.append(more)
        return read(user_id, **more)

    setattr(readings, name, told)


def test_closed_positions_are_told_in_won_at_the_rate_of_their_day(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "results", "en")
    found = samples.results(1)
    assert found is not None
    newest = found.trips[-1]
    assert at.dataframe[0].value["net_krw"].iloc[0] == f"{newest.net * 1390:+,.0f}"


def test_the_curve_gets_few_points_and_the_transfers(visit: Visit) -> None:
    data = component(visit("t-owner", "results"), "curve")
    points, paid = data["points"], data["paid"]
    assert isinstance(points, list)
    assert isinstance(paid, list)
    assert [len(point) for point in points] == [5] * 30
    assert [point[0] for point in points] == sorted({point[0] for point in points})
    assert [one["text"] for one in paid] == [f"{catalogue('ko')['transfer.deposit']} +500"]


@pytest.mark.parametrize("period", [*SPANS, "2d", "", "<script>"])
def test_the_period_stands_in_the_address_and_an_unknown_one_is_the_usual(visit: Visit, period: str) -> None:
    at = visit("t-owner", "results", period=period)
    assert not at.exception
    assert at.session_state["period"] == (period if period in SPANS else "30d")


def test_what_was_read_is_used_again_while_it_is_fresh(visit: Visit, staged: SimpleNamespace) -> None:
    asked: list[int] = []
    read = staged.readings.results

    def counted(user_id: int, **more: Any) -> Results | None:
        asked.append(user_id)
        found: Results | None = read(user_id, **more)
        return found

    staged.readings.results = counted
    at = visit("t-owner", "results")
    at.selectbox(key="result").set_value("won").run()
    assert asked == [1]


def test_who_has_no_account_is_told_so_and_nothing_is_read(visit: Visit) -> None:
    at = visit("t-new", "results", "en")
    assert not at.exception
    assert [info.value for info in at.info] == [catalogue("en")["tiles.none"]]
    assert len(at.dataframe) == 0
    assert 'class="tile' not in markup(at)


def test_a_visitor_sees_the_demos_and_not_the_owners(visit: Visit) -> None:
    owner, demo = samples.results(1), samples.results(3)
    assert owner is not None
    assert demo is not None
    seen = markup(visit("t-demo", "results", "en"))
    assert f"{demo.figures.net:+,.2f}" in seen
    assert f"{owner.figures.net:+,.2f}" not in seen
    assert f"{owner.figures.net:+,.2f}" not in tree(visit("t-demo", "results", "en"))
