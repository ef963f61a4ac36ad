"""
A person's backtests: the list, one in full, and what a link opens. A hidden one is told nowhere, and counted.

How sure it is that a result is no luck is worked out when it is read, because every question asked since over the same
prices counts against it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.forms.backtests import unpacked
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.people import users
from lib.domain.backtests import Moments, State, Wish, luck, read_wish
from lib.domain.quarantine import Stage
from lib.domain.reason import Reason
from lib.queries.reading import Reading

_B = backtests.c
_LINE = tuple(column for column in _B if column.name != "result")


@dataclass(frozen=True, slots=True)
class BacktestLine:
    """
    One question: *done* of *whole* so far, *why* it failed, *earned* a fraction of the start, None until it is over.
    """

    job_id: int
    wish: Wish
    state: State
    why: Reason
    done: int
    whole: int
    asked_ms: int
    ended_ms: int
    earned: Decimal | None
    is_shown: bool
    """Whether a link opens it."""
    stage: Stage = ""
    calls: int = 0
    usd: Decimal = Decimal(0)
    """Of one that asks a model: how far it is, and what it asked and cost so far."""


@dataclass(frozen=True, slots=True)
class BacktestFound:
    """
    A question with what came of it, None until then. *tries* are the person's questions over the same prices, this one
    among them; *sure*: how sure it is that it beats the best of as many worthless ones, None where that is not known.
    """

    line: BacktestLine
    result: dict[str, Any] | None
    tries: int
    sure: float | None


class BacktestReadings(Reading):
    """Backtests; never somebody else's, but for who has a link."""

    def backtests(self, user_id: int, limit: int = 50) -> list[BacktestLine]:
        """The newest *limit*, newest first."""
        query = sa.select(*_LINE).where(_B.user_id == user_id, _B.hidden_ms == 0).order_by(_B.id.desc()).limit(limit)
        return [_line(row) for row in self._read(lambda c: c.execute(query).mappings().all())]

    def backtest(self, user_id: int, job_id: int) -> BacktestFound | None:
        """One of the person's in full; None for another's and for a hidden one."""
        return self._found(_B.id == job_id, _B.user_id == user_id)

    def opened_backtest(self, code_sha256: str) -> BacktestFound | None:
        """What the code opens now; None for a link that was taken back, or invented, or whose person left."""
        living = sa.select(users.c.id).where(users.c.deleted_at.is_(None))
        return self._found(_B.code_sha256 == code_sha256, _B.user_id.in_(living))

    def _found(self, *which: sa.ColumnElement[bool]) -> BacktestFound | None:
        query = sa.select(*_LINE, _B.result).where(*which, _B.hidden_ms == 0)
        row = self._read(lambda c: c.execute(query).mappings().one_or_none())
        if row is None:
            return None
        line, result = _line(row), None if row["result"] is None else unpacked(row["result"])
        tries = max(self._read(lambda c: int(c.execute(_tries(row, line.wish)).scalar_one())), 1)
        return BacktestFound(line, result, tries, _sure(result, tries))


def _tries(row: sa.RowMapping, wish: Wish) -> sa.Select[Any]:
    """Questions of the person that came to a result over prices of the same symbol and some of the same days."""
    return sa.select(sa.func.count(_B.content_key.distinct())).where(
        _B.user_id == row["user_id"],
        _B.feed == row["feed"],
        _B.symbol == wish.symbol,
        _B.state == "done",
        _B.earned.is_not(None),  # a memory test is no try
        _B.since_ms < wish.until_ms,
        _B.until_ms > wish.since_ms,
    )


def _sure(result: dict[str, Any] | None, tries: int) -> float | None:
    told = None if result is None else result.get("moments")
    return None if told is None else luck(Moments(*told), tries)


def _line(row: sa.RowMapping) -> BacktestLine:
    return BacktestLine(
        row["id"],
        read_wish(row["wish"]),
        row["state"],
        row["why"],
        row["done"],
        row["whole"],
        row["asked_ms"],
        row["ended_ms"],
        row["earned"],
        row["code_sha256"] is not None,
        row["stage"],
        row["calls"],
        row["usd"],
    )
