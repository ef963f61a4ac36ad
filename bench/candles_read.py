"""
Reading 30 and 5,000 candles as exact values, against the bare floor, in one run.

The floor is LRANGE and decoding: once as most readers do it (`json.loads` of every entry) and once as fast as it gets
(one msgspec decode of the joined list, numbers left as text). Ours gives `Candle` values with exact decimals, oldest
first. Rounds are interleaved and medians compared. Start: `python -m bench.candles_read`.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import msgspec
import redis

from lib.adapters.redis import embedded
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.candle_wire import list_key
from lib.adapters.redis.connection import connect
from lib.domain.candle import MINUTE_MS, Candle

SERIES = ("BTCUSDT", "1m")
KEY = list_key(*SERIES)


class _Stored(msgspec.Struct):
    timestamp: int
    open: str
    high: str
    low: str
    close: str
    volume: str


_decode = msgspec.json.Decoder(list[_Stored]).decode


def candles(count: int) -> list[Candle]:
    """Plausible candles."""
    made = []
    for i in range(count):
        price = Decimal(60_000) + Decimal(i % 977) / 10
        prices = (price, price + Decimal("12.3"), price - Decimal("9.8"), price + Decimal("0.1"))
        made.append(Candle(i * MINUTE_MS, *prices, Decimal(i % 311)))
    return made


def floor_json(client: redis.Redis, count: int) -> object:
    """LRANGE and json.loads of each entry."""
    return [json.loads(raw) for raw in client.lrange(KEY, 0, count - 1)]


def floor_msgspec(client: redis.Redis, count: int) -> object:
    """LRANGE and one msgspec decode, numbers left as text."""
    raw = cast("list[bytes]", client.lrange(KEY, 0, count - 1))
    return _decode(b"[" + b",".join(raw) + b"]")


def seconds(work: Callable[[], object], times: int) -> float:
    """Seconds one call of *work* takes, averaged over *times*."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def compare(url: str, rounds: int) -> None:
    """Run and print."""
    client = connect(url)
    store = RedisCandleStore(client)
    store.rebuild(*SERIES, candles(5000))
    for count, times in ((30, 200), (5000, 4)):
        readers: dict[str, Callable[[], object]] = {
            "json": lambda n=count: floor_json(client, n),  # type: ignore[misc]
            "msgspec": lambda n=count: floor_msgspec(client, n),  # type: ignore[misc]
            "ours": lambda n=count: store.newest(*SERIES, n),  # type: ignore[misc]
        }
        taken: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(rounds):
            for name, reader in readers.items():
                taken[name].append(seconds(reader, times))
        _print(count, {name: statistics.median(values) * 1e6 for name, values in taken.items()})


def _print(count: int, us: dict[str, float]) -> None:
    print(
        f"{count:>5} candles   LRANGE+json {us['json']:>8,.0f} us   LRANGE+msgspec text {us['msgspec']:>7,.0f} us   "
        f"ours {us['ours']:>8,.0f} us   ratio {us['json'] / us['ours']:.2f} of json, "
        f"{us['msgspec'] / us['ours']:.2f} of msgspec"
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.ensure(folder)
        try:
            compare(server.url, options.rounds)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
