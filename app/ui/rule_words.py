"""
The bundled rules' sentences in the reader's language.

The rules are an analyst: what they answer is text, in one of the two languages, and it is stored as it was said. Their
sentences are few and listed in app/i18n/rules.toml in both, so a page shows the reader's; any other text stays as it
is. No Streamlit here.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

RULES = Path(__file__).parents[1] / "i18n" / "rules.toml"
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_FIELD = re.compile(r"\{\w+\}")
_FIGURE = r"(?P<\1>-?[\\d.,]+)"

_Pair = tuple[re.Pattern[str], str]


def in_language(text: str, language: str) -> str:
    """*text* as a page in *language* ("ko", "en") shows it."""
    for pattern, said in _pairs(language):
        if found := pattern.fullmatch(text):
            return said.format_map(found.groupdict())
    return text


def said_otherwise(words: str, language: str) -> tuple[tuple[str, ...], ...]:
    """
    The rules' sentences that have *words* as a page in *language* shows them, as they are said in the other language:
    of each the parts between its figures.
    """
    wanted, listed = words.casefold(), tomllib.loads(RULES.read_text(encoding="utf-8")).items()
    pairs = ((korean, english) if language == "ko" else (english, korean) for english, korean in listed)
    return tuple(tuple(_FIELD.split(other)) for seen, other in pairs if wanted in _FIELD.sub("", seen).casefold())


@cache
def _pairs(language: str) -> Sequence[_Pair]:
    listed = tomllib.loads(RULES.read_text(encoding="utf-8")).items()
    pairs = listed if language == "ko" else ((korean, english) for english, korean in listed)
    return [(re.compile(_PLACE.sub(_FIGURE, re.escape(heard))), said) for heard, said in pairs]
