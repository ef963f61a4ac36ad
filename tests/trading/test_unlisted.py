"""Money that came or went and is in no list yet: it keeps entries off while it looks like a loss, and locks nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from lib.adapters.bybit.rest.client import BybitExchange
from lib.domain import reason_codes as codes
from lib.domain.account import RiskLevel
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.books import Transfer
from lib.domain.day import midnight_after
from lib.domain.order import CYCLE_MS
from tests.factories import SYMBOL, decision, limits, settings
from tests.worlds.one_process import World, result_of
from tests.worlds.props import FakeAnalyst


@contextmanager
def unlisted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The exchange's list of transfers is behind its wallets."""

    async def nothing(self: BybitExchange, since_ms: int) -> list[Transfer]:
        return []

    with monkeypatch.context() as patched:
        patched.setattr(BybitExchange, "transfers_since", nothing)
        yield


async def kinds(world: World, account_id: int = 1) -> list[str]:
    return [lock.kind for lock in await world.ledger.locks(account_id)]


# --- limits ----------------------------------------------------------------------------------------------------------


async def test_a_withdrawal_listed_late_keeps_entries_off_and_locks_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(-2_500))
    with unlisted(monkeypatch):
        for _ in range(2):
            seen = result_of(await world.cycle("buy"))
            assert (seen.outcome, seen.reason) == (
                "refused",
                codes.DAILY_LOSS(lost=Decimal("0.25"), limit=Decimal("0.05")),
            )
    assert await kinds(world) == []
    assert await kinds(world, 0) == []
    await world.cycle("hold")  # the platform's sums are made before anybody's list is read
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_what_stays_missing_for_an_hour_is_a_loss_and_locks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(-2_500))
    with unlisted(monkeypatch):
        for _ in range(13):
            assert await kinds(world) == []
            await world.cycle("buy")
        assert await kinds(world) == ["daily_loss", "drawdown"]
        assert await kinds(world, 0) == ["paper:daily_loss"]


async def test_what_was_missing_long_since_excuses_no_loss_of_today(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.engine.dealing.deposit(world.uid(1), Decimal(-400))
    world.ledger.people.change_settings(world.user_of(1), settings(RiskLevel.HIGH))
    with unlisted(monkeypatch):
        await world.cycle("hold")
        world.to(world.t_ms + 3_600_000)
        await world.cycle(decision("buy", stop_loss="0.01"))
        world.remove_stop()
        world.trade_at(int(world.position().avg_entry_price - world.cash() * 6 / 100 / world.position().qty))
        await world.cycle("hold")
    assert await kinds(world) == ["daily_loss"]


@pytest.mark.parametrize("kind", ["daily_loss", "drawdown"])
async def test_a_loss_beside_a_withdrawal_listed_late_is_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    await world.cycle("hold")
    bounds = {"daily_loss": Decimal("0.1"), "drawdown": Decimal("0.1")} | {kind: Decimal("0.05")}
    world.ledger.people.change_settings(world.user_of(1), settings(RiskLevel.HIGH, limits=limits(**bounds)))
    await world.cycle(decision("buy", stop_loss="0.01"))
    world.remove_stop()
    world.trade_at(int(world.position().avg_entry_price - world.cash() * 6 / 100 / world.position().qty))
    world.engine.dealing.deposit(world.uid(1), Decimal(-100))
    with unlisted(monkeypatch):
        await world.cycle("hold")
    assert await kinds(world) == [kind]


async def test_an_unlisted_withdrawal_of_one_locks_not_the_platform(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.add_account()
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(-2_500))  # an eighth of what all have
    with unlisted(monkeypatch):
        await world.cycle("hold")
        report = await world.cycle("buy")
        told = {result.account_id: result.reason for result in report.results}
        assert told[other] == codes.PLATFORM_DAILY_LOSS(lost=Decimal("0.125"), limit=Decimal("0.1"))
        assert await kinds(world, 0) == []
    await world.cycle("hold")
    assert [result.outcome for result in (await world.cycle("buy")).results] == ["bought", "bought"]


@pytest.mark.parametrize("amount", ["3000", "-3000"])
async def test_what_is_listed_on_the_next_day_is_no_loss_of_that_day(
    world: World, monkeypatch: pytest.MonkeyPatch, amount: str
) -> None:
    midnight = midnight_after(world.t_ms)
    world.to(midnight - 2 * CYCLE_MS - 60_000)
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(amount))
    with unlisted(monkeypatch):
        await world.cycle("hold")
    assert world.t_ms < midnight
    report = await world.cycle("buy")
    assert world.t_ms >= midnight
    assert result_of(report).outcome == "bought"
    facts = await world.ledger.facts((1, SYMBOL), world.t_ms)
    assert facts.day_start_equity == Decimal(10_000) + Decimal(amount)
    assert await kinds(world) == []


# --- what an answer took ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v5/position/list", "/v5/account/wallet-balance"])
async def test_an_account_that_cannot_be_read_pays_for_the_answer_it_had_asked(world: World, path: str) -> None:
    world.ledger.people.change_settings(world.user_of(1), settings(limits=limits(analyst_tokens=1_900)))
    world.fault("drop_before", path, 1_000)
    reasons = [result_of(await world.cycle("hold")).reason for _ in range(3)]
    assert len(world.analyst.asked) == 2
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).tokens_today == 2 * 960
    assert reasons[-1] == codes.ANALYST_NOT_ASKED(why=codes.ANALYST_BUDGET_USED_UP())


@dataclass
class SlowAnalyst(FakeAnalyst):
    """Answers once *go* is set."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        await self.go.wait()
        return await super().ask(prompt, budget_s)


async def test_an_answer_that_comes_when_nobody_can_use_it_any_more_is_kept_and_counted(world: World) -> None:
    slow = SlowAnalyst()
    world.fault("drop_before", "/v5/account/wallet-balance", 1_000)
    cycle = asyncio.ensure_future(world.cycle("hold", context=replace(world.context, analyst=slow)))
    for _ in range(500):
        await asyncio.sleep(0)
    assert not cycle.done(), "the account was given up, and its answer with it"
    slow.go.set()
    assert result_of(await cycle).outcome == "skipped"
    assert (await world.ledger.platform_facts("synthetic", world.t_ms, "paper")).tokens == 960
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).tokens_today == 960
