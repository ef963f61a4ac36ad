"""
Every route's every field, query, header, cookie and path, with what no honest client sends: never an answer of 5xx.

The real application over a real database and Redis; only the paces are lifted, so that what is tried reaches what it
is tried on. Routes are found, and one whose fields are not written down here fails.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from app.api.openapi import PATH
from app.i18n import catalogue
from app.server import Live, routes
from lib.bootstrap import WebSystem
from lib.domain.account import Limits
from tests.effort import examples, spread
from tests.web.at_once import Answer, AtOnce
from tests.web.hostile import HEADERS, KINDS, PIECES, PREFIXES, RAW_BODIES, TEXTS, VALUES
from tests.web.whole import entered, whole_system

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

KEY = {"venue": "paper", "api_key": "k" * 18, "api_secret": "s" * 36}
COMING = {"email": "new@example.com", "password": "correct horse battery", "accepted_risk": True, "locale": "ko"}
PAST: dict[str, object] = {
    "kind": "memory", "version_id": 1, "model": "default", "symbol": "BTCUSDT", "since": "2026-01-01",
    "until": "2026-01-03", "balance": "1000", "windows": 100, "most_usd": "1", "most_calls": 900, "cadence_min": 15,
}  # fmt: skip
FIELDS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/auth/register"): COMING,
    ("POST", "/api/auth/login"): {
        "email": "kim@example.com", "password": "correct horse battery", "code": "123456",
    },
    ("POST", "/api/auth/try"): {"accepted_risk": True, "locale": "ko"},
    ("POST", "/api/auth/demo"): {},
    ("POST", "/api/auth/keep"): {"email": "lee@example.com", "password": "correct horse battery"},
    ("POST", "/api/auth/logout"): {},
    ("POST", "/api/auth/reset/ask"): {"email": "kim@example.com", "locale": "ko"},
    ("POST", "/api/auth/reset"): {"token": "x" * 43, "password": "correct horse battery"},
    ("POST", "/api/auth/email/look"): {"token": "x" * 43},
    ("POST", "/api/auth/email"): {"token": "x" * 43},
    ("POST", "/api/account/passkeys/begin"): {},
    ("POST", "/api/account/passkeys"): {"answer": "{}"},
    ("DELETE", "/api/account/passkeys"): {"passkey_id": 1},
    ("POST", "/api/account/passkeys/prove/begin"): {},
    ("POST", "/api/account/passkeys/prove"): {"answer": "{}"},
    ("POST", "/api/auth/passkey/begin"): {},
    ("POST", "/api/auth/passkey"): {"answer": "{}"},
    ("POST", "/api/account/delete"): {"email": "other@example.com"},
    ("POST", "/api/settings"): {
        "risk_level": "low", "max_leverage": 3, "custom_prompt": "rest", "long_only": True, "risk_per_trade": "0.001",
        "min_confidence": "0.9", "limits": {}, "settings_version": 1,
    },
    ("POST", "/api/auto-trade"): {"on": True},
    ("POST", "/api/ask-now"): {},
    ("POST", "/api/apikey"): KEY,
    ("PUT", "/api/apikey"): KEY,
    ("DELETE", "/api/apikey"): {},
    ("POST", "/api/pause"): {},
    ("POST", "/api/flatten"): {},
    ("POST", "/api/close"): {"side": "long"},
    ("POST", "/api/symbols"): {"symbols": "BTCUSDT"},
    ("POST", "/api/resume"): {},
    ("POST", "/api/locks/end"): {"kind": "drawdown"},
    ("POST", "/api/demo-trading/stretch"): {},
    ("POST", "/api/demo-trading/override"): {"sentence": "I start demo trading without this evidence"},
    ("POST", "/api/real-money/consent"): {"sentence": "I agree to trade with real money"},
    ("POST", "/api/real-money/withdraw"): {},
    ("POST", "/api/real-money/stretch"): {},
    ("POST", "/api/real-money/stretch/override"): {"stretch_id": 1, "sentence": "I trade without this evidence"},
    ("POST", "/api/account/prove"): {"password": "correct horse battery", "code": "123456"},
    ("POST", "/api/account/password"): {"old": "correct horse battery", "new": "correct horse battery"},
    ("POST", "/api/account/email"): {"email": "lee@example.com", "password": "correct horse battery"},
    ("POST", "/api/account/factor/begin"): {},
    ("POST", "/api/account/factor/confirm"): {"code": "123456"},
    ("POST", "/api/account/factor/codes"): {},
    ("DELETE", "/api/account/factor"): {},
    ("POST", "/api/account/sessions/end"): {"session_id": 1},
    ("POST", "/api/account/sessions/end-others"): {},
    ("POST", "/api/account/tokens"): {"name": "script", "scope": "read", "days": 30},
    ("POST", "/api/account/tokens/end"): {"token_id": 1},
    ("POST", "/api/strategies"): {"name": "mine", "content": {"system": "rest", "cadence_min": 15, "long_only": True}},
    ("POST", "/api/strategies/versions"): {"strategy_id": 1, "newest": 1, "content": {"risk_per_trade": "0.001"}},
    ("POST", "/api/strategies/rename"): {"strategy_id": 1, "name": "mine"},
    ("POST", "/api/strategies/delete"): {"strategy_id": 1},
    ("POST", "/api/strategies/run"): {"version_id": 1, "settings_version": 1},
    ("POST", "/api/strategies/share"): {"version_id": 1, "shown_as": "kim"},
    ("POST", "/api/strategies/share/end"): {"share_id": 1},
    ("POST", "/api/strategies/open"): {"code": "x"},
    ("POST", "/api/records/links"): {"record_id": 1, "named": True, "amounts": True},
    ("POST", "/api/records/links/end"): {"link_id": 1},
    ("POST", "/api/models"): {
        "name": "mine", "shown": "Mine", "base_url": "https://models.example.com/v1", "model": "m-1", "input_usd": "1",
        "output_usd": "2", "cached_usd": "0.5", "free": False, "day_usd": "3", "key": "k",
    },
    ("POST", "/api/models/delete"): {"name": "mine"},
    ("POST", "/api/backtests"): {
        "kind": "answers", "symbol": "BTCUSDT", "since": "2026-01-01", "until": "2026-02-01", "level": "low",
        "leverage": 3, "cadence_min": 15, "long_only": True, "balance": "10000", "risk": "0.005",
        "confidence": "0.7", "account_id": 1,
    },
    ("POST", "/api/backtests/model/price"): PAST,
    ("POST", "/api/backtests/model"): PAST,
    ("POST", "/api/backtests/model/again"): {"job_id": 1},
    ("POST", "/api/backtests/cancel"): {"job_id": 1},
    ("POST", "/api/backtests/delete"): {"job_id": 1},
    ("POST", "/api/backtests/link"): {"job_id": 1},
    ("POST", "/api/backtests/link/end"): {"job_id": 1},
    ("POST", "/api/shadows"): {"version_id": 1, "model": "mine", "day_calls": 9, "day_usd": "0.5"},
    ("POST", "/api/shadows/running"): {"shadow_id": 1, "running": True},
    ("POST", "/api/shadows/budget"): {"shadow_id": 1, "day_calls": 9, "day_usd": "0.5"},
    ("POST", "/api/shadows/remove"): {"shadow_id": 1},
    ("POST", "/api/arena/enter"): {"name": "Whale", "house": True},
    ("POST", "/api/arena/rename"): {"entry_id": 1, "name": "Whale"},
    ("POST", "/api/arena/leave"): {"entry_id": 1},
}  # fmt: skip
QUERIES: dict[str, tuple[str, ...]] = {
    "/healthz": (),
    "/readyz": (),
    "/api/auth/me": (),
    "/api/account/sessions": (),
    "/api/account/export": (),
    "/api/account/tokens": (),
    "/api/account/trail": ("limit", "before"),
    "/api/openapi.json": (),
    "/api/settings": (),
    "/api/strategies": (),
    "/api/strategies/templates": (),
    "/api/records": (),
    "/api/records/{record_id}/export": (),
    "/api/records/{record_id}/proof": ("t", "symbol"),
    "/api/record": ("code",),
    "/api/record/export": ("code",),
    "/api/record/proof": ("code", "t", "symbol"),
    "/record": ("code",),
    "/api/backtests": (),
    "/api/backtests/{job_id}": (),
    "/api/backtest": ("code",),
    "/past": ("code",),
    "/api/models": (),
    "/api/models/costs": (),
    "/api/strategies/{strategy_id}/versions": (),
    "/api/apikey": (),
    "/api/logs": ("page", "limit", "outcome", "symbol", "since", "before", "after", "until", "traded", "q", "at"),
    "/api/logs/{log_id}": (),
    "/api/results": ("span", "account"),
    "/api/scores": ("span", "account"),
    "/api/scores/{log_id}": (),
    "/api/compare": ("account",),
    "/api/arena": (),
    "/api/shadows": (),
    "/api/shadows/scores": ("span",),
    "/api/export/{file}": (),
    "/api/standing": (),
    "/api/real-money": (),
    "/api/demo-trading": (),
    "/api/symbols": (),
    "/api/account": ("symbol",),
    "/api/kline": ("symbol", "interval", "count", "since"),
    "/api/kline/history": ("symbol", "interval", "before", "count"),
}
LIMITS = tuple(Limits.__dataclass_fields__)
LONGEST_ANSWER = 65_536
tried = 0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSystem]:
    with whole_system(tmp_path_factory.mktemp("hostile")) as (made, _):
        yield made


@pytest.fixture(scope="module")
def kim(system: WebSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtOnce]:
    """A signed-in person's client, whose mistakes are answers and not exceptions."""
    with entered(system, tmp_path_factory.mktemp("script")) as client:
        yield AtOnce(client)


@pytest.fixture(autouse=True)
def signed_in(kim: AtOnce) -> None:
    """A session for every test: some of what is tried ends it."""
    renew(kim)


def renew(kim: AtOnce) -> None:
    kim.cookies.clear()
    assert kim.request("POST", "/api/auth/try", **body({"accepted_risk": True})).status_code == 200


def asked(kim: AtOnce, method: str, path: str, **given: Any) -> Answer:
    """The answer, which is never a 5xx, never long, and in the house's form where it refuses."""
    global tried
    tried += 1
    answer = kim.request(method, path, **given)

    def what() -> str:
        return f"{method} {path[:80]} {str(given)[:200]} -> {answer.status_code} {answer.text[:200]}"

    # nothing trades here, and saying so is what that address is for
    is_honest = path.startswith("/readyz") and answer.status_code == 503
    assert answer.status_code < 500 or is_honest, what()
    if path.startswith("/api/") and method != "HEAD":
        assert path.startswith(("/api/kline", "/api/openapi.json")) or len(answer.content) < LONGEST_ANSWER, what()
        if answer.status_code >= 400:
            refused = answer.json()
            assert set(refused) >= {"success", "message", "code", "error", "params"}, what()
            assert refused["success"] is False, what()
            assert "{" not in refused["message"], what()
            assert refused["error"] in catalogue("ko"), what()
    return answer


def body(value: Any) -> dict[str, Any]:
    # as json writes it: lone surrogates as escapes, NaN and Infinity as no JSON has them
    return {"content": json.dumps(value).encode(), "headers": {"content-type": b"application/json"}}


def known_routes(system: WebSystem) -> set[tuple[str, str]]:
    found = [route for route in routes(Live(system)) if isinstance(route, Route)]
    return {
        (method, route.path) for route in found if "{path" not in route.path and route.path != "/api"
        and not route.path.startswith("/api/operator/")  # nothing is there for kim; they have a matrix of their own
        for method in (route.methods or set()) - {"HEAD"}
    }  # fmt: skip


def test_every_route_and_its_fields_are_written_down_here(system: WebSystem) -> None:
    written = set(FIELDS) | {("GET", path) for path in QUERIES}
    assert {pair for pair in known_routes(system) if pair[1].startswith(("/api", "/healthz", "/readyz"))} <= written


@pytest.mark.parametrize("route", FIELDS, ids=lambda route: " ".join(route))
def test_no_value_of_any_field_is_too_odd(kim: AtOnce, route: tuple[str, str]) -> None:
    method, path = route
    for place, name in enumerate(FIELDS[route], start=list(FIELDS).index(route)):
        for value in spread(VALUES, place):
            if asked(kim, method, path, **body({**FIELDS[route], name: value})).status_code == 401:
                renew(kim)
    renew(kim)


@pytest.mark.parametrize("name", LIMITS)
def test_no_value_of_any_limit_is_too_odd(kim: AtOnce, name: str) -> None:
    for value in spread(VALUES, LIMITS.index(name)):
        asked(kim, "POST", "/api/settings", **body({"limits": {name: value}}))


@pytest.mark.parametrize("route", FIELDS, ids=lambda route: " ".join(route))
def test_no_body_is_too_odd(kim: AtOnce, route: tuple[str, str]) -> None:
    for raw in spread(RAW_BODIES, list(FIELDS).index(route)):
        for kind in KINDS[:3]:
            headers = {"content-type": kind.encode("latin-1")}
            asked(kim, *route, content=raw, headers=headers)
            if route[1] == "/api/auth/logout":
                renew(kim)


@pytest.mark.parametrize("path", QUERIES)
def test_no_query_is_too_odd(kim: AtOnce, path: str) -> None:
    first, names, path = list(QUERIES).index(path), QUERIES[path], path.replace("{log_id}", "1")
    for place, name in enumerate((*names, "\u2028", "x" * 500), start=first):
        for text in spread(TEXTS, place):
            query = httpx2.QueryParams({name: text.encode("utf-8", "replace").decode()})
            asked(kim, "GET", f"{path}?{query}")
    for raw in ("%", "%zz", "&&&", "=", "a=%ff", "page=%00", "page=1&page=2", "x" * 8_000, "%F0%9F", ";" * 100):
        asked(kim, "GET", f"{path}?{raw}")


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_is_too_odd(kim: AtOnce, name: str) -> None:
    places = (
        ("GET", "/"),
        ("GET", "/api/standing"),
        ("GET", "/api/symbols"),
        ("POST", "/api/pause"),
        ("GET", "/assets/favicon.svg"),
        ("GET", "/healthz"),
    )
    for value in HEADERS[name]:
        for method, path in places:
            asked(kim, method, path, headers={name: value.encode("latin-1")})


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_path_is_too_odd(kim: AtOnce, prefix: str) -> None:
    for piece in PIECES:
        for method in ("GET", "POST", "HEAD"):
            asked(kim, method, f"{prefix}{piece}")


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X"]
)
@pytest.mark.parametrize("path", ["/", "/api/settings", "/api/logs/1", "/api/auth/login", "/healthz", "/assets/x"])
def test_no_method_is_too_odd(kim: AtOnce, method: str, path: str) -> None:
    asked(kim, method, path)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@examples(75, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(sorted(FIELDS)), data=st.data())
def test_no_object_is_too_odd(kim: AtOnce, route: tuple[str, str], data: st.DataObject) -> None:
    names = st.sampled_from([*FIELDS[route], "limits", "user_id"]) | st.text(max_size=10)
    asked(kim, *route, **body(data.draw(st.dictionaries(names, ANY_JSON, max_size=6))))


def test_what_was_refused_changed_nothing_and_the_web_is_whole(kim: AtOnce) -> None:
    assert asked(kim, "GET", "/healthz").json() == {"ok": True}
    assert asked(kim, "GET", "/api/auth/me").status_code == 200


def test_nothing_our_own_document_allows_ends_in_a_mistake(kim: AtOnce) -> None:
    """Schemathesis makes the requests from the OpenAPI document; the answers are judged as all here."""
    schema = schemathesis.openapi.from_dict(kim.request("GET", PATH).json())
    operations = [cast(Any, found).ok().as_strategy() for found in schema.get_all_operations()]

    @settings(max_examples=max(settings().max_examples, 2 * len(operations)))
    @given(case=st.one_of(operations))
    def ask(case: Any) -> None:
        if kim.request("GET", "/api/auth/me").status_code == 401:
            renew(kim)
        query = f"?{httpx2.QueryParams(case.query)}" if case.query else ""
        given = {} if case.method == "GET" else body(case.body if isinstance(case.body, dict) else {})
        asked(kim, case.method, case.formatted_path + query, **given)

    ask()
