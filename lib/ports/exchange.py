"""
One account at one venue, and the questions a venue is asked before an account is registered.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, Protocol

from lib.domain.account import Doubt, Venue
from lib.domain.account_records import AccountReading, PaperAccount, TraderAccount
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
        """
        Set the leverage of both sides; "not modified" is success. *Pause*/*Retry* otherwise: any doubt is no entry.
        """
        ...

    async def set_trading_stop(self, symbol: str, stop_loss: Decimal, take_profit: Decimal, signed_ms: int = 0) -> bool:
        """
        Full-mode stop and target on the open position by mark price; False when the venue refuses the prices.

        *signed_ms*: the venue's time the request is signed with (0 = now), after which it has W to arrive.
        """
        ...

    async def set_trailing_stop(self, symbol: str, distance: Decimal, active: Decimal, signed_ms: int = 0) -> bool:
        """
        The venue's own trailing stop on the open position, *distance* USDT behind the best price once the price was at
        *active* (0 = from now on). Stop and target stay as they are. False when the venue refuses it; *signed_ms* as
        above.
        """
        ...

    def sign_order(self, order: Order, timestamp_ms: int) -> SignedOrder:
        """Fix body, timestamp and signature of *order* (qty must be set). Pure: nothing is sent."""
        ...

    async def send_order(self, signed: SignedOrder) -> SendReply:
        """Send exactly those bytes once. Never raises: any reply that cannot be read is *UNKNOWN*, with why."""
        ...

    async def find_order(self, symbol: str, order_link_id: str) -> OrderAnswer:
        """Ask realtime, then history, then executions; a failed query proves nothing and raises *Retry*."""
        ...

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderRecord]:
        """Every order of any state created at or after *since_ms*, oldest first, children included."""
        ...

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every execution at or after *since_ms*, oldest first, all pages, funding and liquidation included."""
        ...

    async def transfers_since(self, since_ms: int) -> list[Transfer]:
        """
        Every change of the USDT balance at or after *since_ms* that no execution explains, oldest first, all pages.
        """
        ...

    async def cancel_order(self, symbol: str, order_link_id: str) -> None:
        """Cancel one working order of ours; an order that is gone already is success. *Retry*/*Pause* otherwise."""
        ...


Lane = Literal["guard", "trade", "resolve"]
"""
The share of the address's request budget a call takes: *guard* for stops, exits and the guardian's own reads, which
never queue behind others; *trade* for the way to an entry; *resolve* for the queries after the send, which can wait.
"""


class NotNow(Retry):
    """Our own request budget has no room for a call a person asked for: nothing was sent, the call may be repeated."""


class BudgetAway(NotNow):
    """The request budget cannot be read at all; without the budget no call leaves."""


class KeyProbe(Protocol):
    """
    Onboarding of a key, synchronous; done once with the key in clear, before the key is sealed.

    *NotNow* from any method: the call did not leave.
    """

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        """Owner and rights of *key*, by the venue. *Pause* for a refused key, *Retry* for an unreachable venue."""
        ...

    def prepare(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> tuple[Doubt, ...]:
        """
        Set isolated margin, and one-way mode in the first of *symbols* and, where it can be, in each other; a mode that
        is set already is success. *Pause* says what the owner must change. Returns the modes that a demo account could
        not be given and trades without.
        """
        ...

    def set_one_way(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> None:
        """Set one-way mode in each of *symbols* where it can be; *Pause* or *Retry* when the venue cannot be asked."""
        ...


class Exchanges(Protocol):
    """Opens an account's key and hands out its exchange."""

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        """*Pause* when the key cannot be opened. Calls take their share of the request budget from *lane*."""
        ...


class AccountHints(Protocol):
    """
    Private streams of accounts. A push is a hint, never a fact: the guardian that hears a hint asks by REST.

    Reconnecting, signing in and silence are the implementation's; a stream that cannot be opened raises nothing here.
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


class PaperAccounts(Protocol):
    """The paper exchange of this deployment, where a form opens accounts."""

    def open(self, label: str, balance: Decimal) -> PaperAccount:
        """
        An account of *balance* USDT. *Retry* when the paper exchange is away, *Pause* when it refuses, *NotNow* when
        the request budget has no room.
        """
        ...


class AccountProbe(Protocol):
    """Reads an account with its key in clear, synchronous; not callable from a running event loop."""

    def read(self, venue: Venue, uid: str, key: ApiKey, symbol: str) -> AccountReading:
        """The account's balance and orders. *Pause* for a refused key, *Retry* for an unreachable venue."""
        ...
