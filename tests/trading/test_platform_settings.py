"""An operator's rows over the environment's limits: in force from the next cycle, and never looser by accident."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.account import PlatformLimits
from lib.domain.errors import Retry
from lib.domain.gates import UNREADABLE
from lib.domain.platform_settings import LIMIT, LIMIT_BOUNDS
from lib.domain.reason import Reason
from lib.trading.cycle.platform_limits import limits_now
from tests.worlds.one_process import World

STRICT = PlatformLimits(max_exposure=Decimal(1), entries_per_day=0)
"""Under these nobody enters."""
GARBAGE = ("", "1e9", "-1", "NaN", "no limit", "99999999999999", "5_000_000", "\x00")


def set_limit(world: World, name: str, text: str) -> None:
    world.ledger.store.settings[f"{LIMIT}{name}"] = text


async def outcomes(world: World, view: Any = "buy") -> list[str]:
    report = await world.cycle(view)
    return sorted(result.outcome for result in report.results)


async def whys(world: World) -> set[Reason]:
    return {lock.why for lock in await world.ledger.locks(0)}


async def test_a_row_is_in_force_from_the_next_cycle_and_gone_with_it(world: World) -> None:
    set_limit(world, "entries_per_day", "0")
    assert await outcomes(world) == ["refused"]
    del world.ledger.store.settings[f"{LIMIT}entries_per_day"]
    assert await world.ledger.unlock(0, "paper:entries", "cli:kim@context")
    assert await outcomes(world) == ["bought"]


async def test_a_row_that_reads_loosens_what_the_environment_forbids(world: World) -> None:
    world.context = replace(world.context, platform=replace(PlatformLimits(), max_exposure=Decimal(0)))
    set_limit(world, "max_exposure", "100000")
    assert await outcomes(world) == ["bought"]


@pytest.mark.parametrize("text", GARBAGE)
@pytest.mark.parametrize("name", ["max_exposure", "entries_per_day", "daily_loss", "analyst_failures", "unheard_of"])
async def test_a_row_that_does_not_read_loosens_nothing_and_stops_entries(world: World, name: str, text: str) -> None:
    set_limit(world, name, text)
    assert await outcomes(world) == ["refused"]
    assert await whys(world) == {UNREADABLE}
    assert world.position().is_flat


async def test_a_row_that_does_not_read_leaves_the_environments_figures(world: World) -> None:
    world.context = replace(world.context, platform=STRICT)
    for name in LIMIT_BOUNDS:
        set_limit(world, name, "∞")
    assert await limits_now(world.context) == replace(STRICT, unreadable=tuple(sorted(LIMIT_BOUNDS)))


async def test_exits_pass_a_limit_that_does_not_read(world: World) -> None:
    assert await outcomes(world, "buy") == ["bought"]
    set_limit(world, "max_exposure", "lots")
    assert await outcomes(world, "sell") == ["closed"]
    assert world.position().is_flat


async def test_entries_go_on_one_cycle_after_the_limit_reads_again(world: World) -> None:
    set_limit(world, "max_exposure", "lots")
    assert await outcomes(world) == ["refused"]
    set_limit(world, "max_exposure", "100000")
    assert await outcomes(world) == ["bought"]


@pytest.mark.parametrize("name", ["analyst_tokens", "analyst_cost"])
async def test_nobody_is_asked_for_on_a_budget_that_does_not_read(world: World, name: str) -> None:
    set_limit(world, name, "much")
    assert await outcomes(world, "hold") == ["skipped"]
    assert world.analyst.asked == []


async def test_guests_alone_wait_for_a_budget_of_theirs_that_does_not_read(world: World) -> None:
    number = world.add_account()
    users, user_id = world.ledger.store.users, world.user_of(number)
    users[user_id] = replace(users[user_id], is_guest=True)
    set_limit(world, "guest_tokens", "much")
    assert await outcomes(world, "hold") == ["held", "skipped"]


async def test_while_the_rows_cannot_be_had_nobody_is_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise Retry("the database is busy or away")

    monkeypatch.setattr(world.ledger, "limit_overrides", away)
    with pytest.raises(Retry):
        await world.cycle("buy")
    assert world.position().is_flat
