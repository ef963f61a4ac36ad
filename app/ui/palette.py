"""
The colours of rise and fall, gain and loss, long and short: red up and blue down as in Korea, or green up and red down.

Everything that has a direction takes its colour here, so that one page never holds both ways. Pure.
"""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["green", "red", "blue"]


@dataclass(frozen=True, slots=True)
class Palette:
    """
    *badges* are Streamlit's names for up and down; *light* and *dark* their colours on such a page, *line* those of a
    small curve that has to do for both.
    """

    badges: tuple[Tone, Tone]
    light: tuple[str, str]
    dark: tuple[str, str]
    line: tuple[str, str]

    def of(self, tone: str) -> str:
        """The curve's colour for "up", "down" or neither."""
        return {"up": self.line[0], "down": self.line[1]}.get(tone, FLAT)


FLAT = "#8a93a0"
_GREEN_UP = Palette(("green", "red"), ("#03875a", "#cf304a"), ("#0ecb81", "#f6465d"), ("#0ba86a", "#e0455c"))
_RED_UP = Palette(("red", "blue"), ("#d32f45", "#1b5fd0"), ("#f6465d", "#5b9dff"), ("#e0455c", "#3b82f0"))


def palette(*, rises_red: bool) -> Palette:
    """The colours for who wants a rise red, or green."""
    return _RED_UP if rises_red else _GREEN_UP
