"""
How a cycle ended, as its callers are told: for each account in each symbol, and as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain.analyst_call import AnalystAnswer
from lib.domain.order import Order
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import Outcome


@dataclass(frozen=True, slots=True)
class AccountResult:
    """
    How the cycle ended for one account in *symbol*. *difference* is exchange balance minus books, told once an account,
    None when unread.
    """

    account_id: int
    outcome: Outcome
    reason: Reason
    orders: tuple[Order, ...] = ()
    difference: Decimal | None = None
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class CycleReport:
    """
    One T as the log, the terminal and the status show it. *idle* says why nobody was served, else `NOTHING`.

    *unserved* = nobody could be asked for yet, so trying again later may serve them.
    """

    t_ms: int
    idle: Reason = NOTHING
    answers: Mapping[str, AnalystAnswer] = field(default_factory=dict)
    results: tuple[AccountResult, ...] = ()
    unserved: bool = False
