"""The ledger's contract: paper money and real exchanges are counted apart, and so are guests' calls."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import Pool, Venue
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.analyst_call import AskedFor, CycleRecord
from lib.domain.order import OrderState
from lib.domain.reason import text
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, HOLDER, cycle_key, signed
from tests.contract.test_ledger_transfers import point
from tests.factories import SYMBOL, T

FEED = "bybit"
DAY, NOW = 86_400_000, T + 4_000


async def on(world: World, venue: Venue, uid: str) -> TraderAccount:
    """A person of real prices who trades on *venue*."""
    user_id = world.people.add_user(f"{uid}@example.test", "hash")
    world.people.add_account(NewAccount(user_id, venue, FEED, uid, SYMBOL, "s", "1234", 1, Decimal(10_000), 0))
    assert venue != "demo" or world.demo_without(user_id, T - 300_000)
    world.people.set_auto_trade(user_id, True, T - 300_000)
    assert await world.ledger.hold_lease(HOLDER, 30_000)
    return next(account for account in await world.ledger.accounts() if account.uid == uid)


async def test_what_paper_accounts_did_is_in_no_figure_of_the_exchanges_and_the_other_way_round(world: World) -> None:
    paper, demo = await on(world, "paper", "p"), await on(world, "demo", "d")
    for account, qty, equity in ((paper, "2", "5000"), (demo, "3", "700")):
        await world.ledger.record_fills(account.account_id, [make.fill("1", "buy", qty, "100", order_link_id="")])
        await world.ledger.record_equity(point(account, T, equity))
        order = (await world.ledger.plan(account, None, T, BUY))[0]
        assert (await world.ledger.claim(order, signed(order, NOW), HOLDER)).granted
    await world.ledger.plan(paper, None, T + 300_000, BUY)
    found = {pool: await world.ledger.platform_facts(FEED, T, pool) for pool in ("exchange", "paper")}
    assert [(found[p].exposure, found[p].equity, found[p].entries) for p in ("exchange", "paper")] == [
        (Decimal(300), Decimal(700), 1),
        (Decimal(200), Decimal(5_000), 1),
    ]


@pytest.mark.parametrize(("pool", "tokens", "guests", "cost"), [("exchange", 100, 0, "1"), ("paper", 50, 20, "0.75")])
async def test_calls_count_where_they_were_asked_for(
    world: World, pool: Pool, tokens: int, guests: int, cost: str
) -> None:
    calls: tuple[tuple[AskedFor, int, str], ...] = (
        ("exchange", 100, "1"),
        ("paper", 30, "0.5"),
        ("guests", 20, "0.25"),
        ("own", 70, "3"),
    )
    for n, (asked_for, used, price) in enumerate(calls):
        answer = replace(make.analyst_answer(), prompt_tokens=used - 1, completion_tokens=1, cost=Decimal(price))
        key = replace(cycle_key("abcd"[n]), feed=FEED)
        await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer, asked_for))
    found = await world.ledger.platform_facts(FEED, T, pool)
    assert (found.pool, found.tokens, found.guest_tokens, found.cost) == (pool, tokens, guests, Decimal(cost))


@pytest.mark.parametrize(("venue", "pool", "other"), [("paper", "paper", "exchange"), ("demo", "exchange", "paper")])
async def test_a_lock_of_the_platform_stops_its_own_pool_alone(
    world: World, venue: Venue, pool: Pool, other: Pool
) -> None:
    account = await on(world, venue, "u")
    kinds = {"exchange": "daily_loss", "paper": "paper:daily_loss"}
    await world.ledger.lock(0, kinds[other], T + DAY, text("the others lost"))
    assert (await world.ledger.platform_facts(FEED, T, pool)).locks == ()
    first = (await world.ledger.plan(account, None, T, BUY))[0]
    assert (await world.ledger.claim(first, signed(first, NOW), HOLDER)).granted
    await world.ledger.lock(0, kinds[pool], T + DAY, text("they lost"))
    assert (await world.ledger.platform_facts(FEED, T, pool)).locks == ("daily_loss",)
    second = (await world.ledger.plan(account, None, T + 300_000, BUY))[0]
    claim = await world.ledger.claim(second, signed(second, NOW), HOLDER)
    assert (claim.granted, claim.state) == (False, OrderState.BLOCKED)
    assert claim.why == codes.ENTRIES_LOCKED(locks="platform: daily_loss")
