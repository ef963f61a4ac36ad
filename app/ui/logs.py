"""
Rows of the trade log as one frame: what happened first, why in the owner's words.

Text that came from an analyst or an exchange is a cell's plain text here, never markup.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

from app.ui.palette import Palette
from app.ui.reasons import say_sentence
from app.ui.rule_words import said_otherwise
from app.ui.write import percent, short
from lib.queries import LogRow, Words
from lib.reason_text import codes_saying

OUTCOMES = ("bought", "sold", "closed", "kept", "held", "skipped", "refused", "failed", "unresolved")
MOST_TYPED = 100
COLUMNS = ("time", "outcome", "view", "confidence", "why")


def words_of(typed: str, language: str) -> Words | None:
    """
    What to look for in reasons: the words as they are typed, codes whose sentence has them, and what the rules said in
    the other language; None for none.
    """
    text = " ".join(typed.split())[:MOST_TYPED]
    return Words(text, codes_saying(text, language), said_otherwise(text, language)) if text else None


def outcome_colours(colours: Palette) -> tuple[str, ...]:
    """One for each of OUTCOMES; long and short have those of up and down."""
    up, down = colours.badges
    return (up, down, "violet", "gray", "gray", "gray", "orange", "red", "yellow")


def log_frame(
    rows: Sequence[LogRow],
    word: Callable[[str], str],
    at: Callable[[int], str],
    language: str,
    *,
    several: bool = False,
) -> Any:
    """
    *rows* under the columns COLUMNS in *language*, with that of the symbol where there are *several*; *word* translates
    a key, *at* writes an epoch-ms time.
    """
    lines = [
        (
            at(row.t_ms)[:16],  # a decision is of a whole minute
            [word(f"outcome.{row.outcome}")],
            word(f"action.{row.action}") if row.action else word("action.none"),
            percent(row.confidence, places=0),
            short(say_sentence(row.message or row.reason, language), 240),
        )
        for row in rows
    ]
    if not several:
        return frame(COLUMNS, lines)
    with_symbol = [(time, row.symbol, *others) for row, (time, *others) in zip(rows, lines, strict=True)]
    return frame((COLUMNS[0], "symbol", *COLUMNS[1:]), with_symbol)


def frame(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Any:
    """A pandas frame of *rows* under *names*; a dataframe's cells are plain text, st.table's are Markdown."""
    return pd.DataFrame(rows, columns=pd.Index(names))
