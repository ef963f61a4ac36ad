"""
Whether this deployment can do its work: each thing it needs asked once, and what to do where it lacks something.

Nothing is changed and no secret is shown. What has no use without a thing that failed is left out, not guessed.
"""

import hashlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.redis.connection import check
from lib.adapters.sql.database import schema
from lib.adapters.sql.database.engine import describe, make_engine
from lib.adapters.sql.database.rights import too_much
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.recovery.refilling import lease_holder
from lib.adapters.sql.tables.people import system_flags
from lib.adapters.vault import public_key
from lib.bootstrap import rotation, stores
from lib.clock import SystemClock
from lib.domain.errors import Halt, MaemaeError
from lib.queries.real import operators_without_factor
from lib.reason_text import said, told
from lib.settings import ALWAYS_SECRETS, VERSION, Settings

Level = Literal["ok", "warning", "wrong"]
MOST_OFF_MS = 1_000
"""A clock that is off by more makes the exchange refuse orders."""
PATIENCE = (2.0, 5.0)
"""Seconds to connect to an exchange, and to wait for its answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked: how it is, and what to do about it ("" = nothing)."""

    level: Level
    what: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """What there is to know, one finding after the other as they come; it may take seconds where a thing is away."""
    yield Finding("ok", f"Maemae {VERSION}, Python {platform.python_version()}, SQLAlchemy {sa.__version__}")
    yield Finding("ok", f"settings {fingerprint(settings)}: processes that show another one are told something else")
    yield from _secrets(settings)
    yield from _tried("database", lambda: _database(settings))
    yield from _tried("Redis", lambda: _redis(settings))
    for url in dict.fromkeys((settings.bybit_api_url, *settings.venue_urls.values())):
        yield _exchange(url)


def fingerprint(settings: Settings) -> str:
    """Twelve letters that two processes with the same settings share; secrets are no part of it."""
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:12]


def _tried(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except MaemaeError as away:
        yield Finding("wrong", f"{what}: {told(away, 'en')}")


def _secrets(settings: Settings) -> Iterator[Finding]:
    held = list(dict.fromkeys(name for name, _ in settings.own_secrets))
    lacking = [name for name in ALWAYS_SECRETS if name not in held and name != "SIMULATOR_TOKEN"]
    yield Finding("ok", f"set here: {', '.join(held) or 'no secret'}")
    if lacking:
        yield Finding("warning", f"not set here: {', '.join(lacking)}", "fine for a process that needs none of them")
    opens, seals = settings.encryption_key, settings.encryption_public_key
    if opens and seals and public_key(opens) != seals:
        yield Finding(
            "wrong",
            "ENCRYPTION_PUBLIC_KEY is not the public half of ENCRYPTION_KEY: keys people enter would not open",
            "set the pair that `python -m services.keys` printed together",
        )
    if not settings.installation:
        yield Finding("wrong", "INSTALLATION is missing", "set 1 to 6 of a-z and 0-9, once and for ever")
    if settings.encryption_keys_old or settings.web_secrets_old:
        yield Finding("warning", "a rotation of keys is under way", "docs/runbooks/rotate-keys.md")


def _database(settings: Settings) -> Iterator[Finding]:
    settings.require("DATABASE_URL")
    engine = make_engine(settings.database_url)
    schema.reach(engine)
    with engine.connect() as connection:
        found = schema.found_revision(connection)
        off_ms = ledger_clock(engine, None)(connection) - SystemClock().now_ms()
    revisions = schema.revisions()
    if found != (wanted := revisions[-1]):
        advice = "run `make migrate`" if found in ("", *revisions) else "deploy the release it belongs to"
        yield Finding("wrong", f"{describe(engine)}: schema {found or 'none'}, this release needs {wanted}", advice)
        return
    schema.check_schema(engine)
    yield Finding("ok", f"{describe(engine)}: schema {found}")
    if abs(off_ms) > MOST_OFF_MS:
        yield Finding("wrong", f"the database's clock is {off_ms / 1000:+.1f} s off this machine's", _NTP)
    yield from _at_work(engine)
    if settings.has_real_money:
        yield from _rights(settings, engine)
    if settings.key_ring:
        yield from _seals(settings)


def _rights(settings: Settings, engine: sa.Engine) -> Iterator[Finding]:
    """Whether the web's database user can open a gate before real money, asked where the web's settings are."""
    if settings.key_ring:
        yield Finding("warning", "real money: the web's database user is not looked at here", _AS_THE_WEB)
        return
    for what in too_much(engine):
        yield Finding("wrong", f"real money: the web's database user may {what}", "db/web_grants.sql")
    with engine.connect() as connection:
        bare = operators_without_factor(connection)
    if bare:
        yield Finding("wrong", f"real money: {bare} operators have no second factor", "have them switch it on")


_AS_THE_WEB = "run this with the web's settings too: DATABASE_URL of its own, no ENCRYPTION_KEY"


def _at_work(engine: sa.Engine) -> Iterator[Finding]:
    now = ledger_clock(engine, None)
    with engine.connect() as connection:
        lives = lease_holder(connection, now(connection))
        flags = connection.execute(sa.select(system_flags)).mappings().one()
    yield Finding("ok", "a trader is at work") if lives else Finding("warning", "no trader is at work", "start it")
    if not flags["trading_enabled"]:
        why = said(flags["why"], "en") or f"switched off by {flags['changed_by']}"
        yield Finding("warning", f"trading is off: {why}", "docs/runbooks/stopping.md; `make control ARGS=status`")


def _seals(settings: Settings) -> Iterator[Finding]:
    found = rotation.standing(settings)
    if found.waiting:
        yield Finding("warning", f"sealed rows that need an old key: {found.waiting}", "`make rotate`")
    ours = [whose for whose in found.unopened if settings.web_secret or whose.startswith("the exchange key")]
    for whose in ours:
        yield Finding("wrong", f"no key here opens {whose}", "docs/runbooks/key-ring-lost.md")
    if not (found.waiting or ours):
        yield Finding("ok", f"sealed rows that open with the keys in use: {found.fresh}")


def _redis(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield Finding("wrong", "Redis: REDIS_URL is missing", "set it, or start `make run`, which brings its own")
        return
    client = stores.redis_client(settings)
    check(client)
    yield Finding("ok", f"Redis {client.info('server').get('redis_version', 'of an unknown version')}")
    held = stores.candle_store(settings).newest(settings.symbols[0], "1m", 1)
    if not held:
        yield Finding("warning", f"Redis holds no candle of {settings.symbols[0]}", "start the collector")


def _exchange(url: str) -> Finding:
    before = SystemClock().now_ms()
    try:
        their_ms = BybitMarketData(url, timeouts=PATIENCE).server_time()
    except Halt as refused:
        return Finding("wrong", f"{url}: {refused}")
    except MaemaeError as away:
        return Finding("wrong", f"{url}: {told(away, 'en')}", "is it running, and may this machine reach it?")
    after = SystemClock().now_ms()
    # only what the way of the answer cannot explain
    off_ms = max(before - their_ms, 0) or min(after - their_ms, 0)
    if abs(off_ms) > MOST_OFF_MS:
        return Finding("warning", f"{url}: this machine's clock is {off_ms / 1000:+.1f} s off the exchange's", _NTP)
    return Finding("ok", f"{url}: answers, and the clocks agree")


_NTP = "let the machine keep its time by NTP: orders are refused beyond a second"
