"""
One function, one transaction: begin, work, commit, and database errors turned into reactions.

An exception in COMMIT is *Retry* with unknown effect and is never repeated here. Nothing in this module retries: the
caller alone knows whether its bytes may already have left.
"""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from lib.adapters.tls import handshake_failure
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry

T = TypeVar("T")

_REFUSED = frozenset({1044, 1045, 1142, 1143, 1698})
"""Codes of a refused user, password or right."""
_NO_TLS_THERE = 2026
_TLS_ALONE = 3159
_TLS_ADVICE = (
    "name its authority in DATABASE_URL (?ssl-ca=FILE), or ask for less there: ssl-mode=VERIFY_CA = any host name, "
    "ssl-mode=REQUIRED without ssl-ca = encrypted only"
)
_NO_SCHEMA = frozenset({1049, 1054, 1146})
"""No such database, column or table."""


def transact(engine: sa.Engine, work: Callable[[sa.Connection], T], *, readonly: bool = False) -> T:
    """
    Run *work* in a transaction of its own and commit it.

    *Retry* for a busy or lost database, *Halt* for one that refuses us or has another schema; a broken constraint or a
    value that does not fit is the caller's bug and is raised unchanged.
    """
    try:
        with engine.connect() as connection:
            connection.execution_options(sqlite_readonly=readonly)
            transaction = connection.begin()
            try:
                result = work(connection)
            except BaseException:
                transaction.rollback()
                raise
            _commit(connection, transaction)
            return result
    except (exc.DBAPIError, exc.TimeoutError) as problem:
        raise _reaction(problem) from None


def _commit(connection: sa.Connection, transaction: sa.RootTransaction) -> None:
    try:
        transaction.commit()
    except exc.SQLAlchemyError as problem:
        # back in the pool it could carry a transaction that is still open, with its locks
        connection.invalidate()
        raise Retry(codes.COMMIT_UNCONFIRMED(type=_brief(problem))) from None


def _reaction(problem: exc.DBAPIError | exc.TimeoutError) -> Exception:
    if isinstance(problem, exc.TimeoutError):
        return Retry(codes.DATABASE_CONNECTIONS())
    if error_code(problem) in _REFUSED:
        return Halt("the database refuses the user, the password or a right: check DATABASE_URL")
    if error_code(problem) in _NO_SCHEMA or _lacks_schema(problem.orig):
        return Halt("the database lacks a table or column of this release: run `make migrate`")
    if why := tls_failure(problem):
        return Retry(codes.DATABASE_TLS(problem=why))
    if isinstance(problem, exc.OperationalError | exc.InterfaceError | exc.InternalError):
        # lock waits, deadlocks, lost connections, fail-overs, full disks: the environment's, and it passes
        return Retry(codes.DATABASE_AWAY(type=_brief(problem)))
    return problem


def _lacks_schema(cause: object) -> bool:
    return isinstance(cause, sqlite3.OperationalError) and str(cause).startswith(("no such table", "no such column"))


def error_code(problem: exc.DBAPIError) -> int:
    """The server's error number, 0 when it has none."""
    args = getattr(problem.orig, "args", ())
    return args[0] if args and isinstance(args[0], int) else 0


def tls_failure(problem: exc.DBAPIError) -> str:
    """
    Why the connection could not be made over TLS, with the words of DATABASE_URL that set TLS; "" = another cause.
    """
    if error_code(problem) == _NO_TLS_THERE:
        return "it speaks no TLS: take the words about it (ssl-mode, ssl) out of DATABASE_URL"
    if error_code(problem) == _TLS_ALONE:
        return "it takes connections over TLS alone: DATABASE_URL says ssl-mode=DISABLED"
    failure = handshake_failure(problem)
    if not failure:
        return ""
    if "our side of TLS" in failure:
        return f"{failure}: name our certificate in DATABASE_URL (?ssl-cert=FILE&ssl-key=FILE)"
    return f"{failure}: {_TLS_ADVICE}"


def _brief(problem: exc.SQLAlchemyError) -> str:
    # the full text may hold SQL and the server's view of the user: a class and a number are enough
    if not isinstance(problem, exc.DBAPIError):
        return type(problem).__name__
    return f"{type(problem.orig).__name__} {error_code(problem) or ''}".strip()
