"""A grid on real workers: whatever is killed on the way, what was made is kept, and nothing is run twice."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from lib.bootstrap.grid_worker import worked
from lib.domain.errors import Halt
from tests.evidence.walks import file_of, wandering

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
RANGES = ("--level", "high", "--risk", "0.1:1.5:0.1", "--confidence", "0.55:0.9:0.05")
ALL = 15 * 8
DEADLINE_S = 120


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of candles."""
    return file_of(wandering(11, 3 * 1440), tmp_path_factory.mktemp("candles"))


@contextmanager
def command(candles: Path, to: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """`make grid`, ended with all its children when the block ends."""
    given = [sys.executable, "-m", "services.grid", "--file", str(candles), "--keep", str(to), *RANGES, *words]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    with subprocess.Popen(given, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            ended(psutil.Process(child.pid).children(recursive=True) if child.poll() is None else [], kill=True)
            child.kill()


def ended(processes: list[psutil.Process], *, kill: bool = False) -> None:
    """Wait until all of *processes* are gone."""
    for one in processes:
        if kill and one.is_running():
            one.kill()
    _, alive = psutil.wait_procs(processes, timeout=DEADLINE_S)
    assert not alive


def lines(to: Path) -> list[str]:
    """The whole lines of the one file there is."""
    found = list(to.glob("*.jsonl"))
    return found[0].read_text().splitlines() if found else []


def when_begun(child: "subprocess.Popen[str]", to: Path, least: int = 2) -> list[str]:
    """Wait until some rows are kept; those."""
    until = time.monotonic() + DEADLINE_S
    while len(lines(to)) < least:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    return lines(to)


def workers(child: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The processes that run accounts."""
    return [one for one in psutil.Process(child.pid).children() if "spawn_main" in " ".join(one.cmdline())]


def keys(to: Path) -> list[str]:
    """The keys in the file, in its order."""
    return [json.loads(line)["key"] for line in lines(to)[1:]]


def test_a_worker_killed_in_the_middle_loses_nothing_and_no_account_is_run_twice(candles: Path, tmp_path: Path) -> None:
    with command(candles, tmp_path, "--workers", "2") as child:
        before = when_begun(child, tmp_path)
        os.kill(workers(child)[0].pid, signal.SIGKILL)
        assert len(lines(tmp_path)) < ALL
        said, trouble = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, trouble) == (0, "")
    assert lines(tmp_path)[: len(before)] == before
    assert len(keys(tmp_path)) == len(set(keys(tmp_path))) == ALL
    assert f"{ALL} tried here, {ALL} over this time" in said
    again = tmp_path / "again"
    with command(candles, again, "--workers", "1", "--risk", "0.1", "--confidence", "0.55,0.6,0.7") as child:
        child.communicate(timeout=DEADLINE_S)
    assert len(keys(again)) == 3
    assert set(lines(again)) < set(lines(tmp_path))


def test_a_killed_command_goes_on_where_it_was_and_leaves_no_process(candles: Path, tmp_path: Path) -> None:
    with command(candles, tmp_path, "--workers", "2") as child:
        when_begun(child, tmp_path, 40)
        children = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(signal.SIGKILL)
        child.wait()
        ended(children)
    kept = lines(tmp_path)
    assert 40 <= len(kept) < ALL
    with next(tmp_path.glob("*.jsonl")).open("a") as file:
        file.write('{"key": "cut')
    with command(candles, tmp_path, "--workers", "2") as child:
        said, _ = child.communicate(timeout=DEADLINE_S)
    assert f"{ALL} accounts, {len(kept) - 1} of them tried before" in said
    assert lines(tmp_path)[: len(kept)] == kept
    assert len(keys(tmp_path)) == len(set(keys(tmp_path))) == ALL


def test_by_an_address_other_workers_run_it_and_a_dead_scheduler_is_one_line(candles: Path, tmp_path: Path) -> None:
    with scheduler() as (address, pids):
        with command(candles, tmp_path, "--scheduler", address) as child:
            when_begun(child, tmp_path)
            assert not workers(child)
            os.kill(pids[0], signal.SIGKILL)
            _, trouble = child.communicate(timeout=DEADLINE_S)
        assert child.returncode == 78
        assert re.fullmatch(r"grid: the scheduler went away: \w+\n", trouble)
        assert 2 <= len(lines(tmp_path)) < ALL
    with command(candles, tmp_path, "--workers", "2") as child:
        child.communicate(timeout=DEADLINE_S)
    assert len(keys(tmp_path)) == len(set(keys(tmp_path))) == ALL


def test_nobody_at_the_address_is_one_line(candles: Path, tmp_path: Path) -> None:
    with command(candles, tmp_path, "--scheduler", "tcp://127.0.0.1:1") as child:
        _, trouble = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 78
    assert trouble.startswith("grid: no scheduler answers at tcp://127.0.0.1:1")


def test_a_worker_of_another_version_refuses() -> None:
    with pytest.raises(Halt, match="another version"):
        worked(("0" * 64, ()), b"")


@contextmanager
def scheduler() -> Iterator[tuple[str, list[int]]]:
    """A Dask scheduler and one worker, as an operator starts them: (address, pids)."""
    here = ("--host", "127.0.0.1", "--no-dashboard")
    with dask("dask_scheduler", *here, "--port", "0") as first:
        assert first.stderr is not None
        address = next(found[0] for line in first.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
        with dask("dask_worker", address, *here, "--nthreads", "1", "--no-nanny") as second:
            yield address, [first.pid, second.pid]


@contextmanager
def dask(part: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A part of Dask, killed when the block ends."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    given = [sys.executable, "-m", f"distributed.cli.{part}", *words]
    with subprocess.Popen(given, cwd=ROOT, env=env, text=True, stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()
