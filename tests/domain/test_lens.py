"""The clear lens changes no byte; the blind lens leaves neither a moment nor a price that could be looked up."""

from decimal import Decimal

from lib.domain.lens import blind, clear
from tests.factories import T, candle, candles


def test_the_clear_lens_writes_what_the_venue_wrote() -> None:
    lens = clear(T)
    assert (lens.moment(T - 60_000), lens.price(Decimal("60000.10")), lens.volume(Decimal("0.0"))) == (
        T - 60_000,
        "60000.10",
        "0.0",
    )


def test_the_blind_lens_tells_minutes_from_t_and_fractions_of_the_newest_close() -> None:
    lens = blind(T, candles(30, drift=0))
    assert (lens.moment(T - 60_000), lens.moment(T), lens.moment(T + 3_600_000)) == (-1, 0, 60)
    assert (lens.price(Decimal(60_000)), lens.price(Decimal("60600"))) == ("1", "1.01")
    assert lens.price(Decimal(20_000)) == "0.333333"
    assert blind(T, [candle(volume=4), candle(volume=8)]).volume(Decimal(3)) == "0.5"


def test_without_candles_or_volume_nothing_is_divided_by_nothing() -> None:
    assert blind(T, ()).price(Decimal(5)) == "5"
    assert blind(T, [candle(volume=0)]).volume(Decimal(0)) == "0"
