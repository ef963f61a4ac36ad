"""
Strategies and their versions over SQL: `lib.ports.strategies.Strategies`, and the lines other forms write of them.

The person's row is locked by whoever writes, so numbers have neither gaps nor doubles, and what `users` says runs is
what its version says. A version whose content is there already is not written again.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_versions
from lib.domain.account import AccountSettings
from lib.domain.strategy import DESIGN, Strategy, StrategyVersion, read, strategy_of, written

_V = strategy_versions.c


def keep_running(
    connection: sa.Connection, user: sa.RowMapping, before: AccountSettings, after: AccountSettings, now_ms: int
) -> int | None:
    """
    The version of what *after* says, running from *now_ms* (epoch ms) on; what runs already when the strategy stays.

    It is a version of the strategy that runs; without one the first strategy is made, whose first version is what
    stood before, of a time that is not known (0).
    """
    user_id, running = user["id"], user["strategy_version_id"]
    if (wanted := strategy_of(after)) == strategy_of(before):
        return running if running is None else int(running)
    if running is None:
        strategy_id = add_strategy(connection, user_id, "", now_ms)
        if (stood := strategy_of(before)) != DESIGN:
            add_version(connection, user_id, strategy_id, stood, 0)
    else:
        strategy_id = int(connection.execute(sa.select(_V.strategy_id).where(_V.id == running)).scalar_one())
    version_id = add_version(connection, user_id, strategy_id, wanted, now_ms)
    record_run(connection, user_id, version_id, now_ms)
    return version_id


def add_strategy(connection: sa.Connection, user_id: int, name: str, now_ms: int) -> int:
    """A strategy of the person without a version yet; its id."""
    return _insert(connection, strategies, {"user_id": user_id, "name": name, "made_ms": now_ms})


def add_version(connection: sa.Connection, user_id: int, strategy_id: int, content: Strategy, now_ms: int) -> int:
    """The id of the version of *content*: the newest that says it, else a new one made at *now_ms*."""
    digest, of = content.sha256, _V.strategy_id == strategy_id
    known = connection.scalar(sa.select(sa.func.max(_V.id)).where(of, _V.sha256 == digest))
    if known is not None:
        return int(known)
    newest = connection.scalar(sa.select(sa.func.max(_V.number)).where(of)) or 0
    values = {
        "user_id": user_id,
        "strategy_id": strategy_id,
        "number": newest + 1,
        "content": written(content),
        "sha256": digest,
        "made_ms": now_ms,
    }
    return _insert(connection, strategy_versions, values)


def record_run(connection: sa.Connection, user_id: int, version_id: int, now_ms: int) -> None:
    """The person's account runs the version from *now_ms* on."""
    values = {"user_id": user_id, "version_id": version_id, "from_ms": now_ms}
    connection.execute(sa.insert(strategy_runs).values(values))


def version_from(row: sa.RowMapping) -> StrategyVersion:
    """A row of versions joined with the name of their strategy."""
    content = read(row["content"])
    return StrategyVersion(
        row["id"], row["strategy_id"], row["name"], row["number"], content, row["sha256"], row["made_ms"]
    )


def _insert(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> int:
    made = connection.execute(sa.insert(table).values(values))
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else 0
