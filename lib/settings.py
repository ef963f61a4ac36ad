"""
The only reader of the environment: one frozen value, refused loudly when unsafe.

Names are the original design's where it has one. No setting has a default that would work in production by accident:
stores and secrets have none at all (`make run` passes its own, made under var/). Absence means absence, never "use
default".
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import cast

from lib import analyst_settings, log, mail_settings, unsafe_settings, watch_settings, worker_settings
from lib import setting_values as values
from lib.domain.account import MOST_GUESTS, VENUES, PlatformLimits, Venue
from lib.domain.bybit_sites import SITES, Site
from lib.domain.candle import INTERVALS
from lib.domain.errors import Halt
from lib.domain.platform_settings import LIMIT_BOUNDS
from lib.domain.pricing import AnalystPrices
from lib.domain.venues import CAPABILITIES, feed_fits
from lib.notify_settings import NOTIFY_SECRETS, NotifySettings, read_notify
from lib.secret_files import with_secret_files

VERSION = "0.1.0"
LEARN = analyst_settings.LEARN
DATABASE_NAMES = ("DATABASE_URL", "MYSQL_URL", "JAWSDB_URL", "JAWSDB_MARIA_URL", "CLEARDB_DATABASE_URL")
REDIS_NAMES = ("REDIS_URL", "REDIS_TLS_URL", "REDISCLOUD_URL")
SECRET_NAMES = (
    *DATABASE_NAMES, *REDIS_NAMES, "OPENAI_API_KEY", "ENCRYPTION_KEY", "ENCRYPTION_PUBLIC_KEY", "WEB_SECRET",
    "SMTP_URL", "SIMULATOR_TOKEN", "METRICS_TOKEN", "ENCRYPTION_KEYS_OLD", "WEB_SECRETS_OLD", *NOTIFY_SECRETS,
)  # fmt: skip
"""Each may be given as a file too, by its name with _FILE."""
PLATFORM_NAMES = ("DYNO", "RAILWAY_PROJECT_ID", "RENDER_SERVICE_ID", "FLY_APP_NAME")
"""One of these is set where a platform's router stands in front; it passes on the names given to this app alone."""
ALWAYS_SECRETS = ("ENCRYPTION_KEY", "ENCRYPTION_PUBLIC_KEY", "WEB_SECRET", "SIMULATOR_TOKEN", "OPENAI_API_KEY")
"""What some process of every deployment needs."""
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process may be told. Secrets are kept out of the repr."""

    trading_enabled: bool
    feed: str
    bybit_site: str
    bybit_api_url: str
    bybit_ws_url: str
    paper_api_url: str
    venues: tuple[Venue, ...]
    symbols: tuple[str, ...]
    intervals: tuple[str, ...]
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    redis_tls_verify: str
    openai_base_url: str
    openai_model: str
    openai_api_key: str = field(repr=False)
    analyst_budget_s: float
    analyst_places: int
    """Calls of one model at once."""
    analyst_format: str
    analyst_effort: str
    analyst_max_tokens: int
    """0 = as learnt."""
    analyst_prices: AnalystPrices
    """What the operator set; unknown = what the model is known to cost, if it is."""
    analyst_cutoff: str
    """The last day of what `openai_model` was trained on, "" = nobody says."""
    analyst_cost_capped: bool
    """Whether the operator set a cap on cost, which then must be counted."""
    platform_limits: PlatformLimits
    encryption_key: str = field(repr=False)
    encryption_keys_old: tuple[str, ...] = field(repr=False)
    """Keys being rotated out: they open what is still sealed for them, and nothing is sealed for them any more."""
    encryption_public_key: str
    web_secret: str = field(repr=False)
    """Locks what the web must read back; "" = second factors cannot be set up here."""
    web_secrets_old: tuple[str, ...] = field(repr=False)
    public_url: str
    """The address people open this server by; "" = nobody said."""
    smtp: mail_settings.Smtp | None
    notify: NotifySettings
    installation: str
    data_dir: Path
    log_format: log.Format
    log_level: str
    log_dir: Path | None
    """Where each process keeps a file of its newest lines besides; None = nowhere."""
    simulator_host: str
    simulator_port: int
    simulator_seed: int
    simulator_token: str = field(repr=False)
    stale_after_s: float
    web_host: str
    web_port: int
    trusted_proxies: int
    web_hosts: tuple[str, ...]
    """Names the web answers to besides this machine's own; "*" is every name."""
    most_guests: int
    egress_ips: tuple[str, ...]
    news_feeds: tuple[str, ...]
    """Addresses of the RSS and Atom feeds whose headlines may be shown; () = none."""
    own_model_hosts: frozenset[str]
    """`host:port` of the inner network that people's own models may be at."""
    watching: watch_settings.Watching
    workers: worker_settings.Workers
    platform: str
    """The name by which a platform gave itself away, "" = a machine of one's own."""

    @property
    def feed_name(self) -> str:
        """The feed as stores and pages name it: a replay by its file's name, without its folder."""
        kind, _, rest = self.feed.partition(":")
        return f"{kind}:{Path(rest).name}" if rest else kind

    @property
    def venue_urls(self) -> dict[Venue, str]:
        """REST base URL of each venue this deployment trades on."""
        urls: dict[Venue, str] = {**SITES[self.bybit_site].rest_urls, "paper": self.paper_api_url}
        return {venue: urls[venue] for venue in self.venues}

    @property
    def private_ws_urls(self) -> dict[Venue, str]:
        """URL of each venue's private WebSocket."""
        paper = f"ws{self.paper_api_url.removeprefix('http')}/v5/private"
        urls: dict[Venue, str] = {**SITES[self.bybit_site].private_urls, "paper": paper}
        return {venue: urls[venue] for venue in self.venues}

    @property
    def is_deployed(self) -> bool:
        """Whether others than the person at this machine rely on it: a platform, or a database server."""
        return bool(self.platform) or not self.database_url.startswith("sqlite")

    @property
    def has_real_money(self) -> bool:
        """Whether accounts with real money may be entered here."""
        return any(CAPABILITIES[venue].has_real_money for venue in self.venues)

    @property
    def own_secrets(self) -> tuple[tuple[str, str], ...]:
        """What this deployment alone knows, by its setting's name; what is not set here is left out."""
        held = [(name, getattr(self, name.lower())) for name in ALWAYS_SECRETS]
        held += [("ENCRYPTION_KEYS_OLD", old) for old in self.encryption_keys_old]
        held += [("WEB_SECRETS_OLD", old) for old in self.web_secrets_old]
        held += [("METRICS_TOKEN", self.watching.token), *self.notify.own_secrets]
        return tuple((name, value) for name, value in held if value)

    @property
    def key_ring(self) -> tuple[str, ...]:
        """What opens exchange keys here, the key in use first; () = nothing."""
        return tuple(filter(None, (self.encryption_key, *self.encryption_keys_old)))

    def require(self, *names: str) -> None:
        """*Halt* with one line naming the first of these settings (by environment name) that is missing."""
        for name in names:
            if not getattr(self, name.lower()):
                raise Halt(f"{name} is missing: {_ADVICE.get(name, 'set it, see .env.example')}")


_ADVICE = {
    "DATABASE_URL": "set it to a mysql:// URL as in .env.example, or use `make run`",
    "REDIS_URL": "set it to a redis:// or rediss:// URL as in .env.example, or use `make run`",
    "ENCRYPTION_KEY": "make one with `python -m services.keys` and keep it where only the trader can read it",
    "ENCRYPTION_PUBLIC_KEY": "make a pair with `python -m services.keys`",
    "OPENAI_API_KEY": "set the key of your OpenAI-compatible provider",
}


def inherited() -> dict[str, str]:
    """The environment this process was given, for a child that shall have it too; empty values are left out."""
    return {name: value for name, value in os.environ.items() if value}


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from *env* (default: the process environment). *Halt* names the setting and what to do about it."""
    source = with_secret_files(os.environ if env is None else env, SECRET_NAMES)
    feed = source.get("FEED", "synthetic")
    paper = source.get("PAPER_API_URL") or f"http://127.0.0.1:{source.get('SIMULATOR_PORT', '18700')}"
    site = values.choice(source, "BYBIT_SITE", "com", tuple(SITES))
    rest, stream = _feed_urls(feed, paper, SITES[site])
    settings = Settings(
        trading_enabled=values.choice(source, "TRADING_ENABLED", "true", ("true", "false")) == "true",
        feed=feed,
        bybit_site=site,
        bybit_api_url=values.url(source, "BYBIT_API_URL", rest),
        bybit_ws_url=values.url(source, "BYBIT_WS_URL", stream),
        paper_api_url=values.url({"PAPER_API_URL": paper}, "PAPER_API_URL", paper),
        venues=_venues(source.get("VENUES", "paper")),
        symbols=values.names(source.get("SYMBOLS", "BTCUSDT")),
        intervals=_intervals(source.get("INTERVALS", "1m")),
        database_url=values.first(source, DATABASE_NAMES),
        redis_url=values.first(source, REDIS_NAMES),
        redis_tls_verify=_tls(source),
        openai_base_url=analyst_settings.base_url(source.get("OPENAI_BASE_URL", "")),
        openai_model=analyst_settings.model(source.get("OPENAI_MODEL", "")),
        openai_api_key=analyst_settings.api_key(values.secret(source, "OPENAI_API_KEY")),
        analyst_budget_s=values.number(source, "ANALYST_BUDGET_S", 45, 1, 60),
        analyst_places=int(values.number(source, "ANALYST_PLACES", 8, 1, 100)),
        analyst_format=values.choice(source, "ANALYST_FORMAT", LEARN, (LEARN, *analyst_settings.FORMATS)),
        analyst_effort=values.choice(source, "ANALYST_EFFORT", LEARN, (LEARN, *analyst_settings.EFFORTS)),
        analyst_max_tokens=analyst_settings.max_tokens(source.get("ANALYST_MAX_TOKENS", "")),
        analyst_prices=_analyst_prices(source),
        analyst_cutoff=analyst_settings.cutoff(source.get("ANALYST_CUTOFF", "")),
        analyst_cost_capped=bool(source.get("PLATFORM_ANALYST_COST_USD", "").strip()),
        platform_limits=_platform_limits(source),
        encryption_key=values.key(source, "ENCRYPTION_KEY"),
        encryption_keys_old=values.keys(source, "ENCRYPTION_KEYS_OLD"),
        encryption_public_key=values.key(source, "ENCRYPTION_PUBLIC_KEY"),
        notify=read_notify(source, values.key, values.secret),
        web_secret=values.key(source, "WEB_SECRET"),
        web_secrets_old=values.keys(source, "WEB_SECRETS_OLD"),
        public_url=mail_settings.read_public_url(source.get("PUBLIC_URL", "")),
        smtp=mail_settings.read_smtp(
            values.secret(source, "SMTP_URL"), source.get("MAIL_FROM", "").strip(), source.get("PUBLIC_URL", "")
        ),
        installation=_installation(source.get("INSTALLATION", "")),
        data_dir=Path(source.get("DATA_DIR", "var")),
        log_format="text" if values.choice(source, "LOG_FORMAT", "json", ("json", "text")) == "text" else "json",
        log_level=values.choice(source, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_dir=Path(source.get("LOG_DIR", "")) if source.get("LOG_DIR", "").strip() else None,
        simulator_host=source.get("SIMULATOR_HOST", "127.0.0.1"),
        simulator_port=int(values.number(source, "SIMULATOR_PORT", 18700, 1, 65535)),
        simulator_seed=int(values.number(source, "SIMULATOR_SEED", 7, 0, 2**31)),
        simulator_token=values.secret(source, "SIMULATOR_TOKEN"),
        stale_after_s=values.number(source, "STALE_AFTER_S", 75, 5, 600),
        web_host=source.get("WEB_HOST") or "127.0.0.1",
        web_port=int(values.number(source, "PORT", 8501, 1, 65535)),
        trusted_proxies=int(values.number(source, "TRUSTED_PROXIES", 0, 0, 8)),
        web_hosts=_hosts(source),
        most_guests=int(values.number(source, "MOST_GUESTS", MOST_GUESTS, 0, 10_000)),
        egress_ips=values.addresses(source, "EGRESS_IPS"),
        news_feeds=values.web_addresses(source, "NEWS_FEEDS"),
        own_model_hosts=analyst_settings.own_hosts(source.get("ANALYST_OWN_HOSTS", "")),
        watching=watch_settings.read_watching(source, values.secret(source, "METRICS_TOKEN")),
        workers=worker_settings.read_workers(source),
        platform=next((name for name in PLATFORM_NAMES if source.get(name)), ""),
    )
    unsafe_settings.refuse_equal_secrets(settings.own_secrets)
    unsafe_settings.refuse_weak_token(settings.simulator_host, settings.simulator_token)
    unsafe_settings.refuse_forgetful_disk(
        settings.platform, settings.database_url, settings.redis_url, settings.data_dir
    )
    _refuse_idle_venues(settings)
    if settings.has_real_money:
        own = (settings.bybit_api_url, settings.bybit_ws_url) == (rest, stream)
        unsafe_settings.refuse_careless_real_money(settings.database_url, own_prices=own)
    return settings


def _feed_urls(feed: str, paper: str, site: Site) -> tuple[str, str]:
    if feed in site.feeds:
        return site.feeds[feed]
    if feed == "synthetic" or feed.startswith("replay:"):
        return paper, f"ws{paper.removeprefix('http')}/v5/public/linear"
    raise Halt(f"FEED={feed!r} is unknown: use synthetic, replay:FILE, bybit or bybit-testnet")


def _venues(text: str) -> tuple[Venue, ...]:
    names = values.names(text, upper=False)
    if unknown := [name for name in names if name not in VENUES]:
        raise Halt(f"VENUES names {unknown[0]!r}: use {', '.join(VENUES)}")
    venues = cast("tuple[Venue, ...]", names)
    for venue in venues:
        if lacks := CAPABILITIES[venue].lacks:
            raise Halt(f"VENUES={venue} is refused: it has not {' and not '.join(lacks)}")
    return venues


def _hosts(source: Mapping[str, str]) -> tuple[str, ...]:
    given = [name.strip().lower() for name in source.get("WEB_HOSTS", "").split(",") if name.strip()]
    if wrong := [name for name in given if name != "*" and not _HOST_NAME.fullmatch(name)]:
        raise Halt(f"WEB_HOSTS names {wrong[0]!r}: host names as browsers show them, without https:// and port")
    if not given and any(source.get(name) for name in PLATFORM_NAMES):
        return ("*",)
    return tuple(given)


def _intervals(text: str) -> tuple[str, ...]:
    names = values.names(text, upper=False)
    if "1m" not in names or any(name not in INTERVALS for name in names):
        raise Halt(f"INTERVALS={text!r}: a list of {', '.join(INTERVALS)} that contains 1m")
    return names


def _tls(source: Mapping[str, str]) -> str:
    # Heroku's Key-Value Store presents self-signed certificates; everywhere else verify
    return values.choice(source, "REDIS_TLS_VERIFY", "none" if source.get("DYNO") else "full", ("none", "ca", "full"))


def _installation(text: str) -> str:
    if text and not (len(text) <= 6 and text.isascii() and text.isalnum() and text == text.lower()):
        raise Halt("INSTALLATION must be 1 to 6 of a-z and 0-9, different for every deployment")
    return text


def _platform_limits(source: Mapping[str, str]) -> PlatformLimits:
    usual = PlatformLimits()
    return PlatformLimits(
        daily_loss=_limit(source, "PLATFORM_DAILY_LOSS", "daily_loss", usual.daily_loss),
        max_exposure=_limit(source, "PLATFORM_MAX_EXPOSURE_USDT", "max_exposure", usual.max_exposure),
        entries_per_day=_count(source, "PLATFORM_ENTRIES_PER_DAY", "entries_per_day", usual.entries_per_day),
        analyst_failures=_count(source, "PLATFORM_ANALYST_FAILURES", "analyst_failures", usual.analyst_failures),
        analyst_tokens=_count(source, "PLATFORM_ANALYST_TOKENS", "analyst_tokens", usual.analyst_tokens),
        analyst_cost=_limit(source, "PLATFORM_ANALYST_COST_USD", "analyst_cost", usual.analyst_cost),
        guest_tokens=_count(source, "PLATFORM_GUEST_TOKENS", "guest_tokens", usual.guest_tokens),
        person_cost=_limit(source, "PLATFORM_PERSON_COST_USD", "person_cost", usual.person_cost),
        shadows=_count(source, "PLATFORM_SHADOWS", "shadows", usual.shadows),
        shadow_calls=_count(source, "PLATFORM_SHADOW_CALLS", "shadow_calls", usual.shadow_calls),
        shadow_cost=_limit(source, "PLATFORM_SHADOW_COST_USD", "shadow_cost", usual.shadow_cost),
        past_calls=_count(source, "PLATFORM_PAST_CALLS", "past_calls", usual.past_calls),
        past_cost=_limit(source, "PLATFORM_PAST_COST_USD", "past_cost", usual.past_cost),
        past_person_calls=_count(source, "PLATFORM_PAST_PERSON_CALLS", "past_person_calls", usual.past_person_calls),
        past_person_cost=_limit(source, "PLATFORM_PAST_PERSON_COST_USD", "past_person_cost", usual.past_person_cost),
        past_unpriced_calls=_count(
            source, "PLATFORM_PAST_UNPRICED_CALLS", "past_unpriced_calls", usual.past_unpriced_calls
        ),
    )


def _limit(source: Mapping[str, str], name: str, limit: str, usual: Decimal) -> Decimal:
    return values.decimal(source, name, usual, str(LIMIT_BOUNDS[limit].most))


def _count(source: Mapping[str, str], name: str, limit: str, usual: int) -> int:
    return int(values.number(source, name, usual, float(LIMIT_BOUNDS[limit].least), float(LIMIT_BOUNDS[limit].most)))


def _analyst_prices(source: Mapping[str, str]) -> AnalystPrices:
    names = ("ANALYST_PRICE_INPUT_USD", "ANALYST_PRICE_OUTPUT_USD")
    asked, said = (values.decimal(source, name, Decimal(0), "10000") for name in names)
    prices = AnalystPrices(asked, said)
    if prices.known and not (prices.input_usd and prices.output_usd):
        raise Halt(f"{names[0]} and {names[1]} belong together: set both, or neither")
    return prices


def _refuse_idle_venues(settings: Settings) -> None:
    """An account on a venue whose prices are not the feed's would be entered, and never trade."""
    fitting = [venue for venue in VENUES if feed_fits(settings.feed_name, venue)]
    if idle := [venue for venue in settings.venues if venue not in fitting]:
        names = ", ".join(fitting)
        raise Halt(f"VENUES={idle[0]} can never trade on FEED={settings.feed}, whose prices are those of: {names}")
