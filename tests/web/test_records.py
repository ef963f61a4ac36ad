"""A record is shown to strangers by its link alone: percent and no amounts, no name unless chosen, and nothing else."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.record_page import percent, record_page
from app.visit import PLAIN_COOKIE
from lib.adapters.sql.records.days import SealedDay, keep_day, packed
from lib.adapters.sql.records.sources import Kept, Run
from lib.bootstrap import WebSystem
from lib.clock import SystemClock
from lib.domain import record as law
from lib.domain.day import DAY_MS
from lib.queries import RecordLine
from tests.record_files import verifier
from tests.web.whole import entered, whole_system
from tests.worlds.canaries import Person, settle

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
VERSION = law.Version(4, "ef" * 32)
DAYS = (20_000, 20_001)
_turns = count()


@dataclass
class Place:
    """The running application, lee with two sealed days, and how a request is made by somebody or nobody."""

    client: TestClient
    system: WebSystem
    lee: Person
    record_id: int

    def get(self, path: str, who: Person | None = None, **headers: str) -> Any:
        self.client.cookies.clear()
        known = {"cookie": f"{PLAIN_COOKIE}={who.session(f'get {next(_turns)}')}"} if who else {}
        return self.client.get(path, headers=known | headers)

    def post(self, path: str, body: dict[str, object], who: Person, *, read_only: bool = False) -> Any:
        self.client.cookies.clear()
        token = who.session(f"post {next(_turns)}", read_only=read_only)
        return self.client.post(path, json=body, headers={"cookie": f"{PLAIN_COOKIE}={token}"})

    def code(self, **shows: bool) -> str:
        made = self.post("/api/records/links", {"record_id": self.record_id, **shows}, self.lee)
        assert made.status_code == 200, made.text
        return str(made.json()["code"])


def sealed_days(engine: sa.Engine, lee: Person) -> None:
    kept, run = Kept(lee.ids["accounts"], lee.user_id, -1), Run(0, 0, VERSION)
    before, index = VERSION.genesis, Decimal(1)
    for day in DAYS:
        entries = []
        for place in range(3):
            t_ms = day * DAY_MS + place * 300_000
            entries.append(law.Entry(law.decision_leaf(VERSION, law.Decided(t_ms, "BTCUSDT", "held", "hold"))))
            money = law.Money(t_ms, Decimal("123456.78"), Decimal("123456.78"), Decimal(0))
            index += Decimal("0.01")
            entries.append(law.equity_entry(money, index, f"{day}{place}"))
        seal = law.sealed(before, law.day_named(day), [entry.leaf for entry in entries])
        before = seal.head
        with engine.begin() as connection:
            keep_day(connection, kept, run, SealedDay(day, seal, 3, str(index), day * DAY_MS + DAY_MS, packed(entries)))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("records")
    with whole_system(folder) as (system, engine), entered(system, folder) as client:
        lee = settle(engine, "lee", SystemClock().now_ms())
        sealed_days(engine, lee)
        [line] = [one for one in system.readings.records(lee.user_id) if one.days == 2]
        yield Place(client, system, lee, line.record_id)


def test_its_link_shows_a_record_to_a_stranger_without_amounts_or_names(place: Place) -> None:
    code = place.code()
    page = place.get(f"/record?code={code}", accept="text/html")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "<script" not in page.text
    told = place.get(f"/api/record?code={code}")
    head = told.json()["head"]
    assert (told.json()["days"], told.json()["decisions"], told.json()["index"]) == (2, 6, "1.06")
    file = place.get(f"/api/record/export?code={code}")
    text = gzip.decompress(file.content)
    assert head in page.text
    assert verifier()["check_record"](iter(text.splitlines()), head).startswith("OK: version 4")
    for said in (page.text, told.text, text.decode(), str(page.headers), str(file.headers)):
        assert "123456" not in said
        assert "birdy" not in said
        assert "account" not in said


def test_amounts_are_in_the_file_when_the_owner_chose_so(place: Place) -> None:
    code = place.code(amounts=True)
    assert b'"balance":"123456.78"' in gzip.decompress(place.get(f"/api/record/export?code={code}").content)
    assert "123456" not in place.get(f"/record?code={code}", accept="text/html").text


def test_one_decision_is_proved_to_a_stranger(place: Place) -> None:
    code = place.code()
    told = place.get(f"/api/record/proof?code={code}&t={DAYS[0] * DAY_MS}&symbol=BTCUSDT")
    head = told.json()["seal"]["head"]
    assert (
        verifier()["check_proof"](told.text, head) == "OK: this decision is one of the 6 leaves sealed for 2024-10-04"
    )
    assert place.get(f"/api/record/proof?code={code}&t=1&symbol=BTCUSDT").status_code == 404


def test_a_link_that_was_taken_back_is_as_one_that_never_was(place: Place) -> None:
    code = place.code()
    [link, *_] = place.system.readings.record_links(place.lee.user_id)
    assert place.post("/api/records/links/end", {"link_id": link.link_id}, place.lee).status_code == 200
    for path in ("/record", "/api/record", "/api/record/export", "/api/record/proof"):
        ended, never = (place.get(f"{path}?code={one}&t=1&symbol=X") for one in (code, "x" * 22))
        assert (ended.status_code, ended.text) == (404, never.text)
        assert place.get(path).status_code == 404


def test_who_only_looks_makes_no_link(place: Place) -> None:
    body: dict[str, object] = {"record_id": place.record_id}
    assert place.post("/api/records/links", body, place.lee, read_only=True).status_code == 403


def test_a_link_is_off_until_its_owner_makes_one(place: Place) -> None:
    before = len(place.system.readings.record_links(place.lee.user_id))
    place.get("/api/records", place.lee)
    place.get(f"/api/records/{place.record_id}/export", place.lee)
    assert len(place.system.readings.record_links(place.lee.user_id)) == before


def test_the_owner_has_the_amounts_and_another_has_nothing(place: Place) -> None:
    path = f"/api/records/{place.record_id}/export"
    assert b'"balance":"123456.78"' in gzip.decompress(place.get(path, place.lee).content)
    assert place.get(path).status_code == 401
    assert place.get("/api/records/999999/export", place.lee).status_code == 404


def test_a_page_is_in_its_readers_language_and_says_nothing_it_was_not_given() -> None:
    line = RecordLine(1, "<b>x</b>", 2, "ab" * 32, "2026-01-01", "2026-01-02", 2, 8, 4, "cd" * 32, "0.987654", 0)
    ko, en = (record_page(lang, line, [(0, "1"), (DAY_MS, "0.98")], 'a"b') for lang in ("ko", "en"))
    assert "<b>x</b>" not in ko + en
    assert 'code=a%22b"' in en
    assert "확정한 날" in ko
    assert "Days sealed" in en
    assert percent("0.987654") == "\u22121.23%"
    assert percent("") == "\u2013"


def test_the_verifier_lies_beside_the_page_as_the_file_that_is_tested(place: Place) -> None:
    code = place.code()
    page = place.get(f"/record?code={code}", accept="text/html").text
    [where] = [one for one in re.findall(r'href="([^"]+)"', page) if "verify_record" in one]
    assert place.get(where).text == (Path("app") / "assets" / "verify_record.py").read_text(encoding="utf-8")
    assert json.loads(place.get(f"/api/record?code={code}").text)["curve"]
