"""
One account at one venue, and what is asked of a venue before an account is ours.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, Protocol

from lib.domain.account import Doubt, Venue
from lib.domain.account_records import AccountLook, PaperAccount, TraderAccount
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.books import Fill, Transfer
from lib.domain.errors import Retry
from lib.domain.exchange_records import OrderAnswer, OrderRecord, SendReply, SignedOrder, Wallet
from lib.domain.modes import MarginMode
from lib.domain.order import Order
from lib.domain.position import Position


class Exchange(Protocol):
    """
    One account at one venue, by that account's key. Queries raise *Retry* (try later) or *Pause* (key, permission).

    No method retries by itself. A rate limiter stands in front of every call.
    """

    uid: str

    async def server_time(self) -> int:
        """The venue's clock, epoch ms."""
        ...

    async def wallet(self) -> Wallet: ...

    async def position(self, symbol: str) -> Position:
        """The one-way position, flat when there is none or in hedge mode; its *seen_at* is the answer's server time."""
        ...

    async def margin_mode(self) -> MarginMode:
        """The margin mode the whole account is in now."""
        ...

    async def open_orders(self, symbol: str) -> list[OrderRecord]:
        """Working and untriggered orders, children included."""
        ...

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set both sides; "not modified" is success. *Pause*/*Retry* otherwise: any doubt is no entry."""
        ...

    async def set_trading_stop(self, symbol: str, stop_loss: Decimal, take_profit: Decimal) -> bool:
        """Full-mode stop and target on the open position by mark price; False when the venue refuses the prices."""
        ...

    def sign_order(self, order: Order, timestamp_ms: int) -> SignedOrder:
        """Fix body, timestamp and signature of *order* (qty must be set). Pure: nothing is sent."""
        ...

    async def send_order(self, signed: SignedOrder) -> SendReply:
        """Send exactly those bytes once. Never raises: whatever is not a readable reply is *UNKNOWN* with why."""
        ...

    async def find_order(self, symbol: str, order_link_id: str) -> OrderAnswer:
        """Ask realtime, then history, then executions; any failed query raises *Retry*: it proves nothing."""
        ...

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderRecord]:
        """Every order of any state created since, oldest first, children included."""
        ...

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every execution since (inclusive), oldest first, all pages, funding and liquidation included."""
        ...

    async def transfers_since(self, since_ms: int) -> list[Transfer]:
        """Every change of the USDT balance since (inclusive) that no execution explains, oldest first, all pages."""
        ...

    async def cancel_order(self, symbol: str, order_link_id: str) -> None:
        """Cancel one working order of ours; one that is gone already is success. *Retry*/*Pause* otherwise."""
        ...

    async def cancel_all(self, symbol: str) -> None:
        """Cancel working orders; the position's own stop and target stay."""
        ...


Lane = Literal["guard", "trade", "settle"]
"""
Whose share of the address's request budget a call takes: *guard* for stops, exits and the guardian's own reads, which
never queue behind others; *trade* for the way to an entry; *settle* for what comes after the send and can wait.
"""


class NotNow(Retry):
    """Our own request budget has no room for a call a person asked for: nothing left, and it may be asked again."""


class BudgetAway(NotNow):
    """The request budget cannot be asked at all; without it nothing leaves."""


class KeyProbe(Protocol):
    """
    Onboarding of a key, synchronous; done once with the key in clear before it is sealed.

    *NotNow* from any method: the call did not leave.
    """

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        """What the venue says of *key*. *Pause* for a refused key, *Retry* when unreachable."""
        ...

    def prepare(self, venue: Venue, key: ApiKey, symbol: str) -> tuple[Doubt, ...]:
        """
        Isolated margin and one-way mode; already so is success. *Pause* says what the owner must change. The answer is
        what a demo account could not be given and trades without.
        """
        ...


class Exchanges(Protocol):
    """Opens an account's key and hands out its exchange."""

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        """*Pause* when the key cannot be opened. Calls take their share of the request budget from *lane*."""
        ...


class AccountHints(Protocol):
    """
    Private streams of accounts. What they say is a hint to look, never a fact: whoever hears one asks by REST.

    Reconnecting, signing in and silence are the implementation's; a stream that cannot be had makes no noise here.
    """

    async def follow(self, accounts: Sequence[TraderAccount]) -> None:
        """Be subscribed for exactly these accounts; a key that cannot be opened leaves its account out."""
        ...

    async def next(self) -> int:
        """The next account id to which something happened, or whose stream came up (again)."""
        ...

    async def close(self) -> None:
        """End every stream."""
        ...


class PaperDesk(Protocol):
    """Opens accounts at this deployment's paper exchange."""

    def open(self, label: str, balance: Decimal) -> PaperAccount:
        """
        An account of *balance* USDT. *Retry* when the paper exchange is away, *Pause* when it refuses, *NotNow* when
        the request budget has no room.
        """
        ...


class AccountProbe(Protocol):
    """A look at an account with its key in clear, synchronous; not callable from a running event loop."""

    def look(self, venue: Venue, uid: str, key: ApiKey, symbol: str) -> AccountLook:
        """*Pause* for a refused key, *Retry* when unreachable."""
        ...
