"""
100 signed-in dashboards at one tick a second on one web process, against a naive fragment and a bare fan-out.

Ours is `app.server` as deployed: each viewer is a person of their own, with an account without history yet, and holds
the page, the live WebSocket and the account's channel. The naive peer is a Streamlit page whose fragment sends 500
candles again every second: with Streamlit's own settings, and once spared the collection after every run as ours is;
with few viewers, since it is saturated long before 100. The floor is a bare WebSocket route. Only the CPU of the
serving process counts (from /proc: Linux only), per viewer and second. Then the time from an address to a moving chart
in headless Chromium, cold (nothing cached) and warm. Start: `python -m bench.dashboards`.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from bench.candles_read import candles
from bench.viewers import Counted, account_viewer, chart_viewer, crowd, page_viewer
from lib.accounts.entrance import sha256
from lib.adapters.redis import embedded
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.sessions import SqlSessions
from lib.adapters.vault import generate_keys
from lib.clock import SystemClock
from lib.domain.account_records import NewAccount
from lib.domain.candle import MINUTE_MS, Candle, FormingCandle
from lib.domain.session import NewSession
from lib.settings import load
from tests.browser.deployment import free_port
from tests.browser.watching import chromium, running_browser, watched

ROOT = Path(__file__).resolve().parents[1]
SERIES = ("BTCUSDT", "1m")
NAIVE_VIEWERS = 8
PACKED_S = 30
"""How long a server that has just started packs its files for whoever comes; not a viewer's cost."""
BEFORE = ("--runner.postScriptGC", "true")
SPARED = ("--runner.postScriptGC", "false")

Viewer = Callable[[Counted], Coroutine[Any, Any, None]]


@contextmanager
def serving(command: Sequence[str], env: dict[str, str], url: str) -> Iterator[int]:
    """A server process that answers at *url*, ended with the block."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            _await(url, child)
            yield child.pid
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def _await(url: str, child: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 40
    while child.poll() is None and time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own loopback
        except urllib.error.HTTPError:
            return  # any answer will do
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} never answered")


async def tick(url: str) -> None:
    """One change of the forming candle a second."""
    client = connect(url)
    store = RedisCandleStore(client)
    for number in range(10**6):
        newest = store.newest(*SERIES, 1)[0]
        price = Decimal(60_000) + Decimal(number % 97) / 10
        candle = Candle(newest.open_time + MINUTE_MS, price, price + 20, price - 20, price, Decimal(number + 1))
        store.put_forming(*SERIES, FormingCandle(candle, SystemClock().now_ms()))
        await asyncio.sleep(1)


@asynccontextmanager
async def ticking(url: str) -> AsyncIterator[None]:
    """With prices moving."""
    task = asyncio.create_task(tick(url))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def cpu_ms(pid: int, viewers: list[Viewer], count: int, seconds: float) -> tuple[float, Counted]:
    """CPU ms per viewer-second of the process *pid* while *viewers* (of *count* people) are there."""
    async with crowd(viewers) as seen:
        await _settled(seen, len(viewers))
        began, before = time.monotonic(), _cpu_s(pid)
        seen.ticks = seen.runs = 0
        seen.kilobytes = 0
        await asyncio.sleep(seconds)
        seen.seconds = time.monotonic() - began
        spent = (_cpu_s(pid) - before) / seen.seconds
        counted = replace(seen)
    if seen.wrong:
        raise RuntimeError(f"a viewer failed: {seen.wrong[0]}")
    return spent * 1000 / count, counted


async def _settled(seen: Counted, wanted: int) -> None:
    async with asyncio.timeout(90):
        while seen.ready < wanted and not seen.wrong:  # noqa: ASYNC110 - a bench may look now and then
            await asyncio.sleep(0.1)
    if seen.wrong:
        raise RuntimeError(f"{len(seen.wrong)} viewers failed, {seen.ready} are there: {seen.wrong[0]}")
    await asyncio.sleep(1)


def _cpu_s(pid: int) -> float:
    # proc(5): utime and stime are fields 14 and 15; the name before them may contain spaces
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prepare(env: dict[str, str], viewers: int, *, last_is_demo: bool = False) -> list[str]:
    """
    A database with a person, an account and a session for each viewer, 5,000 candles; the sessions' tokens.

    With *last_is_demo* the last of them is who everybody may look at from the front door.
    """
    settings = load(env)
    engine = make_engine(settings.database_url)
    migrate(engine)
    accounts = SqlAccounts(engine)
    now = SystemClock().now_ms()
    tokens = [secrets.token_urlsafe(32) for _ in range(viewers)]
    for number, token in enumerate(tokens, 1):
        user_id = accounts.add_user(f"viewer{number}@example.com", "!", is_demo=last_is_demo and number == viewers)
        uid, begin = str(number), Decimal(10_000)
        accounts.add_account(
            NewAccount(user_id, "paper", settings.feed_name, uid, "BTCUSDT", "sealed", "0000", 1, begin, now)
        )
        SqlSessions(engine).open(NewSession(sha256(token), user_id, False, "127.0.0.1", "bench", now))
    first = now // MINUTE_MS * MINUTE_MS - 5_000 * MINUTE_MS
    made = [
        Candle(first + n * MINUTE_MS, c.open, c.high, c.low, c.close, c.volume) for n, c in enumerate(candles(5_000))
    ]
    client = connect(settings.redis_url)
    RedisCandleStore(client).rebuild(*SERIES, made)
    client.close()
    engine.dispose()
    return tokens


def environment(folder: str, redis_url: str) -> dict[str, str]:
    """What the web process is told."""
    private, public = generate_keys()
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": folder,
        "DATABASE_URL": f"sqlite:///{folder}/maemae.db",
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEY": private,
        "ENCRYPTION_PUBLIC_KEY": public,
        "INSTALLATION": "bench",
        "PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
    }


def first_chart(url: str, token: str, rounds: int) -> dict[str, float]:
    """Median ms from the address to a live chart, with an empty cache and with a filled one."""
    binary = chromium()
    if binary is None:
        return {}
    taken: dict[str, list[float]] = {"cold": [], "warm": []}
    with running_browser(binary) as browser:
        for _ in range(rounds):
            with watched(browser, url, "ko-KR") as seen:
                seen.context.add_cookies([{"name": "maemae", "value": token, "url": url}])
                page = seen.page()
                for kind in ("cold", "warm"):
                    began = time.perf_counter()
                    page.goto(url)
                    page.locator(".tvchart-legend", has_text="실시간").wait_for()
                    taken[kind].append((time.perf_counter() - began) * 1000)
    return {kind: statistics.median(values) for kind, values in taken.items()}


async def measure(env: dict[str, str], tokens: list[str], seconds: float) -> None:
    """Every case, one after another, and what they mean."""
    url, count = f"http://127.0.0.1:{env['PORT']}", len(tokens)
    result: dict[str, float] = {}

    def told(name: str, ms: float, seen: Counted, viewers: int) -> None:
        result[name] = ms
        share = viewers * seen.seconds
        each = f"{seen.ticks / share:.2f} ticks, {seen.runs / share:.2f} runs, {seen.kilobytes / share:.1f} kB"
        print(f"{name:<16} {viewers:>4} viewers, each a second: {each}")

    with serving(["-m", "app.server"], env, f"{url}/healthz") as pid:
        await asyncio.sleep(PACKED_S)
        async with ticking(env["REDIS_URL"]):
            told("live chart", *await _case(pid, [(chart_viewer, url, tokens)], count, seconds), count)
            told("account channel", *await _case(pid, [(account_viewer, url, tokens)], count, seconds), count)
            whole = [(kind, url, tokens) for kind in (chart_viewer, account_viewer, page_viewer)]
            told("whole dashboard", *await _case(pid, whole, count, max(seconds, 15)), count)
            chart = await asyncio.to_thread(first_chart, url, tokens[0], 3)
    port = free_port()
    with serving(["-m", "bench.fanout_floor", str(port)], env, f"http://127.0.0.1:{port}/") as pid:
        floor = [(chart_viewer, f"http://127.0.0.1:{port}", [""] * count)]
        told("bare fan-out", *await _case(pid, floor, count, seconds), count)
    for name, flags in (("naive fragment", BEFORE), ("naive, less GC", SPARED)):
        told(name, *await _naive(env, flags, seconds), NAIVE_VIEWERS)
    for name, ms in result.items():
        print(f"{name:<16} {ms:9.3f} ms CPU per viewer-second   {ms / result['live chart']:8.1f} x our live chart")
    print(
        f"the naive fragment costs {result['naive fragment'] / result['whole dashboard']:.1f} whole dashboards of ours"
    )
    print("first chart: " + (", ".join(f"{kind} {ms:,.0f} ms" for kind, ms in chart.items()) or "no Chromium here"))


async def _case(
    pid: int, kinds: Sequence[tuple[Any, str, list[str]]], count: int, seconds: float
) -> tuple[float, Counted]:
    viewers: list[Viewer] = [partial(kind, url, token) for kind, url, tokens in kinds for token in tokens]
    return await cpu_ms(pid, viewers, count, seconds)


async def _naive(env: dict[str, str], flags: Sequence[str], seconds: float) -> tuple[float, Counted]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "streamlit", "run", "bench/naive_dashboard.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", *flags, "--", env["REDIS_URL"]]
    with serving(command, env, f"{url}/_stcore/health") as pid:
        return await _case(pid, [(page_viewer, url, [""] * NAIVE_VIEWERS)], NAIVE_VIEWERS, seconds)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.ensure(folder)
        try:
            env = environment(folder, server.url)
            tokens = prepare(env, options.viewers)
            asyncio.run(measure(env, tokens, options.seconds))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
