"""
Telling people what happened to their account.
"""

from typing import Protocol

from lib.domain.reason import Reason


class Notifier(Protocol):
    """The outbox: a notice put there is delivered by others, and never holds up the work it tells of."""

    async def notice(self, account_id: int, kind: str, why: Reason) -> None:
        """Tell the account's owner *why* through the outbox; *kind* at most 40 characters."""
        ...
