"""
The notifier, wired: what was told goes out, a silent trader is noticed, days are sealed, opinions scored, stretches of
evidence judged, the arena kept, and backtests worked out by a child.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa

from lib.adapters.apprise.courier import AppriseCourier
from lib.adapters.backtest_child import BacktestChild
from lib.adapters.heartbeat import HeartbeatUrl
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.arena_book import SqlArenaBook
from lib.adapters.sql.forms.backtests import SqlBacktestBook
from lib.adapters.sql.forms.channels import keep_operators
from lib.adapters.sql.forms.deliveries import SqlDeliveries
from lib.adapters.sql.forms.score_book import SqlScoreBook
from lib.adapters.sql.forms.stretch_book import SqlStretchBook
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.vault import AddressOpener, AddressSealer, public_key
from lib.bootstrap import stores
from lib.bootstrap.sealing import Sealer
from lib.clock import Clock, SystemClock
from lib.domain.events import Event
from lib.evidence.arena import Referee
from lib.evidence.ladder import Judge
from lib.evidence.scorer import Scorer
from lib.evidence.works import BacktestWorks
from lib.queries import Readings
from lib.queries.arena import ArenaAnswers
from lib.queries.daily import ReportReadings
from lib.queries.exposed import ExposedReadings
from lib.queries.stretches import StretchReadings
from lib.settings import Settings, inherited
from lib.telling.daily import DailyReports
from lib.telling.heartbeat import Heartbeat
from lib.telling.letters import composed
from lib.telling.sender import Sender
from lib.telling.silence import Silence


@dataclass(frozen=True, slots=True)
class Notifying:
    """The works of the notifier's process."""

    sender: Sender
    silence: Silence
    daily: DailyReports
    sealer: Sealer
    scorer: Scorer
    judge: Judge
    referee: Referee
    backtests: BacktestWorks
    heartbeat: Heartbeat | None
    """None = nobody watches from outside."""

    async def run(self, stop: asyncio.Event) -> None:
        """All of them, beside one another, until *stop*."""
        evidence = (self.scorer, self.judge, self.referee, self.backtests)
        works = (self.sender, self.silence, self.daily, self.sealer, *evidence, self.heartbeat)
        await asyncio.gather(*(work.run(stop) for work in works if work is not None))


@contextmanager
def notifying(settings: Settings) -> Iterator[Notifying]:
    """The notifier over live ports; it alone can open addresses of channels."""
    settings.require("DATABASE_URL", "REDIS_URL")
    engine, clock = stores.database(settings), SystemClock()
    opener = AddressOpener(settings.notify.key)  # says what is missing
    _operators(settings, engine, clock)
    courier = AppriseCourier(private_hosts=settings.notify.private_hosts)
    candles = stores.candle_store(settings)
    readings, exposed = Readings(engine, candles), ExposedReadings(engine, candles)

    def told(user_id: int, account_id: int, event: Event) -> None:
        transact(engine, lambda c: tell(c, user_id, account_id, event))

    url = settings.notify.heartbeat
    try:
        yield Notifying(
            Sender(SqlDeliveries(engine), opener, courier, composed, clock),
            Silence(readings.health, exposed, told, clock),
            DailyReports(ReportReadings(engine, candles), told, clock),
            Sealer(engine, clock),
            Scorer(SqlScoreBook(engine), candles, settings.feed_name, clock),
            Judge(SqlStretchBook(engine), StretchReadings(engine, candles).answers_of, clock),
            Referee(SqlArenaBook(engine), ArenaAnswers(engine, candles).answers_of, clock),
            BacktestWorks(SqlBacktestBook(engine), BacktestChild(inherited()), settings.feed_name, clock),
            Heartbeat(readings.health, HeartbeatUrl(url), clock) if url else None,
        )
    finally:
        engine.dispose()


def _operators(settings: Settings, engine: sa.Engine, clock: Clock) -> None:
    sealer = AddressSealer(public_key(settings.notify.key, "NOTIFIER_KEY"))
    wanted = {
        sha256(one.url.encode()).hexdigest()[:16]: (one.service, sealer.seal(one.url, 0, one.service))
        for one in settings.notify.operators
    }
    keep_operators(engine, wanted, clock.now_ms())
