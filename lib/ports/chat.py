"""
The platform's bot and the chats bound to people (synchronous). Chat ids and codes are in no error and no log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from lib.domain.chat import BoundChat, Incoming
from lib.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class BotName:
    """A bot: its number, and the name people find it by."""

    bot_id: int
    name: str


class BotApi(Protocol):
    """A server of the Bot API. *Retry* when it does not answer, or refuses."""

    def me(self) -> BotName: ...

    def updates(self, first: int, wait_s: int) -> list[Incoming]:
        """What came with the number *first* and later, oldest first, waiting *wait_s* for something to come."""
        ...

    def say(self, chat_id: int, text: str, buttons: Sequence[Sequence[str]] = ()) -> None:
        """Send *text*; *buttons* are rows of words that are sent back when they are pressed."""
        ...


class Chats(Protocol):
    """Who bound which chat, one transaction a method."""

    def offer(self, user_id: int, code_sha256: str, until_ms: int) -> None:
        """Whoever sends that code to the bot until then is the person; in place of every older code of theirs."""
        ...

    def bind(self, code_sha256: str, chat_id: int, name: str, now_ms: int) -> int | None:
        """
        Use the code up and make the chat its person's, with a channel called *name*; whose it is now. None for no such
        code, a used or an old one. A chat they had before, and whoever had this chat, lose it.
        """
        ...

    def owner(self, chat_id: int) -> BoundChat | None:
        """Whose chat it is, if they are not deleted."""
        ...

    def chat_of(self, user_id: int) -> BoundChat | None: ...

    def wait_for_code(self, user_id: int, until_ms: int) -> None:
        """Until then the chat's next message may be the second factor for closing everything; 0 = it waits no more."""
        ...

    def await_proof(self, user_id: int, switched_ms: int) -> None:
        """The chat is owed the proof of the stop that was thrown then."""
        ...

    def owed(self) -> list[BoundChat]:
        """Chats that are owed a proof."""
        ...

    def proof_told(self, user_id: int, now_ms: int) -> None: ...

    def serve(self, bot: BotName, now_ms: int) -> int:
        """The platform has this bot now; the number of the first message it has not taken."""
        ...

    def claim(self, bot_id: int, update_id: int) -> bool:
        """Whether the message is taken by this call, and not by one before."""
        ...


@dataclass(frozen=True, slots=True)
class OpenNow:
    """An open position: *entry* and *stop* are prices (None = not known), *result* USDT before fees."""

    symbol: str
    way: str
    qty: Decimal
    entry: Decimal
    stop: Decimal | None
    result: Decimal


@dataclass(frozen=True, slots=True)
class Glance:
    """
    How a person's account stands. *state* and *why* are those of every page; *closes* while its own switch closes
    everything, thrown at *switched_ms* and proved at *proven_ms* (0 = not yet).
    """

    account_id: int
    state: str
    why: Reason
    equity: Decimal
    today: Decimal
    position: OpenNow | None
    closes: bool
    switched_ms: int
    proven_ms: int


class Glances(Protocol):
    """Reading for a chat."""

    def glance(self, user_id: int) -> Glance | None:
        """The person's active account; None without one."""
        ...
