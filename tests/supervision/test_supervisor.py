"""Small programs under the supervisor: crash loops, those that do not listen or cannot start, the order of ends."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lib import log
from lib.domain.backoff import Backoff
from lib.domain.restarts import RestartRule
from lib.supervision import child, lifeline
from lib.supervision.supervisor import Post, Supervisor

pytestmark = pytest.mark.e2e

QUICK = RestartRule(Backoff(0.01, 0.02), set_wrong_s=0.02, healthy_s=30.0, looping_after=3)
RUNS_ON = "import time; print('here', flush=True); time.sleep(600)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True)\n"
    "while True: time.sleep(600)"
)
Heard = list[tuple[str, Mapping[str, object]]]


@pytest.fixture
def heard() -> Any:
    told: Heard = []
    with log.listen(lambda event, fields: told.append((event, dict(fields)))):
        yield told


class Stage:
    """Programs by name, what they said, and the supervisor that keeps them."""

    def __init__(self, programs: Mapping[str, str], ending: tuple[str, ...] = (), end_s: float = 30.0) -> None:
        self.lines: list[tuple[str, str]] = []
        self.said = asyncio.Event()
        self.stop = asyncio.Event()
        self.read_end, self.write_end = os.pipe()
        posts = [Post(name, self._starter(name, code), end_s) for name, code in programs.items()]
        self.kept = Supervisor(posts, ending, QUICK)

    def _starter(self, name: str, code: str) -> Callable[[], Awaitable[child.Running]]:
        env = {"PATH": os.environ["PATH"], lifeline.NAME: lifeline.told(self.read_end)}
        return partial(child.start, [sys.executable, "-c", code], env, self.read_end, partial(self._say, name))

    def _say(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self.said.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                self.said.clear()
                await asyncio.wait((asyncio.ensure_future(self.said.wait()),), timeout=0.05)

    async def __aenter__(self) -> "Stage":
        self.running = asyncio.create_task(self.kept.run(self.stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        self.kept.hurry()
        async with asyncio.timeout(60):
            await self.running
        os.close(self.read_end)
        os.close(self.write_end)


async def test_a_crash_loop_is_told_once_and_touches_nobody_else(heard: Heard) -> None:
    async with Stage({"broken": "raise SystemExit(3)", "well": RUNS_ON}) as stage:
        broken, well = stage.kept.posts
        await stage.until(lambda: broken.restarts >= 6 and ("well", "here") in stage.lines)
        assert broken.is_looping(QUICK)
        assert well.restarts == 0
    loops = [fields for event, fields in heard if event == "process.loops"]
    assert [(one["process"], one["alert"], one["ends_in_a_row"]) for one in loops] == [("broken", True, 3)]
    assert "failed; its last lines say why (exit 3)" in {fields.get("how") for _, fields in heard}


async def test_who_lives_for_a_healthy_while_is_in_no_loop_any_more(heard: Heard, tmp_path: Path) -> None:
    mark = tmp_path / "mended"
    code = f"import os, time\nif not os.path.exists({str(mark)!r}): raise SystemExit(1)\ntime.sleep(600)"
    async with Stage({"sometimes": code}) as stage:
        stage.kept.rule = RestartRule(QUICK.pause, 0.02, 1.0, QUICK.looping_after)
        [post] = stage.kept.posts
        await stage.until(lambda: post.is_looping(QUICK))
        mark.touch()
        await stage.until(lambda: not post.is_looping(QUICK))
        assert post.pid
    assert ("process.steady", {"process": "sometimes"}) in heard


async def test_they_end_one_after_the_other_in_the_order_that_was_given(heard: Heard) -> None:
    async with Stage(dict.fromkeys(("a", "b", "c"), RUNS_ON), ("c", "a", "b")) as stage:
        await stage.until(lambda: len(stage.lines) == 3)
        stage.stop.set()
        await stage.running
    assert [fields["process"] for event, fields in heard if event == "process.stopped"] == ["c", "a", "b"]


async def test_who_does_not_listen_is_killed_after_its_time(heard: Heard) -> None:
    async with Stage({"deaf": DEAF}, end_s=0.2) as stage:
        await stage.until(lambda: ("deaf", "here") in stage.lines)
        stage.stop.set()
        await stage.running
    [how] = [fields["how"] for event, fields in heard if event == "process.stopped"]
    assert "SIGKILL" in str(how)


async def test_who_waits_to_be_started_again_has_a_line_of_its_end_too(heard: Heard) -> None:
    async with Stage({"broken": "raise SystemExit(3)", "well": RUNS_ON}, ("broken", "well")) as stage:
        stage.kept.rule = RestartRule(Backoff(600.0, 600.0))
        await stage.until(lambda: "process.ended" in {event for event, _ in heard} and ("well", "here") in stage.lines)
        stage.stop.set()
        await stage.running
    stopped = [(fields["process"], fields["how"]) for event, fields in heard if event == "process.stopped"]
    assert stopped == [("broken", "it was waiting to be started again"), ("well", "was ended (SIGTERM)")]


async def test_told_twice_everybody_ends_at_once() -> None:
    async with Stage(dict.fromkeys(("a", "b"), DEAF), end_s=3_600) as stage:
        await stage.until(lambda: len(stage.lines) == 2)
        stage.stop.set()
        stage.kept.hurry()
        await stage.running


async def test_a_program_that_cannot_be_started_is_tried_again_and_the_others_live(heard: Heard) -> None:
    async with Stage({"well": RUNS_ON}) as stage:

        async def missing() -> child.Running:
            return await child.start(["/nowhere/program"], {}, stage.read_end, lambda _: None)

        other = Supervisor([Post("missing", missing)], (), QUICK)
        stop = asyncio.Event()
        running = asyncio.create_task(other.run(stop))
        await stage.until(lambda: other.posts[0].restarts >= 3 and ("well", "here") in stage.lines)
        stop.set()
        await running
    assert "process.not_started" in {event for event, _ in heard}


async def test_what_a_program_left_running_ends_with_it() -> None:
    code = (
        "import subprocess, sys, os\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(grandchild.pid, flush=True)\nos._exit(1)"
    )
    async with Stage({"parent": code}) as stage:
        await stage.until(lambda: bool(stage.lines))
        pid = int(stage.lines[0][1])
        await stage.until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_long_lines_lines_without_an_end_and_bytes_that_are_no_text_are_handed_on() -> None:
    code = (
        "import sys, time; o = sys.stdout.buffer; o.write(b'x' * 300_000 + b'\\nb\\xff\\nlast'); o.flush()\n"
        "raise SystemExit(0)"
    )
    async with Stage({"loud": code}) as stage:
        await stage.until(lambda: ("loud", "last") in stage.lines)
        assert ("loud", "x" * 300_000) in stage.lines
        assert ("loud", "b\N{REPLACEMENT CHARACTER}") in stage.lines
