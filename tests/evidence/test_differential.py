"""The event engine tells of twenty accounts of mixed settings what the real system did, to the last decimal."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables.trading import equity_points, fills, orders, risk_locks, stop_moves
from lib.bootstrap.backtesting import BacktestPlan, backtest
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.decision import AnswerVersion
from lib.domain.exit_rules import ExitRules
from lib.replay.replay import BALANCES, ReplayPlan, people, replay
from tests.evidence.differential import differences, told
from tests.evidence.walks import file_of, wandering

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


def silent(done: int, total: int) -> None:
    """Nobody watches."""


async def test_twenty_accounts_of_the_real_system_are_told_the_same(tmp_path: Path) -> None:
    """Over a funding time and midnight, stops, targets, flips, gates and locks."""
    candles = wandering(11, 60 + 110, wild=0.0015)
    url = f"sqlite:///{tmp_path / 'replay.db'}"
    found = await replay(ReplayPlan(file_of(candles, tmp_path), 20, 1, "BTCUSDT", url, ""), silent)
    assert found.clean
    engine = make_engine(url)
    try:
        unequal, compared = differences(engine, candles, "BTCUSDT")
        with engine.connect() as connection:
            kinds = Counter(connection.scalars(sa.select(fills.c.kind)))
            stops = connection.scalar(sa.select(sa.func.count()).where(fills.c.is_stop)) or 0
            locks = set(connection.scalars(sa.select(risk_locks.c.kind)))
            points = connection.scalar(sa.select(sa.func.count()).select_from(equity_points)) or 0
        begun = BacktestPlan(people(20)[1], BALANCES[2], "BTCUSDT", file_of(candles, tmp_path), 2, url)
        mine, points_of = backtest(begun).backtest.record, told(engine, 2, 2**60).curve
        by_record = backtest(replace(begun, file=None)).backtest.record
    finally:
        engine.dispose()
    assert (unequal, compared) == ([], 20)
    assert list(zip(mine.times, mine.curve, mine.outcomes, strict=True)) == points_of, "also by the command"
    assert by_record.times == mine.times[:-1], "of the last T a record holds no minute after it"
    assert kinds["trade"] > 60
    assert kinds["funding"]
    assert stops
    assert "cooldown" in locks
    assert points >= 20 * 21


def ruled() -> tuple[AccountSettings, ...]:
    """Every rule of exits, alone and together, with answers that close and tighten."""
    half, far, near = Decimal("0.5"), Decimal(1), Decimal("0.75")
    rules = (
        ExitRules(break_even_r=half),
        ExitRules(time_stop_min=15),
        ExitRules(trail_r=half),
        ExitRules(trail_r=near, trail_from_r=half),
        ExitRules(half, 25, far, half),
        ExitRules(),
    )
    levels, versions = (RiskLevel.MEDIUM, RiskLevel.HIGH), get_args(AnswerVersion)
    return tuple(
        AccountSettings(level, 10, exits=rule, answer_version=version)
        for level, rule, version in product(levels, rules, versions)
    )[:20]


async def test_rules_of_exits_and_answers_that_manage_a_position_are_told_the_same(tmp_path: Path) -> None:
    candles = wandering(8, 60 + 100, wild=0.0013)
    url = f"sqlite:///{tmp_path / 'replay.db'}"
    crowd = ruled()
    plan = ReplayPlan(file_of(candles, tmp_path), len(crowd), 1, "BTCUSDT", url, "", crowd=crowd)
    found = await replay(plan, silent)
    assert found.clean
    engine = make_engine(url)
    try:
        unequal, compared = differences(engine, candles, "BTCUSDT", crowd)
        with engine.connect() as connection:
            legs = Counter(connection.scalars(sa.select(orders.c.leg)))
            moves = connection.scalar(sa.select(sa.func.count()).select_from(stop_moves)) or 0
    finally:
        engine.dispose()
    assert (unequal, compared) == ([], len(crowd))
    assert legs["g"] > 3, "closed by the guardian"
    assert moves > 3
