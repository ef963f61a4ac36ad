"""Answers of a version whose skill is known, on a market that is the same for all of one seed."""

from decimal import Decimal

import numpy as np

from lib.domain.scores import Answered
from lib.evidence.series import DAY_MS

D = Decimal
A_DAY = 12
BEGIN = 1_735_689_600_000
"""A midnight UTC."""
FEES = D("0.0011")
STEP = DAY_MS // A_DAY


def answers(
    days: int, skill: float = 0, seed: int = 0, *, market: int = 1, hold: float = 0.3, begin_ms: int = BEGIN
) -> list[Answered]:
    """
    Twelve answers a day on the same *market*; right that much oftener than half of the time, at random otherwise.
    """
    moves = 0.01 * np.random.default_rng(market).standard_normal(days * A_DAY)
    dice = np.random.default_rng(100 + seed)
    made = []
    for number, move in enumerate(moves):
        is_right = dice.random() < 0.5 + skill / 2
        side = 0 if dice.random() < hold else int(np.sign(move)) if is_right else -int(np.sign(move))
        worth = D(f"{move:.10f}")
        sure = D("0.8") if is_right else D("0.55")
        t_ms = begin_ms + number * STEP
        made.append(Answered(t_ms, "BTCUSDT", side, worth - FEES, -worth - FEES, D("0.00001"), FEES * abs(side), sure))
    return made
