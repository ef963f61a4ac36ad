"""How a number's thousands and fraction are kept apart, as its reader chose. Pure; digits are never touched."""

from collections.abc import Mapping

from lib.domain.account import Numbers

NARROW = "\u202f"
"""The space that separates thousands: never broken, never mistaken for the end of a number."""
SEPARATORS: Mapping[Numbers, Mapping[int, str]] = {
    "point": {},
    "comma": {ord(","): ".", ord("."): ","},
    "space": {ord(","): NARROW, ord("."): ","},
}


def separated(number: str, numbers: Numbers) -> str:
    """*number*, written with `,` between thousands and `.` before the fraction, as *numbers* has it."""
    return number.translate(SEPARATORS[numbers])
