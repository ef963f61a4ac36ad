"""The habit of a moment that entered nothing: the last entry of the same question before T, on every database."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.score_book import HABIT_MS, SqlScoreBook
from lib.adapters.sql.ledger.analysis import decision_json
from lib.adapters.sql.tables.trading import cycles
from lib.domain import reason_codes as codes
from lib.domain.decision import Abstained, Decision
from lib.domain.scores import BOTH_WAYS
from tests import factories as make
from tests.factories import SYMBOL, T

ASKED, STEP = "a" * 64, 300_000
ENTRY = make.decision(action="sell", stop_loss=Decimal("0.007"))
HOLD = make.decision(action="hold")


@pytest.fixture(params=["sqlite", "mariadb"])
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


def said(engine: sa.Engine, view: Decision | Abstained, t_ms: int, **changes: Any) -> None:
    row = {
        "feed": "synthetic", "symbol": SYMBOL, "interval_s": 300, "t_ms": t_ms, "state": "decided", "prompt": "",
        "candles": "[]", "raw_answer": "", "model": "rules", "prompt_tokens": 0, "completion_tokens": 0,
        "latency_ms": 9, "asked_sha256": ASKED, "decision": decision_json(view), "prompt_group": f"{t_ms}",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(cycles), [row | changes])


def habits(engine: sa.Engine) -> list[Decision | None]:
    return [one.habit for one in SqlScoreBook(engine).unscored(0, 99, BOTH_WAYS)]


def test_a_hold_has_the_last_entry_of_its_question_before_it_and_an_entry_has_none(engine: sa.Engine) -> None:
    first = replace(ENTRY, action="buy")
    views: list[Decision | Abstained] = [HOLD, first, ENTRY, HOLD, Abstained(codes.ANALYST_TIMEOUT()), ENTRY]
    for number, view in enumerate(views):
        said(engine, view, T + number * STEP)
    assert habits(engine) == [None, None, None, ENTRY, ENTRY, None]
    assert [one.habit for one in SqlScoreBook(engine).unscored(0, 99)] == [None] * 6


def test_another_question_symbol_feed_or_day_is_no_habit(engine: sa.Engine) -> None:
    others: tuple[dict[str, Any], ...] = (
        {"asked_sha256": "b" * 64},
        {"asked_sha256": ""},
        {"symbol": "ETHUSDT"},
        {"feed": "bybit"},
        {"state": "failed"},
    )
    for number, changes in enumerate(others):
        said(engine, ENTRY, T + number, **changes)
    said(engine, ENTRY, T + STEP - HABIT_MS - 1)
    said(engine, HOLD, T + STEP)
    said(engine, HOLD, T + STEP + 1, asked_sha256="")
    assert habits(engine)[-2:] == [None, None]
    said(engine, ENTRY, T + STEP - HABIT_MS)
    assert ENTRY in habits(engine)
