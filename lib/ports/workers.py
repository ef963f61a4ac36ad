"""
Which process owns which account, where accounts are divided among several; every method is one transaction.

All of them take turns with each other. *Retry* has unknown effect, as in `lib.ports.ledger`; each may be called again.
"""

from collections.abc import Collection
from typing import Protocol

from lib.domain.worker import Holding, Room, RoomAsk, Worker


class WorkerCalls(Protocol):
    """How workers hear that a cycle begins. Nothing rests on it: a call may be lost, doubled or late."""

    async def call(self, holders: Collection[str], t_ms: int) -> None:
        """
        Tell the workers *holders* that the cycle of T begins and its answers are being fetched. *Retry* when they
        cannot be told.
        """
        ...


class WorkerLeases(Protocol):
    """The leases of accounts, the workers that live, and what each was lent of the platform's limits."""

    async def hold(self, worker: Worker, ttl_ms: int) -> Holding:
        """
        Say that *worker* lives, renew its leases for *ttl_ms*, and take accounts that nobody owns up to its fair share.

        A worker unheard of for *ttl_ms* counts as dead; its leases end by themselves. A lease that ran out and that
        nobody took is renewed under its epoch. Nothing is taken beside a trader that serves everybody by itself.
        """
        ...

    async def give_back(self, holder: str, account_ids: Collection[int]) -> None:
        """Give those of *account_ids* that *holder* owns to whoever comes."""
        ...

    async def leave(self, holder: str) -> None:
        """Give everything back, the trader's lease too, and be no worker any more; loans stand until they end."""
        ...

    async def living(self, ttl_ms: int) -> list[Worker]:
        """The workers heard of within *ttl_ms*, by holder."""
        ...

    async def trader_alone(self) -> str:
        """Who holds the living trader's lease and is no worker: it serves every account by itself; "" = nobody."""
        ...

    async def borrow(self, ask: RoomAsk, ttl_ms: int) -> Room:
        """
        The part of what *ask* found left that its holder may use from now until *ask.until_ms*, so that all loans and
        all entries seen together stay within the limit; nothing is given back early.
        """
        ...
