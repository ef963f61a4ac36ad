"""
The operator's list of models, changed by the trader for the operators' room: added, priced, budgeted, retired.

The rules are the terminal's; what a terminal alone may do (keys, addresses, deleting) is not here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lib.clock import Clock
from lib.domain.model_profile import KeptModel, ModelProfile, flaw_of
from lib.domain.model_wish import wish_of
from lib.domain.operator_act import OperatorAct
from lib.domain.platform_settings import SettingChange
from lib.ports.models import ModelRegister

MOST_LISTED = 40


@dataclass(frozen=True, slots=True)
class ModelRequests:
    """*priced* fills known prices in, so that a budget of what is known can be counted."""

    register: ModelRegister
    priced: Callable[[ModelProfile], ModelProfile]
    clock: Clock

    def change(self, act: OperatorAct) -> SettingChange | None:
        """Carry it out; None = nothing to change, *ValueError* = refused, with the reason."""
        wish, listed = wish_of(act.args), self.register.listed()
        before = next((one for one in listed if one.profile.name == wish.name), None)
        if before is None and len(listed) >= MOST_LISTED:
            raise ValueError(f"there are {MOST_LISTED} models on the list already")
        after = wish.over(before)
        if flaw := flaw_of(self.priced(after.profile)):
            raise ValueError(f"its {flaw} is not as it must be")
        if after == before:
            return None
        now = self.clock.now_ms()
        self.register.keep(after, now)
        said = None if before is None else _said(before)
        return SettingChange(act.args["setting"], said, _said(after), act.who, act.args.get("why", ""), now)


def _said(kept: KeptModel) -> str:
    profile, prices = kept.profile, kept.profile.prices
    price = "free" if prices.free else f"{prices.input_usd:f}+{prices.output_usd:f}" if prices.known else "known price"
    day = "no cap" if profile.day_usd is None else f"{profile.day_usd:f} a day"
    return f"{profile.shown} · {price} · {day} · {'offered' if profile.offered else 'retired'}"
