"""
The equity of an account over a period: few enough points to draw, the deepest fall among all of them, the end of days.

Points are found by their T, and only then read. The deepest fall is exact without reading a year: the database tells
the highest and lowest equity (transfers taken out) of some hundred slices, and only slices that can hold a deeper fall
than is known are read whole. These two figures of a slice may be floats (SQLite), so they choose where to look and
nothing more; what is told comes from rows. Slices that are over are kept until the account's transfers change, which
alone moves points of the past.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import cycles, equity_points
from lib.domain.equity import Mark
from lib.domain.order import CYCLE_MS
from lib.domain.performance import Fall, deepest_fall
from lib.queries.own import OwnAccount

SLICES = 400
"""A curve has about as many points at most."""
STEPS_MS = [CYCLE_MS * times for times in (1, 2, 6, 12, 24, 48, 144, 288, 576, 1_440, 2_880, 8_640, 28_800)]
"""How long slices are: from five minutes to a hundred days; each begins at a multiple of its length."""
SETTLED = 2
"""The newest slices, which may still get points."""
MOST_KEPT = 64
NOISE = 1e-12
"""What the fraction of a fall may be off by where a slice's figures are floats."""
AT_ONCE = 200
"""Parts of one statement: SQLite takes 500."""
_P = equity_points.c
_MARK = (_P.t_ms, _P.equity, _P.transfers)
_UNPAID: "sa.ColumnElement[float]" = sa.type_coerce(_P.equity - _P.transfers, sa.Float)
_COUNTED: "sa.ColumnElement[float]" = sa.type_coerce(_P.transfers + sa.literal_column("0"), sa.Float)


@dataclass(frozen=True, slots=True)
class Slice:
    """Points of one stretch of time: the lowest and highest equity less transfers, the least transfers, the last T."""

    begins_ms: int
    low: float
    high: float
    counted: float
    last_ms: int


def begins(connection: sa.Connection, account_id: int, since_ms: int) -> int | None:
    """T of the last point before *since_ms*, else of the first one; None without any."""
    mine = _P.account_id == account_id
    before: int | None = connection.scalar(sa.select(sa.func.max(_P.t_ms)).where(mine, _P.t_ms < since_ms))
    if before is not None:
        return before
    first: int | None = connection.scalar(sa.select(sa.func.min(_P.t_ms)).where(mine))
    return first


def newest(connection: sa.Connection, account_id: int) -> int | None:
    """T of the newest point; None without any."""
    last: int | None = connection.scalar(sa.select(sa.func.max(_P.t_ms)).where(_P.account_id == account_id))
    return last


def step_of(first_ms: int, last_ms: int) -> int:
    """How long the slices of a curve from *first_ms* to *last_ms* are: as short as `SLICES` allow."""
    return next((step for step in STEPS_MS if (last_ms - first_ms) // step < SLICES), STEPS_MS[-1])


@dataclass(frozen=True, slots=True)
class _Kept:
    """The slices with a number from *begins* to *ends*, of an account whose transfers were *paid*."""

    paid: object
    begins: int
    ends: int
    slices: tuple[Slice, ...]


class Slices:
    """The slices of the accounts that were asked for last; used from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: sa.Connection, mine: OwnAccount, first_ms: int, last_ms: int) -> list[Slice]:
        """The points from *first_ms* to the newest, *last_ms*, in slices, oldest first; the first may begin late."""
        step, paid = step_of(first_ms, last_ms), (mine.transfers, mine.last_transfer_ms)
        whole, settled = first_ms // step + 1, last_ms // step - SETTLED
        with self._lock:
            kept = self._kept.get((mine.id, step))
        if kept is None or kept.paid != paid or whole < kept.begins:
            kept = _Kept(paid, whole, whole - 1, ())
        news = _slices(connection, mine.id, step, (kept.ends + 1) * step, last_ms)
        known = (*kept.slices, *news)
        self._keep((mine.id, step), _Kept(paid, kept.begins, max(settled, kept.ends), _until(known, settled, step)))
        partly = _slices(connection, mine.id, step, first_ms, whole * step - 1)
        return [*partly, *(one for one in known if one.begins_ms >= whole * step)]

    def _keep(self, key: tuple[int, int], kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def _until(known: tuple[Slice, ...], settled: int, step: int) -> tuple[Slice, ...]:
    return tuple(one for one in known if one.begins_ms // step <= settled)


def _slices(connection: sa.Connection, account_id: int, step: int, first_ms: int, last_ms: int) -> list[Slice]:
    begins_ms = (_P.t_ms - _P.t_ms % step).label("begins_ms")
    figures = (sa.func.min(_UNPAID), sa.func.max(_UNPAID), sa.func.min(_COUNTED), sa.func.max(_P.t_ms))
    query = (
        sa.select(begins_ms, *figures)
        .where(_P.account_id == account_id, _P.t_ms >= first_ms, _P.t_ms <= last_ms)
        .group_by("begins_ms")
        .order_by("begins_ms")
    )
    return [
        Slice(max(first_ms, at), float(low), float(high), float(counted), last)
        for at, low, high, counted, last in connection.execute(query)
    ]


def marks_at(connection: sa.Connection, account_id: int, times: Collection[int]) -> dict[int, Mark]:
    """The points at *times*, by T."""
    query = sa.select(*_MARK).where(_P.account_id == account_id, _P.t_ms.in_(sorted(times)))
    return {row[0]: Mark(*row) for row in connection.execute(query)}


def last_before(connection: sa.Connection, account_id: int, bounds: Sequence[int]) -> list[Mark | None]:
    """The last point before each of *bounds* (epoch ms)."""
    times: dict[int, int] = {}
    for first in range(0, len(bounds), AT_ONCE):
        part = bounds[first : first + AT_ONCE]
        # by constants: the server answers each from the end of a range, where a join would walk through all of them
        asked = " UNION ALL ".join(
            f"SELECT {int(bound)} AS bound, MAX(t_ms) AS t FROM equity_points "  # noqa: S608 - whole numbers of ours
            f"WHERE account_id = {int(account_id)} AND t_ms < {int(bound)}"
            for bound in part
        )
        times |= {bound: t for bound, t in connection.execute(sa.text(asked)) if t is not None}
    known = marks_at(connection, account_id, set(times.values()))
    return [known.get(times.get(bound, -1)) for bound in bounds]


def deepest(connection: sa.Connection, account_id: int, parts: Sequence[Slice], start: Mark | None) -> Fall | None:
    """The deepest fall of all points of *parts*, exactly; *start* stands before the first of them."""
    found: Fall | None = None
    read: dict[int, list[Mark]] = {}

    def marks_of(number: int) -> list[Mark]:
        if number not in read:
            read[number] = _marks_of(connection, account_id, parts[number])
        return read[number]

    for most, number, highest in _chances(parts, start):
        if found is not None and most <= float(found.fraction) + NOISE:
            break
        before = [max(marks_of(highest), key=_unpaid)] if highest is not None else []
        tops = [mark for mark in (start, *before) if mark is not None]
        deeper = deepest_fall([*sorted(tops, key=lambda mark: mark.t_ms), *marks_of(number)])
        if deeper is not None and (found is None or deeper.fraction > found.fraction):
            found = deeper
    return found


def _chances(parts: Sequence[Slice], start: Mark | None) -> list[tuple[float, int, int | None]]:
    """(How deep a fall that ends in a slice can be at most, the slice, the slice with the highest point before it)."""
    chances: list[tuple[float, int, int | None]] = []
    top, highest = (float(_unpaid(start)) if start else float("-inf")), None
    for number, part in enumerate(parts):
        above = max(top, part.high)
        base = above + part.counted
        chances.append(((above - part.low) / base if base > 0 else 0.0, number, highest))
        if part.high > top:
            top, highest = part.high, number
    return sorted(chances, key=lambda chance: -chance[0])


def _unpaid(mark: Mark) -> Any:
    return mark.equity - mark.counted


def _marks_of(connection: sa.Connection, account_id: int, part: Slice) -> list[Mark]:
    within = (_P.account_id == account_id, _P.t_ms >= part.begins_ms, _P.t_ms <= part.last_ms)
    return [Mark(*row) for row in connection.execute(sa.select(*_MARK).where(*within).order_by(_P.t_ms))]


def told_candles(connection: sa.Connection, feed: str, symbol: str, times: Iterable[int]) -> dict[int, str]:
    """
    The end of the candles an analyst was shown of *symbol* at each of *times*, as stored text, by T.

    A T nobody was asked at has none.
    """
    c = cycles.c
    one = (
        sa.select(sa.func.min(c.id))
        .where(c.feed == feed, c.symbol == symbol, c.t_ms.in_(sorted(times)))
        .group_by(c.t_ms)
    )
    ids = list(connection.scalars(one))
    # from the front: MySQL has no tail of a text that is shorter than the tail
    length = sa.func.length(c.candles)
    tail = sa.func.substr(c.candles, sa.case((length > TAIL, length - TAIL + 1), else_=1))
    query = sa.select(c.t_ms, tail).where(c.id.in_(ids))
    return {t_ms: str(text) for t_ms, text in connection.execute(query)}


TAIL = 240
"""Characters the newest candle's object fits into."""
