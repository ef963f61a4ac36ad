"""
Telling people what happened to their account.
"""

from dataclasses import dataclass
from typing import Protocol

from lib.domain.account import NUMBERS, Numbers
from lib.domain.channel import TellingChoices
from lib.domain.events import Event, EventKind
from lib.domain.reason import Reason


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

    def choose(self, user_id: int, choices: TellingChoices) -> None:
        """From now on the person is told like that."""
        ...


class Channels(Protocol):
    """People's channels, synchronous, one transaction a method; a person's own alone."""

    def add(self, user_id: int, service: str, name: str, sealed: str, most: int) -> bool:
        """False, and nothing kept, when the person has *most* channels."""
        ...

    def remove(self, user_id: int, channel_id: int) -> bool:
        """With what waits for it; False for no channel of theirs."""
        ...

    def enable(self, user_id: int, channel_id: int, on: bool) -> bool:
        """Switch it; on, its failures are forgotten, off, so is what waits for it. False for no channel of theirs."""
        ...

    def test(self, user_id: int, channel_id: int, now_ms: int, pause_ms: int) -> bool:
        """
        Have a test sent to it alone. False for no channel of theirs that is on, and within *pause_ms* of the last test.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to send: delivery *id*, what it tells, when it was told (epoch ms)."""

    id: int
    kind: EventKind
    why: Reason
    at_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What one channel is to be sent, oldest first, by whoever holds it until *lease_ms*: nobody else sends meanwhile.

    *sealed* is its address; *language*, *time_zone* ("" = the language's) and *numbers* are its reader's.
    """

    channel_id: int
    user_id: int
    service: str
    name: str
    sealed: str
    language: str
    time_zone: str
    failures: int
    lease_ms: int
    messages: tuple[Message, ...]
    numbers: Numbers = NUMBERS


class Deliveries(Protocol):
    """What is still to be sent (synchronous). Times are the caller's, epoch ms."""

    def hand_out(self, now_ms: int, limit: int) -> int:
        """
        Give the oldest *limit* things told to the channels of whoever is told, as they chose, each thing once; how many
        things that were. What no channel wants is done with that; what is older than `STALE_MS` stays in the bell.
        """
        ...

    def take(self, now_ms: int, lease_ms: int, most: int, *, failing: bool = True) -> Batch | None:
        """
        The first channel with something due that nobody holds and that does not wait, held for *lease_ms* from now,
        with the oldest *most* of what is due there. None = nothing is. Of one person few channels are held at once;
        without *failing* none that failed last time is taken.
        """
        ...

    def delivered(self, batch: Batch, now_ms: int) -> None:
        """The channel took the whole batch: it is not sent again, and the channel is free."""
        ...

    def failed(self, batch: Batch, again_ms: int) -> None:
        """It did not: the batch waits until *again_ms*, others of the person do not."""
        ...

    def give_up(self, batch: Batch, event: Event) -> None:
        """Switch the channel off, forget what waits for it, and tell its person of *event*, in one transaction."""
        ...


class Courier(Protocol):
    """The way out (synchronous): says one text at one address."""

    def send(self, address: str, title: str, body: str) -> None:
        """*Retry* when the channel did not take it, or nobody knows; nothing of *address* is in the error."""
        ...
