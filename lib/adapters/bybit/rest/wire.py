"""
Bybit v5 replies as values: the envelope, strict numbers, wallet, position, ticker and instrument.

Every number on this wire is a string; each becomes an exact Decimal or the whole reply is a ValueError. Blank means
zero only where the venue documents blanks. Orders and executions are in `order_wire`, candles in `kline_wire`. No I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from lib.domain import reason_codes as codes
from lib.domain.candle import decimal_from_wire
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import Wallet
from lib.domain.instrument import Instrument
from lib.domain.modes import MarginMode
from lib.domain.position import ZERO, Position
from lib.domain.quotes import Ticker
from lib.ports.market import NotListed

MARGIN_MODES: Mapping[str, MarginMode] = {
    "ISOLATED_MARGIN": "isolated",
    "REGULAR_MARGIN": "cross",
    "PORTFOLIO_MARGIN": "portfolio",
}
Row = Mapping[str, Any]
T = TypeVar("T")


class Envelope(msgspec.Struct, frozen=True):
    """The envelope of every answer; *time* is the venue's clock, epoch ms."""

    code: int = msgspec.field(name="retCode")
    time: int
    message: str = msgspec.field(name="retMsg", default="")
    result: dict[str, Any] | None = None

    @property
    def rows(self) -> Sequence[Row]:
        """`result.list`; ValueError when that is not a list of objects."""
        rows = (self.result or {}).get("list")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("the answer has no list")
        return rows

    @property
    def lists(self) -> Sequence[Sequence[object]]:
        """`result.list` of klines, whose rows are lists; ValueError when it is something else."""
        rows = (self.result or {}).get("list")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise ValueError("the answer has no list of rows")
        return rows

    @property
    def cursor(self) -> str:
        """`result.nextPageCursor`, empty on the last page."""
        cursor = (self.result or {}).get("nextPageCursor") or ""
        if not isinstance(cursor, str):
            raise ValueError("the page cursor is not text")
        return cursor


_envelope = msgspec.json.Decoder(Envelope)


def decode_envelope(body: bytes) -> Envelope:
    """The envelope of *body*; ValueError for anything else (an HTML page, half a reply)."""
    try:
        return _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the answer is not a Bybit v5 reply") from None


def parsed(envelope: Envelope, parse: Callable[[Envelope], T]) -> T:
    """*envelope* as read by *parse*; *Retry* when it cannot be read: an unreadable answer proves nothing."""
    try:
        return parse(envelope)
    except (ValueError, TypeError, AttributeError) as problem:
        raise Retry(codes.VENUE_ANSWER_BAD(problem=str(problem)[:120])) from None


def text(row: Row, name: str) -> str:
    """A text field, "" when absent; ValueError when it is something else."""
    value = row.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value


def number(row: Row, name: str) -> Decimal:
    """A number that must be there."""
    try:
        return decimal_from_wire(row.get(name))
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


def number_or_zero(row: Row, name: str) -> Decimal:
    """A number the venue may leave blank or out."""
    return ZERO if row.get(name, "") in ("", None) else number(row, name)


def millis(row: Row, name: str) -> int:
    """A time in epoch ms, sent as text."""
    value = text(row, name)
    if not (value.isascii() and value.isdigit() and len(value) <= 15):
        raise ValueError(f"{name} is not a time in ms")
    return int(value)


def plain(value: Decimal) -> str:
    """*value* as the venue wants it: digits, no exponent."""
    return format(value, "f")


def wallet_from(envelope: Envelope) -> Wallet:
    """
    The USDT wallet under isolated margin; an account without USDT has zeros.

    The account-wide fields do not apply in isolated mode, so *available* = cash - margin of positions and orders
    - locked - bonus. https://bybit-exchange.github.io/docs/v5/account/wallet-balance
    """
    coins = [coin for account in envelope.rows for coin in account.get("coin", ()) if coin.get("coin") == "USDT"]
    if not coins:
        return Wallet(ZERO, ZERO, ZERO, envelope.time)
    coin = coins[0]
    balance = number_or_zero(coin, "walletBalance")
    used = ("totalPositionIM", "totalOrderIM", "locked", "bonus")
    available = balance - sum((number_or_zero(coin, name) for name in used), ZERO)
    return Wallet(balance, number_or_zero(coin, "equity"), available, envelope.time)


def position_from(envelope: Envelope, symbol: str) -> Position:
    """The one-way position; *Pause* when the account is in hedge mode with an open position."""
    rows = [row for row in envelope.rows if row.get("symbol") == symbol]
    if any(row.get("positionIdx") and number_or_zero(row, "size") for row in rows):
        raise Pause(codes.SWITCH_TO_ONE_WAY(symbol=symbol))
    row = next((row for row in rows if not row.get("positionIdx")), None)
    if row is None:
        return Position(symbol, seen_at=envelope.time, one_way=not rows)  # hedge mode has a row for each side
    return Position(
        symbol=symbol,
        qty=_signed_size(row),
        avg_entry_price=number_or_zero(row, "avgPrice"),
        leverage=number_or_zero(row, "leverage") or Decimal(1),
        stop_loss=number_or_zero(row, "stopLoss"),
        take_profit=number_or_zero(row, "takeProfit"),
        unrealised=number_or_zero(row, "unrealisedPnl"),
        seen_at=envelope.time,
        mark=number_or_zero(row, "markPrice"),
        liquidation=number_or_zero(row, "liqPrice"),
        trailing=number_or_zero(row, "trailingStop"),
    )


def margin_from(envelope: Envelope) -> MarginMode:
    """The account's margin mode. https://bybit-exchange.github.io/docs/v5/account/account-info"""
    mode = MARGIN_MODES.get(text(envelope.result or {}, "marginMode"))
    if mode is None:
        raise ValueError("the margin mode is not known")
    return mode


def _signed_size(row: Row) -> Decimal:
    size = number_or_zero(row, "size")
    if not size:
        return ZERO
    sign = {"Buy": 1, "Sell": -1}.get(text(row, "side"))
    if sign is None or size < 0:
        raise ValueError("an open position has a side and a positive size")
    return size * sign


def ticker_from(envelope: Envelope, symbol: str) -> Ticker:
    """Last and mark price of *symbol*."""
    row = row_of(envelope, symbol)
    return Ticker(symbol, _positive(row, "lastPrice"), _positive(row, "markPrice"), envelope.time)


def instrument_from(envelope: Envelope, symbol: str) -> Instrument:
    """Trading rules of *symbol*. https://bybit-exchange.github.io/docs/v5/market/instrument"""
    row = row_of(envelope, symbol)
    lots, prices, leverage = (_part(row, name) for name in ("lotSizeFilter", "priceFilter", "leverageFilter"))
    return Instrument(
        symbol=symbol,
        tick_size=_positive(prices, "tickSize"),
        qty_step=_positive(lots, "qtyStep"),
        min_qty=_positive(lots, "minOrderQty"),
        max_market_qty=_positive(lots, "maxMktOrderQty"),
        min_notional=number(lots, "minNotionalValue"),
        max_leverage=_positive(leverage, "maxLeverage"),
        trading=text(row, "status") == "Trading",
    )


def row_of(envelope: Envelope, symbol: str) -> Row:
    """The row of *symbol*; *NotListed* when there is none."""
    for row in envelope.rows:
        if row.get("symbol") == symbol:
            return row
    raise NotListed(codes.PERPETUAL_NOT_LISTED(symbol=symbol))


def _part(row: Row, name: str) -> Row:
    part = row.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{name} is missing")
    return part


def _positive(row: Row, name: str) -> Decimal:
    value = number(row, name)
    if value <= 0:
        raise ValueError(f"{name} is not positive")
    return value
