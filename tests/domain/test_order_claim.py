"""The claim: every off-switch stops an entry, none stops an exit, and a row once sent is never expired or blocked."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.order import Claim, ClaimFacts, Order, OrderState, claim_entry, claim_exit, may_move
from lib.domain.reason import NOTHING, Reason
from tests.effort import examples
from tests.factories import T, claim_facts, order

S = OrderState
NOW = T + 4_000
GRANTED = Claim(True, S.SUBMITTING, codes.CLAIMED())

BLOCKS: list[tuple[dict[str, Any], Reason]] = [
    ({"trading_enabled": False}, codes.TRADING_SWITCHED_OFF()),
    ({"flatten": True}, codes.TRADING_SWITCHED_OFF()),
    ({"auto_trade": False}, codes.AUTO_TRADING_OFF()),
    ({"deleted": True}, codes.ACCOUNT_DELETED()),
    ({"feed_fits": False}, codes.FEED_DOES_NOT_FIT()),
    ({"key_version": 2}, codes.KEY_CHANGED()),
    ({"key_version": 0}, codes.KEY_CHANGED()),
    ({"settings_version": 2}, codes.SETTINGS_CHANGED()),
    ({"locks": ("daily_loss",)}, codes.ENTRIES_LOCKED(locks="daily_loss")),
    ({"locks": ("cooldown", "EXTERNAL")}, codes.ENTRIES_LOCKED(locks="cooldown, EXTERNAL")),
    ({"real_money": codes.REAL_NO_CONSENT()}, codes.REAL_NO_CONSENT()),
]


def test_an_entry_with_nothing_against_it_is_granted() -> None:
    assert claim_entry(order(), claim_facts(), NOW) == GRANTED
    assert claim_entry(order(attempts=2), claim_facts(), NOW) == GRANTED


@pytest.mark.parametrize("attempts", [0, 1, 2, 3])
@pytest.mark.parametrize(("change", "why"), BLOCKS)
def test_every_off_switch_stops_an_entry(change: dict[str, Any], why: Reason, attempts: int) -> None:
    state = S.UNKNOWN if attempts else S.BLOCKED
    assert claim_entry(order(attempts=attempts), claim_facts(**change), NOW) == Claim(False, state, why)


@pytest.mark.parametrize("attempts", [0, 1])
def test_an_entry_is_claimed_until_ninety_seconds_and_not_a_millisecond_later(attempts: int) -> None:
    row, edge = order(attempts=attempts), T + 90_000
    assert claim_entry(row, claim_facts(edge), edge) == GRANTED
    state = S.UNKNOWN if attempts else S.EXPIRED
    assert claim_entry(row, claim_facts(edge + 1), edge + 1) == Claim(False, state, codes.DECISION_TOO_OLD())


def test_without_the_lease_the_row_is_left_for_its_holder() -> None:
    for attempts in (0, 1):
        late = claim_facts(T + 200_000, lease_ours=False, trading_enabled=False)
        assert claim_entry(order(attempts=attempts), late, NOW) == Claim(False, S.PLANNED, codes.LEASE_LOST())


@pytest.mark.parametrize("off", [-1_001, 1_001, 60_000, -60_000])
def test_a_clock_a_second_off_sends_nothing_and_the_row_may_be_signed_again(off: int) -> None:
    refused = Claim(False, S.PLANNED, codes.CLOCKS_DIFFER(), sign_again=True)
    assert claim_entry(order(), claim_facts(), NOW + off) == refused
    assert claim_exit(order("x"), now=NOW, key_version=1, signed_ts=NOW + off) == refused


@pytest.mark.parametrize("off", [-1_000, 0, 1_000])
def test_a_clock_within_a_second_is_good_enough(off: int) -> None:
    assert claim_entry(order(), claim_facts(), NOW + off) == GRANTED
    assert claim_exit(order("x"), now=NOW, key_version=1, signed_ts=NOW + off) == GRANTED


def test_three_sends_are_all_there_are() -> None:
    refused = Claim(False, S.UNKNOWN, codes.REFUSED_THREE_TIMES())
    assert claim_entry(order(attempts=3), claim_facts(), NOW) == refused
    assert claim_exit(order("x", attempts=3), now=NOW, key_version=1, signed_ts=NOW) == refused


@pytest.mark.parametrize("state", [s for s in S if s is not S.PLANNED])
def test_a_row_claimed_once_is_not_claimed_twice(state: OrderState) -> None:
    assert claim_entry(order(state=state), claim_facts(), NOW) == Claim(False, state, codes.ALREADY_CLAIMED())
    exit_ = order("x", state=state)
    assert claim_exit(exit_, now=NOW, key_version=1, signed_ts=NOW) == Claim(False, state, codes.ALREADY_CLAIMED())


facts_of_any_kind = st.builds(
    ClaimFacts,
    now=st.integers(T - 10_000, T + 100_000) | st.integers(T + 89_990, T + 90_010),
    trading_enabled=st.sampled_from([True, True, True, False]),
    flatten=st.sampled_from([False, False, False, True]),
    lease_ours=st.sampled_from([True, True, True, False]),
    auto_trade=st.sampled_from([True, True, True, False]),
    deleted=st.sampled_from([False, False, False, True]),
    feed_fits=st.sampled_from([True, True, True, False]),
    key_version=st.sampled_from([1, 1, 1, 2]),
    settings_version=st.sampled_from([1, 1, 1, 2]),
    locks=st.sampled_from([(), (), (), ("daily_loss",)]),
    real_money=st.sampled_from([NOTHING, NOTHING, NOTHING, codes.REAL_NO_CONSENT()]),
)
rows_of_any_kind = st.builds(
    lambda state, attempts: order(state=state, attempts=attempts),
    st.just(S.PLANNED) | st.sampled_from(S),
    st.integers(0, 4),
)


@examples(2_000)
@given(rows_of_any_kind, facts_of_any_kind, st.integers(-1_500, 1_500))
def test_an_entry_is_granted_exactly_when_everything_holds(row: Order, seen: ClaimFacts, off: int) -> None:
    everything = [
        seen.trading_enabled,
        not seen.flatten,
        seen.lease_ours,
        seen.auto_trade,
        not seen.deleted,
        seen.feed_fits,
        seen.key_version == row.key_version,
        seen.settings_version == row.settings_version,
        not seen.locks,
        not seen.real_money,
        seen.now - row.t_ms <= 90_000,
        abs(off) <= 1_000,
        row.state is S.PLANNED,
        row.attempts < 3,
    ]
    claim = claim_entry(row, seen, seen.now + off)
    assert claim.granted is all(everything)
    assert claim.sign_again is (all(everything[:-3]) and all(everything[-2:]) and abs(off) > 1_000)
    assert (claim.state is S.SUBMITTING) is (claim.granted or row.state is S.SUBMITTING)
    assert claim.why
    assert claim.state is row.state or may_move(row.state, claim.state, row.attempts)


@pytest.mark.parametrize("leg", ["x", "g", "f"])
@pytest.mark.parametrize("late_ms", [0, 90_001, 86_400_000])
def test_neither_age_nor_any_switch_is_asked_of_an_exit(leg: Any, late_ms: int) -> None:
    now = T + late_ms
    assert claim_exit(order(leg), now=now, key_version=1, signed_ts=now) == GRANTED


@pytest.mark.parametrize(("attempts", "state"), [(0, S.BLOCKED), (1, S.UNKNOWN), (3, S.UNKNOWN)])
def test_an_exit_is_not_sent_with_another_key(attempts: int, state: OrderState) -> None:
    row = order("x", attempts=attempts)
    assert claim_exit(row, now=NOW, key_version=2, signed_ts=NOW) == Claim(False, state, codes.KEY_CHANGED())


def test_an_entry_never_slips_through_the_exits_door() -> None:
    with pytest.raises(ValueError, match="reduce-only"):
        claim_exit(order("e"), now=NOW, key_version=1, signed_ts=NOW)
    with pytest.raises(ValueError, match="reduce-only"):
        claim_exit(replace(order("x"), reduce_only=False), now=NOW, key_version=1, signed_ts=NOW)
