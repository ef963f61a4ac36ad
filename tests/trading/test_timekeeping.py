"""A clock that is off is shown and told, by as much as is certain."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.clock import Clock
from lib.domain.errors import Retry
from lib.trading.clock_check import MOST_MS, check_clocks
from tests.factories import decision
from tests.worlds.one_process import World


class Skewed:
    """Our clock, *ahead_ms* ahead of everybody's."""

    def __init__(self, inner: Clock, ahead_ms: int) -> None:
        self._inner, self.ahead_ms = inner, ahead_ms

    def now_ms(self) -> int:
        return self._inner.now_ms() + self.ahead_ms

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@pytest.mark.parametrize("ahead_ms", [-2_000, -501, -500, 0, 499, 501, 3_000])
async def test_an_offset_is_shown_and_beyond_half_a_second_told(
    world: World, caplog: pytest.LogCaptureFixture, ahead_ms: int
) -> None:
    world.add_account()
    context = replace(world.context, clock=Skewed(world.clock, ahead_ms))
    assert await check_clocks(context) == ahead_ms
    assert world.candles.status["clock_offset_ms"] == str(ahead_ms)
    assert [record.message for record in caplog.records].count("clock.off") == (2 if abs(ahead_ms) > MOST_MS else 0)


async def test_a_venue_whose_clock_is_off_is_told_too(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.fault("clock_skew", ms=4_000)
    assert await check_clocks(world.context) == -4_000
    assert [record.message for record in caplog.records].count("clock.off") == 1


async def test_who_cannot_be_asked_is_left_out(world: World) -> None:
    async def away() -> int:
        raise Retry("the database is away")

    world.ledger.now = away  # type: ignore[method-assign]
    world.fault("http_5xx_before", "/v5/market/time")
    assert await check_clocks(world.context) == 0


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(-10_000, 10_000))
async def test_only_what_the_way_cannot_explain_counts(out_ms: int, back_ms: int, ahead_ms: int) -> None:
    world = World()

    async def slow() -> int:
        world.clock.advance_to(world.clock.now_ms() + out_ms)
        theirs = world.clock.now_ms() - ahead_ms
        world.clock.advance_to(world.clock.now_ms() + back_ms)
        return theirs

    world.ledger.now = slow  # type: ignore[method-assign]
    found = await check_clocks(world.context)
    assert abs(found) <= abs(ahead_ms)
    assert found * ahead_ms >= 0
    assert abs(ahead_ms) - abs(found) <= out_ms + back_ms


async def test_a_claim_refused_for_its_clock_is_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    context = replace(world.context, clock=Skewed(world.clock, 5_000))
    await world.cycle(decision("buy"), context=context)
    assert world.transport.orders() == []
    refused = [record for record in caplog.records if record.message == "order.claim_refused"]
    assert refused
    assert {record.levelname for record in refused} == {"WARNING"}
