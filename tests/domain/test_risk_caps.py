"""
No order outside the caps, whatever the analyst, the owner, the books, the venue's rules or the platform's use are.

The caps are restated here from the order that would leave, in exact fractions, at the worst fill its limit allows.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import event, given
from hypothesis import strategies as st

from lib.domain.account import RISK_PROFILES, AccountSettings
from lib.domain.decision import Abstained, Decision
from lib.domain.instrument import Instrument
from lib.domain.order import OrderDraft
from lib.domain.position import Side
from lib.domain.risk import AccountPlan, Facts, decide, size_entry
from tests.domain.strategies import any_facts, any_instruments, any_settings, any_views, decimals, entering, two_sided
from tests.effort import examples
from tests.factories import T

many = examples(2_000)
prices = decimals("1", "200000", 1)
HAIR = 1 + Fraction(1, 10**20)
"""Decimal divides to 28 digits: room for its last one, relative."""


def side_of(view: Decision) -> Side:
    return "buy" if view.action == "buy" else "sell"


def assert_inside(draft: OrderDraft, known: Facts, chosen: AccountSettings, rule: Instrument) -> None:
    """The entry *draft* against every cap of its account, its venue and the platform."""
    assert draft.qty is not None
    qty, limit, stop = Fraction(draft.qty), Fraction(draft.limit_price), Fraction(draft.stop_loss)
    notional = qty * max(limit, Fraction(draft.ref_price))
    level, limits = RISK_PROFILES[chosen.risk_level], chosen.limits
    share = min(level.risk_per_trade, chosen.risk_per_trade if chosen.risk_per_trade is not None else Decimal(1))
    assert qty * abs(limit - stop) <= Fraction(share) * Fraction(known.equity) * HAIR
    assert notional <= Fraction(limits.max_exposure) * Fraction(known.equity) * HAIR
    assert notional / draft.leverage <= Fraction(limits.max_margin) * Fraction(known.available) * HAIR
    assert known.room is None or notional <= Fraction(known.room) * HAIR
    assert rule.min_qty <= draft.qty <= rule.max_market_qty
    assert 1 <= draft.leverage <= min(level.leverage_cap, max(1, chosen.max_leverage), max(1, int(rule.max_leverage)))
    assert Fraction(19, 10_000) < abs(Fraction(draft.ref_price) - stop) / Fraction(draft.ref_price) + tick(rule, draft)
    assert abs(Fraction(draft.ref_price) - stop) / Fraction(draft.ref_price) <= Fraction(5, 100) + tick(rule, draft)


def tick(rule: Instrument, draft: OrderDraft) -> Fraction:
    """What rounding a price to the tick may move it, as a fraction of the price."""
    return Fraction(rule.tick_size) / 2 / Fraction(draft.ref_price)


def assert_gates_open(plan: AccountPlan, known: Facts, chosen: AccountSettings) -> None:
    if any(not draft.reduce_only for draft in plan.orders):
        limits = chosen.limits
        assert not known.locks
        assert not known.platform
        assert known.entries_today < limits.entries_per_day
        assert known.loss_streak < limits.loss_streak
        assert known.analyst_failures < limits.analyst_failures
        assert known.tokens_today < limits.analyst_tokens
        assert known.last_stop_ms + limits.cooldown_ms <= T
        assert known.day_start_equity - known.equity < known.day_start_equity * limits.daily_loss or (
            known.day_start_equity <= 0
        )


@many
@given(any_views, any_facts(), any_settings, any_instruments, prices)
def test_no_view_settings_or_facts_give_an_order_outside_the_caps(
    view: Decision | Abstained, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    plan = decide(view, known, chosen, rule, ref, T)
    event(plan.outcome)
    assert_gates_open(plan, known, chosen)
    for draft in plan.orders:
        if not draft.reduce_only and draft.qty is not None:
            assert_inside(draft, known, chosen, rule)
        if draft.reduce_only:
            assert draft.qty == min(abs(known.position.qty), rule.max_market_qty)
            assert known.own_qty == known.position.qty


@many
@given(entering, any_facts(st.just(Decimal(0))), two_sided, any_instruments, prices)
def test_a_flips_entry_sized_after_its_exit_is_inside_the_caps_too(
    view: Decision, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    side = side_of(view)
    sizing = size_entry(view, side, known.equity, known.available, chosen, rule, ref, known.room)
    event("entered" if sizing.qty else "nothing")
    if sizing.qty:
        draft = OrderDraft(
            "e", side, sizing.qty, sizing.limit_price, ref, sizing.stop_loss, sizing.take_profit, sizing.leverage, False
        )
        assert_inside(draft, known, chosen, rule)


@many
@given(entering, any_facts(st.just(Decimal(0))), two_sided, any_instruments, prices)
def test_every_cap_that_fired_is_recorded_from_what_was_asked_to_what_was_allowed(
    view: Decision, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    wallet = (known.equity, known.available)
    sizing = size_entry(view, side_of(view), *wallet, chosen, rule, ref, known.room)
    for what, asked, allowed in (
        ("leverage", Decimal(view.leverage), Decimal(sizing.leverage)),
        ("qty", None, sizing.qty),
    ):
        chain = [clamp for clamp in sizing.clamps if clamp.name.startswith(f"{what}: ")]
        event(f"{what} clamped {len(chain)} times")
        assert all(Decimal(one.asked) > Decimal(one.allowed) for one in chain)
        assert all(one.allowed == next_.asked for one, next_ in pairwise(chain))
        if asked is not None:
            assert (asked != allowed) is bool(chain)
        if chain and allowed:
            assert Decimal(chain[-1].allowed) == allowed
    wide = replace(chosen, limits=replace(chosen.limits, max_exposure=Decimal(10**9), max_margin=Decimal(10**9)))
    free = size_entry(view, side_of(view), *wallet, wide, replace(rule, max_market_qty=Decimal(10**12)), ref)
    if sizing.qty and sizing.qty != free.qty:
        assert [clamp for clamp in sizing.clamps if clamp.name.startswith("qty: ")]
