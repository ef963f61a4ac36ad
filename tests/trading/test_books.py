"""Our books are the exchange's, to the last decimal; what differs is recorded and never smoothed."""

from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.order import OrderState
from lib.simulator.engine.charges import FeeTerms
from lib.trading.orders.books import held_by_us, reconcile_books
from tests.factories import INSTALLATION, SYMBOL, decision, fill, order
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

FUNDING_MS = 8 * 3_600_000
OURS = order().order_link_id


async def assert_books_are_the_exchanges(world: World) -> None:
    books = await world.ledger.books((1, SYMBOL))
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
    books = await world.ledger.books((1, SYMBOL))
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
    assert "cooling down" in english(result_of(report).reason)


async def test_a_stop_hit_just_before_a_cycle_is_known_to_that_cycles_gates(world: World) -> None:
    await world.cycle("buy")
    world.to(world.t_ms + 180_000)
    world.trade_at(58_700)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "refused"
    assert "cooling down" in english(result_of(report).reason)
    assert result_of(report).difference == 0


async def test_a_target_that_was_hit_leaves_no_difference(world: World) -> None:
    await world.cycle(decision("buy", take_profit="0.01"))
    world.trade_at(60_700)
    assert world.position().is_flat
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books((1, SYMBOL))).realised > 0


async def test_funding_is_booked_as_the_exchange_settles_it(world: World) -> None:
    await world.cycle("buy")
    world.to(world.clock.now_ms() // FUNDING_MS * FUNDING_MS + FUNDING_MS + 1_000)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books((1, SYMBOL))).funding < 0, "a long pays a positive rate"
    await assert_books_are_the_exchanges(world)


async def test_a_short_receives_the_funding_a_long_would_pay(world: World) -> None:
    await world.cycle("sell")
    world.to(world.clock.now_ms() // FUNDING_MS * FUNDING_MS + FUNDING_MS + 1_000)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books((1, SYMBOL))).funding > 0


async def test_a_liquidation_is_booked_at_what_it_cost(world: World) -> None:
    await world.cycle(decision("buy", leverage=10))
    world.remove_stop()
    world.trade_at(52_000)
    assert world.position().is_flat
    await world.guardian.run_pass()
    await assert_books_are_the_exchanges(world)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0


@pytest.mark.parametrize("amount", ["123.45", "-1000"])
async def test_money_that_came_or_went_is_booked_and_leaves_no_difference(world: World, amount: str) -> None:
    await world.cycle("buy")
    world.engine.dealing.deposit(world.uid(1), Decimal(amount))
    for _ in range(2):
        report = await world.cycle("hold")
        assert result_of(report).difference == 0
    assert (await world.ledger.books((1, SYMBOL))).transfers == Decimal(amount)
    await assert_books_are_the_exchanges(world)
    assert world.ledger.store.outbox == ()


async def test_a_withdrawal_is_no_loss_to_the_gates(world: World) -> None:
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(-4_000))
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought", "4,000 of 10,000 paid out is neither a daily loss nor a drawdown"


def unexplained(world: World, amount: str) -> None:
    """The wallet changes without a row anywhere."""
    world.engine.accounts[world.uid(1)].cash += Decimal(amount)


async def test_what_nothing_explains_is_recorded_every_cycle_and_wakes_somebody_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.cycle("buy")
    unexplained(world, "0.5")
    for _ in range(3):
        report = await world.cycle("hold")
        assert result_of(report).difference == Decimal("0.5")
        assert world.ledger.store.equity[1, world.t_ms].difference == Decimal("0.5")
    assert [record.message for record in caplog.records].count("books.difference") == 1
    unexplained(world, "-0.2")
    await world.cycle("hold")
    assert [record.message for record in caplog.records].count("books.difference") == 2
    assert world.ledger.store.outbox == tuple(
        (1, codes.BOOKS_DIFFER(difference=Decimal(value))) for value in ("0.5", "0.3")
    )


async def test_books_that_agree_ask_for_nothing(world: World) -> None:
    await world.cycle("buy")
    account, exchange = await world.trader_account(1), await world.exchange(1)
    wallet = await exchange.wallet()
    before = len(world.transport.sent)
    assert (await reconcile_books(world.context, account, exchange, wallet)).balance == wallet.balance
    assert len(world.transport.sent) == before


async def test_settling_finds_fills_first_and_transfers_only_when_they_do_not_explain_it(world: World) -> None:
    await world.cycle("buy")
    account, exchange = await world.trader_account(1), await world.exchange(1)
    world.trade_at(58_700)
    await reconcile_books(world.context, account, exchange, await exchange.wallet())
    assert world.transport.sent[-1][1] == "/v5/execution/list"
    await assert_books_are_the_exchanges(world)
    world.engine.dealing.deposit(world.uid(1), Decimal(10))
    books = await reconcile_books(world.context, account, exchange, await exchange.wallet())
    assert world.transport.sent[-1][1] == "/v5/account/transaction-log"
    assert books.transfers == 10
    await assert_books_are_the_exchanges(world)


async def test_a_transfer_while_the_trader_was_away_is_found(world: World) -> None:
    await world.cycle("buy")
    world.engine.dealing.deposit(world.uid(1), Decimal(77))
    world.to(world.clock.now_ms() + 3 * 86_400_000)
    report = await world.cycle("hold")
    assert result_of(report).difference == 0
    assert (await world.ledger.books((1, SYMBOL))).transfers == 77


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
    assert codes.EXTERNAL_POSITION_LEFT_ALONE.is_of(result_of(report).reason)
    report = await world.cycle("sell")
    assert result_of(report).outcome == "refused", "imported executions of another hand change nothing"
    assert world.position().qty == Decimal("0.020")
    assert world.transport.orders() == []


# --- fees have a coin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tax", ["", "GST", "VAT"])
@pytest.mark.parametrize("coin", ["USDT", "MNT"])
async def test_whatever_fees_are_paid_in_the_books_are_the_wallet(world: World, coin: str, tax: str) -> None:
    account = world.engine.accounts[world.uid(1)]
    account.terms, account.coins = FeeTerms(coin, tax), {"MNT": Decimal(1_000)}
    for view, price in (("buy", 60_000), ("sell", 60_137), ("hold", 59_911), ("sell", 59_903), ("buy", 60_021)):
        world.trade_at(price)
        world.wait(70)
        report = await world.cycle(view)  # type: ignore[arg-type]
        assert result_of(report).difference == 0
        await assert_books_are_the_exchanges(world)
    world.wait(FUNDING_MS // 1000)
    await world.cycle("hold")
    await assert_books_are_the_exchanges(world)
    fills = [row for row in world.ledger.store.fills.values() if row.kind == "trade"]
    named = {(part.kind, part.coin) for row in fills for part in row.charges}
    assert named == {("trading", coin)} - {("trading", "USDT")} | ({(tax, coin)} if tax else set())
    assert all((row.fee == 0) == (coin != "USDT") for row in fills)


async def test_who_runs_out_of_the_fees_coin_is_booked_in_usdt_from_there_on(world: World) -> None:
    account = world.engine.accounts[world.uid(1)]
    account.terms, account.coins = FeeTerms("MNT"), {"MNT": Decimal(4)}
    for view in ("buy", "sell", "buy"):
        world.wait(70)
        assert result_of(await world.cycle(view)).difference == 0
    fees = [bool(row.fee) for row in world.ledger.store.fills.values()]
    assert set(fees) == {True, False}
    await assert_books_are_the_exchanges(world)
