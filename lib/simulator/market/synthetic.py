"""
A market invented from a seed: a pure function of (seed, symbol, minute), for ever in both directions from 1970.

Minute boundaries come from fractal value noise in log space (each octave twice as long and sqrt(2) as strong, which
is how a random walk looks from afar), with volatility that comes and goes, jumps that fade over a day and sleepy
spells without a trade. Invariants: open == previous close exactly, prices on the tick, and the octaves end at about
three months, so the price stays between half and twice its base for ever. Noise is IEEE basic arithmetic only, hence
equal on every machine; it becomes money by rounding to ticks. It is not a model of any real market.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.instrument import Instrument
from lib.simulator.market.path import FOR_EVER, Path, forming_on, price_on, walk

BASE_PRICES = {"BTCUSDT": 64_000, "ETHUSDT": 3_200}
OTHER_BASE = 100
AMPLITUDE = 0.0004
"""Log-price amplitude of the one-minute octave; about 0.05 % a minute, 2-3 % a day in sum."""
FAST_OCTAVES = range(7)
SLOW_OCTAVES = range(7, 18)
JUMP_CELL, JUMP_FADES = 720, 1440
SLEEP_CELL = 64
BLOCK = 16


class Noise:
    """Hash noise of one symbol; every number depends on (seed, symbol, channel, index) alone."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._key = f"{seed}|{symbol}"
        self._block = lru_cache(maxsize=65_536)(self._hash_block)

    def _hash_block(self, channel: str, block: int) -> tuple[float, ...]:
        digest = blake2b(f"{self._key}|{channel}|{block}".encode(), digest_size=4 * BLOCK).digest()
        return tuple(int.from_bytes(digest[i : i + 4]) / 2**31 - 1 for i in range(0, 4 * BLOCK, 4))

    def at(self, channel: str, index: int) -> float:
        """A number in [-1, 1)."""
        block, place = divmod(index, BLOCK)
        return self._block(channel, block)[place]

    def smooth(self, channel: str, minute: int, period: int) -> float:
        """Value noise: lattice points *period* minutes apart, smoothly joined."""
        index, rest = divmod(minute, period)
        here = self.at(channel, index)
        if not rest:
            return here
        share = rest / period
        return here + (self.at(channel, index + 1) - here) * share * share * (3 - 2 * share)


class SyntheticMarket:
    """Prices of *instruments* out of *seed*; implements `Market`, never halts."""

    def __init__(self, seed: int, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = dict(instruments)
        self._noise = {symbol: Noise(seed, symbol) for symbol in instruments}
        self._boundary = lru_cache(maxsize=400_000)(self._make_boundary)
        self._candle = lru_cache(maxsize=200_000)(self._make_candle)
        self._path = lru_cache(maxsize=512)(self._make_path)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._instruments)

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        """The candle of that minute; None for an unknown symbol, a time before 1970 or off the minute."""
        if symbol not in self._instruments or open_time < 0 or open_time % MINUTE_MS:
            return None
        return self._candle(symbol, open_time // MINUTE_MS)

    def span(self, symbol: str) -> tuple[int, int]:
        return 0, FOR_EVER

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return price_on(self.path(symbol, at_ms - at_ms % MINUTE_MS), at_ms % MINUTE_MS)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        open_time = at_ms - at_ms % MINUTE_MS
        candle = self.candle(symbol, open_time)
        return forming_on(self.path(symbol, open_time), candle, at_ms % MINUTE_MS) if candle else None

    def path(self, symbol: str, open_time: int) -> Path:
        return self._path(symbol, open_time)

    def _make_path(self, symbol: str, open_time: int) -> Path:
        candle = self.candle(symbol, open_time)
        return walk(symbol, candle, self._instruments[symbol].tick_size) if candle else ()

    def _make_candle(self, symbol: str, minute: int) -> Candle:
        noise, tick = self._noise[symbol], self._instruments[symbol].tick_size
        opened, closed = self._boundary(symbol, minute), self._boundary(symbol, minute + 1)
        moved = abs(closed - opened) / opened
        if opened == closed and noise.at("still", minute) < 0.6:
            price = opened * tick
            return Candle(minute * MINUTE_MS, price, price, price, price, Decimal("0.000"))
        wick = AMPLITUDE * _volatility(noise, minute) * opened
        high = max(opened, closed) + int(wick * noise.at("high", minute) ** 2)
        low = min(opened, closed) - int(wick * noise.at("low", minute) ** 2)
        lots = int((2 + 30_000 * moved) * (1.05 + noise.at("volume", minute)) * 2000)
        prices = (opened * tick, high * tick, low * tick, closed * tick)
        return Candle(minute * MINUTE_MS, *prices, Decimal(lots).scaleb(-3))

    def _make_boundary(self, symbol: str, minute: int) -> int:
        """The price in ticks at the instant *minute* begins."""
        noise = self._noise[symbol]
        minute = _awake(noise, minute)
        log_price = _log_price(noise, minute)
        # A quotient that follows exp() closely, out of operations that round alike everywhere.
        ratio = (1 + log_price / 2) / (1 - log_price / 2)
        base = BASE_PRICES.get(symbol, OTHER_BASE) / float(self._instruments[symbol].tick_size)
        return max(1, round(base * ratio))


def _log_price(noise: Noise, minute: int) -> float:
    slow = sum(2 ** (k / 2) * noise.smooth(f"o{k}", minute, 1 << k) for k in SLOW_OCTAVES)
    fast = sum(2 ** (k / 2) * noise.smooth(f"o{k}", minute, 1 << k) for k in FAST_OCTAVES)
    return AMPLITUDE * (slow + fast * _volatility(noise, minute)) + _jumps(noise, minute)


def _volatility(noise: Noise, minute: int) -> float:
    """A factor in [0.25, 1.75] that changes over hours."""
    return 1 + 0.75 * noise.smooth("volatility", minute, 256)


def _jumps(noise: Noise, minute: int) -> float:
    """The sum of recent jumps: about one in a day and a half, 0.3-1.5 % at first, gone after a day."""
    total = 0.0
    newest = minute // JUMP_CELL
    for cell in range(newest - 2, newest + 1):
        if noise.at("jumps", cell) > -0.4:
            continue
        age = minute - (cell * JUMP_CELL + int((noise.at("jump at", cell) + 1) / 2 * JUMP_CELL))
        if 0 <= age < JUMP_FADES:
            size = noise.at("jump size", cell)
            total += (size * 0.012 + (0.003 if size > 0 else -0.003)) * (1 - age / JUMP_FADES)
    return total


def _awake(noise: Noise, minute: int) -> int:
    """The minute whose price holds at *minute*: during a sleepy spell, the one in which it began."""
    cell, place = divmod(minute, SLEEP_CELL)
    if noise.at("sleep", cell) > -0.6:
        return minute
    starts = 4 + int((noise.at("sleep at", cell) + 1) * 24)
    length = 2 + int((noise.at("sleep for", cell) + 1) * 2)
    return minute - place + starts if starts < place <= starts + length else minute
