"""
DATABASE_URL in the dialects people are handed, read into one address that works.

Heroku add-ons (JawsDB, ClearDB), Railway, Rails and JDBC all write MySQL addresses their own way, with query words
that PyMySQL takes for arguments and dies of. Only words about TLS and the socket are translated, the rest is dropped;
a word about TLS that is not understood is refused, because dropping it would be a connection nobody verifies.
Whatever is wrong is *Halt* with one line that shows no password. It opens no connection.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from lib.adapters.tls import checked_context
from lib.domain.errors import Halt

SHAPE = "use mysql://USER@HOST:3306/NAME (the password after USER and a colon) or sqlite:////absolute/path.db"

TIMEOUT_S = 10
"""How long the server may take over one statement; what takes longer holds up orders (migrations have their own)."""

_MYSQL_SCHEMES = frozenset(
    {"mysql", "mysql2", "mysqlx", "mariadb", "mysql+pymysql", "mariadb+pymysql", "mysql+mysqldb"}
    | {"jdbc:mysql", "jdbc:mariadb"}
)
_YES = frozenset({"1", "true", "yes", "on", "required", "require"})
_TLS_WORDS = {
    "verify_identity": "identity",
    "verify_full": "identity",
    "verify_ca": "ca",
    "required": "required",
    "require": "required",
    "trust": "required",
    "preferred": "",
    "prefer": "",
    "allow": "",
    "disabled": "off",
    "disable": "off",
}
_STRICTEST_FIRST = ("identity", "ca", "required", "off")
_MODE_WORDS = ("ssl-mode", "sslmode")
_SWITCHES = {
    "ssl": "required",
    "usessl": "required",
    "requiressl": "required",
    "tls": "required",
    "ssl-verify-cert": "ca",
    "verifyservercertificate": "ca",
    "ssl-verify-identity": "identity",
    "ssl-check-hostname": "identity",
    "ssl-disabled": "off",
}
"""Words that are true or false, and what true asks for."""
_CA_WORDS = ("ssl-ca", "sslca", "sslrootcert", "ssl-ca-certs")
_CERT_WORDS = ("ssl-cert", "sslcert", "ssl-certfile")
_KEY_WORDS = ("ssl-key", "sslkey", "ssl-keyfile")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is: a URL for SQLAlchemy without a query, and the driver's arguments (PyMySQL)."""

    url: sa.URL
    connect_args: dict[str, Any] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        """For messages: no user, no password, no query."""
        if self.is_sqlite:
            return f"sqlite file {self.url.database}"
        return f"database {self.url.database!r} at {self.url.host}:{self.url.port}"


def read_address(raw: str) -> Address:
    """The address meant by *raw*. *Halt* when it cannot work."""
    text = raw.strip().strip("\"'")
    scheme, found, rest = text.partition("://")
    kind = scheme.lower()
    if not found:
        raise Halt(f"DATABASE_URL is not a URL: {SHAPE}")
    if kind in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(rest)
    if kind.startswith("postgres"):
        raise Halt(f"DATABASE_URL is a PostgreSQL address, and this program speaks MySQL and MariaDB: {SHAPE}")
    if kind not in _MYSQL_SCHEMES:
        raise Halt(f"DATABASE_URL has an unknown scheme: {SHAPE}")
    return _mysql(rest)


def _sqlite(rest: str) -> Address:
    path = rest.removeprefix("/").partition("?")[0]
    if not path or ":memory:" in path:
        raise Halt("DATABASE_URL must name a SQLite file: several processes share it (sqlite:////absolute/path.db)")
    if not Path(path).absolute().parent.is_dir():
        raise Halt(f"DATABASE_URL: the folder {Path(path).absolute().parent} does not exist")
    return Address(sa.URL.create("sqlite", database=path))


def _mysql(rest: str) -> Address:
    try:
        url = sa.make_url(f"mysql+pymysql://{rest}")
    except (ArgumentError, ValueError):
        # never chained: SQLAlchemy's own message repeats the whole address, password included
        raise Halt(f"DATABASE_URL cannot be read: {SHAPE}") from None
    if not url.host or "@" in url.host or "/" in (url.database or ""):
        raise Halt(f"DATABASE_URL cannot be read (is the password percent-encoded, @ as %40, / as %2F?): {SHAPE}")
    if not url.database:
        raise Halt(f"DATABASE_URL names no database: {SHAPE}")
    words = {key.lower().replace("_", "-"): _last(value) for key, value in url.query.items()}
    args: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": 10}
    args |= {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
    args |= _tls_args(words)
    if path := words.get("unix-socket") or words.get("socket"):
        args["unix_socket"] = path
    # an IPv6 host and everything else of the address stay as they are
    return Address(url.set(query={}, port=url.port or 3306), args)


def _last(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else value[-1]


def _tls_args(words: dict[str, str]) -> dict[str, Any]:
    wanted = _tls_wanted(words)
    if wanted == "off":
        return {"ssl_disabled": True}
    if not wanted:
        return {}
    return {"ssl": _tls_context(wanted, words)}


def _tls_wanted(words: dict[str, str]) -> str:
    """identity, ca, required, off, or "" for TLS where the server has it: the strictest that the words ask for."""
    asked = {_meaning(word, value) for word, value in words.items()}
    if "off" not in asked:
        # a named authority is there to be asked, whatever else is said: so every MySQL client reads it
        asked |= {"ca"} if _file(words, _CA_WORDS) else set()
        asked |= {"required"} if _file(words, _CERT_WORDS) else set()
    return next((wanted for wanted in _STRICTEST_FIRST if wanted in asked), "")


def _meaning(word: str, value: str) -> str:
    said = value.lower().replace("-", "_")
    if word in _MODE_WORDS:
        if said not in _TLS_WORDS:
            # never guessed: a mode misspelt would be a connection nobody verifies
            raise Halt(f"DATABASE_URL: {word} is {said[:20]!r}; use {', '.join(sorted(_TLS_WORDS))}")
        return _TLS_WORDS[said]
    if word == "sslaccept":
        return "identity" if said == "strict" else "required"
    if word == "ssl" and "rejectunauthorized" in said:  # Node's, as JSON
        return "identity" if "true" in said.partition("rejectunauthorized")[2] else "required"
    if word in _SWITCHES:
        # JDBC's everyday useSSL=false is no order: TLS does no harm where the server has it
        return _SWITCHES[word] if said in _YES else ""
    return ""


def _file(words: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((words[name] for name in names if words.get(name)), None)


def _tls_context(wanted: str, words: dict[str, str]) -> ssl.SSLContext:
    files = (_file(words, names) for names in (_CA_WORDS, _CERT_WORDS, _KEY_WORDS))
    context = checked_context("DATABASE_URL", *files)
    context.check_hostname = wanted == "identity"
    if wanted == "required":
        # encryption without proof of identity is what the word means in every MySQL client
        context.verify_mode = ssl.CERT_NONE
    return context
