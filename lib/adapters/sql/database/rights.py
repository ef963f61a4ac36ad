"""
What the database user at hand may do beyond what a web with real money needs: each right is tried by a statement that
touches no row.

A server refuses a right before it looks for rows, whether the right came by the user, a role or a pattern; asking it
what it granted would have to know all of these.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import exc

from lib.domain.errors import Halt

_NOT_ALLOWED = frozenset({1044, 1142, 1143, 1227})
"""Codes of MySQL and MariaDB for a right that the user has not."""
RELABELS_UID = "UPDATE accounts SET uid = uid WHERE 1 = 0"
TOO_MUCH: Mapping[str, str] = {
    "write preflight_runs": "INSERT INTO preflight_runs (version) SELECT version FROM preflight_runs WHERE 1 = 0",
    "change preflight_runs": "UPDATE preflight_runs SET started_ms = started_ms WHERE 1 = 0",
    "write real_caps": "INSERT INTO real_caps (who) SELECT who FROM real_caps WHERE 1 = 0",
    "change real_caps": "UPDATE real_caps SET equity = equity WHERE 1 = 0",
    "delete real_caps": "DELETE FROM real_caps WHERE 1 = 0",
    "write stretch_marks": "INSERT INTO stretch_marks (seal) SELECT seal FROM stretch_marks WHERE 1 = 0",
    "change stretch_marks": "UPDATE stretch_marks SET measured = measured WHERE 1 = 0",
    "change stretches": "UPDATE stretches SET criteria = criteria WHERE 1 = 0",
    "change orders": "UPDATE orders SET state = state WHERE 1 = 0",
    "change equity_points": "UPDATE equity_points SET difference = difference WHERE 1 = 0",
    "write equity_points": "INSERT INTO equity_points (t_ms) SELECT t_ms FROM equity_points WHERE 1 = 0",
    "write orders": "INSERT INTO orders (t_ms) SELECT t_ms FROM orders WHERE 1 = 0",
    "make operators": "INSERT INTO operators (granted_by) SELECT granted_by FROM operators WHERE 1 = 0",
    "change system_settings": "UPDATE system_settings SET setting_value = setting_value WHERE 1 = 0",
    "relabel an account's venue": "UPDATE accounts SET venue = venue WHERE 1 = 0",
    "relabel an account's uid": RELABELS_UID,
    "give an account to another person": "UPDATE accounts SET user_id = user_id WHERE 1 = 0",
    "change an account's books": "UPDATE account_symbols SET position_qty = position_qty WHERE 1 = 0",
    "write arena_standings": "INSERT INTO arena_standings (figures) SELECT figures FROM arena_standings WHERE 1 = 0",
    "change arena_standings": "UPDATE arena_standings SET figures = figures WHERE 1 = 0",
    "begin arena_seasons": "INSERT INTO arena_seasons (seal) SELECT seal FROM arena_seasons WHERE 1 = 0",
    "change arena_seasons": "UPDATE arena_seasons SET rules = rules WHERE 1 = 0",
}
"""What opens a gate before real money, hides what closes one, or makes up who is better, by its name."""


def too_much(engine: sa.Engine) -> list[str]:
    """Names of `TOO_MUCH` that this user may do; on SQLite, which knows no users, all of them. Nothing is changed."""
    with engine.connect() as connection:
        try:
            return [name for name, statement in TOO_MUCH.items() if may(connection, statement)]
        finally:
            connection.rollback()


def refuse_too_much(engine: sa.Engine) -> None:
    """*Halt* for a web with real money whose database user could open its gates."""
    if held := too_much(engine):
        raise Halt(
            f"VENUES=mainnet is refused: the web's database user may {held[0]}; "
            "give it one with the rights of db/web_grants.sql, see docs/deployment.md"
        )


def may(connection: sa.Connection, statement: str) -> bool:
    """Whether this user has the right to *statement*, which touches no row; the transaction goes on."""
    try:
        connection.exec_driver_sql(statement)
    except exc.DBAPIError as refused:
        code = refused.orig.args[0] if refused.orig is not None and refused.orig.args else 0
        return code not in _NOT_ALLOWED
    return True
