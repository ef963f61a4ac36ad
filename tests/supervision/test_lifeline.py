"""No process outlives its supervisor: by the kernel where it can, by the end of a pipe everywhere."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from lib.supervision import lifeline

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
DEAF = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)]\n"


def held(code: str, grace_s: float) -> "tuple[subprocess.Popen[bytes], int]":
    """A program that holds the lifeline, and the supervisor's end of it."""
    read_end, write_end = os.pipe()
    whole = (
        f"import os, time\nfrom lib.supervision import lifeline\n{code}"
        f"lifeline.hold({lifeline.told(read_end)!r}, {grace_s})\nos.write(1, b'here')\nos.close(1)\ntime.sleep(600)"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", whole], cwd=ROOT, env=env, stdout=subprocess.PIPE, pass_fds=(read_end,)
    )
    os.close(read_end)
    with process.stdout or pytest.fail("no pipe") as said:
        assert said.read() == b"here"
    return process, write_end


def test_the_end_of_the_pipe_asks_a_process_to_end() -> None:
    process, write_end = held("", 600)
    os.close(write_end)
    assert process.wait(60) == -15


def test_who_does_not_listen_is_killed_after_the_grace() -> None:
    process, write_end = held(DEAF, 0.1)
    os.close(write_end)
    assert process.wait(60) == -9


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own way is Linux's")
def test_the_kernel_ends_a_program_that_is_not_ours() -> None:
    middle = (
        "import subprocess, sys, os, signal\n"
        f"tie = [sys.executable, '-m', {lifeline.__name__!r}, str(os.getpid())]\n"
        "tied = subprocess.Popen([*tie, '/bin/sleep', '600'])\n"
        "print(tied.pid, flush=True)\nsys.stdin.read()\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", middle], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process, process.stdout or pytest.fail("no pipe") as said:
        pid = int(said.readline())
        watched, comm = os.pidfd_open(pid), Path(f"/proc/{pid}/comm")
        while comm.read_text() != "sleep\n":
            os.sched_yield()
    assert process.returncode == -9
    assert select.select([watched], [], [], 60)[0] == [watched], "it outlived who started it"
    os.close(watched)


def test_who_was_started_by_somebody_already_gone_does_not_begin() -> None:
    with pytest.raises(SystemExit):
        lifeline.tie(1_000_000_000)
