"""Two webs, one system: what is done at one is true at the other, and a page outlives the web it came from."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.i18n import catalogue
from tests.browser.deployment import READY_S, ROOT, Deployment, eventually, free_port
from tests.browser.sticky import in_front
from tests.browser.test_browser import LEGEND, come_in
from tests.browser.watching import Watched, watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("en")
RECONNECT_S = 240
"""A deadline on a busy machine: the page looks for its web ever more slowly."""
ESTABLISHED = "01"
"""As Linux writes it in /proc/net/tcp."""
PASSWORD = "four unrelated horses staple"


@dataclass
class Web:
    """One of them."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seats(self) -> int:
        """Connections that are open to it."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] == ESTABLISHED for row in rows)


@dataclass
class Visitor:
    """Somebody with one session, who asks any web; from an address of their own."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, web: Web, method: str, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        headers = {"X-Forwarded-For": self.address, "Origin": web.url, "Content-Type": "application/json"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        raw = json.dumps(body).encode() if method != "GET" else None
        request = urllib.request.Request(f"{web.url}{path}", raw, headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - our own loopback
                for line in reply.headers.get_all("Set-Cookie") or ():
                    name, _, value = line.partition(";")[0].partition("=")
                    self.cookies[name] = value
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read())


@contextmanager
def web(deployed: Deployment, front: int) -> Iterator[Web]:
    port = free_port()
    env = {**deployed.env, "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{front}"}
    command = [sys.executable, "-m", "tests.e2e.shifted", "web", str(deployed.shift_ms)]
    with (deployed.folder / f"web-{port}.log").open("ab") as log:
        made = Web(port, subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log))
    try:
        eventually("it answers", lambda: _answers(made), READY_S)
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def _answers(one: Web) -> bool:
    try:
        return Visitor("10.9.9.9").ask(one, "GET", "/api/auth/me")[0] < 500
    except (OSError, ValueError):
        return False


def test_two_webs_are_one_system_and_a_page_outlives_the_web_it_came_from(
    deployed: Deployment, browser: Browser, tmp_path: Path
) -> None:
    front = free_port()
    with web(deployed, front) as a, web(deployed, front) as b, in_front(tmp_path, front, [a.port, b.port]):
        _what_is_done_at_one_is_true_at_the_other(a, b)
        _a_page_goes_on_when_its_web_dies(browser, a, b, front)


def _what_is_done_at_one_is_true_at_the_other(a: Web, b: Web) -> None:
    me = Visitor("10.8.0.1")
    email = f"two-{a.port}@example.com"
    made = me.ask(a, "POST", "/api/auth/try", accepted_risk=True)
    assert made[0] < 300, made
    kept = me.ask(b, "POST", "/api/auth/keep", email=email, password=PASSWORD)
    assert kept[0] < 300, kept
    assert me.ask(b, "GET", "/api/auth/me")[0] == 200, "who signed in at one is known to the other"

    version = me.ask(a, "GET", "/api/settings")[1]["settings_version"]
    saved = me.ask(a, "POST", "/api/settings", max_leverage=3, settings_version=version)
    assert saved[0] == 200, saved
    there = me.ask(b, "GET", "/api/settings")[1]
    assert there["settings"]["max_leverage"] == 3, "the very next question to the other reads what was saved at one"
    stale = me.ask(b, "POST", "/api/settings", max_leverage=2, settings_version=version)
    assert stale[0] == 409, "a tab at the other web does not overwrite what it has not seen"

    thief = Visitor("10.8.0.2")
    tried = [
        thief.ask(one, "POST", "/api/auth/login", email=email, password=f"wrong guess {number}")[0]
        for number in range(8)
        for one in (a, b)
    ]
    assert 429 in tried
    assert len([one for one in tried if one == 401]) < 8, "two webs are no two rows of tries"

    me_again = Visitor("10.8.0.1", dict(me.cookies))
    assert me.ask(a, "POST", "/api/auth/logout")[0] == 200
    assert me_again.ask(b, "GET", "/api/auth/me")[0] == 401, "who signed out at one is out at the other"


def _more(page: Page, seen: Watched, count: int) -> bool:
    """Whether more than *count* frames have come; a browser's events are only told while it is asked something."""
    page.wait_for_timeout(50)
    return len(seen.frames) > count


def _a_page_goes_on_when_its_web_dies(browser: Browser, a: Web, b: Web, front: int) -> None:
    url = f"http://127.0.0.1:{front}"
    eventually("the proxy answers", lambda: _answers(Web(front, a.process)), 60)
    with watched(browser, url, "en-GB") as seen:
        page = seen.page()
        come_in(page, url, WORDS)
        eventually("its sockets are at one web", lambda: max(a.seats(), b.seats()) > 1, 20)
        its, other = (a, b) if a.seats() > b.seats() else (b, a)
        its.process.kill()
        its.process.wait()
        before = len(seen.frames)
        eventually("live prices come from the other", lambda: _more(page, seen, before + 3), RECONNECT_S)
        expect(page.locator(LEGEND)).to_contain_text(WORDS["chart.live"], timeout=60_000)
        expect(page.locator(".st-key-me")).to_be_visible()
        assert other.seats()
        seen.errors.clear()  # what broke off is told by the browser, and is what this is about
