"""Results and files by REST: one's own alone, exact when read again, and nothing a spreadsheet would run."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.api import results as routes
from app.export_files import safe
from app.i18n import catalogue
from lib.domain.reason import text
from lib.domain.won_rates import WonRates
from lib.queries import EXPORTS
from tests.web.conftest import Web

D = Decimal
MOMENT = 1_790_000_100_123


def row_of(what: str, user_id: int, number: int) -> tuple[Any, ...]:
    """A row that says whose it is wherever it can."""
    values: dict[str, Any] = {
        "moment": MOMENT + number, "money": D(-user_id) / 8, "whole": user_id, "text": f"=cmd|{user_id}",
        "flag": True, "reason": text(f"@of {user_id}, 이유"), "json": [{"kind": "GST", "amount": "0.1"}],
    }  # fmt: skip
    named = {"side": "long", "venue": "paper", "ended": None}
    return tuple(named.get(column.name, values[column.kind]) for column in EXPORTS[what])


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch, web: Web) -> None:
    def export(user_id: int, what: str) -> Iterator[list[tuple[Any, ...]]]:
        yield [row_of(what, user_id, 0), row_of(what, user_id, 1)]
        yield [row_of(what, user_id, 2)]

    monkeypatch.setattr(web.system.readings, "export", export, raising=False)


def lines(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "a spreadsheet reads Korean by the byte order mark"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_results_are_the_askers_own_whatever_the_query_says(web: Web) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    told = kim.get("/api/results?user_id=3&span=7d").json()
    assert told["account"]["id"] == 20
    assert lee.get("/api/results").json()["account"]["id"] == 30
    assert lee.get("/api/results?account=20").status_code == 409
    assert kim.get("/api/results?account=20").status_code == 200


def test_results_tell_figures_groups_curves_and_trips(web: Web) -> None:
    told = web.owner().get("/api/results").json()
    assert told["figures"]["trips"] == 20
    assert D(told["figures"]["net"]) == D(told["figures"]["gross"]) - D(told["figures"]["fees"])
    assert set(told["groups"]) == {"side", "hour", "confidence", "end"}
    assert sum(group["trips"] for group in told["groups"]["side"].values()) == 20
    assert sum(group["trips"] for group in told["groups"]["confidence"].values()) == 20
    assert {"equity", "nothing", "hold", "fall"} < told["points"][0].keys()
    newest, oldest = told["trips"][0], told["trips"][-1]
    assert newest["closed_ms"] > oldest["closed_ms"]
    assert newest["entry"]["log_id"] == 20
    assert (told["krw"], told["zone"]) == ("1390", "KST")


@pytest.mark.parametrize("query", ["span=2d", "span=", "account=x", "account=-1", "account=1e3"])
def test_a_query_that_cannot_be_meant_is_refused(web: Web, query: str) -> None:
    assert web.owner().get(f"/api/results?{query}").status_code == 422


@pytest.mark.parametrize("what", EXPORTS)
def test_a_csv_holds_ones_own_rows_in_two_times_and_no_formula(web: Web, what: str) -> None:
    answer = web.owner().get(f"/api/export/{what}.csv?user_id=3")
    assert answer.headers["content-disposition"] == f'attachment; filename="maemae-{what}.csv"'
    assert answer.headers["cache-control"] == "no-store"
    found = lines(answer.content)
    assert len(found) == 3
    for row in found:
        assert row["account"] == "2"
        for name, value in row.items():
            assert not value.startswith(("=", "+", "@")), "nothing a spreadsheet runs"
            assert not value.startswith("-") or D(value) == D("-0.25"), "a number stays a number"
            if name.endswith("_utc"):
                assert value == "2026-09-21 14:15:00"
            if name.endswith("_local"):
                assert value == "2026-09-21 23:15:00"
    assert "'@of 2, 이유" in answer.text or "reason" not in found[0]


@pytest.mark.parametrize("what", EXPORTS)
def test_a_parquet_holds_the_same_exactly(web: Web, what: str) -> None:
    answer = web.owner().get(f"/api/export/{what}.parquet")
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.num_rows == 3
    assert set(table["account"].to_pylist()) == {2}
    for column in EXPORTS[what]:
        if column.kind == "money":
            assert table[column.name].type == pa.decimal128(38, 18)
            assert set(table[column.name].to_pylist()) == {D("-0.25")}
        if column.kind == "moment":
            stem = column.name.removesuffix("_ms")
            utc, local = table[f"{stem}_utc"].to_pandas(), table[f"{stem}_local"].to_pandas()
            assert list(utc) == list(local), "the same moment"
            assert str(local.iloc[0])[:19] == "2026-09-21 23:15:00"
            assert str(utc.iloc[0])[:23] == "2026-09-21 14:15:00.123"
    assert len(pd.read_parquet(io.BytesIO(answer.content))) == 3


def test_the_tax_file_has_won_korean_dates_and_says_what_it_is_not(web: Web) -> None:
    kim = web.owner()
    words = catalogue("ko")
    first, *others = lines(kim.get("/api/export/tax.csv").content)
    assert first[words["tax.date"]] == "2026-09-21"
    assert first[words["tax.closed"]] == "2026-09-21 23:15:00"
    assert (first[words["tax.net"]], first[words["tax.net_krw"]], first[words["tax.rate"]]) == ("-0.25", "-348", "1390")
    assert first[words["tax.rate_day"]] == words["tax.always"]
    assert first[words["tax.note"]] == words["tax.disclaimer"]
    assert {row[words["tax.note"]] for row in others} == {""}
    assert len(pd.read_csv(io.BytesIO(kim.get("/api/export/tax.csv").content))) == 3
    assert parquet.read_table(io.BytesIO(kim.get("/api/export/tax.parquet").content)).num_rows == 3


def test_without_a_rate_no_won_are_made_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.system.readings, "won_rates", lambda user_id: WonRates())
    [first, *_] = lines(web.owner().get("/api/export/tax.csv").content)
    assert (first[catalogue("ko")["tax.net_krw"]], first[catalogue("ko")["tax.rate"]]) == ("", "")
    assert catalogue("ko")["tax.no_rate"] in first[catalogue("ko")["tax.note"]]


@pytest.mark.parametrize(
    "name", ["trips", "trips.", ".csv", "trips.xlsx", "users.csv", "../trips.csv", "TRIPS.csv", "x"]
)
def test_a_file_that_is_none_is_not_found(web: Web, name: str) -> None:
    assert web.owner().get(f"/api/export/{name}").status_code == 404


def test_a_person_fetches_one_file_at_a_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    monkeypatch.setattr(routes, "_fetching", {2})
    assert kim.get("/api/export/trips.csv").status_code == 503
    assert lee.get("/api/export/trips.csv").status_code == 200
    assert routes._fetching == {2}


def test_a_visitor_may_fetch_the_demos_files(web: Web) -> None:
    assert {row["account"] for row in lines(web.visitor().get("/api/export/fills.csv").content)} == {"1"}


@pytest.mark.parametrize("text_", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_what_would_be_a_formula_is_text(text_: str) -> None:
    assert safe(text_) == f"'{text_}"


@pytest.mark.parametrize("text_", ["", "plain", "1-1", "이유 = 없음"])
def test_other_text_stays_as_it_is(text_: str) -> None:
    assert safe(text_) == text_
