"""
Telling people what happened to their account.
"""

from typing import Protocol

from lib.domain.events import Event


class Notifier(Protocol):
    """The outbox: an event put there is delivered by others, and never holds up the work it tells of."""

    async def notice(self, account_id: int, event: Event) -> None:
        """Tell the account's owner of *event* through the outbox, once for what it is about."""
        ...


class NoticeChoices(Protocol):
    """How each person wants to be told, synchronous, one transaction a method."""

    def see(self, user_id: int, newest: int) -> None:
        """The person has seen what they were told up to row *newest*; never less than before."""
        ...
