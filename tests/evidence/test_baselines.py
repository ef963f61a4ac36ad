"""Decisions beside coin flips, always long and always short: the same moments, stops and targets."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from lib.bootstrap import backtesting
from lib.bootstrap.backtesting import BacktestPlan, backtest
from lib.domain.account import AccountSettings
from lib.domain.candle import MINUTE_MS
from lib.domain.decision import Action, Decision
from lib.domain.errors import Halt
from lib.domain.order import CYCLE_MS
from lib.evidence.baselines import Baselines, baselines, pairs
from lib.evidence.desk import Terms
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of
from services.backtest import told
from tests.evidence.walks import NIGHT, TICK, file_of, wandering

BTC = "BTCUSDT"
TERMS = Terms(instrument_of(BTC))
CANDLES = wandering(4, 14 * 1_440, wild=0.001)
TAPE = Tape(BTC, CANDLES, TICK)


def view(action: Action) -> Decision:
    return Decision(action, Decimal("0.7"), 3, "", Decimal("0.004"), Decimal("0.006"))


def beside(views: dict[int, Decision], seed: int = 1) -> Baselines:
    found = baselines(pairs(views, TAPE, TERMS), seed=seed)
    assert found is not None
    return found


def moments(count: int) -> list[int]:
    """Every four hours: a coin of a day has as many tosses as there are days."""
    return [NIGHT + number * 48 * CYCLE_MS for number in range(1, count + 1)]


def test_always_long_is_what_a_version_that_only_buys_earned() -> None:
    bought = beside({t: view("buy") for t in moments(40)})
    sold = beside({t: view("sell") for t in moments(40)})
    assert (bought.own, bought.long, bought.short) == (bought.long, sold.long, sold.own)
    assert bought.count == 40


def test_who_knows_the_future_beats_nearly_every_coin_and_who_flips_one_does_not() -> None:
    both = {t: pairs({t: view("buy")}, TAPE, TERMS)[0] for t in moments(60)}
    seer = beside({t: view("buy" if one.long.net >= one.short.net else "sell") for t, one in both.items()})
    random = Random(3)
    flipped = beside({t: view("buy" if random.random() < 0.5 else "sell") for t in both})
    assert seer.p <= 0.01
    assert seer.own > seer.coin > -1
    assert flipped.p > 0.025


def test_the_same_seed_gives_the_same_figures() -> None:
    views = {t: view("buy") for t in moments(10)}
    assert beside(views) == beside(views)
    assert beside(views, 2).p != 0


def test_holds_and_what_has_not_ended_are_left_out() -> None:
    last = CANDLES[-1].open_time - 2 * MINUTE_MS
    assert pairs({NIGHT + CYCLE_MS: view("hold"), last: view("buy")}, TAPE, TERMS) == []
    assert baselines([]) is None


def test_the_bundled_rules_over_a_file_are_told_with_every_figure(tmp_path: Path) -> None:
    plan = BacktestPlan(AccountSettings(), Decimal(10_000), BTC, file_of(CANDLES[:1_500], tmp_path))
    judged = backtest(plan)
    found = judged.backtest
    assert found.asked == len(found.record.times) == (1_500 - 30) // 5
    text = told(judged, Decimal(10_000))
    for word in ("return", "drawdown", "trades", "fees", "coins", "always long", "blind entries", "cannot tell yet"):
        assert word in text
    assert backtest(plan).backtest.record == found.record, "the same twice"


def test_too_many_answers_for_a_verdict_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtesting, "MOST_JUDGED", 9)
    judged = backtest(BacktestPlan(AccountSettings(), Decimal(10_000), BTC, file_of(CANDLES[:120], tmp_path)))
    assert judged.verdict is None
    assert "verdict" not in told(judged, Decimal(10_000))


def test_a_stricter_confidence_never_enters_more(tmp_path: Path) -> None:
    file = file_of(CANDLES[:1_500], tmp_path)
    orders = [
        len(backtest(BacktestPlan(settings, Decimal(10_000), BTC, file)).backtest.record.orders)
        for settings in (AccountSettings(), AccountSettings(min_confidence=Decimal("0.99")))
    ]
    assert orders[0] > orders[1] == 0


def test_too_few_candles_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="no decision to replay"):
        backtest(BacktestPlan(AccountSettings(), Decimal(10_000), BTC, file_of(CANDLES[:20], tmp_path)))
