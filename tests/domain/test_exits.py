"""Exits by rule: how they are written down, and what each asks for."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.account import AccountSettings
from lib.domain.candle import MINUTE_MS
from lib.domain.exit_rules import (
    LEAST_R,
    MOST_MIN,
    MOST_R,
    NO_RULES,
    STEP_R,
    ExitRules,
    read_rules,
    rules_from,
    rules_text,
)
from lib.domain.exits import (
    TAKER_FEE,
    Trailing,
    break_even_stop,
    even_price,
    is_out_of_time,
    one_r,
    trailed_to,
    trailing_of,
)
from lib.domain.order import Order, OrderDraft
from lib.domain.order_rules import planned_order
from lib.domain.position import ZERO, Position
from lib.domain.stops import is_tighter
from lib.domain.strategy import DESIGN, is_offered, read, settings_with, strategy_of, written
from tests.domain.strategies import any_instruments, decimals
from tests.effort import examples
from tests.factories import INSTALLATION, REF, T, instrument, order, position, settings, trader_account

hundreds = examples(300)
ONE, HALF = Decimal(1), Decimal("0.5")
ALL = ExitRules(ONE, 90, Decimal("1.5"), Decimal("0.75"))
distances = st.integers(2, 20).map(lambda n: n * STEP_R)
offered = st.builds(
    lambda even, minutes, trail, begins: ExitRules(even, minutes, trail, begins if trail else ZERO),
    st.just(ZERO) | distances,
    st.just(0) | st.integers(5, MOST_MIN),
    st.just(ZERO) | distances,
    st.integers(0, 20).map(lambda n: n * STEP_R),
)


@hundreds
@given(offered)
def test_rules_are_read_as_they_were_written_and_fit_their_column(rules: ExitRules) -> None:
    assert rules.is_offered
    assert read_rules(rules_text(rules)) == rules
    assert len(rules_text(rules)) <= 160
    version = replace(DESIGN, rules=rules)
    assert read(written(version)) == version
    assert is_offered(version)
    assert strategy_of(settings_with(version, AccountSettings())) == version


def test_a_version_without_rules_keeps_its_hash() -> None:
    assert "rules" not in written(DESIGN)
    assert DESIGN.sha256 == "32f39d8ee0f5fa0c07534c063352e389a05ae7edf60d65b37b438edb05b7e9b4"
    assert replace(DESIGN, rules=ALL).sha256 != DESIGN.sha256
    assert rules_text(NO_RULES) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        ExitRules(break_even_r=Decimal("0.25")),
        ExitRules(break_even_r=MOST_R + STEP_R),
        ExitRules(break_even_r=Decimal("0.6")),
        ExitRules(time_stop_min=4),
        ExitRules(time_stop_min=MOST_MIN + 1),
        ExitRules(trail_r=LEAST_R - STEP_R),
        ExitRules(trail_r=ONE, trail_from_r=Decimal("0.1")),
        ExitRules(trail_r=ONE, trail_from_r=MOST_R + STEP_R),
        ExitRules(trail_r=ONE, trail_from_r=-STEP_R),
        ExitRules(trail_from_r=ONE),
    ],
)
def test_a_rule_nobody_may_choose_is_refused(wrong: ExitRules) -> None:
    assert not wrong.is_offered
    assert not is_offered(replace(DESIGN, rules=wrong))
    with pytest.raises(ValueError, match="may have"):
        read_rules(rules_text(wrong))


@pytest.mark.parametrize(
    "odd", ["[]", '{"x":1}', '{"trail_r":"NaN"}', '{"trail_r":"x"}', '{"time_stop_min":null}', "{"]
)
def test_what_is_no_rule_is_refused(odd: str) -> None:
    with pytest.raises(ValueError):
        rules_from(json.loads(odd))


def test_an_entry_is_planned_with_the_rules_of_its_strategy_and_an_exit_with_none() -> None:
    account = trader_account(settings=settings(exits=ALL))
    entry = OrderDraft("e", "buy", ONE, REF, REF, Decimal(58_800), Decimal(63_000), 3, reduce_only=False)
    drafts = (entry, replace(entry, leg="x", reduce_only=True))
    made = [planned_order(INSTALLATION, account, T, one, T) for one in drafts]
    assert [one.exits for one in made] == [ALL, NO_RULES]


# --- what they ask for ------------------------------------------------------------------------------------------------


def entered(rules: ExitRules = ALL, *, short: bool = False) -> Order:
    """At 60,000 with its stop 1,200 away."""
    made = order(avg_price=Decimal(60_000), filled_qty=ONE, exits=rules, stop_loss=Decimal(58_800))
    return replace(made, side="sell", stop_loss=Decimal(61_200)) if short else made


def held(mark: int | Decimal, *, short: bool = False, liquidation: int = 0) -> Position:
    at = position(Decimal(-1 if short else 1), "60000")
    return replace(at, mark=Decimal(mark), stop_loss=ZERO, liquidation=Decimal(liquidation))


LONG_STOP, SHORT_STOP = Decimal(58_800), Decimal(61_200)
RULE = instrument()


@pytest.mark.parametrize("short", [False, True])
def test_break_even_is_due_at_its_r_and_not_a_tick_before(short: bool) -> None:
    sign, standing = (-1, SHORT_STOP) if short else (1, LONG_STOP)
    entry, even = entered(short=short), Decimal("59934.1" if short else "60066.0")
    due = held(60_000 + sign * 1_200, short=short)
    assert break_even_stop(entry, due, standing, RULE) == even
    early = held(60_000 + sign * Decimal("1199.9"), short=short)
    assert break_even_stop(entry, early, standing, RULE) == 0


def test_break_even_asks_for_nothing_where_it_is_off_nearer_never_reached_or_not_judged() -> None:
    entry, due = entered(), held(61_200)
    assert break_even_stop(entered(NO_RULES), due, LONG_STOP, RULE) == 0
    assert break_even_stop(entry, due, Decimal(60_066), RULE) == 0
    assert break_even_stop(entry, held(61_200, liquidation=60_100), LONG_STOP, RULE) == 0
    assert break_even_stop(entry, held(0), LONG_STOP, RULE) == 0
    assert break_even_stop(entry, held(61_200, short=True), LONG_STOP, RULE) == 0
    assert break_even_stop(entry, Position("BTCUSDT"), LONG_STOP, RULE) == 0
    assert break_even_stop(replace(entry, stop_loss=ZERO), due, LONG_STOP, RULE) == 0


def test_break_even_never_puts_the_stop_just_behind_the_price() -> None:
    near = replace(entered(ExitRules(break_even_r=HALF)), stop_loss=Decimal(59_880))
    assert break_even_stop(near, held(60_070), Decimal(59_880), RULE) == 0
    assert break_even_stop(near, held(60_140), Decimal(59_880), RULE) == Decimal(60_066)


def test_the_fee_is_the_entrys_own_where_it_is_known_and_likely() -> None:
    entry, due = entered(), held(61_200)
    assert even_price(replace(entry, fee=Decimal(60)), due, RULE) == Decimal("60120.1")
    for odd in (ZERO, Decimal(-5), Decimal(6_000)):
        assert even_price(replace(entry, fee=odd), due, RULE) == Decimal(60_066)
    assert even_price(replace(entry, avg_price=ZERO), due, RULE) == Decimal(60_066)
    assert Decimal("0.00055") == TAKER_FEE


@hundreds
@given(any_instruments, decimals("10", "200000", 1), st.booleans(), decimals("0.002", "0.05", 3), decimals("0", "1", 3))
def test_a_break_even_is_only_ever_nearer_and_on_the_tick(
    rule: object, price: Decimal, short: bool, stop: Decimal, gain: Decimal
) -> None:
    sign = -1 if short else 1
    entry = replace(entered(short=short), avg_price=price, stop_loss=price * (1 - sign * stop))
    at = replace(held(0, short=short), avg_entry_price=price, mark=price * (1 + sign * gain))
    found = break_even_stop(entry, at, entry.stop_loss, rule)  # type: ignore[arg-type]
    if found:
        assert is_tighter(found, entry.stop_loss, is_long=not short)
        assert (at.mark - found) * sign > 0
        assert found % rule.tick_size == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(("minutes", "opened", "after", "over"), [(5, T, 300_000, True), (5, T, 299_999, False)])
def test_a_time_stop_is_over_to_the_millisecond(minutes: int, opened: int, after: int, over: bool) -> None:
    assert is_out_of_time(ExitRules(time_stop_min=minutes), opened, opened + after) is over


def test_a_time_stop_that_is_off_or_of_an_unknown_beginning_is_never_over() -> None:
    late = T + 10**6 * MINUTE_MS
    assert not is_out_of_time(NO_RULES, T, late)
    assert not is_out_of_time(ExitRules(time_stop_min=5), 0, late)


@pytest.mark.parametrize("short", [False, True])
def test_trailing_waits_for_its_price_and_begins_at_once_where_that_is_behind(short: bool) -> None:
    sign, entry = (-1 if short else 1), entered(short=short)
    assert trailing_of(entry, held(60_000, short=short), RULE) == Trailing(Decimal(1_800), Decimal(60_000 + sign * 900))
    begun = held(60_000 + sign * 900, short=short)
    assert trailing_of(entry, begun, RULE) == Trailing(Decimal(1_800), ZERO)
    at_once = entered(ExitRules(trail_r=ONE), short=short)
    assert trailing_of(at_once, held(60_000 - sign * 500, short=short), RULE) == Trailing(Decimal(1_200), ZERO)
    assert trailing_of(entered(NO_RULES, short=short), begun, RULE) is None
    assert trailing_of(entry, held(60_000, short=not short), RULE) is None
    assert one_r(entry, begun) == 1_200


@pytest.mark.parametrize("short", [False, True])
def test_what_trailing_reached_is_behind_the_best_price_once_it_had_begun(short: bool) -> None:
    sign, entry = (-1 if short else 1), entered(short=short)
    now = held(60_000, short=short)
    assert trailed_to(entry, now, Decimal(60_000 + sign * 899), RULE) == 0
    assert trailed_to(entry, now, Decimal(60_000 + sign * 3_000), RULE) == 60_000 + sign * 1_200
    assert trailed_to(entry, now, ZERO, RULE) == 0
    assert trailed_to(entered(NO_RULES, short=short), now, Decimal(60_000 + sign * 3_000), RULE) == 0
