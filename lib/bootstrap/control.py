"""The operator's command line, wired: the ledger, what it shows of everybody, and what it may ask the exchange."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lib.adapters.bybit.exchanges import BybitExchanges
from lib.adapters.bybit.limiter import LocalLimiter
from lib.adapters.bybit.market_data import BybitMarketData
from lib.adapters.bybit.transport import AiohttpTransport, open_session
from lib.adapters.sql.ledger import SqlLedger
from lib.adapters.vault import VaultOpener
from lib.bootstrap import stores
from lib.clock import Clock, SystemClock
from lib.domain.account import Venue
from lib.ports import Exchanges, Ledger
from lib.queries import OperatorReadings
from lib.settings import Settings
from lib.trading.operating import Operator, VenueTime


@dataclass(frozen=True, slots=True)
class Control:
    """Everything behind the command line. *exchanges* is None where no exchange key can be opened."""

    ledger: Ledger
    operator: Operator
    readings: OperatorReadings
    exchanges: Exchanges | None
    times: Mapping[Venue, VenueTime]
    clock: Clock
    may_resume: bool
    """False = the environment says that nothing may be traded."""


@asynccontextmanager
async def control(settings: Settings, who: str) -> AsyncIterator[Control]:
    """The operator's half of the system for *who*; it needs the database alone, and asks Redis for nothing."""
    settings.require("DATABASE_URL", "INSTALLATION")
    engine = stores.database(settings)
    ledger, clock = SqlLedger(engine, installation=settings.installation), SystemClock()
    async with open_session() as session:

        def transport_for(url: str) -> AiohttpTransport:
            return AiohttpTransport(url, session)

        opener = VaultOpener([settings.encryption_key]) if settings.encryption_key else None
        # a handful of questions by hand: they leave the traders' shared budget alone
        few = LocalLimiter(clock, ip_calls=20)
        try:
            yield Control(
                ledger=ledger,
                operator=Operator(ledger, who),
                readings=OperatorReadings(engine),
                exchanges=BybitExchanges(opener, settings.venue_urls, transport_for, clock, few) if opener else None,
                times={venue: _time_of(url) for venue, url in settings.venue_urls.items()},
                clock=clock,
                may_resume=settings.trading_enabled,
            )
        finally:
            ledger.close()
            engine.dispose()


def _time_of(url: str) -> VenueTime:
    market = BybitMarketData(url)

    async def ask() -> int:
        return await asyncio.to_thread(market.server_time)

    return ask
