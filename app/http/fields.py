"""
Text and numbers from outside, read once, here, into values that cannot be wrong.

A body is one small JSON object in UTF-8: no NaN, no name twice, a few levels deep. A line is visible text, a prose may
have lines, a decimal is digits with so many places (no exponent, no sign, no other alphabet's digits), a count is a
whole number between two bounds. Whatever is not that is *BadInput*, which names the field and repeats nothing of it.
What a value means, and whether the person may have it, is for the use-case to say.
"""

import json
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from lib.accounts.refusal import Refusal
from lib.domain.model_profile import DEFAULT_CHAIN
from lib.domain.spelling import has_unseen, is_prose, is_sound

V = TypeVar("V")

LONGEST_PATH = 2_048
LONGEST_BODY = 16_384
"""Bytes; what says more than a form of a few lines names its own bound."""
LONGEST_PROSE = 65_536
"""Bytes of a body with a custom prompt of four thousand characters, each written as two escapes of JSON."""
DEEPEST = 4
LONGEST_CHAIN = 200
"""Characters of the names of a chain of models."""
LONGEST_NUMBER = 15
"""Digits of a whole number: what every part of the system can hold."""
MOST_PLACES = 8
MOST = Decimal(10**LONGEST_NUMBER)
_WHOLE = re.compile(rf"[0-9]{{1,{LONGEST_NUMBER}}}")
_DECIMAL = re.compile(rf"[0-9]{{1,{LONGEST_NUMBER}}}(?:\.[0-9]{{1,{MOST_PLACES}}})?")
_MISSING: Any = object()


class BadInput(Exception):
    """The request itself is wrong; *refusal* says how."""

    def __init__(self, refusal: Refusal, status: int = 422) -> None:
        super().__init__(refusal.key)
        self.refusal = refusal
        self.status = status


def wrong(name: str) -> NoReturn:
    """Refuse the field *name*."""
    raise BadInput(Refusal("refuse.field", field=name))


def read_object(raw: bytes, longest: int = LONGEST_BODY) -> dict[str, Any]:
    """The JSON object *raw* is; *BadInput* (400, or 413 beyond *longest* bytes) for everything else."""
    if len(raw) > longest:
        raise BadInput(Refusal("refuse.body"), 413)
    try:
        # decoded here: json would take UTF-16 and lone surrogates too
        read = json.loads(raw.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number)
        fits = isinstance(read, dict) and _depth(read) <= DEEPEST
    except (ValueError, RecursionError):
        fits = False
    if not fits:
        raise BadInput(Refusal("refuse.body"), 400)
    return read  # type: ignore[no-any-return]


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, dict | list) else 0


class Fields:
    """One object of a body. What a field is called is ours; what stands in it is theirs."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def line(self, name: str, longest: int, default: str = _MISSING) -> str:
        """One line of text that can be seen."""
        text = self._text(name, longest, default)
        return wrong(name) if has_unseen(text) else text

    def prose(self, name: str, longest: int, default: str = _MISSING) -> str:
        """Text that may have several lines."""
        text = self._text(name, longest, default).replace("\r\n", "\n")
        return text if is_prose(text) else wrong(name)

    def typed(self, name: str, longest: int) -> str:
        """As somebody typed or pasted it, for the use-case to judge: anything that can be written down."""
        return self._text(name, longest, _MISSING)

    def typed_or_none(self, name: str, longest: int) -> str:
        """As `typed`; "" for a field that is not there."""
        return self._text(name, longest, "")

    def flag(self, name: str, default: bool = _MISSING) -> bool:
        """True or false; nothing else counts as one."""
        return self._of(name, bool, default)

    def count(self, name: str, default: int = _MISSING) -> int:
        """A whole number of at most LONGEST_NUMBER digits."""
        value = self._of(name, int, default)
        return value if not isinstance(value, bool) and abs(value) < 10**LONGEST_NUMBER else wrong(name)

    def is_null(self, name: str) -> bool:
        """Whether *name* stands there as JSON's null."""
        return self._given.get(name, _MISSING) is None

    def decimal(self, name: str, *, most: Decimal = MOST) -> Decimal:
        """An exact number from 0 to *most*, written as text: a number of JSON is a float to whoever sent it."""
        read = read_decimal(self._of(name, str, _MISSING))
        return wrong(name) if read is None or read > most else read

    def choice(self, name: str, options: Collection[V], default: V = _MISSING) -> V:
        """The one of *options* that is written so."""
        value = self._given.get(name, default)
        return next((one for one in options if isinstance(value, str) and one == value), None) or wrong(name)

    def names(self, name: str, options: Collection[str]) -> list[str]:
        """A list of some of *options*, each at most once; an empty one when it is missing."""
        given = self._given.get(name, [])
        fits = isinstance(given, list) and all(isinstance(one, str) and one in options for one in given)
        return list(given) if fits and len(set(given)) == len(given) else wrong(name)

    def part(self, name: str, names: Collection[str]) -> "Fields":
        """An object inside with no other *names* than these; an empty one when it is missing."""
        value = self._given.get(name, {})
        return Fields(value) if isinstance(value, dict) and set(value) <= set(names) else wrong(name)

    def _text(self, name: str, longest: int, default: str) -> str:
        text = self._of(name, str, default)
        return text if len(text) <= longest and is_sound(text, lines=True) else wrong(name)

    def _of(self, name: str, kind: type[V], default: V) -> V:
        value = self._given.get(name, default)
        return value if isinstance(value, kind) else wrong(name)


def is_plain_path(path: str) -> bool:
    """Whether *path* (decoded) is one that a browser asks for: no way up, no controls, no other system's slashes."""
    parts = path.split("/")
    up = any(part in (".", "..") for part in parts)
    return len(path) <= LONGEST_PATH and not up and "\\" not in path and "//" not in path and is_sound(path)


def read_decimal(text: str) -> Decimal | None:
    """The number *text* is, or None."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def read_whole(text: str) -> int | None:
    """The whole number *text* is, without a sign, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def chain_of(body: Fields, now: tuple[str, ...]) -> tuple[str, ...]:
    """`models`: names in the order in which they are asked, with commas between; "" and `default` = the usual one."""
    if "models" not in body:
        return now
    names = tuple(name.strip() for name in body.line("models", LONGEST_CHAIN).split(","))
    return () if names in (("",), DEFAULT_CHAIN) else names
