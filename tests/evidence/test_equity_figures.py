"""Equity by day: compounded, with transfers out of it, its deepest fall by date, ratios with intervals or none."""

from decimal import Decimal

import numpy as np
import pytest

from lib.evidence.equity_figures import Activity, EquityDay, deepest, equity_figures
from lib.evidence.series import DAY_MS

NOTHING = Activity(0, Decimal(0), Decimal(0), Decimal(0), Decimal(0))


def days(*ends: str) -> list[EquityDay]:
    before, made = Decimal(100), []
    for number, end in enumerate(ends):
        made.append(EquityDay(number * DAY_MS, before, Decimal(end)))
        before = Decimal(end)
    return made


def test_the_deepest_fall_has_the_days_of_its_peak_and_its_trough() -> None:
    told = deepest(days("110", "99", "120", "90", "100"))
    assert (told.share, told.peak_ms, told.trough_ms) == (Decimal("0.25"), 2 * DAY_MS, 3 * DAY_MS)
    assert deepest(days("101", "102")).share == 0


def test_a_first_day_that_falls_is_a_fall() -> None:
    assert deepest(days("80")).share == Decimal("0.2")


def test_a_yearly_rate_is_told_of_a_year_and_of_nothing_shorter() -> None:
    assert equity_figures(days(*["100"] * 363, "200"), NOTHING).yearly is None
    told = equity_figures(days(*["100"] * 364, "200"), NOTHING)
    assert told.total == 1
    assert told.yearly == pytest.approx(Decimal(1))


def test_figures_of_what_was_done() -> None:
    done = Activity(DAY_MS, Decimal(600), Decimal(3), Decimal(-1), Decimal(20))
    told = equity_figures(days("110", "99"), done)
    assert told.total == Decimal("-0.01")
    assert (told.worst_day, told.worst_day_ms) == (Decimal("-0.1"), DAY_MS)
    assert told.exposed == Decimal("0.5")
    assert told.turnover == Decimal(300) / 105
    assert (told.fees_of_gross, told.funding_of_gross) == (Decimal("0.15"), Decimal("-0.05"))
    assert equity_figures(days("110"), NOTHING).fees_of_gross is None
    with pytest.raises(ValueError, match="no day"):
        equity_figures([], NOTHING)


def test_ratios_come_with_their_intervals_or_not_at_all() -> None:
    dice = np.random.default_rng(2)
    ends = [f"{end:.6f}" for end in 100 * np.cumprod(1 + 0.001 + 0.01 * dice.standard_normal(90))]
    told = equity_figures(days(*ends), NOTHING)
    assert told.sharpe is not None
    assert told.sortino is not None
    assert told.sharpe.low < told.sharpe.value < told.sharpe.high
    assert told.sortino.value > told.sharpe.value
    assert equity_figures(days(*ends[:13]), NOTHING).sharpe is None
    assert equity_figures(days(*["101"] * 30), NOTHING).sharpe is None
