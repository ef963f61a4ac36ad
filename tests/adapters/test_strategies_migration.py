"""What people had chosen before there were strategies is their first strategy, version by version."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.database.schema import check_schema
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_versions
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.strategy import DESIGN, read, strategy_of
from lib.queries import Readings
from tests.fakes.people import StandingClock

BEFORE = "0035"
NOW = 1_760_000_000_000
PEOPLE = (
    # id, level, leverage, long only, own risk, instructions, deleted
    (1, "medium", 10, 0, None, None, None),
    (2, "high", 25, 1, "0.004", "추세만 🙂", None),
    (3, "medium", 10, 0, None, "old words", None),
    (4, "low", 3, 0, None, "", None),
    (5, "low", 3, 0, None, "gone", "2026-01-01 00:00:00.000"),
)
VERSIONS = ((2, 1, "first", 0), (2, 2, "추세만 🙂", NOW), (5, 1, "gone", NOW))


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate(made, BEFORE)
    with made.begin() as connection:
        for user_id, level, leverage, long_only, risk, words, deleted in PEOPLE:
            row = {
                "id": user_id, "email": f"{user_id}@example.com", "password_hash": "!", "risk_level": level,
                "max_leverage": leverage, "long_only": long_only, "risk_per_trade": risk, "custom_prompt": words,
                "deleted_at": deleted,
            }  # fmt: skip
            connection.execute(sa.insert(sa.table("users", *map(sa.column, row))).values(row))
        for user_id, number, words, made_ms in VERSIONS:
            digest = sha256(words.encode()).hexdigest()
            row = {"user_id": user_id, "number": number, "text": words, "sha256": digest, "made_ms": made_ms}
            connection.execute(sa.insert(sa.table("instructions", *map(sa.column, row))).values(row))
    migrate(made)
    check_schema(made)
    return made


def test_everybody_runs_what_they_had_chosen_and_keeps_their_versions(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        kept = connection.execute(sa.select(strategy_versions).order_by(strategy_versions.c.id)).mappings().all()
        running = {one: two for one, two in connection.execute(sa.select(users.c.id, users.c.strategy_version_id))}
        runs = {
            one: two for one, two in connection.execute(sa.select(strategy_runs.c.user_id, strategy_runs.c.version_id))
        }
        names = [tuple(row) for row in connection.execute(sa.select(strategies.c.user_id, strategies.c.name))]
    assert [(row["user_id"], row["number"], read(row["content"]).instructions, row["made_ms"]) for row in kept] == [
        (2, 1, "first", 0), (2, 2, "추세만 🙂", NOW), (3, 1, "old words", 0), (4, 1, "", 0),
    ]  # fmt: skip
    newest = {row["user_id"]: row["id"] for row in kept}
    assert running == {1: None, **newest, 5: None}
    assert runs == newest
    assert sorted(names) == [(2, ""), (3, ""), (4, "")]


def test_what_is_written_down_is_what_this_release_writes(engine: sa.Engine) -> None:
    people, readings = SqlAccounts(engine, StandingClock(NOW)), Readings(engine, None, StandingClock(NOW))
    for user_id in (2, 3, 4):
        chosen, _ = people.chosen(user_id) or (AccountSettings(), 0)
        with engine.connect() as connection:
            mine = sa.select(strategy_versions).join(users, users.c.strategy_version_id == strategy_versions.c.id)
            row = connection.execute(mine.where(users.c.id == user_id)).mappings().one()
        assert read(row["content"]) == strategy_of(chosen)
        assert row["sha256"] == strategy_of(chosen).sha256 == sha256(row["content"].encode()).hexdigest()
        assert json.loads(row["content"])["blocks"] == [{"kind": "candles", "interval": "1m", "count": 30}]
    assert people.chosen(1) == (AccountSettings(), 1)
    assert strategy_of(AccountSettings()) == DESIGN
    assert people.change_settings(2, AccountSettings(RiskLevel.LOW, custom_prompt="next"))
    assert [(row.number, row.text) for row in readings.instructions(2)] == [(3, "next"), (2, "추세만 🙂"), (1, "first")]
