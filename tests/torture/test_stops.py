"""P9 at the exchange's door is judged by every acceptance, and the profits that stories ask for are there."""

from decimal import Decimal
from typing import Literal

import pytest

from lib.domain.day import DAY_MS
from tests.torture.exits import profit_after
from tests.torture.stops import TWIN_MS, Accepted, moved_away


def accepted(
    kind: Literal["entry", "stop", "trail"], price: int, *, at: int = 0, standing: int = 0, is_long: bool = True
) -> Accepted:
    return Accepted(kind, 7, at, is_long, Decimal(price), standing=Decimal(standing))


@pytest.mark.parametrize("is_long", [True, False])
def test_a_stop_may_come_nearer_and_never_go_farther(is_long: bool) -> None:
    sign = 1 if is_long else -1
    near, far = 100 + sign, 100 - sign
    entry = accepted("entry", 100, is_long=is_long)
    assert not list(moved_away([entry, accepted("stop", near, is_long=is_long)]))
    assert list(moved_away([entry, accepted("stop", far, is_long=is_long)]))
    moved = [entry, accepted("stop", near, is_long=is_long), accepted("stop", 100, is_long=is_long)]
    assert list(moved_away(moved)) == [f"a stop at 100 was accepted after one at {near}"]
    assert not list(moved_away([*moved[:2], accepted("entry", far, is_long=is_long)])), "another position begins anew"


def test_a_hand_that_takes_a_stop_away_says_nothing_of_ours() -> None:
    taken = [accepted("entry", 100), accepted("stop", 0), accepted("stop", 100)]
    assert not list(moved_away(taken))
    assert list(moved_away([*taken, accepted("stop", 99)]))


def test_trailing_never_begins_anew_farther_away_but_by_a_twin() -> None:
    first = [accepted("entry", 90), accepted("trail", 95, at=1_000)]
    later = 1_000 + TWIN_MS
    assert not list(moved_away([*first, accepted("trail", 94, at=later, standing=96)]))
    assert not list(moved_away([*first, accepted("trail", 96, at=later + 1, standing=96)]))
    assert list(moved_away([*first, accepted("trail", 94, at=later + 1, standing=96)]))


@pytest.mark.parametrize("days", range(0, 200, 40))
def test_a_profit_is_found_whatever_day_it_is(days: int) -> None:
    now = 1_780_000_000_000 + days * DAY_MS
    found = profit_after(now)
    assert now < found.t_ms < found.at_ms
