"""Every test file is run by exactly one part of `make test`, and by `make ci` too."""

import re
import sys
from collections import deque
from pathlib import Path

import pytest

from tests.__main__ import BROWSER, CHECK, COVERAGE, MEASURED, ROOT, WAITING, Part, lanes, plainly, run

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def _runs(part: Part, file: Path) -> bool:
    """Whether pytest, called by *part*, looks into *file*."""
    words = part.command[part.command.index("pytest") + 1 :] if "pytest" in part.command else ()
    ignored = [ROOT / word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
    named = [ROOT / word for word in words if (ROOT / word).is_dir()]
    return any(map(file.is_relative_to, named)) and not any(map(file.is_relative_to, ignored))


def test_every_test_file_is_run_by_exactly_one_part() -> None:
    assert len(FILES) > 150
    shown, beside, proofs = lanes(ci=False)
    assert proofs == ()
    assert {file: sum(_runs(part, file) for part in (*shown, *beside)) for file in FILES} == dict.fromkeys(FILES, 1)


def test_ci_runs_what_make_test_runs_and_the_gate_what_is_left_out() -> None:
    shown, beside, proofs = lanes(ci=True)
    left = {file for file in FILES if not any(_runs(part, file) for part in (*shown, *beside))}
    assert left == {file for file in FILES if any(file.is_relative_to(ROOT / one) for one in MEASURED)}
    assert {part.name for part in (*shown, *proofs)} > {"make coverage", "make mutants"}


def test_what_begins_before_the_servers_are_there_asks_for_none() -> None:
    shown, beside, _ = lanes(ci=True)
    early = [part for part in (*shown, *beside) if not part.needs_servers]
    assert early == [shown[0], beside[0]] == [COVERAGE, CHECK]
    named = re.compile(r"mariadb|mysql|redis_url|pytest\.mark\.server")
    asks = [file for file in FILES if any(file.is_relative_to(ROOT / one) for one in MEASURED)]
    assert [file.name for file in asks if named.search(file.read_text("utf-8"))] == []


def test_a_part_waits_for_the_servers_when_it_needs_them(capfd: pytest.CaptureFixture[str]) -> None:
    say = "import sys; print(sys.argv[1])"
    early, late = (Part(name, (sys.executable, "-c", say, name), name == "late") for name in ("early", "late"))
    said = []
    run([early, late], deque(), shown=False, servers=lambda: said.append(capfd.readouterr().out))
    assert [re.findall("early|late", out) for out in (*said, capfd.readouterr().out)] == [["early"] * 2, ["late"] * 2]


def test_the_folders_of_the_lanes_are_there() -> None:
    assert all((ROOT / folder).is_dir() for folder in (*WAITING, BROWSER, *MEASURED))


def test_a_part_that_fails_stops_no_other_and_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    say = "import sys; print(sys.argv[1]); sys.exit(int(sys.argv[2]))"
    lane = [Part(name, (sys.executable, "-c", say, name, status)) for name, status in (("one", "3"), ("two", "0"))]
    for shown in (True, False):
        assert [(part.name, part.status) for part in run(lane, deque(), shown=shown)] == [("one", 3), ("two", 0)]
        assert capfd.readouterr().out.count("one\n") >= 1


def test_the_lane_that_ends_first_takes_what_is_nobodys_and_each_is_run_once(capfd: pytest.CaptureFixture[str]) -> None:
    say = Part("own", (sys.executable, "-c", "print('own')"))
    free = deque([Part(name, (sys.executable, "-c", "")) for name in ("first", "second")])
    assert [part.name for part in run([say], free, shown=True)] == ["own", "first", "second"]
    assert not free
    assert [part.name for part in run([say], free, shown=True)] == ["own"]


def test_what_failed_plainly_is_run_once_more_to_say_why_and_stays_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they have no say here and take most of such a run
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert [1, 2] == [1, 3]\n\ndef test_two():\n    pass\n")
    part = Part("two", (sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), str(tmp_path)))
    for one, told in ((part, 1), (plainly(part), 2)):
        assert [ended.status for ended in run([one], deque(), shown=False)] == [1]
        said = capfd.readouterr().out
        assert (said.count("1 failed, 1 passed"), said.count("1 failed")) == (1, told)
        assert "At index 1 diff: 2 != 3" in said
