"""
P8: one account's trouble never delays another's order by more than a second.

The same steady world is run twice, once with everything one account asks of the exchange going wrong. Latencies and
views are constant in both, so that any difference in the others' acceptance times is the aimed fault's doing.
"""

import logging
import random
from collections.abc import MutableSequence
from typing import Any

from tests.sim.temper import ANSWERS, NETWORK, Temper
from tests.worlds.seeded import Shape, World

AIMED = (*NETWORK, *ANSWERS)
"""What can be made of every request of one account."""
SHAPE = Shape(cycles=2, traders=1, accounts=3, lead_ms=1_500, has_hints=True)
"""Started at T: each account waits for its own part of the reconciliation, and for nobody else's."""


class Steady(random.Random):
    """Always the middle: constant latencies, and the same view for everybody."""

    def random(self) -> float:
        return 0.5

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    def choice(self, seq: Any) -> Any:
        return seq[len(seq) // 2]

    def randint(self, a: int, b: int) -> int:
        return (a + b) // 2

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Stays as it is."""


def accepted_at(seed: int, fate: str) -> dict[tuple[int, str], int]:
    """When each account's entries were accepted, (uid, link id) → epoch ms; *fate* "" = nothing goes wrong."""
    world = World(seed, temper=Temper(), shape=SHAPE)
    world.trouble.rng = Steady()
    logging.disable()
    try:
        if fate:
            victim = min(world.referee.people)
            world.network.aim(fate, frozenset(key.key for key in world.engine.accounts[victim].keys))
        world.run()
        return {(uid, link): at for uid, link, at in world.referee.accepted}
    finally:
        world.close()
        logging.disable(logging.NOTSET)


def delays(seed: int, fate: str) -> dict[int, int]:
    """How much later (ms) each account but the victim had its entries accepted at most; a lost one counts as a day."""
    calm, rough = accepted_at(seed, ""), accepted_at(seed, fate)
    victim = min(uid for uid, _ in calm)
    worst: dict[int, int] = {}
    for (uid, link), at in calm.items():
        if uid != victim:
            worst[uid] = max(worst.get(uid, 0), rough.get((uid, link), at + 86_400_000) - at)
    return worst
