"""
Tables of the models that may be asked: the operator's list, people's own, and every call with what it cost.

Names of models are ours and compare byte by byte. A key is sealed for the trader and bound to its row's owner, name,
address and version. Prices are USD per million tokens; NULL = nobody said, which is not 0.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    MYSQL_TABLE,
    Dec,
    Why,
    ascii_text,
    flag,
    metadata,
    number,
    one_id,
)


def _profile() -> "tuple[sa.Column[Any], ...]":
    return (
        sa.Column("name", ascii_text(40), nullable=False),
        sa.Column("shown", sa.String(60), nullable=False, server_default=EMPTY),
        sa.Column("base_url", ascii_text(200), nullable=False, server_default=EMPTY),
        sa.Column("model", ascii_text(100), nullable=False, server_default=EMPTY),
        sa.Column("input_usd", Dec()),
        sa.Column("output_usd", Dec()),
        sa.Column("cached_usd", Dec()),
        sa.Column("day_usd", Dec()),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("last4", sa.String(4), nullable=False, server_default=EMPTY),
        number("key_version"),
        number("changed_ms"),
    )


def _cutoff() -> "sa.Column[str]":
    """The last day a model learnt of, ISO; "" = not known."""
    return sa.Column("cutoff", ascii_text(10), nullable=False, server_default=EMPTY)


models = sa.Table(
    "models",
    metadata,
    one_id(),
    *_profile(),
    flag("offered", default=True),
    _cutoff(),
    sa.UniqueConstraint("name"),
    **MYSQL_TABLE,
)
"""The operator's list, written on a terminal alone; the environment's own model is none of its rows."""

own_models = sa.Table(
    "own_models",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    *_profile(),
    _cutoff(),
    sa.UniqueConstraint("user_id", "name"),
    **MYSQL_TABLE,
)
"""People's own models: asked for their owner's account and nobody else's."""

model_calls = sa.Table(
    "model_calls",
    metadata,
    one_id(),
    sa.Column("cycle_id", BIG, sa.ForeignKey("cycles.id"), nullable=False),
    sa.Column("asker", ascii_text(64), nullable=False),
    sa.Column("seq", sa.SmallInteger, nullable=False),
    number("t_ms"),
    sa.Column("name", ascii_text(40), nullable=False),
    number("owner_id"),
    sa.Column("answered", sa.String(100), nullable=False, server_default=EMPTY),
    sa.Column("state", ascii_text(10), nullable=False),
    sa.Column("why", Why(), nullable=False, server_default=EMPTY),
    number("prompt_tokens"),
    number("completion_tokens"),
    number("cached_tokens"),
    number("latency_ms"),
    sa.Column("cost_usd", Dec()),
    sa.Column("people", sa.Integer, nullable=False, server_default=sa.text("1")),
    flag("shadow", default=False),
    sa.UniqueConstraint("cycle_id", "asker", "seq"),
    sa.Index(None, "t_ms", "owner_id", "name"),
    **MYSQL_TABLE,
)
"""
Every question to a model, answered or not, in the order of its chain: *owner_id* 0 = the operator pays, else that
person. *people* share its cost in equal parts; *shadow* = nobody trades by the answer.
"""
