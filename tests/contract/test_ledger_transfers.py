"""The ledger's contract, money that comes and goes: never a profit, never a loss, and what the platform sums up."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleRecord
from lib.domain.books import EquityPoint, Transfer, TransferKind
from lib.domain.gates import PlatformFacts
from lib.domain.reason import text
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, HOLDER, cycle_key, signed, trading_account
from tests.effort import examples
from tests.factories import SYMBOL, T

DAY = 86_400_000
MIDNIGHT = T // DAY * DAY
ZERO = Decimal(0)


def transfer(transfer_id: str, amount: str, at_ms: int = T, kind: TransferKind = "transfer") -> Transfer:
    return Transfer(transfer_id, kind, Decimal(amount), at_ms)


def point(account: TraderAccount, t_ms: int, equity: str, difference: str = "0") -> EquityPoint:
    return EquityPoint(account.account_id, t_ms, Decimal(equity), Decimal(equity), Decimal(difference))


# --- transfers -------------------------------------------------------------------------------------------------------


async def test_a_transfer_is_booked_once(world: World) -> None:
    account = await trading_account(world)
    come, gone = transfer("1", "250.25", T + 1), transfer("2", "-100.1", T + 2, "withdrawal")
    assert await world.ledger.record_transfers(account.account_id, [come, come]) == 1
    assert await world.ledger.record_transfers(account.account_id, [come, gone]) == 1
    assert await world.ledger.record_transfers(account.account_id, []) == 0
    books = await world.ledger.books(account.slot)
    assert (books.transfers, books.balance, books.last_transfer_ms) == (
        Decimal("150.15"),
        Decimal("10150.15"),
        T + 2,
    )


async def test_the_same_id_on_another_account_is_another_transfer(world: World) -> None:
    accounts = [await trading_account(world), await trading_account(world, uid="uid-2")]
    for account in accounts:
        assert await world.ledger.record_transfers(account.account_id, [transfer("1", "7")]) == 1


async def test_what_came_before_the_books_began_is_in_their_start(world: World) -> None:
    user_id = world.people.add_user("late@example.org", "!")
    new = NewAccount(user_id, "paper", "synthetic", "77", SYMBOL, "sealed", "1234", 1, Decimal(500), T)
    account_id = world.people.add_account(new)
    seen = [transfer("1", "400", T - 1), transfer("2", "100", T), transfer("3", "5", T + 1)]
    assert await world.ledger.record_transfers(account_id, seen) == 1
    assert (await world.ledger.books((account_id, SYMBOL))).balance == 505


AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12).filter(bool).map(lambda n: Decimal(n) / 10**8)
_users = iter(range(1, 10_000_000))


@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(AMOUNTS, max_size=10), cut=st.integers(min_value=0, max_value=10))
async def test_the_balance_is_the_sum_of_its_transfers_exactly(world: World, amounts: list[Decimal], cut: int) -> None:
    account = await trading_account(world, uid=f"uid-{next(_users)}")
    seen = [Transfer(f"{n}", "other", amount, T + n) for n, amount in enumerate(amounts)]
    for part in (seen[:cut], seen):
        await world.ledger.record_transfers(account.account_id, part)
    books = await world.ledger.books(account.slot)
    assert books.transfers == sum(amounts, ZERO)
    assert books.balance == Decimal(10_000) + sum(amounts, ZERO)
    facts = await world.ledger.facts(account.slot, T)
    assert (facts.day_start_equity, facts.peak_equity) == (books.balance, books.balance)


# --- neither profit nor loss -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["5000", "-5000"])
async def test_a_transfer_after_the_days_start_moves_start_and_peak(world: World, amount: str) -> None:
    account = await trading_account(world)
    await world.ledger.record_equity(point(account, T, "10200"))
    await world.ledger.record_equity(point(account, T + 300_000, "9800"))
    await world.ledger.record_transfers(account.account_id, [transfer("1", amount, T + 400_000)])
    facts = await world.ledger.facts(account.slot, T + 600_000)
    assert facts.day_start_equity == Decimal(10_200) + Decimal(amount)
    assert facts.peak_equity == Decimal(10_200) + Decimal(amount)


async def test_a_transfer_before_the_days_start_does_not_move_it(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_transfers(account.account_id, [transfer("1", "5000")])
    await world.ledger.record_equity(point(account, T, "15000"))
    facts = await world.ledger.facts(account.slot, T)
    assert (facts.day_start_equity, facts.peak_equity) == (Decimal(15_000), Decimal(15_000))


async def test_a_start_that_is_the_last_point_of_yesterday_moves_too(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_equity(point(account, MIDNIGHT - 1, "9000"))
    await world.ledger.record_transfers(account.account_id, [transfer("1", "-4000", MIDNIGHT + 1)])
    assert (await world.ledger.facts(account.slot, T)).day_start_equity == 5_000


async def test_a_deposit_booked_late_is_no_new_peak_twice(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_equity(point(account, T, "15000", "5000"))
    await world.ledger.record_transfers(account.account_id, [transfer("1", "5000", T - 60_000)])
    assert (await world.ledger.facts(account.slot, T)).peak_equity == 15_000


LATE = MIDNIGHT - 600_000


@pytest.mark.parametrize(
    ("equity", "difference", "listed", "start"),
    [
        ("12000", "2000", [("2000", LATE)], "12000"),  # the wallet had it: moving the start by it would be a loss of it
        ("8000", "-2000", [("-2000", LATE)], "8000"),
        ("12000", "2000", [("2000", LATE + 120_000)], "12000"),  # paid in between T and the look at the wallet
        ("12100", "2100", [("2000", LATE), ("100", LATE)], "12100"),
        ("10100", "100", [("2000", LATE), ("-1900", LATE)], "10100"),
        ("12000", "2000", [("2000", LATE), ("-1900", LATE + 200_000)], "10100"),  # the second came after the look
        ("12007", "2007", [("2000", LATE)], "12007"),  # beside something nobody can explain
        ("10000", "0", [("2000", LATE)], "12000"),  # the wallet did not have it yet
        ("10050", "50", [("2000", LATE)], "12050"),
        ("12000", "2000", [("2000", LATE + 600_000)], "14000"),  # another of the same size, after it
    ],
)
async def test_a_day_starts_where_it_did_however_late_a_transfer_is_listed(
    world: World, equity: str, difference: str, listed: list[tuple[str, int]], start: str
) -> None:
    other, account = await trading_account(world), await trading_account(world, uid="uid-2")
    for one in (account, other):
        await world.ledger.record_equity(point(one, LATE, equity, difference))
    seen = [transfer(f"{n}", amount, at_ms) for n, (amount, at_ms) in enumerate(listed)]
    await world.ledger.record_transfers(account.account_id, seen)
    assert (await world.ledger.facts(account.slot, MIDNIGHT)).day_start_equity == Decimal(start)
    assert (await world.ledger.facts(other.slot, MIDNIGHT)).day_start_equity == Decimal(equity)


@pytest.mark.parametrize(("then", "start"), [("2000", "16000"), ("4000", "14000")])
async def test_a_difference_nobody_can_explain_hides_no_transfer(world: World, then: str, start: str) -> None:
    account = await trading_account(world)
    await world.ledger.record_equity(point(account, LATE - 300_000, "12000", "2000"))
    await world.ledger.record_equity(point(account, LATE, "14000", then))
    await world.ledger.record_transfers(account.account_id, [transfer("1", "2000", LATE + 1_000)])
    assert (await world.ledger.facts(account.slot, MIDNIGHT)).day_start_equity == Decimal(start)


async def test_the_platform_sums_what_is_missing(world: World) -> None:
    told = {"uid-1": {0: "-7", 300_000: "-30"}, "uid-2": {0: "-12.5"}, "uid-3": {0: "400"}}
    told |= {"uid-4": {-3_600_000: "-100", 0: "-105"}, "uid-5": {-3_300_000: "-1", 0: "-3"}}
    for uid, differences in told.items():
        account = await trading_account(world, uid=uid)
        for after_ms, difference in differences.items():
            await world.ledger.record_equity(point(account, T + after_ms, "9000", difference))
    assert (await world.ledger.platform_facts("synthetic", T + 300_000, "paper")).missing == Decimal("30") + Decimal(
        "12.5"
    ) + 7


async def test_what_was_missing_an_hour_ago_is_told(world: World) -> None:
    account = await trading_account(world)
    assert (await world.ledger.facts(account.slot, T)).difference_before == 0
    for after_ms, difference in ((-3_900_000, "-5"), (-3_600_000, "-7"), (-3_300_000, "-30")):
        await world.ledger.record_equity(point(account, T + after_ms, "9000", difference))
    found = [(await world.ledger.facts(account.slot, T + ms)).difference_before for ms in (-300_001, -1, 0)]
    assert found == [0, -5, -7]


async def test_ending_a_drawdown_counts_what_came_since_the_newest_point(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_equity(point(account, T, "7000"))
    await world.ledger.record_transfers(account.account_id, [transfer("1", "500", T + 1)])
    await world.ledger.lock(account.account_id, "drawdown", T + DAY, text("fell by a third"))
    await world.ledger.unlock(account.account_id, "drawdown", "kim")
    assert (await world.ledger.facts(account.slot, T)).peak_equity == 7_500


# --- the identity ----------------------------------------------------------------------------------------------------


async def test_a_difference_is_news_once_per_value(world: World) -> None:
    account = await trading_account(world)
    told = []
    for step, difference in enumerate(("0", "3.5", "3.5", "-1", "0", "-1")):
        told.append(await world.ledger.record_equity(point(account, T + step * 300_000, "10000", difference)))
    assert told == [False, True, False, True, False, True]
    assert world.outbox() == [
        (account.account_id, codes.BOOKS_DIFFER(difference=Decimal(value))) for value in ("3.5", "-1", "-1")
    ]


async def test_the_first_point_of_a_t_stands_and_tells_nothing_twice(world: World) -> None:
    account = await trading_account(world)
    assert await world.ledger.record_equity(point(account, T, "10000", "2"))
    assert not await world.another().record_equity(point(account, T, "10000", "9"))
    assert len(world.outbox()) == 1
    assert (await world.ledger.books(account.slot)).checked_ms == T


# --- tokens and the platform -----------------------------------------------------------------------------------------


def answer(tokens: int, cost: str | None = None, *, failed: bool = False) -> AnalystAnswer:
    made = replace(make.analyst_answer(failed=failed), prompt_tokens=tokens, completion_tokens=1)
    return replace(made, cost=None if cost is None else Decimal(cost))


async def decided(world: World, accounts: Sequence[TraderAccount], t_ms: int, given: AnalystAnswer) -> None:
    """One cycle of everybody of *accounts*, behind one shared answer."""
    key = cycle_key("a", t_ms)
    await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", given, "paper"))
    for account in accounts:
        await world.ledger.plan(account, key, t_ms, BUY)


async def test_tokens_behind_an_accounts_decisions_count_on_their_utc_day(world: World) -> None:
    account, other = await trading_account(world), await trading_account(world, uid="uid-2")
    await decided(world, [account, other], T, answer(900))
    await decided(world, [account], T + 300_000, answer(50))
    await decided(world, [account], T + 300_000, answer(50))  # planned already: counted once
    await world.ledger.plan(account, None, T + 600_000, BUY)
    counted = [(await world.ledger.facts(a.slot, T)).tokens_today for a in (account, other)]
    assert counted == [901 + 51, 901]
    assert (await world.ledger.facts(account.slot, T + DAY)).tokens_today == 0
    await decided(world, [account], T + DAY, answer(7))
    assert (await world.ledger.facts(account.slot, T + DAY)).tokens_today == 8


async def test_what_a_call_cost_reads_back_with_its_answer(world: World) -> None:
    for group, cost in (("a", "0.001234"), ("b", None)):
        await world.ledger.record_cycle(CycleRecord(cycle_key(group), "prompt", "[]", answer(5, cost), "paper"))
        assert await world.ledger.cycle(cycle_key(group)) == answer(5, cost)


async def test_a_platform_where_nothing_happened_has_nothing(world: World) -> None:
    await trading_account(world)
    nothing = PlatformFacts(0, ZERO, ZERO, ZERO, 0, ZERO, 0, pool="paper")
    assert await world.ledger.platform_facts("synthetic", T, "paper") == nothing


async def test_the_platform_is_the_sum_of_its_accounts_on_the_day(world: World) -> None:
    first, second = await trading_account(world), await trading_account(world, uid="uid-2")
    await trading_account(world, uid="uid-3")  # never served: in no sum
    await world.ledger.record_equity(point(first, MIDNIGHT - 1, "10100"))  # what is lost from here on is today's loss
    await world.ledger.record_equity(point(second, MIDNIGHT - 3_600_001, "50000"))
    for account, equity in ((first, "10000"), (second, "20000")):
        await world.ledger.record_equity(point(account, T, equity))
    await world.ledger.record_equity(point(first, T + 300_000, "9000"))
    await world.ledger.record_equity(point(second, T + 900_000, "1"))
    await world.ledger.record_transfers(second.account_id, [transfer("1", "500", T + 1)])
    for account, side, qty in ((first, "buy", "2"), (second, "sell", "0.5")):
        row = make.fill("1", "buy" if side == "buy" else "sell", qty, "100", order_link_id="")
        await world.ledger.record_fills(account.account_id, [row])
    found = await world.ledger.platform_facts("synthetic", T + 600_000, "paper")
    # the deposit after its newest point is in the equity as it is in the start: it is nobody's gain
    assert (found.equity, found.day_start_equity, found.exposure) == (Decimal(29_500), Decimal(30_600), Decimal(250))


async def test_the_platform_counts_entries_sent_on_the_day(world: World) -> None:
    accounts = [await trading_account(world), await trading_account(world, uid="uid-2")]
    for account in accounts:
        order = (await world.ledger.plan(account, None, T, BUY))[0]
        assert (await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)).granted
    await world.ledger.plan(accounts[0], None, T + 300_000, BUY)  # planned, never sent
    assert (await world.ledger.platform_facts("synthetic", T, "paper")).entries == 2
    assert (await world.ledger.platform_facts("synthetic", T + DAY, "paper")).entries == 0
    assert (await world.ledger.platform_facts("replay:x", T, "paper")).entries == 0


async def test_the_platform_counts_tokens_and_cost_of_the_day(world: World) -> None:
    calls = (
        (T, answer(10, "0.1")),
        (T + 300_000, answer(20, "0.25")),
        (T + 600_000, answer(30)),
        (T + DAY, answer(99)),
    )
    for t_ms, reply in calls:
        await decided(world, [], t_ms, reply)
    found = await world.ledger.platform_facts("synthetic", T + 900_000, "paper")
    assert (found.tokens, found.cost) == (11 + 21 + 31, Decimal("0.35"))
    assert (await world.ledger.platform_facts("synthetic", T + DAY, "paper")).tokens == 100


async def test_the_platform_counts_failures_before_t_over_all_symbols(world: World) -> None:
    for step, (symbol, failed) in enumerate((("ETHUSDT", False), (SYMBOL, True), ("ETHUSDT", True), (SYMBOL, True))):
        key = replace(cycle_key("a", T + step * 300_000), symbol=symbol)
        await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer(1, failed=failed), "paper"))
    assert (await world.ledger.platform_facts("synthetic", T + 900_000, "paper")).analyst_failures == 2
    assert (await world.ledger.platform_facts("synthetic", T + 1_200_000, "paper")).analyst_failures == 3


async def test_the_platforms_own_locks_are_among_its_facts(world: World) -> None:
    await world.ledger.lock(0, "paper:daily_loss", T + DAY, text("everybody lost"))
    assert (await world.ledger.platform_facts("synthetic", T, "paper")).locks == ("daily_loss",)
    await world.ledger.unlock(0, "paper:daily_loss", "kim")
    assert (await world.ledger.platform_facts("synthetic", T, "paper")).locks == ()
