"""Positions stay guarded and booked whatever was cut short just after they came about."""

import re
from decimal import Decimal

import pytest

from app.ui.reasons import say
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.domain.reason import Reason
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


UNSAFE = (codes.STOP_MISSING(), codes.STOP_TOO_FAR(), codes.LIQUIDATION_BEFORE_STOP())
HOPELESS = (codes.STOP_NOT_PUT_BACK, codes.STOP_PASSED, codes.STOP_UNKNOWN)
FORCED: dict[str, str | Decimal] = {"qty": Decimal("0.012"), "symbol": "BTCUSDT", "price": Decimal("54300.5")}


@pytest.mark.parametrize(
    "reason",
    [
        codes.EXTERNAL_LEVERAGE_CHANGE(),
        codes.EXTERNAL_ORDER_BESIDE_POSITION(),
        codes.EXTERNAL_POSITION_CHANGE(),
        codes.REPLACED_BY_ANOTHER_CLOSE(),
        codes.STOP_DID_NOT_FIRE(),
        codes.LIQUIDATION_BEFORE_STOP(),
        *(then(why=what) for what in UNSAFE for then in HOPELESS),
        codes.LIQUIDATED(**FORCED),
        codes.REDUCED_BY_ADL(**FORCED),
    ],
    ids=str,
)
def test_what_the_guardian_says_is_korean_on_a_korean_page(reason: Reason) -> None:
    said = say(reason, "ko")
    assert set(re.findall(r"[A-Za-z]+", said)) <= {"BTCUSDT", "ADL"}
    assert re.search("[가-힣]", said)
