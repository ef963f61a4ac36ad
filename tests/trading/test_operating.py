"""The operator's switches: thrown once, taken back by name; a pause is proved without a trader once nothing is open."""

import pytest

from lib.domain.errors import Retry
from lib.ports import Flags
from lib.trading.operating import NoSuchAccountError, Operator
from lib.trading.stopping import PROOF_MS
from tests.stage import CREATE
from tests.world import World


def operator(world: World) -> Operator:
    return Operator(world.ledger, "cli:kim@desk")


async def prove(world: World, account_id: int = 0) -> bool:
    async def time() -> int:
        return world.clock.now_ms()

    return await operator(world).prove_pause(account_id, {"paper": time})


@pytest.mark.parametrize("account_id", [0, 1])
async def test_stopping_twice_does_not_take_the_first_proof_back(world: World, account_id: int) -> None:
    await operator(world).stop(account_id)
    world.wait(PROOF_MS / 1000 + 1)
    assert await prove(world, account_id)
    await operator(world).stop(account_id)
    assert (await operator(world).switches(account_id)).proven_ms


@pytest.mark.parametrize("account_id", [0, 1])
async def test_stopping_goes_on_closing_what_is_being_closed(world: World, account_id: int) -> None:
    await operator(world).flatten(account_id)
    await operator(world).stop(account_id)
    assert (await operator(world).switches(account_id)).flatten


@pytest.mark.parametrize("flatten", [False, True])
async def test_an_operators_stop_is_thrown_over_the_owners_own(world: World, flatten: bool) -> None:
    await world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=flatten), "user:1")
    await operator(world).stop(1)
    assert (await world.trader_account(1)).paused_by == "operator"
    assert (await world.trader_account(1)).flatten is flatten
    await operator(world).flatten(1)
    assert (await world.trader_account(1)).flatten
    await operator(world).resume(1)
    assert (await world.trader_account(1)).paused_by == ""


async def test_resuming_everybody_leaves_an_accounts_own_switch(world: World) -> None:
    await operator(world).stop(1)
    await operator(world).flatten(0)
    await operator(world).resume(0)
    assert (await world.ledger.flags()).trading_enabled
    assert not (await world.trader_account(1)).trading_enabled


async def test_the_owner_is_told_who_threw_their_switch(world: World) -> None:
    await operator(world).flatten(1)
    await operator(world).resume(1)
    assert [body for _, body in world.ledger.store.outbox] == [
        "an operator has everything closed (cli:kim@desk)",
        "an operator allowed trading again (cli:kim@desk)",
    ]


async def test_a_pause_is_not_proved_before_its_time_nor_with_an_open_row(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    await operator(world).stop(0)
    world.wait(PROOF_MS / 1000 + 1)
    assert not await prove(world), "a row is open"
    assert not await prove(world, 1), "nothing of that account was thrown"
    world.add_account()
    await operator(world).stop(2)
    assert not await prove(world, 2), "too early"
    world.wait(PROOF_MS / 1000 + 1)
    assert await prove(world, 2), "another account's row is its own"


async def test_a_close_is_never_proved_without_a_look_at_the_position(world: World) -> None:
    await operator(world).flatten(0)
    world.wait(PROOF_MS / 1000 + 60)
    assert not await prove(world)


async def test_a_venue_that_is_away_proves_nothing(world: World) -> None:
    await operator(world).stop(0)

    async def away() -> int:
        raise Retry("away")

    with pytest.raises(Retry):
        await operator(world).prove_pause(0, {"paper": away})
    assert not (await world.ledger.flags()).proven_ms


async def test_an_account_nobody_knows_is_refused(world: World) -> None:
    for act in (operator(world).stop, operator(world).flatten, operator(world).resume):
        with pytest.raises(NoSuchAccountError):
            await act(99)
    assert await world.ledger.flags() == Flags(trading_enabled=True, flatten=False)
