"""
The engine's sentences in the language of the page.

The engine writes plain English, which is what logs and the database keep; a Korean page says the same in Korean, an
English one rewords the few that are for engineers. The table is app/i18n/reasons.toml: a sentence with {places} on the
left, the page's on the right; the first that fits the whole text wins. A {why} or {reason} is a sentence again, a
{share} a fraction shown as percent, a {fields} or {outcome} a list of known words, an {at} a moment of UTC which is
said in Korean time on a Korean page; anything else is taken over. Text that nobody listed, such as a model's or an
exchange's own, stays as it is. The bundled rules' sentences are listed in app/i18n/rules.toml in both languages, and
read in either. No Streamlit here.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "i18n" / "reasons.toml"
RULES = TABLE.with_name("rules.toml")
DEEPEST = 4
"""Sentences inside sentences; no text of the engine's nests deeper."""
NESTED = ("why", "reason")
SHARES = ("share", "bar", "top")
AHEAD = {"ko": timedelta(hours=9), "en": timedelta()}
"""What a page's clock is ahead of UTC, all year."""
_NUMBER = r"-?[\d.,]+(?:E[+-]?\d+)?"
_PLACE = re.compile(r"\\\{(\w+)\\\}")

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the table: what the engine's English must fit, and what a page says, with the same places."""

    english: re.Pattern[str]
    said: str


@dataclass(frozen=True, slots=True)
class Table:
    """All sentences in their order, the words of each kind of place, and what the page's clock is *ahead* of UTC."""

    sentences: tuple[Sentence, ...]
    words: Words
    ahead: timedelta


def say(text: str, language: str) -> str:
    """*text* as a page in *language* ("ko", "en") shows it."""
    return _said(_table(language), text, DEEPEST)


def _said(table: Table, text: str, deep: int) -> str:
    if not deep:
        return text
    for sentence in table.sentences:
        if found := sentence.english.fullmatch(text):
            filled = {name: _filled(table, name, value, deep) for name, value in found.groupdict().items()}
            return sentence.said.format_map(filled)
    return text


def _filled(table: Table, place: str, value: str, deep: int) -> str:
    if place in NESTED:
        return _said(table, value, deep - 1)
    if place in SHARES:
        return f"{(Decimal(value) * 100).normalize():f}%"
    if place == "at":
        return f"{datetime.fromisoformat(value) + table.ahead:%Y-%m-%d %H:%M}"
    words = table.words.get(place)
    return ", ".join(words.get(one, one) for one in value.split(", ")) if words else value


@cache
def _table(language: str) -> Table:
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    places = _places(read["words"])
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))
    if language == "ko":
        sentences = [*read["sentences"].items(), *rules.items()]
        return Table(_sentences(sentences, places), read["words"], AHEAD["ko"])
    plain = read["english"]["sentences"]
    # every sentence is listed, also where an English page keeps the engine's: one inside it may be reworded
    said = {english: plain.get(english, english) for english in read["sentences"]}
    korean = [(korean, english) for english, korean in rules.items()]
    return Table(_sentences([*said.items(), *korean], places), read["english"]["words"], AHEAD["en"])


def _sentences(lines: Any, places: dict[str, str]) -> tuple[Sentence, ...]:
    return tuple(Sentence(_pattern(english, places), said) for english, said in lines)


def _places(words: Words) -> dict[str, str]:
    """What may stand in each place: narrow, so that a free text is not taken for a sentence of ours."""
    known = {kind: "|".join(listed) for kind, listed in words.items()}
    lists = {kind: f"(?:{known[kind]})(?:, (?:{known[kind]}))*" for kind in ("fields", "outcome", "state", "way")}
    numbers = dict.fromkeys(("n", "least", "most", "rsi", "atr", "size", "age"), _NUMBER)
    numbers |= dict.fromkeys(SHARES, r"\d+(?:\.\d+)?(?:E-?\d+)?")
    return {
        **lists,
        **numbers,
        "locks": r"(?:platform: )?\w+(?:, (?:platform: )?\w+)*",
        "venue": r"\w+",
        "symbol": r"[A-Z0-9]+",
        "at": r"\d{4}-\d\d-\d\d \d\d:\d\d",
        "path": r"/[\w/-]+",
        "type": r"[\w ,.-]+",
        "text": ".*",
        "why": ".+",
        "reason": ".+",
    }


def _pattern(english: str, places: dict[str, str]) -> re.Pattern[str]:
    return re.compile(_PLACE.sub(lambda place: f"(?P<{place[1]}>{places[place[1]]})", re.escape(english)), re.DOTALL)
