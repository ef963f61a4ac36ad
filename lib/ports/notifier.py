"""
Telling people what happened to their account.
"""

from typing import Protocol


class Notifier(Protocol):
    """The outbox: a notice put there is delivered by others, and never holds up the work it tells of."""

    async def notice(self, account_id: int, kind: str, body: str) -> None:
        """Tell the account's owner *body* through the outbox, in plain words; *kind* at most 40 characters."""
        ...
