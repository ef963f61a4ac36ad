"""Results read from a ledger: exact however they are cut, kept walks told as fresh ones, tables paged once each."""

import json
import random
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.krw_rates import SqlWonBook
from lib.adapters.sql.tables.people import system_settings
from lib.adapters.sql.tables.trading import equity_points, fills
from lib.clock import SteppedClock
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey, CycleRecord
from lib.domain.books import EquityPoint, Transfer
from lib.domain.equity import Mark
from lib.domain.order import CYCLE_MS
from lib.domain.performance import deepest_fall
from lib.domain.platform_settings import KRW_PER_USDT
from lib.domain.position import Side
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from lib.domain.won_rates import WonRate
from lib.queries import EXPORTS, Readings, Sheet
from lib.queries.sheets import FILL_FILTERS, Asked
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES

D = Decimal
ZERO = D(0)
DAY_MS = 86_400_000
NOW = T + 400 * CYCLE_MS


@dataclass
class Books:
    """A ledger with one account, and what its person reads; *fresh* readings know nothing from before."""

    world: SqlWorld
    account: TraderAccount
    readings: Readings

    @property
    def user(self) -> int:
        return self.account.user_id

    def fresh(self) -> Readings:
        return Readings(self.world.engine, MemoryCandleStore(), self.world.clock)

    async def trade(self, number: int, side: Side, price: str, **changes: Any) -> None:
        made = make.fill(f"e{number}", side, "0.010", price, fee=D("0.33"), order_link_id=changes.pop("link", ""))
        fill = replace(made, order_id=f"x{number}", at_ms=T + number * CYCLE_MS, **changes)
        await self.world.ledger.record_fills(self.account.account_id, [fill])

    async def point(self, number: int, equity: Decimal) -> None:
        t_ms = T + number * CYCLE_MS
        await self.world.ledger.record_equity(EquityPoint(self.account.account_id, t_ms, equity, equity, ZERO))

    async def pay(self, name: str, amount: int, at_ms: int) -> None:
        await self.world.ledger.record_transfers(self.account.account_id, [Transfer(name, "deposit", D(amount), at_ms)])

    async def asked(self, number: int, close: str, cost: str | None = None) -> CycleKey:
        """An analyst is asked, over candles of which the newest closes at *close*."""
        key = CycleKey("synthetic", SYMBOL, 300, T + number * CYCLE_MS, "g" * 64)
        told = json.dumps([{"timestamp": 1, "close": "1"}, {"timestamp": 2, "close": close, "volume": "7"}])
        answer = replace(make.analyst_answer(), cost=None if cost is None else D(cost))
        await self.world.ledger.record_cycle(CycleRecord(key, "prompt", told, answer))
        return key

    def marks(self) -> list[Mark]:
        c = equity_points.c
        with self.world.engine.connect() as connection:
            return [Mark(*row) for row in connection.execute(sa.select(c.t_ms, c.equity, c.transfers).order_by(c.t_ms))]


@pytest.fixture(params=["sqlite", *AT_TIMES])
async def books(request: pytest.FixtureRequest) -> Any:
    world = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), SteppedClock(NOW))
    account = await trading_account(world)
    yield Books(world, account, Readings(world.engine, MemoryCandleStore(), world.clock))
    world.close()


def rows_of(sheet: Sheet[Any]) -> list[int]:
    return [row.id for row in sheet.rows]


async def test_before_anything_happened_a_period_holds_what_the_account_began_with(books: Books) -> None:
    found = books.readings.results(books.user, bounds=(T, T + DAY_MS))
    assert found is not None
    assert (found.begin, found.end, found.deepest, found.days, found.trips) == (found.end, found.begin, None, (), ())
    assert (found.begin.equity, found.made, found.share) == (D(10_000), ZERO, ZERO)
    assert found.cost.usd is None


async def test_the_deepest_fall_is_that_of_all_points_however_they_are_cut(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.queries.curve.SLICES", 9)
    draw = random.Random(7)
    equity = D(10_000)
    for number in range(1, 150):
        equity += draw.randint(-90, 92)
        if number in (40, 90):
            await books.pay(f"p{number}", 5_000, T + number * CYCLE_MS - 60_000)
            equity += 5_000
        await books.point(number, equity)
        if number in (3, 60, 149):
            for since in (0, T + 50 * CYCLE_MS, T + 145 * CYCLE_MS):
                seen, fresh = (one.results(books.user, since_ms=since) for one in (books.readings, books.fresh()))
                assert seen is not None
                assert seen == fresh, "what is kept is what is read anew"
                before = [mark for mark in books.marks() if mark.t_ms < since][-1:]
                start = [] if before else [Mark(0, D(10_000), ZERO)]
                period = [*start, *before, *(mark for mark in books.marks() if mark.t_ms >= since)]
                expected = deepest_fall(period)
                assert (seen.deepest.fraction if seen.deepest else None) == (expected.fraction if expected else None)
                assert seen.end == period[-1]
                assert len(seen.points) <= 9 + 5
    assert expected is not None


async def test_points_of_the_past_that_a_late_transfer_moves_are_read_again(books: Books) -> None:
    for number in range(1, 30):
        await books.point(number, D(10_000 if number < 10 else 11_000))
    assert books.readings.results(books.user) is not None
    await books.pay("late", 1_000, T + 10 * CYCLE_MS - 1_000)
    assert books.readings.results(books.user) == books.fresh().results(books.user)


async def test_a_period_is_compared_with_doing_nothing_and_with_the_coin(books: Books) -> None:
    for number, (equity, close) in enumerate([(10_000, "100"), (10_500, "110.5"), (15_000, "90")], 1):
        await books.asked(number, close)
        if number == 3:
            await books.pay("p", 5_000, T + 3 * CYCLE_MS - 1_000)
        await books.point(number, D(equity))
    found = books.readings.results(books.user)
    assert found is not None
    assert [point.hold for point in found.points] == [None, D(10_000), D(11_050), D(14_000)]
    assert [point.nothing for point in found.points] == [D(10_000), D(10_000), D(10_000), D(15_000)]
    assert (found.made, found.share) == (ZERO, ZERO)
    assert [row.amount for row in found.transfers] == [D(5_000)]


async def test_days_end_where_the_person_says(books: Books) -> None:
    for number in (1, 10, 20, 30):
        await books.point(number, D(10_000 + number))
    bounds = [T + number * CYCLE_MS for number in (0, 5, 15, 25, 40)]
    found = books.readings.results(books.user, bounds=bounds)
    assert found is not None
    assert [(day.begins_ms, day.result) for day in found.days] == [
        (bounds[0], D(1)),
        (bounds[1], D(9)),
        (bounds[2], D(10)),
        (bounds[3], D(10)),
    ]


async def test_a_trip_knows_both_decisions_and_the_sums_are_the_books(books: Books) -> None:
    ledger, account = books.world.ledger, books.account
    key = await books.asked(0, "100")
    [entry] = await ledger.plan(account, key, T, BUY)
    await books.trade(1, "buy", "60000", link=entry.order_link_id)
    await books.trade(2, "buy", "0", qty=ZERO, kind="funding", fee=D("0.7"))
    assert len(books.readings.trips(books.user).open) == 1
    closing = AccountPlan("closed", text("enough"), (replace(BUY.orders[0], leg="x", side="sell", reduce_only=True),))
    [out] = await ledger.plan(account, None, T + CYCLE_MS, closing)
    await books.trade(3, "sell", "60100", link=out.order_link_id)
    found = books.readings.trips(books.user)
    assert found == books.fresh().trips(books.user), "a walk that went on is one made anew"
    [trip] = found.trips
    logs = {row.t_ms: row.id for row in books.readings.logs(books.user)}
    assert trip.entry is not None
    assert trip.exit is not None
    assert (trip.entry.log_id, trip.exit.log_id) == (logs[T], logs[T + CYCLE_MS])
    assert (trip.entry.confidence, trip.leverage, trip.ended) == (D("0.8"), 5, "decision")
    mine = books.readings.own_accounts(books.user)[0]
    assert trip.net == mine.realised - mine.fees + mine.funding == D("1") - D("0.66") - D("0.7")


async def test_a_walk_begins_anew_where_the_database_was_put_back(books: Books) -> None:
    await books.trade(1, "buy", "60000")
    await books.trade(2, "sell", "60100")
    assert len(books.readings.trips(books.user).closed) == 1
    with books.world.engine.begin() as connection:
        connection.execute(sa.delete(fills).where(fills.c.exec_id == "e2"))
    assert len(books.readings.trips(books.user).open) == 1


async def test_what_the_analyst_cost_is_summed_once_and_told_for_the_period(books: Books) -> None:
    for number in range(60):
        key = await books.asked(number, "100", "0.000000123" if number % 2 else None)
        plan = AccountPlan("held", text("nothing to do"))
        await books.world.ledger.plan(books.account, key, T + number * CYCLE_MS, plan)
    for _ in range(2):
        found = books.readings.results(books.user)
        assert found is not None
        assert (found.cost.calls, found.cost.priced, found.cost.usd) == (60, 30, D("0.00000369"))
    later = books.readings.results(books.user, since_ms=T + 48 * CYCLE_MS)
    assert later is not None
    assert 12 <= later.cost.calls <= 24, "from the hour the period begins in"


async def test_won_are_shown_where_an_operator_set_a_rate(books: Books) -> None:
    def rate() -> Decimal | None:
        found = books.readings.results(books.user)
        assert found is not None
        told = found.rates.at(T)
        return told.krw if told else None

    assert rate() is None
    with books.world.engine.begin() as connection:
        connection.execute(sa.insert(system_settings).values(setting_key=KRW_PER_USDT, setting_value="1390.5"))
    assert rate() == D("1390.5")
    book, mine = SqlWonBook(books.world.engine), (WonRate(date(2020, 1, 1), D("1450.25")),)
    assert book.replace(books.user, (), mine)
    assert not book.replace(books.user, (), ()), "another tab's list is not written over unseen"
    assert rate() == D("1450.25"), "one's own go before the platform's"
    assert book.replace(books.user, mine, (WonRate(date(2090, 1, 1), D(9000)),))
    assert rate() == D("1390.5"), "before the first of one's own the platform's holds"


async def test_tables_are_paged_once_over_every_row_and_filtered(books: Books) -> None:
    for number in range(1, 8):
        await books.trade(number, "buy" if number % 2 else "sell", "60000")
        await books.trade(number + 100, "buy", "0", qty=ZERO, kind="funding", fee=D(1))
        await books.pay(f"p{number}", number, T + number)
    await books.world.ledger.plan(books.account, None, T, BUY)
    read = books.readings
    for funding in (False, True):
        sheet = read.funding_sheet if funding else read.fills_sheet
        pages = [sheet(books.user, limit=3)]
        while pages[-1].older is not None:
            pages.append(sheet(books.user, limit=3, cursor=pages[-1].older))
        ids = [row_id for page in pages for row_id in rows_of(page)]
        assert len(ids) == len(set(ids)) == 7
        assert {row.kind == "funding" for page in pages for row in page.rows} == {funding}
        back = sheet(books.user, limit=3, cursor=pages[2].newer)
        assert back.rows == pages[1].rows
    assert [row.amount for row in read.transfers_sheet(books.user, limit=9, since_ms=T + 3).rows] == [7, 6, 5, 4, 3]
    [order] = read.orders_sheet(books.user, limit=9).rows
    assert read.orders_sheet(books.user, limit=9, only=Asked(kind="working")).rows == (order,)
    assert read.orders_sheet(books.user, limit=9, only=Asked(kind="filled")).rows == ()
    assert read.orders_sheet(books.user, limit=9, only=Asked(kind="no such word")).rows == ()
    assert read.orders_sheet(books.user, limit=9, only=Asked(side="sell")).rows == ()
    assert read.orders_sheet(books.user, limit=9, only=Asked("buy", "working", order.symbol)).rows == (order,)


async def test_executions_funding_and_transfers_are_filtered_by_side_kind_symbol_and_period(books: Books) -> None:
    for number in range(1, 8):
        await books.trade(number, "buy" if number % 2 else "sell", "60000", is_stop=number in (2, 4))
        fee = D(1) if number % 3 else D("-0.5")
        await books.trade(number + 100, "buy", "0", qty=ZERO, kind="funding", fee=fee)
        await books.pay(f"p{number}", number if number % 2 else -number, T + number)
    read, user = books.readings, books.user
    kinds = {kind: len(read.fills_sheet(user, limit=9, only=Asked(kind=kind)).rows) for kind in FILL_FILTERS}
    assert kinds == {"trade": 5, "stop": 2, "liquidation": 0, "adl": 0, "other": 0}
    assert {row.side for row in read.fills_sheet(user, limit=9, only=Asked(side="sell")).rows} == {"sell"}
    assert len(read.fills_sheet(user, limit=9, only=Asked(side="sell", kind="stop")).rows) == 2
    first = read.fills_sheet(user, limit=2, only=Asked(side="buy"))
    then = read.fills_sheet(user, limit=2, only=Asked(side="buy"), cursor=first.older)
    assert len({row.id for row in (*first.rows, *then.rows)}) == 4, "a filtered table is paged as a whole one"
    assert read.fills_sheet(user, limit=9, only=Asked(symbol="NOSUCHUSDT")).rows == ()
    assert read.fills_sheet(user, limit=9, since_ms=T + 10**12).rows == ()

    def funding(kind: str) -> list[Decimal]:
        return [row.fee for row in read.funding_sheet(user, limit=9, only=Asked(kind=kind)).rows]

    assert {kind: funding(kind) for kind in ("received", "paid")} == {"received": [D("-0.5")] * 2, "paid": [D(1)] * 5}
    known = {row.kind for row in read.transfers_sheet(user, limit=9).rows}
    for kind in known:
        assert {row.kind for row in read.transfers_sheet(user, limit=9, only=Asked(kind=kind)).rows} == {kind}
    assert read.transfers_sheet(user, limit=9, only=Asked(kind="bonus")).rows == ()


async def test_an_export_holds_every_row_of_every_part(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.queries.exports.AT_ONCE", 2)
    for number in range(1, 6):
        await books.trade(number, "buy" if number % 2 else "sell", "60000")
        await books.point(number, D(10_000 + number))
        await books.pay(f"p{number}", number, T + number)
        await books.world.ledger.plan(books.account, await books.asked(number, "1"), T + number * CYCLE_MS, BUY)
    counts = {}
    for what, columns in EXPORTS.items():
        parts = list(books.readings.export(books.user, what))
        rows = [row for part in parts for row in part]
        assert all(len(row) == len(columns) for row in rows)
        assert len(set(map(str, rows))) == len(rows)
        counts[what] = len(rows)
    assert counts == {"trips": 2, "orders": 5, "fills": 5, "transfers": 5, "equity": 5, "decisions": 5}
    assert list(books.readings.export(9_999, "fills")) == []


async def test_another_persons_account_is_nobodys_when_asked_for_by_its_number(books: Books) -> None:
    await books.trade(1, "buy", "60000")
    other = await trading_account(books.world, uid="uid-other")
    number = books.account.account_id
    assert books.readings.results(other.user_id, account_id=number) is None
    assert books.readings.trips(other.user_id, number).trips == ()
    assert books.readings.fills_sheet(other.user_id, limit=9, account_id=number) == Sheet()
    assert books.readings.results(books.user, account_id=number) is not None
