"""
What people are told of: the kinds of events, whether each is told by default, and the events an order or a fill makes.

An *Event* is told once for the thing it tells of: *about* names that thing, and whoever stores events keeps one a
person and *about* ("" = every telling is a thing of its own). Its words are a *Reason*, so no secret and no language is
in it. Pure; where events are kept is the ledger's outbox, and who sends them is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lib.domain import reason_codes as codes
from lib.domain.account import Slot
from lib.domain.books import Fill, RunningBooks
from lib.domain.order import Order, OrderState
from lib.domain.reason import Reason

LONGEST_ABOUT = 120
DAY_MS = 86_400_000
WARNINGS = (1, 3, 7)
"""Days before a key's end that its owner is told, once each."""


class EventKind(StrEnum):
    """What happened; the value is stored, so it is never renamed."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    REPAIRED = "repaired"
    MOVED = "moved"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    LOCKED = "locked"
    PAUSED = "paused"
    OPERATOR = "operator"
    PROVED = "proved"
    FLATTEN = "flatten"
    UNRESOLVED = "unresolved"
    BOOKS = "books"
    SILENT = "silent"
    BACK = "back"
    DAILY = "daily"
    KEY_EXPIRES = "key_expires"
    CHANNEL = "channel"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a kind is told: its *title*, whether it is sent unless its reader says no, and in quiet hours too."""

    title: Reason
    wanted: bool = True
    urgent: bool = False


MANNERS: Mapping[EventKind, Manner] = {
    EventKind.ENTRY: Manner(codes.TOLD_ENTRY()),
    EventKind.EXIT: Manner(codes.TOLD_EXIT()),
    EventKind.STOP: Manner(codes.TOLD_STOP()),
    EventKind.REPAIRED: Manner(codes.TOLD_REPAIRED()),
    EventKind.MOVED: Manner(codes.TOLD_MOVED()),
    EventKind.LIQUIDATION: Manner(codes.TOLD_LIQUIDATION(), urgent=True),
    EventKind.ADL: Manner(codes.TOLD_ADL(), urgent=True),
    EventKind.LOCKED: Manner(codes.TOLD_LOCKED()),
    EventKind.PAUSED: Manner(codes.TOLD_PAUSED(), urgent=True),
    EventKind.OPERATOR: Manner(codes.TOLD_OPERATOR(), urgent=True),
    EventKind.PROVED: Manner(codes.TOLD_PROVED(), urgent=True),
    EventKind.FLATTEN: Manner(codes.TOLD_FLATTEN(), urgent=True),
    EventKind.UNRESOLVED: Manner(codes.TOLD_UNRESOLVED(), urgent=True),
    EventKind.BOOKS: Manner(codes.TOLD_BOOKS()),
    EventKind.SILENT: Manner(codes.TOLD_SILENT(), urgent=True),
    EventKind.BACK: Manner(codes.TOLD_BACK(), urgent=True),
    EventKind.DAILY: Manner(codes.TOLD_DAILY()),
    EventKind.KEY_EXPIRES: Manner(codes.TOLD_KEY_EXPIRES()),
    EventKind.CHANNEL: Manner(codes.TOLD_CHANNEL(), urgent=True),
    EventKind.TEST: Manner(codes.TOLD_TEST(), urgent=True),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell, and what it is *about* (at most `LONGEST_ABOUT` ASCII characters)."""

    kind: EventKind
    why: Reason
    about: str = ""


def of_order(order: Order) -> Event | None:
    """What the owner is told of *order* in the state it has just reached; None for most states."""
    if order.state is OrderState.NEEDS_HUMAN:
        why = codes.ORDER_NEEDS_YOU(symbol=order.symbol, link=order.order_link_id)
        return Event(EventKind.UNRESOLVED, why, f"unresolved:{order.order_link_id}")
    if not order.is_entry or order.state not in (OrderState.FILLED, OrderState.PARTIAL):
        return None
    entered = codes.ENTERED(
        symbol=order.symbol,
        way="long" if order.side == "buy" else "short",
        qty=order.filled_qty,
        price=order.avg_price,
        stop=order.stop_loss,
    )
    return Event(EventKind.ENTRY, entered, f"entry:{order.order_link_id}")


def of_fill(before: RunningBooks, after: RunningBooks, fill: Fill, realised: Decimal) -> Event | None:
    """
    What the owner is told of *fill*, which moved the books from *before* to *after*: the end of a round trip with its
    result (what its closing fills realised less their own fees, USDT), None for anything else.
    """
    held = before.position_qty
    is_over = held != 0 and (after.position_qty == 0 or (after.position_qty > 0) != (held > 0))
    if not is_over:
        return None
    way, result = "long" if held > 0 else "short", before.round_result + realised - fill.fee
    told = codes.LEFT(symbol=fill.symbol, way=way, price=fill.price, result=result)
    by_stop = fill.is_stop and fill.kind == "trade"
    return Event(EventKind.STOP if by_stop else EventKind.EXIT, told, f"exit:{fill.exec_id}")


def of_proof(account_id: int, switched_ms: int) -> Event:
    """A thrown switch of the account, or of the platform (0), was proved to have stopped everything."""
    return Event(EventKind.PROVED, codes.STOP_IS_PROVED(), f"proved:{account_id}:{switched_ms}")


def of_repair(account_id: int, symbol: str, stop: Decimal, entry_ms: int, now_ms: int) -> Event:
    """A stop that was gone stands again at *stop*; told once an hour of a position that was entered at *entry_ms*."""
    about = f"repaired:{account_id}:{symbol}:{entry_ms}:{now_ms // 3_600_000}"
    return Event(EventKind.REPAIRED, codes.STOP_PUT_BACK(symbol=symbol, stop=stop), about)


def of_move(entry: Order, why: Reason) -> Event:
    """A rule moved the stop of *entry*'s position: told once a reason, whoever saw it."""
    return Event(EventKind.MOVED, why, f"moved:{entry.order_link_id}:{why.code}")


def of_time_stop(entry_ms: int, slot: Slot, why: Reason) -> Event:
    """A rule closes the position that was entered at *entry_ms*; its result is told when it is over."""
    return Event(EventKind.EXIT, why, f"time_stop:{slot[0]}:{slot[1]}:{entry_ms}")


def of_expiry(account_id: int, expires_ms: int, now_ms: int) -> Event | None:
    """What the owner is told at *now_ms* of a key that ends at *expires_ms* (0 = never); None while that is far off."""
    left = expires_ms - now_ms
    days = next((days for days in WARNINGS if 0 < left <= days * DAY_MS), None)
    if not expires_ms or days is None:
        return None
    return Event(EventKind.KEY_EXPIRES, codes.KEY_EXPIRES(at=expires_ms), f"key:{account_id}:{expires_ms}:{days}")
