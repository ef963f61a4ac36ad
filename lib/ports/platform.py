"""
Platform settings and invitations, which an operator changes while everything runs (synchronous).
"""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.platform_settings import Invites, SettingChange


class PlatformBook(Protocol):
    """
    Platform settings as the operator changes them, and invitations. A terminal has one, and the trader.

    Every change and its entry in the audit trail are one transaction.
    """

    def rows(self) -> dict[str, str]:
        """Every platform setting that has a row: its whole name and its text, read or not."""
        ...

    def change(self, name: str, after: str | None, who: str, why: str) -> SettingChange | None:
        """
        Write *after* to the row *name*, or delete the row (None); the change made, None = the row said so already.
        """
        ...

    def changes(self, newest: int) -> list[SettingChange]:
        """The *newest* entries of the audit trail, newest first."""
        ...

    def add_invites(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        """One invitation for each of *codes_sha256*, good once and before *expires_ms*."""
        ...

    def invites(self) -> Invites:
        """How many invitations are still good, were used, ended unused."""
        ...
