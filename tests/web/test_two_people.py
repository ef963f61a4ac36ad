"""
No canary of one person reaches another, and nobody changes a thing of theirs: every endpoint the API says it has and
every route of the operators' room, asked by everybody there can be, over a real database with a row in every table.

A new endpoint, table or column is in it at once.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.endpoints import Endpoint
from app.server import Live, endpoints
from app.visit import PLAIN_COOKIE
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.tables.models import metadata
from lib.bootstrap import WebSystem
from lib.clock import SystemClock
from lib.domain.day import DAY_MS
from lib.queries import EXPORTS
from tests.web.at_once import AtOnce
from tests.web.test_hostile_requests import FIELDS
from tests.web.test_operators import ACTS, READS
from tests.web.whole import entered, whole_system
from tests.worlds.canaries import Person, canary, found_in, settle

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

FILES = [f"{what}.csv" for what in (*EXPORTS, "tax")]
IDS = {
    "session_id": "sessions", "passkey_id": "passkeys", "token_id": "api_tokens", "strategy_id": "strategies",
    "version_id": "strategy_versions", "share_id": "strategy_shares", "record_id": "records",
    "link_id": "record_links", "shadow_id": "shadows", "job_id": "backtests", "entry_id": "arena_entries",
}  # fmt: skip
SILENT = {
    "/healthz", "/readyz", "/api/openapi.json", "/api/kline", "/api/kline/history", "/api/account/sessions",
    "/api/strategies/templates", "/api/record", "/api/record/export", "/api/record/proof", "/api/symbols",
    "/api/scores/{log_id}", "/api/backtest", "/api/shadows/scores", "/api/demo-trading",
}  # fmt: skip
"""
What tells no text of a person's: the market, strategies of ours, browsers by names we know, what a code shows, symbols,
what opinions were worth, what demo trading waits for.
"""
CHOSEN = {"arena_entries.name", "arena_entries.model"}
"""What whoever entered the arena shows to everybody who is signed in, and what it answers with."""

LOOKING = {"/api/strategies/open", "/api/backtests/model/price"}
"""Changes nothing though it is a POST: a code belongs in no address, and what something costs is asked with a body."""
FOR_OPERATORS = {
    "users.email", "accounts.pause_reason", "risk_locks.why", "orders.order_link_id", "orders.why",
    "operator_acts.args", "operator_acts.result", "cycles.model", "risk_locks.ended_by",
    "operator_acts.who",
}  # fmt: skip
"""What an operator is shown of others: who they are and why they stand still; no key, prompt or answer."""


@dataclass
class Place:
    """The running application, and who there is: lee, whose canaries nobody else may see, and the others."""

    client: TestClient
    system: WebSystem
    lee: Person
    kim: Person
    demo: Person
    boss: Person

    def asked(self, headers: dict[str, str], method: str, path: str, content: Any = None) -> tuple[int, str]:
        """Status and text of one answer to somebody known by *headers* alone."""
        sent = {name: value.encode() for name, value in headers.items()}
        body = b"" if content is None else json.dumps(content).encode()
        sent |= {"content-type": b"application/json"} if body else {}
        answer = AtOnce(self.client).request(method, path, headers=sent, content=body)
        assert answer.status_code != 500, (method, path)
        is_packed = answer.content[:2] == b"\x1f\x8b"
        told = gzip.decompress(answer.content).decode() if is_packed else answer.text
        return answer.status_code, told + str(answer.headers)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("people")
    with whole_system(folder) as (system, engine), entered(system, folder) as client:
        now = SystemClock().now_ms()
        lee, kim, boss = (settle(engine, who, now) for who in ("lee", "kim", "bos"))
        demo = settle(engine, "dem", now, is_demo=True)
        SqlOperatorRegister(engine).grant(canary("bos", metadata.tables["users"].c.email), "the test")
        yield Place(client, system, lee, kim, demo, boss)


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"{PLAIN_COOKIE}={token}"}


OTHERS: dict[str, Callable[[Place, str], dict[str, str]]] = {
    "another person": lambda place, turn: cookie(place.kim.session(turn)),
    "a stranger": lambda place, turn: {},
    "a session that was ended": lambda place, turn: cookie(place.lee.session(turn, ended=True)),
    "an operator": lambda place, turn: cookie(place.boss.session(turn)),
    "a visitor of the demo": lambda place, turn: cookie(place.demo.session(turn, read_only=True)),
    "a program that reads": lambda place, turn: {"authorization": f"Bearer {place.kim.program('read', turn)}"},
    "a program that controls": lambda place, turn: {"authorization": f"Bearer {place.kim.program('control', turn)}"},
}
NOBODY = ("a stranger", "a session that was ended")


def requests_of(place: Place, one: Endpoint) -> Iterator[tuple[str, Any]]:
    """*one* as who wants lee's rows would ask it: their ids wherever an id goes, and where none does."""
    ids = f"user_id={place.lee.user_id}&account={place.lee.ids['accounts']}&account_id={place.lee.ids['accounts']}"
    path = one.path.replace("{log_id}", str(place.lee.ids["trade_logs"]))
    path = path.replace("{strategy_id}", str(place.lee.ids["strategies"]))
    path = path.replace("{job_id}", str(place.lee.ids["backtests"]))
    path = path.replace("{record_id}", str(place.lee.ids["records"]))
    ids += f"&t={DAY_MS}&symbol=BTCUSDT" if path.endswith("/proof") else ""
    if one.method == "GET":
        yield from ((f"{path.replace('{file}', file)}?{ids}", None) for file in (FILES if "{file}" in path else [""]))
        return
    body = FIELDS[(one.method, one.path)]
    body = body | {name: place.lee.ids[table] for name, table in IDS.items() if name in body}
    yield f"{path}?{ids}", body
    yield path, body | {"user_id": place.lee.user_id, "account_id": place.lee.ids["accounts"]}


def test_every_table_about_people_has_a_row_of_lees(place: Place) -> None:
    assert [name for name, rows in place.lee.rows().items() if not rows] == []


def test_its_owner_is_shown_every_reading(place: Place) -> None:
    headers = cookie(place.lee.session("reading"))
    shown: dict[str, set[str]] = {}
    for one in endpoints(Live(place.system)):
        for path, _ in requests_of(place, one) if one.method == "GET" else ():
            shown.setdefault(one.path, set()).update(found_in(place.asked(headers, "GET", path)[1], "lee"))
    assert {path for path, canaries in shown.items() if not canaries} == SILENT


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_is_told_or_changes_anything(place: Place, who: str) -> None:
    before = place.lee.rows()
    assert place.asked(OTHERS[who](place, "comes in"), "GET", "/api/auth/me")[0] == (401 if who in NOBODY else 200)
    for number, one in enumerate(endpoints(Live(place.system))):
        for turn, (path, body) in enumerate(requests_of(place, one)):
            status, told = place.asked(OTHERS[who](place, f"{number} {turn}"), one.method, path, body)
            shown = CHOSEN if one.path == "/api/arena" and who not in NOBODY else set()
            assert found_in(told, "lee") == shown, (one.method, path)
            assert status in refusing(who, one) or not refusing(who, one), (one.method, path, status)
    assert place.lee.rows() == before


def refusing(who: str, one: Endpoint) -> tuple[int, ...]:
    """How *one* refuses *who* whatever they ask; () where it may answer."""
    if one.is_open:
        return ()
    if who in NOBODY:
        return (401,)
    if who == "a visitor of the demo" and one.method != "GET" and one.path not in LOOKING:
        return (401, 403)
    allowed = {"a program that reads": ("read",), "a program that controls": ("read", "control")}.get(who)
    return (403,) if allowed and one.scope not in allowed else ()


@pytest.mark.parametrize("who", [*OTHERS, "lee"])
def test_the_operators_room_is_nowhere_for_who_has_no_role_and_tells_who_has_no_secret(place: Place, who: str) -> None:
    if who == "an operator":
        headers = OTHERS[who](place, "room")
        found = [found_in(place.asked(headers, "GET", f"/api/operator/{path}")[1], "lee") for path in rooms(place)]
        assert "users.email" in set().union(*found) <= FOR_OPERATORS
        return
    headers = OTHERS[who](place, "room") if who in OTHERS else cookie(place.lee.session("room"))
    before = place.lee.rows()
    for path in rooms(place):
        assert place.asked(headers, "GET", f"/api/operator/{path}")[0] == 404, path
    for path, body in ACTS:
        assert place.asked(headers, "POST", f"/api/operator/{path}", body)[0] == 404, path
    assert place.lee.rows() == before


def rooms(place: Place) -> list[str]:
    """The room's readings, of lee where one is about somebody."""
    return [path.replace("accounts/1", f"accounts/{place.lee.ids['accounts']}") for path in READS]
