"""
Processes forked from one that has imported everything they run on: like any other, but ready at once.

There is one such process for all of a test run, and one list of what it imports: whoever sets another takes the first
away, and each fork imports for itself, two to three seconds of the processor.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 120

IMPORTED = (
    *("tests.torture.trader", "tests.torture.collector", "tests.torture.venue", "tests.torture.senders"),
    # found by `lib.bootstrap` when they are asked for
    *("lib.bootstrap.processes", "lib.bootstrap.trading", "lib.bootstrap.telling", "lib.bootstrap.chatting"),
    *("openai", "redis.asyncio", "sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.sqlite.pysqlite"),
)

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(IMPORTED))


def fork(run: Callable[[Any], None], plan: object) -> BaseProcess:
    """Start *run* with *plan* as a process of its own."""
    process = _forks.Process(target=run, args=(plan,), daemon=True)
    process.start()
    return process


@dataclass(frozen=True, slots=True)
class Start:
    """`python -m module words` with *env* for the whole of its environment, and where the two things it says go."""

    module: str
    words: tuple[str, ...]
    env: Mapping[str, str]
    out: Path
    err: Path


def _main(start: Start) -> None:
    os.environ.clear()
    os.environ.update(start.env)
    os.chdir(ROOT)
    sys.stdout, sys.stderr = (_into(path, number) for number, path in ((1, start.out), (2, start.err)))
    sys.argv = [start.module, *start.words]
    sys.modules.pop(start.module, None)  # it is the first module here, however known
    runpy.run_module(start.module, run_name="__main__", alter_sys=True)


def _into(path: Path, number: int) -> Any:
    with path.open("wb") as file:
        os.dup2(file.fileno(), number)
    return open(number, "w", buffering=1, closefd=False)


def ran(folder: Path, module: str, *words: str, env: Mapping[str, str]) -> tuple[int | None, str, str]:
    """(exit status, what it said on standard output, on standard error) of that command; None = it did not end."""
    start = Start(module, words, env, folder / "said.out", folder / "said.err")
    process = fork(_main, start)
    process.join(LONGEST_S)
    status = process.exitcode
    if status is None:
        process.kill()
        process.join()
    return status, start.out.read_text(), start.err.read_text()
