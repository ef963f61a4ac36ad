"""Our books are the exchange's, to the last decimal; what differs is recorded and never smoothed."""

from decimal import Decimal

from lib.domain.order import OrderState
from lib.trading.books import held_by_us
from tests.factories import INSTALLATION, decision, fill, order
from tests.stage import CREATE
from tests.world import World, result_of

FUNDING_MS = 8 * 3_600_000
OURS = order().order_link_id


async def assert_books_are_the_exchanges(world: World) -> None:
    books = await world.ledger.books(1)
    assert books.balance == world.cash()
    assert books.position.qty == world.position().qty
    assert books.position.avg_entry_price == world.position().avg_entry_price


async def test_trades_turns_and_fees_leave_no_difference(world: World) -> None:
    views = ("buy", "buy", "sell", "hold", "sell", "buy", "hold")
    prices = (60_000, 60_137, 59_911, 59_903, 60_021, 60_093, 60_007)
    for view, price in zip(views, prices, strict=True):
        world.trade_at(price)
        world.wait(70)
        report = await world.cycle(view)  # type: ignore[arg-type]
        assert result_of(report).difference == 0
        await assert_books_are_the_exchanges(world)
    assert len(world.transport.orders()) == 5
    books = await world.ledger.books(1)
    assert books.fees > 0
    assert books.realised != 0


async def test_a_part_fill_that_was_found_late_is_booked_exactly(world: World) -> None:
    world.fault("partial_fill", share="0.37")
    world.fault("drop_reply", CREATE)
    report = await world.cycle("buy")
    assert world.order().state is OrderState.PARTIAL
    assert result_of(report).difference == 0
    await assert_books_are_the_exchanges(world)


async def test_a_stop_that_was_hit_is_booked_and_starts_the_cooldown(world: World) -> None:
    await world.cycle("buy")
    world.trade_at(58_700)
    assert world.position().is_flat
    await world.guardian.run_pass()
    await assert_books_are_the_exchanges(world)
    world.wait(70)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "refused"
    assert "cooling down" in result_of(report).reason


async def test_a_stop_hit_just_before_a_cycle_is_known_to_that_cycles_gates(world: World) -> None:
    await world.cycle("buy")
    world.to(world.t_ms + 180_000)
    world.trade_at(58_700)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "refused"
    assert "cooling down" in result_of(report).reason
    assert result_of(report).difference == 0


async def test_a_target_that_was_hit_leaves_no_difference(world: World) -> None:
    await world.cycle(decision("buy", take_profit="0.01"))
    world.trade_at(60_700)
    assert world.position().is_flat
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books(1)).realised > 0


async def test_funding_is_booked_as_the_exchange_settles_it(world: World) -> None:
    await world.cycle("buy")
    world.to(world.clock.now_ms() // FUNDING_MS * FUNDING_MS + FUNDING_MS + 1_000)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books(1)).funding < 0, "a long pays a positive rate"
    await assert_books_are_the_exchanges(world)


async def test_a_short_receives_the_funding_a_long_would_pay(world: World) -> None:
    await world.cycle("sell")
    world.to(world.clock.now_ms() // FUNDING_MS * FUNDING_MS + FUNDING_MS + 1_000)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books(1)).funding > 0


async def test_a_liquidation_is_booked_at_what_it_cost(world: World) -> None:
    await world.cycle(decision("buy", leverage=10))
    world.remove_stop()
    world.trade_at(52_000)
    assert world.position().is_flat
    await world.guardian.run_pass()
    await assert_books_are_the_exchanges(world)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0


async def test_a_deposit_is_a_difference_that_is_recorded_every_cycle(world: World) -> None:
    await world.cycle("buy")
    world.engine.desk.deposit(world.uid(1), Decimal("123.45"))
    for _ in range(2):
        report = await world.cycle("hold")
        assert result_of(report).difference == Decimal("123.45")
        assert world.ledger.store.equity[1, world.t_ms].difference == Decimal("123.45")


async def test_a_fill_between_the_two_readings_is_no_difference(world: World) -> None:
    def hit_the_stop() -> None:
        if not world.position().is_flat:
            world.trade_at(58_700)

    world.on("/v5/account/wallet-balance", hit_the_stop)
    report = await world.cycle("buy")
    assert world.position().is_flat
    assert result_of(report).difference == 0


async def test_a_wallet_that_cannot_be_read_takes_nothing_back(world: World) -> None:
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/account/wallet-balance", count=5))
    report = await world.cycle("buy")
    assert (result_of(report).outcome, result_of(report).difference) == ("bought", None)
    assert world.log().summary.outcome == "bought"


def test_what_our_entry_holds_shrinks_by_any_hand_and_grows_by_none_but_ours() -> None:
    ours = fill("1", "buy", "0.010", order_link_id=OURS)
    foreign_buy = fill("2", "buy", "0.500", order_link_id="")
    foreign_sell = fill("3", "sell", "0.004", order_link_id="app-7")
    assert held_by_us([ours, foreign_buy], INSTALLATION) == Decimal("0.010")
    assert held_by_us([foreign_buy, ours, foreign_sell], INSTALLATION) == Decimal("0.006")
    assert held_by_us([ours, fill("4", "sell", "0.7", order_link_id="")], INSTALLATION) == 0
    assert held_by_us([foreign_buy, foreign_sell], INSTALLATION) == 0
    assert held_by_us([ours], "other1") == 0


async def test_another_hands_trades_never_become_our_position(world: World) -> None:
    await world.cycle("hold")
    world.by_hand("buy", "0.020")
    report = await world.cycle("sell")
    assert result_of(report).outcome == "refused"
    assert "another hand" in result_of(report).reason
    report = await world.cycle("sell")
    assert result_of(report).outcome == "refused", "imported executions of another hand change nothing"
    assert world.position().qty == Decimal("0.020")
    assert world.transport.orders() == []
