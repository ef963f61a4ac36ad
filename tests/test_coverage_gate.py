"""The gate adds up what several runs took, and sees what none of them did."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.coverage_gate import MONEY_RULES, judge

WHOLE: dict[str, Any] = {"missing_lines": [], "missing_branches": []}


def told(folder: Path, *runs: dict[str, dict[str, Any]]) -> int:
    for number, run in enumerate(runs):
        files = dict.fromkeys(MONEY_RULES, WHOLE) | run
        (folder / f"{number}.json").write_text(json.dumps({"files": files}), "utf-8")
    return judge(folder)


def test_what_one_run_missed_another_may_have_taken(tmp_path: Path) -> None:
    one = {"missing_lines": [7], "missing_branches": [[7, 8]]}
    assert told(tmp_path, {MONEY_RULES[0]: one}, {MONEY_RULES[1]: one}) == 0


@pytest.mark.parametrize("missed", [{"missing_lines": [7]}, {"missing_branches": [[7, 8]]}])
def test_a_line_or_branch_that_no_run_took_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missed: dict[str, Any]
) -> None:
    assert told(tmp_path, {MONEY_RULES[3]: WHOLE | missed}, {MONEY_RULES[3]: WHOLE | missed}) == 1
    assert MONEY_RULES[3] in capsys.readouterr().out


def test_a_file_that_no_run_knows_fails(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text(json.dumps({"files": dict.fromkeys(MONEY_RULES[1:], WHOLE)}), "utf-8")
    assert judge(tmp_path) == 1
