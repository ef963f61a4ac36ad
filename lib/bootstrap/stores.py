"""Databases, Redis and keys, from settings to checked objects."""

from typing import cast

import redis
import sqlalchemy as sa

from lib import log
from lib.adapters.redis.ban import TradersBan
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.check_lane import CheckLane
from lib.adapters.redis.connection import TlsVerify, check, connect
from lib.adapters.redis.measures import RedisMeasures
from lib.adapters.redis.news import RedisNews
from lib.adapters.redis.upkeep import RedisBudgetReading
from lib.adapters.sql.database import schema
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import new_secret
from lib.queries import Readings
from lib.settings import Settings


def database(settings: Settings) -> sa.Engine:
    """The database at this release's schema; *Halt* with one line when it cannot be that."""
    settings.require("DATABASE_URL")
    keep_out_of_logs(settings.database_url)
    engine = make_engine(settings.database_url)
    schema.check_schema(engine)
    return engine


def watchers_database(settings: Settings) -> sa.Engine:
    """One connection for whoever watches: a look that takes long holds up nobody else's work."""
    return make_engine(settings.database_url, pool_size=1, max_overflow=0, sqlite_busy_ms=2_000)


def redis_client(settings: Settings) -> redis.Redis:
    """A checked connection; *Halt* for a wrong URL, *Retry* while the server is away."""
    settings.require("REDIS_URL")
    return connect(settings.redis_url, tls_verify=tls_verify(settings))


def traders_ban(settings: Settings) -> TradersBan:
    """The silence after an HTTP 403 that any trader on this Redis met."""
    return TradersBan(redis_client(settings), address=settings.workers.address)


def check_lane(settings: Settings) -> CheckLane:
    """The key checks' lane of the request budget on this Redis."""
    return CheckLane(redis_client(settings), address=settings.workers.address)


def budget(settings: Settings) -> RedisBudgetReading:
    """How much of the request budget is used, on this Redis."""
    return RedisBudgetReading(redis_client(settings), settings.venue_urls.values(), settings.workers.address)


def candle_store(settings: Settings) -> RedisCandleStore:
    """The candle lists in Redis, reachable now; *Retry* when not, so that a wrong REDIS_URL shows."""
    client = redis_client(settings)
    check(client)
    return RedisCandleStore(client)


def measures(settings: Settings) -> RedisMeasures:
    """What was measured of this deployment's feed."""
    return RedisMeasures(redis_client(settings), settings.feed_name)


def news(settings: Settings) -> RedisNews:
    """What the sources of headlines said."""
    return RedisNews(redis_client(settings))


def tls_verify(settings: Settings) -> TlsVerify:
    """How Redis certificates are checked."""
    return cast(TlsVerify, settings.redis_tls_verify)


def new_sealing_keys() -> tuple[str, str]:
    """A fresh (ENCRYPTION_KEY, ENCRYPTION_PUBLIC_KEY)."""
    return generate_keys()


def new_web_secret() -> str:
    """A fresh WEB_SECRET."""
    return new_secret()


def readings(settings: Settings) -> Readings:
    """What pages and the terminal read."""
    return Readings(database(settings), candle_store(settings))


def keep_out_of_logs(url: str) -> None:
    _, _, rest = url.partition("://")
    credentials, at, _ = rest.rpartition("@")
    if at:
        log.register_secret(credentials.partition(":")[2])
