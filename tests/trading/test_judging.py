"""What a look judges: which stop stands, which is put back, and when only a close is left."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.position import Position
from lib.trading.guardian.rules import Act, GuardedPosition, ending, forced, judge, leverage_changed, wanted_target
from tests.factories import SYMBOL, T, fill

LONG: dict[str, Any] = {"qty": "0.1", "mark": 60_000, "stop_loss": 58_800, "liquidation": 54_000}
SHORT: dict[str, Any] = {"qty": "-0.1", "mark": 60_000, "stop_loss": 61_200, "liquidation": 66_000}


def position(**changes: Any) -> Position:
    values: dict[str, Any] = {"avg_entry_price": 60_000, "leverage": 10, "take_profit": 0, **LONG, **changes}
    numbers: dict[str, Any] = {name: Decimal(str(value)) for name, value in values.items()}
    return Position(SYMBOL, **numbers)


def guarded(of: Position | None = None, **changes: Any) -> GuardedPosition:
    held = of or position()
    stop = Decimal(58_800 if held.qty > 0 else 61_200)
    values: dict[str, Any] = {
        "direction": held.direction,
        "own": held.qty,
        "qty": held.qty,
        "average": held.avg_entry_price,
        "stop_loss": stop,
        "take_profit": Decimal(63_000),
        "entry_price": Decimal(60_000),
        "leverage": 10,
        "t_ms": T,
    }
    return GuardedPosition(**(values | changes))


CASES: list[tuple[str, dict[str, Any], Act]] = [
    ("our stop stands", LONG, "keep"),
    ("our stop stands on a short", SHORT, "keep"),
    ("the liquidation price is not told", LONG | {"liquidation": 0}, "keep"),
    ("the stop is missing", LONG | {"stop_loss": 0}, "restore"),
    ("the stop is missing on a short", SHORT | {"stop_loss": 0}, "restore"),
    ("missing, the price beyond it", LONG | {"stop_loss": 0, "mark": 58_800}, "close"),
    ("missing, the price beyond it on a short", SHORT | {"stop_loss": 0, "mark": 61_200}, "close"),
    ("missing, the mark price not told", LONG | {"stop_loss": 0, "mark": 0}, "restore"),
    ("missing, liquidation before it", LONG | {"stop_loss": 0, "liquidation": 58_900}, "close"),
    ("missing, liquidation before it on a short", SHORT | {"stop_loss": 0, "liquidation": 61_100}, "close"),
    ("moved closer", LONG | {"stop_loss": 59_400}, "keep"),
    ("moved into profit", LONG | {"stop_loss": 61_000, "mark": 62_000}, "keep"),
    ("moved farther inside the band", LONG | {"stop_loss": 57_100}, "keep"),
    ("moved farther than the widest stop", LONG | {"stop_loss": 56_800}, "restore"),
    ("moved farther than the widest stop on a short", SHORT | {"stop_loss": 63_200}, "restore"),
    ("moved too far, the price beyond ours", LONG | {"stop_loss": 56_800, "mark": 58_700}, "close"),
    ("moved beyond liquidation", LONG | {"stop_loss": 53_900}, "restore"),
    ("moved beyond liquidation on a short", SHORT | {"stop_loss": 66_100}, "restore"),
    ("liquidation came before our stop", LONG | {"liquidation": 58_800}, "close"),
    ("liquidation came before our stop on a short", SHORT | {"liquidation": 61_000}, "close"),
    ("the price is beyond a stop that stands", LONG | {"mark": 58_700}, "wait"),
    ("the price is beyond a stop that stands on a short", SHORT | {"mark": 61_300}, "wait"),
    ("on the wrong side of the price", LONG | {"stop_loss": 60_100}, "wait"),
]


@pytest.mark.parametrize(("what", "seen", "act"), CASES, ids=[case[0] for case in CASES])
def test_each_state_of_a_stop_has_one_answer(what: str, seen: dict[str, Any], act: Act) -> None:
    held = position(**seen)
    assert judge(held, guarded(held)).act == act


@pytest.mark.parametrize("stop", [0, 53_000])
def test_a_stop_nobody_knows_cannot_be_put_back(stop: int) -> None:
    held = position(stop_loss=stop)
    assert judge(held, guarded(stop_loss=Decimal(0))).act == "close"


def test_our_own_stop_stays_however_far_the_entry_slipped_from_it() -> None:
    # 5 % under a reference price that the entry missed by its whole collar, and a tick of rounding
    held = position(stop_loss=57_000, avg_entry_price="60180")
    assert judge(held, guarded(stop_loss=Decimal(57_000), entry_price=Decimal(60_180))).act == "keep"
    assert judge(held, guarded(stop_loss=Decimal(58_000), entry_price=Decimal(60_180))).act == "keep"


def test_an_average_that_another_hand_moved_does_not_widen_the_band() -> None:
    held = position(stop_loss=56_000, avg_entry_price=58_000)
    assert judge(held, guarded()).act == "restore"
    assert judge(held, guarded(entry_price=Decimal(0))).act == "keep", "unless nothing better is known"


@given(
    stop=st.integers(1, 120_000),
    mark=st.integers(1, 120_000),
    liquidation=st.integers(1, 120_000),
    wanted=st.integers(0, 120_000),
    is_long=st.booleans(),
)
def test_what_is_kept_protects_and_what_is_put_back_can_stand(
    stop: int, mark: int, liquidation: int, wanted: int, is_long: bool
) -> None:
    held = position(stop_loss=stop, mark=mark, liquidation=liquidation, qty="1" if is_long else "-1")
    act = judge(held, guarded(held, stop_loss=Decimal(wanted))).act
    sign = 1 if is_long else -1
    if act == "keep":
        assert sign * liquidation < sign * stop < sign * mark
        assert stop == wanted or abs(stop - 60_000) <= 3_180 or sign * stop > sign * 60_000
    if act == "restore":
        assert sign * liquidation < sign * wanted < sign * mark


def test_the_target_that_stands_is_sent_along_and_a_lost_one_comes_back() -> None:
    assert wanted_target(position(take_profit=62_000), guarded()) == 62_000
    assert wanted_target(position(), guarded()) == 63_000
    assert wanted_target(position(mark=0), guarded()) == 63_000
    assert wanted_target(position(mark=63_000), guarded()) == 0, "reached while it was lost: it would be refused"
    short = position(**SHORT)
    assert wanted_target(short, guarded(short, take_profit=Decimal(57_000))) == 57_000
    assert wanted_target(position(**SHORT | {"mark": 57_000}), guarded(short, take_profit=Decimal(57_000))) == 0


def test_leverage_is_held_against_the_entrys() -> None:
    assert not leverage_changed(position(), guarded())
    assert leverage_changed(position(leverage=20), guarded())
    assert not leverage_changed(position(leverage=20), guarded(leverage=0)), "nothing to hold it against"


def test_another_hands_part_is_seen_on_either_side() -> None:
    assert not guarded().is_shared
    assert guarded(qty=Decimal("0.2")).is_shared
    assert guarded(position(**SHORT), qty=Decimal("-0.2")).is_shared


OURS = "mmt3st-"
CLOSED: dict[str, Any] = {"side": "sell", "closed_qty": Decimal("0.1")}


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"is_stop": True, "order_link_id": ""}, "stop"),
        ({"kind": "liquidation", "is_stop": True, "order_link_id": ""}, "liquidation"),
        ({"kind": "adl", "order_link_id": ""}, "adl"),
        ({"order_link_id": "mmt3st-a-b-c-g0"}, "order"),
        ({"order_link_id": ""}, "hand"),
        ({"order_link_id": "mmother-a-b-c-g0"}, "hand"),
    ],
)
def test_each_ending_is_told_apart(changes: dict[str, Any], how: str) -> None:
    opened, closed = fill(closed_qty=Decimal(0)), fill(**CLOSED | changes)
    funding = fill(kind="funding", qty=Decimal(0), closed_qty=Decimal(0))
    assert ending([opened, closed, funding], OURS) == how
    assert forced([opened, closed]) == ([closed] if how in ("liquidation", "adl") else [])


def test_a_position_that_nothing_closed_has_no_ending() -> None:
    assert ending([fill(closed_qty=Decimal(0))], OURS) is None
