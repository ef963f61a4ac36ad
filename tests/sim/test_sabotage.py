"""The simulation finds what it is for: each guard taken out is caught within a few seeds."""

import pytest

from tests.sim import sabotage
from tests.sim.sabotage import SABOTAGES, Sabotage
from tests.sim.temper import Temper
from tests.sim.trial import try_seed

WITHIN = 150
DROWSY = Temper(pause=0.04)
"""Nothing but freezing: late deeds show soonest."""
FOCUS: dict[Sabotage, Temper] = {
    sabotage.age_unchecked: DROWSY,
    sabotage.signed_at_send: DROWSY,
    sabotage.switches_unread: DROWSY,
    sabotage.enter_without_redis: Temper(budget=0.3),
    sabotage.fresh_id_each_send: Temper(reply_lost=0.1, pause=0.01),
}
BREAKS: dict[Sabotage, str | tuple[str, ...]] = {
    sabotage.age_unchecked: "P2",
    sabotage.switches_unread: "P3",
    sabotage.absent_at_once: ("P6", "P4"),
    sabotage.timeout_is_failure: "P4",
    sabotage.no_sweep: "P4",
    sabotage.no_guardian: "P5",
    sabotage.signed_at_send: ("P2", "P3", "P6"),
    sabotage.stop_by_second_call: "P5",
    sabotage.fresh_id_each_send: ("P1", "P4"),
    sabotage.only_realtime_asked: "P4",
    sabotage.twice_the_size: "P7",
    sabotage.enter_without_redis: "budget",
}
FOUND_BY: dict[Sabotage, int] = {
    sabotage.age_unchecked: 55,
    sabotage.switches_unread: 38,
    sabotage.absent_at_once: 18,
    sabotage.timeout_is_failure: 31,
    sabotage.no_sweep: 63,
    sabotage.no_guardian: 33,
    sabotage.signed_at_send: 10,
    sabotage.stop_by_second_call: 22,
    sabotage.fresh_id_each_send: 52,
    sabotage.only_realtime_asked: 22,
    sabotage.twice_the_size: 47,
    sabotage.enter_without_redis: 49,
}
"""The world that found it last, tried first: it saves time and proves nothing, another one may find it as well."""


@pytest.mark.parametrize("remove", SABOTAGES, ids=lambda remove: remove.__name__)
def test_a_guard_taken_out_is_found(remove: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    remove(monkeypatch)
    found: tuple[str, ...] = ()
    for seed in (FOUND_BY[remove], *range(WITHIN)):
        found = try_seed(seed, temper=FOCUS.get(remove)).problems
        if any(problem.startswith(BREAKS[remove]) for problem in found):
            break
    assert any(problem.startswith(BREAKS[remove]) for problem in found)
