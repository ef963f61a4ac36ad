"""
No canary of one person is on a page of another: every page there is and every section of the operators' room, drawn for
everybody there can be, with lee's ids in the address, over a real database with a row in every table.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest

import app.session
import app.system
from app.navigation import OPERATORS, PAGES
from app.visit import PLAIN_COOKIE
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.tables.models import metadata
from lib.clock import SystemClock
from tests.pages.conftest import SCRIPT
from tests.pages.test_pages import tree
from tests.web.test_two_people import FOR_OPERATORS
from tests.web.whole import whole_system
from tests.worlds.canaries import canary, found_in, settle

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

NAMES = [page.name for page in PAGES]
ROOM = re.findall(r'^    "(\w+)": \w+,$', (Path(SCRIPT).parent / "app/pages/operator.py").read_text(), re.MULTILINE)
NOBODY = ("a stranger", "a session that was ended")
"""They get the front door under every address."""
OTHERS = ("another person", "a stranger", "a session that was ended", "an operator", "a visitor of the demo")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with whole_system(tmp_path_factory.mktemp("people")) as (system, engine):
        now = SystemClock().now_ms()
        lee, kim, boss = (settle(engine, who, now) for who in ("lee", "kim", "bos"))
        demo = settle(engine, "dem", now, is_demo=True)
        SqlOperatorRegister(engine).grant(canary("bos", metadata.tables["users"].c.email), "the test")
        tokens = {
            "lee": lee.session("pages"),
            "another person": kim.session("pages"),
            "a stranger": "",
            "a session that was ended": lee.session("over", ended=True),
            "an operator": boss.session("pages"),
            "a visitor of the demo": demo.session("pages", read_only=True),
        }
        with mock.patch.object(app.system, "_held", [system]):
            yield SimpleNamespace(lee=lee, tokens=tokens)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.session, "_kept", {})


def drawn(place: SimpleNamespace, who: str, **asked: object) -> dict[str, set[str]]:
    """By page or section of the room: the columns whose canaries of lee's are in what *who*'s browser is sent."""
    cookies, found = StreamlitCookies({PLAIN_COOKIE: place.tokens[who]}), {}
    with mock.patch.object(ContextProxy, "cookies", new_callable=mock.PropertyMock, return_value=cookies):
        at = AppTest.from_file(SCRIPT, default_timeout=60)
        for name, value in asked.items():
            at.query_params[name] = str(value)
        at.run()
        for page in NAMES[:1] if who in NOBODY else NAMES:
            found[page] = found_in(
                tree(at.switch_page(f"app/pages/{page}.py").run() if page != NAMES[0] else at), "lee"
            )
            assert not at.exception, (page, at.exception)
        for section in ROOM if who == "an operator" else ():
            at.session_state["section"] = section
            found[section] = found_in(tree(at.switch_page(f"app/pages/{OPERATORS.name}.py").run()), "lee")
            assert not at.exception, (section, at.exception)
    return found


def test_its_owner_is_shown_their_own(place: SimpleNamespace) -> None:
    found = drawn(place, "lee", id=place.lee.ids["trade_logs"], account=place.lee.ids["accounts"])
    assert all(found.values())
    assert {"trade_logs.gpt_analysis", "cycles.raw_answer", "orders.order_link_id"} <= found["trade_logs"]


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_elses_page_holds_anything_of_theirs(place: SimpleNamespace, who: str) -> None:
    mine = place.lee.ids
    found = drawn(
        place, who, id=mine["trade_logs"], log=mine["trade_logs"], account=mine["accounts"], user_id=mine["users"]
    )
    if who not in NOBODY:
        assert found.pop("arena") == {"arena_entries.name", "arena_entries.model"}, "what lee chose to show"
    assert {page: leaked for page, leaked in found.items() if leaked and page not in ROOM} == {}
    if who == "an operator":
        assert "users.email" in set().union(*(found[section] for section in ROOM)) <= FOR_OPERATORS
