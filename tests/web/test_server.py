"""Every route as its owner, as a stranger, and as a read-only visitor of the demo; the cookie; the live stream."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.http.refusals import refusal_body
from app.server import Live, routes
from lib.accounts.people import BROWSER_MS
from lib.domain.account import AccountSettings, Limits, RiskLevel
from lib.domain.session import ABSOLUTE_MS
from tests.web.conftest import GOOD, LISTED, START, Web, candle

JSON = {"content-type": "application/json"}
READS = [
    "/api/auth/me",
    "/api/kline",
    "/api/kline/history",
    "/api/settings",
    "/api/apikey",
    "/api/logs",
    "/api/logs/2",
    "/api/standing",
    "/api/symbols",
    "/api/results",
    "/api/scores",
    "/api/scores/2",
    "/api/compare",
    "/api/arena",
]
ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/settings", {"risk_level": "low"}),
    ("POST", "/api/auto-trade", {"on": True}),
    ("POST", "/api/ask-now", {}),
    ("POST", "/api/pause", {}),
    ("POST", "/api/flatten", {}),
    ("POST", "/api/symbols", {"symbols": "BTCUSDT"}),
    ("POST", "/api/resume", {}),
    ("POST", "/api/locks/end", {"kind": "drawdown"}),
    ("POST", "/api/apikey", {"venue": "testnet", "api_key": "k" * 18, "api_secret": "s" * 36}),
    ("PUT", "/api/apikey", {"venue": "testnet", "api_key": "k" * 18, "api_secret": "s" * 36}),
    ("DELETE", "/api/apikey", {}),
]


def close_code(client: TestClient, path: str = "/api/ws?symbol=BTCUSDT&interval=1m") -> int:
    with client.websocket_connect(path) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    return closed.value.code


# --- the three who ask ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READS)
def test_a_stranger_reads_nothing(web: Web, path: str) -> None:
    answer = web.client().get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "refuse.signed_out")


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_stranger_does_nothing(web: Web, method: str, path: str, body: dict[str, Any]) -> None:
    assert web.client().request(method, path, json=body).status_code == 401
    assert web.trading.acts == []


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_read_only_visitor_does_nothing(web: Web, method: str, path: str, body: dict[str, Any]) -> None:
    answer = web.visitor().request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "refuse.read_only")
    assert web.trading.acts == []


MOST_AT_ONCE = 25
"""Acts of one visitor, who may not act oftener than somebody signed in."""


def test_every_route_that_changes_something_refuses_a_read_only_visitor(web: Web) -> None:
    """Routes are found, not listed; coming in and going out change nothing of the demo's."""
    changing = [
        (method, route.path)
        for route in routes(Live(web.system))
        if isinstance(route, Route) and route.path.startswith("/api/") and "{path" not in route.path
        for method in (route.methods or set()) - {"GET", "HEAD"}
        if not route.path.startswith(("/api/auth/", "/api/operator/"))  # the operators' have a matrix of their own
        # these look: a link's code stands in no address, and what something costs is asked with a body
        if route.path not in ("/api/strategies/open", "/api/backtests/model/price")
    ]
    assert len(changing) >= len(ACTS)
    answers = {}
    for number, act in enumerate(changing):
        if number % MOST_AT_ONCE == 0:
            visitor = web.visitor()
        answers[act] = visitor.request(*act, json={}).json()["error"]
    assert {act: said for act, said in answers.items() if said != "refuse.read_only"} == {}


@pytest.mark.parametrize("path", [path for path in READS if not path.endswith("/2")])
def test_a_read_only_visitor_reads(web: Web, path: str) -> None:
    assert web.visitor().get(path).status_code == 200


@pytest.mark.parametrize("path", READS)
def test_an_owner_reads(web: Web, path: str) -> None:
    assert web.owner().get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_an_owner_acts_for_nobody_else(web: Web, method: str, path: str, body: dict[str, Any]) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    answer = lee.request(method, path, json={**body, "user_id": 2})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert [act[1] for act in web.trading.acts] == [3]
    assert kim.get("/api/auth/me").json()["user"]["user_id"] == 2


def test_rows_are_the_askers_own_whatever_the_query_says(web: Web) -> None:
    kim = web.owner()
    assert kim.get("/api/logs?user_id=1&limit=20").json()["rows"] == [{"user_id": 2}]
    assert kim.get("/api/logs/1").status_code == kim.get("/api/scores/1").status_code == 404
    assert kim.get("/api/scores/2").json() == {"is_gone": False, "score": None, "beside": None}
    [version] = kim.get("/api/scores?user_id=1&span=all").json()["versions"]
    assert (version["name"], version["mean"]) == ("of 2", "0.005")
    assert kim.get("/api/scores?span=2d").status_code == kim.get("/api/scores?account=x").status_code == 422
    compared = kim.get("/api/compare?user_id=1").json()
    [version] = compared["versions"]
    assert (version["name"], version["calls"]["usd"]) == ("of 2", "2")
    assert (version["decisions"], version["reason"]["code"]) == (240, "evidence_not_yet")
    assert (compared["tries"], compared["pairs"], compared["winner"]) == (1, [], None)
    assert kim.get("/api/compare?account=x").status_code == 422
    assert kim.get("/api/standing?user_id=1").json()["why"] == {
        "code": "text",
        "params": {"text": "of 2"},
        "text": "of 2",
    }


def test_a_page_of_the_log_says_where_its_neighbours_begin_and_a_place_is_never_guessed(web: Web) -> None:
    kim = web.owner()
    answer = kim.get("/api/logs?at=older-5-6").json()
    assert (answer["older"], answer["newer"], answer["total"], answer["all_counted"]) == ("older-5-6", None, 1, True)
    for nowhere in ("x", "older", "older-1e9-2", "%F0%9F%98%80", "older-1-99999999999999999999", "newer--1-2"):
        refused = kim.get(f"/api/logs?at={nowhere}")
        assert (refused.status_code, refused.json()["params"]) == (422, {"field": "at"})


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/auth/nothing", "/api/kline/x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_api_path_is_a_json_404(web: Web, method: str, path: str) -> None:
    answer = web.client().request(method, path)
    assert (answer.status_code, answer.json()) == (404, refusal_body("refuse.not_found", {}, "ko"))


def test_healthz_tells_the_truth_and_nothing_else(web: Web) -> None:
    assert web.client().get("/healthz").json() == {"ok": True}
    web.away = True
    assert web.client().get("/healthz").status_code == 503


def test_pages_are_served_by_streamlit(web: Web) -> None:
    answer = web.client().get("/")
    assert answer.status_code == 200
    assert "<title>" in answer.text


# --- the cookie -------------------------------------------------------------------------------------------------------


def test_the_cookie_is_http_only_strict_and_short_lived(web: Web) -> None:
    answer = web.client().post("/api/auth/try", json={"accepted_risk": True})
    written = answer.headers["set-cookie"]
    assert written.startswith("maemae=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={ABSOLUTE_MS // 1000}"):
        assert part in written
    assert "Secure" not in written
    assert "Domain" not in written


def test_over_https_the_cookie_is_secure_and_belongs_to_this_host_alone(web: Web) -> None:
    client = web.client("https")
    written = client.post("/api/auth/try", json={"accepted_risk": True}).headers["set-cookie"]
    assert written.startswith("__Host-maemae=")
    assert "Secure" in written
    assert "Domain" not in written
    assert client.get("/api/auth/me").status_code == 200


def test_a_forwarded_scheme_counts_only_from_a_proxy_of_ours(web: Web) -> None:
    answer = web.client(**{"X-Forwarded-Proto": "https"}).post("/api/auth/try", json={"accepted_risk": True})
    assert answer.headers["set-cookie"].startswith("maemae=")


def test_behind_our_proxy_the_cookie_is_secure(proxied: Web) -> None:
    answer = proxied.client(**{"X-Forwarded-Proto": "https"}).post("/api/auth/try", json={"accepted_risk": True})
    assert answer.headers["set-cookie"].startswith("__Host-maemae=")
    assert "strict-transport-security" in answer.headers


def test_signing_out_ends_the_session_and_the_cookie_and_an_old_copy_opens_nothing(web: Web) -> None:
    kim = web.owner()
    token = kim.cookies["maemae"]
    answer = kim.post("/api/auth/logout", json={})
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    copy = web.client()
    copy.cookies.set("maemae", token)
    assert [copy.get(path).status_code for path in READS] == [401] * len(READS)
    assert copy.post("/api/auto-trade", json={"on": True}).status_code == 401
    assert copy.get("/media/x.csv").status_code == 401
    assert close_code(copy) == 4401


def test_a_new_sign_in_ends_the_session_it_replaces(web: Web) -> None:
    kim = web.owner()
    old = kim.cookies["maemae"]
    kim.post("/api/auth/login", json={"email": "kim@example.com", "password": GOOD})
    assert kim.cookies["maemae"] != old
    assert web.system.people.user_of(old) is None
    assert kim.get("/api/auth/me").status_code == 200


def test_a_session_that_expired_is_a_strangers(web: Web) -> None:
    kim = web.owner()
    web.clock.forward(minutes=121)
    assert kim.get("/api/auth/me").status_code == 401
    assert close_code(kim) == 4401


# --- what is said -----------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_person_read_the_same(web: Web) -> None:
    web.owner()
    wrong = web.client().post("/api/auth/login", json={"email": "kim@example.com", "password": "wrong wrong"})
    unknown = web.client().post("/api/auth/login", json={"email": "no@example.com", "password": "wrong wrong"})
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert wrong.status_code == 401


def test_too_many_tries_are_told_how_long_to_wait_where_their_owner_signed_in_before(web: Web) -> None:
    known, stranger = web.owner(), web.client()
    body = {"email": "kim@example.com", "password": "wrong wrong"}
    for client, told in ((known, True), (stranger, False)):
        answers = [client.post("/api/auth/login", json=body) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert ("retry-after" in answers[-1].headers) is told
        assert answers[-1].json()["error"] == ("refuse.wait" if told else "refuse.wait.person")
    web.clock.forward(seconds=60)
    assert stranger.post("/api/auth/login", json={**body, "password": GOOD}).status_code == 200


def test_a_browser_is_remembered_by_a_cookie_that_outlives_sessions_and_signing_out(web: Web) -> None:
    kim = web.owner()
    token = kim.cookies["maemae-browser"]
    kim.post("/api/auth/logout", json={})
    assert kim.cookies["maemae-browser"] == token
    answer = kim.post("/api/auth/login", json={"email": "kim@example.com", "password": GOOD})
    written = next(v for v in answer.headers.get_list("set-cookie") if v.startswith("maemae-browser="))
    for part in (token, "HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={BROWSER_MS // 1000}"):
        assert part in written


def test_over_https_that_cookie_belongs_to_this_host_alone(web: Web) -> None:
    client = web.client("https")
    answer = client.post("/api/auth/register", json={"email": "a@b.kr", "password": GOOD, "accepted_risk": True})
    assert any(
        value.startswith("__Host-maemae-browser=") and "Secure" in value
        for value in answer.headers.get_list("set-cookie")
    )


def test_a_guest_stays_by_e_mail_and_password_in_the_same_browser(web: Web) -> None:
    guest = web.client()
    guest.post("/api/auth/try", json={"accepted_risk": True})
    before = guest.get("/api/auth/me").json()["user"]
    assert before["is_guest"]
    assert "maemae-browser" not in guest.cookies
    kept = guest.post("/api/auth/keep", json={"email": "kim@example.com", "password": GOOD})
    assert kept.status_code == 200
    after = guest.get("/api/auth/me").json()["user"]
    assert (after["user_id"], after["email"], after["is_guest"]) == (before["user_id"], "kim@example.com", False)


def test_only_a_guest_can_stay(web: Web) -> None:
    body = {"email": "lee@example.com", "password": GOOD}
    assert web.client().post("/api/auth/keep", json=body).status_code == 401
    assert web.visitor().post("/api/auth/keep", json=body).json()["error"] == "refuse.read_only"
    assert web.owner().post("/api/auth/keep", json=body).json()["error"] == "refuse.not_a_guest"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 9_000, "application/json", 400),
        (b'"' + b"x" * 20_000 + b'"', "application/json", 413),
        (b"email=a", "application/x-www-form-urlencoded", 415),
        (b'{"email":"a@b.kr","password":"x"}', "text/plain", 415),
        (b'{"email":1,"password":"x"}', "application/json", 422),
        (b'{"email":"a@b.kr"}', "application/json", 422),
        (b'{"email":"a@b.kr","password":"\\u0000"}', "application/json", 422),
    ],
)
def test_what_is_no_json_object_of_ours_is_refused(web: Web, content: bytes, kind: str, status: int) -> None:
    answer = web.client().post("/api/auth/login", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["error"].startswith("refuse.")


def test_settings_change_what_is_named_and_keep_the_rest(web: Web) -> None:
    kim = web.owner()
    assert kim.post("/api/settings", json={"risk_level": "high", "max_leverage": 7}).status_code == 200
    _, _, chosen = web.trading.acts[0]
    assert chosen == AccountSettings(risk_level=RiskLevel.HIGH, max_leverage=7, custom_prompt="of 2")


def test_the_longest_instructions_are_taken_however_they_are_escaped_and_no_longer_body_is(web: Web) -> None:
    kim, longest = web.owner(), "🙂" * 4_000
    assert kim.post("/api/settings", content=json.dumps({"custom_prompt": longest}), headers=JSON).status_code == 200
    assert web.trading.acts[0][2].custom_prompt == longest
    for deep in (b"[" * 60_000, b'{"a":' * 12_000):
        assert kim.post("/api/settings", content=deep, headers=JSON).status_code == 400
    assert kim.post("/api/settings", content=b" " * 70_000, headers=JSON).status_code == 413
    assert kim.post("/api/pause", content=b" " * 20_000, headers=JSON).status_code == 413


def test_settings_of_a_stale_version_are_refused_with_what_stands_now(web: Web) -> None:
    kim = web.owner()
    read = kim.get("/api/settings").json()
    wish = {"risk_level": "high", "settings_version": read["settings_version"]}
    stale = kim.post("/api/settings", json={**wish, "settings_version": read["settings_version"] - 1})
    assert (stale.status_code, stale.json()["error"]) == (409, "refuse.settings.stale")
    assert stale.json()["now"] == read
    assert web.trading.acts == []
    assert kim.post("/api/settings", json=wish).status_code == 200
    assert kim.post("/api/settings", json={**wish, "settings_version": "1"}).status_code == 422


def test_a_limit_is_changed_by_its_name_and_the_others_stay(web: Web) -> None:
    wish = {"daily_loss": "0.02", "entries_per_day": 3}
    assert web.owner().post("/api/settings", json={"limits": wish}).status_code == 200
    _, _, chosen = web.trading.acts[0]
    assert chosen.limits == replace(Limits(), daily_loss=Decimal("0.02"), entries_per_day=3)


@pytest.mark.parametrize(
    "body",
    [
        {"risk_level": "wild"},
        {"max_leverage": True},
        {"max_leverage": "5"},
        {"max_leverage": 5.5},
        {"custom_prompt": "x" * 4_001},
        {"long_only": "yes"},
        {"risk_per_trade": 0.01},
        {"risk_per_trade": "NaN"},
        {"min_confidence": "2"},
        {"limits": ["daily_loss"]},
        {"limits": {"no_such_limit": 1}},
        {"limits": {"daily_loss": 0.01}},
        {"limits": {"daily_loss": "one"}},
        {"limits": {"entries_per_day": "3"}},
        {"limits": {"entries_per_day": True}},
    ],
)
def test_odd_settings_change_nothing(web: Web, body: dict[str, Any]) -> None:
    assert web.owner().post("/api/settings", json=body).status_code == 422
    assert web.trading.acts == []


def test_money_leaves_as_text(web: Web) -> None:
    limits = web.owner().get("/api/settings").json()["settings"]["limits"]
    assert limits["daily_loss"] == "0.05"


# --- candles ----------------------------------------------------------------------------------------------------------


def test_candles_come_oldest_first_and_since_a_second(web: Web) -> None:
    kim = web.owner()
    rows = kim.get("/api/kline?symbol=BTCUSDT&interval=1m&count=30").json()["rows"]
    assert len(rows) == 30
    assert rows == sorted(rows)
    assert rows[-1] == [candle(599).open_time // 1000, 60599.0, 60601.0, 60598.0, 60600.0, 1.5]
    refill = kim.get(f"/api/kline?symbol=BTCUSDT&interval=1m&count=500&since={START // 1000 + 598 * 60}").json()["rows"]
    assert [row[0] for row in refill] == [START // 1000 + 598 * 60, START // 1000 + 599 * 60]


@pytest.mark.parametrize(
    ("query", "status"),
    [("symbol=NOPE", 404), ("interval=7m", 404), ("count=x", 422), ("since=-1", 422), ("count=9", 200)],
)
def test_odd_candle_questions_are_refused(web: Web, query: str, status: int) -> None:
    assert web.owner().get(f"/api/kline?{query}").status_code == status


def test_older_candles_come_oldest_first_and_say_where_to_go_on(web: Web) -> None:
    kim, before = web.owner(), START // 1000 - 900
    first = kim.get(f"/api/kline/history?symbol=BTCUSDT&interval=15m&before={before}&count=40").json()
    assert (first["symbol"], first["interval"]) == ("BTCUSDT", "15m")
    opened = [row[0] for row in first["rows"]]
    assert opened == list(range(opened[0], opened[0] + 40 * 900, 900))
    assert before - 900 <= opened[-1] < before
    assert first["older"] == opened[0]
    older = first["older"]
    while older is not None:
        then = kim.get(f"/api/kline/history?symbol=BTCUSDT&interval=15m&before={older}&count=500").json()
        opened, older = [*(row[0] for row in then["rows"]), *opened], then["older"]
    assert opened == list(range(-(-LISTED // 900_000) * 900, opened[-1] + 1, 900))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(("symbol=NOPE", 404), ("symbol=", 404), ("interval=7m", 404), ("interval=30m", 404), ("interval=1D", 404)),
        *(("before=x", 422), ("before=-1", 422), ("before=1e9", 422), ("before=9999999999999999", 422)),
        *(
            ("count=x", 422),
            ("count=1.5", 422),
            ("before=0", 200),
            ("before=999999999999999", 200),
            ("count=99999", 200),
        ),
    ],
)
def test_odd_questions_about_older_candles_are_refused(web: Web, query: str, status: int) -> None:
    answer = web.owner().get(f"/api/kline/history?{query}")
    assert answer.status_code == status
    assert status != 200 or len(answer.json()["rows"]) <= 500


def test_an_exchange_that_is_away_is_told_as_busy_and_not_asked_again_at_once(web: Web) -> None:
    web.market.down, kim = True, web.owner()
    for _ in range(5):
        answer = kim.get("/api/kline/history?interval=1h")
        assert (answer.status_code, answer.json()["error"]) == (503, "refuse.busy")
    assert web.market.calls == 1


def test_the_stream_sends_the_newest_change_at_once(web: Web) -> None:
    with web.owner().websocket_connect("/api/ws?symbol=BTCUSDT&interval=1m") as socket:
        assert socket.receive_json() == {
            "rows": [[candle(600).open_time // 1000, 60600.0, 60602.0, 60599.0, 60601.0, 1.5]]
        }


def test_the_stream_is_closed_to_strangers_with_a_code_the_page_can_read(web: Web) -> None:
    assert close_code(web.client()) == 4401


def test_an_unknown_series_is_closed(web: Web) -> None:
    assert close_code(web.owner(), "/api/ws?symbol=NOPE&interval=1m") == 4404
