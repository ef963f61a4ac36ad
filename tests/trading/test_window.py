"""A wrong window never becomes a decision: a visible skip for every account, and the analyst is not asked."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Retry
from lib.domain.reason import Reason, text
from tests.factories import T
from tests.worlds.one_process import World, result_of

Spoil = Callable[[list[Candle]], list[Candle]]


def gap(window: list[Candle]) -> list[Candle]:
    return [replace(c, open_time=c.open_time - MINUTE_MS) for c in window[:10]] + window[10:]


def stale(window: list[Candle]) -> list[Candle]:
    return [replace(c, open_time=c.open_time - 5 * MINUTE_MS) for c in window]


def ahead(window: list[Candle]) -> list[Candle]:
    return [replace(c, open_time=c.open_time + MINUTE_MS) for c in window]


def short(window: list[Candle]) -> list[Candle]:
    return window[1:]


def empty(window: list[Candle]) -> list[Candle]:
    return []


def absurd(window: list[Candle]) -> list[Candle]:
    return [*window[:20], replace(window[20], high=Decimal(90_000)), *window[21:]]


def other_volume(window: list[Candle]) -> list[Candle]:
    return [*window[:-1], replace(window[-1], volume=Decimal(6))]


def other_close(window: list[Candle]) -> list[Candle]:
    newest = window[-1]
    return [*window[:-1], replace(newest, close=newest.close + 1, high=newest.high + 1)]


def other_past(window: list[Candle]) -> list[Candle]:
    return [replace(window[0], volume=Decimal(6)), *window[1:]]


def unreachable(window: list[Candle]) -> list[Candle]:
    raise Retry("the candle store is away")


REASONS: tuple[tuple[Spoil, Reason], ...] = (
    (gap, codes.CANDLES_NOT_CONSECUTIVE()),
    (stale, codes.CANDLE_STALE(seconds=300)),
    (ahead, codes.CANDLE_STALE(seconds=-60)),
    (short, codes.CANDLES_MISSING(found=29, wanted=30)),
    (empty, codes.CANDLES_MISSING(found=0, wanted=30)),
    (absurd, codes.CANDLE_WILD()),
    (other_volume, codes.NEWEST_CANDLE_DIFFERS()),
    (other_close, codes.NEWEST_CANDLE_DIFFERS()),
    (other_past, codes.OLDER_CANDLE_DIFFERS()),
    (unreachable, text("the candle store is away")),
)


@pytest.mark.parametrize(("spoil", "why"), REASONS, ids=[spoil.__name__ for spoil, _ in REASONS])
async def test_a_window_that_breaks_the_candle_contract_is_skipped_visibly(
    world: World, spoil: Spoil, why: Reason
) -> None:
    world.add_account()
    world.candles.spoil = spoil
    report = await world.cycle("buy")
    for account_id in (1, 2):
        assert result_of(report, account_id).outcome == "skipped"
        row = world.log(account_id)
        assert (row.summary.status, row.summary.outcome) == ("success", "skipped")
        assert row.reason == why
    assert world.analyst.asked == []
    assert world.transport.orders() == []


async def test_a_candle_missing_until_twenty_seconds_after_the_boundary_skips_the_cycle(world: World) -> None:
    world.candles.lag_ms = 25_000
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert T + 20_000 <= world.clock.now_ms() <= T + 21_000
    assert world.analyst.asked == []


async def test_a_candle_that_comes_within_twenty_seconds_is_used(world: World) -> None:
    world.candles.lag_ms = 12_000
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"
    assert world.clock.now_ms() >= T + 12_000


async def test_a_cross_check_that_fails_once_is_asked_again(world: World) -> None:
    world.fault("http_5xx_before", "/v5/market/kline")
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"


async def test_a_cross_check_that_never_answers_skips_the_cycle(world: World) -> None:
    world.fault("http_5xx_before", "/v5/market/kline", count=100)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert world.analyst.asked == []


async def test_a_venue_whose_price_left_the_candles_is_skipped(world: World) -> None:
    world.prices.set_price(Decimal(60_400), T)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert result_of(report).reason == codes.VENUE_PRICE_AWAY()


async def test_a_skipped_cycle_stays_skipped_when_it_is_run_again(world: World) -> None:
    world.candles.spoil = short
    await world.cycle("buy")
    world.candles.spoil = lambda window: window
    await world.again("buy")
    assert world.log().summary.outcome == "skipped"
    assert world.transport.orders() == []
