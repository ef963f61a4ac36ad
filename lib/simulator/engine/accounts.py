"""
Accounts: cash, keys, positions, open orders and history of one uid, and the isolated-margin arithmetic on them.

Invariant: the cash balance moves only together with a transaction row, in `Books.book`. Initial margin is entry value
over leverage plus the taker fee at the bankruptcy price; maintenance margin is value x MMR. Cash that is not margin
is available; an isolated position can lose its margin and no more. Which orders fill is decided in `matching`.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain.position import ZERO, Position
from lib.simulator.engine.charges import FeeTerms
from lib.simulator.engine.orders import ClosedPnl, Execution, OrderRecord, Transaction

FULL_PERMISSIONS = {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]}
ONE_WAY, HEDGE = 0, 3


@dataclass(slots=True)
class ApiKey:
    """One API key of an account; empty *ips* = not bound, *refusal* a retCode this key gets from now on (0 = none)."""

    key: str
    secret: str
    read_only: bool = False
    permissions: dict[str, list[str]] = field(default_factory=lambda: {k: list(v) for k, v in FULL_PERMISSIONS.items()})
    ips: list[str] = field(default_factory=list)
    refusal: int = 0
    created_ms: int = 0

    def may(self, group: str, right: str) -> bool:
        """True when the key holds *right* of permission *group*."""
        return right in self.permissions.get(group, [])


@dataclass(slots=True)
class Holding:
    """One symbol's position with what one-way isolated trading needs beside it."""

    position: Position
    stop_id: str = ""
    target_id: str = ""
    trail_id: str = ""
    trailing: Decimal = ZERO
    """The distance of the trailing stop, 0 = none."""
    extra_margin: Decimal = ZERO
    """What was added to the margin of an isolated position."""
    auto_margin: bool = False
    """Whether margin is added by itself before the position would be liquidated."""
    open_fee: Decimal = ZERO
    """Opening fees not yet charged to a closing."""
    current_realised: Decimal = ZERO
    total_realised: Decimal = ZERO
    opened_ms: int = 0
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class Born:
    """The modes of a new account: isolated here, REGULAR_MARGIN (cross) at Bybit; of demo trading or not."""

    margin_mode: str = "ISOLATED_MARGIN"
    is_demo: bool = False


@dataclass(slots=True)
class Account:
    """One uid's account; its *history* lists are append-only and not part of `Engine.export_account`."""

    uid: int
    label: str
    created_ms: int
    keys: list[ApiKey]
    cash: Decimal = ZERO
    margin_mode: str = "ISOLATED_MARGIN"
    position_mode: int = ONE_WAY
    is_demo: bool = False
    """Of demo trading, to which the venue does not offer every route."""
    seq: int = 0
    leverage: dict[str, Decimal] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    """Open orders by id, oldest first."""
    terms: FeeTerms = field(default_factory=FeeTerms)
    coins: dict[str, Decimal] = field(default_factory=dict)
    """The account's balances of other coins than USDT."""
    moves_prices: bool = False
    """Whether a limit price out of range is moved to the end of the range instead of refused."""

    @property
    def is_isolated(self) -> bool:
        """False in cross and portfolio margin, where all positions stand on the account's equity."""
        return self.margin_mode == "ISOLATED_MARGIN"


@dataclass(slots=True)
class History:
    """An account's past, oldest first; *links* holds every order link id ever accepted."""

    closed: list[OrderRecord] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    closed_pnls: list[ClosedPnl] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    by_id: dict[str, OrderRecord] = field(default_factory=dict)
    fills: dict[str, list[Execution]] = field(default_factory=dict)
    """Executions by order id."""

    def add_execution(self, execution: Execution) -> None:
        """Append *execution*, to be found again by its order."""
        self.executions.append(execution)
        self.fills.setdefault(execution.order_id, []).append(execution)


def cost_price(order: OrderRecord) -> Decimal:
    """The price an order's margin is computed at: never cheaper than the price the order may fill at."""
    if order.order_type == "Market":
        return order.last_on_created
    return order.price if order.side == "buy" else max(order.price, order.last_on_created)


def opening_qty(position: Position, order: OrderRecord) -> Decimal:
    """How much of what is left of *order* would open or grow the position."""
    if order.reduce_only:
        return ZERO
    signed = order.left if order.side == "buy" else -order.left
    if position.qty == 0 or (signed > 0) == (position.qty > 0):
        return order.left
    return max(order.left - abs(position.qty), ZERO)
