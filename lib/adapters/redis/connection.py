"""
Redis clients from a URL: `redis://`, `rediss://` and `unix://`, with timeouts that suit a trading loop.

An unreachable server is known within about two seconds (the library's default takes four and a half), and a command is
tried twice at most: once more for a connection the server closed while idle. Every write of this package is idempotent,
so that second try is harmless. A URL that cannot work is *Halt* before anything connects, and never shows the password.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetryPolicy
from redis.backoff import NoBackoff
from redis.retry import Retry as RetryPolicy

from lib.adapters.tls import causes, checked_context, handshake_failure
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry
from lib.domain.reason import Reason
from lib.ports.market import CorruptCandles

TlsVerify = Literal["none", "ca", "full"]
"""none: encrypt only (self-signed managed Redis); ca: trusted issuer, any host name; full: issuer and host name."""

CONNECT_TIMEOUT = 1.0
"""Seconds."""
ANSWER_TIMEOUT = 1.0
"""Seconds; the longest script (a rebuild of 5,000 candles) takes a few milliseconds."""

_QUERY = {"db", "ssl_cert_reqs", "ssl_ca_certs", "ssl_check_hostname", "ssl_certfile", "ssl_keyfile"}
_CERT_REQS = ("none", "optional", "required")
_TLS_ADVICE = (
    "name its authority in REDIS_URL (?ssl_ca_certs=FILE), or set REDIS_TLS_VERIFY: ca = any host name, "
    "none = encrypted only, as managed Redis with self-signed certificates needs"
)
_ADVICE = {
    "does not answer in TLS": "write redis:// in REDIS_URL, or switch TLS on at the server",
    "our side of TLS": "name our certificate in REDIS_URL (?ssl_certfile=FILE&ssl_keyfile=FILE)",
}
_SHAPE = "use redis://host:port[/db], rediss://… for TLS, or unix:///path/to/redis.sock"


def connect(url: str, *, tls_verify: TlsVerify = "full", ca_file: str | None = None) -> redis.Redis:
    """A client (no connection is made yet). *Halt* for a URL that cannot work."""
    retry = RetryPolicy(NoBackoff(), 1)
    options = _options(url, tls_verify, ca_file)
    with _readable_url():
        return redis.Redis.from_url(url, retry=retry, **options)


def connect_async(url: str, *, tls_verify: TlsVerify = "full", ca_file: str | None = None) -> redis.asyncio.Redis:
    """As `connect`, for coroutines."""
    retry = AsyncRetryPolicy(NoBackoff(), 1)
    options = _options(url, tls_verify, ca_file)
    with _readable_url():
        return redis.asyncio.Redis.from_url(url, retry=retry, **options)


def check(client: redis.Redis) -> None:
    """One PING: *Retry* when the server cannot be reached, *Halt* when it refuses us."""
    with translated():
        client.ping()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into the four reactions."""
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
        raise Halt("Redis refuses the user or password: check REDIS_URL") from None
    except (redis.ConnectionError, redis.TimeoutError, redis.InvalidResponse, OSError) as problem:
        raise Retry(_why_not(problem)) from None
    except redis.ResponseError as problem:
        raise _refused(str(problem)) from None


def _why_not(problem: Exception) -> Reason:
    failure = handshake_failure(problem)
    if not failure:
        reset = any(isinstance(cause, ConnectionResetError) for cause in causes(problem))
        hung_up = reset or "closed by server" in str(problem).lower()
        hint = "; it hung up at once: does it want TLS (rediss://)?" if hung_up else ""
        return codes.REDIS_UNREACHABLE(problem=f"{type(problem).__name__}{hint}")
    advice = next((words for sign, words in _ADVICE.items() if sign in failure), _TLS_ADVICE)
    return codes.REDIS_TLS(problem=f"{failure}: {advice}")


def _refused(text: str) -> Retry:
    if "CORRUPT" in text or "WRONGTYPE" in text:
        return CorruptCandles(codes.STORED_CANDLES_BAD())
    return Retry(codes.REDIS_REFUSES(problem=text[:120]))


def _options(url: str, tls_verify: TlsVerify, ca_file: str | None) -> dict[str, Any]:
    scheme = _checked_scheme(url)
    options: dict[str, Any] = {
        "protocol": 2,  # plain shapes, and understood by every proxy in front of a managed Redis
        "socket_timeout": ANSWER_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
    }
    if scheme == "rediss":
        options |= _tls(url, tls_verify, ca_file)
    return options


def _tls(url: str, verify: TlsVerify, ca_file: str | None) -> dict[str, Any]:
    if verify not in ("none", "ca", "full"):
        raise Halt(f"Redis TLS verification is none, ca or full, not {str(verify)[:20]!r}")
    said = dict(parse_qsl(urlsplit(url).query))
    if said.get("ssl_cert_reqs", "none") not in _CERT_REQS:
        raise Halt(f"REDIS_URL: ssl_cert_reqs is one of {', '.join(_CERT_REQS)}")
    authority = said.get("ssl_ca_certs") or ca_file
    checked_context("REDIS_URL", authority, said.get("ssl_certfile"), said.get("ssl_keyfile"))
    options: dict[str, Any] = {
        "ssl_cert_reqs": "none" if verify == "none" else "required",
        "ssl_check_hostname": verify == "full",
        "ssl_exclude_verify_flags": [ssl.VerifyFlags.VERIFY_X509_STRICT],
    }
    if authority:
        options["ssl_ca_certs"] = authority
    return options


def _checked_scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Halt(f"REDIS_URL cannot be read (is the password percent-encoded?): {_SHAPE}") from None
    _check_target(parts.scheme, parts.hostname, parts.path)
    if unknown := {name for name, _ in parse_qsl(parts.query)} - _QUERY:
        raise Halt(
            f"REDIS_URL has unknown options {', '.join(sorted(unknown))}: allowed are {', '.join(sorted(_QUERY))}"
        )
    if parts.scheme != "rediss" and "ssl_" in parts.query:
        raise Halt("REDIS_URL has TLS options without TLS: write rediss://")
    return parts.scheme


def _check_target(scheme: str, host: str | None, path: str) -> None:
    if scheme not in ("redis", "rediss", "unix"):
        raise Halt(f"REDIS_URL has the scheme {scheme[:20]!r}: {_SHAPE}")
    if scheme == "unix":
        if not path.startswith("/"):
            raise Halt(f"REDIS_URL names no socket: {_SHAPE}")
        return
    if not host:
        raise Halt(f"REDIS_URL names no host: {_SHAPE}")
    if path.strip("/") and not path.strip("/").isdigit():
        raise Halt(f"REDIS_URL ends in a database number, not in {path[:20]!r}: {_SHAPE}")


@contextmanager
def _readable_url() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError):
        raise Halt(f"REDIS_URL cannot be used: {_SHAPE}") from None
