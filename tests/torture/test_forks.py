"""A fork has what it runs on already: whoever gives the fork server another list is noticed."""

import sys
from pathlib import Path

import pytest

from tests.torture.forks import IMPORTED, fork

pytestmark = [pytest.mark.e2e]


def tell(path: str) -> None:
    """Write down what is imported."""
    Path(path).write_text("\n".join(sys.modules))


def test_a_fork_begins_with_what_it_runs_on(tmp_path: Path) -> None:
    process = fork(tell, str(tmp_path / "told"))
    process.join(60)
    assert process.exitcode == 0
    assert set(IMPORTED) - set((tmp_path / "told").read_text().split()) == set()
