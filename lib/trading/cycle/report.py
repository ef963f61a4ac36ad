"""
How a cycle ended, as its callers are told: for each account in each symbol, and as a whole.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.order import Order
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import Outcome
from lib.market.status import iso


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


def traded(accounts: Iterable[TraderAccount]) -> str:
    """The symbols *accounts* trade by themselves, most accounts first: their candles are loaded before others."""
    counts = Counter(account.symbol for account in accounts if account.auto_trade)
    return ",".join(symbol for symbol, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def cycle_status(report: CycleReport, now_ms: int) -> dict[str, str]:
    """The trader's fields of `system:status` after a cycle."""
    outcomes = [result.outcome for result in report.results]
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in sorted(set(outcomes)))
    return {
        "auto_server_last_run": iso(now_ms),
        "last_cycle": iso(report.t_ms),
        "last_cycle_outcome": str(report.idle or counts),
        "last_cycle_groups": str(len(report.answers)),
    }
