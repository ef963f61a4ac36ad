"""
What the acceptance cards ask of a venue beside `lib.ports.exchange.Exchange`, and where intents and evidence are kept.
"""

from decimal import Decimal
from typing import Protocol

from lib.domain.api_key import KeyInfo
from lib.domain.errors import Retry
from lib.domain.exchange_records import SignedOrder
from lib.domain.instrument import Instrument
from lib.domain.order import Order
from lib.domain.preflight import Card, Intent, PreflightRun
from lib.domain.quotes import Ticker
from lib.ports.exchange import Exchange


class PreflightVenue(Protocol):
    """One account at one venue, as a preflight asks it. *Retry* or *Pause* as `Exchange`'s."""

    @property
    def host(self) -> str:
        """The name that is called."""
        ...

    @property
    def uid(self) -> str:
        """The account's uid, or what stands for it until and unless the venue tells it."""
        ...

    @property
    def exchange(self) -> Exchange: ...

    async def key_info(self) -> KeyInfo:
        """Owner and rights of the key. *NotOffered* where the venue tells nothing."""
        ...

    async def taker_fee(self, symbol: str) -> Decimal:
        """The account's taker rate as a fraction. *NotOffered* where the venue tells nothing."""
        ...

    async def instrument(self, symbol: str) -> Instrument: ...

    async def ticker(self, symbol: str) -> Ticker: ...

    def sign_resting(self, order: Order, timestamp_ms: int) -> SignedOrder:
        """As `Exchange.sign_order` of an entry with its stop, but it stays in the book until it is cancelled."""
        ...


class NotOffered(Retry):
    """The venue does not have this question (demo trading lacks some)."""


class Journal(Protocol):
    """What a preflight sends, written down before it is sent and read again by the next one. Durable."""

    def unfinished(self) -> list[Intent]:
        """Every intent of runs that did not end, oldest first."""
        ...

    def intend(self, intent: Intent) -> None:
        """Write *intent* down; returns once it cannot be lost."""
        ...

    def finished(self, run_ms: int) -> None:
        """Everything the run of *run_ms* sent has ended and nothing of it is open."""
        ...


class Evidence(Protocol):
    """Every raw answer of a run, anonymised, by the card that asked."""

    def turn_to(self, card: Card | None) -> None:
        """What is heard from now on is *card*'s; None = nobody's, as tidying up."""
        ...

    def save(self, run: PreflightRun) -> str:
        """Write the file; its name."""
        ...


class PreflightBook(Protocol):
    """Where runs are kept for the gates before real money."""

    def keep(self, run: PreflightRun, evidence: str) -> None:
        """Store *run* and the name of its evidence."""
        ...
