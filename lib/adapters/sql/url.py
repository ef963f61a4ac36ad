"""
DATABASE_URL in the dialects people are handed, read into one address that works.

Heroku add-ons (JawsDB, ClearDB), Railway, Rails and JDBC all write MySQL addresses their own way, with query words
that PyMySQL takes for arguments and dies of. Only words about TLS and the socket are translated, the rest is dropped.
Whatever is wrong is *Halt* with one line that shows no password. It opens no connection.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

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
    "disabled": "off",
    "disable": "off",
}


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
    return {"ssl": _tls_context(wanted, _ca_file(words))}


def _ca_file(words: dict[str, str]) -> str | None:
    return words.get("ssl-ca") or words.get("sslca") or words.get("sslrootcert")


def _tls_wanted(words: dict[str, str]) -> str:
    if words.get("sslaccept", "").lower() == "strict":
        return "identity"
    named = (words.get("ssl-mode") or words.get("sslmode") or "").lower().replace("-", "_")
    if named in _TLS_WORDS:
        return _TLS_WORDS[named]
    if _ca_file(words):
        return "ca"
    if any(words.get(word, "").lower() in _YES for word in ("ssl", "usessl", "tls")):
        return "required"
    return ""


def _tls_context(wanted: str, ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise Halt(f"DATABASE_URL: the certificate file {ca_file} cannot be read") from None
    context.check_hostname = wanted == "identity"
    if wanted == "required":
        # encryption without proof of identity is what the word means in every MySQL client
        context.verify_mode = ssl.CERT_NONE
    return context
