"""Margin: added to an isolated position, by hand and by itself; one equity for all positions in cross."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.domain.price_path import Path
from lib.simulator.engine.accounts import Born
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.margin import liquidation_edge
from lib.simulator.engine.orders import OrderRequest, Refused
from tests.worlds.venue import BITCOIN, BTC, EXACT, START, D, ScriptedMarket, World

ETH = "ETHUSDT"


class Pair(ScriptedMarket):
    """Two symbols: the second one's prints are *others*."""

    def __init__(self, prints: list[str | int], others: list[str | int]) -> None:
        super().__init__(prints)
        self._other = ScriptedMarket(others)

    def path(self, symbol: str, open_time: int) -> Path:
        return super().path(symbol, open_time) if symbol == BTC else self._other.path(BTC, open_time)


def crossed(prints: list[str | int], balance: str = "200") -> World:
    world = World(prints, balance=balance)
    world.engine.dealing.set_margin_mode(world.uid, "REGULAR_MARGIN")
    return world


def ledger(world: World) -> Decimal:
    return sum((row.change for row in world.engine.books.history[world.uid].transactions), Decimal(0))


def test_added_margin_moves_the_liquidation_and_is_lost_with_it() -> None:
    world = World([100, 100, 100, 88, 80, 80], balance="1000")
    world.place("buy", "10")  # liquidated at 90.5, bankrupt at 90
    world.to(1)
    world.engine.dealing.add_margin(world.uid, BTC, D(50))
    held, cash = world.engine.books.position_margin(world.account), world.account.cash
    assert liquidation_edge(world.engine.books, world.account, world.account.holdings[BTC]) == D("85.5")
    world.to(3)
    assert world.qty == 10
    world.to(4)
    assert world.fills()[-1] == ("CreateByLiq", D(10), D(85))
    assert cash - held < world.account.cash < cash - held + 1  # the fee to close was set aside for a dearer close
    assert world.engine.books.position_margin(world.account) == 0


def test_margin_is_given_back_only_as_far_as_the_position_lives_on() -> None:
    world = World([100, 100, 91, 91], balance="1000")
    world.place("buy", "10")
    world.to(1)
    change = world.engine.dealing.add_margin
    change(world.uid, BTC, D(50))
    world.to(2)
    for amount, code in ((D(-51), 110012), (D(10_000), 110014), (D(0), 110027)):
        with pytest.raises(Refused, match=str(code)):
            change(world.uid, BTC, amount)
    change(world.uid, BTC, D(-50))
    with pytest.raises(Refused, match="110005"):
        World([100] * 3).engine.dealing.add_margin(1_000_001, BTC, D(1))


def test_auto_margin_is_added_while_there_is_any_and_then_the_position_goes() -> None:
    world = World([100, 100, 90, 88, 1, 1], balance="250")
    world.engine.dealing.set_auto_margin(world.uid, BTC, True)
    world.place("buy", "10")
    world.to(3)
    assert world.qty == 10
    assert world.engine.books.holding(world.account, BTC).extra_margin > 0
    world.to(4)
    assert world.qty == 0
    assert 0 <= world.account.cash < 5
    assert ledger(world) == world.account.cash


def test_a_cross_position_stands_on_the_whole_equity() -> None:
    world = crossed([100, 100, 90, 81, 80, 80])
    world.place("buy", "10")
    world.to(3)
    assert world.qty == 10  # isolated it was gone at 90.5
    world.to(4)
    assert world.fills()[-1][0] == "CreateByLiq"
    assert 0 <= world.account.cash < 2
    assert ledger(world) == world.account.cash


def test_profit_of_a_cross_position_is_margin_for_more_and_cash_is_not_made_of_it() -> None:
    world = crossed([100, 100, 150, 150, 150])
    world.place("buy", "10")
    world.to(2)
    assert world.engine.books.available(world.account) > 500
    with pytest.raises(ValueError, match="more than is available"):
        world.engine.dealing.deposit(world.uid, D(-300))
    for amount, code in ((D(1), 110015),):
        with pytest.raises(Refused, match=str(code)):
            world.engine.dealing.add_margin(world.uid, BTC, amount)
    with pytest.raises(Refused, match="110076"):
        world.engine.dealing.set_auto_margin(world.uid, BTC, True)


def pair(prints: list[str | int], others: list[str | int], balance: str = "300") -> tuple[Engine, int]:
    """A long of ten in each of two symbols, in cross margin."""
    rules = {BTC: BITCOIN, ETH: type(BITCOIN)(ETH, *(getattr(BITCOIN, name) for name in BITCOIN.__slots__[1:]))}
    engine = Engine(Pair(prints, others), rules, EXACT)
    engine.advance(START)
    uid = engine.create_account(D(balance), born=Born("REGULAR_MARGIN")).uid
    for symbol in rules:
        engine.dealing.place(uid, OrderRequest(symbol, "buy", D(10)))
    engine.advance(START + 1_000)
    return engine, uid


def test_the_loss_of_one_symbol_liquidates_the_other_too() -> None:
    engine, uid = pair([100] * 6, [100, 100, 80, 73, 70, 70])
    engine.advance(START + 3_000)
    holdings = engine.accounts[uid].holdings
    assert [holding.position.qty for holding in holdings.values()] == [10, 10]
    engine.advance(START + 5_000)
    assert [holding.position.qty for holding in holdings.values()] == [0, 0]
    assert engine.accounts[uid].cash >= 0


def test_the_gain_of_one_symbol_carries_the_loss_of_the_other() -> None:
    engine, uid = pair([100, 100, 130, 130, 130, 130], [100, 100, 80, 70, 65, 65])
    engine.advance(START + 5_000)
    assert [holding.position.qty for holding in engine.accounts[uid].holdings.values()] == [10, 10]


moves = st.lists(st.integers(-40, 40), min_size=3, max_size=25)


@settings(max_examples=25)
@given(moves, moves, st.integers(1, 8))
def test_cross_cash_is_the_sum_of_the_ledger_and_never_below_nothing(
    one: list[int], other: list[int], cut: int
) -> None:
    paths: list[list[str | int]] = []
    for changes in (one, other):
        prices = [100, 100]
        for change in changes:
            prices.append(min(max(prices[-1] + change, 20), 500))
        paths.append([*prices, *[prices[-1]] * 30])
    engine, uid = pair(paths[0], paths[1])
    for at in range(0, 40, cut):
        engine.advance(START + at * 1_000)
    whole, same = pair(paths[0], paths[1])
    whole.advance(START + 39_000)
    engine.advance(START + 39_000)
    assert engine.export_account(uid) == whole.export_account(same)
    rows = engine.books.history[uid].transactions
    assert sum(row.change for row in rows) == engine.accounts[uid].cash
    assert engine.accounts[uid].cash >= 0
