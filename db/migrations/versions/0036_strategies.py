"""
Strategies with versions: settings and instructions of everybody become their first strategy.

Revision 0036. Every version of somebody's instructions becomes a version of it, with its number and time and with the
risk that stands now; what runs is the newest. Who never chose anything runs the original design and has none. The older
versions of risk choices nobody kept. What this writes down is written here: a later release may write it otherwise.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
USUAL = ("medium", 10, False, None, None)
"""Level, leverage, long only, own risk and own confidence of who never chose."""
_DEC = columns.Dec()
USERS = sa.table(
    "users",
    sa.column("id", sa.BigInteger),
    sa.column("risk_level", sa.String),
    sa.column("max_leverage", sa.Integer),
    sa.column("long_only", sa.Boolean),
    sa.column("risk_per_trade", _DEC),
    sa.column("min_confidence", _DEC),
    sa.column("custom_prompt", sa.Text),
    sa.column("deleted_at", sa.String),
    sa.column("strategy_version_id", sa.BigInteger),
)
INSTRUCTIONS = sa.table("instructions", *map(sa.column, ("user_id", "number", "text", "made_ms")))
STRATEGIES = sa.table("strategies", *map(sa.column, ("id", "user_id", "name", "made_ms")))
VERSIONS = sa.table(
    "strategy_versions",
    *map(sa.column, ("id", "user_id", "strategy_id", "number", "content", "sha256", "made_ms")),
)
RUNS = sa.table("strategy_runs", *map(sa.column, ("user_id", "version_id", "from_ms")))


def upgrade() -> None:
    _make_tables()
    op.add_column("users", sa.Column("system_text", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("cadence_min", sa.Integer(), server_default=sa.text("5"), nullable=False))
    op.add_column("users", sa.Column("strategy_version_id", sa.BigInteger(), nullable=True))
    if "instructions" in sa.inspect(op.get_bind()).get_table_names():
        _move(op.get_bind())
    op.drop_table("instructions")


def downgrade() -> None:
    """The newest words stay in `users`; older versions are lost."""
    op.create_table(
        "instructions",
        _id(),
        _big("user_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", columns.ascii_text(64), nullable=False),
        _ms("made_ms"),
        _to("instructions", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructions")),
        sa.UniqueConstraint("user_id", "number", name=op.f("uq_instructions_user_id_number")),
        **TABLE,
    )
    for name in ("strategy_version_id", "cadence_min", "system_text"):
        op.drop_column("users", name)
    for name in ("strategy_shares", "strategy_runs", "strategy_versions", "strategies"):
        op.drop_table(name)


def _id() -> "sa.Column[int]":
    return sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False)


def _big(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _ms(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _make_tables() -> None:
    empty = sa.text("''")
    op.create_table(
        "strategies",
        _id(),
        _big("user_id"),
        sa.Column("name", sa.String(60), server_default=empty, nullable=False),
        _ms("made_ms"),
        _to("strategies", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategies")),
        **TABLE,
    )
    op.create_index(op.f("ix_strategies_user_id"), "strategies", ["user_id"])
    op.create_table(
        "strategy_versions",
        _id(),
        _big("user_id"),
        _big("strategy_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", columns.ascii_text(64), nullable=False),
        _ms("made_ms"),
        _to("strategy_versions", "user_id", "users"),
        _to("strategy_versions", "strategy_id", "strategies"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_versions")),
        sa.UniqueConstraint("strategy_id", "number", name=op.f("uq_strategy_versions_strategy_id_number")),
        **TABLE,
    )
    op.create_index(op.f("ix_strategy_versions_strategy_id_sha256"), "strategy_versions", ["strategy_id", "sha256"])
    op.create_index(op.f("ix_strategy_versions_user_id"), "strategy_versions", ["user_id"])
    op.create_table(
        "strategy_runs",
        _id(),
        _big("user_id"),
        _big("version_id"),
        _ms("from_ms"),
        _to("strategy_runs", "user_id", "users"),
        _to("strategy_runs", "version_id", "strategy_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_runs")),
        **TABLE,
    )
    op.create_table(
        "strategy_shares",
        _id(),
        _big("user_id"),
        _big("version_id"),
        sa.Column("code_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("shown_as", sa.String(40), server_default=empty, nullable=False),
        _ms("made_ms"),
        _ms("revoked_ms"),
        _to("strategy_shares", "user_id", "users"),
        _to("strategy_shares", "version_id", "strategy_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_shares")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_strategy_shares_code_sha256")),
        **TABLE,
    )
    for table in ("strategy_runs", "strategy_shares"):
        for column in ("user_id", "version_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _move(connection: sa.Connection) -> None:
    """Everybody's settings and instructions. What a run that was cut off has written is written again."""
    connection.execute(sa.update(USERS).values(strategy_version_id=None))
    for table in (RUNS, VERSIONS, STRATEGIES):
        connection.execute(sa.delete(table))
    kept: dict[int, list[sa.RowMapping]] = {}
    for row in connection.execute(sa.select(INSTRUCTIONS).order_by(INSTRUCTIONS.c.number)).mappings().all():
        kept.setdefault(row["user_id"], []).append(row)
    for person in connection.execute(sa.select(USERS).where(USERS.c.deleted_at.is_(None))).mappings().all():
        texts = [(row["number"], row["text"], row["made_ms"]) for row in kept.get(person["id"], [])]
        now = person["custom_prompt"] or ""
        if texts or now or _risk(person) != USUAL:
            if not texts or texts[-1][1] != now:
                texts.append((texts[-1][0] + 1 if texts else 1, now, 0))
            _write(connection, person, texts)


def _risk(person: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        person["risk_level"],
        person["max_leverage"],
        bool(person["long_only"]),
        person["risk_per_trade"],
        person["min_confidence"],
    )


def _write(connection: sa.Connection, person: Mapping[str, Any], texts: list[tuple[int, str, int]]) -> None:
    user_id, strategy_id = person["id"], person["id"]  # the tables are empty: a person's number is free
    made = {"id": strategy_id, "user_id": user_id, "name": "", "made_ms": texts[0][2]}
    connection.execute(sa.insert(STRATEGIES).values(made))
    for number, text, made_ms in texts:
        content = _content(person, text)
        values = {
            "user_id": user_id,
            "strategy_id": strategy_id,
            "number": number,
            "content": content,
            "sha256": sha256(content.encode()).hexdigest(),
            "made_ms": made_ms,
        }
        connection.execute(sa.insert(VERSIONS).values(values))
    newest = sa.select(sa.func.max(VERSIONS.c.id)).where(VERSIONS.c.strategy_id == strategy_id)
    running = connection.scalar(newest)
    run = {"user_id": user_id, "version_id": running, "from_ms": texts[-1][2]}
    connection.execute(sa.insert(RUNS).values(run))
    connection.execute(sa.update(USERS).where(USERS.c.id == user_id).values(strategy_version_id=running))


def _content(person: Mapping[str, Any], text: str) -> str:
    level, leverage, long_only, risk, confidence = _risk(person)
    content = {
        "model": "default",
        "system": "",
        "instructions": text,
        "blocks": [{"kind": "candles", "interval": "1m", "count": 30}],
        "symbols": [],
        "cadence_min": 5,
        "risk_level": level,
        "max_leverage": leverage,
        "risk_per_trade": _fraction(risk),
        "min_confidence": _fraction(confidence),
        "long_only": long_only,
        "exits": ["stop_loss", "take_profit"],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _fraction(stored: Decimal | None) -> str | None:
    return None if stored is None else format(stored, "f")
