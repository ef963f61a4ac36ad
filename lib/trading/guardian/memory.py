"""
What the guardian remembers of an account in one symbol from one inspection to the next; it outlives a database outage.
"""

from dataclasses import dataclass, field

from lib.domain.account_records import TraderAccount
from lib.domain.reason import Reason
from lib.trading.guardian.by_rule import RuleExits
from lib.trading.guardian.noting import Noted
from lib.trading.guardian.rules import GuardedPosition
from lib.trading.guardian.stop_calls import StopCalls


@dataclass(slots=True)
class AccountMemory:
    """
    An account on one symbol and the guardian's memory of it. *firing_ms*: since when its stop should have fired, 0 = it
    should not.

    *account* is the account as the roster has it now, *inspected_as* as it was when the inspection under way began:
    orders signed by one key stand in rows of that key, whatever the account's owner changes meanwhile.
    """

    account: TraderAccount
    inspected_as: TraderAccount = field(init=False)
    guarded: GuardedPosition | None = None
    guess: GuardedPosition | None = None
    """The position as the last inspection understood it without the ledger; the next inspection asks again."""
    flat_ms: int = 0
    """The venue's time (epoch ms) at which the account was last seen flat."""
    is_met: bool = False
    firing_ms: int = 0
    unexplained: int = 0
    """Inspections in a row that found a position our executions do not explain."""
    told: set[Reason | str] = field(default_factory=set)
    """The notices and alerts that were sent already, until the position ends."""
    repaired: int = 0
    closed: int = 0
    noted: Noted = field(default_factory=Noted)
    stops: StopCalls = field(init=False)
    rules: RuleExits = field(default_factory=RuleExits)
    close_again_ms: int = 0
    """When the next close may be tried: a close that found no market is tried again ever later."""
    vain_closes: int = 0

    def __post_init__(self) -> None:
        self.inspected_as, self.stops = self.account, StopCalls(self.account.account_id)

    @property
    def holds(self) -> bool:
        """Whether a position of ours was open at the last inspection."""
        return self.guarded is not None or self.guess is not None

    def forget(self) -> None:
        """The position ended: forget it, with the closes tried and the notices sent for it."""
        self.guarded, self.guess, self.noted = None, None, Noted()
        self.stops.forget()
        self.rules = RuleExits()
        self.firing_ms = self.close_again_ms = self.vain_closes = 0
        self.told.clear()


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What an inspection found. *soon* = the account is not right yet: inspect it again in a moment; *at_once* = without
    that moment, a close having been proved lost.
    """

    is_open: bool = False
    soon: bool = False
    at_once: bool = False
