"""
What the analyst's calls behind an account's decisions cost, by hour.

A call that several accounts share is counted in full for each of them. Costs are summed by the database as whole
billionths of a dollar, which are exact on every database. Hours that are over are kept: a year is summed once.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import cycles, trade_logs

HOUR_MS = 3_600_000
SETTLED_MS = 2 * HOUR_MS
"""How old an hour is before it is kept: rows of a cycle are written within minutes."""
MOST_KEPT = 256
BILLION = 1_000_000_000
_HOUR: "sa.ColumnElement[int]" = (trade_logs.c.t_ms - trade_logs.c.t_ms % HOUR_MS).label("hour")
BILLIONTHS = sa.cast(sa.func.round(sa.type_coerce(cycles.c.cost_usd, sa.Float) * BILLION), sa.BigInteger)
_SUMS = (
    sa.select(_HOUR, sa.func.count(), sa.func.count(cycles.c.cost_usd), sa.func.sum(BILLIONTHS))
    .join(cycles, cycles.c.id == trade_logs.c.cycle_id)
    .where(trade_logs.c.account_id == sa.bindparam("of_account"), trade_logs.c.t_ms >= sa.bindparam("since"))
    .group_by("hour")
)


@dataclass(frozen=True, slots=True)
class AnalystCost:
    """*calls* of the analyst, what the *priced* ones of them cost in USD; None where none has a price."""

    calls: int
    priced: int
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class _Hour:
    calls: int
    priced: int
    billionths: int


class Costs:
    """The sums of the accounts that were asked for last; used from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, dict[int, _Hour]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: sa.Connection, account_id: int, since_ms: int, now_ms: int) -> AnalystCost:
        """What the calls since *since_ms* cost, counted from the hour it lies in."""
        with self._lock:
            known = self._kept.get(account_id, {})
        since = max(known, default=-HOUR_MS) + HOUR_MS
        found = connection.execute(_SUMS, {"of_account": account_id, "since": since})
        hours = known | {int(at): _Hour(calls, priced, int(sum_ or 0)) for at, calls, priced, sum_ in found}
        self._keep(account_id, {at: hour for at, hour in hours.items() if at <= now_ms - SETTLED_MS})
        return _summed([hour for at, hour in hours.items() if at > since_ms - HOUR_MS])

    def _keep(self, account_id: int, hours: dict[int, _Hour]) -> None:
        with self._lock:
            self._kept[account_id] = hours
            self._kept.move_to_end(account_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def _summed(hours: list[_Hour]) -> AnalystCost:
    calls, priced = sum(hour.calls for hour in hours), sum(hour.priced for hour in hours)
    usd = Decimal(sum(hour.billionths for hour in hours)) / BILLION if priced else None
    return AnalystCost(calls, priced, usd)
