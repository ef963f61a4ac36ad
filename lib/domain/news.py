"""
Headlines of sources an operator named, as an analyst may be shown them: quoted, bounded, none of after T. Pure.

A headline is text of strangers. It stays one line of letters inside a JSON string, without markup and without what
could close a delimiter; one that speaks to the model instead of telling news is not kept. No article is ever shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib.domain.candle import MINUTE_MS
from lib.domain.decision import clean_text

LONGEST_TITLE = 160
LONGEST_SOURCE = 40
MOST_KEPT = 40
"""Headlines of one reading that are kept, the newest."""
PERIOD_MS = 5 * MINUTE_MS
"""How often the sources are read."""
FRESH_MS = 15 * MINUTE_MS
"""How long before T the sources may have been read last."""
OLDEST_MS = 24 * 60 * MINUTE_MS
"""How long before T a headline may be dated."""
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<[^<>]{0,500}>")
_TO_A_MODEL = re.compile(
    r"(ignore|disregard|forget|override)\W+(\w+\W+){0,4}(instructions?|prompts?|rules?|messages?)"
    r"|(system|developer)\W+(prompt|message)\b|\byou\W+are\W+(now|a|an)\b.*\b(assistant|model|ai|trader)\b"
    r"|^\W*(system|assistant|user|developer)\W*:|<\|"
    r"|(지시|명령|프롬프트|규칙)\S{0,4}\s*(\S+\s+){0,3}(무시|잊|따르지)|(시스템|개발자)\s*(프롬프트|메시지)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Headline:
    """One title of *source* (the host it was read from), dated *published_ms* (epoch ms) by the source."""

    published_ms: int
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class News:
    """What the sources said when they were read, at *seen_ms* (epoch ms); newest first."""

    seen_ms: int
    headlines: tuple[Headline, ...]


def headline(published_ms: int, source: str, title: str) -> Headline | None:
    """The headline as it may be kept; None when nothing is left of *title*, or when it speaks to a model."""
    plain = _line(title, LONGEST_TITLE)
    if not plain or _TO_A_MODEL.search(plain) or _TO_A_MODEL.search(title[: 4 * LONGEST_TITLE]):
        return None
    return Headline(published_ms, _line(source, LONGEST_SOURCE), plain)


def _line(text: str, longest: int) -> str:
    without = _TAG.sub(" ", text[: 8 * longest])
    plain = _SPACE.sub(" ", clean_text(without, 4 * longest)).strip()[:longest].rstrip()
    return plain.replace("<", "‹").replace(">", "›").replace("`", "'")


def read_at(seen_ms: int, found: Iterable[Headline]) -> News:
    """What was *found* at *seen_ms*: without what is dated later, each title once, newest first."""
    by_title: dict[str, Headline] = {}
    for one in sorted(found, key=lambda one: (one.published_ms, one.source, one.title)):
        if 0 < one.published_ms <= seen_ms:
            by_title.setdefault(one.title.casefold(), one)
    newest = sorted(by_title.values(), key=lambda one: (-one.published_ms, one.source, one.title))
    return News(seen_ms, tuple(newest[:MOST_KEPT]))


def told_at(news: News, t_ms: int, count: int) -> tuple[Headline, ...]:
    """The newest *count* of *news* dated before T and not long before, oldest first; none of news read after T."""
    if news.seen_ms > t_ms:
        return ()
    known = [one for one in news.headlines if t_ms - OLDEST_MS <= one.published_ms < t_ms]
    return tuple(sorted(known, key=lambda one: (one.published_ms, one.source, one.title))[-count:])
