"""The event engine tells of twenty accounts of mixed settings what the real system did, to the last decimal."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables.trading import equity_points, fills, risk_locks
from lib.bootstrap.backtesting import BacktestPlan, backtest
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
        mine, points_of = backtest(begun).record, told(engine, 2, 2**60).curve
        by_record = backtest(replace(begun, file=None)).record
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
