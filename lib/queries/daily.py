"""What the daily reports are made of: `lib.telling.daily.DailyReadings`. Over all accounts, for the notifier alone."""

from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.ledger.telling import OPERATORS
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts, notice_choices, outbox, users
from lib.adapters.sql.tables.trading import cycles, equity_points
from lib.domain import reason_codes as codes
from lib.domain.account import VENUES
from lib.domain.analyst_call import SHADOW
from lib.domain.channel import REPORT_HOUR
from lib.domain.events import EventKind
from lib.domain.position import ZERO
from lib.domain.reason import Reason
from lib.queries.analyst_costs import BILLION, BILLIONTHS
from lib.queries.money import MoneyReadings
from lib.queries.operating import OperatingReadings
from lib.queries.results import ResultReadings
from lib.queries.values import Holding
from lib.telling.daily import Day, ModelDay, PlatformDay, Reader, VenueMoney

INCIDENTS = (
    EventKind.LIQUIDATION, EventKind.ADL, EventKind.UNRESOLVED, EventKind.REPAIRED, EventKind.PAUSED, EventKind.BOOKS,
    EventKind.SILENT, EventKind.FLATTEN,
)  # fmt: skip
"""What nobody wants to happen, in the order it is told."""


class ReportReadings(ResultReadings, MoneyReadings):
    """Of everybody."""

    def readers(self) -> list[Reader]:
        """Everybody with an account who is not a demo, deleted or a guest."""
        hour = sa.func.coalesce(notice_choices.c.report_hour, REPORT_HOUR)
        query = (
            sa.select(users.c.id, accounts.c.id, users.c.locale, users.c.time_zone, hour)
            .join(accounts, (accounts.c.user_id == users.c.id) & accounts.c.active)
            .outerjoin(notice_choices, notice_choices.c.user_id == users.c.id)
            .where(users.c.deleted_at.is_(None), users.c.is_demo.is_(False), users.c.is_guest.is_(False))
        )
        return self._read(lambda c: [Reader(*row) for row in c.execute(query)])

    def day(self, user_id: int, since_ms: int) -> Day | None:
        """The person's account since then; None without one."""
        found, held, tiles = self.results(user_id, since_ms=since_ms), self.holding(user_id), self.tiles(user_id)
        if found is None or held is None or tiles is None:
            return None
        return Day(tiles.equity, found.made, len(found.trips), found.cost.usd, _open(held))

    def platform_day(self, since_ms: int) -> PlatformDay:
        """The platform now and since then."""
        seen = OperatingReadings(self._engine, self._candles, self._clock).overview()
        return PlatformDay(
            seen.accounts,
            seen.holding,
            seen.open_count,
            seen.stopped,
            money=self._read(lambda c: _money(c, since_ms)),
            models=self._read(lambda c: _models(c, since_ms)),
            incidents=self._read(lambda c: _incidents(c, since_ms)),
        )


def _money(connection: sa.Connection, since_ms: int) -> list[VenueMoney]:
    """By venue, from each account's newest reading of its wallet and the one its 24 hours began with."""
    first, newest = equity_points.alias(), equity_points.alias()
    points = sa.select(sa.func.max(equity_points.c.t_ms)).where(equity_points.c.account_id == accounts.c.id)
    oldest = sa.select(sa.func.min(equity_points.c.t_ms)).where(equity_points.c.account_id == accounts.c.id)
    before = points.where(equity_points.c.t_ms <= since_ms).correlate(accounts).scalar_subquery()
    begun = sa.func.coalesce(before, oldest.correlate(accounts).scalar_subquery())
    last = points.correlate(accounts).scalar_subquery()
    query = (
        sa.select(accounts.c.venue, newest.c.equity, newest.c.transfers, first.c.equity, first.c.transfers)
        .join(users, users.c.id == accounts.c.user_id)
        .join(newest, (newest.c.account_id == accounts.c.id) & (newest.c.t_ms == last))
        .join(first, (first.c.account_id == accounts.c.id) & (first.c.t_ms == begun))
        .where(accounts.c.active, users.c.deleted_at.is_(None), users.c.is_demo.is_(False), users.c.is_guest.is_(False))
    )
    found: dict[str, VenueMoney] = {}
    # money is summed in Python
    for venue, equity, paid, equity_then, paid_then in connection.execute(query):
        so_far = found.get(venue, VenueMoney(venue, 0, ZERO, ZERO))
        made = equity - paid - (equity_then - paid_then)
        found[venue] = VenueMoney(venue, so_far.accounts + 1, so_far.equity + equity, so_far.made + made)
    return [found[venue] for venue in VENUES if venue in found]


def _models(connection: sa.Connection, since_ms: int) -> list[ModelDay]:
    """The dearest first, then the most asked."""
    feeds = list(connection.scalars(sa.select(accounts.c.feed).distinct()))
    query = sa.select(cycles.c.model, sa.func.count(), sa.func.count(cycles.c.cost_usd), sa.func.sum(BILLIONTHS))
    since = (cycles.c.feed.in_(feeds), cycles.c.t_ms >= since_ms, cycles.c.asked_for != SHADOW)
    rows = connection.execute(query.where(*since).group_by(cycles.c.model))
    found = [
        ModelDay(model, calls, Decimal(int(sum_)) / BILLION if priced else None) for model, calls, priced, sum_ in rows
    ]
    return sorted(found, key=lambda one: (-(one.cost or ZERO), -one.calls, one.model))


def _incidents(connection: sa.Connection, since_ms: int) -> list[tuple[EventKind, int]]:
    """How often what nobody wants was told; a silence counts once, as the operators were told it."""
    kinds = [kind.value for kind in INCIDENTS]
    once = sa.or_(outbox.c.kind != EventKind.SILENT.value, outbox.c.user_id == OPERATORS)
    query = sa.select(outbox.c.kind, sa.func.count()).where(
        outbox.c.kind.in_(kinds), outbox.c.created_at >= utc_from_ms(since_ms), once
    )
    times = {kind: count for kind, count in connection.execute(query.group_by(outbox.c.kind))}
    return [(kind, times[kind.value]) for kind in INCIDENTS if kind.value in times]


def _open(held: Holding) -> Reason:
    if not held.position_qty:
        return codes.CHAT_FLAT()
    qty, way = abs(held.position_qty), held.position.direction
    if held.stop_loss:
        return codes.DAILY_OPEN(symbol=held.symbol, way=way, qty=qty, stop=held.stop_loss)
    return codes.DAILY_OPEN_STOPLESS(symbol=held.symbol, way=way, qty=qty)
