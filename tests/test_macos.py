"""
`make run` on macOS, as far as Linux can tell: what Linux alone has is taken away, and no new call of it comes in.

docs/macos.md is the list. No Mac runs this.
"""

import ast
import asyncio
import ctypes
import io
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from app.http import places
from lib.supervision import child, lifeline
from lib.supervision.screen import Screen
from tests.soak import __main__ as soak

ROOT = Path(__file__).resolve().parents[1]
LINUX_ALONE = {
    "os": {
        "pidfd_open", "sched_getaffinity", "sched_setaffinity", "sched_setscheduler", "memfd_create", "eventfd",
        "splice", "copy_file_range", "posix_fadvise", "posix_fallocate", "getrandom", "setns", "unshare", "pipe2",
        "sched_yield", "getxattr", "setxattr", "O_TMPFILE", "O_PATH", "O_DIRECT", "O_NOATIME",
    },
    "signal": {"sigtimedwait", "sigwaitinfo", "pidfd_send_signal", "SIGRTMIN", "SIGPWR", "SIGSTKFLT"},
    "select": {"epoll"},
    "selectors": {"EpollSelector"},
    "fcntl": {"F_SETPIPE_SZ", "F_ADD_SEALS", "F_NOTIFY", "F_OFD_SETLK"},
    "resource": {"prlimit"},
    "socket": {"TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "AF_VSOCK", "AF_NETLINK", "SO_BINDTODEVICE", "SO_PEERCRED",
               "SOCK_CLOEXEC", "SOCK_NONBLOCK", "MSG_NOSIGNAL", "TCP_QUICKACK", "TCP_DEFER_ACCEPT"},
    "time": {"CLOCK_BOOTTIME", "CLOCK_MONOTONIC_COARSE", "CLOCK_TAI"},
}  # fmt: skip
OF_LINUX = {"lib/supervision/lifeline.py": "prctl", "lib/bootstrap/backtester.py": "/proc"}
"""Where Linux' own way is asked for, and only on Linux."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("lib", "app", "services", "db"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def test_nothing_of_linux_alone_is_called_but_what_the_list_names() -> None:
    found: dict[str, set[str]] = {}
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                words = {node.attr} & (LINUX_ALONE.get(node.value.id, set()) | {"prctl"})
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = set(re.findall(r"^/(?:proc|sys|dev/shm|run)\b", node.value))
            else:
                words = {"prctl"} if isinstance(node, ast.Attribute) and node.attr == "prctl" else set()
            if words:
                found.setdefault(name, set()).update(words)
    assert found == {name: {word} for name, word in OF_LINUX.items()}
    said = (ROOT / "docs/macos.md").read_text("utf-8")
    assert all(name in said and word in said for name, word in OF_LINUX.items())


def test_the_makefile_asks_nothing_of_gnus_tools() -> None:
    said = (ROOT / "Makefile").read_text("utf-8")
    of_gnu = r"sed -i|sed [^|]*\\t|\bnproc\b|date -d|readlink -f|\btac\b|stat -c|xargs -r|grep -[a-zA-Z]*P|mktemp --"
    assert re.findall(of_gnu, said) == []
    assert re.findall(r"^\.ONESHELL|\$\(file |\$\(guile |!=|::=", said, re.MULTILINE) == [], "make 3.81 knows none"
    assert re.findall(r"\$\$\{[^}]*(?:,,|\^\^|@[A-Z])\}|mapfile|declare -A|\|&|&>>", said) == [], "nor does bash 3.2"


def test_no_two_files_differ_by_capitals_alone() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert len({name.casefold() for name in listed}) == len(listed)


def test_without_prctl_a_process_is_tied_by_its_parent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_call(*_: object) -> NoReturn:
        raise AssertionError("prctl is Linux' alone")

    monkeypatch.setattr(ctypes, "CDLL", no_such_call)
    monkeypatch.setattr(sys, "platform", "darwin")
    lifeline.tie(os.getppid())
    with pytest.raises(SystemExit):
        lifeline.tie(1_000_000_000)


def test_a_child_is_kept_and_ended_on_a_loop_without_epoll() -> None:
    async def kept() -> tuple[int, str]:
        said, read_end, write_end = io.StringIO(), *os.pipe()
        screen = Screen(("one",), said)
        command = [sys.executable, "-c", "print('here', flush=True); import time; time.sleep(600)"]
        there = asyncio.Event()

        def say(line: str) -> None:
            screen.say("one", line)
            there.set()

        one = await child.start(command, {}, read_end, say)
        async with asyncio.timeout(60):
            await there.wait()
            one.send(signal.SIGTERM)
            status = await one.ended()
        screen.close()
        os.close(read_end)
        os.close(write_end)
        return status, said.getvalue()

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.PollSelector())) as runner:
        status, said = runner.run(kept())
    assert status == -signal.SIGTERM
    assert "here" in said


@pytest.mark.parametrize("refusal", [ValueError("not allowed to raise maximum limit"), OSError(22, "Invalid argument")])
def test_a_limit_of_files_that_cannot_be_raised_lets_fewer_in(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuses)
    assert places.places(0).everybody == 1_024 - places.OWN_FILES


def test_a_soak_without_proc_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(soak, "PROC", Path("/nowhere"))
    monkeypatch.setattr(sys, "argv", ["soak"])
    assert soak.main() == 1
    assert "Linux" in capsys.readouterr().out
