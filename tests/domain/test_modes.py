"""In which modes an account may be entered: isolated and one-way, and cross where that was taken on."""

import itertools
from typing import get_args

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import DOUBTS
from lib.domain.modes import MarginMode, mode_problem
from lib.domain.reason import NOTHING
from lib.domain.risk import decide
from tests.factories import REF, T, decision, facts, instrument, settings

CROSS = codes.CROSS_MARGIN()


@pytest.mark.parametrize(("margin", "one_way"), list(itertools.product(get_args(MarginMode), (True, False))))
def test_only_isolated_and_one_way_is_as_it_was_set(margin: MarginMode, one_way: bool) -> None:
    assert (mode_problem(margin, one_way=one_way) == NOTHING) == (margin == "isolated" and one_way)


def test_a_doubt_takes_on_cross_margin_and_nothing_else() -> None:
    assert mode_problem("cross", one_way=True, doubts=DOUBTS) == NOTHING
    assert mode_problem("cross", one_way=True, doubts=("uid", "rights")) == CROSS
    assert mode_problem("portfolio", one_way=True, doubts=DOUBTS) == codes.PORTFOLIO_MARGIN()
    assert mode_problem("cross", one_way=False, doubts=DOUBTS) == codes.HEDGE_MODE()


def test_a_changed_mode_keeps_entries_off_and_lets_an_exit_go() -> None:
    flat = decide(decision("buy"), facts(modes=CROSS), settings(), instrument(), REF, T)
    assert (flat.outcome, flat.reason, flat.orders) == ("refused", CROSS, ())
    turned = decide(decision("sell"), facts(qty="0.01", modes=CROSS), settings(), instrument(), REF, T)
    assert [order.leg for order in turned.orders] == ["x"]
    assert turned.reason == codes.CLOSED_NOT_TURNED(why=CROSS)
