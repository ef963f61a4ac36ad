"""Isolated margin: the liquidation price is where equity is the maintenance margin, R is what the stop loses."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.margin import distance, liquidation_price, lowest_maintenance, margin_of, stop_risk, told_liquidation
from lib.domain.position import Position, unrealised_pnl

LONG = Position("BTCUSDT", Decimal("0.5"), Decimal(60_000), Decimal(10), Decimal(59_400), Decimal(61_800))
SHORT = replace(LONG, qty=Decimal("-0.5"), stop_loss=Decimal(60_600), take_profit=Decimal(58_200))
RATE = Decimal("0.005")

positions = st.builds(
    Position,
    st.just("BTCUSDT"),
    st.decimals("-50", "50", places=3).filter(bool),
    st.decimals("1", "100000", places=2),
    st.integers(1, 100).map(Decimal),
    st.decimals("0", "100000", places=2),
)


def test_a_long_is_liquidated_below_its_entry_and_a_short_above() -> None:
    assert liquidation_price(LONG, RATE) == Decimal(54_300)
    assert liquidation_price(SHORT, RATE) == Decimal(65_700)
    assert margin_of(LONG) == margin_of(SHORT) == 3_000


@pytest.mark.parametrize(
    ("sent", "told"), [("54300.5", "54300.5"), ("0", "0"), ("-3", "0"), ("99999999", "99999999"), ("100000000", "0")]
)
def test_a_liquidation_price_that_no_market_reaches_is_none(sent: str, told: str) -> None:
    assert told_liquidation(replace(LONG, liquidation=Decimal(sent))) == Decimal(told)


def test_the_lowest_tier_is_half_the_margin_at_the_greatest_leverage() -> None:
    assert lowest_maintenance(Decimal(100)) == RATE
    assert lowest_maintenance(Decimal(0)) == Decimal("0.5")


@given(positions)
def test_at_the_liquidation_price_the_margin_left_is_the_maintenance_margin_of_the_entry(position: Position) -> None:
    price = liquidation_price(position, RATE)
    left = margin_of(position) + unrealised_pnl(position, price)
    kept = abs(position.qty) * position.avg_entry_price * RATE
    if price > 0:
        assert abs(left - kept) < Decimal("1E-15")
    else:
        assert left >= kept - Decimal("1E-15"), "a long that no price can liquidate"


@given(positions)
def test_r_is_what_the_stop_loses_and_never_below_nothing(position: Position) -> None:
    risk = stop_risk(position)
    assert risk >= 0
    if position.stop_loss > 0:
        assert risk == max(-unrealised_pnl(position, position.stop_loss), Decimal(0))


@pytest.mark.parametrize("position", [LONG, SHORT])
def test_r_of_a_long_and_of_a_short(position: Position) -> None:
    assert stop_risk(position) == 300
    assert stop_risk(replace(position, stop_loss=Decimal(0))) == 0
    beyond = position.avg_entry_price + (1 if position.qty > 0 else -1)
    assert stop_risk(replace(position, stop_loss=beyond)) == 0


def test_a_distance_is_a_share_of_the_price() -> None:
    assert distance(Decimal(100), Decimal(99)) == Decimal("-0.01")
    assert distance(Decimal(0), Decimal(99)) == 0
