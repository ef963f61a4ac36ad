"""
What a tile shows is what the ledger holds, whatever a life brings: executions, funding, transfers, checks, midnights.

Every life is lived on two ledgers, SQLite and in memory, beside a wallet that is counted here in its own way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lib.clock import SteppedClock
from lib.domain.account_records import TraderAccount
from lib.domain.books import EquityPoint, Fill, Transfer
from lib.domain.day import DAY_MS, midnight_after
from lib.domain.equity import drawdown
from lib.domain.order import CYCLE_MS
from lib.domain.position import Side
from lib.ports.ledger import Ledger
from lib.queries import Readings, Tiles
from tests import factories as make
from tests.contract.ledger_worlds import MemoryWorld, SqlWorld
from tests.contract.test_ledger import trading_account
from tests.effort import examples
from tests.factories import SYMBOL, T, candles
from tests.fakes.market import MemoryCandleStore

ZERO = Decimal(0)
START = Decimal(10_000)
_people = count(1)


@dataclass
class Wallet:
    """The exchange's side, counted by value: cash moves by what is bought and sold, not by realised profit."""

    cash: Decimal = START
    qty: Decimal = ZERO
    price: Decimal = Decimal(60_000)
    paid_in: Decimal = START
    gains: list[tuple[int, Decimal]] = field(default_factory=list)
    """(T, equity above what was paid in) of each check."""
    unlisted: list[Transfer] = field(default_factory=list)
    """What moved the wallet and no list told of yet."""
    was_unlisted: bool = False

    @property
    def equity(self) -> Decimal:
        return self.cash + self.qty * self.price

    def day_start_gain(self, now: int) -> Decimal:
        """By hand: the last check of the hour before midnight, else today's first, else the last ever, else nothing."""
        midnight = now - now % DAY_MS
        before = [gain for at, gain in self.gains if at < midnight]
        young = [gain for at, gain in self.gains if midnight - 3_600_000 <= at < midnight]
        today = [gain for at, gain in self.gains if at >= midnight]
        return next(iter([*young[-1:], *today[:1], *before[-1:]]), ZERO)


@dataclass
class Life:
    """One account on both ledgers, and its wallet."""

    sql: SqlWorld
    memory: MemoryWorld
    prices: MemoryCandleStore
    accounts: tuple[TraderAccount, TraderAccount]
    wallet: Wallet = field(default_factory=Wallet)
    _ids: Iterator[int] = field(default_factory=count)

    @property
    def clock(self) -> SteppedClock:
        return self.sql.clock

    @property
    def pairs(self) -> list[tuple[Ledger, int]]:
        """Each ledger with its account."""
        sql, memory = self.accounts
        return [(self.sql.ledger, sql.account_id), (self.memory.ledger, memory.account_id)]

    async def trade(self, side: Side, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        signed = qty if side == "buy" else -qty
        self.wallet.qty += signed
        self.wallet.cash -= signed * price + fee
        self.wallet.price = price
        await self._fill(make.fill(f"{next(self._ids)}", side, qty, price, fee=fee))

    async def funding(self, fee: Decimal) -> None:
        self.wallet.cash -= fee
        await self._fill(make.fill(f"{next(self._ids)}", "buy", ZERO, 60_000, "funding", fee=fee))

    async def _fill(self, row: Fill) -> None:
        row = replace(row, at_ms=self.clock.now_ms(), order_link_id="")
        for ledger, account_id in self.pairs:
            assert await ledger.record_fills(account_id, [row]) == 1

    async def transfer(self, amount: Decimal) -> None:
        self.wallet.cash += amount
        self.wallet.paid_in += amount
        row = Transfer(f"{next(self._ids)}", "other", amount, self.clock.now_ms())
        for ledger, account_id in self.pairs:
            assert await ledger.record_transfers(account_id, [row]) == 1

    async def unlisted(self, amount: Decimal) -> None:
        """As a transfer, but the venue's list does not tell of it yet."""
        self.wallet.cash += amount
        self.wallet.paid_in += amount
        self.wallet.was_unlisted = True
        self.wallet.unlisted.append(Transfer(f"{next(self._ids)}", "other", amount, self.clock.now_ms()))

    async def listed(self) -> None:
        """Now it does."""
        rows, self.wallet.unlisted = self.wallet.unlisted, []
        for ledger, account_id in self.pairs:
            assert await ledger.record_transfers(account_id, rows) == len(rows)

    async def check(self) -> None:
        """The trader reads the wallet and holds it against the books."""
        at, equity = self.clock.now_ms(), self.wallet.equity
        self.wallet.gains.append((at, equity - self.wallet.paid_in))
        for ledger, account_id in self.pairs:
            books = await ledger.books((account_id, SYMBOL))
            cash = equity - books.position.qty * (self.wallet.price - books.position.avg_entry_price)
            await ledger.record_equity(EquityPoint(account_id, at, cash, equity, cash - books.balance))

    async def wait(self, how: str) -> None:
        now = self.clock.now_ms()
        midnight = midnight_after(now)
        until = {"cycle": now + CYCLE_MS, "hours": now + 7_200_000, "late": midnight - CYCLE_MS, "midnight": midnight}
        self.clock.advance_to(max(until[how], now + 1_000))
        self.memory.clock.advance_to(self.clock.now_ms())

    def tiles(self) -> Tiles:
        self.prices.rebuild(SYMBOL, "1m", candles(1, price=self.wallet.price, drift="0"))
        found = Readings(self.sql.engine, self.prices, self.clock).tiles(self.accounts[0].user_id)
        assert found is not None
        return found

    async def is_true(self) -> None:
        """Hold the page against both ledgers, and all of them against the wallet."""
        tiles, now, wallet = self.tiles(), self.clock.now_ms(), self.wallet
        for ledger, account_id in self.pairs:
            books, facts = await ledger.books((account_id, SYMBOL)), await ledger.facts((account_id, SYMBOL), now)
            assert tiles.balance == books.balance
            assert tiles.day_start == facts.day_start_equity == tiles.equity - tiles.today
            assert tiles.drawdown == drawdown(facts.peak_equity, tiles.equity)
            assert tiles.paid_in == books.start + books.transfers
            assert tiles.checked_ms == books.checked_ms
            assert tiles.equity == tiles.balance + tiles.difference + tiles.open_pnl
        if wallet.was_unlisted:
            return
        assert_near(tiles.difference, ZERO)
        assert tiles.paid_in == wallet.paid_in
        assert_near(tiles.equity, wallet.equity)
        gain = wallet.equity - wallet.paid_in
        assert_near(tiles.today, gain - wallet.day_start_gain(now))
        best = max([ZERO, gain, *(at for _, at in wallet.gains)])
        if wallet.paid_in + best > 1:
            assert_near(tiles.drawdown * (wallet.paid_in + best), best - gain)


def assert_near(found: Decimal, expected: Decimal) -> None:
    """Equal but for averages kept to 1e-10 and shares kept to 28 digits."""
    assert abs(found - expected) < Decimal("1e-6"), f"{found} instead of {expected}"


AMOUNTS = st.integers(-500_000, 500_000).filter(bool).map(lambda n: Decimal(n) / 100)
FEES = st.integers(-300, 3_000).map(lambda n: Decimal(n) / 1_000)
QUANTITIES = st.integers(1, 40).map(lambda n: Decimal(n) / 1_000)
STEPS = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(["buy", "sell"]), QUANTITIES, st.integers(50_000, 70_000), FEES),
    st.tuples(st.just("funding"), FEES),
    st.tuples(st.just("transfer"), AMOUNTS),
    st.tuples(st.just("unlisted"), AMOUNTS),
    st.tuples(st.just("listed")),
    st.tuples(st.just("check")),
    st.tuples(st.just("wait"), st.sampled_from(["cycle", "hours", "late", "midnight"])),
)


@pytest.fixture
def sql(sqlite_engine: sa.Engine) -> Iterator[SqlWorld]:
    world = SqlWorld(sqlite_engine, SteppedClock(T + 4_000))
    yield world
    world.close()


async def born(sql: SqlWorld) -> Life:
    memory, uid = MemoryWorld(SteppedClock(sql.clock.now_ms())), f"uid-{next(_people)}"
    accounts = (await trading_account(sql, uid=uid), await trading_account(memory, uid=uid))
    return Life(sql, memory, MemoryCandleStore(), accounts)


async def live(life: Life, *steps: tuple[Any, ...]) -> None:
    for name, *values in steps:
        await life.wait("cycle")
        known = [Decimal(value) if isinstance(value, int) else value for value in values]
        await getattr(life, name)(*known)


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
async def test_what_a_tile_shows_is_what_the_ledger_holds(sql: SqlWorld, steps: list[tuple[Any, ...]]) -> None:
    life = await born(sql)
    await life.is_true()
    for step in steps:
        await live(life, step)
        await life.is_true()
        if step == ("check",):
            assert_near(life.tiles().equity, life.wallet.equity)


async def test_what_wallet_and_books_differ_by_is_shown_and_no_profit_of_a_later_day(sql: SqlWorld) -> None:
    life = await born(sql)
    assert life.tiles().checked_ms == 0
    await live(life, ("check",), ("unlisted", -5), ("check",))
    tiles = life.tiles()
    assert (tiles.balance, tiles.difference, tiles.equity, tiles.today) == (START, Decimal(-5), START - 5, Decimal(-5))
    await live(life, ("wait", "midnight"), ("check",))
    assert (life.tiles().difference, life.tiles().today) == (Decimal(-5), ZERO)
    await live(life, ("listed",))
    assert (life.tiles().difference, life.tiles().balance, life.tiles().today) == (ZERO, START - 5, ZERO)


async def test_a_deposit_is_on_the_page_and_neither_profit_nor_drawdown(sql: SqlWorld) -> None:
    life = await born(sql)
    await live(life, ("trade", "buy", Decimal("0.01"), 60_000, Decimal("0.33")), ("check",), ("transfer", 1_000))
    tiles = life.tiles()
    assert (tiles.balance, tiles.equity, tiles.paid_in) == (Decimal("10999.67"), Decimal("10999.67"), Decimal(11_000))
    assert tiles.today == 0, "the check was after the fee"
    assert tiles.drawdown == Decimal("0.33") / Decimal(11_000)
    await live(life, ("wait", "midnight"))
    assert life.tiles().today == 0


async def test_today_and_the_loss_limit_begin_at_the_same_equity(sql: SqlWorld) -> None:
    life = await born(sql)
    await live(life, ("trade", "buy", Decimal("0.01"), 60_000, ZERO), ("trade", "buy", Decimal("0.01"), 70_000, ZERO))
    await live(life, ("wait", "late"), ("check",), ("trade", "sell", Decimal("0.01"), 50_000, ZERO), ("check",))
    [start, _] = [gain for _, gain in life.wallet.gains]
    tiles = life.tiles()
    assert tiles.day_start == START + start
    facts = await life.sql.ledger.facts(life.accounts[0].slot, life.clock.now_ms())
    assert facts.day_start_equity == tiles.day_start
