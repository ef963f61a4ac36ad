"""By which names the server is asked, which origin is its own, and how the settings name them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.http.hosts import ANY, Hosts, Place, differs_in_scheme_alone, is_own_origin, read_place
from app.security import Security
from lib import settings
from lib.domain.errors import Halt
from tests.web.conftest import Web

NAMED = Hosts(["trade.example.com"])


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8501", "LOCALHOST", "127.0.0.1:8501", "127.9.8.7", "[::1]:8501", "192.168.0.5:8501",
     "trade.example.com", "Trade.Example.Com:443", "trade.example.com."],
)  # fmt: skip
def test_this_machine_its_addresses_and_the_names_of_the_settings_are_answered(host: str) -> None:
    assert NAMED.allow(read_place(host, "http"))


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "xtrade.example.com", "trade.example.com.evil",
     "trade.example.com@evil", "0x7f000001", "2130706433", "a b", "localhost:0", "localhost:99999", "[::1", "::1",
     "localhost:8501:1", "localhost:٣", "x" * 300],
)  # fmt: skip
def test_every_other_name_is_somebody_elses(host: str) -> None:
    assert not NAMED.allow(read_place(host, "http"))


def test_every_name_is_answered_where_the_settings_say_so() -> None:
    assert Hosts([ANY]).allow(read_place("any.example", "http"))


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "own"),
    [
        ("http://a.example", "http", "a.example", True),
        ("http://a.example", "http", "a.example:80", True),
        ("https://a.example:443", "https", "A.example", True),
        ("http://[::1]:8501", "http", "[::1]:8501", True),
        ("https://a.example", "http", "a.example", False),
        ("http://a.example", "https", "a.example", False),
        ("http://a.example:443", "https", "a.example", False),
        ("http://a.example:81", "http", "a.example", False),
        ("null", "http", "null", False),
        ("http://[", "http", "[", False),
        ("http://a.example/", "http", "a.example", False),
        ("ftp://a.example", "http", "a.example", False),
        ("http://a.example\uff0f", "http", "a.example", False),
    ],
)
def test_an_origin_is_ours_with_scheme_name_and_port(origin: str, scheme: str, host: str, own: bool) -> None:
    assert is_own_origin(origin, scheme, read_place(host, scheme)) is own


def test_a_proxy_that_is_not_counted_is_told_from_another_site() -> None:
    assert differs_in_scheme_alone("https://a.example", "http", "a.example")
    assert not differs_in_scheme_alone("https://b.example", "http", "a.example")


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["http", "https"]))
def test_no_text_is_too_odd_to_be_judged(host: str, origin: str, scheme: str) -> None:
    place = read_place(host, scheme)
    assert place is None or isinstance(place, Place)
    assert NAMED.allow(place) in (True, False)
    assert is_own_origin(origin, scheme, place) in (True, False)


# --- at the door ------------------------------------------------------------------------------------------------------


async def inside(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def at_the_door(host: str, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str]:
    client = TestClient(Security(inside, lambda _: None, 0, (), hosts=NAMED), base_url="http://localhost")
    answer = client.request(method, path, headers={"Host": host, **headers})
    return answer.status_code, "" if answer.status_code == 200 else answer.json()["error"]


@pytest.mark.parametrize("path", ["/", "/dashboard", "/api/auth/try", "/_stcore/health", "/assets/door.mjs"])
def test_a_name_that_was_rebound_to_us_reaches_nothing(path: str) -> None:
    assert at_the_door("rebound.example:8501", path) == (421, "refuse.host")
    assert at_the_door("localhost:8501", path) == (200, "")


@pytest.mark.parametrize(
    ("language", "lang", "words"),
    [("ko-KR,ko;q=0.9", "ko", "WEB_HOSTS에"), ("de,en;q=0.5", "en", "into WEB_HOSTS"), ("", "ko", "WEB_HOSTS에")],
)
def test_who_opens_a_wrong_name_in_a_browser_reads_why(language: str, lang: str, words: str) -> None:
    client = TestClient(Security(inside, lambda _: None, 0, (), hosts=NAMED), base_url="http://localhost")
    browser = {"Host": "other.example", "Accept": "text/html,*/*", "Accept-Language": language}
    page = client.get("/dashboard", headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (421, "text/html; charset=utf-8")
    assert f'lang="{lang}"' in page.text
    assert words in page.text
    assert client.get("/api/standing", headers=browser).json()["error"] == "refuse.host"


def test_whether_we_live_may_be_asked_under_any_name() -> None:
    assert at_the_door("healthcheck.platform.example", "/healthz") == (200, "")


def test_the_other_scheme_is_named_as_what_it_is() -> None:
    assert at_the_door("localhost", "/api/x", "POST", Origin="https://localhost") == (403, "refuse.scheme")
    assert at_the_door("localhost", "/api/x", "POST", Origin="https://evil.example") == (403, "refuse.origin")
    assert at_the_door("localhost", "/api/x", "POST", Origin="http://localhost") == (200, "")


def test_behind_our_proxy_the_origin_is_https(proxied: Web) -> None:
    client = proxied.client(**{"X-Forwarded-Proto": "https"})
    assert client.post("/api/auth/demo", json={}, headers={"Origin": "https://testserver"}).status_code == 200
    assert client.post("/api/auth/demo", json={}, headers={"Origin": "http://testserver"}).status_code == 403


# --- the settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "hosts"),
    [
        ({}, ()),
        ({"WEB_HOSTS": "Trade.example.com, www.example.com"}, ("trade.example.com", "www.example.com")),
        ({"WEB_HOSTS": "*"}, ("*",)),
        ({"RAILWAY_PROJECT_ID": "x"}, ("*",)),
        ({"RAILWAY_PROJECT_ID": "x", "WEB_HOSTS": "trade.example.com"}, ("trade.example.com",)),
    ],
)
def test_hosts_come_from_the_settings_or_from_a_platforms_router(env: dict[str, str], hosts: tuple[str, ...]) -> None:
    assert settings.load(env).web_hosts == hosts


@pytest.mark.parametrize(
    "written", ["https://trade.example.com", "trade.example.com:443", "trade.example.com/x", "a b"]
)
def test_a_host_that_is_no_name_is_refused_at_start(written: str) -> None:
    with pytest.raises(Halt, match="WEB_HOSTS"):
        settings.load({"WEB_HOSTS": written})
