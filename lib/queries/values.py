"""What the read models return: frozen, exact, and nothing secret. Money in USDT, `_ms` are epoch ms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lib.domain.account import NUMBERS, AccountSettings, Doubt, Numbers
from lib.domain.books import Charge, balance, paid_in
from lib.domain.equity import drawdown
from lib.domain.input_blocks import ShownNote
from lib.domain.instrument import Instrument
from lib.domain.margin import Liquidation, liquidation_price, lowest_maintenance
from lib.domain.order import Order
from lib.domain.position import ZERO, Position, Side, unrealised_pnl
from lib.domain.reason import NOTHING, Reason
from lib.market.status import ClosedMarket
from lib.queries.paging import Cursor


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the trade log."""

    id: int
    t_ms: int
    symbol: str
    status: str
    outcome: str
    action: str | None
    confidence: Decimal | None
    leverage: Decimal | None
    reason: Reason
    message: Reason
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """
    One page of the trade log, newest first, and the places its neighbours begin at (None = there is none).

    *total* counts the rows that match, exactly when *all_counted*; there are more otherwise.
    """

    rows: tuple[LogRow, ...] = ()
    total: int = 0
    all_counted: bool = True
    older: Cursor | None = None
    newer: Cursor | None = None


@dataclass(frozen=True, slots=True)
class ClampRow:
    """One cap having fired."""

    name: str
    asked: str
    allowed: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One transition of an order; *from_state* is "" for its creation."""

    order_link_id: str
    at_ms: int
    from_state: str
    to_state: str
    why: Reason
    code: int


@dataclass(frozen=True, slots=True)
class FillRow:
    """
    One execution; *fee* is what it cost in USDT, *realised* is before that fee. *charges* name what is more than a
    trading fee in USDT, *order_id* is that of our order.
    """

    at_ms: int
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realised: Decimal
    kind: str
    is_stop: bool
    charges: tuple[Charge, ...] = ()
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogDetail:
    """
    Everything about one (account, T). *decision* is as stored (decimals as text), None without one; *abstained* says
    why the analyst gave none.

    *prompt*, *raw_answer* and *model* are "" and *candles* "[]" when the analyst was not asked. *candles* is JSON text,
    *answered_ms* when the answer was written down; a call without a known price has no *cost_usd*. *archived* = the
    prompt, the answer and all candles but the newest are in a file of the archive.
    """

    row: LogRow
    decision: Mapping[str, Any] | None
    clamps: tuple[ClampRow, ...]
    orders: tuple[Order, ...]
    events: tuple[EventRow, ...]
    fills: tuple[FillRow, ...]
    prompt: str = ""
    raw_answer: str = ""
    candles: str = "[]"
    model: str = ""
    latency_ms: int = 0
    abstained: Reason = NOTHING
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal | None = None
    answered_ms: int | None = None
    archived: bool = False
    sent_sha256: str = ""
    inputs: tuple[ShownNote, ...] = ()
    """The blocks shown beside the candles, and those left out."""


@dataclass(frozen=True, slots=True)
class Holding:
    """
    A person's active account as our books have it.

    *stop_loss*, *take_profit* and *leverage* are those the newest filled entry was sent with, None while flat; *thesis*
    is the reason of the decision behind it, which is the log row *log_id*. *liquidation* is the exchange's price of it,
    0 = none, None = the exchange has told nothing of the position as it is.
    """

    account_id: int
    venue: str
    feed: str
    symbol: str
    start_balance: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    position_qty: Decimal
    avg_entry_price: Decimal
    pause_reason: Reason
    trading_enabled: bool
    peak_equity: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    leverage: int | None = None
    entered_ms: int | None = None
    thesis: Reason = NOTHING
    log_id: int | None = None
    rounds_won: int = 0
    rounds_lost: int = 0
    transfers: Decimal = ZERO
    difference: Decimal = ZERO
    checked_ms: int = 0
    liquidation: Decimal | None = None
    traded: bool = True
    """False: its owner took the symbol off."""

    @property
    def balance(self) -> Decimal:
        """Cash by our books."""
        return balance(self.start_balance, self.realised, self.fees, self.funding, self.transfers)

    @property
    def paid_in(self) -> Decimal:
        """What its owner put in so far, less what was taken out."""
        return paid_in(self.start_balance, self.transfers)

    @property
    def position(self) -> Position:
        """The position as its entry was sent; leverage 1 where nobody knows it."""
        return Position(
            self.symbol,
            self.position_qty,
            self.avg_entry_price,
            Decimal(self.leverage or 1),
            self.stop_loss or ZERO,
            self.take_profit or ZERO,
        )

    def liquidated_at(self, rules: Instrument | None) -> Liquidation | None:
        """Where the open position is liquidated: by the exchange, else estimated by *rules*; None = nobody knows."""
        if self.liquidation is not None:
            return Liquidation(self.liquidation, is_told=True)
        if rules is None or not self.leverage:
            return None
        estimate = liquidation_price(self.position, lowest_maintenance(rules.max_leverage))
        return Liquidation(estimate, is_told=False)

    def open_pnl(self, price: Decimal) -> Decimal:
        """What the position would realise at *price*, before fees."""
        return unrealised_pnl(self.position, price)

    def equity(self, price: Decimal) -> Decimal:
        """What the exchange has: cash by our books, what its wallet differed by, the open position at *price*."""
        return self.balance + self.difference + self.open_pnl(price)


@dataclass(frozen=True, slots=True)
class EquityRow:
    """The wallet at one T; *transfers* is what the books had counted as paid in and out by then."""

    t_ms: int
    balance: Decimal
    equity: Decimal
    difference: Decimal
    transfers: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Tiles:
    """
    How the money stands now. *balance* is cash by our books, *difference* by how much the exchange's wallet held more
    when it was read for T *checked_ms* (0 = never yet); *equity* is both and the open position. *paid_in* is what the
    owner put in less what was taken out; *today* is since *day_start*, the equity the loss limit of the UTC day is
    measured from. *drawdown* is a fraction of the highest equity seen, *win_rate* of the *rounds* that won or lost
    (None before the first). *price* None = nothing open, or no price known, and then *open_pnl* is 0.
    """

    equity: Decimal
    balance: Decimal
    paid_in: Decimal
    day_start: Decimal
    today: Decimal
    open_pnl: Decimal
    drawdown: Decimal
    win_rate: Decimal | None
    rounds: int
    fees: Decimal
    funding: Decimal
    price: Decimal | None
    curve: tuple[EquityRow, ...]
    difference: Decimal = ZERO
    checked_ms: int = 0


@dataclass(frozen=True, slots=True)
class Stand:
    """
    One account as of one moment: *curve* is a sketch, oldest first, *day_start* as in `Tiles`. *others* are what is
    open in symbols that are not shown first.
    """

    held: Holding
    curve: tuple[EquityRow, ...]
    day_start: Decimal
    others: tuple[Holding, ...] = ()

    def beside(self, prices: Mapping[str, Decimal | None]) -> Decimal:
        """What *others* would realise at *prices*; one without a price counts as nothing."""
        priced = ((one, prices.get(one.symbol)) for one in self.others)
        return sum((one.open_pnl(price) for one, price in priced if price is not None), ZERO)

    def tiles(self, price: Decimal | None, beside: Decimal = ZERO) -> Tiles:
        """The figures at *price* (None while no price is known), with *beside* of open profit in other symbols."""
        held = self.held
        price = price if held.position_qty else None
        open_pnl = beside + (ZERO if price is None else held.open_pnl(price))
        equity = held.balance + held.difference + open_pnl
        rounds = held.rounds_won + held.rounds_lost
        return Tiles(
            equity=equity,
            balance=held.balance,
            paid_in=held.paid_in,
            day_start=self.day_start,
            today=equity - self.day_start,
            open_pnl=open_pnl,
            drawdown=drawdown(held.peak_equity, equity),
            win_rate=Decimal(held.rounds_won) / rounds if rounds else None,
            rounds=rounds,
            fees=held.fees,
            funding=held.funding,
            price=price,
            curve=self.curve,
            difference=held.difference,
            checked_ms=held.checked_ms,
        )


@dataclass(frozen=True, slots=True)
class Marker:
    """
    One order of ours that filled, or an exchange-side exit, at its first fill. *outcome*: bought, sold, closed.

    *log_id* is None for what the exchange did by itself (stop, target, liquidation); *why* is the decision's reason.
    """

    t_ms: int
    outcome: str
    side: str
    price: Decimal
    qty: Decimal
    realised: Decimal
    is_stop: bool
    log_id: int | None
    why: Reason = NOTHING


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; *auto_trade* is the switch."""

    settings: AccountSettings
    auto_trade: bool
    auto_since_ms: int
    trading_enabled: bool
    settings_version: int
    numbers: Numbers = NUMBERS


@dataclass(frozen=True, slots=True)
class CallRow:
    """An analyst's call as the provider counted it; *cost_usd* None = no prices were known."""

    t_ms: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class InstructionRow:
    """A version of a person's own instructions; *made_ms* 0 = written before versions were kept."""

    number: int
    text: str
    sha256: str
    made_ms: int


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """
    The key in use: four characters and when it came; *pause_reason* says why its account is paused. *doubts* are what
    the exchange did not tell or set when it was entered.
    """

    account_id: int
    venue: str
    last4: str
    created_ms: int
    pause_reason: Reason
    trading_enabled: bool
    doubts: tuple[Doubt, ...] = ()

    @property
    def masked(self) -> str:
        """As pages show it."""
        return f"••••{self.last4}"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What a person last asked of the trader. *state*: waiting, taken, done."""

    kind: str
    asked_ms: int
    state: str
    result: Reason
    symbol: str = ""
    """Of the position that a close is about; "" = of the symbol that is shown first."""


@dataclass(frozen=True, slots=True)
class Health:
    """
    What is known of the processes. Ages in seconds, None = never seen.

    *candle_age_s* counts from the close of the newest closed candle; *analyst* is decided, abstained, failed or "".
    """

    feed: str
    websocket: bool
    candle_age_s: float | None
    collector_age_s: float | None
    trader_age_s: float | None
    problem: str
    last_cycle_ms: int | None
    last_cycle_outcome: str
    analyst: str
    analyst_model: str
    analyst_latency_ms: int | None
    analyst_ms: int | None
    closed_markets: tuple[ClosedMarket, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalystProfile:
    """How the analyst is asked: at which *host*, as which *model*, what it calls itself, and the fields it takes."""

    host: str
    model: str
    answered: str
    how: str
