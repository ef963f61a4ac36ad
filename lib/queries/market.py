"""What is the market's and the system's, and nobody's in particular: candles, status, health."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.ledger.cycles import read_opinions
from lib.adapters.sql.tables.people import accounts, users
from lib.adapters.sql.tables.trading import cycles
from lib.domain.analyst_call import SHADOW
from lib.domain.candle import MINUTE_MS, Candle, candle_problem, interval_ms, sound_tail
from lib.domain.instrument import Instrument
from lib.domain.opinions import Opinion
from lib.market.status import closed_markets_of, read_rules
from lib.queries.reading import Reading, epoch_ms
from lib.queries.values import Health

MINUTES_OF_DAY = 1_440


class MarketReadings(Reading):
    """Candles, `system:status`, and what it tells."""

    def status(self) -> dict[str, str]:
        """`system:status` as collector and trader wrote it."""
        return self._candles.status()

    def candles(self, symbol: str, interval: str = "1m", count: int = 500, since_ms: int | None = None) -> list[Candle]:
        """
        At most *count* newest candles that open at or after *since_ms*, oldest first, the forming one last.

        Sane and contiguous: older candles beyond a hole or an absurd one are left out, and so is a forming candle that
        does not follow the newest closed one.
        """
        step = interval_ms(interval)
        closed = sound_tail(self._candles.newest(symbol, interval, count), step)
        forming = self._candles.forming(symbol, interval)
        if forming is not None and _follows(closed, forming.candle, step):
            closed = [*closed, forming.candle][-count:]
        return [candle for candle in closed if since_ms is None or candle.open_time >= since_ms]

    def closed_candles(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """At most *count* newest closed candles without a hole, oldest first."""
        return sound_tail(self._candles.newest(symbol, interval, count), interval_ms(interval))

    def newest_candle(self, symbol: str, interval: str = "1m") -> Candle | None:
        """The newest closed candle, or None."""
        newest = sound_tail(self._candles.newest(symbol, interval, 1), interval_ms(interval))
        return newest[0] if newest else None

    def last_price(self, symbol: str) -> Decimal | None:
        """The newest price the collector has seen: of the forming candle, else of the newest closed one."""
        closed, forming = self.newest_candle(symbol), self._candles.forming(symbol, "1m")
        newer = forming is not None and (closed is None or forming.candle.open_time > closed.open_time)
        if forming is not None and newer and not candle_problem(forming.candle, MINUTE_MS):
            return forming.candle.close
        return closed.close if closed else None

    def price_day_ago(self, symbol: str) -> Decimal | None:
        """The price 24 hours before the newest closed candle; None when so many candles are not there."""
        found = sound_tail(self._candles.newest(symbol, "1m", MINUTES_OF_DAY), MINUTE_MS)
        return found[0].open if len(found) == MINUTES_OF_DAY else None

    def opinions(self, symbol: str, asked_sha256: str, before_ms: int) -> list[Opinion]:
        """As the ledger's `opinions`, of this deployment's feed: nobody's in particular."""
        feed = self.status().get("feed", "")
        return self._read(lambda c: read_opinions(c, feed, symbol, asked_sha256, before_ms))

    def rules(self, symbol: str) -> Instrument | None:
        """The trading rules the collector last read, or None."""
        return read_rules(symbol, self.status().get(f"rules:{symbol}", ""))

    def demo_user_id(self, feed: str) -> int | None:
        """The labelled demo person of *feed*, or None."""
        query = (
            sa.select(users.c.id)
            .join(accounts, accounts.c.user_id == users.c.id)
            .where(users.c.is_demo, accounts.c.feed == feed, accounts.c.active)
            .limit(1)
        )
        found = self._read(lambda c: c.execute(query).scalar())
        return None if found is None else int(found)

    def health(self, now_ms: int) -> Health:
        """What is known at *now_ms* (epoch ms) of collector, trader and analyst, for the feed's first symbol."""
        status = self.status()
        symbol = status.get("symbols", "BTCUSDT").partition(",")[0]
        newest, call = self.newest_candle(symbol), self._newest_call(status.get("feed", ""), symbol)
        return Health(
            feed=status.get("feed", ""),
            websocket=status.get("websocket_connected") == "true",
            candle_age_s=None if newest is None else age_s(now_ms, newest.open_time + MINUTE_MS),
            collector_age_s=age_s(now_ms, moment(status.get("data_server_heartbeat"))),
            trader_age_s=age_s(now_ms, moment(status.get("trader_heartbeat"))),
            problem=status.get("data_server_problem", ""),
            closed_markets=closed_markets_of(status),
            last_cycle_ms=moment(status.get("last_cycle")),
            last_cycle_outcome=status.get("last_cycle_outcome", ""),
            analyst=call["state"] if call else "",
            analyst_model=call["model"] if call else "",
            analyst_latency_ms=call["latency_ms"] if call else None,
            analyst_ms=epoch_ms(call["created_at"]) if call else None,
        )

    def _newest_call(self, feed: str, symbol: str) -> sa.RowMapping | None:
        names = (cycles.c.state, cycles.c.model, cycles.c.latency_ms, cycles.c.created_at)
        of_market = (cycles.c.feed == feed, cycles.c.symbol == symbol, cycles.c.asked_for != SHADOW)
        query = sa.select(*names).where(*of_market).order_by(cycles.c.t_ms.desc()).limit(1)
        return self._read(lambda c: c.execute(query).mappings().first())


def _follows(closed: list[Candle], forming: Candle, step_ms: int) -> bool:
    if candle_problem(forming, step_ms):
        return False
    return not closed or forming.open_time == closed[-1].open_time + step_ms


def moment(text: str | None) -> int | None:
    """A moment of `system:status` as epoch ms; None for none and for what cannot be read."""
    try:
        return epoch_ms(datetime.fromisoformat((text or "").replace("Z", "+00:00")))
    except ValueError:
        return None


def age_s(now_ms: int, at_ms: int | None) -> float | None:
    """Seconds from *at_ms* to *now_ms*, never negative; None for none."""
    return None if at_ms is None else max(0.0, (now_ms - at_ms) / 1000)
