"""
The margin and position modes of an exchange account, and what is wrong with them: pure.

Entries are sized for isolated margin and one-way positions; both modes are set when a key is entered, and the account's
owner may change them at the exchange at any time. A changed mode keeps entries off, and never an exit.
"""

from collections.abc import Collection
from typing import Literal

from lib.domain.account import Doubt

MarginMode = Literal["isolated", "cross", "portfolio"]


def mode_problem(margin: MarginMode, *, one_way: bool, doubts: Collection[Doubt] = ()) -> str:
    """Why these modes allow no entry, in one sentence; "" when they are as set, or accepted by *doubts*."""
    taken_on = margin == "cross" and "cross_margin" in doubts
    if margin != "isolated" and not taken_on:
        return f"the account was switched to {margin} margin at the exchange: set it back to isolated margin"
    if not one_way:
        return "the account was switched to hedge mode at the exchange: set it back to one-way mode"
    return ""
