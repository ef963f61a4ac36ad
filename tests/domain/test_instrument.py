"""Rounding to a venue's rules: quantities never up, prices to the tick that was asked for."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.instrument import Instrument
from tests.factories import instrument

steps = st.sampled_from(["0.001", "0.003", "0.01", "0.05", "0.1", "0.7", "1", "10"]).map(Decimal)
amounts = st.decimals(min_value=0, max_value=10**8, places=10)


@st.composite
def rules(draw: st.DrawFn) -> Instrument:
    return instrument(qty_step=draw(steps), tick_size=draw(steps))


@given(rules(), amounts)
def test_a_quantity_is_floored_to_the_step_and_never_up(rule: Instrument, qty: Decimal) -> None:
    floored = rule.floor_qty(qty)
    assert floored % rule.qty_step == 0
    assert qty - rule.qty_step < floored <= qty


def test_a_quantity_a_hair_under_a_step_is_not_rounded_up_to_it() -> None:
    rule = instrument(qty_step=Decimal("0.003"))
    assert rule.floor_qty(Decimal("0.0029999999999999999999999999999")) == 0


@given(rules(), st.decimals(max_value=0, min_value=-(10**8), places=4))
def test_no_quantity_comes_of_nothing(rule: Instrument, qty: Decimal) -> None:
    assert rule.floor_qty(qty) == 0


@given(rules(), amounts)
def test_the_ceiling_is_the_smallest_multiple_that_is_enough(rule: Instrument, qty: Decimal) -> None:
    ceiled = rule.ceil_qty(qty)
    assert ceiled % rule.qty_step == 0
    assert qty <= ceiled < qty + rule.qty_step


@given(rules(), amounts)
def test_prices_land_on_the_tick_on_the_side_asked_for(rule: Instrument, price: Decimal) -> None:
    tick = rule.tick_size
    low, near, high = rule.floor_price(price), rule.round_price(price), rule.ceil_price(price)
    assert low % tick == near % tick == high % tick == 0
    assert price - tick < low <= price <= high < price + tick
    assert abs(near - price) <= tick / 2
    assert near in (low, high)


def test_a_price_on_the_tick_stays() -> None:
    price = Decimal("60000.10")
    rule = instrument()
    assert rule.floor_price(price) == rule.round_price(price) == rule.ceil_price(price) == price
