"""
What is known of one HTTP request or WebSocket before anything answers it: address, scheme, cookie, person.

Forwarded headers count only as far as our own proxies wrote them: with *trusted* of them in front, the client is the
entry that the outermost one added. An address counts as what it is, however it is written. Pure but for the ASGI scope
it reads and the one key it puts there.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast
from urllib.parse import parse_qsl

from app.http.addresses import written_address
from lib.accounts.web import Origin, SessionUser

PLAIN_COOKIE = "maemae"
SECURE_COOKIE = "__Host-maemae"
LANGUAGE_COOKIE = "maemae_lang"
THEME_COOKIE = "maemae_theme"
"""Read by app/assets/early.js before the first script."""
"""What a stranger, or a visitor of the demo, chose; a person's language is their account's."""
KNOWN = "-browser"
_KEY = "maemae.visit"

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's visitor; *user* is None for a stranger."""

    origin: Origin
    https: bool
    token: str | None
    user: SessionUser | None = None
    browser: str | None = None
    """By which this browser is known from an earlier sign-in."""
    bearer: str | None = None
    """A program's personal token; who shows one is known by it alone, whatever cookies came along."""

    @property
    def scheme(self) -> str:
        """How the browser reached us."""
        return "https" if self.https else "http"

    @property
    def cookie_name(self) -> str:
        """Browsers keep the prefixed name for secure cookies of this very host."""
        return SECURE_COOKIE if self.https else PLAIN_COOKIE

    @property
    def browser_cookie_name(self) -> str:
        """The cookie of `browser`."""
        return self.cookie_name + KNOWN

    @property
    def identity(self) -> str:
        """A name of this session that gives nothing away; empty for a stranger."""
        if self.user is None or self.credential is None:
            return ""
        return f"{self.user.user_id}.{hashlib.sha256(f'identity:{self.credential}'.encode()).hexdigest()[:32]}"

    @property
    def credential(self) -> str | None:
        """By what this visitor would be known."""
        return self.bearer or self.token

    def __repr__(self) -> str:
        return f"Visit({self.origin.ip}, {self.user!r})"


def read_visit(scope: dict[str, Any], trusted: int) -> Visit:
    """The visit of *scope* before anybody has looked for a person."""
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    https = _is_https(scope, headers, trusted)
    agent = header(headers, b"user-agent")[:200]
    name = SECURE_COOKIE if https else PLAIN_COOKIE
    origin = Origin(_address(scope, headers, trusted), agent)
    if (bearer := _bearer(scope, headers)) is not None:
        return Visit(origin, https, None, bearer=bearer)
    return Visit(origin, https, _cookie(headers, name), browser=_cookie(headers, name + KNOWN))


def _bearer(scope: dict[str, Any], headers: Headers) -> str | None:
    """The token of a request to the API; pages and sockets know none."""
    kind, _, token = header(headers, b"authorization").partition(" ")
    is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
    return token.strip() if is_api and kind.lower() == "bearer" and token.strip() else None


def keep(scope: dict[str, Any], visit: Visit) -> None:
    """Leave *visit* where the routes find it."""
    scope[_KEY] = visit


def visit_of(scope: Any) -> Visit:
    """What the middleware left there."""
    return cast("Visit", scope[_KEY])


def header(headers: Headers, name: bytes) -> str:
    """The first header of that (lower-case) name, or ""."""
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def query_value(scope: Any, name: str) -> str:
    """The first value of *name* in the address, or ""."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1")[:4096])
    return next((value for key, value in pairs if key == name), "")


def _cookie(headers: Headers, name: str) -> str | None:
    jar = SimpleCookie()
    for key, value in headers:
        if key == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
    return jar[name].value if name in jar else None


def _address(scope: dict[str, Any], headers: Headers, trusted: int) -> str:
    peer = written_address(str((scope.get("client") or ("", 0))[0])) or "unknown"
    hops = [hop for hop in _joined(headers, b"x-forwarded-for").split(",") if hop.strip()]
    if trusted <= 0 or not hops:
        return peer
    return written_address(hops[-min(trusted, len(hops))]) or peer


def _is_https(scope: dict[str, Any], headers: Headers, trusted: int) -> bool:
    if trusted > 0 and (said := _joined(headers, b"x-forwarded-proto")):
        entries = [entry.strip().lower() for entry in said.split(",")]
        return entries[-min(trusted, len(entries))] == "https"
    return scope.get("scheme") in ("https", "wss")


def _joined(headers: Headers, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)
