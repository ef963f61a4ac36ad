"""
The operator's command line, wired: the ledger, what it shows of everybody, and what it may ask the exchange.

What it works with can decide nothing: it looks for orders of ours and brings rows forward, and never leads.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lib.adapters.bybit.limits.limiter import IP_CALLS, LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitExchanges
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.sql.forms.arena_book import SqlArenaSeasons
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.forms.platform_book import SqlPlatformBook
from lib.adapters.sql.forms.real_caps import SqlRealCaps
from lib.adapters.sql.forms.reset_links import SqlResetLinks
from lib.adapters.sql.forms.sessions import SqlLogins
from lib.adapters.sql.forms.terminal_acts import SqlTerminalActs
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.vault import VaultOpener
from lib.bootstrap import stores
from lib.bootstrap.analyst import counts_cost
from lib.bootstrap.models import ModelControl, model_control
from lib.clock import Clock, SystemClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.ports.arena import ArenaSeasons
from lib.ports.exchange import Exchange, Exchanges, Lane
from lib.ports.ledger import Ledger
from lib.ports.operators import OperatorRegister, TerminalActs
from lib.ports.people import Logins
from lib.ports.platform import PlatformBook
from lib.ports.real_money import RealCaps
from lib.ports.safety import ResetLinks
from lib.queries import OperatorReadings
from lib.settings import Settings
from lib.trading.context import OrderContext
from lib.trading.kill_switch.operator import Operator
from lib.trading.kill_switch.proof import Prover, VenueTime
from lib.trading.orders.reconcile import Sweep
from lib.trading.platform_desk import PlatformDesk

NO_KEY = codes.NO_KEY_HERE()
"""Goes into the log alone: the command line has its own words."""


@dataclass(frozen=True, slots=True)
class PlatformControl:
    """
    The platform settings at the hand of *who*. *limits* is what this environment says without a row; *counts_cost* =
    what the analyst costs is known to it.
    """

    book: PlatformBook
    limits: PlatformLimits
    clock: Clock
    who: str
    counts_cost: bool
    caps: RealCaps
    seasons: ArenaSeasons

    @property
    def desk(self) -> PlatformDesk:
        """The use-case of changing them."""
        return PlatformDesk(self.book, self.limits, self.counts_cost)


@dataclass(frozen=True, slots=True)
class PeopleControl:
    """What the terminal may do about people: links to a new password, beginning with *public_url* ("" = unknown)."""

    logins: Logins
    links: ResetLinks
    clock: Clock
    public_url: str


@dataclass(frozen=True, slots=True)
class Control:
    """Everything behind the command line. *exchanges* is None where no exchange key can be opened."""

    ledger: Ledger
    operator: Operator
    register: OperatorRegister
    acts: TerminalActs
    readings: OperatorReadings
    exchanges: Exchanges | None
    prover: Prover
    clock: Clock
    platform: PlatformControl
    people: PeopleControl
    models: ModelControl
    may_resume: bool
    """False = the environment says that nothing may be traded."""


@asynccontextmanager
async def open_control(settings: Settings, who: str) -> AsyncIterator[Control]:
    """The operator's half of the system for *who*; it needs the database alone, and asks Redis for nothing."""
    settings.require("DATABASE_URL", "INSTALLATION")
    engine = stores.database(settings)
    ledger, clock = SqlLedger(engine, installation=settings.installation), SystemClock()
    async with open_session() as session:

        def transport_for(url: str) -> AiohttpTransport:
            return AiohttpTransport(url, session)

        def exchanges_at(ip_calls: int) -> Exchanges | None:
            if not settings.key_ring:
                return None
            opener, limiter = VaultOpener(settings.key_ring), LocalLimiter(clock, ip_calls=ip_calls)
            return BybitExchanges(opener, settings.venue_urls, transport_for, clock, limiter)

        try:
            yield Control(
                ledger=ledger,
                operator=Operator(ledger, who),
                register=SqlOperatorRegister(engine),
                acts=SqlTerminalActs(engine, clock),
                readings=OperatorReadings(engine),
                # a handful of questions by hand: they leave the traders' shared budget alone
                exchanges=exchanges_at(20),
                # asked while no trader runs, for every account: half the address's budget is nobody's then
                prover=_prover(settings, ledger, KeysHere(exchanges_at(IP_CALLS // 2)), clock, who),
                clock=clock,
                platform=PlatformControl(
                    book=SqlPlatformBook(engine),
                    limits=settings.platform_limits,
                    clock=clock,
                    who=who,
                    counts_cost=counts_cost(settings),
                    caps=SqlRealCaps(engine),
                    seasons=SqlArenaSeasons(engine),
                ),
                people=PeopleControl(SqlLogins(engine), SqlResetLinks(engine), clock, settings.public_url),
                models=model_control(settings, engine, clock),
                may_resume=settings.trading_enabled,
            )
        finally:
            ledger.close()
            engine.dispose()


class KeysHere(Exchanges):
    """
    `lib.ports.exchange.Exchanges` by the keys that open on this command line.

    One that does not open here may well be at work in a trader: that it cannot ask is *Retry* and never a refusal, of
    which a proof could make something.
    """

    def __init__(self, exchanges: Exchanges | None) -> None:
        self._exchanges = exchanges

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        if self._exchanges is None:
            raise Retry(NO_KEY)
        try:
            return self._exchanges.open(account, lane)
        except Pause as closed:
            raise Retry(closed.why) from closed


def _prover(settings: Settings, ledger: Ledger, exchanges: Exchanges, clock: Clock, who: str) -> Prover:
    context = OrderContext(
        orders=ledger,
        books=ledger,
        switches=ledger,
        exchanges=exchanges,
        clock=clock,
        feed=settings.feed_name,
        installation=settings.installation,
        holder=who,
    )
    # no trader has looked at its start: as far back as our rows may have been lost
    clocks = {venue: _time_of(url) for venue, url in settings.venue_urls.items()}
    return Prover(context, sweep=Sweep(None, deep=True), clocks=clocks)


def _time_of(url: str) -> VenueTime:
    market = BybitMarketData(url)

    async def ask() -> int:
        return await asyncio.to_thread(market.server_time)

    return ask
