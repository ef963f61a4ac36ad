"""Everybody's lines on one terminal; a terminal that is stuck or closed holds nobody up."""

import io
import re
import threading

import pytest

from lib.supervision import screen
from lib.supervision.screen import Screen, Sentences


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Stuck(io.StringIO):
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.free.wait(60)
        return super().write(text)


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_each_line_has_its_time_and_who_said_it_in_one_column() -> None:
    out = io.StringIO()
    shown = Screen(("web", "trader"), out)
    shown.say("web", "hello")
    Sentences(shown, "trader").write("one\ntw")
    shown.close()
    assert re.findall(r"^\d\d:\d\d:\d\d (.*)$", out.getvalue(), re.MULTILINE) == ["web    | hello", "trader | one"]


def test_colours_are_for_terminals_and_for_who_wants_them() -> None:
    for out, plain, coloured in ((Terminal(), False, True), (Terminal(), True, False), (io.StringIO(), False, False)):
        shown = Screen(("web",), out, plain=plain)
        shown.say("web", "hello")
        shown.close()
        assert ("\x1b[36m" in out.getvalue()) == coloured


def test_a_terminal_that_is_paused_holds_nobody_up_and_says_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "MOST_WAITING", 10)
    out = Stuck()
    shown = Screen(("web",), out)
    for number in range(100):
        shown.say("web", f"line {number}")
    out.free.set()
    shown.close(60)
    assert re.search(r"\(\d+ lines could not be shown\)", out.getvalue())


def test_an_output_that_nobody_reads_any_more_is_no_trouble() -> None:
    shown = Screen(("web",), Closed())
    shown.say("web", "hello")
    shown.say("web", "again")
    shown.close(60)
