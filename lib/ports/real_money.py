"""
Where caps and consents for real money are kept, synchronous; what the gates read is `lib.ports.ledger.LimitLedger`.
"""

from typing import Protocol

from lib.domain.real_money import RealCap
from lib.domain.trail import Note


class RealCaps(Protocol):
    """An operator's caps. A terminal has this; the web has not."""

    def write(self, cap: RealCap) -> None:
        """Append *cap*, dated now: it takes the place of every earlier one."""
        ...


class RealConsents(Protocol):
    """A person's consents; a *note* of each goes to their trail."""

    def give(self, account_id: int, note: Note) -> bool:
        """Consent to the key the account has now; False unless it is the person's active account."""
        ...

    def withdraw(self, note: Note) -> bool:
        """End every consent of the person; False when none stood."""
        ...
