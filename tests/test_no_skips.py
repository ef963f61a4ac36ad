"""The rule of tests/conftest.py, held by a run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ONE_SKIPPED = "import pytest\n\ndef test_done():\n    pass\n\n@pytest.mark.skip\ndef test_left_out():\n    pass\n"
NONE_SKIPPED = "def test_done():\n    pass\n"


@pytest.mark.parametrize(
    ("ci", "tests", "status"), [("true", ONE_SKIPPED, 1), ("", ONE_SKIPPED, 0), ("true", NONE_SKIPPED, 0)]
)
def test_a_run_in_ci_fails_when_a_test_was_skipped(tmp_path: Path, ci: str, tests: str, status: int) -> None:
    file = tmp_path / "test_some.py"
    file.write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--rootdir", str(tmp_path), str(file)]
    # other people's plugins, which have no say here, take most of such a run
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == status, run.stdout
