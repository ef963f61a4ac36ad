"""The web process, wired: who people are, what they may do, what they may see, and the live candles."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import redis.asyncio
import sqlalchemy as sa

from lib.accounts.arena import ArenaDesk
from lib.accounts.backtests import BacktestDesk, Past
from lib.accounts.beside import Beside
from lib.accounts.chats import ChatDesk
from lib.accounts.demo_step import DemoDesk
from lib.accounts.doors import Doors
from lib.accounts.emails import EmailDesk
from lib.accounts.entrance import PeopleStores
from lib.accounts.hashing import GatedHasher
from lib.accounts.models import OwnModelDesk
from lib.accounts.notices import NoticeDesk
from lib.accounts.passkeys import PasskeyDesk
from lib.accounts.people import People
from lib.accounts.quarantine import PastStores, QuarantineDesk
from lib.accounts.real_money import RealMoneyDesk
from lib.accounts.records import RecordDesk
from lib.accounts.resets import Postroom, ResetDesk
from lib.accounts.safety import Safety
from lib.accounts.shadows import ShadowDesk
from lib.accounts.strategies import StrategyDesk
from lib.accounts.tokens import TokenDesk
from lib.accounts.trading import TradingDesk
from lib.accounts.trading_ports import Deployment, TradingPorts
from lib.accounts.won import WonDesk
from lib.adapters.bybit.rest.account_probe import BybitAccountProbe
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.rest.paper_accounts import SimulatorPaperAccounts
from lib.adapters.mail import SmtpMailer
from lib.adapters.passkey_check import WebAuthnCheck
from lib.adapters.passwords import Passwords
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.live import RedisLiveCandles
from lib.adapters.sql.database.rights import refuse_too_much
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.api_tokens import SqlApiTokens
from lib.adapters.sql.forms.arena import SqlArena
from lib.adapters.sql.forms.backtests import SqlBacktestForms
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.channels import SqlChannels
from lib.adapters.sql.forms.chats import SqlChats
from lib.adapters.sql.forms.commands import SqlCommandQueue
from lib.adapters.sql.forms.email_links import SqlEmailLinks
from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.adapters.sql.forms.krw_rates import SqlWonBook
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.notice_choices import SqlNoticeChoices
from lib.adapters.sql.forms.own_locks import SqlOwnLocks
from lib.adapters.sql.forms.passkeys import SqlPasskeys
from lib.adapters.sql.forms.real_consents import SqlRealConsents
from lib.adapters.sql.forms.record_links import SqlRecordLinks
from lib.adapters.sql.forms.reset_links import SqlResetLinks
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.forms.shadow_desk import SqlShadows
from lib.adapters.sql.forms.strategy_desk import SqlStrategies
from lib.adapters.sql.forms.stretches import SqlStretches
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.adapters.sql.forms.trail import SqlTrail
from lib.adapters.vault import AddressSealer, VaultSealer
from lib.adapters.web_lock import WebLock
from lib.bootstrap import stores
from lib.bootstrap.metrics import read_budget, read_candles, read_database
from lib.bootstrap.models import environment_model, own_model_desk
from lib.bootstrap.operators import OperatorsDoor, operators_door
from lib.bootstrap.past_questions import workshop
from lib.bootstrap.preview import Previews
from lib.bootstrap.readiness import Readiness, ReadinessCheck
from lib.bootstrap.supervising import looping
from lib.clock import Clock, SystemClock
from lib.domain.account import Venue
from lib.domain.bybit_sites import SITES
from lib.market.scrollback import Scrollback
from lib.ports.market import LiveCandles
from lib.ports.metrics import Metrics
from lib.queries import Readings
from lib.queries.figures import FigureReadings
from lib.settings import Settings

PATIENT = (2.0, 30.0)
"""Seconds to connect, and to wait: a synthetic market invents its past when it is asked, half a year in seconds."""


@dataclass(frozen=True, slots=True)
class WebSystem:
    """
    Everything behind the pages and the API; one a process, used from any thread.

    *addresses* are those the exchange sees us call from, as far as somebody said. *check* raises *Retry* when database
    or Redis cannot be reached now. *trusted_proxies* of ours stand in front, and the web answers to *hosts*, "*" being
    every name.
    """

    people: People
    safety: Safety
    resets: ResetDesk
    emails: EmailDesk
    passkeys: PasskeyDesk
    tokens: TokenDesk
    won: WonDesk
    notices: NoticeDesk
    chats: ChatDesk
    trading: TradingDesk
    strategies: StrategyDesk
    shadows: ShadowDesk
    records: RecordDesk
    backtests: BacktestDesk
    quarantine: QuarantineDesk
    models: OwnModelDesk
    real_money: RealMoneyDesk
    demo_step: DemoDesk
    arena: ArenaDesk
    readings: Readings
    live: LiveCandles
    scrollback: Scrollback
    clock: Clock
    draw: Callable[[], float]
    """Jitter: at least 0 and below 1."""
    check: Callable[[], None]
    feed: str
    symbols: tuple[str, ...]
    intervals: tuple[str, ...]
    venues: tuple[Venue, ...]
    addresses: tuple[str, ...]
    key_pages: Mapping[Venue, str]
    """Where people make keys at the exchange."""
    trusted_proxies: int
    operators: OperatorsDoor
    previews: Previews
    ready: Callable[[], Readiness]
    """Whether the system may take work now, kept for a moment."""
    hosts: tuple[str, ...] = ("*",)
    metrics: Metrics | None = None
    metrics_token: str = field(default="", repr=False)


def web_system(settings: Settings, metrics: Metrics | None = None) -> WebSystem:
    """The web's half of the system; it can seal exchange keys and never open one. *metrics* are its figures."""
    settings.require("DATABASE_URL", "REDIS_URL", "ENCRYPTION_PUBLIC_KEY", "INSTALLATION")
    engine, clock = stores.database(settings), SystemClock()
    if settings.has_real_money:
        refuse_too_much(engine)
    readings = Readings(engine, candles := stores.candle_store(settings))
    trading, models = trading_desk(settings, engine, clock), own_model_desk(settings, engine, clock)
    kept = people_stores(settings, engine)
    feed = settings.feed_name

    def subscribe() -> redis.asyncio.Redis:
        return connect_async(settings.redis_url, tls_verify=stores.tls_verify(settings))

    def check() -> None:
        readings.status()
        readings.demo_user_id(feed)

    operators = operators_door(settings, engine, readings)
    read_candles(metrics, candles)
    watchers = stores.watchers_database(settings)
    read_database(metrics, engine, watchers)
    read_budget(metrics, operators.budget)
    resets, emails = _links(settings, engine, kept, clock)
    return WebSystem(
        people=People(
            kept,
            clock,
            trading.paper_for_newcomer,
            lambda: readings.demo_user_id(feed),
            doors=Doors(readings.admission, clock, settings.most_guests),
            beside=Beside(),
        ),
        safety=Safety(kept, clock, SqlLeaving(engine), emails),
        resets=resets,
        emails=emails,
        passkeys=PasskeyDesk(kept, SqlPasskeys(engine), WebAuthnCheck(), clock),
        tokens=TokenDesk(SqlApiTokens(engine), clock),
        won=WonDesk(SqlWonBook(engine)),
        notices=_notices(settings, engine, clock),
        chats=ChatDesk(SqlChats(engine), SqlThrottles(engine), clock),
        trading=trading,
        strategies=StrategyDesk(SqlStrategies(engine), SqlAccounts(engine), SqlThrottles(engine), clock, models),
        shadows=ShadowDesk(
            SqlShadows(engine),
            SqlAccounts(engine),
            models,
            lambda: readings.most_shadows(settings.platform_limits),
            clock,
        ),
        records=RecordDesk(SqlRecordLinks(engine), clock),
        backtests=BacktestDesk(
            SqlBacktestForms(engine), SqlAccounts(engine), SqlThrottles(engine), Past(feed, settings.symbols), clock
        ),
        quarantine=QuarantineDesk(
            PastStores(SqlBacktestForms(engine), SqlShadows(engine), SqlAccounts(engine), SqlThrottles(engine)),
            models,
            Past(feed, settings.symbols),
            workshop(),
            clock,
        ),
        models=models,
        real_money=RealMoneyDesk(
            SqlRealConsents(engine), SqlStretches(engine), SqlSecondFactors(engine), SqlPasskeys(engine), clock
        ),
        demo_step=DemoDesk(SqlStretches(engine), clock),
        arena=ArenaDesk(SqlArena(engine), readings.is_arena_open, clock),
        readings=readings,
        live=RedisLiveCandles(subscribe),
        # its calls are counted with those of the traders, in the lane of what a form may cause
        scrollback=Scrollback(
            BybitMarketData(settings.bybit_api_url, timeouts=PATIENT, ban=stores.check_lane(settings)), clock
        ),
        clock=clock,
        draw=secrets.SystemRandom().random,
        check=check,
        feed=feed,
        symbols=settings.symbols,
        intervals=settings.intervals,
        venues=settings.venues,
        addresses=settings.egress_ips,
        key_pages=SITES[settings.bybit_site].key_pages,
        trusted_proxies=settings.trusted_proxies,
        operators=operators,
        previews=Previews(
            readings, environment_model(settings), models, stores.measures(settings), stores.news(settings)
        ),
        ready=ReadinessCheck(
            readings.status,
            FigureReadings(watchers).waiting,
            settings.symbols,
            clock,
            partial(looping, settings.data_dir),
        ),
        hosts=settings.web_hosts,
        metrics=metrics,
        metrics_token=settings.watching.token,
    )


def _notices(settings: Settings, engine: sa.Engine, clock: Clock) -> NoticeDesk:
    sealer = AddressSealer(settings.notify.public_key) if settings.notify.public_key else None
    choices, channels = SqlNoticeChoices(engine), SqlChannels(engine, clock)
    private, throttles = settings.notify.private_hosts, SqlThrottles(engine)
    return NoticeDesk(choices, channels, throttles, sealer, clock, private_hosts=private)


def _links(settings: Settings, engine: sa.Engine, kept: PeopleStores, clock: Clock) -> tuple[ResetDesk, EmailDesk]:
    mailer, url, later = None if settings.smtp is None else SmtpMailer(settings.smtp), settings.public_url, Postroom()
    return (
        ResetDesk(kept, SqlResetLinks(engine), clock, mailer=mailer, public_url=url, later=later),
        EmailDesk(kept, SqlEmailLinks(engine), clock, mailer=mailer, public_url=url, later=later),
    )


def people_stores(settings: Settings, engine: sa.Engine) -> PeopleStores:
    """Where people are kept."""
    return PeopleStores(
        SqlLogins(engine),
        SqlSessions(engine),
        SqlBrowsers(engine),
        SqlThrottles(engine),
        GatedHasher(Passwords()),
        SqlTrail(engine),
        SqlSecondFactors(engine),
        WebLock(settings.web_secret, settings.web_secrets_old),
    )


def trading_desk(settings: Settings, engine: sa.Engine, clock: Clock) -> TradingDesk:
    """What a signed-in person may do about trading."""
    urls, lane = settings.venue_urls, stores.check_lane(settings)
    ports = TradingPorts(
        accounts=SqlAccounts(engine),
        keyring=SqlKeyring(engine, clock),
        queue=SqlCommandQueue(engine),
        paper=SimulatorPaperAccounts(settings.paper_api_url, settings.simulator_token, ban=lane),
        key_probe=PybitKeyProbe(urls, ban=lane, clock=clock),
        account_probe=BybitAccountProbe(urls, clock, lane),
        sealer=VaultSealer(settings.encryption_public_key),
        locks=SqlOwnLocks(engine),
        throttles=SqlThrottles(engine),
        clock=clock,
        models=own_model_desk(settings, engine, clock),
    )
    symbol, addresses = settings.symbols[0], settings.egress_ips
    here = Deployment(settings.feed_name, settings.venues, symbol, settings.installation, addresses, settings.symbols)
    return TradingDesk(ports, here)
