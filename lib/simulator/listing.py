"""
What an invented market lists: every symbol's trading rules, its price, and the unit its volume is counted in.

A few symbols have rules like the real venue's, odd ones among them: thousands of a coin as one contract, ticks of a
hundred-millionth. Any other USDT perpetual can be made up: its price's scale comes from its name, its tick is the fifth
digit, its step about a tenth of a dollar. Same name, same rules, on every machine. Nothing here is true of the symbol.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b

from lib.domain.instrument import Instrument

_NAME = re.compile(r"[A-Z0-9]{2,20}USDT")
_TURNOVER = 64
"""USDT that a thousandth of a lot is worth, about: what a bitcoin's volume is made of."""
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol of an invented market; *price* is what it moves around, in USDT."""

    rules: Instrument
    price: Decimal
    volume_unit: Decimal


def _listing(symbol: str, price: str, tick: str, step: str, most: str, unit: str = "") -> Listing:
    rules = Instrument(
        symbol=symbol,
        tick_size=Decimal(tick),
        qty_step=Decimal(step),
        min_qty=Decimal(step),
        max_market_qty=Decimal(most),
        min_notional=Decimal(5),
        max_leverage=Decimal(100),
    )
    return Listing(rules, Decimal(price), Decimal(unit) if unit else _unit(Decimal(price), Decimal(step)))


def _unit(price: Decimal, step: Decimal) -> Decimal:
    """A power of ten of coins worth `_TURNOVER` USDT or a little less, a step at least."""
    # written out: a number with an exponent would be written with one
    return Decimal(f"{max(step, Decimal(1).scaleb((_TURNOVER / price).adjusted())):f}")


KNOWN = {
    one.rules.symbol: one
    for one in (
        _listing("BTCUSDT", "64000", "0.10", "0.001", "500", unit="0.001"),
        _listing("ETHUSDT", "3200", "0.01", "0.01", "8000", unit="0.001"),
        _listing("SOLUSDT", "100", "0.010", "0.1", "80000", unit="0.001"),
        _listing("XRPUSDT", "2.1", "0.0001", "0.1", "3000000"),
        _listing("DOGEUSDT", "0.19", "0.00001", "1", "20000000"),
        _listing("1000PEPEUSDT", "0.0112", "0.0000001", "100", "200000000"),
        _listing("SHIB1000USDT", "0.0127", "0.000001", "10", "100000000"),
        _listing("10000SATSUSDT", "0.00031", "0.00000001", "1000", "9000000000"),
    )
}


def listing(symbol: str) -> Listing | None:
    """The listing of *symbol*; None when that cannot be a USDT perpetual's name."""
    if symbol in KNOWN:
        return KNOWN[symbol]
    return _made_up(symbol) if _NAME.fullmatch(symbol) else None


def _made_up(symbol: str) -> Listing:
    first, second = blake2b(symbol.encode(), digest_size=2).digest()
    scale = first % 6 - 3  # a price of 0.001 to 1,000
    price = Decimal(10 + second % 90).scaleb(scale - 1)
    tick, step = Decimal(1).scaleb(scale - 4), Decimal(1).scaleb(-scale - 1)
    return _listing(symbol, f"{price:f}", f"{tick:f}", f"{step:f}", f"{step * MOST_STEPS:f}")
