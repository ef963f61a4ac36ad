"""What an account does about a decision: gates stop entries and never exits, and each says its name."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.decision import Abstained, Action, Decision
from lib.domain.instrument import Instrument
from lib.domain.order import OrderDraft
from lib.domain.position import Side
from lib.domain.reason import NOTHING, Reason
from lib.domain.reason import text as words
from lib.domain.risk import AccountPlan, Clamp, Facts, Gate, decide, entry_refusal, exit_draft
from tests.domain.strategies import any_facts, any_instruments, any_settings, any_views, decimals, entering
from tests.effort import examples
from tests.factories import REF, T, decision, facts, instrument, limits, position, settings
from tests.reasons import english

thousands = examples(1_000)
prices = decimals("1", "200000", 1)
LONG, SHORT = Decimal("0.5"), Decimal("-0.5")


def plan_of(view: Decision | Abstained, known: Facts, chosen: AccountSettings | None = None) -> AccountPlan:
    return decide(view, known, chosen or settings(), instrument(), REF, T)


def side_of(action: str) -> Side:
    return "buy" if action == "buy" else "sell"


# --- Every input ---------------------------------------------------------------------------------------------------


@thousands
@given(any_views, any_facts(), any_settings, any_instruments, prices)
def test_a_plan_is_nothing_an_entry_an_exit_or_an_exit_and_then_an_entry(
    view: Decision | Abstained, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    plan = decide(view, known, chosen, rule, ref, T)
    legs = "".join(draft.leg for draft in plan.orders)
    event(f"{plan.outcome} {legs}")
    assert legs in {"held": {""}, "kept": {""}, "refused": {""}, "skipped": {""}, "closed": {"x"}}.get(
        plan.outcome, {"e", "xe"}
    )
    if isinstance(view, Abstained) or view.action == "hold":
        assert plan.outcome == "held"
    if plan.outcome in ("bought", "sold"):
        assert isinstance(view, Decision)
        assert view.action == ("buy" if plan.outcome == "bought" else "sell")
    for draft in plan.orders:
        assert draft.reduce_only is (draft.leg == "x")
        assert draft.seq == 0
        assert draft.ref_price == ref
        assert_exit(draft, known, rule) if draft.reduce_only else assert_entry(draft, plan, known, chosen)


def assert_exit(draft: OrderDraft, known: Facts, rule: Instrument) -> None:
    """All of what is held, which is exactly what is ours, or the venue's most, the other way, by market."""
    assert known.position.qty == known.own_qty
    assert draft.side == ("sell" if known.own_qty > 0 else "buy")
    assert draft.qty == min(abs(known.own_qty), rule.max_market_qty)
    assert draft.limit_price == draft.stop_loss == draft.take_profit == 0


def assert_entry(draft: OrderDraft, plan: AccountPlan, known: Facts, chosen: AccountSettings) -> None:
    """Never without a stop on the loss side, never sold long-only, sized now if and only if nothing is held."""
    assert draft.side == ("buy" if plan.outcome == "bought" else "sell")
    assert not (chosen.long_only and draft.side == "sell")
    sign = 1 if draft.side == "buy" else -1
    assert draft.stop_loss > 0
    assert draft.take_profit > 0
    assert (draft.limit_price - draft.stop_loss) * sign > 0
    assert (draft.ref_price - draft.stop_loss) * sign > 0
    assert (draft.take_profit - draft.limit_price) * sign > 0
    assert 1 <= draft.leverage <= max(1, chosen.profile.leverage_cap)
    assert (draft.qty is None) is (not known.position.is_flat)
    assert draft.qty is None or draft.qty > 0


@thousands
@given(decimals("0.001", "5", 3).flatmap(lambda qty: any_facts(st.just(qty))), entering, any_settings, any_instruments)
def test_gates_never_stop_an_exit(known: Facts, view: Decision, chosen: AccountSettings, rule: Instrument) -> None:
    mine, most = replace(known, own_qty=known.position.qty), min(abs(known.position.qty), rule.max_market_qty)
    sold = exit_draft(known.position, REF, qty=most)
    assert decide(replace(view, action="sell"), mine, chosen, rule, REF, T).orders[0] == sold
    short = replace(known.position, qty=-known.position.qty)
    mirrored, bought = replace(known, position=short, own_qty=short.qty), exit_draft(short, REF, qty=most)
    assert decide(replace(view, action="buy"), mirrored, chosen, rule, REF, T).orders[0] == bought


def test_what_is_larger_than_any_market_order_is_closed_by_parts_and_not_turned() -> None:
    rule = replace(instrument(), max_market_qty=LONG / 3)
    plan = decide(decision("sell"), facts(qty=LONG), settings(), rule, REF, T)
    assert plan.outcome == "closed"
    assert [(draft.leg, draft.qty) for draft in plan.orders] == [("x", LONG / 3)]


@thousands
@given(any_views, any_facts(), any_settings, any_instruments, prices)
def test_a_shut_gate_means_no_entry(
    view: Decision | Abstained, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    caps = chosen.limits
    day, peak = known.day_start_equity, known.peak_equity
    shut = [
        known.locks,
        known.unresolved,
        known.foreign_orders,
        known.own_qty != known.position.qty,
        not rule.trading,
        known.equity <= 0,
        day and known.equity <= day * (1 - caps.daily_loss),
        peak and known.equity <= peak * (1 - caps.drawdown),
        known.loss_streak >= caps.loss_streak,
        known.entries_today >= caps.entries_per_day,
        known.last_stop_ms + caps.cooldown_ms > T,
        known.analyst_failures >= caps.analyst_failures,
        known.tokens_today >= caps.analyst_tokens,
        known.platform,
        isinstance(view, Decision) and not Decimal("0.002") <= view.stop_loss <= Decimal("0.05"),
        isinstance(view, Decision) and view.take_profit <= Decimal("0.003"),
    ]
    if any(shut):
        assert all(draft.reduce_only for draft in decide(view, known, chosen, rule, ref, T).orders)


@given(any_views, any_facts(), any_settings, any_instruments, prices)
def test_the_same_inputs_make_the_same_plan(
    view: Decision | Abstained, known: Facts, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    assert decide(view, known, chosen, rule, ref, T) == decide(view, known, chosen, rule, ref, T)


# --- The action is a target ----------------------------------------------------------------------------------------


def test_an_abstention_holds_and_says_why() -> None:
    for known in (facts(), facts(qty=LONG)):
        assert plan_of(Abstained(codes.ANSWER_EMPTY()), known) == AccountPlan(
            "held", codes.ANALYST_ABSTAINED(why=codes.ANSWER_EMPTY())
        )


def test_hold_does_nothing_whatever_is_held_and_however_sure() -> None:
    for qty in (Decimal(0), LONG, SHORT):
        assert plan_of(decision("hold", confidence=1, reason="no view"), facts(qty=qty)) == AccountPlan(
            "held", words("no view")
        )


@pytest.mark.parametrize(("action", "outcome"), [("buy", "bought"), ("sell", "sold")])
def test_from_flat_the_action_opens(action: Action, outcome: str) -> None:
    plan = plan_of(decision(action), facts())
    assert (plan.outcome, plan.reason, [d.leg for d in plan.orders]) == (outcome, words("the trend holds"), ["e"])
    assert plan.orders[0].side == action
    assert plan.orders[0].qty == Decimal("0.072")


@pytest.mark.parametrize(("action", "qty", "direction"), [("buy", LONG, "long"), ("sell", SHORT, "short")])
def test_the_same_direction_is_kept_and_nothing_moves(action: Action, qty: Decimal, direction: str) -> None:
    for known in (facts(qty=qty), facts(qty=qty, locks=("daily_loss",)), facts(qty=qty, own_qty=Decimal(0))):
        plan = plan_of(decision(action), known)
        assert plan == AccountPlan("kept", codes.ALREADY_THERE(way=direction))


@pytest.mark.parametrize(("action", "qty", "outcome"), [("sell", LONG, "sold"), ("buy", SHORT, "bought")])
def test_the_other_direction_flips_closing_first_and_sizing_the_entry_later(
    action: Action, qty: Decimal, outcome: str
) -> None:
    known = facts(qty=qty, position=position(qty, leverage=Decimal(7)))
    plan = plan_of(decision(action), known)
    close, entry = plan.orders
    assert plan.outcome == outcome
    assert close == OrderDraft("x", side_of(action), Decimal("0.5"), Decimal(0), REF, Decimal(0), Decimal(0), 7, True)
    assert (entry.leg, entry.side, entry.qty, entry.reduce_only) == ("e", action, None, False)
    alone = plan_of(decision(action), facts()).orders[0]
    assert replace(alone, qty=None) == entry


def test_a_flip_is_previewed_with_the_whole_equity_since_the_close_frees_the_margin() -> None:
    assert len(plan_of(decision("sell"), facts(qty=LONG, available=Decimal(0))).orders) == 2


def test_a_flip_whose_entry_would_be_too_small_only_closes() -> None:
    plan = plan_of(decision("sell"), facts(50, qty=LONG))
    assert plan.outcome == "closed"
    assert [d.leg for d in plan.orders] == ["x"]
    assert english(plan.reason).startswith("closed without turning: below the venue's minimum of 0.001")


def test_a_long_only_account_closes_instead_of_turning_short() -> None:
    plan = plan_of(decision("sell"), facts(qty=LONG), settings(long_only=True))
    assert plan.outcome == "closed"
    assert plan.reason == codes.CLOSED_NOT_TURNED(why=codes.LONG_ONLY())
    assert plan.clamps == (Clamp("long_only", "sell", "close"),)
    assert [d.leg for d in plan.orders] == ["x"]


def test_a_long_only_account_buys_and_also_covers_a_short() -> None:
    chosen = settings(long_only=True)
    assert plan_of(decision(), facts(), chosen).outcome == "bought"
    assert [d.leg for d in plan_of(decision(), facts(qty=SHORT), chosen).orders] == ["x", "e"]


@pytest.mark.parametrize("own", ["0", "0.4", "-0.5", "0.501"])
def test_a_position_with_another_hand_in_it_is_left_alone(own: str) -> None:
    plan = plan_of(decision("sell"), facts(qty=LONG, own_qty=Decimal(own)))
    assert plan == AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())


@pytest.mark.parametrize("level", RiskLevel)
def test_confidence_under_the_levels_least_neither_enters_nor_closes(level: RiskLevel) -> None:
    least = settings(level).profile.min_confidence
    unsure = decision("sell", confidence=least - Decimal("0.0001"), leverage=1)
    for known in (facts(), facts(qty=LONG)):
        plan = plan_of(unsure, known, settings(level))
        assert plan == AccountPlan("refused", codes.CONFIDENCE_LOW(confidence=unsure.confidence, least=least))
        assert plan_of(replace(unsure, confidence=least), known, settings(level)).orders


def test_an_entry_too_small_for_the_venue_is_skipped_with_its_clamps() -> None:
    plan = plan_of(decision(leverage=50), facts(50))
    assert plan.outcome == "skipped"
    assert plan.reason == codes.BELOW_MINIMUM(least=Decimal("0.001"), needed=138)
    assert plan.clamps == (Clamp("leverage: max_leverage", "50", "10"),)


def test_the_clamps_of_an_entry_are_in_its_plan() -> None:
    clamp = Clamp("leverage: max_leverage", "50", "10")
    for known in (facts(), facts(qty=SHORT)):
        assert plan_of(decision(leverage=50), known).clamps == (clamp,)


# --- The gates, each by name and at its edge -----------------------------------------------------------------------

FACT_GATES: list[tuple[Reason, dict[str, Any], dict[str, Any]]] = [
    (codes.ENTRIES_LOCKED(locks="daily_loss, EXTERNAL"), {"locks": ("daily_loss", "EXTERNAL")}, {"locks": ()}),
    (codes.EARLIER_ORDER_UNRESOLVED(), {"unresolved": 1}, {"unresolved": 0}),
    (codes.EXTERNAL_ORDER(), {"foreign_orders": 1}, {"foreign_orders": 0}),
    (codes.NO_EQUITY(), {"equity": Decimal(0)}, {"equity": Decimal("9999")}),
    (
        codes.DAILY_LOSS(lost=Decimal("0.05"), limit=Decimal("0.05")),
        {"equity": Decimal("9500"), "day_start_equity": Decimal(10_000)},
        {"equity": Decimal("9500.01"), "day_start_equity": Decimal(10_000)},
    ),
    (
        codes.DRAWDOWN(fell=Decimal("0.2"), limit=Decimal("0.2")),
        {"equity": Decimal("8000"), "day_start_equity": Decimal(8000), "peak_equity": Decimal(10_000)},
        {"equity": Decimal("8000.01"), "day_start_equity": Decimal(8000), "peak_equity": Decimal(10_000)},
    ),
    (codes.LOSS_STREAK(losses=5, limit=5), {"loss_streak": 5}, {"loss_streak": 4}),
    (codes.ENTRIES_OF_DAY(entries=12, limit=12), {"entries_today": 12}, {"entries_today": 11}),
    (codes.COOLDOWN(minutes=15), {"last_stop_ms": T - 899_999}, {"last_stop_ms": T - 900_000}),
    (codes.COOLDOWN(minutes=15), {"last_stop_ms": T + 10_000}, {"last_stop_ms": 0}),
    (
        codes.ANALYST_FAILURES(cycles=6),
        {"analyst_failures": 6},
        {"analyst_failures": 5},
    ),
    (
        codes.ANALYST_TOKENS(tokens=2_000_000, limit=2_000_000),
        {"tokens_today": 2_000_000},
        {"tokens_today": 1_999_999},
    ),
    (
        words("the whole platform rests"),
        {"platform": (Gate("entries", words("the whole platform rests"), 0),)},
        {"platform": ()},
    ),
]
GATE_NAMES = [f"{why.code}-{number}" for number, (why, _, _) in enumerate(FACT_GATES)]


@pytest.mark.parametrize(("why", "shut", "open_"), FACT_GATES, ids=GATE_NAMES)
def test_a_gate_refuses_from_flat_by_name_and_lets_pass_just_before_it(
    why: Reason, shut: dict[str, Any], open_: dict[str, Any]
) -> None:
    assert plan_of(decision(), facts(**shut)) == AccountPlan("refused", why)
    assert plan_of(decision(), facts(**open_)).outcome == "bought"


@pytest.mark.parametrize(("why", "shut", "open_"), FACT_GATES, ids=GATE_NAMES)
def test_a_gate_lets_the_opposite_position_close_but_not_turn(
    why: Reason, shut: dict[str, Any], open_: dict[str, Any]
) -> None:
    plan = plan_of(decision("sell"), facts(qty=LONG, **shut))
    assert plan.outcome == "closed"
    assert plan.reason == codes.CLOSED_NOT_TURNED(why=why)
    assert [d.leg for d in plan.orders] == ["x"]
    assert len(plan_of(decision("sell"), facts(qty=LONG, **open_)).orders) == 2


DECISION_GATES: list[tuple[Reason, dict[str, Any], dict[str, Any]]] = [
    (
        codes.STOP_OUTSIDE(stop=Decimal("0.0019"), least=Decimal("0.002"), most=Decimal("0.05")),
        {"stop_loss": "0.0019"},
        {"stop_loss": "0.002", "take_profit": "0.02"},
    ),
    (
        codes.STOP_OUTSIDE(stop=Decimal("0.0501"), least=Decimal("0.002"), most=Decimal("0.05")),
        {"stop_loss": "0.0501"},
        {"stop_loss": "0.05"},
    ),
    (
        codes.STOP_OUTSIDE(stop=Decimal("0"), least=Decimal("0.002"), most=Decimal("0.05")),
        {"stop_loss": "0"},
        {"stop_loss": "0.02"},
    ),
    (codes.TARGET_TOO_NEAR(target=Decimal("0.003")), {"take_profit": "0.003"}, {"take_profit": "0.0031"}),
    (codes.TARGET_TOO_NEAR(target=Decimal("0")), {"take_profit": "0"}, {"take_profit": "0.2"}),
    (
        codes.TARGET_TOO_FAR(target=1, most=Decimal("0.1"), ever=Decimal("0.2")),
        {"stop_loss": "0.01", "take_profit": "1"},
        {"stop_loss": "0.01", "take_profit": "0.1"},
    ),
    (
        codes.TARGET_TOO_FAR(target=Decimal("0.21"), most=Decimal("0.2"), ever=Decimal("0.2")),
        {"stop_loss": "0.05", "take_profit": "0.21"},
        {"stop_loss": "0.05", "take_profit": "0.2"},
    ),
]


@pytest.mark.parametrize(("why", "shut", "open_"), DECISION_GATES, ids=range(len(DECISION_GATES)))
def test_a_stop_or_target_out_of_its_band_is_no_entry(why: Reason, shut: dict[str, Any], open_: dict[str, Any]) -> None:
    assert plan_of(decision(**shut), facts()) == AccountPlan("refused", why)
    assert plan_of(decision(**open_), facts()).outcome == "bought"
    closing = plan_of(decision("sell", **shut), facts(qty=LONG))
    assert (closing.outcome, len(closing.orders)) == ("closed", 1)


def test_a_long_only_account_refuses_to_open_short() -> None:
    assert plan_of(decision("sell"), facts(), settings(long_only=True)) == AccountPlan(
        "refused", codes.LONG_ONLY(), clamps=(Clamp("long_only", "sell", "hold"),)
    )


def test_an_instrument_that_is_not_trading_is_not_entered() -> None:
    plan = decide(decision(), facts(), settings(), instrument(trading=False), REF, T)
    assert plan == AccountPlan("refused", codes.SYMBOL_NOT_TRADING(symbol="BTCUSDT"))


def test_books_that_hold_what_the_exchange_does_not_are_not_entered_upon() -> None:
    plan = plan_of(decision(), facts(own_qty=Decimal("0.1")))
    assert plan == AccountPlan("refused", codes.EXTERNAL_POSITION())


def test_limits_are_the_accounts_own() -> None:
    strict = settings(limits=limits(entries_per_day=1, loss_streak=1, analyst_failures=1, cooldown_ms=1_000))
    changes: list[dict[str, Any]] = [{"entries_today": 1}, {"loss_streak": 1}, {"analyst_failures": 1}]
    for change in changes:
        assert plan_of(decision(), facts(**change)).outcome == "bought"
        assert plan_of(decision(), facts(**change), strict).outcome == "refused"
    assert plan_of(decision(), facts(last_stop_ms=T - 999), strict).outcome == "refused"
    assert plan_of(decision(), facts(last_stop_ms=T - 1_000), strict).outcome == "bought"


def test_equity_never_seen_before_shuts_no_loss_gate() -> None:
    known = facts(day_start_equity=Decimal(0), peak_equity=Decimal(0))
    assert entry_refusal(decision(), "buy", known, settings(), instrument(), T) == NOTHING


@given(st.text(max_size=200))
def test_no_prompt_and_no_reason_opens_a_gate(text: str) -> None:
    chosen = settings(custom_prompt=text)
    assert plan_of(decision(reason=text), facts(locks=("daily_loss",)), chosen).outcome == "refused"
    assert plan_of(decision(reason=text), facts(), chosen).orders == plan_of(decision(), facts()).orders


# --- close ---------------------------------------------------------------------------------------------------------


shares = decimals("0.0001", "1", 4)


def closing(share: Decimal | str = "1") -> Decision:
    return decision("close", close_fraction=Decimal(share))


@thousands
@given(decimals("0.001", "5", 3).flatmap(lambda qty: any_facts(st.just(qty))), shares, any_settings, any_instruments)
def test_a_close_asks_no_gate_and_never_opens(
    known: Facts, share: Decimal, chosen: AccountSettings, rule: Instrument
) -> None:
    for qty in (known.position.qty, -known.position.qty):
        mine = replace(known, position=replace(known.position, qty=qty), own_qty=qty)
        plan = decide(replace(closing(share), confidence=Decimal(1)), mine, chosen, rule, REF, T)
        assert plan.outcome in ("closed", "skipped")
        for draft in plan.orders:
            assert draft.reduce_only
            assert draft.side == ("sell" if qty > 0 else "buy")
            assert draft.qty is not None
            left = abs(qty) - draft.qty
            assert left == 0 or left >= rule.min_qty or draft.qty == rule.max_market_qty
            assert draft.qty == abs(qty) or draft.qty >= min(rule.min_qty, rule.max_market_qty)
        assert (plan.outcome == "skipped") is (not plan.orders)


@pytest.mark.parametrize("qty", [LONG, SHORT])
def test_a_close_of_all_is_the_exit_of_a_flip_without_its_entry(qty: Decimal) -> None:
    known = facts(qty=qty, locks=("daily_loss",), unresolved=True, entries_today=10**6)
    turned = plan_of(decision("sell" if qty > 0 else "buy"), known)
    assert plan_of(closing(), known) == AccountPlan("closed", words("the trend holds"), turned.orders[:1])


def test_from_flat_a_close_is_nothing() -> None:
    assert plan_of(closing(), facts()) == AccountPlan("held", codes.FLAT_ALREADY())


def test_what_an_external_order_changed_is_not_closed() -> None:
    plan = plan_of(closing(), facts(qty=LONG, own_qty=LONG / 2))
    assert plan == AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())


def test_a_close_needs_the_confidence_of_a_trade() -> None:
    assert plan_of(replace(closing(), confidence=Decimal("0.64")), facts(qty=LONG)).outcome == "refused"


@pytest.mark.parametrize(
    ("share", "closed", "outcome"),
    [
        ("0.5", "0.25", "closed"),
        ("0.3333", "0.166", "closed"),
        ("0.99", "0.5", "closed"),  # 0.005 would be left
        ("0.98", "0.49", "closed"),
        ("0.0199", "", "skipped"),
        ("0.02", "0.01", "closed"),
    ],
)
def test_a_part_is_floored_to_the_step_and_leaves_what_can_be_closed(share: str, closed: str, outcome: str) -> None:
    rule = replace(instrument(), min_qty=Decimal("0.01"))
    plan = decide(closing(share), facts(qty=LONG), settings(), rule, REF, T)
    assert (plan.outcome, [draft.qty for draft in plan.orders]) == (outcome, [Decimal(closed)] if closed else [])
    said = {"0.5": codes.CLOSED_WITH_REST, "": codes.PART_BELOW_MINIMUM}.get(closed, codes.CLOSED_PART)
    assert plan.reason.code == said.name


def test_a_close_of_more_than_the_largest_market_order_says_so() -> None:
    rule = replace(instrument(), max_market_qty=LONG / 2)
    plan = decide(closing(), facts(qty=LONG), settings(), rule, REF, T)
    assert [draft.qty for draft in plan.orders] == [LONG / 2]
    assert plan.reason == codes.CLOSED_AS_FAR_AS(limit=codes.MARKET_ORDER_TOO_LARGE(), why=words("the trend holds"))


# --- Nearer ------------------------------------------------------------------------------------------------------


def tighten(distance: str = "0.01") -> Decision:
    return replace(decision("tighten"), stop_loss=Decimal(distance))


def with_stop(qty: Decimal, **more: Decimal) -> Facts:
    known = facts(qty=qty)
    stop = REF * (Decimal("0.98") if qty > 0 else Decimal("1.02"))
    return replace(known, position=replace(known.position, stop_loss=stop, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("qty", "stop"), [(LONG, REF * Decimal("0.99")), (SHORT, REF * Decimal("1.01"))])
def test_a_tighten_moves_the_stop_toward_the_price_past_every_gate_of_entries(qty: Decimal, stop: Decimal) -> None:
    plan = plan_of(tighten(), replace(with_stop(qty), locks=("daily_loss",), entries_today=10**6))
    assert (plan.outcome, plan.orders, plan.stop) == ("held", (), stop)
    assert plan.reason.code == codes.STOP_TIGHTENED.name


@pytest.mark.parametrize("qty", [LONG, SHORT])
def test_a_tighten_never_moves_it_away(qty: Decimal) -> None:
    for distance in ("0.02", "0.05"):
        assert plan_of(tighten(distance), with_stop(qty)) == AccountPlan("held", codes.STOP_LEFT_WHERE_IT_IS())


def test_a_tighten_past_the_mark_is_the_exit_at_once() -> None:
    plan = plan_of(tighten(), with_stop(LONG, mark=REF * Decimal("0.985")))
    assert (plan.outcome, plan.stop, [draft.qty for draft in plan.orders]) == ("closed", Decimal(0), [LONG])
    assert plan.orders[0].reduce_only


def test_a_tighten_of_nothing_of_an_external_position_and_beside_an_open_row_moves_no_stop() -> None:
    assert plan_of(tighten(), facts()) == AccountPlan("held", codes.FLAT_ALREADY())
    shared = replace(with_stop(LONG), own_qty=LONG / 2)
    assert plan_of(tighten(), shared) == AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())
    unsure = replace(with_stop(LONG), unresolved=1)
    assert plan_of(tighten(), unsure) == AccountPlan("refused", codes.EARLIER_ORDER_UNRESOLVED())
