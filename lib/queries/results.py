"""
How a person's account did over a period, everything as of one moment: equity beside holding and doing nothing, the
deepest fall, days, round trips, transfers, what the analyst cost.

All figures are the domain's (`lib.domain.performance`), from rows of the ledger. A period begins with the last equity
point before it, or with the balance the account began with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import transfers
from lib.domain.equity import Mark
from lib.domain.performance import (
    DayResult,
    Fall,
    Performance,
    buy_and_hold,
    day_results,
    do_nothing,
    falls,
    performance,
)
from lib.domain.position import ZERO
from lib.domain.round_trips import RoundTrip
from lib.domain.won_rates import WonRates
from lib.queries.analyst_costs import AnalystCost, Costs
from lib.queries.curve import Slices, begins, deepest, last_before, marks_at, newest, told_candles
from lib.queries.own import OwnAccount, own_account, own_accounts
from lib.queries.trips import TripReadings
from lib.queries.won import rates_of

_CLOSE = re.compile(r'"close": ?"([0-9.]{1,40})"')


@dataclass(frozen=True, slots=True)
class TransferRow:
    """USDT that came (positive) or went without a trade."""

    id: int
    at_ms: int
    kind: str
    amount: Decimal
    transfer_id: str


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """
    One point to draw. *nothing* and *hold* are what doing nothing and holding the coin would have made (None: no price
    known yet); *fall* is the fraction below the highest point drawn before it.
    """

    t_ms: int
    equity: Decimal
    nothing: Decimal
    hold: Decimal | None
    fall: Decimal


@dataclass(frozen=True, slots=True)
class Results:
    """
    One account over a period. *begin* is where the period begins, *end* its newest point; they are equal before the
    first point. *trips* ended in it, oldest first, *figures* are theirs; *open* are open now. *rates* tell won.
    """

    account: OwnAccount
    since_ms: int
    begin: Mark
    end: Mark
    points: tuple[CurvePoint, ...]
    deepest: Fall | None
    days: tuple[DayResult, ...]
    transfers: tuple[TransferRow, ...]
    trips: tuple[RoundTrip, ...]
    open: tuple[RoundTrip, ...]
    figures: Performance
    cost: AnalystCost
    rates: WonRates

    @property
    def made(self) -> Decimal:
        """What the period brought, the open position among it, transfers taken out; USDT."""
        return self.end.equity - self.begin.moved(self.end.counted)

    @property
    def share(self) -> Decimal | None:
        """The same as a fraction of what it began with and was paid in since."""
        base = self.begin.moved(self.end.counted)
        return self.made / base if base > 0 else None

    @property
    def made_krw(self) -> Decimal | None:
        """The same in won at the rate of the period's end; None without one."""
        return self.rates.won(self.made, self.end.t_ms)

    @property
    def net_krw(self) -> Decimal | None:
        """What the trips brought in won, each at the rate of the day it ended; None where one of them has none."""
        return self.rates.total((trip.net, trip.closed_ms or 0) for trip in self.trips)


class ResultReadings(TripReadings):
    """Of one account of one person; *account_id* None is the one in use."""

    def __init__(self, *stores: Any, **more: Any) -> None:
        super().__init__(*stores, **more)
        self._costs = Costs()
        self._slices = Slices()

    def own_accounts(self, user_id: int) -> list[OwnAccount]:
        """Every account the person has or had, the one in use first."""
        return self._read(lambda c: own_accounts(c, user_id))

    def results(
        self, user_id: int, *, since_ms: int = 0, bounds: Sequence[int] = (), account_id: int | None = None
    ) -> Results | None:
        """
        The period from *since_ms* (epoch ms) until now. *bounds* are the beginnings of the person's days, ascending,
        and the end of the last. None without an account of theirs.
        """

        def read(connection: sa.Connection) -> Results | None:
            mine = own_account(connection, user_id, account_id)
            return self._results(connection, mine, rates_of(connection, user_id), since_ms, bounds) if mine else None

        return self._read(read)

    def _results(
        self, connection: sa.Connection, mine: OwnAccount, rates: WonRates, since_ms: int, bounds: Sequence[int]
    ) -> Results:
        found = self._walks.trips(connection, mine.id)
        closed = tuple(trip for trip in found.closed if (trip.closed_ms or 0) >= since_ms)
        marks, worst = self._marks(connection, mine, since_ms)
        return Results(
            account=mine,
            since_ms=since_ms,
            begin=marks[0],
            end=marks[-1],
            points=_points(connection, mine, marks),
            deepest=worst,
            days=tuple(day_results(bounds, last_before(connection, mine.id, bounds), mine.start_balance)),
            transfers=_transfers(connection, mine.id, since_ms),
            trips=closed,
            open=found.open,
            figures=performance(closed),
            cost=self._costs.of(connection, mine.id, since_ms, self._clock.now_ms()),
            rates=rates,
        )

    def _marks(self, connection: sa.Connection, mine: OwnAccount, since_ms: int) -> tuple[list[Mark], Fall | None]:
        """The points to draw, oldest first, and the deepest fall of all."""
        first = begins(connection, mine.id, since_ms)
        start = Mark(min(mine.opened_ms, first or mine.opened_ms), mine.start_balance, ZERO)
        if first is None:
            return [start], None
        last = newest(connection, mine.id) or first
        parts = self._slices.of(connection, mine, first, last)
        before = start if first >= since_ms else None
        worst = deepest(connection, mine.id, parts, before)
        times = {first} | {part.last_ms for part in parts} | ({worst.top.t_ms, worst.bottom.t_ms} if worst else set())
        drawn = marks_at(connection, mine.id, times)
        marks = [drawn[t_ms] for t_ms in sorted(drawn)]
        return ([before, *marks] if before else marks), worst


def _points(connection: sa.Connection, mine: OwnAccount, marks: Sequence[Mark]) -> tuple[CurvePoint, ...]:
    prices = _prices(connection, mine, marks)
    curves = zip(marks, do_nothing(marks), buy_and_hold(marks, prices), falls(marks), strict=True)
    return tuple(CurvePoint(mark.t_ms, mark.equity, nothing, hold, fall) for mark, nothing, hold, fall in curves)


def _prices(connection: sa.Connection, mine: OwnAccount, marks: Sequence[Mark]) -> dict[int, Decimal]:
    """The close of the newest candle the analyst was shown at each mark."""
    told = told_candles(connection, mine.feed, mine.symbol, [mark.t_ms for mark in marks])
    closes = {t_ms: _CLOSE.findall(text) for t_ms, text in told.items()}
    return {t_ms: Decimal(found[-1]) for t_ms, found in closes.items() if found and _is_price(found[-1])}


def _is_price(text: str) -> bool:
    return text.count(".") <= 1 and text.strip(".0") != ""


def _transfers(connection: sa.Connection, account_id: int, since_ms: int) -> tuple[TransferRow, ...]:
    c = transfers.c
    columns = (c.id, c.at_ms, c.kind, c.amount, c.transfer_id)
    query = sa.select(*columns).where(c.account_id == account_id, c.at_ms >= since_ms).order_by(c.at_ms, c.id)
    return tuple(TransferRow(*row) for row in connection.execute(query))
