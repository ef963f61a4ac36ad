"""
Looking for words in decisions: reasons, and what the analyst answered letter by letter.

No index serves it: MariaDB knows no n-grams, and a word of Korean ends in its particle. So a search is bounded instead:
each looks through at most `LOOKED` rows of the one person beside a place and says how far it came, and the next goes on
from there. It reads that person's rows alone, in the order of their index.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.queries.paging import NEWEST, Cursor, beside, place_of

LOOKED = 2_016
"""Rows one search looks through: a week of one account (`python -m bench.readings` times it)."""
_SPECIAL = re.compile("([/%_])")
_LOG = trade_logs.c


@dataclass(frozen=True, slots=True)
class Words:
    """
    What is looked for: somebody's *text* anywhere, or a reason of one of *codes*, or one of *sentences*, of each the
    parts that are always the same, in their order.
    """

    text: str
    codes: tuple[str, ...] = ()
    sentences: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """*rows* newest first; *older* and *newer* are where to go on, None where nothing is left on that side."""

    rows: Sequence[sa.RowMapping]
    older: Cursor | None
    newer: Cursor | None


def search(
    connection: sa.Connection,
    columns: Sequence[Any],
    where: Sequence[sa.ColumnElement[bool]],
    looked_for: sa.ColumnElement[bool],
    cursor: Cursor | None,
    limit: int,
) -> Found:
    """
    At most *limit* of the rows that match *where* and are *looked_for*, among the `LOOKED` beside *cursor* that match
    *where*, the nearest first.
    """
    at = cursor or NEWEST
    end = _end(connection, where, at)
    within = [] if end is None else [end.where()]
    query = sa.select(*columns).outerjoin_from(trade_logs, cycles, cycles.c.id == _LOG.cycle_id)
    query = query.where(*where, at.where(), *within, looked_for).order_by(*at.order()).limit(limit + 1)
    found = connection.execute(query).mappings().all()
    more, rows = len(found) > limit, found[:limit]
    if not at.older and not more and end is None:
        # nothing newer is left: the newest page, whole
        return search(connection, columns, where, looked_for, None, limit)
    on = beside(rows if at.older else rows[::-1], older=at.older) if more else _from(end, older=at.older)
    back = None if cursor is None else Cursor(not at.older, at.at_ms, at.row_id + (-1 if at.older else 1))
    rows = rows if at.older else rows[::-1]
    return Found(rows, on, back) if at.older else Found(rows, back, on)


def _end(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], at: Cursor) -> Cursor | None:
    """The last row that is looked through, as a place its own row lies on the near side of; None where all are."""
    query = sa.select(_LOG.executed_at, _LOG.id).where(*where, at.where()).order_by(*at.order())
    row = connection.execute(query.offset(LOOKED - 1).limit(1)).mappings().first()
    return None if row is None else place_of(row, older=not at.older, with_it=True)


def _from(end: Cursor | None, *, older: bool) -> Cursor | None:
    """Beyond *end*, in the direction of the search."""
    if end is None:
        return None
    return Cursor(older, end.at_ms, end.row_id + (1 if older else -1))


def holds(words: Words) -> sa.ColumnElement[bool]:
    """Whether a decision has *words* in its reasons or in the analyst's answer."""
    reasons = [_said(column, words) for column in (_LOG.reason, _LOG.error_message)]
    answer = sa.type_coerce(cycles.c.raw_answer, sa.Text)
    # a provider may have written letters that are not ASCII as \uXXXX
    spelled = dict.fromkeys((words.text, *(json.dumps(words.text, ensure_ascii=one)[1:-1] for one in (False, True))))
    return sa.or_(*reasons, *(answer.like(_pattern((text,)), escape="/") for text in spelled))


def _said(column: "sa.ColumnElement[Any]", words: Words) -> sa.ColumnElement[bool]:
    """Whether the stored reason has the text or a sentence, or is of a code: that is told by how it begins."""
    stored = sa.type_coerce(column, sa.Text)
    of_code = (stored.startswith(f'{{"c":"{code}"', autoescape=True) for code in words.codes)
    parts = ((words.text,), *words.sentences)
    written = ([json.dumps(part, ensure_ascii=False)[1:-1] for part in some] for some in parts)
    return sa.or_(*(stored.like(_pattern(some), escape="/") for some in written), *of_code)


def _pattern(parts: Sequence[str]) -> str:
    """A LIKE pattern of *parts*, anything before, between and after."""
    exact = "%".join(_SPECIAL.sub(r"/\1", part) for part in parts)
    return f"%{exact}%"
