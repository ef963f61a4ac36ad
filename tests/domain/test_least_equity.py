"""The least equity that can ever enter: at it an entry is sized, a cent below it none is, whatever the analyst says."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lib.domain.account import AccountSettings, Limits, RiskLevel
from lib.domain.decision import Decision
from lib.domain.instrument import Instrument
from lib.domain.position import Side
from lib.domain.sizing import MIN_STOP, least_equity, size_entry
from tests.factories import REF, instrument, settings

CENT = Decimal("0.01")
SIDES: tuple[Side, ...] = ("buy", "sell")


def fractions(least: str, most: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=4)


contracts = st.builds(
    Instrument,
    symbol=st.just("BTCUSDT"),
    tick_size=st.sampled_from([Decimal(text) for text in ("0.01", "0.1", "0.5", "1", "5", "20")]),
    qty_step=st.sampled_from([Decimal(text) for text in ("0.001", "0.01", "1")]),
    min_qty=st.sampled_from([Decimal(text) for text in ("0.001", "0.01", "1")]),
    max_market_qty=st.sampled_from([Decimal(text) for text in ("0.5", "100", "500")]),
    min_notional=st.sampled_from([Decimal(0), Decimal(5), Decimal(100)]),
    max_leverage=st.sampled_from([Decimal(text) for text in ("1", "5", "12.5", "100")]),
)
choices = st.builds(
    AccountSettings,
    risk_level=st.sampled_from(RiskLevel),
    max_leverage=st.integers(1, 25),
    long_only=st.booleans(),
    risk_per_trade=st.none() | fractions("0.0001", "0.02"),
    limits=st.builds(Limits, max_exposure=fractions("0.1", "3"), max_margin=fractions("0.05", "0.5")),
)
prices = st.decimals(Decimal(100), Decimal(100_000), places=2)
views = st.builds(
    Decision,
    action=st.just("buy"),
    confidence=st.just(Decimal(1)),
    leverage=st.integers(1, 125),
    reason=st.just(""),
    stop_loss=fractions("0.002", "0.05"),
    take_profit=fractions("0.0031", "0.2"),
)


def sizes(view: Decision, side: Side, equity: Decimal, chosen: AccountSettings, rule: Instrument, ref: Decimal) -> bool:
    return size_entry(view, side, equity, equity, chosen, rule, ref).qty > 0


@given(choices, contracts, prices, views, st.sampled_from(SIDES))
def test_a_cent_below_it_no_view_is_ever_sized(
    chosen: AccountSettings, rule: Instrument, ref: Decimal, view: Decision, side: Side
) -> None:
    assume(not (chosen.long_only and side == "sell"))
    least = least_equity(chosen, rule, ref)
    if least is None:
        assert not sizes(view, side, Decimal(10**9), chosen, rule, ref)
        return
    assert not sizes(view, side, least - CENT, chosen, rule, ref)
    nearest = replace(view, stop_loss=MIN_STOP, leverage=125)
    assert not sizes(nearest, side, least - CENT, chosen, rule, ref)


@given(choices, contracts, prices, fractions("0.002", "0.05"))
def test_at_it_there_is_a_view_that_is_sized(
    chosen: AccountSettings, rule: Instrument, ref: Decimal, stop: Decimal
) -> None:
    assume(rule.tick_size <= ref / 2_000)  # a target nearer than ten stops lies a tick beyond the limit
    least = least_equity(chosen, rule, ref, stop)
    assume(least is not None)
    assert least is not None
    view = Decision("buy", Decimal(1), 125, "", stop, min(stop * 9, Decimal("0.19")))
    sides: tuple[Side, ...] = ("buy",) if chosen.long_only else SIDES
    assert any(sizes(view, side, least, chosen, rule, ref) for side in sides)


def test_a_coarse_tick_pushes_the_nearest_stop_out() -> None:
    rule, ref = instrument(tick_size=Decimal(1_000)), REF
    least = least_equity(settings(), rule, ref)
    assert least is not None
    at_the_push = Decimal(500) / ref  # half a tick: from here on the stop rounds to the tick beyond the price
    view = Decision("buy", Decimal(1), 125, "", at_the_push + Decimal("0.00001"), Decimal("0.08"))
    assert any(sizes(view, side, least + CENT, settings(), rule, ref) for side in SIDES)
    assert not any(sizes(view, side, least - CENT, settings(), rule, ref) for side in SIDES)
    assert least > (least_equity(settings(), instrument(), ref) or 0)


@given(choices, contracts, prices, fractions("0.002", "0.049"))
def test_a_wider_stop_and_a_shorter_side_never_need_less(
    chosen: AccountSettings, rule: Instrument, ref: Decimal, stop: Decimal
) -> None:
    near, far = least_equity(chosen, rule, ref), least_equity(chosen, rule, ref, stop)
    assert far is None or (near is not None and near <= far)
    long_only = least_equity(replace(chosen, long_only=True), rule, ref)
    assert long_only is None or (near is not None and near <= long_only)


@pytest.mark.parametrize(("level", "amount"), [("low", "60.00"), ("medium", "30.00"), ("high", "20.00")])
def test_figures_of_an_ordinary_contract_at_sixty_thousand(level: str, amount: str) -> None:
    # short at 60,000: a thousandth risks 0.5 % of it; on the high level the exposure of three times the equity binds
    assert least_equity(settings(risk_level=RiskLevel(level)), instrument(), REF) == Decimal(amount)


@pytest.mark.parametrize(
    "changes",
    [{"max_market_qty": Decimal("0.0005")}, {"tick_size": Decimal(10_000)}],
    ids=["no order so small", "no stop so near"],
)
def test_a_contract_nothing_can_enter_has_no_least(changes: dict[str, Decimal]) -> None:
    assert least_equity(settings(), instrument(**changes), REF) is None


def test_who_risks_nothing_needs_no_amount() -> None:
    assert least_equity(settings(risk_per_trade=Decimal(0)), instrument(), REF) is None
