"""
Candles per second from raw kline frames into Redis: our path against the bare floor, in one run.

The floor does no more than any collector must: parse the frame with msgspec, encode the row, pipeline one LPUSH a
candle and one LTRIM a round trip. Our path parses to exact decimals, checks the candle, and appends through the atomic
script that keeps the list without holes and publishes every candle; one by one it is the whole use-case. Rounds are
interleaved and medians compared, so the ratio holds on a busy machine. Start: `python -m bench.candles_write`.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import redis

from lib.adapters.bybit.kline_wire import parse_frame, updates
from lib.adapters.redis import embedded
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.clock import SystemClock
from lib.domain.candle import MINUTE_MS, Candle, candle_problem
from lib.domain.instrument import Instrument
from lib.domain.quotes import Ticker
from lib.market.feed import CandleFeed

CAPACITY = 5000
BATCH = 100
SERIES = ("BTCUSDT", "1m")
AIM = 0.6


class _Row(msgspec.Struct):
    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    confirm: bool


class _Frame(msgspec.Struct):
    topic: str
    data: list[_Row]


class _Stored(msgspec.Struct):
    timestamp: int
    open: str
    high: str
    low: str
    close: str
    volume: str


_decode = msgspec.json.Decoder(_Frame).decode
_encode = msgspec.json.Encoder().encode


class Held:
    """A venue that has exactly what the list already holds: the use-case finds nothing to repair."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        self._candles = list(candles)

    def server_time(self) -> int:
        return SystemClock().now_ms()

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        return [candle for candle in self._candles if end is None or candle.open_time <= end][-limit:]

    def instrument(self, symbol: str) -> Instrument:
        raise NotImplementedError

    def ticker(self, symbol: str) -> Ticker:
        raise NotImplementedError


def frames(count: int, start: int) -> list[bytes]:
    """Closed candles as the venue pushes them."""
    made = []
    for i in range(count):
        opened = start + i * MINUTE_MS
        price = Decimal(60_000) + Decimal(i % 977) / 10
        row = {
            "start": opened,
            "end": opened + MINUTE_MS - 1,
            "interval": "1",
            "open": str(price),
            "close": str(price + Decimal("0.1")),
            "high": str(price + Decimal("12.3")),
            "low": str(price - Decimal("9.8")),
            "volume": f"{i % 311}.{i % 1000:03}",
            "turnover": "34666.4005",
            "confirm": True,
            "timestamp": opened + MINUTE_MS,
        }
        frame = {"topic": "kline.1.BTCUSDT", "data": [row], "ts": opened + MINUTE_MS, "type": "snapshot"}
        made.append(json.dumps(frame).encode())
    return made


def floor(client: redis.Redis, raw: Sequence[bytes], batch: int) -> None:
    """Parse, encode, LPUSH each, LTRIM once a round trip."""
    for first in range(0, len(raw), batch):
        pipeline = client.pipeline(transaction=False)
        for frame in raw[first : first + batch]:
            for row in _decode(frame).data:
                stored = _Stored(row.start, row.open, row.high, row.low, row.close, row.volume)
                pipeline.lpush("bench:floor", _encode(stored))
        pipeline.ltrim("bench:floor", 0, CAPACITY - 1)
        pipeline.execute()


def ours_in_batches(store: RedisCandleStore, raw: Sequence[bytes], batch: int) -> None:
    """Parse, check, append each batch atomically."""
    for first in range(0, len(raw), batch):
        pushes = [push for frame in raw[first : first + batch] for push in updates(parse_frame(frame))]
        candles = [push.candle for push in pushes if candle_problem(push.candle, MINUTE_MS) is None]
        assert store.append(*SERIES, candles) == "appended"


def ours_one_by_one(feed: CandleFeed, raw: Sequence[bytes]) -> None:
    """The whole use-case for every frame."""
    for frame in raw:
        for push in updates(parse_frame(frame)):
            feed.update(push)


def timed(work: Callable[[], None]) -> float:
    """Seconds *work* takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def held_feed(store: RedisCandleStore) -> CandleFeed:
    """A use-case that has caught up with what the store holds."""
    held = store.newest(*SERIES, CAPACITY)
    feed = CandleFeed(store, Held(held), SystemClock(), series=SERIES, capacity=CAPACITY, grace_ms=0)
    feed.connected()
    return feed


def compare(url: str, rounds: int, count: int) -> None:
    """Run and print both comparisons."""
    client = connect(url)
    store = RedisCandleStore(client, capacity=CAPACITY)
    # the list ends well before now, so no candle of the run lies in the future
    start = (SystemClock().now_ms() // MINUTE_MS - (rounds + 2) * 2 * count - CAPACITY) * MINUTE_MS
    times: dict[str, list[float]] = {"floor batch": [], "ours batch": [], "floor single": [], "ours single": []}
    ours_in_batches(store, frames(CAPACITY, start), BATCH)
    position = start + CAPACITY * MINUTE_MS
    for _ in range(rounds):
        batch, single = frames(count, position), frames(count, position + count * MINUTE_MS)
        position += 2 * count * MINUTE_MS
        times["floor batch"].append(timed(lambda raw=batch: floor(client, raw, BATCH)))  # type: ignore[misc]
        times["ours batch"].append(timed(lambda raw=batch: ours_in_batches(store, raw, BATCH)))  # type: ignore[misc]
        feed = held_feed(store)
        times["floor single"].append(timed(lambda raw=single: floor(client, raw, 1)))  # type: ignore[misc]
        times["ours single"].append(timed(lambda f=feed, raw=single: ours_one_by_one(f, raw)))  # type: ignore[misc]
        assert store.newest(*SERIES, 1)[0].open_time == position - MINUTE_MS
    for kind, label in (("batch", f"in batches of {BATCH}"), ("single", "one by one")):
        _print(label, count, times[f"floor {kind}"], times[f"ours {kind}"])


def _print(label: str, count: int, bare: list[float], mine: list[float]) -> None:
    bare_rate, our_rate = count / statistics.median(bare), count / statistics.median(mine)
    ratio = statistics.median(b / m for b, m in zip(bare, mine, strict=True))
    verdict = "ok" if ratio >= AIM else f"below the aim of {AIM}"
    print(f"{label:<22} floor {bare_rate:>9,.0f}/s   ours {our_rate:>9,.0f}/s   ratio {ratio:.2f}  {verdict}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--candles", type=int, default=2000, help="candles a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.ensure(folder)
        try:
            compare(server.url, options.rounds, options.candles)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
