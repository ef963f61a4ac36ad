"""The hub: written once, nobody waited for, nobody left in after their session."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from app.live import COME_BACK, QUEUE, SEATS_PER_SESSION, SIGNED_OUT, TOO_SLOW, Hub, row_of
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Retry
from lib.domain.quotes import CandleTick
from tests.fakes.people import StandingClock

SERIES = ("BTCUSDT", "1m")


def tick(n: int, *, rebuilt: bool = False, series: tuple[str, str] = SERIES) -> CandleTick:
    price = Decimal(100 + n)
    candle = Candle(n * MINUTE_MS, price, price, price, price, Decimal(1))
    return CandleTick(*series, candle, closed=False, rebuilt=rebuilt)


class Broken:
    """Publications that break after the given ticks."""

    def __init__(self, *ticks: CandleTick) -> None:
        self.given = ticks

    async def ticks(self) -> AsyncIterator[CandleTick]:
        for one in self.given:
            yield one
        raise Retry("gone")


class Door:
    """Who is still in."""

    def __init__(self) -> None:
        self.inside = {"kim", "lee"}
        self.away = False

    async def still_in(self, tokens: set[str]) -> set[str]:
        if self.away:
            raise Retry("away")
        return tokens & self.inside


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def hub(door: Door) -> Hub:
    return Hub(Broken(tick(1)), StandingClock(), door.still_in, lambda: 0.0)


async def test_every_viewer_of_a_series_gets_the_same_text_and_others_nothing(hub: Hub) -> None:
    with hub.seat(SERIES, "kim") as kim, hub.seat(SERIES, "lee") as lee, hub.seat(("BTCUSDT", "15m"), "lee") as other:
        hub.publish(tick(1))
        text = await kim.next()
        assert text is await lee.next()
        assert text == '{"rows":[[60,101.0,101.0,101.0,101.0,1.0]]}'
        hub.publish(tick(2, series=("BTCUSDT", "15m")))
        assert "102.0" in (await other.next() or "")


async def test_who_comes_later_gets_the_newest_at_once(hub: Hub) -> None:
    hub.publish(tick(1))
    hub.publish(tick(2))
    with hub.seat(SERIES, "kim") as kim:
        assert "102.0" in (await kim.next() or "")


async def test_who_does_not_keep_up_loses_the_seat_and_holds_nobody_up(hub: Hub) -> None:
    with hub.seat(SERIES, "kim") as slow, hub.seat(SERIES, "lee") as quick:
        for n in range(QUEUE + 5):
            hub.publish(tick(n))
            assert await quick.next() is not None
        assert slow.code == TOO_SLOW
        assert await slow.next() is None
        assert quick.code is None


async def test_a_session_that_ended_loses_its_seats_and_only_its(hub: Hub, door: Door) -> None:
    with hub.seat(SERIES, "kim") as kim, hub.seat(SERIES, "lee") as lee:
        await hub.recheck()
        assert [kim.code, lee.code] == [None, None]
        door.inside.discard("kim")
        await hub.recheck()
        assert [kim.code, lee.code] == [SIGNED_OUT, None]


async def test_a_database_that_is_away_ends_nobodys_seat(hub: Hub, door: Door) -> None:
    door.away = True
    with hub.seat(SERIES, "kim") as kim:
        await hub.recheck()
        assert kim.code is None


async def test_a_rebuilt_list_and_a_lost_subscription_send_everybody_to_refill(hub: Hub) -> None:
    with hub.seat(SERIES, "kim") as kim:
        hub.publish(tick(1, rebuilt=True))
        assert kim.code == COME_BACK
    with hub.seat(SERIES, "lee") as lee:
        listening = asyncio.create_task(hub.listen())
        while await lee.next() is not None:
            pass
        assert lee.code == COME_BACK
        listening.cancel()


async def test_seats_are_given_back_and_counted_per_session(hub: Hub) -> None:
    seats = [hub.seat(SERIES, "kim") for _ in range(SEATS_PER_SESSION + 1)]
    taken = [seat.__enter__() for seat in seats]
    assert [seat.code for seat in taken] == [None] * SEATS_PER_SESSION + [TOO_SLOW]
    with hub.seat(SERIES, "lee") as lee:
        assert lee.code is None
    for seat in seats:
        seat.__exit__(None, None, None)
    again = [hub.seat(SERIES, "kim").__enter__() for _ in range(SEATS_PER_SESSION)]
    assert [seat.code for seat in again] == [None] * SEATS_PER_SESSION


def test_a_row_is_seconds_and_numbers() -> None:
    assert row_of(tick(2).candle) == [120, 102.0, 102.0, 102.0, 102.0, 1.0]
