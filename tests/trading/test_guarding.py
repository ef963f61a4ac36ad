"""Positions stay guarded and booked whatever was cut short just after they came about."""

import re

import pytest

from app.ui.reasons import say
from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.trading.guardian.task import Guardian
from tests.worlds.one_process import World


async def test_a_position_whose_fills_were_never_booked_is_guarded_by_the_next_process(world: World) -> None:
    record = world.ledger.record_fills

    async def away(*_: object) -> int:
        raise Retry("the database is away")

    world.ledger.record_fills = away  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    world.ledger.record_fills = record  # type: ignore[method-assign]
    assert world.order().state is OrderState.ACCEPTED  # what filled is in the books before its row ends
    assert (await world.trader_account(1)).booked_qty == 0
    world.remove_stop()
    restarted = Guardian(world.new_context())
    await restarted.run_pass()
    assert world.position().stop_loss > 0


async def test_a_position_whose_fills_could_not_be_booked_is_guarded_within_thirty_seconds(world: World) -> None:
    await world.guardian.run_pass()
    record = world.ledger.record_fills

    async def away(*_: object) -> int:
        raise Retry("the database is away")

    world.ledger.record_fills = away  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    world.ledger.record_fills = record  # type: ignore[method-assign]
    world.remove_stop()
    for _ in range(3):
        world.wait(10)
        await world.guardian.run_pass()
    assert world.position().stop_loss > 0


@pytest.mark.parametrize(
    "text",
    [
        "the leverage was changed at the exchange",
        "an order that is not ours works beside this position",
        "another hand is in this position",
        "another close takes its place",
        "the stop does not fire",
        "liquidation would come before the stop",
        *(
            f"{what}, and {then}"
            for what in (
                "the stop is missing",
                "the stop was moved too far away",
                "liquidation would come before the stop",
            )
            for then in ("cannot be put back", "the price is beyond it", "nobody knows where it was")
        ),
        "the exchange liquidated 0.012 BTCUSDT of your position at 54300.5",
        "the exchange reduced your position by 0.012 BTCUSDT at 54300.5 (auto-deleveraging)",
    ],
)
def test_what_the_guardian_says_is_korean_on_a_korean_page(text: str) -> None:
    said = say(text, "ko")
    assert set(re.findall(r"[A-Za-z]+", said)) <= {"BTCUSDT", "ADL"}
    assert re.search("[가-힣]", said)
