"""The whole system under its supervisor, in real processes: each killed in turn, the supervisor killed, told to end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.process_table import ENDING, PROCESSES
from tests.e2e.test_whole_system import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
AT_WORK = tuple(name for name in ENDING if name != "worker")  # one machine has the trader
KEPT = (*AT_WORK, "redis")


def eventually(what: str, holds: Callable[[], Any], seconds: float = 300) -> Any:
    """Ask until *holds* gives something true; the deadline is a failure, not a rhythm."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


def lives(pid: int) -> bool:
    """Whether *pid* is a process that is not merely waiting to be taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Supervised:
    """`make run` in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: str(free_port()) for name in ("PORT", "SIMULATOR_PORT", "METRICS_PORT_SUPERVISOR")}
        own = {"PATH", "HOME", "LANG", "TMPDIR"}
        env = {name: value for name, value in os.environ.items() if name in own}
        with (folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.supervised"],
                cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                env=env | self.ports | {"DATA_DIR": str(folder / "var"), "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def said(self) -> str:
        return (self.folder / "out").read_text(errors="replace")

    def pids(self) -> dict[str, int]:
        """Who is at work, by the supervisor's own word."""
        try:
            state = json.loads((self.folder / "var/supervisor.json").read_text())["processes"]
        except (OSError, ValueError):
            return {}
        return {name: one["pid"] for name, one in state.items() if one["pid"] and lives(one["pid"])}

    def all_at_work(self) -> dict[str, int]:
        pids = self.pids()
        return pids if set(pids) == set(KEPT) else {}

    def figures(self) -> str:
        url = f"http://127.0.0.1:{self.ports['METRICS_PORT_SUPERVISOR']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return str(reply.read().decode())


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    seen: set[int] = set()
    try:
        seen |= set(eventually("everybody is at work", made.all_at_work).values())
        yield made
    finally:
        seen |= set(made.pids().values())
        if made.process.poll() is None:
            made.process.kill()
        made.process.wait()
        for pid in filter(lives, seen):
            os.kill(pid, signal.SIGKILL)


def environment_of(pid: int) -> set[str]:
    return {one.partition(b"=")[0].decode() for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if one}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_each_process_is_killed_in_turn_and_comes_back_alone_and_all_end_in_order(system: Supervised) -> None:
    before = system.all_at_work()
    for name in AT_WORK:
        held = environment_of(before[name]) & {"ENCRYPTION_KEY", "WEB_SECRET", "NOTIFIER_KEY", "OPENAI_API_KEY"}
        assert held == held & set(PROCESSES[name].secrets), name
    assert "ENCRYPTION_KEY" in environment_of(before["trader"])
    for name in KEPT:
        os.kill(before[name], signal.SIGKILL)

        def back(name: str = name, gone: int = before[name]) -> dict[str, int]:
            now = system.all_at_work()
            return now if now.get(name, gone) != gone else {}

        now = eventually(f"{name} is back", back)
        others = {other for other in KEPT if other != name and now[other] != before[other]}
        # whoever was still starting when the store went says so, ends, and comes back like the killed one
        assert all(name == "redis" and f"{other}: the server's store" in system.said() for other in others), name
        assert re.search(rf'process\.ended process={name} how="was killed \(SIGKILL\)', system.said())
        before = now
        if name == "trader":
            assert 'maemae_process_ends_total{process="trader"} 1.0' in system.figures()
    system.process.send_signal(signal.SIGTERM)
    assert system.process.wait(300) == 0
    assert not any(map(lives, before.values()))
    stopped = re.findall(r"process\.stopped process=(\w+)", system.said())
    assert stopped == list(KEPT), system.said()[-6000:]
    assert not (system.folder / "var/supervisor.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="without prctl the next run joins a left-over Redis")
def test_a_supervisor_killed_on_the_spot_leaves_nobody_behind(system: Supervised) -> None:
    pids = system.all_at_work()
    system.process.kill()
    assert system.process.wait() == -signal.SIGKILL
    eventually("nobody is left", lambda: not any(map(lives, pids.values())))
    again = Supervised(system.folder)
    try:
        eventually("the next start works", again.all_at_work)
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(300) == 0
    finally:
        if again.process.poll() is None:
            again.process.kill()
            again.process.wait()
