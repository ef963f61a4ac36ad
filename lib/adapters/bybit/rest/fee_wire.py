"""
The cost of an execution or an order on Bybit's v5 wire, each part in its own coin.

A trading fee is paid in *feeCurrency* (blank: the settlement coin), which is MNT for people who chose so. Taxes (GST,
VAT, …) come beside the fee in *extraFees*: a list on the private stream, that list as JSON text by REST, blank for most
people. Any other text there is not read: it names no amount, and a wallet that differs from the books says so.
https://bybit-exchange.github.io/docs/v5/order/execution · …/websocket/private/execution
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lib.adapters.bybit.rest.wire import Row, number_or_zero, text
from lib.domain.books import TRADING, USDT, Charge
from lib.domain.position import ZERO

_WORD_MAX = 20
_TEXT_MAX = 4_096


def charges(row: Row, value: Decimal) -> tuple[Charge, ...]:
    """Every part of the cost of an execution over *value* USDT; ValueError for an unreadable amount or coin."""
    trading = _charge(TRADING, _word(row, "feeCurrency"), number_or_zero(row, "execFee"), row, value)
    return tuple(part for part in (trading, *_taxes(row, value)) if part.amount)


def _taxes(row: Row, value: Decimal) -> Iterator[Charge]:
    extra = _read(row.get("extraFees"))
    for item in extra if isinstance(extra, list) else [extra]:
        if isinstance(item, dict):
            kind = _word(item, "feeType") or "tax"
            yield _charge(kind, _word(item, "feeCoin"), number_or_zero(item, "fee"), item, value)


def _charge(kind: str, coin: str, amount: Decimal, named: Row, value: Decimal) -> Charge:
    """A part whose rate, if any, stands in *named*."""
    if coin in ("", USDT):
        return Charge(kind, USDT, amount, amount)
    return Charge(kind, coin, amount, number_or_zero(named, "feeRate") * value if named.get("feeRate") else None)


def in_usdt(parts: tuple[Charge, ...]) -> Decimal:
    """The sum that *parts* took from the USDT balance."""
    return sum((part.amount for part in parts if part.coin == USDT), ZERO)


def worth_naming(parts: tuple[Charge, ...]) -> tuple[Charge, ...]:
    """The *parts* without the trading fee in USDT: taxes, and fees in another coin."""
    return tuple(part for part in parts if (part.kind, part.coin) != (TRADING, USDT))


def order_fee(row: Row) -> Decimal:
    """The USDT cost of an order's fills so far: by coin where the venue says so, else by the older field."""
    detail = _read(row.get("cumFeeDetail"))
    if isinstance(detail, dict) and detail:
        return number_or_zero(detail, USDT)
    return number_or_zero(row, "cumExecFee")


def _read(value: object) -> Any:
    """*value*, or its contents when it is JSON text; None for any other text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value[:_TEXT_MAX], parse_float=str, parse_int=str) if value else None
    except (ValueError, RecursionError):
        return None


def _word(row: Row, name: str) -> str:
    word = text(row, name)
    if len(word) > _WORD_MAX or not ((word.isascii() and word.replace("_", "").isalnum()) or not word):
        raise ValueError(f"{name} is no name of a coin or a fee")
    return word
