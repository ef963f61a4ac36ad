"""The layer in front: other sites' pages, headers on every answer, side doors, whose address counts, whose identity."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import gather_user_info

import app.session
import app.system
from app.policy import content_policy, inline_hashes
from app.security import IDENTITY_HEADER, Security
from app.server import refuse_unsafe_server
from app.visit import read_visit
from lib.accounts.web import SessionUser
from lib.domain.errors import Halt, Retry
from tests.web.conftest import GOOD, Web

ROUTES = [
    "/",
    "/trade_logs",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/auth/me",
    "/api/nothing",
    "/assets/nothing",
    "/media/x",
    "/_stcore/metrics",
]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_answer_carries_the_headers(web: Web, path: str, method: str) -> None:
    headers = web.client().request(method, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    if not path.startswith("/assets"):
        assert headers["cache-control"] == "no-store"


def test_over_https_browsers_are_told_to_stay_there(web: Web) -> None:
    assert web.client("https").get("/").headers["strict-transport-security"].startswith("max-age=")


def test_an_error_of_ours_carries_the_headers_too(web: Web) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    kim = TestClient(web.app, raise_server_exceptions=False)
    object.__setattr__(web.system, "check", broken)
    answer = kim.get("/healthz")
    assert answer.status_code == 500
    assert "content-security-policy" in answer.headers
    assert "ZeroDivision" not in answer.text


def test_versioned_assets_may_be_kept_and_others_not_for_ever(web: Web) -> None:
    kept = web.client().get("/assets/favicon.svg?v=1234567890").headers["cache-control"]
    assert "immutable" in kept
    assert "immutable" not in web.client().get("/assets/favicon.svg").headers.get("cache-control", "")


def test_the_inline_script_of_the_page_is_allowed_by_its_hash_alone(web: Web) -> None:
    page = web.client().get("/")
    inline = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    policy = page.headers["content-security-policy"]
    assert len(inline) == len(inline_hashes()) >= 1
    assert all(source in policy for source in inline_hashes())
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_a_host_that_is_none_never_reaches_the_policy() -> None:
    assert "evil" not in content_policy((), "a.b; script-src evil")
    assert "wss://a.example:8501" in content_policy((), "a.example:8501")


def test_inline_hashes_are_of_the_exact_text(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text('<script src="x.js"></script><script>alert(1)</script>')
    assert inline_hashes(page) == ("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='",)


# --- other sites' pages -----------------------------------------------------------------------------------------------

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
]
OWN: list[dict[str, str]] = [{}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auto-trade"),
        ("POST", "/api/flatten"),
        ("POST", "/api/resume"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/logout"),
        ("PUT", "/api/apikey"),
        ("DELETE", "/api/apikey"),
        ("POST", "/_stcore/upload_file/a/b"),
    ],
)
def test_another_sites_page_changes_nothing(web: Web, method: str, path: str, headers: dict[str, str]) -> None:
    kim = web.owner()
    answer = kim.request(method, path, json={"on": True}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "refuse.origin")
    assert web.trading.acts == []
    assert kim.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("headers", OWN)
def test_our_own_page_may(web: Web, headers: dict[str, str]) -> None:
    assert web.owner().post("/api/auto-trade", json={"on": True}, headers=headers).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/api/ws", "/_stcore/stream"])
def test_another_sites_page_opens_no_socket(web: Web, path: str, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, web.owner().websocket_connect(path, headers=headers):
        pass
    assert refused.value.code == 1008


def test_a_link_from_another_site_may_still_open_the_page(web: Web) -> None:
    assert web.client().get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


# --- side doors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/agent", "/_stcore/agent/x", "/_stcore/script-health-check"]
)
def test_what_streamlit_tells_about_itself_is_told_to_nobody(web: Web, path: str) -> None:
    assert web.client().get(path).status_code == 404
    assert web.owner().get(path).status_code == 404


@pytest.mark.parametrize("path", ["/media", "/media/abc.csv", "/_stcore/upload_file/a/b"])
def test_files_are_for_people(web: Web, path: str) -> None:
    assert web.client().get(path).status_code == 401
    assert web.owner().get(path).status_code != 401


def test_a_visitor_of_the_demo_uploads_nothing(web: Web) -> None:
    assert web.visitor().put("/_stcore/upload_file/a/b", content=b"x").status_code == 403


@pytest.mark.parametrize("name", ["server.enableCORS", "server.enableXsrfProtection"])
def test_an_unsafe_server_is_refused_at_the_start(name: str) -> None:
    before = config.get_option(name)
    config.set_option(name, False)
    try:
        with pytest.raises(Halt, match=name):
            refuse_unsafe_server()
    finally:
        config.set_option(name, before)


# --- identity ---------------------------------------------------------------------------------------------------------


class Seen:
    """An application that remembers the scope it was given."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)


def passed_on(headers: dict[str, str], user: SessionUser | None, kind: str = "websocket") -> dict[str, Any]:
    seen = Seen()
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "GET", "path": "/_stcore/stream", "headers": raw, "scheme": "http"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def receive() -> Any:
        raise AssertionError("nobody asked")

    asyncio.run(Security(seen, lambda token: user, 0, ())(scope, receive, send))
    return {name.decode(): value.decode() for name, value in seen.scope["headers"]}


KIM = SessionUser(7, "kim@example.com", "ko")


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_identity_a_client_sends_is_dropped(kind: str) -> None:
    forged = {IDENTITY_HEADER: "7.forged", "X-Maemae-Other": "x"}
    assert passed_on(forged, None, kind) == {}
    named = passed_on({**forged, "Cookie": "maemae=token"}, KIM, kind)
    assert named[IDENTITY_HEADER.lower()].startswith("7.")
    assert "forged" not in str(named)


def test_two_sessions_of_one_person_are_two_identities_that_give_no_token_away() -> None:
    one = passed_on({"Cookie": "maemae=token-one"}, KIM)[IDENTITY_HEADER.lower()]
    two = passed_on({"Cookie": "maemae=token-two"}, KIM)[IDENTITY_HEADER.lower()]
    assert one != two
    assert "token" not in one


def test_streamlit_reads_the_identity_we_send(web: Web) -> None:
    class Given:
        def getlist(self, name: str) -> list[str]:
            return ["7.abc"] if name == IDENTITY_HEADER else []

    info: dict[str, Any] = dict(gather_user_info(Given()))  # type: ignore[arg-type]
    assert info == {"maemae_session": "7.abc"}


def test_a_page_is_for_whom_the_server_vouched_or_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's Streamlit session under another's cookie shows nothing of either."""
    mine = passed_on({"Cookie": "maemae=token"}, KIM)[IDENTITY_HEADER.lower()]
    seen = SimpleNamespace(people=SimpleNamespace(user_of=lambda token: KIM))
    monkeypatch.setattr(app.system, "_held", [seen])
    monkeypatch.setattr(st, "context", SimpleNamespace(cookies={"maemae": "token"}))
    found = {}
    for claimed in (mine, "7.another", ""):
        run = SimpleNamespace(user_info={"maemae_session": claimed})
        monkeypatch.setattr(app.session, "get_script_run_ctx", lambda run=run, **_: run)
        found[claimed] = app.session.current_user()
    assert found == {mine: KIM, "7.another": None, "": None}


def test_a_database_that_is_away_lets_nobody_in_and_says_so() -> None:
    def away(token: str | None) -> SessionUser | None:
        raise Retry("away")

    client = TestClient(Security(Seen(), away, 0, ()))
    client.cookies.set("maemae", "token")
    answer = client.get("/api/auth/me")
    assert (answer.status_code, answer.json()["error"]) == (503, "refuse.busy")


# --- whose address ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "trusted", "address"),
    [
        ("", 0, "10.0.0.9"),
        ("1.1.1.1", 0, "10.0.0.9"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"),
        ("1.1.1.1", 3, "1.1.1.1"),
        (" , ", 1, "10.0.0.9"),
        ("1.1.1.1:443", 1, "1.1.1.1"),
        ("::ffff:1.1.1.1", 1, "1.1.1.1"),
        ("[2001:db8::1]:443", 1, "2001:db8::1"),
        ("6.6.6.6, unknown", 1, "10.0.0.9"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(forwarded: str, trusted: int, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "path": "/", "headers": headers, "client": ("10.0.0.9", 1), "scheme": "http"}
    assert read_visit(scope, trusted).origin.ip == address
    scope["client"] = ("::ffff:10.0.0.9", 1)
    assert read_visit(scope, trusted).origin.ip == address, "a socket that listens on IPv6 too writes it so"


def test_an_invented_address_does_not_dodge_the_delay(web: Web) -> None:
    web.owner()
    body = {"email": "kim@example.com", "password": "wrong wrong"}
    for n in range(4):
        answer = web.client(**{"X-Forwarded-For": f"9.9.9.{n}"}).post("/api/auth/login", json=body)
    assert answer.status_code == 429
    assert web.client().post("/api/auth/login", json={**body, "password": GOOD}).status_code == 429
