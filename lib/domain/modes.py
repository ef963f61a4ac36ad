"""
The margin and position modes of an exchange account, and what is wrong with them: pure.

Entries are sized for isolated margin and one-way positions; both modes are set when a key is entered, and the account's
owner may change them at the exchange at any time. A changed mode keeps entries off, and never an exit.
"""

from collections.abc import Collection
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.account import Doubt
from lib.domain.reason import NOTHING, Reason

MarginMode = Literal["isolated", "cross", "portfolio"]


def mode_problem(margin: MarginMode, *, one_way: bool, doubts: Collection[Doubt] = ()) -> Reason:
    """Why these modes allow no entry; `NOTHING` when they are as set, or accepted by *doubts*."""
    taken_on = margin == "cross" and "cross_margin" in doubts
    if margin != "isolated" and not taken_on:
        return codes.CROSS_MARGIN() if margin == "cross" else codes.PORTFOLIO_MARGIN()
    if not one_way:
        return codes.HEDGE_MODE()
    return NOTHING
