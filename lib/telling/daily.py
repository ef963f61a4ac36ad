"""
The daily report: once a day, at the hour of their day a person chose, how their account did in the 24 hours before.

Told through the outbox like everything else, once a day and account however often the notifier starts; a report that is
more than `LATE_H` hours late is left out. Whoever runs the platform is told at nine in Korea (midnight UTC) how it
stands: accounts, equity by venue, what the analyst cost, what went wrong.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import reduce
from typing import Protocol

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.channel import REPORT_HOUR
from lib.domain.errors import Retry
from lib.domain.events import MANNERS, Event, EventKind
from lib.domain.reason import Reason
from lib.domain.time_zones import time_zone
from lib.reason_text import TIME_ZONES

EVERY_S = 60.0
LATE_H = 3
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MOST_MODELS = 8
_log = log.get("daily")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with an account: when their day is, and the hour of it they are told at."""

    user_id: int
    account_id: int
    locale: str
    time_zone: str
    hour: int

    @property
    def zone(self) -> tzinfo:
        return time_zone(self.time_zone) or TIME_ZONES.get(self.locale, TIME_ZONES["ko"])


@dataclass(frozen=True, slots=True)
class Day:
    """
    24 hours of an account, USDT: *made* is what they brought net of fees and funding, the open position among it;
    *cost* the analyst's in USD (None = not known). *open* says what is open, with its stop.
    """

    equity: Decimal
    made: Decimal
    trades: int
    cost: Decimal | None
    open: Reason


@dataclass(frozen=True, slots=True)
class VenueMoney:
    """What the accounts of one venue have, USDT, and what 24 hours brought them without what was paid in and out."""

    venue: str
    accounts: int
    equity: Decimal
    made: Decimal


@dataclass(frozen=True, slots=True)
class ModelDay:
    """How often a model was asked in 24 hours; *cost* USD, None = no price is known."""

    model: str
    calls: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class PlatformDay:
    """
    The platform now (accounts, those that hold something, orders that are not settled, accounts that are stopped), and
    its last 24 hours: *money* by venue, *models*, and how often which thing that nobody wants was told.
    """

    accounts: int
    holding: int
    unsettled: int
    stopped: int
    money: Sequence[VenueMoney] = ()
    models: Sequence[ModelDay] = ()
    incidents: Sequence[tuple[EventKind, int]] = ()


class DailyReadings(Protocol):
    """What reports are made of."""

    def readers(self) -> Sequence[Reader]: ...

    def day(self, user_id: int, since_ms: int) -> Day | None: ...

    def platform_day(self, since_ms: int) -> PlatformDay: ...


@dataclass(slots=True)
class DailyReports:
    """Over readings; *tell* puts an event into somebody's outbox (person 0: whoever runs the platform)."""

    readings: DailyReadings
    tell: Callable[[int, int, Event], None]
    clock: Clock
    _done: dict[int, str] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Look each minute until *stop*."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.look)
            except Retry as away:
                _log.warning("daily.unread", why=str(away))
            except Exception as mistake:  # noqa: BLE001 - the next look may go better
                _log.error("daily.failed", mistake)
            try:
                await asyncio.wait_for(stop.wait(), EVERY_S)
            except TimeoutError:
                continue

    def look(self) -> None:
        """Tell everybody whose hour it is and who was not told today."""
        now = self.clock.now_ms()
        for one in self.readings.readers():
            if (date := due(now, one.zone, one.hour)) and self._done.get(one.account_id) != date:
                self._person(one, date, now)
                self._done[one.account_id] = date
        if (date := due(now, TIME_ZONES["ko"], REPORT_HOUR)) and self._done.get(0) != date:
            why = _said_of_platform(self.readings.platform_day(_day_before(now)))
            self.tell(0, 0, Event(EventKind.DAILY, why, f"daily:0:{date}"))
            self._done[0] = date

    def _person(self, one: Reader, date: str, now_ms: int) -> None:
        day = self.readings.day(one.user_id, _day_before(now_ms))
        if day is None:
            return
        why = _said(day)
        self.tell(one.user_id, one.account_id, Event(EventKind.DAILY, why, f"daily:{one.account_id}:{date}"))


def _said(day: Day) -> Reason:
    equity, made, trades = day.equity, day.made, day.trades
    if day.cost is None:
        return codes.DAILY(equity=equity, made=made, trades=trades, open=day.open)
    return codes.DAILY_PRICED(equity=equity, made=made, trades=trades, cost=day.cost, open=day.open)


def _day_before(now_ms: int) -> int:
    return now_ms - now_ms % HOUR_MS - DAY_MS


def _said_of_platform(day: PlatformDay) -> Reason:
    return codes.DAILY_OPERATORS(
        state=codes.DAILY_PLATFORM(
            accounts=day.accounts, holding=day.holding, unsettled=day.unsettled, stopped=day.stopped
        ),
        money=_side_by_side(
            [codes.DAILY_EQUITY(venue=m.venue, accounts=m.accounts, equity=m.equity, made=m.made) for m in day.money],
            codes.DAILY_NO_EQUITY(),
        ),
        analyst=_side_by_side([_said_of_model(one) for one in day.models[:MOST_MODELS]], codes.DAILY_UNASKED()),
        incidents=_side_by_side(
            [codes.DAILY_INCIDENT(what=MANNERS[kind].title, times=times) for kind, times in day.incidents],
            codes.DAILY_QUIET(),
        ),
    )


def _said_of_model(one: ModelDay) -> Reason:
    if one.cost is None:
        return codes.DAILY_MODEL_UNPRICED(model=one.model, calls=one.calls)
    return codes.DAILY_MODEL(model=one.model, calls=one.calls, cost=one.cost)


def _side_by_side(found: Sequence[Reason], nothing: Reason) -> Reason:
    if not found:
        return nothing
    return reduce(lambda more, one: codes.AND_ALSO(one=one, more=more), reversed(found[:-1]), found[-1])


def due(now_ms: int, zone: tzinfo, hour: int) -> str:
    """The date of the report that is to be told at *now_ms* in *zone*, "" = none."""
    here = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    begun = here.hour - hour
    return here.date().isoformat() if 0 <= begun < LATE_H else ""
