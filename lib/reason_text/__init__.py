"""
What a reason says to its reader: the catalogues, and how a language writes numbers and times.

One sentence a code and language, in ko.toml and en.toml beside this file; the kind of a parameter says how it is
written: a share as percent, a moment in Korean time for Korean and in UTC for English, a reason inside a reason as its
own sentence, a word of ours from the catalogue. Somebody else's text stays as it stands. Screens, the terminal and
notices all use this; nothing that is stored or decided does.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from lib.domain.errors import MaemaeError
from lib.domain.filled import filled
from lib.domain.reason import CODES, WORDS, Kind, Reason, Value

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")
TIME_ZONES: Mapping[str, tzinfo] = {"ko": timezone(timedelta(hours=9), "KST"), "en": UTC}
"""The clock on the wall of a language's readers, the same all year."""
Shown = Callable[[str], str]


MOST_CODES = 40
MOST_PLACES = 6
_PLACE = re.compile(r"\{\w+(:[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: *sentences* by code, *words* by kind and word."""

    language: str
    sentences: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of *language*; a language without a catalogue reads the first one."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    read = tomllib.loads((Path(__file__).parent / f"{known}.toml").read_text(encoding="utf-8"))
    return Catalogue(known, read["sentences"], read["words"])


def said(reason: Reason, language: str, shown: Shown = str) -> str:
    """
    *reason* as a reader of *language* ("ko", "en") reads it; "" for none. *shown* turns a number written `1,234.5`
    into the reader's.
    """
    return _said(reason, catalogue(language), shown)


def codes_saying(words: str, language: str) -> tuple[str, ...]:
    """The codes whose sentence in *language* holds *words*, parameters aside; at most `MOST_CODES`."""
    wanted = words.casefold()
    sentences = catalogue(language).sentences.items()
    found = [code for code, sentence in sentences if wanted in _PLACE.sub("", sentence).casefold()]
    return tuple(found[:MOST_CODES])


def told(error: Exception, language: str) -> str:
    """
    What *error* says to an operator: the sentence of its reason and the details that sentence leaves out, or its words.
    """
    if not isinstance(error, MaemaeError):
        return str(error)
    sentence = catalogue(language).sentences[error.why.code]
    unsaid = [str(value) for name, value in error.why.params.items() if f"{{{name}}}" not in sentence]
    return f"{said(error.why, language)} ({', '.join(unsaid)})" if unsaid else said(error.why, language)


def outline(code: str, language: str) -> str:
    """The sentence all reasons of *code* share, with … for their parameters: for counting them."""
    return filled(catalogue(language).sentences[code], dict.fromkeys(CODES[code].params, "…"))


def word(kind: Kind, value: str, language: str) -> str:
    """One word of ours, such as the kind of a lock, in the reader's language; an unlisted word is shown as it is."""
    return _word(kind, value, catalogue(language))


def _said(reason: Reason, known: Catalogue, shown: Shown) -> str:
    kinds = CODES[reason.code].params
    written = {name: _written(kinds[name], value, known, shown) for name, value in reason.params.items()}
    return filled(known.sentences[reason.code], written)


def _written(kind: Kind, value: Value, known: Catalogue, shown: Shown) -> str:
    if isinstance(value, Reason):
        return _said(value, known, shown)
    if isinstance(value, Decimal):
        return shown(_number(kind, value))
    if isinstance(value, int):
        if kind is Kind.MOMENT:
            return _moment(value, known)
        return shown(f"{value:,}") if kind is Kind.COUNT else str(value)
    return ", ".join(_word(kind, one, known) for one in value.split(", ")) if kind in WORDS else value


def _word(kind: Kind, value: str, known: Catalogue) -> str:
    return known.words[kind].get(value, value)


def _number(kind: Kind, value: Decimal) -> str:
    if kind is Kind.SHARE:
        return _percent(value)
    # to the cent, but a limit of five million is one without cents
    return f"{value:,.2f}".removesuffix(".00") if kind is Kind.MONEY else f"{value:,f}"


def _percent(share: Decimal) -> str:
    """To a hundredth of a percent; below a tenth, as fees and what a decision earns, to a thousandth or its digit."""
    percent = share * 100
    places = 2 if abs(percent) >= Decimal("0.1") else min(max(3, -percent.adjusted()), MOST_PLACES)
    rounded = percent.quantize(Decimal(1).scaleb(-places)) + 0  # no minus before nothing
    return f"{rounded.normalize():f}%"


def _moment(at_ms: int, known: Catalogue) -> str:
    return datetime.fromtimestamp(at_ms // 1000, TIME_ZONES[known.language]).strftime("%Y-%m-%d %H:%M")
