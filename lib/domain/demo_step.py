"""
The lowest step: whether auto-trading may be switched on in demo trading, by what was shown on paper. Pure.

Judged as it is switched on and at no other time: what is on stays on, and no exit, stop or switch to off asks. A
person may do without, on one account and with one version, for a week. Facts that are not known are facts that do not
hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.domain import reason_codes as codes
from lib.domain.real_money import AHEAD_MS
from lib.domain.reason import NOTHING, Reason
from lib.domain.stretch import OVERRIDE_LIFE_MS, Stretch, stretch_refusal


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """
    What is known before auto-trading is switched on in demo trading. Epoch ms.

    *stretches* are the person's on paper at real prices, of the strategy version that runs; None = they cannot be read.
    *overridden_ms*: when the person last did without, on this account and with this version; 0 = never.
    """

    now: int
    stretches: Sequence[Stretch] | None
    overridden_ms: int = 0

    @property
    def does_without(self) -> bool:
        """Whether the person's own word stands; one dated ahead is none."""
        is_given = 0 < self.overridden_ms <= self.now + AHEAD_MS
        return is_given and self.now - self.overridden_ms <= OVERRIDE_LIFE_MS


def demo_refusal(facts: DemoFacts) -> Reason:
    """Why auto-trading is not switched on in demo trading; `NOTHING` = it may be."""
    if facts.does_without:
        return NOTHING
    if facts.stretches is None:
        return codes.DEMO_STRETCH_UNREADABLE()
    if not facts.stretches:
        return codes.DEMO_STRETCH_LACKING()
    return stretch_refusal(facts.stretches, facts.now, facts.now + AHEAD_MS)
