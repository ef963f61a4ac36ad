"""
Bybit's answers about funding, open interest, the long/short ratio and the order book, as `Measured`.

Source: https://bybit-exchange.github.io/docs/v5/market/tickers, .../open-interest, .../long-short-ratio, .../orderbook
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from lib.domain.candle import decimal_from_wire
from lib.domain.lens import six_digits
from lib.domain.measures import BOOK_DEPTH, Measured

ONE = Decimal(1)
HOURS = 25
"""Hourly rows of open interest: the newest, and those of an hour and of a day before."""


def funding_from(row: Mapping[str, Any], at_ms: int) -> Measured:
    """Of a row of tickers."""
    next_ms = Decimal(int(row["nextFundingTime"]))
    return Measured("funding", at_ms, {"rate": decimal_from_wire(row["fundingRate"]), "next_ms": next_ms})


def open_interest_from(answer: Any) -> Measured:
    """Of hourly rows, newest first: the newest, and its change since an hour and a day before."""
    values = [_positive(row["openInterest"]) for row in answer["result"]["list"]]
    changes = {name: values[0] / values[ago] - ONE for name, ago in (("change_1h", 1), ("change_24h", 24))}
    figures = {"now": values[0]} | {name: six_digits(value) for name, value in changes.items()}
    return Measured("open_interest", int(answer["time"]), figures)


def long_short_from(answer: Any) -> Measured:
    """Of the newest row of account ratios."""
    row = answer["result"]["list"][0]
    figures = {"long": _share(row["buyRatio"]), "short": _share(row["sellRatio"])}
    return Measured("long_short", int(answer["time"]), figures)


def order_book_from(answer: Any) -> Measured:
    """Of both sides, best first."""
    bids, asks = (_levels(answer["result"][side]) for side in ("b", "a"))
    bid, ask = (sum((qty for _, qty in side), Decimal(0)) for side in (bids, asks))
    middle = (bids[0][0] + asks[0][0]) / 2
    spread = (asks[0][0] - bids[0][0]) / middle
    if spread < 0:
        raise ValueError("a book is not crossed")
    figures = {"imbalance": six_digits((bid - ask) / (bid + ask)), "spread": six_digits(spread)}
    return Measured("order_book", int(answer["time"]), figures)


def _levels(rows: Sequence[Sequence[str]]) -> list[tuple[Decimal, Decimal]]:
    return [(_positive(price), _positive(qty)) for price, qty in rows[:BOOK_DEPTH]]


def _positive(text: object) -> Decimal:
    value = decimal_from_wire(text)
    if value <= 0:
        raise ValueError("must be positive")
    return value


def _share(text: object) -> Decimal:
    value = decimal_from_wire(text)
    if not 0 <= value <= 1:
        raise ValueError("a share is 0..1")
    return value
