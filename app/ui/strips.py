"""
A day of the system's health as one strip a part: what it is now, and the worst of each quarter of an hour.
"""

from collections.abc import Callable, Sequence
from html import escape

from lib.domain.health import PARTS, HealthPoint, State, share_ok, strip

DAY_MS = 86_400_000
CELLS = 96


def strips_html(points: Sequence[HealthPoint], now_ms: int, word: Callable[[str], str]) -> str:
    """All strips as one piece of page; *word* translates a key. Every text is escaped."""
    rows = "".join(_row(points, part, now_ms, word) for part in PARTS)
    ends = f'<div class="ends"><span>{_said(word, "room.day_ago")}</span><span>{_said(word, "room.now")}</span></div>'
    return f'<div class="strips">{rows}{ends}</div>'


def _row(points: Sequence[HealthPoint], part: str, now_ms: int, word: Callable[[str], str]) -> str:
    states = strip(points, part, until_ms=now_ms, span_ms=DAY_MS, cells=CELLS)
    number = PARTS.index(part)
    newest = points[-1].states[number] if points else "unknown"
    cells = "".join(f'<i class="{state}"></i>' for state in states)
    share = share_ok([point.states[number] for point in points if point.at_ms > now_ms - DAY_MS])
    figure = "–" if share is None else f"{share:.1%}"
    return (
        f'<div class="strip"><div class="head"><b>{_said(word, f"room.part.{part}")}</b>'
        f'<span class="word {newest}">{_word(newest, word)}</span><span class="share">{figure}</span></div>'
        f'<div class="cells" role="img" aria-label="{_said(word, f"room.part.{part}")} {figure}">{cells}</div></div>'
    )


def _word(state: State, word: Callable[[str], str]) -> str:
    return _said(word, f"room.state.{state}")


def _said(word: Callable[[str], str], key: str) -> str:
    return escape(word(key))
