"""What the daily reports are made of: `lib.telling.daily.DailyReadings`. Over all accounts, for the notifier alone."""

import sqlalchemy as sa

from lib.adapters.sql.tables.people import accounts, notice_choices, users
from lib.domain import reason_codes as codes
from lib.domain.channel import REPORT_HOUR
from lib.domain.reason import Reason
from lib.queries.money import MoneyReadings
from lib.queries.operating import OperatingReadings
from lib.queries.results import ResultReadings
from lib.queries.values import Holding
from lib.telling.daily import Day, PlatformDay, Reader


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

    def platform_day(self) -> PlatformDay:
        """The platform now."""
        seen = OperatingReadings(self._engine, self._candles, self._clock).overview()
        return PlatformDay(seen.accounts, seen.holding, seen.open_count, seen.stopped)


def _open(held: Holding) -> Reason:
    if not held.position_qty:
        return codes.CHAT_FLAT()
    qty, way = abs(held.position_qty), held.position.direction
    if held.stop_loss:
        return codes.DAILY_OPEN(symbol=held.symbol, way=way, qty=qty, stop=held.stop_loss)
    return codes.DAILY_OPEN_STOPLESS(symbol=held.symbol, way=way, qty=qty)
