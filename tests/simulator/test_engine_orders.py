"""Orders in the engine: acceptance, matching, refusals."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain.fill_prices import EngineConfig
from lib.simulator.engine.faults import Fault
from lib.simulator.engine.orders import OrderRecord, OrderRequest, Protection, Refused
from tests.worlds.venue import BTC, EXACT, START, D, World

FLAT = [100] * 600


def refusal(world: World, request: OrderRequest) -> int:
    with pytest.raises(Refused) as refused:
        world.engine.dealing.place(world.uid, request)
    return refused.value.code


def test_an_order_is_acknowledged_first_and_matched_later() -> None:
    world = World(FLAT)
    order = world.place("buy", "1")
    assert (order.status, world.qty) == ("New", D(0))
    world.to(0.039)
    assert world.qty == 0
    world.to(0.040)
    assert (order.status, world.qty, order.updated_ms) == ("Filled", D(1), START + 40)


def test_a_taker_pays_half_a_spread_and_the_slippage_rounded_against_it() -> None:
    config = EngineConfig(half_spread_ticks=2, slippage=D("0.001"))
    world = World(["1000"] * 100, config)
    buy, sell = world.place("buy", "1"), world.place("sell", "1")
    world.to(1)
    assert buy.filled_value == D("1001.2")
    assert sell.filled_value == D("998.8")
    assert buy.fee == D("1001.2") * D("0.00055")


def test_an_ioc_limit_never_fills_beyond_its_price_and_leaves_nothing() -> None:
    world = World([100, 105, 105, 105])
    order = world.place("buy", "1", price="101", tif="IOC")
    world.to(0.5)
    assert (order.status, order.filled_value) == ("Filled", D(100))
    world.to(1.5)
    late = world.place("buy", "1", price="101", tif="IOC")
    world.to(2)
    assert (late.status, late.reject_reason, late.filled) == ("Cancelled", "EC_NoImmediateQtyToFill", D(0))


def test_thin_liquidity_fills_an_ioc_in_part_and_cancels_the_rest() -> None:
    world = World(FLAT, replace(EXACT, liquidity=D("0.4")))
    order = world.place("buy", "1", "95")
    world.to(1)
    assert (order.status, order.filled, world.qty) == ("Cancelled", D("0.4"), D("0.4"))
    stop = next(iter(world.account.orders.values()))
    assert (stop.stop_order_type, stop.qty) == ("StopLoss", D("0.4"))


def test_a_resting_order_fills_as_maker_at_its_own_price_when_the_print_comes() -> None:
    world = World([100, 100, 100, 98, 97, 100])
    order = world.place("buy", "1", price="98.5")
    world.to(2.9)
    assert (order.status, order.is_resting) == ("New", True)
    world.to(3)
    assert (order.status, order.filled_value, order.fee) == ("Filled", D("98.5"), D("98.5") * D("0.0002"))


def test_post_only_that_would_take_is_cancelled() -> None:
    world = World(FLAT)
    order = world.place("buy", "1", price="101", tif="PostOnly")
    world.to(1)
    assert (order.status, order.reject_reason) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


def test_fill_or_kill_takes_all_or_nothing() -> None:
    world = World(FLAT, replace(EXACT, liquidity=D("0.4")))
    order = world.place("buy", "1", price="101", tif="FOK")
    world.to(1)
    assert (order.status, order.filled, order.reject_reason) == ("Cancelled", D(0), "EC_CancelForNoFullFill")


def test_a_link_id_is_refused_a_second_time_for_ever() -> None:
    world = World(FLAT)
    request = OrderRequest(BTC, "buy", D(1), link_id="mm-1")
    world.engine.dealing.place(world.uid, request)
    assert refusal(world, request) == 110072
    world.to(500)
    assert refusal(world, request) == 110072


def test_a_refused_order_does_not_use_up_its_link_id() -> None:
    world = World(FLAT)
    assert refusal(world, OrderRequest(BTC, "buy", D("0.0001"), link_id="mm-1")) == 10001
    world.engine.dealing.place(world.uid, OrderRequest(BTC, "buy", D(1), link_id="mm-1"))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (OrderRequest("DOGEUSDT", "buy", D(1)), 10001),
        (OrderRequest(BTC, "buy", D("0.0005")), 10001),
        (OrderRequest(BTC, "buy", D("501")), 10001),
        (OrderRequest(BTC, "buy", D("0.01")), 110094),
        (OrderRequest(BTC, "buy", D(1), link_id="x" * 37), 10001),
        (OrderRequest(BTC, "buy", D(1), link_id="a b"), 10001),
        (OrderRequest(BTC, "buy", D(1), position_idx=1), 10001),
        (OrderRequest(BTC, "buy", D(1), "Limit", D("100.05")), 10001),
        (OrderRequest(BTC, "buy", D(1), "Limit", D("120")), 110003),
        (OrderRequest(BTC, "buy", D(1), reduce_only=True), 110017),
        (OrderRequest(BTC, "buy", D(1), reduce_only=True, protection=Protection(D(90))), 10001),
        (OrderRequest(BTC, "buy", D(1), protection=Protection(D(101))), 10001),
        (OrderRequest(BTC, "buy", D(1), protection=Protection(D(90), D(99))), 10001),
        (OrderRequest(BTC, "sell", D(1), protection=Protection(D(99))), 10001),
        (OrderRequest(BTC, "buy", D(500), "Market"), 110007),
        (OrderRequest(BTC, "buy", D(1), trigger_price=D(99), trigger_direction=1), 110092),
        (OrderRequest(BTC, "buy", D(1), trigger_price=D(101), trigger_direction=2), 110093),
    ],
)
def test_what_the_venue_refuses_before_accepting(request_: OrderRequest, code: int) -> None:
    world = World(FLAT, balance="1000")
    assert refusal(world, request_) == code
    assert not world.account.orders
    assert len(world.engine.books.history[world.uid].transactions) == 1


def test_margin_covers_fees_and_counts_what_is_already_asked_for() -> None:
    world = World(FLAT, balance="102")
    world.engine.dealing.set_leverage(world.uid, BTC, D(1))
    assert refusal(world, OrderRequest(BTC, "buy", D("1.02"))) == 110007
    world.place("buy", "1")
    assert refusal(world, OrderRequest(BTC, "buy", D("0.05"))) == 110007
    world.to(1)
    assert world.qty == 1
    assert world.engine.books.available(world.account) >= 0


def test_a_reduce_only_order_shrinks_to_the_position_and_never_turns_it() -> None:
    world = World(FLAT)
    world.place("buy", "1")
    world.to(1)
    assert refusal(world, OrderRequest(BTC, "buy", D(1), reduce_only=True)) == 110017
    order = world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D(5), reduce_only=True))
    world.to(2)
    assert (order.qty, order.status, world.qty) == (D(1), "Filled", D(0))


def test_two_closings_in_flight_close_once() -> None:
    world = World(FLAT)
    world.place("buy", "1")
    world.to(1)
    first, second = (
        world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D(1), reduce_only=True)) for _ in range(2)
    )
    world.to(2)
    assert (first.status, second.status, second.cancel_type) == ("Filled", "Cancelled", "CancelByReduceOnly")
    assert world.qty == 0


def test_a_closing_order_is_trimmed_to_what_is_left_when_its_turn_comes() -> None:
    world = World(FLAT)
    world.place("buy", "1")
    world.to(1)
    for qty in ("0.4", "1"):
        world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D(qty), reduce_only=True))
    world.to(2)
    assert world.qty == 0
    assert [qty for _, qty, _ in world.fills()] == [D(1), D("0.4"), D("0.6")]


def test_an_order_the_margin_no_longer_covers_when_its_turn_comes_is_rejected() -> None:
    world = World([100, 104, 104], balance="103")
    world.engine.dealing.set_leverage(world.uid, BTC, D(1))
    world.to(0.99)
    order = world.place("buy", "1")
    world.to(2)
    assert (order.status, order.filled, world.qty) == ("Rejected", D(0), D(0))


def test_quantity_zero_with_close_on_trigger_closes_everything() -> None:
    world = World(FLAT)
    world.place("sell", "0.7")
    world.to(1)
    request = OrderRequest(BTC, "buy", D(0), reduce_only=True, close_on_trigger=True)
    world.engine.dealing.place(world.uid, request)
    world.to(2)
    assert world.qty == 0


def test_a_conditional_order_waits_for_its_trigger() -> None:
    world = World([100, 100, 101, 103, 104, 104])
    request = OrderRequest(BTC, "buy", D(1), trigger_price=D(102), trigger_direction=1)
    order = world.engine.dealing.place(world.uid, request)
    world.to(2.5)
    assert order.status == "Untriggered"
    world.to(3)
    assert (order.status, order.filled_value) == ("Filled", D(103))


def test_a_halted_symbol_takes_no_order_and_fills_none() -> None:
    world = World([100, 100])
    world.to(1.99)
    order = world.place("buy", "1")
    world.to(120)
    assert order.filled == 1  # accepted while trading, matched at the last print of its minute
    assert refusal(world, OrderRequest(BTC, "buy", D(1))) == 110074


def test_the_hook_sees_an_order_the_instant_it_is_accepted() -> None:
    world, seen = World(FLAT), list[tuple[str, Decimal]]()

    def note(order: OrderRecord) -> None:
        seen.append((order.status, order.filled))

    world.engine.on_accept = note
    world.place("buy", "1")
    assert seen == [("New", D(0))]


def test_ids_are_uuid_shaped_and_repeatable() -> None:
    first, second = World(FLAT).place("buy", "1"), World(FLAT).place("buy", "1")
    assert first.order_id == second.order_id
    assert [len(part) for part in first.order_id.split("-")] == [8, 4, 4, 4, 12]


def test_asynchronous_rejects_and_empty_books_are_faults() -> None:
    world = World(FLAT)
    world.engine.faults.push(Fault("async_reject", params={"reason": "EC_DuplicatedClOrdID"}))
    rejected = world.place("buy", "1")
    world.to(1)
    world.engine.faults.push(Fault("no_fill"))
    unfilled = world.place("buy", "1")
    world.to(2)
    world.engine.faults.push(Fault("partial_fill", params={"share": "0.3"}))
    part = world.place("buy", "1")
    world.to(3)
    assert (rejected.status, rejected.reject_reason) == ("Rejected", "EC_DuplicatedClOrdID")
    assert (unfilled.status, unfilled.filled) == ("Cancelled", D(0))
    assert (part.status, part.filled, world.qty) == ("Cancelled", D("0.3"), D("0.3"))
