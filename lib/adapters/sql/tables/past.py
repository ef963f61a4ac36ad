"""
Tables of models asked about the past: the questions of a job, every answer, and what memory tests found.

Nothing that scores, compares, shadows or seals reads any of them (`tests/test_quarantine.py`).
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    JSON,
    MYSQL_TABLE,
    added_money,
    ascii_text,
    metadata,
    number,
    one_id,
)

past_answers = sa.Table(
    "past_answers",
    metadata,
    one_id(),
    sa.Column("key_sha256", ascii_text(64), nullable=False),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("owner_id"),
    sa.Column("name", ascii_text(40), nullable=False),
    sa.Column("state", ascii_text(10), nullable=False),
    sa.Column("decision", JSON),
    number("tokens"),
    number("calls"),
    number("unpriced"),
    added_money("usd"),
    added_money("reserved_usd"),
    number("asked_ms"),
    number("used_ms"),
    sa.UniqueConstraint("key_sha256"),
    sa.Index(None, "user_id"),
    sa.Index(None, "asked_ms"),
    **MYSQL_TABLE,
)
"""
One answer, known by who was asked and every word of the question: *user_id* asked first, *owner_id* 0 = the operator
paid. *state*: asked (under way, or its process ended before the answer came), answered, failed. *usd* is what its
*calls* cost, *reserved_usd* what the one under way may. The model's own words are not kept.
"""

past_questions = sa.Table(
    "past_questions",
    metadata,
    sa.Column("job_id", BIG, sa.ForeignKey("backtests.id"), autoincrement=False, primary_key=True),
    sa.Column("seq", BIG, autoincrement=False, primary_key=True),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("t_ms"),
    number("again"),
    number("version", 1),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("answer_id", BIG, sa.ForeignKey("past_answers.id")),
    number("tries"),
    sa.Index(None, "user_id"),
    sa.Index(None, "answer_id"),
    **MYSQL_TABLE,
)
"""What a job asks, in order, until it is over: *prompt* is base64 of zlib of JSON, *version* that of the answer."""

memory_tests = sa.Table(
    "memory_tests",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("version_id"),
    sa.Column("model", ascii_text(40), nullable=False, server_default=EMPTY),
    sa.Column("asked", ascii_text(100), nullable=False, server_default=EMPTY),
    number("tested_ms"),
    number("windows"),
    sa.Column("badges", sa.Text, nullable=False),
    sa.UniqueConstraint("user_id", "version_id", "model"),
    **MYSQL_TABLE,
)
"""
The newest test of a version (0 = the original design) × model: *asked* is what the provider called it then, *badges* a
JSON list of reasons.
"""
