"""
Runs of pytest that do not begin from nothing: each is forked from a process that imported other people's code once.

A run sees the tree it is given and nothing of this one: whatever of the project the fork server knew is forgotten in
the fork, before anything of that tree is imported: by the run itself (`tested`), or once for many (`Warm`). It writes
no bytecode, so a file that was patched and put back within a second is never mistaken for what it was before.
"""

import gc
import importlib
import multiprocessing
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from tests.mutants.swapped import Alive, Differs, alive, swap

HERE = Path(__file__).resolve().parents[2]
OURS = ("app", "bench", "db", "lib", "services", "tests", "streamlit_app")
IMPORTED_ONCE = (
    *("pytest", "pytest_asyncio.plugin", "pytest_randomly", "pytest_socket", "anyio.pytest_plugin"),
    *("_hypothesis_pytestplugin", "hypothesis", "hypothesis.stateful", "hypothesis.internal.conjecture.engine"),
    *("sqlalchemy", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.mysql.pymysql", "alembic.command", "pymysql"),
    *("redis", "redis.asyncio", "aiohttp", "aiohttp.web", "openai", "httpx2", "pydantic", "msgspec"),
    *("pybit.unified_trading", "requests", "websocket", "apprise", "argon2", "webauthn", "zxcvbn", "pyotp"),
    *("prometheus_client", "genai_prices", "alembic.config", "cryptography.x509", "sqlite3", "pdb", "faulthandler"),
    *("talipp", "talipp.indicators", "statistics", "cProfile", "logging.handlers", "readline"),
    *(
        f"_pytest.{name}"
        for name in ("helpconfig", "pastebin", "setuponly", "setupplan", "skipping", "threadexception")
    ),
    *(f"_pytest.{name}" for name in ("faulthandler", "tracemalloc", "unittest", "unraisableexception", "warnings")),
)
"""A module that is not installed is left out: it costs time, not a verdict."""

UNUSED = ("cacheprovider", "xdist", "xdist.looponfail", "randomly", "schemathesis")
"""Plugins that are only imported: together they take longer than most of the tests."""

WHETHER = ("--assert=plain", "--tb=native")
"""A run is asked whether its tests fail: rewriting their asserts, to say why, took longer than most of them."""
PROFILE = "mutants"
"""Of Hypothesis (`tests.effort`)."""
ENDED = 100
"""Added to pytest's exit status: a fork that dies by itself ends with 1, and so would one whose tests fail."""

_forks = multiprocessing.get_context("forkserver")


def import_once() -> None:
    """Let the runs of this process start from `IMPORTED_ONCE`; asked before the first of them."""
    _forks.set_forkserver_preload(list(IMPORTED_ONCE))


class Broken(Exception):
    """A run that says nothing of its tests: it took longer than it may, or died."""


def tested(folder: Path, tests: Sequence[str], said: Path, longest_s: float, variables: Mapping[str, str]) -> int:
    """
    Run *tests* (pytest node ids) in the tree at *folder*, as a process of its own; pytest's exit status.

    What the run says goes to the file *said*; *variables* are added to its environment. `Broken` when it did not end by
    itself within *longest_s* seconds.
    """
    run = _forks.Process(target=_run, args=(folder, tuple(tests), said, dict(variables)))
    run.start()
    run.join(longest_s)
    if run.exitcode is None:
        run.kill()
        run.join()
        raise Broken(f"hangs: longer than {longest_s:.0f} s")
    if run.exitcode < ENDED:
        raise Broken(f"the run died with {run.exitcode}")
    return run.exitcode - ENDED


def _run(folder: Path, tests: Sequence[str], said: Path, variables: Mapping[str, str]) -> None:
    gc.freeze()  # what was imported once stays: the collections pytest ends with need not look at it
    _enter(folder)
    os.environ |= variables
    _end(tests, said)


def _enter(folder: Path) -> None:
    """See the tree at *folder* and nothing of this one."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:] = [str(folder), *(path for path in sys.path if path and Path(path).resolve() != HERE)]
    os.environ |= {"PYTHONPATH": str(folder), "HYPOTHESIS_STORAGE_DIRECTORY": str(HERE / ".hypothesis")}
    os.chdir(folder)
    sys.dont_write_bytecode = True


def _end(tests: Sequence[str], said: Path) -> NoReturn:
    """Run *tests* and end as pytest does."""
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest

    options = ("-q", "-x", "--no-header", f"--hypothesis-profile={PROFILE}", f"--basetemp={said.with_suffix('.temp')}")
    without = [word for plugin in UNUSED for word in ("-p", f"no:{plugin}")]
    raise SystemExit(ENDED + int(pytest.main([*options, *WHETHER, *without, *tests])))


class Warm:
    """
    A process that has imported *modules* of the tree at *folder*, from which runs are forked; a patched file is not
    imported anew, but its functions get the bodies it has now.
    """

    def __init__(self, folder: Path, modules: Sequence[str], said: Path, variables: Mapping[str, str]) -> None:
        self._asks, asked = multiprocessing.Pipe()
        self._process = _forks.Process(target=_serve, args=(folder, tuple(modules), said, dict(variables), asked))
        self._process.start()
        asked.close()
        try:
            self._asks.recv()  # nothing may be patched before everything is imported
        except EOFError:
            raise Broken("what is to be tested cannot be imported") from None

    def tested(
        self, test: str, before: Mapping[Path, str], longest_s: float, variables: Mapping[str, str]
    ) -> int | None:
        """
        pytest's exit status of *test*, *before* = what the files that were patched said when they were imported; None
        where it does not say: not only bodies differ, or the run did not end well.
        """
        try:
            self._asks.send((test, dict(before), longest_s, dict(variables)))
            code: int | None = self._asks.recv()
        except (EOFError, OSError):
            return None
        return None if code is None or code < ENDED else code - ENDED

    def close(self) -> None:
        """End the process."""
        self._asks.close()
        self._process.join()


def _serve(folder: Path, modules: Sequence[str], said: Path, variables: Mapping[str, str], asked: Connection) -> None:
    _enter(folder)
    os.environ |= variables
    gc.disable()
    _import(modules)
    _try_once()
    functions = alive()
    gc.freeze()
    gc.enable()
    forks = multiprocessing.get_context("fork")
    asked.send(True)
    while True:
        try:
            test, before, longest_s, more = asked.recv()
        except EOFError:
            return
        run = forks.Process(target=_swapped, args=(test, before, more, functions, said))
        run.start()
        run.join(longest_s)
        if run.exitcode is None:
            run.kill()
            run.join()
        asked.send(run.exitcode)


def _import(modules: Sequence[str]) -> None:
    """As pytest would: the first ones' settings are there before any property is."""
    import hypothesis

    for name in modules:
        importlib.import_module(name)
        if name.endswith("conftest"):
            hypothesis.settings.load_profile(PROFILE)


def _try_once() -> None:
    """Let Hypothesis look for constants in all that was imported; each fork would do so at its first property."""
    from hypothesis import given, settings, strategies

    with warnings.catch_warnings(action="ignore"):  # that no session of pytest has begun, which is the purpose
        settings(max_examples=10, database=None)(given(strategies.text())(lambda text: None))()


def _swapped(test: str, before: Mapping[Path, str], variables: Mapping[str, str], known: Alive, said: Path) -> None:
    for path, text in before.items():
        try:
            swap(str(path), text, path.read_text(), known.get(str(path), ()))
        except Differs:
            raise SystemExit(0) from None
    os.environ |= variables
    _end((test,), said)
