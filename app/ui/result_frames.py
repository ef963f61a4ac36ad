"""
Round trips, positions, orders, executions, funding and transfers as frames for a table. Cells are plain text.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from app.ui.logs import frame
from app.ui.orders import order_words, side_words
from app.ui.palette import Palette
from app.ui.reasons import say
from app.ui.results import held, ratio, signed
from app.ui.write import cost, count, exact, money, percent, price, shown
from lib.domain.order import Order
from lib.domain.position import Position, unrealised_pnl
from lib.domain.round_trips import RoundTrip
from lib.domain.won_rates import WonRates
from lib.queries import BookedFill, TransferRow

Word = Callable[..., str]
At = Callable[[int], str]
NO_RATES = WonRates()
TRIPS = (
    "closed", "symbol", "side", "entry", "exit", "qty", "leverage", "fees", "funding", "net", "on_margin", "r", "held",
    "ended", "entry_log", "exit_log",
)  # fmt: skip
OPEN = (
    "opened",
    "symbol",
    "side",
    "qty",
    "entry",
    "last",
    "pnl",
    "leverage",
    "stop",
    "target",
    "fees",
    "funding",
    "entry_log",
)
ORDERS = (
    "time",
    "symbol",
    "what",
    "state",
    "qty",
    "filled",
    "average",
    "limit",
    "stop",
    "target",
    "fee",
    "why",
    "link",
)
FILLS = ("time", "symbol", "what", "qty", "price", "realised", "fee", "kind", "exec")
FUNDING = ("time", "symbol", "amount", "exec")
TRANSFERS = ("time", "transfer", "amount", "number")


def trip_frame(trips: Sequence[RoundTrip], word: Word, at: At, rates: WonRates = NO_RATES) -> Any:
    """Closed trips under TRIPS; with *rates* each net in won at the rate of its day, too."""
    if not rates:
        return frame(TRIPS, [_trip(trip, word, at) for trip in trips])
    lines = [(*_trip(trip, word, at), _won(rates.won(trip.net, trip.closed_ms or 0))) for trip in trips]
    table = frame((*TRIPS, "net_krw"), lines)
    place = TRIPS.index("net") + 1
    return table[[*TRIPS[:place], "net_krw", *TRIPS[place:]]]


def _won(amount: Decimal | None) -> str:
    return (
        "–" if amount is None else f"{'+' if amount > 0 else ''}{count(amount.quantize(Decimal(1), ROUND_HALF_EVEN))}"
    )


def _trip(trip: RoundTrip, word: Word, at: At) -> tuple[object, ...]:
    return (
        at(trip.closed_ms or 0),
        trip.symbol,
        [_side(trip, word)],
        price(trip.entry_price),
        price(trip.exit_price),
        exact(trip.qty),
        f"{trip.leverage}×" if trip.leverage else "–",
        _fees(trip),
        signed(trip.funding),
        signed(trip.net),
        percent(trip.on_margin, signed=True),
        ratio(trip.r_multiple),
        held(trip.duration_ms, word),
        word(f"end.{trip.ended}"),
        _log(trip.entry.log_id if trip.entry else None),
        _log(trip.exit.log_id if trip.exit else None),
    )


def _fees(trip: RoundTrip) -> str:
    """USDT in cents; to the last digit where another coin or a tax is among them. Files have every digit."""
    return cost(trip.fees, trip.charges) if trip.charges else money(trip.fees)


def _side(trip: RoundTrip, word: Word) -> str:
    return word("position.long" if trip.is_long else "position.short")


def _log(log_id: int | None) -> str | None:
    return None if log_id is None else f"/trade_logs?id={log_id}"


def open_frame(trips: Sequence[RoundTrip], last: Callable[[str], Decimal | None], word: Word, at: At) -> Any:
    """Open positions under OPEN, at the *last* price of their symbol."""
    return frame(OPEN, [_open(trip, last(trip.symbol), word, at) for trip in trips])


def _open(trip: RoundTrip, last: Decimal | None, word: Word, at: At) -> tuple[object, ...]:
    left = trip.qty - trip.exit_qty
    held_now = Position(trip.symbol, left if trip.is_long else -left, trip.entry_price)
    entry = trip.entry
    return (
        at(trip.opened_ms),
        trip.symbol,
        [_side(trip, word)],
        exact(left),
        price(trip.entry_price),
        price(last),
        signed(None if last is None else unrealised_pnl(held_now, last)),
        f"{trip.leverage}×" if trip.leverage else "–",
        price(entry.stop_loss or None if entry else None),
        price(entry.take_profit or None if entry else None),
        _fees(trip),
        signed(trip.funding),
        _log(entry.log_id if entry else None),
    )


def order_frame(orders: Sequence[Order], word: Word, at: At, language: str) -> Any:
    """Orders under ORDERS."""
    lines = [
        (
            at(order.created_ms or order.t_ms),
            order.symbol,
            order_words(order, word),
            word(f"state.{order.state.value}"),
            exact(order.qty),
            exact(order.filled_qty),
            price(order.avg_price or None),
            price(order.limit_price or None),
            price(order.stop_loss or None),
            price(order.take_profit or None),
            exact(order.fee),
            say(order.why, language),
            order.order_link_id,
        )
        for order in orders
    ]
    return frame(ORDERS, lines)


def fill_frame(fills: Sequence[BookedFill], word: Word, at: At) -> Any:
    """Executions under FILLS."""
    lines = [
        (
            at(fill.at_ms),
            fill.symbol,
            side_words(fill.side, word, is_exit=bool(fill.realised) or fill.is_stop),
            exact(fill.qty),
            price(fill.price),
            signed(fill.realised) if fill.realised else "–",
            cost(fill.fee, fill.charges),
            word("fill.stop") if fill.is_stop and fill.kind == "trade" else word(f"fill.{fill.kind}"),
            fill.exec_id,
        )
        for fill in fills
    ]
    return frame(FILLS, lines)


def funding_frame(fills: Sequence[BookedFill], at: At) -> Any:
    """Funding under FUNDING: what was received is positive."""
    return frame(FUNDING, [(at(row.at_ms), row.symbol, _received(row), row.exec_id) for row in fills])


def _received(row: BookedFill) -> str:
    return shown(f"{-row.fee:+,.8f}".rstrip("0"))


def transfer_frame(rows: Sequence[TransferRow], word: Word, at: At) -> Any:
    """Transfers under TRANSFERS."""
    lines = [(at(row.at_ms), word(f"transfer.{row.kind}"), signed(row.amount), row.transfer_id) for row in rows]
    return frame(TRANSFERS, lines)


def coloured(table: Any, columns: Sequence[str], colours: Palette) -> Any:
    """*table* with gains and losses of *columns* in their colours."""

    def paint(cell: str) -> str:
        tone = "up" if cell.startswith("+") else "down" if cell.startswith("-") else ""
        return f"color: {colours.of(tone)}" if tone else ""

    return table.style.map(paint, subset=list(columns))
