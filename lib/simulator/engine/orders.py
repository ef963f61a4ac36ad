"""
The engine's records: orders, executions, closed profits and ledger rows, and the requests for orders.

Sides are ours (buy / sell); statuses, create, cancel and reject words are Bybit's own, since this engine is Bybit's
stand-in. Money and quantity are Decimal, times epoch ms, "" and 0 mean "none". An *OrderRecord* is the one mutable
thing, changed by the matching alone; everything else is written once and never again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from lib.domain.position import ZERO, Side
from lib.simulator.engine.charges import USDT, ExtraFee

OrderType = Literal["Market", "Limit"]
TimeInForce = Literal["GTC", "IOC", "FOK", "PostOnly"]
TriggerBy = Literal["LastPrice", "MarkPrice", "IndexPrice"]
OPEN_STATUSES = frozenset({"New", "PartiallyFilled", "Untriggered"})
PROTECTIVE = frozenset({"StopLoss", "TakeProfit", "TrailingStop", "PartialStopLoss", "PartialTakeProfit"})
RISE, FALL = 1, 2
"""Trigger directions: the price must rise (or fall) to the trigger price."""


class Refused(Exception):
    """The venue refuses a request: *code*, *text* and *result* as they go on the wire."""

    def __init__(self, code: int, text: str, result: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.result = dict(result or {})


@dataclass(frozen=True, slots=True)
class Protection:
    """
    Stop and target of a position; prices in USDT, 0 = none.

    *is_partial*: of the quantity of their order alone, not of the whole position; a limit price of 0 is a market order.
    """

    stop_loss: Decimal = ZERO
    take_profit: Decimal = ZERO
    stop_by: TriggerBy = "LastPrice"
    target_by: TriggerBy = "LastPrice"
    is_partial: bool = False
    stop_limit: Decimal = ZERO
    target_limit: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Trail:
    """How far (USDT) a trailing stop stays behind the best price, 0 = none; *active_price* 0 = it trails already."""

    distance: Decimal = ZERO
    active_price: Decimal = ZERO


NO_TRAIL = Trail()


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A client's request for an order; *price* 0 for a market order, *qty* 0 only to close on trigger."""

    symbol: str
    side: Side
    qty: Decimal
    order_type: OrderType = "Market"
    price: Decimal = ZERO
    time_in_force: TimeInForce = "GTC"
    link_id: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    position_idx: int = 0
    protection: Protection = Protection()
    trigger_price: Decimal = ZERO
    trigger_direction: int = 0
    trigger_by: TriggerBy = "LastPrice"


@dataclass(slots=True)
class OrderRecord:
    """An accepted order, open or closed; *seq* orders an account's orders by creation."""

    order_id: str
    link_id: str
    uid: int
    seq: int
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    qty: Decimal
    price: Decimal
    """The limit price, or the bound a market order may not cross."""
    reduce_only: bool
    close_on_trigger: bool
    created_ms: int
    updated_ms: int
    match_at: int = 0
    """When the order is first matched; 0 once it was."""
    status: str = "New"
    create_type: str = "CreateByUser"
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    stop_order_type: str = ""
    parent_link_id: str = ""
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    fee: Decimal = ZERO
    """Trading fees so far in USDT; fees paid in another coin are in *coin_fees*."""
    coin_fees: dict[str, Decimal] = field(default_factory=dict)
    protection: Protection = Protection()
    trigger_price: Decimal = ZERO
    trigger_direction: int = 0
    trigger_by: TriggerBy = "LastPrice"
    last_on_created: Decimal = ZERO
    closed_pnl: Decimal = ZERO
    position_idx: int = 0
    trail: Trail = Trail()
    bond: str = ""
    """The same for the partial stop and target that were set together: one ends the other."""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def left(self) -> Decimal:
        """Quantity still to fill; 0 once closed."""
        return self.qty - self.filled if self.is_open else ZERO

    @property
    def is_protective(self) -> bool:
        """True for a stop, target or trailing stop of a position, which ends with the position."""
        return self.stop_order_type in PROTECTIVE

    @property
    def is_resting(self) -> bool:
        """True when the order waits in the book for the price to come to it."""
        return self.status in ("New", "PartiallyFilled") and not self.match_at

    def is_hit(self, price: Decimal) -> bool:
        """True when an untriggered order triggers at *price*."""
        if self.trigger_direction == RISE:
            return price >= self.trigger_price
        return price <= self.trigger_price


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill, liquidation or funding payment; *seq* orders an account's executions."""

    exec_id: str
    uid: int
    seq: int
    symbol: str
    order_id: str
    link_id: str
    side: Side
    order_type: str
    stop_order_type: str
    create_type: str
    order_price: Decimal
    order_qty: Decimal
    left: Decimal
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_rate: Decimal
    exec_type: str
    is_maker: bool
    closed_size: Decimal
    realised: Decimal
    mark_price: Decimal
    at_ms: int
    parent_link_id: str = ""
    fee_coin: str = USDT
    """The coin *fee* is paid in."""
    extra: tuple[ExtraFee, ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    One change of a *currency*'s balance: change = cash_flow + funding - fee - taxes, balance = the balance after it.

    *funding* is positive when received; the sum of all changes is the balance, exactly.
    """

    row_id: str
    uid: int
    seq: int
    kind: str
    symbol: str
    side: str
    qty: Decimal
    size: Decimal
    price: Decimal
    cash_flow: Decimal
    fee: Decimal
    funding: Decimal
    change: Decimal
    balance: Decimal
    fee_rate: Decimal
    order_id: str
    link_id: str
    trade_id: str
    at_ms: int
    currency: str = USDT
    extra: tuple[ExtraFee, ...] = ()

    @property
    def cost(self) -> Decimal:
        """Fee and taxes."""
        return self.fee + sum((part.fee for part in self.extra), ZERO)


@dataclass(frozen=True, slots=True)
class ClosedPnl:
    """The profit of one closing fill, net of its share of the opening fee and of its own fee."""

    uid: int
    seq: int
    symbol: str
    order_id: str
    side: Side
    order_type: str
    exec_type: str
    order_price: Decimal
    qty: Decimal
    avg_entry: Decimal
    exit_price: Decimal
    pnl: Decimal
    leverage: Decimal
    open_fee: Decimal
    close_fee: Decimal
    at_ms: int


Record = OrderRecord | Execution | Transaction | ClosedPnl
RECORD_KINDS: dict[str, type[Record]] = {
    "order": OrderRecord,
    "execution": Execution,
    "transaction": Transaction,
    "closed_pnl": ClosedPnl,
}


@dataclass(frozen=True, slots=True)
class Row:
    """An append-only line of an account's history as plain JSON values; (uid, kind, seq) is unique."""

    uid: int
    kind: str
    seq: int
    data: dict[str, Any]


def row_of(kind: str, record: Record) -> Row:
    """*record* as a line to keep; money becomes text."""
    return Row(record.uid, kind, record.seq, msgspec.to_builtins(record))


def record_of(row: Row) -> Record:
    """The record *row* was made from; ValueError when *row* is of no known kind."""
    try:
        return msgspec.convert(row.data, RECORD_KINDS[row.kind])
    except (KeyError, msgspec.ValidationError) as error:
        raise ValueError(f"not a history line: {error}") from None


def id_of(*parts: object) -> str:
    """A uuid-shaped id, the same for the same parts."""
    text = blake2b("|".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


Listener = Callable[[str, int, Any], None]
"""Called with (topic, uid, subject) the moment the subject changes."""
