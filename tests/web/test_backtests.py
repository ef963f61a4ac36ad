"""A backtest is shown to strangers by its link alone, and nothing of whose it is; by REST it is its owner's."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.past_page import past_page
from app.ui.backtest import backtest_tiles, sure_told
from app.visit import PLAIN_COOKIE
from lib.adapters.sql.forms.backtests import SqlBacktestBook
from lib.bootstrap import WebSystem
from lib.clock import SystemClock
from lib.domain.day import DAY_MS
from lib.ports.backtests import Answer
from tests.web.whole import entered, whole_system
from tests.worlds import backtests as samples
from tests.worlds.canaries import Person, settle

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
QUESTION: dict[str, object] = {"kind": "rules", "symbol": "BTCUSDT", "since": "2026-01-01", "until": "2026-01-31"}
_turns = count()


@dataclass
class Place:
    """The running application, lee, and how a request is made by somebody or nobody."""

    client: TestClient
    system: WebSystem
    lee: Person
    book: SqlBacktestBook

    def get(self, path: str, who: Person | None = None, **headers: str) -> Any:
        self.client.cookies.clear()
        known = {"cookie": f"{PLAIN_COOKIE}={who.session(f'get {next(_turns)}')}"} if who else {}
        return self.client.get(path, headers=known | headers)

    def post(self, path: str, body: dict[str, object], *, read_only: bool = False) -> Any:
        self.client.cookies.clear()
        token = self.lee.session(f"post {next(_turns)}", read_only=read_only)
        return self.client.post(path, json=body, headers={"cookie": f"{PLAIN_COOKIE}={token}"})

    def done(self, **changes: object) -> int:
        """The number of a question of lee's that came to a result."""
        made = self.post("/api/backtests", QUESTION | changes)
        assert made.status_code == 200, made.text
        job = self.book.take(self.system.feed, SystemClock().now_ms())
        assert job is not None
        self.book.end(job.job_id, "done", SystemClock().now_ms(), Answer(samples.result()))
        return job.job_id

    def code(self, job_id: int) -> str:
        made = self.post("/api/backtests/link", {"job_id": job_id})
        assert made.status_code == 200, made.text
        return str(made.json()["code"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("backtests")
    with whole_system(folder) as (system, engine), entered(system, folder) as client:
        yield Place(client, system, settle(engine, "lee", SystemClock().now_ms()), SqlBacktestBook(engine))


def test_a_question_has_a_number_and_its_result_the_number_of_tries(place: Place) -> None:
    first = place.done(leverage=2)
    assert place.post("/api/backtests", QUESTION | {"leverage": 2}).json() == {"job_id": first}, "kept"
    second = place.done(leverage=3, risk="0.005", confidence="0.7", cadence_min=15, long_only=True, balance="500")
    told = place.get(f"/api/backtests/{second}", place.lee).json()
    assert told["result"] == samples.result()
    assert told["tries"] == place.get(f"/api/backtests/{first}", place.lee).json()["tries"] >= 2
    assert 0 < told["sure"] < 1
    wish = told["wish"]
    assert (wish["since"], wish["until"], wish["risk"], wish["cadence_min"]) == (
        "2026-01-01",
        "2026-01-31",
        "0.005",
        15,
    )
    listed = place.get("/api/backtests", place.lee).json()["backtests"]
    assert [one["job_id"] for one in listed][:2] == [second, first]
    assert place.get(f"/api/backtests/{second}").status_code == 401
    assert place.get("/api/backtests/999999", place.lee).status_code == 404


def test_one_waits_and_another_is_refused_until_it_is_cancelled(place: Place) -> None:
    waiting = place.post("/api/backtests", QUESTION | {"leverage": 5}).json()["job_id"]
    assert place.post("/api/backtests", QUESTION | {"leverage": 6}).status_code == 409
    assert place.post("/api/backtests/cancel", {"job_id": waiting}).status_code == 200
    assert place.post("/api/backtests/cancel", {"job_id": waiting}).status_code == 404
    [state] = [
        one["state"] for one in place.get("/api/backtests", place.lee).json()["backtests"] if one["job_id"] == waiting
    ]
    assert state == "cancelled"


@pytest.mark.parametrize(
    "odd",
    [
        {"until": "2999-01-01"},
        {"since": "2026-02-31"},
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"symbol": "../../etc"},
        {"symbol": "DOGEUSDT"},
        {"kind": "model"},
        {"leverage": 26},
        {"risk": "1"},
        {"cadence_min": 7},
        {"kind": "answers"},
    ],
)
def test_what_cannot_be_meant_is_refused(place: Place, odd: dict[str, object]) -> None:
    assert place.post("/api/backtests", QUESTION | odd).status_code in (400, 422)


def test_its_link_shows_a_backtest_to_a_stranger_and_not_whose_it_is(place: Place) -> None:
    job_id = place.done(leverage=7)
    code = place.code(job_id)
    page = place.get(f"/past?code={code}", accept="text/html")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "<script" not in page.text
    told = place.get(f"/api/backtest?code={code}")
    assert told.json()["result"]["earned"] == "0.01234"
    for said in (page.text, told.text, str(page.headers), str(told.headers)):
        assert "birdy" not in said
        assert "job_id" not in said
        assert "account" not in said
    assert place.post("/api/backtests/link/end", {"job_id": job_id}).status_code == 200
    for path in ("/past", "/api/backtest"):
        ended, never = (place.get(f"{path}?code={one}") for one in (code, "x" * 22))
        assert (ended.status_code, ended.text) == (404, never.text)
        assert place.get(path).status_code == 404


def test_a_deleted_one_is_shown_to_nobody_and_counted(place: Place) -> None:
    job_id = place.done(leverage=8)
    code = place.code(job_id)
    before = place.get(f"/api/backtests/{job_id}", place.lee).json()["tries"]
    assert place.post("/api/backtests/delete", {"job_id": job_id}).status_code == 200
    assert place.get(f"/past?code={code}").status_code == 404
    assert place.get(f"/api/backtests/{job_id}", place.lee).status_code == 404
    after = place.get(f"/api/backtests/{place.done(leverage=9)}", place.lee).json()["tries"]
    assert after == before + 1


def test_who_only_looks_asks_and_shows_nothing(place: Place) -> None:
    assert place.post("/api/backtests", QUESTION, read_only=True).status_code == 403
    for act in ("cancel", "delete", "link", "link/end"):
        assert place.post(f"/api/backtests/{act}", {"job_id": 1}, read_only=True).status_code == 403


def test_a_page_is_in_its_readers_language_and_what_others_wrote_is_text() -> None:
    found = replace(samples.found(), result=samples.result("<b>x</b>"))
    ko, en = (past_page(language, found) for language in ("ko", "en"))
    assert "<b>x</b>" not in ko + en
    assert "2024-10-04 – 2024-11-02" in en
    assert "기본 규칙" in ko
    assert "Bundled rules" in en


def test_certainty_is_never_a_whole_hundred() -> None:
    assert [sure_told(one) for one in (None, 0.0, 0.004, 0.5, 0.999)] == ["–", "<1%", "<1%", "50%", ">99%"]
    tiles = backtest_tiles(samples.found(sure=None), samples.result(), lambda key, **_: key)
    assert tiles[-1].value == "–"


def test_days_of_the_sample_are_those_it_says() -> None:
    assert samples.WISH.days == 30
    assert samples.WISH.since_ms % DAY_MS == 0


PAST: dict[str, object] = {
    "kind": "model", "version_id": 0, "model": "", "symbol": "BTCUSDT", "since": "2026-01-01", "until": "2026-01-02",
    "balance": "1000", "windows": 0, "cadence_min": 60,
}  # fmt: skip
STAMP = {
    "name": "default",
    "shown": "<b>x</b>",
    "asked": "gpt-x",
    "cutoff": "2026-01-01",
    "when": "across",
    "calls": 48,
}


def _capped(place: Place, **changes: object) -> dict[str, object]:
    """The question within what it costs at most."""
    told = place.post("/api/backtests/model/price", PAST | changes).json()
    cap = {"most_calls": told["calls"]} if told["high"] is None else {"most_usd": "5"}
    return PAST | changes | cap


def test_a_model_about_the_past_is_priced_asked_cancelled_and_goes_on(place: Place) -> None:
    told = place.post("/api/backtests/model/price", PAST)
    assert told.status_code == 200, told.text
    assert told.json()["calls"] == 48
    assert told.json()["tokens"] > 100
    assert told.json()["model"]["name"] == "default"
    assert told.json()["when"] == "unknown"
    listed = len(place.get("/api/backtests", place.lee).json()["backtests"])
    uncapped = place.post("/api/backtests/model", PAST)
    assert (uncapped.status_code, uncapped.json()["error"]) == (422, "refuse.past.usd")
    assert len(place.get("/api/backtests", place.lee).json()["backtests"]) == listed
    made = place.post("/api/backtests/model", _capped(place))
    assert made.status_code == 200, made.text
    job_id = made.json()["job_id"]
    line = place.get("/api/backtests", place.lee).json()["backtests"][0]
    assert (line["job_id"], line["state"]) == (job_id, "queued")
    assert place.post("/api/backtests/model/again", {"job_id": job_id}).status_code == 404, "it is not over"
    assert place.post("/api/backtests/cancel", {"job_id": job_id}).status_code == 200
    again = place.post("/api/backtests/model/again", {"job_id": job_id})
    assert again.status_code == 200, again.text
    assert again.json()["job_id"] > job_id
    assert place.post("/api/backtests/cancel", {"job_id": again.json()["job_id"]}).status_code == 200


def test_nobody_asks_a_model_by_what_is_not_theirs_or_only_looking(place: Place) -> None:
    assert place.post("/api/backtests/model/again", {"job_id": 999_999}).status_code == 404
    gone = place.post("/api/backtests/model", PAST | {"version_id": 999_999})
    assert gone.json()["error"] == "refuse.strategy.gone"
    asked: list[tuple[str, dict[str, object]]] = [("/price", PAST), ("", PAST), ("/again", {"job_id": 1})]
    for path, body in asked:
        assert place.post(f"/api/backtests/model{path}", body, read_only=True).status_code == 403


@pytest.mark.parametrize("odd", [{"cadence_min": 7}, {"kind": "rules"}, {"windows": 100}, {"until": "2999-01-01"}])
def test_what_no_model_can_be_asked_has_no_price(place: Place, odd: dict[str, object]) -> None:
    assert place.post("/api/backtests/model/price", PAST | odd).status_code in (400, 422)


def test_what_a_model_said_is_stamped_for_strangers_and_by_rest(place: Place) -> None:
    made = place.post("/api/backtests/model", _capped(place, cadence_min=15))
    assert made.status_code == 200, made.text
    job = place.book.take(place.system.feed, SystemClock().now_ms())
    assert job is not None
    told = samples.result() | {"quarantine": STAMP | {"usd": "0.01"}}
    place.book.end(job.job_id, "done", SystemClock().now_ms(), Answer(told))
    code = place.code(job.job_id)
    page = place.get(f"/past?code={code}&lang=en", accept="text/html")
    assert "Quarantine: &lt;b&gt;x&lt;/b&gt; (gpt-x) was trained until 2026-01-01" in page.text
    assert "Nothing here counts in comparisons, records or the ladder." in page.text
    assert place.get(f"/api/backtest?code={code}").json()["result"]["quarantine"]["asked"] == "gpt-x"
    assert place.get(f"/api/backtests/{job.job_id}", place.lee).json()["result"]["quarantine"]["when"] == "across"
