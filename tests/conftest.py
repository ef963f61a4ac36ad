"""
What every test run shares: the real servers, and the rule that a run in CI leaves nothing out.

A skip is fine on a machine without MariaDB or Redis, where it says so; with CI=true it fails the run.
"""

import gc
import logging
import os
from collections.abc import Generator

import pytest

from tests.effort import load_profile

load_profile()

pytest_plugins = ["tests.servers", "tests.databases"]


SIMULATION = "tests/sim/"
RARELY = (50_000, 10, 20)
"""When garbage is looked for (`gc.set_threshold`): as often as Python does of itself is a tenth of the whole time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    The simulation first: its worlds are full of cycles, which are collected quickly while the process is young, and at
    the end nobody waits for one long test.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(SIMULATION))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: nobody looks for garbage in it, now (a third of the time) or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*RARELY)
        gc.enable()


def pytest_runtest_teardown() -> None:
    """An entry point called within a test sets the level of our logs for good: the next test hears everything again."""
    logging.getLogger("maemae").setLevel(logging.NOTSET)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI run in which any test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("CI") != "true":
        return
    if skipped := len(reporter.stats.get("skipped", [])):
        reporter.write_line(f"CI=true: {skipped} skipped, and a run in CI leaves nothing out", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
