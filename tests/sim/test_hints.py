"""Streams in the simulation bring looks forward, and only that."""

import logging
from functools import partial

import pytest

from tests.sim.temper import Temper
from tests.worlds import seeded as worlds
from tests.worlds.seeded import Shape, World

AFTER_T_S = 60


@pytest.fixture(autouse=True)
def uneventful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens but what the test does."""
    monkeypatch.setattr(worlds, "plan_events", lambda world: None)


def worst_without_stop(seeds: int, *, has_hints: bool) -> int:
    """How long (ms) a stop that its owner removed was missing at most, over as many calm worlds."""
    found = []
    logging.disable()
    try:
        for seed in range(seeds):
            world = World(seed, temper=Temper(), shape=Shape(has_hints=has_hints))
            for person in world.referee.people.values():
                world.later(world.shape.lead_ms / 1000 + AFTER_T_S, partial(world.crowd.remove_stop, person))
            world.run()
            found.append(world.referee.worst_naked)
            world.close()
    finally:
        logging.disable(logging.NOTSET)
    return max(found)


def test_a_hint_has_a_lost_stop_seen_sooner_than_the_timetable() -> None:
    assert 0 < worst_without_stop(12, has_hints=True) < 3_000
    assert 5_000 < worst_without_stop(12, has_hints=False) < 12_000
