"""
What a first visit costs on the wire, and how long it takes until there is something to see.

Headless Chromium with an empty cache, on an emulated line: the front door, then the dashboard of the demo account with
5,000 candles, entered by its button; then the dashboard once more with a full cache, and once by somebody signed in
whose cache is empty. The peer is a bare Streamlit page under its own server. Bytes, answers and layout shift are
of the whole visit until nothing more comes; a time is the median of the rounds, from the address (or the button)
to the door's form, to live candles, to the bare page's title. `python -m bench.first_paint`.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from app.i18n import catalogue
from bench.dashboards import environment, prepare, serving, tick
from lib.adapters.redis import embedded
from tests.browser.deployment import free_port
from tests.browser.watching import chromium, running_browser, watched
from tests.browser.weighing import Weighed

WORDS = catalogue("ko")
SETTLED_MS = 3_000
"""How long nothing new is waited for before a visit is weighed."""
WARM_S = 15
"""What the server has to pack its files, as it does once after it starts."""


@dataclass
class Seen:
    """One kind of visit: what it weighed, and what each round took."""

    bytes: int = 0
    answers: int = 0
    shift: float = 0
    taken_ms: list[float] = field(default_factory=list)

    def weigh(self, weighed: Weighed, bytes_before: int, answers_before: int) -> None:
        """What came since."""
        weighed.page.wait_for_timeout(SETTLED_MS)
        self.bytes = weighed.total - bytes_before
        self.answers = len(weighed.sent) - answers_before
        self.shift = weighed.shift()

    def line(self, name: str, bare: "Seen") -> str:
        """What `main` prints."""
        took, floor = statistics.median(self.taken_ms), statistics.median(bare.taken_ms)
        ratios = f"{self.bytes / bare.bytes:5.2f} of its bytes, {took / floor:5.2f} of its time"
        return (
            f"{name:<34} {self.bytes / 1e6:6.3f} MB {self.answers:>4} answers  shift {self.shift:.3f} "
            f"{took:7,.0f} ms   {ratios}"
        )


def timed(seen: Seen, act: Callable[[], object], ready: Callable[[], object]) -> None:
    """Do *act* and wait until *ready*."""
    began = time.perf_counter()
    act()
    ready()
    seen.taken_ms.append((time.perf_counter() - began) * 1000)


@contextmanager
def visitor(browser: Browser, url: str, line: tuple[float, float], token: str = "") -> Iterator[tuple[Page, Weighed]]:
    """A tab of somebody new at *url*, or of who holds *token*, on a *line* of Mbit/s and ms there and back."""
    with watched(browser, url, "ko-KR") as seen:
        if token:
            seen.context.add_cookies([{"name": "maemae", "value": token, "url": url}])
        page = seen.page()
        weighed = Weighed(page)
        weighed.slow_down(*line)
        yield page, weighed


@contextmanager
def moving(redis_url: str) -> Iterator[None]:
    """With prices moving, from a thread: a chart whose candles do not come says so instead of *live*."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(tick(redis_url))
    ticker = threading.Thread(target=loop.run_until_complete, args=(asyncio.wait([task]),))
    ticker.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        ticker.join()
        loop.close()


def _candles(page: Page) -> None:
    page.locator(".tvchart-legend", has_text=WORDS["chart.live"]).wait_for()


def ours(browser: Browser, url: str, token: str, line: tuple[float, float], seen: dict[str, Seen]) -> None:
    """One round of ours."""
    with visitor(browser, url, line) as (page, weighed):
        timed(seen["door"], lambda: page.goto(url), lambda: page.locator(".door form").wait_for())
        seen["door"].weigh(weighed, 0, 0)
        before = weighed.total, len(weighed.sent)
        demo = page.locator(".door .quick button").last
        timed(seen["from the door to candles"], demo.click, lambda: _candles(page))
        seen["from the door to candles"].weigh(weighed, *before)
        before = weighed.total, len(weighed.sent)
        timed(seen["dashboard, cache full"], lambda: page.goto(url), lambda: _candles(page))
        seen["dashboard, cache full"].weigh(weighed, *before)
    with visitor(browser, url, line, token) as (page, weighed):
        timed(seen["dashboard, cache empty"], lambda: page.goto(url), lambda: _candles(page))
        seen["dashboard, cache empty"].weigh(weighed, 0, 0)


def bare(browser: Browser, url: str, line: tuple[float, float], seen: dict[str, Seen]) -> None:
    """One round of the bare page."""
    with visitor(browser, url, line) as (page, weighed):
        for name in ("bare page", "bare page, cache full"):
            before = weighed.total, len(weighed.sent)
            timed(seen[name], lambda: page.goto(url), lambda: page.get_by_role("heading", name="Bare").wait_for())
            seen[name].weigh(weighed, *before)


OURS = ("door", "from the door to candles", "dashboard, cache empty", "dashboard, cache full")
BARE = ("bare page", "bare page, cache full")


def measure(env: dict[str, str], token: str, line: tuple[float, float], rounds: int, binary: str) -> dict[str, Seen]:
    """Both, round by round, in one browser."""
    url, port = f"http://127.0.0.1:{env['PORT']}", free_port()
    peer = f"http://127.0.0.1:{port}"
    command = ["-m", "streamlit", "run", "bench/bare_page.py", "--server.port", str(port), "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
    plain = {**os.environ, "PYTHONPATH": env["PYTHONPATH"]}
    seen = {name: Seen() for name in (*OURS, *BARE)}
    with (
        serving(["-m", "app.server"], env, f"{url}/healthz"),
        serving(command, plain, f"{peer}/_stcore/health"),
        moving(env["REDIS_URL"]),
        running_browser(binary) as browser,
    ):
        time.sleep(WARM_S)
        for _ in range(rounds):
            ours(browser, url, token, line, seen)
            bare(browser, peer, line, seen)
    return seen


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mbit", type=float, default=10)
    parser.add_argument("--round-trip", type=float, default=40, help="ms")
    options = parser.parse_args()
    if (binary := chromium()) is None:
        raise SystemExit("no Chromium here: install it or set TEST_CHROMIUM")
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.ensure(folder)
        try:
            env = environment(folder, server.url)
            token, _ = prepare(env, 2, last_is_demo=True)
            seen = measure(env, token, (options.mbit, options.round_trip), options.rounds, binary)
        finally:
            server.stop()
    print(f"{options.mbit:g} Mbit/s, {options.round_trip:g} ms; ratios to the bare page of the same cache")
    for name in OURS:
        print(seen[name].line(name, seen[BARE[1] if name.endswith("full") else BARE[0]]))
    for name in BARE:
        print(seen[name].line(name, seen[name]))
    both = seen[OURS[0]].bytes + seen[OURS[1]].bytes
    print(f"door and dashboard together {both / 1e6:.3f} MB, {both / seen[BARE[0]].bytes:.2f} of the bare page")


if __name__ == "__main__":
    main()
