"""
The funding rate of a simulated venue: a pure function of a seed, the symbol and the time.
"""

from decimal import Decimal
from hashlib import blake2b

from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import EngineConfig

FUNDING_MS = 8 * 60 * MINUTE_MS


def funding_rate(config: EngineConfig, symbol: str, at_ms: int) -> Decimal:
    """The rate settled at the funding time at or before *at_ms*, a fraction with eight decimals."""
    time = at_ms - at_ms % FUNDING_MS
    digest = blake2b(f"{config.seed}|funding|{symbol}|{time}".encode(), digest_size=4).digest()
    share = Decimal(int.from_bytes(digest) - 2**31) / 2**31
    return (config.funding_rate + config.funding_spread * share).quantize(Decimal("1E-8"))
