"""
Sizing: whatever the analyst, the owner's settings, the venue's rules and the wallet are, an entry is inside every cap.

The oracle below restates the promises as inequalities; it shares no formula with the code it judges.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import RISK_PROFILES, AccountSettings, RiskLevel
from lib.domain.decision import Decision
from lib.domain.instrument import Instrument
from lib.domain.position import Side
from lib.domain.risk import Clamp, Sizing, size_entry
from tests.domain.strategies import any_instruments, decimals, entering, two_sided
from tests.effort import examples
from tests.factories import REF, decision, instrument, limits, settings
from tests.reasons import english

thousands = examples(1_000)
prices = decimals("0.01", "200000", 2)
money = decimals("0", "1000000", 2) | decimals("1000", "50000", 2)
HAIR = Fraction(1, 10**20)
"""Decimal divides to 28 digits: room for its last one, relative."""


def side_of(view: Decision) -> Side:
    return "buy" if view.action == "buy" else "sell"


def at_most(value: Decimal | Fraction, cap: Fraction) -> bool:
    return Fraction(value) <= cap * (1 + HAIR)


def assert_prices(sizing: Sizing, side: Side, view: Decision, rule: Instrument, ref: Decimal) -> None:
    """The limit inside the collar, the stop behind and the target ahead of any price the limit lets us pay."""
    assert all(price % rule.tick_size == 0 for price in (sizing.limit_price, sizing.stop_loss, sizing.take_profit))
    if side == "buy":
        assert 0 < sizing.stop_loss < min(ref, sizing.limit_price)
        assert sizing.limit_price <= ref * Decimal("1.003")
        assert sizing.take_profit > sizing.limit_price
    else:
        assert sizing.stop_loss > max(ref, sizing.limit_price)
        assert sizing.limit_price >= ref * Decimal("0.997")
        assert 0 < sizing.take_profit < sizing.limit_price
    half_tick = rule.tick_size / 2
    distance = abs(ref - sizing.stop_loss)
    assert abs(distance - view.stop_loss * ref) <= half_tick
    assert ref * Decimal("0.002") - half_tick <= distance <= ref * Decimal("0.05") + half_tick


def assert_size(
    sizing: Sizing, equity: Decimal, available: Decimal, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    """On the step, inside the venue's and the account's caps at the worst fill the limit allows, the loss too."""
    qty = sizing.qty
    assert qty % rule.qty_step == 0
    assert rule.min_qty <= qty <= rule.max_market_qty
    assert qty * min(ref, sizing.limit_price) >= rule.min_notional
    notional = Fraction(qty) * Fraction(max(ref, sizing.limit_price))
    assert at_most(notional, Fraction(chosen.limits.max_exposure) * Fraction(equity))
    assert at_most(notional / sizing.leverage, Fraction(chosen.limits.max_margin) * Fraction(available))
    risked = Fraction(qty) * abs(Fraction(sizing.limit_price) - Fraction(sizing.stop_loss))
    level = RISK_PROFILES[chosen.risk_level].risk_per_trade
    share = level if chosen.risk_per_trade is None else min(level, chosen.risk_per_trade)
    assert at_most(risked, Fraction(share) * Fraction(equity))


def assert_leverage(leverage: int, view: Decision, chosen: AccountSettings, rule: Instrument) -> None:
    """Under every cap, and liquidation (lowest tier's maintenance margin) at least 1 % of the price beyond the stop."""
    level = RISK_PROFILES[chosen.risk_level].leverage_cap
    assert 1 <= leverage <= min(view.leverage, chosen.max_leverage, level, int(rule.max_leverage))
    maintenance = Fraction(1, 2) / Fraction(rule.max_leverage)
    room = Fraction(1, leverage) - maintenance - Fraction(view.stop_loss)
    assert leverage == 1 or room >= Fraction(1, 100)


@thousands
@given(entering, money, decimals("0", "1", 3), two_sided, any_instruments, prices)
def test_every_entry_is_inside_every_cap(
    view: Decision, equity: Decimal, free: Decimal, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    available = equity * free
    sizing = size_entry(view, side_of(view), equity, available, chosen, rule, ref)
    event("entered" if sizing.qty else sizing.why.code)
    assert_leverage(sizing.leverage, view, chosen, rule)
    if sizing.qty:
        assert_prices(sizing, side_of(view), view, rule, ref)
        assert_size(sizing, equity, available, chosen, rule, ref)
    else:
        assert sizing.why
        assert sizing.limit_price == sizing.stop_loss == sizing.take_profit == 0


@thousands
@given(entering, decimals("200", "1000000", 2), two_sided, decimals("1000", "200000", 1))
def test_on_a_fine_grained_instrument_the_largest_allowed_size_is_taken(
    view: Decision, equity: Decimal, chosen: AccountSettings, ref: Decimal
) -> None:
    rule = instrument(max_market_qty=Decimal(10**9))
    sizing = size_entry(view, side_of(view), equity, equity, chosen, rule, ref)
    assume(sizing.qty > 0)
    assert_size(sizing, equity, equity, chosen, rule, ref)
    more = Fraction(sizing.qty + rule.qty_step)
    distance = max(
        abs(Fraction(sizing.limit_price) - Fraction(sizing.stop_loss)),
        (Fraction(view.stop_loss) + Fraction(3, 1000)) * Fraction(ref),
    )
    dear = Fraction(max(ref, sizing.limit_price))
    caps_broken = [
        more * distance > Fraction(chosen.profile.risk_per_trade) * Fraction(equity),
        more * dear > Fraction(chosen.limits.max_exposure) * Fraction(equity),
        more * dear > Fraction(chosen.limits.max_margin) * Fraction(equity) * sizing.leverage,
    ]
    assert any(caps_broken)


@thousands
@given(entering, decimals("0.01", "5000", 2), decimals("0.01", "1", 3), two_sided, any_instruments, prices)
def test_the_equity_named_as_needed_indeed_suffices(
    view: Decision, equity: Decimal, free: Decimal, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    sizing = size_entry(view, side_of(view), equity, equity * free, chosen, rule, ref)
    assume(codes.BELOW_MINIMUM.is_of(sizing.why))
    least, needed = (Decimal(str(sizing.why.params[name])) for name in ("least", "needed"))
    assume(least <= rule.floor_qty(rule.max_market_qty))
    assert needed > equity
    enough = size_entry(view, side_of(view), needed, needed * free, chosen, rule, ref)
    assert enough.qty >= least or codes.TICK_TOO_COARSE.is_of(enough.why)


@given(entering, decimals("0", "1000", 2), two_sided, any_instruments, prices)
def test_nothing_is_risked_without_free_balance(
    view: Decision, equity: Decimal, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    for wallet in ((equity, Decimal(0)), (equity, -equity - 1), (-equity, equity)):
        sizing = size_entry(view, side_of(view), *wallet, chosen, rule, ref)
        assert sizing.qty == 0
        assert sizing.why == codes.NO_FREE_BALANCE()


@given(decimals("0", "0.00199", 5) | decimals("0.05001", "1", 5), st.sampled_from(["buy", "sell"]))
def test_a_stop_outside_the_band_is_no_size(stop: Decimal, side: Side) -> None:
    sizing = size_entry(decision(stop_loss=stop), side, Decimal(10_000), Decimal(10_000), settings(), instrument(), REF)
    assert sizing.qty == 0
    assert sizing.why == codes.STOP_OUTSIDE(stop=stop, least=Decimal("0.002"), most=Decimal("0.05"))


def test_a_price_of_nothing_is_no_size() -> None:
    for ref in (Decimal(0), Decimal(-1)):
        assert size_entry(decision(), "buy", Decimal(10), Decimal(10), settings(), instrument(), ref).qty == 0


def sized(view: Decision, **changes: Any) -> Sizing:
    side = side_of(view)
    return size_entry(view, side, Decimal(10_000), Decimal(10_000), settings(**changes), instrument(), REF)


def test_a_buy_worked_by_hand() -> None:
    # 1 % of 10,000 = 100 USDT over 60,180 - 58,800 = 1,380 USDT from the worst fill to the stop
    assert replace(sized(decision()), ceiling=None) == Sizing(
        Decimal("0.072"), 5, Decimal("60180.0"), Decimal("58800.0"), Decimal("63000.0"), clamps=()
    )


def test_a_sell_is_its_mirror() -> None:
    assert replace(sized(decision("sell")), ceiling=None) == Sizing(
        Decimal("0.072"), 5, Decimal("59820.0"), Decimal("61200.0"), Decimal("57000.0"), clamps=()
    )


def test_a_tight_stop_is_cut_by_the_exposure_cap_and_the_clamp_says_so() -> None:
    # by risk 200 / (60,180 - 59,880) = 0.666, by exposure 3 x 10,000 / 60,180 = 0.498
    sizing = sized(
        decision(leverage=25, stop_loss="0.002", take_profit="0.02"), risk_level=RiskLevel.HIGH, max_leverage=25
    )
    assert sizing.qty == Decimal("0.498")
    assert sizing.clamps == (Clamp("qty: max_exposure", "0.666", "0.498"),)


def test_the_margin_cap_counts_leverage() -> None:
    # by margin 0.5 x 10,000 x 1 / 60,180 = 0.0831
    assert sized(decision(leverage=1, stop_loss="0.005")).qty == Decimal("0.083")
    assert sized(decision(leverage=2, stop_loss="0.005")).qty == Decimal("0.166")


def test_a_fill_at_the_edge_of_the_collar_risks_no_more_than_the_budget() -> None:
    for view in (decision(), decision("sell")):
        sizing = sized(view)
        assert sizing.qty * abs(sizing.limit_price - sizing.stop_loss) <= 100
        assert (sizing.qty + Decimal("0.001")) * abs(sizing.limit_price - sizing.stop_loss) > 100


def roomy(room: str) -> Sizing:
    sure, rule = settings(), instrument()
    return size_entry(decision(), "buy", Decimal(10_000), Decimal(10_000), sure, rule, REF, Decimal(room))


def test_what_the_platform_has_left_caps_the_size_and_the_clamp_says_so() -> None:
    assert roomy("4333").qty == Decimal("0.072")
    sizing = roomy("4332.9")
    assert sizing.qty == Decimal("0.071")
    assert sizing.clamps == (Clamp("qty: platform_exposure", "0.072", "0.071"),)
    assert sizing.qty * sizing.limit_price == Decimal("0.071") * 60_180


@pytest.mark.parametrize("room", ["60.17", "0", "-1"])
def test_a_full_platform_is_no_entry_and_no_question_of_the_accounts_size(room: str) -> None:
    assert roomy(room).qty == 0
    assert roomy(room).why == codes.PLATFORM_EXPOSURE_FULL()
    assert roomy("60.18").qty == Decimal("0.001")


def test_the_venues_greatest_market_order_caps_the_size() -> None:
    rule = instrument(max_market_qty=Decimal("0.0255"))
    sizing = size_entry(decision(), "buy", Decimal(10_000), Decimal(10_000), settings(), rule, REF)
    assert sizing.qty == Decimal("0.025")
    assert sizing.clamps == (Clamp("qty: instrument", "0.072", "0.025"),)


def test_each_leverage_cap_is_recorded_by_name_in_turn() -> None:
    rule = instrument(max_leverage=Decimal("12.5"))
    chosen = settings(max_leverage=20, limits=limits(max_exposure=Decimal(50)))
    sizing = size_entry(decision(leverage=100), "buy", Decimal(10_000), Decimal(10_000), chosen, rule, REF)
    assert sizing.leverage == 10
    assert sizing.clamps == (
        Clamp("leverage: max_leverage", "100", "20"),
        Clamp("leverage: risk_level", "20", "10"),
    )


def test_a_wide_stop_lowers_leverage_until_liquidation_lies_beyond_it() -> None:
    # 1 / (0.05 stop + 0.01 room + 0.005 maintenance) = 15.38
    view, wide = decision(leverage=25, stop_loss="0.05"), settings(max_leverage=25)
    high = settings(RiskLevel.HIGH, max_leverage=25)
    assert size_entry(view, "buy", Decimal(10_000), Decimal(10_000), wide, instrument(), REF).leverage == 10
    sizing = size_entry(view, "buy", Decimal(10_000), Decimal(10_000), high, instrument(), REF)
    assert sizing.leverage == 15
    assert sizing.clamps == (Clamp("leverage: liquidation", "25", "15"),)


def test_the_instruments_leverage_caps_and_a_cap_below_one_means_one() -> None:
    def leverage(most: str, owner: int = 10) -> int:
        rule, chosen = instrument(max_leverage=Decimal(most)), settings(max_leverage=owner)
        return size_entry(decision(leverage=9), "buy", Decimal(10_000), Decimal(10_000), chosen, rule, REF).leverage

    assert leverage("4.5") == 4
    assert leverage("0.5") == 1
    assert leverage("100", owner=0) == 1


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("stop", "nearest_refused", "farthest"),
    [("0.01", "0.1000001", "0.1"), ("0.002", "0.02001", "0.02"), ("0.02", "0.20001", "0.2"), ("0.05", "0.201", "0.2")],
)
def test_a_target_beyond_ten_stops_or_a_fifth_is_no_size(
    side: Side, stop: str, nearest_refused: str, farthest: str
) -> None:
    far = sized(decision(side, stop_loss=stop, take_profit=nearest_refused))
    assert far.qty == 0
    assert "ten times the stop" in english(far.why)
    assert sized(decision(side, stop_loss=stop, take_profit=farthest)).qty > 0


@given(decimals("0.002", "0.05", 5), decimals("0", "1", 5), st.sampled_from(["buy", "sell"]))
def test_no_order_ever_has_a_target_a_slip_of_units_away(stop: Decimal, target: Decimal, side: Side) -> None:
    sizing = sized(decision(side, stop_loss=stop, take_profit=target))
    if sizing.qty:
        assert abs(sizing.take_profit - REF) <= REF * min(10 * stop, Decimal("0.2"))
    assert bool(sizing.qty) == (Decimal("0.003") < target <= min(10 * stop, Decimal("0.2")))


def test_a_tick_too_coarse_for_stop_or_target_is_no_entry() -> None:
    rule = instrument(tick_size=Decimal("0.01"), qty_step=Decimal(1), min_qty=Decimal(1))
    near = decision(stop_loss="0.003", take_profit="0.03")
    for view in (near, replace(near, action="sell"), decision(take_profit="0.004")):
        sizing = size_entry(view, side_of(view), Decimal(100), Decimal(100), settings(), rule, Decimal(1))
        assert sizing.qty == 0
        assert sizing.why == codes.TICK_TOO_COARSE()


def test_a_stop_that_would_round_to_nothing_is_no_entry() -> None:
    rule = instrument(tick_size=Decimal(100), qty_step=Decimal(1), min_qty=Decimal(1), min_notional=Decimal(1))
    sizing = size_entry(decision(), "buy", Decimal(10_000), Decimal(10_000), settings(), rule, Decimal(20))
    assert sizing.qty == 0


def test_too_small_an_account_is_told_what_it_would_need() -> None:
    # 0.001 BTC loses 1.38 USDT at its stop: 1 % of 138 USDT
    sizing = size_entry(decision(), "buy", Decimal(50), Decimal(50), settings(), instrument(), REF)
    assert sizing.why == codes.BELOW_MINIMUM(least=Decimal("0.001"), needed=138)


def test_the_least_notional_is_measured_at_the_limit_price() -> None:
    rule = instrument(min_notional=Decimal(60), qty_step=Decimal("0.001"))
    chosen = settings()
    # 0.001 at 60,000 is 60 USDT, at the sell limit of 59,820 it is not
    assert size_entry(decision("sell"), "sell", Decimal(140), Decimal(140), chosen, rule, REF).qty == 0
    assert size_entry(decision("sell"), "sell", Decimal(280), Decimal(280), chosen, rule, REF).qty == Decimal("0.002")
