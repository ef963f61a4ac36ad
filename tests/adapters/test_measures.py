"""Measurements: Bybit's answers read strictly, the simulated venue's among them; kept and read as of a moment."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import redis
import redis.asyncio

from lib.adapters.bybit.rest.measure_wire import long_short_from, open_interest_from, order_book_from
from lib.adapters.redis.measures import KEPT, AsyncRedisMeasures, RedisMeasures
from lib.domain.input_blocks import BY_NAME
from lib.domain.measures import MEASURE_KINDS, Measured
from tests.simulator.visitors import Visitor

AT = 1_760_000_100_000


def test_the_simulated_venue_answers_as_bybit_does_and_says_the_same_again() -> None:
    visitor = Visitor()
    interest = visitor.get("/v5/market/open-interest", category="linear", symbol="BTCUSDT", intervalTime="1h", limit=25)
    ratio = visitor.get("/v5/market/account-ratio", category="linear", symbol="BTCUSDT", period="5min", limit=1)
    book = visitor.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=50)
    assert (
        book["result"] == visitor.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=50)["result"]
    )
    open_interest, long_short, order_book = open_interest_from(interest), long_short_from(ratio), order_book_from(book)
    assert open_interest.figures["now"] > 0
    assert abs(open_interest.figures["change_24h"]) < 1
    assert long_short.figures["long"] + long_short.figures["short"] == 1
    assert -1 <= order_book.figures["imbalance"] <= 1
    assert 0 < order_book.figures["spread"] < Decimal("0.001")
    for wrong in ({"intervalTime": "7min"}, {"intervalTime": "1h", "limit": 201}):
        assert visitor.get("/v5/market/open-interest", category="linear", symbol="BTCUSDT", **wrong)["retCode"] == 10001


def answer(result: Any) -> dict[str, Any]:
    return {"retCode": 0, "result": result, "time": AT}


def test_the_figures_are_shares_of_what_the_venue_wrote() -> None:
    rows = [{"openInterest": text} for text in ("110", "100", *["90"] * 22, "88")]
    found = open_interest_from(answer({"list": rows}))
    assert found == Measured(
        "open_interest", AT, {"now": Decimal(110), "change_1h": Decimal("0.1"), "change_24h": Decimal("0.25")}
    )
    book = order_book_from(answer({"b": [["99", "3"], ["98", "3"]], "a": [["101", "2"]]}))
    assert book.figures == {"imbalance": Decimal("0.5"), "spread": Decimal("0.02")}


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (open_interest_from, {"list": []}),
        (open_interest_from, {"list": [{"openInterest": "0"}] * 25}),
        (open_interest_from, {"list": [{"openInterest": "NaN"}] * 25}),
        (long_short_from, {"list": [{"buyRatio": "1.2", "sellRatio": "0.1"}]}),
        (long_short_from, {"list": [{"buyRatio": 0.5, "sellRatio": 0.5}]}),
        (order_book_from, {"b": [], "a": []}),
        (order_book_from, {"b": [["101", "1"]], "a": [["100", "1"]]}),
        (order_book_from, {"b": [["1", "-1"]], "a": [["2", "1"]]}),
    ],
)
def test_what_cannot_be_true_is_no_measurement(read: Any, result: Any) -> None:
    with pytest.raises((ValueError, IndexError, ArithmeticError)):
        read(answer(result))


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.mark.server
@pytest.mark.enable_socket
async def test_what_was_measured_is_read_as_of_a_moment_by_feed_symbol_and_kind(
    store: redis.Redis, redis_url: str
) -> None:
    kept = RedisMeasures(store, "bybit")
    made = [Measured("funding", AT + n, {"rate": Decimal(n) / 1000}) for n in range(40)]
    for one in made:
        kept.put("BTCUSDT", one)
    store.lpush("measured:bybit:BTCUSDT:funding", b"{broken", b'{"seen_ms":-1,"figures":{}}')
    client = redis.asyncio.Redis.from_url(redis_url)
    reader = AsyncRedisMeasures(client, "bybit")
    for at, found in ((AT + 35, made[35]), (AT + 99, made[39]), (AT - 1, None)):
        assert kept.as_of("BTCUSDT", "funding", at) == found
        assert await reader.as_of("BTCUSDT", "funding", at) == found
    assert kept.as_of("ETHUSDT", "funding", AT + 99) is None
    assert kept.as_of("BTCUSDT", "order_book", AT + 99) is None
    assert RedisMeasures(store, "bybit-testnet").as_of("BTCUSDT", "funding", AT + 99) is None
    kept.put("BTCUSDT", made[0])
    assert store.llen("measured:bybit:BTCUSDT:funding") == KEPT
    await client.aclose()


def test_every_kind_has_a_block() -> None:
    assert set(MEASURE_KINDS) <= BY_NAME.keys()
