"""
What every Exchange promises, on every implementation: ours in process, ours over HTTP, pybit over HTTP.

The exchange behind them is the simulator, so the suite also pins that the simulator means what Bybit's documents say.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lib.domain.api_key import ApiKey
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import OrderRecord, SendReply
from lib.domain.order import Order, OrderState, absence_proved, order_link_id
from lib.simulator.engine.charges import FeeTerms
from tests.contract.exchange_worlds import AS_BYBITS_DEMO, FALL_MS, START_BALANCE, World, in_process, over_http
from tests.factories import INSTALLATION, SYMBOL, T, order

CREATE, REALTIME, POSITION = "/v5/order/create", "/v5/order/realtime", "/v5/position/list"
TAKER = Decimal("0.00055")
STOP, TARGET = order().stop_loss, order().take_profit
LOOPBACK = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture(
    params=["in process", "demo", pytest.param("http", marks=LOOPBACK), pytest.param("pybit", marks=LOOPBACK)],
)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param in ("in process", "demo"):
        async with in_process(AS_BYBITS_DEMO if request.param == "demo" else None) as made:
            yield made
    else:
        async with over_http(tmp_path, by_pybit=request.param == "pybit") as made:
            yield made


def numbered(seq: int, **changes: object) -> Order:
    """Another entry of the same account with its own id."""
    return replace(order(), order_link_id=order_link_id(INSTALLATION, T, 1, 1, "e", seq), seq=seq, **changes)  # type: ignore[arg-type]


async def send(world: World, what: Order | None = None) -> SendReply:
    """Sign *what* (the default entry) now and send it."""
    return await world.exchange.send_order(world.exchange.sign_order(what or order(), world.clock.now_ms()))


async def found(world: World, what: Order | None = None) -> OrderRecord:
    """The one record of *what*."""
    answer = await world.exchange.find_order(SYMBOL, (what or order()).order_link_id)
    [record] = answer.records
    return record


async def enter(world: World, what: Order | None = None) -> OrderRecord:
    """Send an entry, let it fill, and give its record."""
    assert (await send(world, what)).code == 0
    world.pass_ms(200)
    return await found(world, what)


# --- entries ---------------------------------------------------------------------------------------------------------


async def test_a_reply_acknowledges_and_only_a_query_shows_the_fill(world: World) -> None:
    assert (await send(world)).code == 0
    assert (await found(world)).state is None
    assert (await world.exchange.position(SYMBOL)).is_flat
    world.pass_ms(200)
    record = await found(world)
    assert (record.state, record.filled_qty) == (OrderState.FILLED, Decimal("0.010"))
    assert Decimal(60_000) <= record.avg_price <= order().limit_price


async def test_an_entry_brings_its_stop_and_target_along(world: World) -> None:
    await enter(world)
    position = await world.exchange.position(SYMBOL)
    assert (position.qty, position.stop_loss, position.take_profit) == (Decimal("0.010"), STOP, TARGET)
    children = await world.exchange.open_orders(SYMBOL)
    assert len(children) == 2
    assert all(child.is_child and child.reduce_only and child.order_link_id == "" for child in children)
    assert {child.parent_link_id for child in children} == {order().order_link_id}


async def test_the_same_id_is_refused_for_ever_and_nothing_doubles(world: World) -> None:
    first = await enter(world)
    assert (await send(world)).code == 110072
    world.pass_ms(3 * 3_600_000)
    assert (await send(world)).code == 110072
    entries = [o for o in await world.exchange.orders_since(SYMBOL, T) if o.order_link_id == order().order_link_id]
    assert [o.order_id for o in entries] == [first.order_id]


async def test_the_same_bytes_sent_twice_make_one_order(world: World) -> None:
    signed = world.exchange.sign_order(order(), world.clock.now_ms())
    acks = [(await world.exchange.send_order(signed)).code for _ in range(2)]
    world.pass_ms(200)
    assert acks == [0, 110072]
    assert (await world.exchange.position(SYMBOL)).qty == Decimal("0.010")


async def test_a_partial_fill_ends_as_partial_and_is_protected(world: World) -> None:
    world.break_next("partial_fill", share="0.5")
    record = await enter(world)
    assert (record.state, record.filled_qty) == (OrderState.PARTIAL, Decimal("0.005"))
    assert (await world.exchange.position(SYMBOL)).stop_loss == STOP


async def test_an_entry_nobody_sells_to_is_cancelled(world: World) -> None:
    world.break_next("no_fill")
    record = await enter(world)
    assert (record.state, record.filled_qty) == (OrderState.CANCELLED, Decimal(0))


async def test_an_order_rejected_after_its_acknowledgement_says_why(world: World) -> None:
    world.break_next("async_reject")
    record = await enter(world)
    assert record.state is OrderState.REJECTED
    assert record.reject_reason.startswith("EC_")


async def test_bytes_older_than_the_window_are_refused_and_leave_nothing(world: World) -> None:
    signed = world.exchange.sign_order(order(), world.clock.now_ms())
    world.pass_ms(6_000)
    assert (await world.exchange.send_order(signed)).code == 10002
    assert (await world.exchange.find_order(SYMBOL, order().order_link_id)).records == ()


async def test_more_than_the_wallet_bears_is_refused_at_once(world: World) -> None:
    await world.exchange.set_leverage(SYMBOL, 1)
    ack = await send(world, order(qty=Decimal("1.000")))
    assert ack.code == 110007


# --- what nobody knows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code"),
    [("drop_reply", None), ("http_5xx_after", None), ("err_10000_after", 10000), ("err_10016_after", 10016)],
)
async def test_an_order_whose_reply_went_wrong_is_found_by_query(world: World, kind: str, code: int | None) -> None:
    world.break_next(kind, CREATE)
    assert (await send(world)).code == code
    world.pass_ms(200)
    assert (await found(world)).state is OrderState.FILLED


@pytest.mark.parametrize(
    ("kind", "code"),
    [("drop_before", None), ("http_5xx_before", None), ("http_429", None), ("err_10016_before", 10016)],
)
async def test_an_order_that_never_arrived_looks_the_same_and_is_absent(
    world: World, kind: str, code: int | None
) -> None:
    world.break_next(kind, CREATE)
    signed_ts = world.clock.now_ms()
    assert (await send(world)).code == code
    early = await world.exchange.find_order(SYMBOL, order().order_link_id)
    assert (early.records, early.fills) == ((), ())
    assert not absence_proved(signed_ts, early.time)
    world.pass_ms(15_001)
    late = await world.exchange.find_order(SYMBOL, order().order_link_id)
    assert late.records == ()
    assert absence_proved(signed_ts, late.time)


async def test_an_order_hidden_from_realtime_is_found_in_the_history(world: World) -> None:
    world.break_next("stale_realtime", ms=60_000)
    await send(world)
    world.pass_ms(200)
    assert (await found(world)).state is OrderState.FILLED


@pytest.mark.parametrize("path", [REALTIME, "/v5/order/history", "/v5/execution/list"])
@pytest.mark.parametrize("kind", ["drop_reply", "http_5xx_before", "err_10016_before", "rate_limit_future_reset"])
async def test_a_failed_query_is_retry_never_absence(world: World, path: str, kind: str) -> None:
    for _ in range(2):  # a kept connection that turns out closed makes aiohttp ask a GET once more
        world.break_next(kind, path)
    with pytest.raises(Retry):
        await world.exchange.find_order(SYMBOL, "mmt3st-nothing")


# --- exits -----------------------------------------------------------------------------------------------------------


async def test_a_reduce_only_exit_flattens_and_takes_stop_and_target_with_it(world: World) -> None:
    await enter(world)
    assert (await enter(world, order("x", "sell"))).state is OrderState.FILLED
    assert (await world.exchange.position(SYMBOL)).is_flat
    assert await world.exchange.open_orders(SYMBOL) == []


async def test_an_exit_never_opens_anything(world: World) -> None:
    assert (await send(world, order("x", "sell"))).code == 110017
    await enter(world)
    too_much = order("x", "sell", qty=Decimal("0.050"))
    await send(world, too_much)
    world.pass_ms(200)
    assert (await world.exchange.position(SYMBOL)).qty >= 0


async def test_a_stop_hit_by_the_market_is_a_child_order_with_our_id_as_parent(world: World) -> None:
    entry = await enter(world)
    world.pass_ms(FALL_MS + MINUTE_MS - world.clock.now_ms())
    assert (await world.exchange.position(SYMBOL)).is_flat
    orders = await world.exchange.orders_since(SYMBOL, T)
    [stop] = [o for o in orders if o.is_child and o.state is OrderState.FILLED]
    assert (stop.parent_link_id, stop.order_link_id, stop.side) == (entry.order_link_id, "", "sell")
    fills = await world.exchange.fills_since(SYMBOL, T)
    assert [(f.side, f.is_stop, f.closed_qty) for f in fills] == [("buy", False, 0), ("sell", True, Decimal("0.010"))]
    assert fills[1].order_id == stop.order_id


# --- leverage and stops ----------------------------------------------------------------------------------------------


async def test_leverage_set_twice_is_success_and_is_read_back_while_flat(world: World) -> None:
    for _ in range(2):
        await world.exchange.set_leverage(SYMBOL, 7)
    assert (await world.exchange.position(SYMBOL)).leverage == 7


async def test_a_lost_stop_is_put_back(world: World) -> None:
    world.break_next("drop_stop")
    await enter(world)
    assert (await world.exchange.position(SYMBOL)).stop_loss == 0
    for _ in range(2):  # the second time it is "not modified"
        assert await world.exchange.set_trading_stop(SYMBOL, Decimal("58800.0"), Decimal("63000.0"))
    position = await world.exchange.position(SYMBOL)
    assert (position.stop_loss, position.take_profit) == (STOP, TARGET)


async def test_a_trailing_stop_leaves_stop_and_target_as_they_are_and_they_leave_it(world: World) -> None:
    await enter(world)
    assert await world.exchange.set_trading_stop(SYMBOL, STOP, TARGET)
    for active in (Decimal(61_000), Decimal(0), Decimal(0)):  # the last is "not modified"
        assert await world.exchange.set_trailing_stop(SYMBOL, Decimal("500.0"), active)
    assert await world.exchange.set_trading_stop(SYMBOL, STOP + 10, TARGET)
    position = await world.exchange.position(SYMBOL)
    assert (position.trailing, position.stop_loss, position.take_profit) == (Decimal(500), STOP + 10, TARGET)


async def test_a_trailing_stop_from_where_the_price_was_is_refused(world: World) -> None:
    await enter(world)
    assert not await world.exchange.set_trailing_stop(SYMBOL, Decimal("500.0"), Decimal(1_000))
    assert (await world.exchange.position(SYMBOL)).trailing == 0


async def test_a_stop_on_the_wrong_side_or_without_a_position_is_refused(world: World) -> None:
    assert not await world.exchange.set_trading_stop(SYMBOL, Decimal("58800.0"), Decimal("63000.0"))
    await enter(world)
    assert not await world.exchange.set_trading_stop(SYMBOL, Decimal("61000.0"), Decimal("63000.0"))
    assert (await world.exchange.position(SYMBOL)).stop_loss == STOP


# --- money -----------------------------------------------------------------------------------------------------------


async def test_a_fresh_wallet_is_all_available(world: World) -> None:
    wallet = await world.exchange.wallet()
    assert (wallet.balance, wallet.equity, wallet.available) == (START_BALANCE,) * 3
    assert wallet.seen_at == world.clock.now_ms()


async def test_the_balance_is_start_plus_realised_less_fees_to_the_last_decimal(world: World) -> None:
    await enter(world)
    await enter(world, order("x", "sell"))
    entry, leave = await world.exchange.fills_since(SYMBOL, T)
    assert entry.fee == entry.qty * entry.price * TAKER
    realised = (leave.price - entry.price) * leave.closed_qty
    wallet = await world.exchange.wallet()
    assert wallet.balance == START_BALANCE + realised - entry.fee - leave.fee
    assert wallet.available == wallet.equity == wallet.balance


@pytest.mark.parametrize("terms", [FeeTerms("MNT"), FeeTerms(tax="GST"), FeeTerms("MNT", "VAT")], ids=str)
async def test_whatever_fees_are_paid_in_the_fills_tell_what_left_the_balance(world: World, terms: FeeTerms) -> None:
    [account] = world.engine.accounts.values()
    account.terms, account.coins = terms, {"MNT": Decimal(100)}
    await enter(world)
    await enter(world, order("x", "sell"))
    entry, leave = await world.exchange.fills_since(SYMBOL, T)
    realised = (leave.price - entry.price) * leave.closed_qty
    wallet = await world.exchange.wallet()
    assert wallet.balance == START_BALANCE + realised - entry.fee - leave.fee
    assert (entry.fee == 0) == (terms.coin == "MNT")
    assert {part.coin for part in entry.charges} == {terms.coin}
    paid = sum(part.amount for fill in (entry, leave) for part in fill.charges if part.coin == "MNT")
    assert account.coins["MNT"] == 100 - paid
    began = account.created_ms
    assert await world.exchange.transfers_since(began + 1) == [], "what a coin paid is no transfer of USDT"


async def test_an_open_position_ties_up_margin_and_moves_equity_only(world: World) -> None:
    await world.exchange.set_leverage(SYMBOL, 5)
    record = await enter(world)
    wallet, position = await world.exchange.wallet(), await world.exchange.position(SYMBOL)
    assert wallet.balance == START_BALANCE - record.fee
    assert wallet.equity == wallet.balance + position.unrealised
    margin = wallet.balance - wallet.available
    value = position.qty * position.avg_entry_price
    assert value / 5 <= margin <= value / 5 * Decimal("1.01")


async def test_an_orders_sums_are_the_sums_of_its_fills(world: World) -> None:
    record = await enter(world)
    fills = [f for f in await world.exchange.fills_since(SYMBOL, T) if f.order_id == record.order_id]
    assert sum(f.fee for f in fills) == record.fee
    assert sum(f.qty for f in fills) == record.filled_qty
    assert all(f.order_link_id == record.order_link_id for f in fills)


async def test_funding_is_a_fill_that_costs_and_moves_nothing(world: World) -> None:
    await world.exchange.set_leverage(SYMBOL, 5)
    wide = order(stop_loss=Decimal(50_000), take_profit=Decimal(70_000))
    entry = await enter(world, wide)
    world.pass_ms(9 * 3_600_000)
    funding = [f for f in await world.exchange.fills_since(SYMBOL, T) if f.kind == "funding"]
    assert len(funding) >= 1
    assert all(f.qty == 0 and f.fee != 0 for f in funding)
    wallet = await world.exchange.wallet()
    assert wallet.balance == START_BALANCE - entry.fee - sum(f.fee for f in funding)


async def test_fills_since_begins_where_it_is_told(world: World) -> None:
    await enter(world)
    world.pass_ms(MINUTE_MS)
    between = world.clock.now_ms()
    world.pass_ms(MINUTE_MS)
    await enter(world, order("x", "sell"))
    assert [f.side for f in await world.exchange.fills_since(SYMBOL, between)] == ["sell"]
    [only] = await world.exchange.fills_since(SYMBOL, between)
    assert len(await world.exchange.fills_since(SYMBOL, only.at_ms)) == 1
    assert await world.exchange.fills_since(SYMBOL, only.at_ms + 1) == []


async def test_every_page_of_orders_and_fills_is_read(world: World) -> None:
    count = 110
    for seq in range(count):
        small = numbered(seq % 36, t_ms=T, qty=Decimal("0.001"))
        unique = replace(small, order_link_id=f"{small.order_link_id[:-2]}{seq:03d}")
        assert (await send(world, unique)).code == 0
        world.pass_ms(250)
    fills = await world.exchange.fills_since(SYMBOL, T)
    assert len({f.exec_id for f in fills}) == len(fills) == count
    orders = [o for o in await world.exchange.orders_since(SYMBOL, T) if not o.is_child]
    assert len({o.order_id for o in orders}) == len(orders) == count
    assert [o.created_ms for o in orders] == sorted(o.created_ms for o in orders)


# --- transfers, and single orders ------------------------------------------------------------------------------------


async def test_transfers_are_what_moved_the_balance_without_an_execution(world: World) -> None:
    began = world.clock.now_ms()
    world.pass_ms(1_000)
    await enter(world)
    for amount, kind in (("250.5", ""), ("-100", ""), ("3", "BONUS")):
        world.engine.dealing.deposit(1_000_001, Decimal(amount), kind)
        world.pass_ms(1_000)
        world.engine.advance(world.clock.now_ms())
    await enter(world, order("x", "sell"))
    seen = await world.exchange.transfers_since(began + 1)
    assert [(row.kind, row.amount) for row in seen] == [
        ("transfer", Decimal("250.5")),
        ("transfer", Decimal(-100)),
        ("bonus", Decimal(3)),
    ]
    assert [row.at_ms for row in seen] == sorted(row.at_ms for row in seen)
    fills = await world.exchange.fills_since(SYMBOL, T)
    earned = (fills[1].price - fills[0].price) * fills[1].closed_qty - fills[0].fee - fills[1].fee
    assert (await world.exchange.wallet()).balance == START_BALANCE + earned + sum(row.amount for row in seen)


async def test_transfers_since_begins_where_it_is_told_and_says_the_same_again(world: World) -> None:
    for _ in range(2):
        world.pass_ms(5_000)
        world.engine.advance(world.clock.now_ms())
        world.engine.dealing.deposit(1_000_001, Decimal(7))
    first, second = (await world.exchange.transfers_since(T))[-2:]
    assert await world.exchange.transfers_since(second.at_ms) == [second]
    assert await world.exchange.transfers_since(first.at_ms) == [first, second]
    assert await world.exchange.transfers_since(second.at_ms + 1) == []


async def test_every_page_of_transfers_is_read(world: World) -> None:
    world.pass_ms(1_000)
    world.engine.advance(world.clock.now_ms())
    for _ in range(120):
        world.engine.dealing.deposit(1_000_001, Decimal(1))
    seen = await world.exchange.transfers_since(world.clock.now_ms())
    assert len({row.transfer_id for row in seen}) == len(seen) == 120


async def test_one_working_order_is_cancelled_and_a_gone_one_is_success(world: World) -> None:
    assert (await send(world)).code == 0
    await world.exchange.cancel_order(SYMBOL, order().order_link_id)
    world.pass_ms(200)
    assert (await found(world)).state is OrderState.CANCELLED
    await world.exchange.cancel_order(SYMBOL, order().order_link_id)
    await world.exchange.cancel_order(SYMBOL, "nothing-of-that-name")
    assert (await world.exchange.position(SYMBOL)).is_flat


async def test_cancelling_a_filled_order_takes_nothing_back(world: World) -> None:
    await enter(world)
    await world.exchange.cancel_order(SYMBOL, order().order_link_id)
    assert (await found(world)).state is OrderState.FILLED
    assert (await world.exchange.position(SYMBOL)).stop_loss == STOP


# --- keys, limits, clocks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["api_key", "api_secret"])
async def test_a_wrong_key_pauses(world: World, field: str) -> None:
    stranger = world.exchange_with(replace(world.key, **{field: "wrong-wrong-wrong"}))
    for query in (stranger.wallet, lambda: stranger.position(SYMBOL)):
        with pytest.raises(Pause):
            await query()
    ack = await stranger.send_order(stranger.sign_order(order(), world.clock.now_ms()))
    assert ack.code in (10003, 10004)
    world.pass_ms(200)
    assert (await world.exchange.position(SYMBOL)).is_flat


async def test_a_revoked_key_pauses_in_the_middle(world: World) -> None:
    await enter(world)
    world.break_next("key_revoked")
    with pytest.raises(Pause):
        await world.exchange.position(SYMBOL)


async def test_a_key_that_may_only_read_cannot_send(world: World) -> None:
    key = world.engine.add_key(1_000_001)
    key.read_only = True
    reader = world.exchange_with(ApiKey(key.key, key.secret))
    assert (await reader.wallet()).balance == START_BALANCE
    assert (await reader.send_order(reader.sign_order(order(), world.clock.now_ms()))).code == 10005


@pytest.mark.parametrize("kind", ["rate_limit_past_reset", "rate_limit_future_reset"])
async def test_a_rate_limit_is_retry_and_passes(world: World, kind: str) -> None:
    world.break_next(kind, POSITION)
    with pytest.raises(Retry):
        await world.exchange.position(SYMBOL)
    assert (await world.exchange.position(SYMBOL)).is_flat


async def test_a_rate_limited_order_is_refused_before_any_effect(world: World) -> None:
    world.break_next("rate_limit_future_reset", CREATE)
    assert (await send(world)).code == 10006
    assert (await world.exchange.find_order(SYMBOL, order().order_link_id)).records == ()
    world.pass_ms(5_000)
    assert (await send(world)).code == 0


async def test_server_time_is_the_venues_clock(world: World) -> None:
    world.pass_ms(12_345)
    assert await world.exchange.server_time() == world.clock.now_ms()


async def test_every_read_says_when_it_was_true(world: World) -> None:
    world.pass_ms(7_000)
    now = world.clock.now_ms()
    assert (await world.exchange.position(SYMBOL)).seen_at == now
    assert (await world.exchange.find_order(SYMBOL, "nothing")).time == now


async def test_a_signed_order_shows_no_secret(world: World) -> None:
    signed = world.exchange.sign_order(order(), world.clock.now_ms())
    assert world.key.api_secret not in repr(signed) + repr(world.key) + repr(world.exchange)
    assert signed.headers["X-BAPI-SIGN"] not in repr(signed)


@pytest.mark.parametrize("ahead_ms", [12_000, -3_000, 90_000])
async def test_orders_reads_and_stops_work_where_the_venues_clock_is_not_ours(ahead_ms: int) -> None:
    async with in_process(clock_ahead_ms=ahead_ms) as world:
        stamp = await world.exchange.server_time()
        assert stamp == world.clock.now_ms() + ahead_ms
        ack = await world.exchange.send_order(world.exchange.sign_order(order(), stamp))
        assert ack.code == 0
        world.pass_ms(200)
        assert (await found(world)).state is OrderState.FILLED
        assert await world.exchange.set_trading_stop(SYMBOL, STOP + 10, TARGET)


# --- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "read"),
    [("ISOLATED_MARGIN", "isolated"), ("REGULAR_MARGIN", "cross"), ("PORTFOLIO_MARGIN", "portfolio")],
)
@pytest.mark.parametrize("hedge", [False, True])
async def test_the_modes_an_account_trades_in_are_read(world: World, mode: str, read: str, hedge: bool) -> None:
    account = world.engine.accounts[1_000_001]
    account.margin_mode, account.position_mode = mode, 3 if hedge else 0
    position = await world.exchange.position(SYMBOL)
    assert (await world.exchange.margin_mode(), position.one_way, position.is_flat) == (read, not hedge, True)
