"""
The modes an exchange account trades in, and what is wrong with them: pure.

Entries are sized for isolated margin and one-way positions; both are set when a key is entered, and their owner may
change them at the exchange at any time. A changed mode keeps entries off. It never stands in the way of an exit.
"""

from collections.abc import Collection
from typing import Literal

from lib.domain.account import Doubt

MarginMode = Literal["isolated", "cross", "portfolio"]


def mode_problem(margin: MarginMode, *, one_way: bool, doubts: Collection[Doubt] = ()) -> str:
    """Why nothing may be entered in these modes, in one sentence; "" when all is as it was set or taken on."""
    taken_on = margin == "cross" and "cross_margin" in doubts
    if margin != "isolated" and not taken_on:
        return f"the account was switched to {margin} margin at the exchange: set it back to isolated margin"
    if not one_way:
        return "the account was switched to hedge mode at the exchange: set it back to one-way mode"
    return ""
