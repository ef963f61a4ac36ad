"""How often an account is asked for is its strategy's; how it is guarded is not."""

import pytest

from lib.domain.account import CADENCES
from lib.domain.candle import MINUTE_MS
from lib.trading.context import due
from tests.factories import T, settings, trader_account
from tests.worlds.one_process import World

HOUR_MS = 60 * MINUTE_MS
FULL_HOUR = T - T % HOUR_MS


@pytest.mark.parametrize("cadence", CADENCES)
def test_an_account_is_due_at_the_full_hour_and_every_cadence_after_it(cadence: int) -> None:
    account = trader_account(settings=settings(cadence_min=cadence), auto_since=FULL_HOUR - HOUR_MS)
    minutes = [n for n in range(0, 60, 5) if due(account, "synthetic", FULL_HOUR + n * MINUTE_MS)]
    assert minutes == list(range(0, 60, cadence))


async def test_an_hourly_account_is_asked_for_at_full_hours_alone_beside_one_of_five_minutes() -> None:
    world = World()
    hourly = world.add_account(settings=settings(cadence_min=60))
    usual = world.add_account()
    asked: dict[int, list[int]] = {hourly: [], usual: []}
    for _ in range(14):
        report = await world.cycle("hold")
        for result in report.results:
            asked[result.account_id].append(report.t_ms % HOUR_MS // MINUTE_MS)
    assert len(asked[usual]) == 14
    assert set(asked[hourly]) == {0}


async def test_an_hourly_account_is_guarded_like_every_other() -> None:
    world = World()
    world.add_account(settings=settings(cadence_min=60))
    while world.position().is_flat:
        await world.cycle("buy")
    stop = world.position().stop_loss
    assert stop > 0
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == stop
