"""
What every test run shares: the real servers, and the rule that a run in CI leaves nothing out.

A skip is fine on a machine without MariaDB or Redis, where it says so; with CI=true it fails the run.
"""

import os

import hypothesis
import pytest

# a busy machine is no failure: no property is judged by how long it took
hypothesis.settings.register_profile("maemae", deadline=None)
# whether a test fails is all a mutant is asked: the same examples each time, and no search for the smallest
hypothesis.settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("maemae")

pytest_plugins = ["tests.servers", "tests.databases"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI run in which any test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("CI") != "true":
        return
    if skipped := len(reporter.stats.get("skipped", [])):
        reporter.write_line(f"CI=true: {skipped} skipped, and a run in CI leaves nothing out", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
