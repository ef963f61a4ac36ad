"""
The exchange's own records of an account as our law reads them: wallet, orders, answers, and the bytes of an order.

Money in USDT or quantities in coins, Decimal; times in epoch ms. Wire words end in the adapter that makes these.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.books import Fill
from lib.domain.order import OrderState, SendOutcome
from lib.domain.position import Side
from lib.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class Wallet:
    """USDT: *balance* is cash, *equity* cash + unrealised, *available* what a new isolated position may use."""

    balance: Decimal
    equity: Decimal
    available: Decimal
    seen_at: int


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """
    The exchange's own record of an order. *state* is None while it is open (New, PartiallyFilled, Untriggered).

    *is_child* marks a stop or target the exchange made itself: its *order_link_id* is empty, *parent_link_id* ours.
    """

    order_id: str
    order_link_id: str
    parent_link_id: str
    symbol: str
    side: Side
    state: OrderState | None
    qty: Decimal
    filled_qty: Decimal
    avg_price: Decimal
    fee: Decimal
    reduce_only: bool
    is_child: bool
    reject_reason: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """The records that three queries found of one order_link_id; *time* is the smallest server time of the answers."""

    records: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]
    time: int


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """Bytes fixed before the claim: sent as they are, once. *headers* hold the signature and live in memory only."""

    order_link_id: str
    body: bytes
    headers: dict[str, str]
    signed_ts: int
    body_sha256: str

    def __repr__(self) -> str:
        return f"SignedOrder({self.order_link_id}, signed_ts={self.signed_ts})"


@dataclass(frozen=True, slots=True)
class SendReply:
    """
    The reply to a send: its outcome, and the venue's text. A hint, never a verdict.

    *code* is the venue's own (None = no readable reply): evidence for the order's events, which only people read.
    """

    outcome: SendOutcome
    message: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an order, as a query proved it."""

    state: OrderState
    why: Reason
    exchange_order_id: str
    filled_qty: Decimal
    avg_price: Decimal
    fee: Decimal
