"""
A market invented from a seed: a pure function of (seed, symbol, minute), for ever in both directions from 1970.

Minute boundaries come from fractal value noise in log space (each octave twice as long and sqrt(2) as strong, which
is how a random walk looks from afar), with volatility that comes and goes, jumps that fade over a day and sleepy
spells without a trade. Invariants: open == previous close exactly, prices on the tick, and the octaves end at about
three months, so the price stays between half and twice its base for ever. Noise is IEEE basic arithmetic only, hence
equal on every machine; it becomes money by rounding to ticks. It is not a model of any real market.

A minute is made by itself, or many in a row (`merged`): the same operations in the same order, hence the same prices,
at a tenth of the work.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, pairwise
from struct import Struct

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.instrument import Instrument
from lib.domain.price_path import FOR_EVER, Path, forming_on, price_on, walk
from lib.simulator.listing import listing

OTHER_BASE = Decimal(100)
"""The price of a symbol that no listing has."""
LOT = Decimal("0.001")
AMPLITUDE = 0.0004
"""Log-price amplitude of the one-minute octave; about 0.05 % a minute, 2-3 % a day in sum."""
FAST_OCTAVES = range(7)
SLOW_OCTAVES = range(7, 18)
WEIGHTS = tuple(2 ** (k / 2) for k in range(18))
SWING, VOLATILITY_PERIOD = 0.75, 256
"""How far the volatility swings around one, and minutes from one lattice point of it to the next."""
JUMP_CELL, JUMP_FADES = 720, 1440
SLEEP_CELL = 64
BLOCK = 16
NUMBERS = Struct(f">{BLOCK}I")


class Noise:
    """Hash noise of one symbol; every number depends on (seed, symbol, channel, index) alone."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._key = f"{seed}|{symbol}"
        self._block = lru_cache(maxsize=65_536)(self._hash_block)

    def _hash_block(self, channel: str, block: int) -> tuple[float, ...]:
        digest = blake2b(f"{self._key}|{channel}|{block}".encode(), digest_size=4 * BLOCK).digest()
        return tuple([one / 2**31 - 1 for one in NUMBERS.unpack(digest)])

    def at(self, channel: str, index: int) -> float:
        """A number in [-1, 1)."""
        block, place = divmod(index, BLOCK)
        return self._block(channel, block)[place]

    def smooth(self, channel: str, minute: int, period: int) -> float:
        """Value noise: lattice points *period* minutes apart, smoothly joined."""
        index, rest = divmod(minute, period)
        here = self.at(channel, index)
        return here + (self.at(channel, index + 1) - here) * _eased(rest / period) if rest else here

    def row(self, channel: str, first: int, count: int) -> list[float]:
        """`at` of *count* indices in a row."""
        begin, skipped = divmod(first, BLOCK)
        blocks = range(begin, (first + count - 1) // BLOCK + 1)
        return list(chain.from_iterable(self._block(channel, block) for block in blocks))[skipped : skipped + count]

    def smooth_row(self, channel: str, first: int, count: int, period: int) -> list[float]:
        """`smooth` of *count* minutes in a row."""
        index, rest = divmod(first, period)
        points = self.row(channel, index, (first + count - 1) // period - index + 2)
        if period == 1:
            return points[:count]
        if period <= count:
            curve = _curve(period, 0, period)
            return [a + (b - a) * share for a, b in pairwise(points) for share in curve][rest : rest + count]
        here = points[0]
        found = [here + (points[1] - here) * share for share in _curve(period, rest, min(period - rest, count))]
        beyond = _curve(period, 0, count - len(found)) if len(found) < count else ()
        return found + [points[1] + (points[2] - points[1]) * share for share in beyond]


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


@lru_cache(maxsize=256)
def _curve(period: int, rest: int, run: int) -> list[float]:
    """
    How far the way from one lattice point to the next is, at *run* places of *period* from *rest* on: symbols and hours
    ask for the same ones.
    """
    return [_eased(place / period) for place in range(rest, rest + run)]


class SyntheticMarket:
    """Prices of *instruments* out of *seed*; implements `Market`, never halts."""

    def __init__(self, seed: int, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = dict(instruments)
        self._noise = {symbol: Noise(seed, symbol) for symbol in instruments}
        listed = {symbol: listing(symbol) for symbol in instruments}
        self._prices = {symbol: one.price if one else OTHER_BASE for symbol, one in listed.items()}
        self._lots = {symbol: one.volume_unit if one else LOT for symbol, one in listed.items()}
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

    def merged(self, symbol: str, open_time: int, minutes: int) -> Candle | None:
        """One candle of that many minutes from *open_time* on: what `candle` says of each, taken together."""
        if symbol not in self._instruments or open_time < 0 or open_time % MINUTE_MS:
            return None
        first, noise, tick = open_time // MINUTE_MS, self._noise[symbol], self._instruments[symbol].tick_size
        bounds = self._boundaries(symbol, first, minutes + 1)
        still, volume = (noise.row(name, first, minutes) for name in ("still", "volume"))
        wicks = zip(*(noise.row(name, first, minutes) for name in ("high", "low")), strict=True)
        restless = [1 + SWING * one for one in noise.smooth_row("volatility", first, minutes, VOLATILITY_PERIOD)]
        highs, lows, lots = [], [], 0
        for (opened, closed), quiet, traded, wick, strength in zip(
            pairwise(bounds), still, volume, wicks, restless, strict=True
        ):
            high, low, more = _shape(opened, closed, quiet, traded, wick, strength)
            highs.append(high)
            lows.append(low)
            lots += more
        prices = (bounds[0] * tick, max(highs) * tick, min(lows) * tick, bounds[-1] * tick)
        return Candle(open_time, *prices, lots * self._lots[symbol])

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
        quiet, traded = noise.at("still", minute), noise.at("volume", minute)
        wicks = (noise.at("high", minute), noise.at("low", minute))
        high, low, lots = _shape(opened, closed, quiet, traded, wicks, _volatility(noise, minute))
        prices = (opened * tick, high * tick, low * tick, closed * tick)
        return Candle(minute * MINUTE_MS, *prices, lots * self._lots[symbol])

    def _make_boundary(self, symbol: str, minute: int) -> int:
        """The price in ticks at the instant *minute* begins."""
        noise = self._noise[symbol]
        return _ticks(self._base(symbol), _log_price(noise, _awake(noise, minute)))

    def _boundaries(self, symbol: str, first: int, count: int) -> list[int]:
        """`_make_boundary` of *count* minutes in a row."""
        noise, base = self._noise[symbol], self._base(symbol)
        found = [_ticks(base, one) for one in _log_prices(noise, first, count)]
        for cell in range(first // SLEEP_CELL, (first + count - 1) // SLEEP_CELL + 1):
            asleep = _spell(noise, cell)
            for minute in range(max(asleep.start, first), min(asleep.stop, first + count)):
                begun = asleep.start - 1
                found[minute - first] = found[begun - first] if begun >= first else self._boundary(symbol, begun)
        return found

    def _base(self, symbol: str) -> float:
        return float(self._prices[symbol]) / float(self._instruments[symbol].tick_size)


def _shape(
    opened: int, closed: int, quiet: float, traded: float, wicks: tuple[float, float], strength: float
) -> tuple[int, int, int]:
    """(high, low, lots) of a minute between two prices in ticks, out of its noise."""
    if opened == closed and quiet < 0.6:
        return opened, opened, 0
    reach = AMPLITUDE * strength * opened
    up, down = wicks
    high, low = max(opened, closed) + int(reach * (up * up)), min(opened, closed) - int(reach * (down * down))
    return high, low, int((2 + 30_000 * (abs(closed - opened) / opened)) * (1.05 + traded) * 2000)


def _ticks(base: float, log_price: float) -> int:
    # A quotient that follows exp() closely, out of operations that round alike everywhere.
    return max(1, round(base * ((1 + log_price / 2) / (1 - log_price / 2))))


def _log_price(noise: Noise, minute: int) -> float:
    slow, fast = (_octaves(noise, minute, octaves) for octaves in (SLOW_OCTAVES, FAST_OCTAVES))
    return AMPLITUDE * (slow + fast * _volatility(noise, minute)) + _jumps(noise, minute)


def _octaves(noise: Noise, minute: int, octaves: range) -> float:
    total = 0.0
    for k in octaves:  # sum() adds in another way from Python 3.12 on
        total += WEIGHTS[k] * noise.smooth(f"o{k}", minute, 1 << k)
    return total


def _log_prices(noise: Noise, first: int, count: int) -> list[float]:
    """`_log_price` of *count* minutes in a row."""
    slow, fast = (_octave_rows(noise, first, count, octaves) for octaves in (SLOW_OCTAVES, FAST_OCTAVES))
    swings = noise.smooth_row("volatility", first, count, VOLATILITY_PERIOD)
    jumps = _jump_row(noise, first, count)
    rows = zip(slow, fast, swings, jumps, strict=True)
    return [AMPLITUDE * (far + near * (1 + SWING * swing)) + jump for far, near, swing, jump in rows]


def _octave_rows(noise: Noise, first: int, count: int, octaves: range) -> list[float]:
    """`_octaves` of *count* minutes in a row."""
    total = [0.0] * count
    for k in octaves:
        weight, row = WEIGHTS[k], noise.smooth_row(f"o{k}", first, count, 1 << k)
        total = [sum_so_far + weight * one for sum_so_far, one in zip(total, row, strict=True)]
    return total


def _volatility(noise: Noise, minute: int) -> float:
    """A factor in [0.25, 1.75] that changes over hours."""
    return 1 + SWING * noise.smooth("volatility", minute, VOLATILITY_PERIOD)


def _jumps(noise: Noise, minute: int) -> float:
    """The sum of recent jumps: about one in a day and a half, 0.3-1.5 % at first, gone after a day."""
    return _jump_row(noise, minute, 1)[0]


def _jump_row(noise: Noise, first: int, count: int) -> list[float]:
    """`_jumps` of *count* minutes in a row."""
    total = [0.0] * count
    for cell in range(first // JUMP_CELL - 2, (first + count - 1) // JUMP_CELL + 1):
        if noise.at("jumps", cell) > -0.4:
            continue
        begun = cell * JUMP_CELL + int((noise.at("jump at", cell) + 1) / 2 * JUMP_CELL)
        size = noise.at("jump size", cell)
        height = size * 0.012 + (0.003 if size > 0 else -0.003)
        for minute in range(max(first, begun), min(first + count, begun + JUMP_FADES)):
            total[minute - first] += height * (1 - (minute - begun) / JUMP_FADES)
    return total


def _awake(noise: Noise, minute: int) -> int:
    """The minute whose price holds at *minute*: during a sleepy spell, the one in which it began."""
    asleep = _spell(noise, minute // SLEEP_CELL)
    return asleep.start - 1 if minute in asleep else minute


def _spell(noise: Noise, cell: int) -> range:
    """The minutes of *cell* that sleep, and hold the price of the one before them."""
    if noise.at("sleep", cell) > -0.6:
        return range(0)
    begun = cell * SLEEP_CELL + 4 + int((noise.at("sleep at", cell) + 1) * 24)
    return range(begun + 1, begun + 3 + int((noise.at("sleep for", cell) + 1) * 2))
