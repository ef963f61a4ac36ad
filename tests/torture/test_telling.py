"""A few of the kills of `tests.torture.telling`, and proof that its judge has teeth."""

import pytest

from tests.torture.senders import POINTS
from tests.torture.telling import judge, opened, tortured

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

KILLS = 6


def test_whoever_kills_the_senders_loses_nothing_and_shows_nothing_twice_that_was_marked() -> None:
    found = tortured(KILLS, seed=3)
    assert found.problems == []
    assert found.died_at.total() == KILLS
    assert found.told
    assert found.arrived


def test_the_judge_sees_what_was_lost_came_twice_or_in_another_order() -> None:
    with opened() as ground:
        for number in range(6):
            ground.tell(number)
        things = {user: list(told) for user, told in ground.told.items()}
        for channel, user in ground.owners.items():
            ground.messenger.arrived.append((channel, things[user], "a life"))
        assert judge(ground).problems == ["the bot answered 0 of 1 messages in 0 lives"]
        first = next(iter(ground.owners))
        ground.messenger.arrived.append((first, things[ground.owners[first]][:1], "another"))
        assert "came 2 times, unmarked 0" in judge(ground).problems[0]
        ground.messenger.arrived[0] = (first, things[ground.owners[first]][::-1], "a life")
        assert "not in the order" in judge(ground).problems[0]
        ground.messenger.arrived[0] = (first, [], "a life")
        assert "lost" in judge(ground).problems[0]


def test_every_step_of_a_send_is_a_place_to_die_at() -> None:
    for points in POINTS.values():
        assert {"take.after", "send.before", "send.arrived", "send.after", "mark.before", "mark.after"} <= set(points)
