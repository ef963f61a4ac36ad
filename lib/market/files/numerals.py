"""
Numbers as people's tools write them: floats, exponents, a decimal comma, groups of thousands.

Point or comma is decided once for a file, from its first rows; a number that fits both ways in every row is refused.
What comes out is exact: no float is ever made.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from lib.domain.candle import decimal_from_wire

Mark = Literal[".", ","]
"""What stands before the decimals."""

_E = r"(?:[eE][+-]?\d{1,3})?"
_SHAPES: dict[Mark, re.Pattern[str]] = {
    ".": re.compile(rf"[+-]?(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d*)?|\d+\.?\d*{_E}|\.\d+{_E})", re.ASCII),
    ",": re.compile(rf"[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?|\d+,?\d*{_E}|,\d+{_E})", re.ASCII),
}
NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a", "-"})
"""What tools write where there was no trading."""


def decimal_mark(cells: Iterable[str]) -> Mark:
    """The mark all of *cells* can be read with; ValueError when that leaves two different readings."""
    seen = [cell.strip() for cell in cells if cell.strip().lower() not in NOTHING]
    point, comma = (all(_SHAPES[mark].fullmatch(cell) for cell in seen) for mark in (".", ","))
    if comma and not point:
        return ","
    with_comma = next((cell for cell in seen if "," in cell), None)
    if point and comma and with_comma is not None:
        both = (decimal(with_comma, "."), decimal(with_comma, ","))
        if both[0] != both[1]:
            raise ValueError(f"{with_comma!r} can be read as {both[1].normalize():f} and as {both[0].normalize():f}")
    return "."


def decimal(text: str, mark: Mark) -> Decimal:
    """The exact value of *text*; ValueError when it is no finite number."""
    text = text.strip()
    if len(text) <= 40 and not _SHAPES[mark].fullmatch(text):
        raise ValueError(f"not a number: {text!r}")
    thousands = "," if mark == "." else "."
    return decimal_from_wire(text.replace(thousands, "").replace(mark, "."))
