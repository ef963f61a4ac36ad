"""What takes long to start holds up nobody else, and nobody who wants everything ended at once."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lib import bootstrap
from lib.adapters.redis import embedded
from lib.adapters.redis.embedded import EmbeddedRedis
from lib.bootstrap.local import KeptRedis
from lib.supervision.child import Running
from lib.supervision.lasting import LastingThread
from lib.supervision.screen import Screen
from lib.supervision.supervisor import Post, Supervisor

pytestmark = pytest.mark.e2e

NEVER_READY = """#!/bin/sh
[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit 0
echo $$ > "$HOME/starting"
exec sleep 600
"""
RUNS_ON = ["-c", "import time; print('here', flush=True); time.sleep(600)"]


@pytest.fixture
def slow_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A redis-server that never answers is the one found; the file that names its process once it was started."""
    program = tmp_path / "bin" / "redis-server"
    program.parent.mkdir()
    program.write_text(NEVER_READY)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(embedded, "START_TIMEOUT", 60.0)
    yield tmp_path / "starting"
    if pid := pid_in(tmp_path / "starting"):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def first() -> Iterator["subprocess.Popen[bytes]"]:
    """What passes for the Redis that runs at first."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def pid_in(file: Path) -> int:
    """The process *file* names; 0 = not yet."""
    said = file.read_text().strip() if file.exists() else ""
    return int(said or 0)


def is_at_work(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(45):
        while not holds():  # noqa: ASYNC110 - a process elsewhere sets no event of ours
            await asyncio.sleep(0.02)


async def test_everybody_else_is_kept_while_redis_is_starting_again(
    tmp_path: Path, first: "subprocess.Popen[bytes]", slow_redis: Path
) -> None:
    said = io.StringIO()
    kept = bootstrap.supervisor(
        {"watch": [sys.executable, *RUNS_ON]},
        {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
        Screen(("watch",), said),
        None,
        EmbeddedRedis("unix:///nowhere", started_here=True, process=first),
    )
    redis, watch = kept.posts
    stop = asyncio.Event()
    running = asyncio.create_task(kept.run(stop))
    try:
        await until(lambda: redis.pid and watch.pid)
        first.kill()
        await until(lambda: pid_in(slow_redis))
        before = watch.pid
        os.kill(before, signal.SIGKILL)
        await until(lambda: watch.pid not in (0, before))
        assert is_at_work(pid_in(slow_redis)), "it was still starting"
        assert (redis.pid, watch.restarts) == (0, 1)
    finally:
        stop.set()
        kept.hurry()
        async with asyncio.timeout(30):
            await running


async def test_a_redis_that_was_joined_is_left_at_the_end_and_started_anew_when_it_is_gone(tmp_path: Path) -> None:
    """As on macOS, where one outlives a killed `make run`."""
    older = embedded.ensure(tmp_path / "redis")
    assert older.process is not None
    joined = embedded.ensure(tmp_path / "redis")
    assert (joined.started_here, joined.pid) == (False, older.process.pid)
    kept = bootstrap.supervisor({}, {"DATA_DIR": str(tmp_path)}, Screen((), io.StringIO()), None, joined)
    [post] = kept.posts
    stop = asyncio.Event()
    running = asyncio.create_task(kept.run(stop))
    try:
        await until(lambda: post.pid == joined.pid)
        older.process.kill()
        older.process.wait()
        await until(lambda: post.pid not in (0, joined.pid))
        assert post.restarts == 1
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await running
    left = embedded.ensure(tmp_path / "redis")
    assert left.started_here, "the one that was started here ended with us"
    try:
        again = KeptRedis(embedded.ensure(tmp_path / "redis"))
        waiting = asyncio.ensure_future(again.ended())
        again.send(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await waiting == 0
        assert left.answers(), "another's is not ended"
    finally:
        left.stop()


async def test_who_is_told_twice_does_not_wait_for_a_start() -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def start() -> Running:
        begun.set()
        await let_go.wait()
        raise AssertionError("nobody lets it go")

    kept = Supervisor([Post("slow", start)], ())
    stop = asyncio.Event()
    running = asyncio.create_task(kept.run(stop))
    await begun.wait()
    stop.set()
    kept.hurry()
    async with asyncio.timeout(30):
        await running


async def test_a_lasting_thread_is_always_the_same_and_hands_on_what_went_wrong() -> None:
    thread = LastingThread("test")
    assert await thread.do(threading.get_ident) == await thread.do(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await thread.do(lambda: 1 // 0)
    assert await thread.do(lambda: 7) == 7


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    thread, let_go, done = LastingThread("test"), threading.Event(), list[str]()
    first = asyncio.ensure_future(thread.do(let_go.wait))
    second = asyncio.ensure_future(thread.do(lambda: done.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait((second,))
    let_go.set()
    assert await first
    await thread.do(lambda: done.append("third"))
    assert done == ["third"]
