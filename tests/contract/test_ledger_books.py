"""The ledger's contract, books to switches, on every implementation: what is booked is what happened, once."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lib.domain.account import RiskLevel
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.analyst_call import CycleRecord
from lib.domain.books import EquityPoint, Fill
from lib.domain.decision import Abstained
from lib.domain.exit_rules import ExitRules
from lib.domain.order import Order, OrderState
from lib.domain.position import Position, Side, apply_fill
from lib.domain.reason import text
from lib.domain.switches import Flags
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, HOLDER, again, cycle_key, planned, signed, submitted, trading_account
from tests.effort import examples
from tests.factories import SYMBOL, T

S = OrderState
DAY = 86_400_000
MIDNIGHT = T // DAY * DAY


def executed(exec_id: str, side: Side, qty: str, price: str, fee: str = "0", **changes: object) -> Fill:
    fill = make.fill(exec_id, side, qty, price, order_link_id="", fee=Decimal(fee))
    return replace(fill, **changes)  # type: ignore[arg-type]


# --- fills and books -------------------------------------------------------------------------------------------------


async def test_a_fill_is_booked_once(world: World) -> None:
    account, order = await submitted(world)
    fill = make.fill(order_link_id=order.order_link_id)
    assert await world.ledger.record_fills(account.account_id, [fill, fill]) == 1
    assert await world.ledger.record_fills(account.account_id, [fill]) == 0
    books = await world.ledger.books(account.slot)
    assert (books.fees, books.position.qty, books.last_fill_ms) == (fill.fee, fill.qty, fill.at_ms)
    assert await world.ledger.record_fills(account.account_id, []) == 0


async def test_funding_paid_leaves_the_balance_and_moves_no_quantity(world: World) -> None:
    account = await trading_account(world)
    rows = [
        executed("1", "buy", "0.010", "60000", "0.33"),
        executed("2", "buy", "0.010", "60000", "0.06", kind="funding"),
        executed("3", "buy", "0.010", "60000", "-0.02", kind="funding"),
    ]
    await world.ledger.record_fills(account.account_id, rows)
    books = await world.ledger.books(account.slot)
    assert (books.fees, books.funding, books.position.qty) == (Decimal("0.33"), Decimal("-0.04"), Decimal("0.010"))
    assert books.balance == Decimal("9999.63")


PRICES = st.integers(min_value=1, max_value=2_000_000).map(lambda n: Decimal(n) / 10)
QUANTITIES = st.integers(min_value=1, max_value=50_000).map(lambda n: Decimal(n) / 1_000)
FEES = st.integers(min_value=-(10**9), max_value=10**9).map(lambda n: Decimal(n) / 10**8)
FILLS = st.lists(
    st.builds(
        lambda side, qty, price, fee, kind, is_stop: replace(
            make.fill("", side, qty, price, kind), fee=fee, is_stop=is_stop, order_link_id=""
        ),
        st.sampled_from(["buy", "sell"]),
        QUANTITIES,
        PRICES,
        FEES,
        st.sampled_from(["trade", "trade", "trade", "funding", "liquidation", "adl"]),
        st.booleans(),
    ),
    max_size=12,
)
_users = iter(range(1, 10_000_000))


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=FILLS, cut=st.integers(min_value=0, max_value=12))
async def test_the_books_are_the_sum_of_their_fills_exactly(world: World, drawn: list[Fill], cut: int) -> None:
    account = await trading_account(world, uid=f"uid-{next(_users)}")
    rows = [replace(fill, exec_id=f"exec-{n}", at_ms=T + n) for n, fill in enumerate(drawn)]
    await world.ledger.record_fills(account.account_id, rows[:cut])
    await world.ledger.record_fills(account.account_id, rows)
    books = await world.ledger.books(account.slot)
    position, cash = recomputed(rows)
    assert books.balance == Decimal(10_000) + cash
    assert (books.position.qty, books.position.avg_entry_price) == (position.qty, position.avg_entry_price)
    assert (await world.ledger.facts(account.slot, T)).own_qty == sum(
        ((row.qty if row.side == "buy" else -row.qty) for row in rows if row.kind != "funding"), Decimal(0)
    )


async def test_a_liquidation_price_is_kept_until_a_fill_moves_the_position(world: World) -> None:
    account, other = await trading_account(world), await trading_account(world, uid="uid-other")
    opened = executed("1", "buy", "0.010", "60000")
    await world.ledger.record_fills(account.account_id, [opened])
    assert world.liquidation(account.account_id) is None
    for price in (Decimal("54300.1"), Decimal(0), Decimal("54300.2")):
        assert await world.ledger.note_liquidation(account.slot, Decimal("0.010"), price)
        assert world.liquidation(account.account_id) == price
    funding = executed("2", "buy", "0.010", "60000", "0.06", kind="funding", at_ms=opened.at_ms + 1)
    await world.ledger.record_fills(account.account_id, [opened, funding])
    await world.ledger.record_equity(EquityPoint(account.account_id, T, Decimal(1), Decimal(1), Decimal(0)))
    assert world.liquidation(account.account_id) == Decimal("54300.2")
    added = executed("3", "buy", "0.010", "60000", at_ms=opened.at_ms + 2)
    await world.ledger.record_fills(account.account_id, [added])
    assert (world.liquidation(account.account_id), world.liquidation(other.account_id)) == (None, None)


async def test_a_liquidation_price_of_another_quantity_is_not_kept(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_fills(account.account_id, [executed("1", "sell", "0.010", "60000")])
    for qty in ("0.010", "-0.011", "0"):
        assert not await world.ledger.note_liquidation(account.slot, Decimal(qty), Decimal(66_000))
    assert world.liquidation(account.account_id) is None


def recomputed(rows: Sequence[Fill]) -> tuple[Position, Decimal]:
    """Position and change of cash, without the ledger's running sums."""
    position, cash = Position(SYMBOL), Decimal(0)
    for row in rows:
        if row.kind != "funding":
            position, realised = apply_fill(position, row.side, row.qty, row.price)
            cash += realised
    return position, cash - sum((row.fee for row in rows), Decimal(0))


ROUND_TRIPS = [
    ("a loss counts", [("buy", "1", "100"), ("sell", "1", "90")], 1),
    ("two losses count two", [("buy", "1", "100"), ("sell", "1", "90"), ("sell", "1", "90"), ("buy", "1", "95")], 2),
    ("a win forgives", [("buy", "1", "100"), ("sell", "1", "90"), ("buy", "1", "90"), ("sell", "1", "99")], 0),
    ("a fee can lose it", [("buy", "1", "100"), ("sell", "1", "100.5")], 1),
    ("half closed is not over", [("buy", "1", "100"), ("sell", "0.5", "90")], 0),
    ("both halves make one", [("buy", "1", "100"), ("sell", "0.5", "90"), ("sell", "0.5", "90")], 1),
    ("the halves are summed", [("buy", "1", "100"), ("sell", "0.5", "90"), ("sell", "0.5", "120")], 0),
    ("through zero ends a round", [("buy", "1", "100"), ("sell", "2", "90")], 1),
]


@pytest.mark.parametrize(("trips", "streak"), [row[1:] for row in ROUND_TRIPS], ids=[row[0] for row in ROUND_TRIPS])
async def test_losing_round_trips_in_a_row_are_counted(
    world: World, trips: list[tuple[Side, str, str]], streak: int
) -> None:
    account = await trading_account(world)
    rows = [executed(f"{n}", side, qty, price, "0.6") for n, (side, qty, price) in enumerate(trips)]
    for row in rows:
        await world.ledger.record_fills(account.account_id, [row])
    assert (await world.ledger.facts(account.slot, T)).loss_streak == streak


async def test_a_streak_of_losses_counts_on_its_own_utc_day_only(world: World) -> None:
    account = await trading_account(world)
    day = 86_400_000
    losses = [("buy", T), ("sell", T + 1), ("buy", T + 2), ("sell", T + 3), ("buy", T + day), ("sell", T + day + 1)]
    for number, (side, at_ms) in enumerate(losses):
        row = executed(f"{number}", "buy" if side == "buy" else "sell", "1", "100", "0.6", at_ms=at_ms)
        await world.ledger.record_fills(account.account_id, [row])
        if at_ms == T + 3:
            assert (await world.ledger.facts(account.slot, T + 300_000)).loss_streak == 2
            assert (await world.ledger.facts(account.slot, T + day)).loss_streak == 0
    assert (await world.ledger.facts(account.slot, T + day)).loss_streak == 1


async def test_executions_from_before_the_books_began_are_not_ours(world: World) -> None:
    user_id = world.people.add_user("late@example.org", "!")
    began = replace(new_account(user_id, "77"), opened_ms=T)
    account_id = world.people.add_account(began)
    early, ours = executed("1", "buy", "1", "100", at_ms=T - 1), executed("2", "buy", "1", "100", at_ms=T)
    assert await world.ledger.record_fills(account_id, [early, ours]) == 1
    books = await world.ledger.books((account_id, SYMBOL))
    assert (books.position.qty, books.opened_ms) == (Decimal(1), T)


async def test_the_newest_stop_is_remembered(world: World) -> None:
    account = await trading_account(world)
    stops = [executed("1", "sell", "1", "90", is_stop=True, at_ms=T + 9), executed("2", "buy", "1", "90", at_ms=T + 20)]
    await world.ledger.record_fills(account.account_id, stops)
    assert (await world.ledger.facts(account.slot, T)).last_stop_ms == T + 9


# --- equity and facts ------------------------------------------------------------------------------------------------


def point(account: TraderAccount, t_ms: int, equity: str) -> EquityPoint:
    return EquityPoint(account.account_id, t_ms, Decimal(equity), Decimal(equity), Decimal(0))


async def test_before_anything_happened_the_start_balance_is_the_measure(world: World) -> None:
    account = await trading_account(world)
    facts = await world.ledger.facts(account.slot, T)
    assert (facts.day_start_equity, facts.peak_equity) == (Decimal(10_000), Decimal(10_000))
    assert (facts.own_qty, facts.entries_today, facts.loss_streak, facts.last_stop_ms) == (Decimal(0), 0, 0, 0)
    assert (facts.locks, facts.unresolved) == ((), 0)


@pytest.mark.parametrize(
    ("points", "day_start"),
    [
        ([(MIDNIGHT - 1, "9000")], "9000"),
        ([(MIDNIGHT - 600_000, "9100"), (MIDNIGHT - 1, "9000")], "9000"),
        ([(MIDNIGHT - 300_000, "9000"), (MIDNIGHT, "9500"), (MIDNIGHT + 300_000, "8000")], "9000"),
        ([(MIDNIGHT - 3_600_000, "9000"), (MIDNIGHT, "9500")], "9000"),
        ([(MIDNIGHT - 3_600_001, "9000"), (MIDNIGHT, "9500"), (MIDNIGHT + 300_000, "8000")], "9500"),
        ([(T, "9600"), (T + 300_000, "8000")], "9600"),
        ([(T + 300_000, "8000")], "10000"),
    ],
)
async def test_a_day_starts_with_the_last_point_before_midnight_or_with_its_own_first_when_that_is_old(
    world: World, points: list[tuple[int, str]], day_start: str
) -> None:
    account = await trading_account(world)
    for t_ms, equity in points:
        await world.ledger.record_equity(point(account, t_ms, equity))
    assert (await world.ledger.facts(account.slot, T)).day_start_equity == Decimal(day_start)


async def test_the_peak_follows_the_points_that_stand(world: World) -> None:
    account = await trading_account(world)
    for equity in ("10500", "99999"):
        await world.ledger.record_equity(point(account, T, equity))
    await world.ledger.record_equity(point(account, T + 300_000, "9000"))
    facts = await world.ledger.facts(account.slot, T + 300_000)
    assert (facts.peak_equity, facts.day_start_equity) == (Decimal(10_500), Decimal(10_500))


async def test_entries_of_the_day_count_once_sent(world: World) -> None:
    account, _ = await planned(world)
    assert (await world.ledger.facts(account.slot, T)).entries_today == 0
    order = (await world.ledger.plan(account, None, T, BUY))[0]
    await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (await world.ledger.facts(account.slot, T)).entries_today == 1
    assert (await world.ledger.facts(account.slot, T + DAY)).entries_today == 0


async def test_what_is_unresolved_is_in_flight_or_left_over(world: World) -> None:
    account, order = await planned(world)

    async def unresolved(t_ms: int) -> int:
        return (await world.ledger.facts(account.slot, t_ms)).unresolved

    assert (await unresolved(T), await unresolved(T + 300_000)) == (0, 1)
    await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert await unresolved(T) == 1
    row: Order = await again(world.ledger, order)
    await world.ledger.move(row, S.UNKNOWN, text("timed out"))
    await world.ledger.move(await again(world.ledger, order), S.NEEDS_HUMAN, text("no proof"))
    assert await unresolved(T) == 1
    await world.ledger.move(await again(world.ledger, order), S.ABSENT, text("a person looked"))
    assert await unresolved(T + 300_000) == 0


# --- locks, pauses, lease --------------------------------------------------------------------------------------------


async def test_a_lock_is_written_once_a_day_and_ends_by_itself(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.lock(account.account_id, "drawdown", T + 60_000, text("fell by 20 %"))
    await world.ledger.lock(account.account_id, "drawdown", T + 999_000, text("again"))
    await world.ledger.lock(account.account_id, "daily loss", T + 30_000, text("lost 5 %"))
    assert (await world.ledger.facts(account.slot, T)).locks == ("daily loss", "drawdown")
    world.clock.advance_to(T + 30_000)
    assert (await world.ledger.facts(account.slot, T)).locks == ("drawdown",)
    world.clock.advance_to(T + 60_000)
    assert (await world.ledger.facts(account.slot, T)).locks == ()
    world.clock.advance_to(T + DAY)
    await world.ledger.lock(account.account_id, "drawdown", T + 2 * DAY, text("fell again"))
    assert (await world.ledger.facts(account.slot, T)).locks == ("drawdown",)


async def test_a_paused_account_is_told_once_and_shown_as_off(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.pause(account.account_id, text("the key was revoked"))
    await world.ledger.pause(account.account_id, text("the key is still revoked"))
    assert world.outbox() == [(account.account_id, text("the key was revoked"))]
    assert [row.trading_enabled for row in await world.ledger.accounts()] == [False]
    world.people.set_account_flags(account.account_id, Flags(True, False))
    await world.ledger.pause(account.account_id, text("revoked again"))
    assert len(world.outbox()) == 2


async def test_the_platforms_flags_read_back(world: World) -> None:
    assert await world.ledger.flags() == Flags(True, False)
    world.people.set_flags(Flags(False, True), "operator")
    thrown = await world.ledger.flags()
    assert (thrown.trading_enabled, thrown.flatten) == (False, True)


async def test_one_trader_holds_the_lease_and_a_takeover_counts(world: World) -> None:
    ledger = world.ledger
    assert await ledger.hold_lease("a", 30_000) == 1
    assert await ledger.hold_lease("b", 30_000) is None
    world.clock.advance_to(T + 20_000)
    assert await ledger.hold_lease("a", 30_000) == 1
    world.clock.advance_to(T + 50_000)
    assert await world.another().hold_lease("b", 30_000) == 2
    assert await ledger.hold_lease("a", 30_000) is None
    await ledger.release_lease("a")
    assert await ledger.hold_lease("a", 30_000) is None
    await ledger.release_lease("b")
    assert await ledger.hold_lease("a", 30_000) == 3


async def test_the_ledgers_clock_is_the_one_it_was_given(world: World) -> None:
    assert await world.ledger.now() == T + 4_000


# --- cycles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view", [make.decision(), make.decision("sell", "0.333333333333333333"), Abstained(text("no JSON"))]
)
async def test_the_first_answer_of_a_cycle_stands(world: World, view: object) -> None:
    key, first = cycle_key("a"), make.analyst_answer(view)  # type: ignore[arg-type]
    assert await world.ledger.cycle(key) is None
    assert await world.ledger.record_cycle(CycleRecord(key, "안녕 🙂", "[]", first)) == first
    later = make.analyst_answer(make.decision("hold"))
    assert await world.another().record_cycle(CycleRecord(key, "prompt", "[]", later)) == first
    assert await world.ledger.cycle(key) == first
    assert await world.ledger.cycle(cycle_key("b")) is None


async def test_analyst_failures_are_counted_by_t_since_the_last_answer(world: World) -> None:
    failed = make.analyst_answer(failed=True)

    async def count(*calls: tuple[str, int, bool]) -> int:
        for group, step, answered in calls:
            key = cycle_key(group, T + step * 300_000)
            answer = make.analyst_answer() if answered else failed
            await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer))
        return await world.ledger.analyst_failures("synthetic", SYMBOL)

    assert await count() == 0
    assert await count(("a", 0, False), ("a", 1, False), ("b", 1, False)) == 2
    assert await count(("a", 2, False), ("b", 2, True)) == 0
    assert await count(("a", 3, False)) == 1
    assert await world.ledger.analyst_failures("synthetic", SYMBOL, before_ms=T + 2 * 300_000) == 2
    assert await world.ledger.analyst_failures("synthetic", SYMBOL, before_ms=T + 3 * 300_000) == 0
    assert await world.ledger.analyst_failures("synthetic", "ETHUSDT") == 0


# --- people ----------------------------------------------------------------------------------------------------------


async def test_settings_read_back_as_they_were_chosen(world: World) -> None:
    account = await trading_account(world)
    chosen = make.settings(
        RiskLevel.HIGH,
        max_leverage=7,
        custom_prompt="추세를 따르세요 🙂",
        long_only=True,
        system="박스권에서만 🙂\n둘째 줄",
        cadence_min=60,
        answer_version=2,
        exits=ExitRules(Decimal(1), 90, Decimal("1.5"), Decimal("0.75")),
        risk_per_trade=Decimal("0.004"),
        min_confidence=Decimal("0.9"),
        limits=make.limits(daily_loss=Decimal("0.031"), entries_per_day=3, cooldown_ms=1),
    )
    world.people.change_settings(account.user_id, chosen)
    world.people.change_settings(account.user_id, chosen)
    (row,) = await world.ledger.accounts()
    assert (row.settings, row.settings_version) == (chosen, account.settings_version + 1)
    assert replace(row, settings=account.settings, settings_version=account.settings_version) == account


async def test_auto_trading_counts_from_when_it_was_last_switched_on(world: World) -> None:
    account = await trading_account(world)
    assert (account.auto_trade, account.auto_since) == (True, T - 300_000)
    world.people.set_auto_trade(account.user_id, True, T)
    assert (await world.ledger.accounts())[0].auto_since == T - 300_000
    world.people.set_auto_trade(account.user_id, False, T)
    world.people.set_auto_trade(account.user_id, True, T + 1)
    assert (await world.ledger.accounts())[0].auto_since == T + 1


async def test_an_address_belongs_to_one_person_however_it_is_written(world: World) -> None:
    user_id = world.people.add_user(" Kim@Example.TEST ", "hash")
    assert world.people.user_id("kim@example.test") == user_id
    assert world.people.user_id("lee@example.test") is None
    with pytest.raises(ValueError, match="taken"):
        world.people.add_user("KIM@example.test", "hash")


def new_account(user_id: int, uid: str) -> NewAccount:
    return NewAccount(user_id, "paper", "synthetic", uid, SYMBOL, "sealed", "1234", 1, Decimal("500.5"), 0)


async def test_an_exchange_account_is_registered_once_and_the_newest_is_the_active_one(world: World) -> None:
    account = await trading_account(world)
    other = world.people.add_user("lee@example.test", "hash")
    with pytest.raises(ValueError, match="registered"):
        world.people.add_account(new_account(other, account.uid))
    second = world.people.add_account(new_account(account.user_id, "uid-2"))
    assert [row.account_id for row in await world.ledger.accounts()] == [second]
    assert (await world.ledger.books((second, SYMBOL))).balance == Decimal("500.5")


async def test_an_account_with_an_open_order_or_position_is_not_replaced(world: World) -> None:
    account, order = await planned(world)
    with pytest.raises(ValueError, match="close it first"):
        world.people.add_account(new_account(account.user_id, "uid-2"))
    await world.ledger.move(order, S.EXPIRED, text("too old"))
    await world.ledger.record_fills(account.account_id, [executed("1", "buy", "1", "90")])
    with pytest.raises(ValueError, match="close it first"):
        world.people.add_account(new_account(account.user_id, "uid-2"))
    await world.ledger.record_fills(account.account_id, [executed("2", "sell", "1", "90")])
    assert world.people.add_account(new_account(account.user_id, "uid-2"))


async def test_a_deleted_person_is_not_traded_for_and_cannot_change_a_thing(world: World) -> None:
    account = await trading_account(world)
    world.delete_user(account.user_id)
    assert await world.ledger.accounts() == []
    with pytest.raises(ValueError, match="no such person"):
        world.people.set_auto_trade(account.user_id, True, T)
    with pytest.raises(ValueError, match="no such person"):
        world.people.change_settings(account.user_id, make.settings(max_leverage=2))


async def test_opinions_are_those_asked_the_same_before_t_one_a_cycle_newest_first(world: World) -> None:
    views = (("buy", 0), ("hold", 1), ("sell", 2), ("buy", 3), ("sell", 4))
    for way, n in views:
        answer = make.analyst_answer(make.decision(way))  # type: ignore[arg-type]
        record = CycleRecord(cycle_key("a", T + n * 300_000), "prompt", "[]", answer, asked_sha256="mine")
        await world.ledger.record_cycle(record)
    other = make.analyst_answer(make.decision("sell"))
    for group, asked in (("b", "mine"), ("c", "x")):
        await world.ledger.record_cycle(CycleRecord(cycle_key(group, T), "", "[]", other, asked_sha256=asked))
    for group, way in (("d", "close"), ("e", "tighten")):  # acts on what is held, and no view of the market
        acted = make.analyst_answer(make.decision(way, close_fraction=way == "close"))  # type: ignore[arg-type]
        record = CycleRecord(cycle_key(group, T + 300_000), "", "[]", acted, asked_sha256="mine")
        await world.ledger.record_cycle(record)
    key = cycle_key("a")
    found = await world.ledger.opinions(key.feed, key.symbol, "mine", T + 4 * 300_000)
    assert [(one.t_ms, one.action) for one in found] == [
        (T + 900_000, "buy"),
        (T + 600_000, "sell"),
        (T, "buy"),
    ]
    assert await world.ledger.opinions(key.feed, "ETHUSDT", "mine", T + 4 * 300_000) == []
    assert await world.ledger.opinions("another", key.symbol, "mine", T + 4 * 300_000) == []
    assert await world.ledger.opinions(key.feed, key.symbol, "mine", T) == [], "of T itself nothing is known at T"
