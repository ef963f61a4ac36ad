"""P9 where stops are moved and lost all the time: the exchange accepts none of ours farther than one before."""

import random

import pytest

from tests.effort import seeds
from tests.sim import ports
from tests.sim.sabotage import stop_from_memory
from tests.sim.verdict import end_problems
from tests.worlds import seeded
from tests.worlds.seeded import Shape, World

SEEDS = [50 + number for number in seeds(20)]
CAUGHT = 421
"""In its world another process moved the stop that the first one puts back."""


def told(seed: int, patch: pytest.MonkeyPatch) -> World:
    """A world of people whose analysts mostly tighten, and whose stops are taken away every half minute."""
    patch.setattr(seeded, "MANAGING", 1)
    patch.setattr(ports, "MANAGED", 0.9)
    world = World(
        seed,
        shape=Shape(
            cycles=5, traders=2 + seed % 2, accounts=3, has_hints=True, lead_ms=9_000, is_divided=seed % 4 == 0
        ),
    )
    dice = random.Random(seed)

    def strip() -> None:
        for person in list(world.referee.people.values()):
            if dice.random() < 0.6:
                world.crowd.remove_stop(person)
        world.later(dice.uniform(8, 50), strip)

    world.later(20, strip)
    world.run()
    return world


def test_no_stop_is_accepted_farther_from_the_price_than_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    tightened = 0
    for seed in SEEDS:
        world = told(seed, monkeypatch)
        assert end_problems(world) == []
        tightened += world.referee.tightened
        world.close()
    assert tightened


def test_a_stop_put_back_from_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_from_memory(monkeypatch)
    world = told(CAUGHT, monkeypatch)
    assert any(problem.startswith("P9") for problem in end_problems(world))
    world.close()
