"""The trader's seat: a dead holder's name is told to the next, a living one's never."""

import signal
import subprocess
import sys
from pathlib import Path

from lib.bootstrap.seat import TRADERS, take_seat

SIT = """
import sys, time, pathlib
from lib.bootstrap.seat import TRADERS, take_seat
with take_seat(pathlib.Path(sys.argv[1]), "first", TRADERS) as before:
    print(f"sits after {before!r}", flush=True)
    sys.stdin.read()
"""


def test_a_killed_traders_name_is_told_and_a_living_ones_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SIT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "sits after ''\n"
        with take_seat(tmp_path, "second", TRADERS) as living:
            assert living == ""
        assert (tmp_path / TRADERS).read_text() == "first"
        first.send_signal(signal.SIGKILL)
        first.wait()
        with take_seat(tmp_path, "third", TRADERS) as dead:
            assert dead == "first"
    with take_seat(tmp_path, "fourth", TRADERS) as before:
        assert before == "third"


def test_without_a_folder_to_write_in_nobody_is_known_to_be_dead(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with take_seat(tmp_path / "file" / "folder", "first", TRADERS) as before:
        assert before == ""
