"""
The price at which an order fills at a print, and the terms of the venue that fills it. Pure.

A taker buys half a spread and the slippage above the last print, never beyond its limit. The simulator and the replay
of decisions (`lib.evidence`) ask the same functions, so that both give the same money.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.instrument import Instrument
from lib.domain.position import Side


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """
    Fees, margin and frictions; rates are fractions.

    *liquidity* caps what one second of trading gives a user's order (base units, None = no cap); *market_bound* is how
    far from the last price a market order may fill.
    """

    match_delay_ms: int = 40
    taker_fee: Decimal = Decimal("0.00055")
    maker_fee: Decimal = Decimal("0.0002")
    half_spread_ticks: int = 1
    slippage: Decimal = Decimal("0.00002")
    market_bound: Decimal = Decimal("0.05")
    liquidity: Decimal | None = None
    maintenance_rate: Decimal = Decimal("0.005")
    risk_limit: Decimal = Decimal("2000000")
    funding_rate: Decimal = Decimal("0.0001")
    funding_spread: Decimal = Decimal("0.00005")
    """The rate of a funding time is *funding_rate* plus or minus up to this, by hash."""
    default_leverage: Decimal = Decimal(10)
    seed: str = "0"


def half_spread(instrument: Instrument, config: EngineConfig) -> Decimal:
    """From the last print to the best price on either side, in USDT."""
    return instrument.tick_size * config.half_spread_ticks


def crosses(instrument: Instrument, config: EngineConfig, side: Side, price: Decimal, limit: Decimal) -> bool:
    """Whether an order of *side* at *limit* can take liquidity at the print *price*."""
    half = half_spread(instrument, config)
    return price + half <= limit if side == "buy" else price - half >= limit


def taker_price(instrument: Instrument, config: EngineConfig, side: Side, price: Decimal, limit: Decimal) -> Decimal:
    """What a taker of *side* pays or gets at the print *price*, never beyond *limit*."""
    away = price * config.slippage + half_spread(instrument, config)
    if side == "buy":
        return min(instrument.ceil_price(price + away), limit)
    return max(instrument.floor_price(price - away), limit)


def market_bound(instrument: Instrument, config: EngineConfig, side: str, price: Decimal) -> Decimal:
    """The worst price a market order of *side* may get."""
    reach = price * config.market_bound
    if side == "buy":
        return instrument.floor_price(price + reach)
    return instrument.ceil_price(price - reach)


def takeover_price(instrument: Instrument, qty: Decimal, bust: Decimal) -> Decimal:
    """The price *bust* at which a position of *qty* has no margin left, on the tick that costs no more than that."""
    price = instrument.ceil_price(bust) if qty > 0 else instrument.floor_price(bust)
    return max(price, instrument.tick_size)
