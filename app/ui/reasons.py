"""
The engine's sentences in the language of the page.

The engine writes plain English, which is what logs and the database keep; a Korean page says the same in Korean. The
table is app/i18n/reasons.toml: a sentence with {places} on the left, its Korean on the right; the first that fits the
whole text wins. A {why} or {reason} is a sentence again, a {fields} or {outcome} a list of known words, an {at} a
moment of UTC which is said in Korean time; anything else is taken over. Text that nobody listed, such as an analyst's
or an exchange's own, stays as it is. No Streamlit here.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parents[1] / "i18n" / "reasons.toml"
DEEPEST = 4
"""Sentences inside sentences; no text of the engine's nests deeper."""
NESTED = ("why", "reason")
KOREAN_TIME = timedelta(hours=9)
"""What Korean clocks are ahead of UTC, all year."""
_NUMBER = r"-?[\d.,]+(?:E[+-]?\d+)?"
_PLACE = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the table: what the English must fit, and the Korean with the same places."""

    english: re.Pattern[str]
    korean: str


@dataclass(frozen=True, slots=True)
class Table:
    """All sentences in their order, and the words of each kind of place."""

    sentences: tuple[Sentence, ...]
    words: dict[str, dict[str, str]]


def say(text: str, language: str) -> str:
    """*text* as a page in *language* ("ko", "en") shows it."""
    return _korean(text, DEEPEST) if language == "ko" else text


def _korean(text: str, deep: int) -> str:
    if not deep:
        return text
    table = _table()
    for sentence in table.sentences:
        if found := sentence.english.fullmatch(text):
            said = {name: _filled(table, name, value, deep) for name, value in found.groupdict().items()}
            return sentence.korean.format_map(said)
    return text


def _filled(table: Table, place: str, value: str, deep: int) -> str:
    if place in NESTED:
        return _korean(value, deep - 1)
    if place == "at":
        return f"{datetime.fromisoformat(value) + KOREAN_TIME:%Y-%m-%d %H:%M}"
    words = table.words.get(place)
    return ", ".join(words.get(one, one) for one in value.split(", ")) if words else value


@cache
def _table() -> Table:
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    words: dict[str, dict[str, str]] = read["words"]
    places = _places(words)
    return Table(
        tuple(Sentence(_pattern(english, places), korean) for english, korean in read["sentences"].items()), words
    )


def _places(words: dict[str, dict[str, str]]) -> dict[str, str]:
    """What may stand in each place: narrow, so that a free text is not taken for a sentence of ours."""
    known = {kind: "|".join(listed) for kind, listed in words.items()}
    lists = {kind: f"(?:{known[kind]})(?:, (?:{known[kind]}))*" for kind in ("fields", "outcome", "state", "way")}
    numbers = dict.fromkeys(("n", "least", "most"), _NUMBER)
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
