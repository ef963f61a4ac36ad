"""What people read: exact, cut by the database, their own and nobody else's; on SQLite and on a real MariaDB."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from lib.adapters.sql.forms.backtests import packed as kept_result
from lib.adapters.sql.forms.commands import SqlCommandQueue
from lib.adapters.sql.forms.notice_choices import SqlNoticeChoices
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.records.days import packed
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.past import memory_tests
from lib.adapters.sql.tables.people import audit_events, krw_rates, notice_choices, sessions, users
from lib.adapters.sql.tables.records import record_days, record_links, records
from lib.adapters.sql.tables.safety import api_tokens, authenticators, passkeys, recovery_codes
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.adapters.sql.tables.telling import channels
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey, CycleRecord, ModelCall
from lib.domain.backtests import Wish, wish_text
from lib.domain.books import Charge, EquityPoint, Fill, Transfer
from lib.domain.candle import MINUTE_MS, FormingCandle
from lib.domain.channel import REPORT_HOUR, TellingChoices
from lib.domain.command import Command
from lib.domain.decision import Action
from lib.domain.events import Event, EventKind
from lib.domain.margin import Liquidation
from lib.domain.position import Side
from lib.domain.reason import NOTHING, text
from lib.domain.record import Decided, Entry, Version, decision_leaf
from lib.domain.risk import AccountPlan, Clamp
from lib.domain.round_trips import Trips
from lib.domain.scores import BOTH_WAYS, BothWays, of_nothing
from lib.domain.strategy import Strategy, written
from lib.domain.won_rates import WonRates
from lib.queries import EXPORTS, Cursor, LogFilter, NoticePage, OpinionWorth, Page, Readings, Sheet, Words, read_cursor
from lib.queries.daily import ReportReadings
from lib.queries.exposed import ExposedReadings
from lib.queries.safety import FactorState
from lib.telling.daily import VenueMoney
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, HOLDER, again, signed, trading_account, verdict
from tests.factories import SYMBOL, T, candles
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES

ZERO = Decimal(0)
DAY_MS = 86_400_000


@dataclass
class Scene:
    """A ledger with a person who has lived (owner) and one who has lived otherwise (other), and what they read."""

    world: SqlWorld
    store: MemoryCandleStore
    readings: Readings

    async def person(self, uid: str, side: Side = "buy") -> TraderAccount:
        """Somebody who entered at T, was asked about, paid fees, has a reading of the wallet, and asked for more."""
        ledger = self.world.ledger
        account = await trading_account(self.world, uid=uid)
        key = CycleKey("synthetic", SYMBOL, 300, T, uid.ljust(64, "0"))
        answer = make.analyst_answer()
        call = ModelCall("fast", 0, replace(answer, cost=Decimal("0.3")))
        await ledger.record_cycle(CycleRecord(key, f"prompt of {uid}", "[]", answer, calls=(call,), people=2))
        clamp = Clamp("leverage: max_leverage", "20", "5")
        plan = AccountPlan("bought", text(f"reason of {uid}"), (replace(BUY.orders[0], side=side),), (clamp,))
        [order] = await ledger.plan(account, key, T, plan)
        assert (await ledger.claim(order, signed(order, self.world.clock.now_ms()), HOLDER)).granted
        order = await again(ledger, order)
        await ledger.close_order(order, verdict())
        await ledger.record_fills(account.account_id, [self.fill(account, "in", side, link=order.order_link_id)])
        await ledger.record_equity(EquityPoint(account.account_id, T, Decimal(10_000), Decimal(10_000), ZERO))
        wish = Command(0, account.user_id, account.account_id, "ask_now", T)
        assert SqlCommandQueue(self.world.engine).ask(wish, 60_000) == 0
        self._guarded(account)
        [opined] = [one for one in self.world.scores.unscored(0, 9) if one.symbol == SYMBOL]
        net = Decimal(account.user_id) / 1000
        score = replace(of_nothing(opined, T), net=net)
        self.world.scores.keep([score])
        self.world.scores.keep_both([BothWays(score, net, -net)])
        return account

    def _guarded(self, account: TraderAccount) -> None:
        """What guards the person of *account*, and what they wrote."""
        mine, digest = {"user_id": account.user_id}, account.uid.ljust(64, "0")
        rows: dict[sa.Table, dict[str, object]] = {
            sessions: {"token_sha256": digest, "created_ms": T, "seen_ms": T, "user_agent": account.uid},
            audit_events: {"at_ms": T, "event": "signed_in", "actor": "owner", "detail": account.uid},
            strategies: {"id": account.user_id, "name": account.uid, "made_ms": T},
            strategy_versions: {
                "id": account.user_id, "strategy_id": account.user_id, "number": 1, "sha256": digest, "made_ms": T,
                "content": written(Strategy(instructions=account.uid)),
            },
            strategy_runs: {"version_id": account.user_id, "from_ms": T + account.user_id},
            strategy_shares: {
                "version_id": account.user_id, "code_sha256": digest, "shown_as": account.uid, "made_ms": T,
            },
            records: {
                "id": account.user_id, "account_id": account.account_id, "version_id": account.user_id, "number": 1,
                "sha256": digest,
            },
            shadows: {
                "id": account.user_id, "version_id": account.user_id, "model": account.uid, "day_calls": 9,
                "day_usd": Decimal(1),
            },
            backtests: {
                "id": account.user_id, "feed": "synthetic", "symbol": "BTCUSDT", "until_ms": DAY_MS, "state": "done",
                "content_key": digest, "wish": wish_text(Wish("answers", "BTCUSDT", 0, DAY_MS, account_id=7)),
                "result": kept_result({"moments": None, "uid": account.uid}), "code_sha256": digest,
            },
            memory_tests: {"model": account.uid, "asked": account.uid, "tested_ms": T, "windows": 9, "badges": "[]"},
            record_links: {"record_id": account.user_id, "code_sha256": digest, "made_ms": T, "named": True},
            channels: {"service": "ntfy", "name": account.uid, "sealed": "x"},
            notice_choices: {"quiet_from": 0, "quiet_until": 60},
            krw_rates: {"day": "2026-01-01", "rate": Decimal(1_000 + account.user_id)},
            authenticators: {"sealed": account.uid, "confirmed": True},
            recovery_codes: {"code_sha256": digest},
            passkeys: {
                "credential_sha256": digest, "credential_id": "x", "public_key": "x",
                "name": account.uid, "created_ms": T,
            },
            api_tokens: {
                "token_sha256": digest, "name": account.uid, "scope": "read", "created_ms": T, "expires_ms": T + DAY_MS,
            },
        }  # fmt: skip
        with self.world.engine.begin() as connection:
            for table, row in rows.items():
                connection.execute(sa.insert(table).values(mine | row))
            leaf = Entry(decision_leaf(Version(1, digest), Decided(DAY_MS, SYMBOL, "held")))
            day = {"record_id": account.user_id, "day": 1, "leaves": 1, "decisions": 1, "root": digest, "head": digest}
            day |= {"closing_index": f"1.{account.user_id}", "packed": packed([leaf])}
            connection.execute(sa.insert(record_days).values(day))
            answer = connection.scalar(sa.select(sa.func.max(cycles.c.id)))
            turn = mine | {"shadow_id": account.user_id, "account_id": account.account_id, "t_ms": T, "symbol": SYMBOL}
            connection.execute(sa.insert(shadow_calls).values(turn | {"state": "answered", "cycle_id": answer}))
            running = sa.update(users).where(users.c.id == account.user_id)
            connection.execute(running.values(strategy_version_id=account.user_id))

    async def exit(self, account: TraderAccount, side: Side) -> None:
        """Their position ends, something else is entered, and something is paid in."""
        fills = [self.fill(account, f"out-{number}", side) for number in range(2)]
        await self.world.ledger.record_fills(account.account_id, fills)
        paid = Transfer(f"{account.uid}-1", "deposit", Decimal(7), T + 1)
        await self.world.ledger.record_transfers(account.account_id, [paid])

    async def fund(self, account: TraderAccount) -> None:
        """They pay for holding a position."""
        paid = self.fill(account, "funding", "buy", "0", qty=ZERO, kind="funding")
        await self.world.ledger.record_fills(account.account_id, [paid])

    def fill(self, account: TraderAccount, exec_id: str, side: Side, price: str = "60000", **changes: Any) -> Fill:
        link = changes.pop("link", "")
        made = make.fill(f"{account.uid}-{exec_id}", side, "0.010", price, order_link_id=link, fee=Decimal("0.33"))
        return replace(made, order_id=f"{account.uid}-{exec_id}", **changes)


@pytest.fixture(params=["sqlite", *AT_TIMES])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    world = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), SteppedClock(T + 4_000))
    store = MemoryCandleStore()
    yield Scene(world, store, Readings(world.engine, store, world.clock))
    world.close()


LISTS = (
    "accounts", "sessions", "passkeys", "activity", "strategies", "strategy_versions", "strategy_runs",
    "strategy_shares", "krw_rates", "records", "record_links", "shadows", "backtests",
)  # fmt: skip
"""What of the file with everything is a list of the person's own."""
NOTHING_READ: tuple[object, ...] = (
    None,
    [],
    {},
    Page(),
    Trips(),
    Sheet(),
    FactorState(False, 0),
    NoticePage(),
    WonRates(),
)
"""What somebody without a row reads."""
READS: dict[str, Callable[[Readings, int, int], object]] = {
    "holding": lambda r, user, log: r.holding(user),
    "holdings": lambda r, user, log: r.holdings(user),
    "equity": lambda r, user, log: r.equity(user, limit=9),
    "tiles": lambda r, user, log: r.tiles(user),
    "markers": lambda r, user, log: r.markers(user, 0),
    "logs": lambda r, user, log: r.logs(user),
    "logs_page": lambda r, user, log: r.logs_page(user, limit=10),
    "log_detail": lambda r, user, log: r.log_detail(user, log),
    "settings": lambda r, user, log: r.settings(user),
    "numbers": lambda r, user, log: r.numbers(user),
    "key_status": lambda r, user, log: r.key_status(user),
    "command": lambda r, user, log: r.command(user),
    "standing": lambda r, user, log: r.standing(user),
    "own_accounts": lambda r, user, log: r.own_accounts(user),
    "results": lambda r, user, log: r.results(user, bounds=(T - DAY_MS, T + DAY_MS)),
    "trips": lambda r, user, log: r.trips(user),
    "worth": lambda r, user, log: r.worth(user, log),
    "version_scores": lambda r, user, log: r.version_scores(user),
    "compared_mark": lambda r, user, log: r.compared_mark(user, T + DAY_MS),
    "compared": lambda r, user, log: r.compared(user, T + DAY_MS),
    "orders_sheet": lambda r, user, log: r.orders_sheet(user, limit=9),
    "fills_sheet": lambda r, user, log: r.fills_sheet(user, limit=9),
    "funding_sheet": lambda r, user, log: r.funding_sheet(user, limit=9),
    "transfers_sheet": lambda r, user, log: r.transfers_sheet(user, limit=9),
    **{f"export {what}": lambda r, user, log, what=what: list(r.export(user, what)) for what in EXPORTS},  # type: ignore[misc]
    "stand": lambda r, user, log: r.stand(user),
    "pulses": lambda r, user, log: r.pulses([user]),
    "sessions": lambda r, user, log: r.sessions(user),
    "trail": lambda r, user, log: r.trail(user, 9),
    "strategies": lambda r, user, log: r.strategies(user),
    "strategy_versions": lambda r, user, log: r.strategy_versions(user, user),
    "running_strategy": lambda r, user, log: r.running_strategy(user),
    "strategy_at": lambda r, user, log: r.strategy_at(user, T + 10**6),
    "strategy_runs": lambda r, user, log: r.strategy_runs(user),
    "strategy_shares": lambda r, user, log: r.strategy_shares(user),
    "model_days": lambda r, user, log: r.model_days(user, 0),
    "model_lines": lambda r, user, log: r.model_lines(user, log),
    "records": lambda r, user, log: r.records(user),
    "shadows": lambda r, user, log: r.shadows(user),
    "shadow_scores": lambda r, user, log: r.shadow_scores(user),
    "record_links": lambda r, user, log: r.record_links(user),
    "backtests": lambda r, user, log: r.backtests(user),
    "backtest": lambda r, user, log: r.backtest(user, user),
    "memory_tests": lambda r, user, log: r.memory_tests(user),
    "record_curve": lambda r, user, log: r.record_curve(user, user),
    "record_file": lambda r, user, log: list(r.record_file(user, user, amounts=True) or ()),
    "record_proof": lambda r, user, log: r.record_proof(user, user, DAY_MS, SYMBOL),
    "instructions": lambda r, user, log: r.instructions(user),
    "won_rates": lambda r, user, log: r.won_rates(user),
    "factor": lambda r, user, log: r.factor(user),
    "passkeys": lambda r, user, log: r.passkeys(user),
    "api_tokens": lambda r, user, log: r.api_tokens(user),
    "everything": lambda r, user, log: [found for name in LISTS for found in r.everything(user)[name]],
    "asking": lambda r, user, log: r.asking(user),
    "newest_call": lambda r, user, log: r.newest_call(user),
    "notices": lambda r, user, log: r.notices(user, 9),
    "unseen": lambda r, user, log: r.unseen(user),
    "channels": lambda r, user, log: r.channels(user),
    "telling": lambda r, user, log: r.telling(user),
    "real_money": lambda r, user, log: r.real_money(user, T),
    "demo_step": lambda r, user, log: r.demo_step(user, T),
}
ALIKE = {
    "equity", "tiles", "settings", "numbers", "command", "factor", "asking", "newest_call", "unseen", "telling",
    "model_days", "model_lines",
}  # fmt: skip
"""Where two people made alike read alike."""
MARKET_WIDE = {
    "status", "candles", "newest_candle", "last_price", "demo_user_id", "health", "rules", "analyst_profile",
    "admission", "banner", "person_cap", "price_day_ago", "closed_candles", "bot", "opinions", "opened_record",
    "most_shadows", "opened_backtest", "arena", "is_arena_open",
}  # fmt: skip


def test_the_leak_matrix_knows_every_function_about_a_person() -> None:
    public = {name for name, _ in inspect.getmembers(Readings, inspect.isfunction) if not name.startswith("_")}
    assert public == {name.split()[0] for name in READS} | MARKET_WIDE


async def test_nobody_reads_what_is_anothers(scene: Scene) -> None:
    owner = await scene.person("uid-owner")
    await scene.exit(owner, "sell")
    await scene.fund(owner)
    [log] = scene.readings.logs(owner.user_id)
    before = {name: read(scene.readings, owner.user_id, log.id) for name, read in READS.items()}
    other = await scene.person("uid-other", "sell")
    await scene.exit(other, "buy")
    await scene.fund(other)
    [foreign] = scene.readings.logs(other.user_id)
    for name, read in READS.items():
        assert before[name], f"{name}: the owner reads something"
        mine = read(scene.readings, owner.user_id, log.id)
        assert mine == before[name], f"{name}: another person's life changes nothing"
        theirs = read(scene.readings, other.user_id, foreign.id)
        assert name in ALIKE or theirs != before[name], f"{name}: each reads their own"
        assert read(scene.readings, 9_999, log.id) in NOTHING_READ, f"{name}: nobody reads nothing"
    assert scene.readings.log_detail(owner.user_id, foreign.id) is None
    assert scene.readings.log_detail(other.user_id, log.id) is None


# --- the log ----------------------------------------------------------------------------------------------------------


async def logged(scene: Scene, *outcomes: str) -> TraderAccount:
    """An account with a row per outcome, five minutes apart, its number as the reason."""
    account = await trading_account(scene.world)
    for number, outcome in enumerate(outcomes):
        scene.world.clock.advance_to(T + (number + 1) * 300_000)
        plan = AccountPlan(outcome, text(str(number)))  # type: ignore[arg-type]
        await scene.world.ledger.plan(account, None, T + number * 300_000, plan)
    return account


def reasons(page: Page) -> list[str]:
    return [str(row.reason) for row in page.rows]


async def test_pages_of_the_log_cover_every_row_once_newest_first(scene: Scene) -> None:
    account = await logged(scene, *["held"] * 7)
    pages = [scene.readings.logs_page(account.user_id, limit=3)]
    while (older := pages[-1].older) is not None:
        pages.append(scene.readings.logs_page(account.user_id, limit=3, cursor=read_cursor(str(older))))
    assert [page.total for page in pages] == [7] * 3
    assert [reasons(page) for page in pages] == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert pages[0].newer is None
    back = scene.readings.logs_page(account.user_id, limit=3, cursor=pages[2].newer)
    assert back.rows == pages[1].rows
    assert scene.readings.logs_page(account.user_id, limit=3, cursor=back.newer).rows == pages[0].rows


async def test_the_log_is_read_of_one_symbol_alone_where_one_is_asked_for(scene: Scene) -> None:
    account = await logged(scene, *["held"] * 3)
    read = scene.readings
    assert len(read.logs(account.user_id, symbol="BTCUSDT")) == 3
    assert read.logs(account.user_id, symbol="ETHUSDT") == []
    pages = [read.logs_page(account.user_id, limit=3, only=LogFilter(symbol=one)) for one in ("BTCUSDT", "ETHUSDT")]
    assert [(len(page.rows), page.total) for page in pages] == [(3, 3), (0, 0)]


async def test_rows_of_one_moment_are_on_one_page_each(scene: Scene) -> None:
    account = await logged(scene, *["held"] * 5)
    with scene.world.engine.begin() as connection:
        connection.execute(sa.update(trade_logs).values(executed_at=utc_from_ms(T)))
    first = scene.readings.logs_page(account.user_id, limit=2)
    second = scene.readings.logs_page(account.user_id, limit=2, cursor=first.older)
    third = scene.readings.logs_page(account.user_id, limit=2, cursor=second.older)
    assert reasons(first) + reasons(second) + reasons(third) == ["4", "3", "2", "1", "0"]
    assert scene.readings.logs_page(account.user_id, limit=2, cursor=third.newer).rows == second.rows


async def test_newer_than_a_page_is_never_a_page_with_a_hole_at_its_top(scene: Scene) -> None:
    account = await logged(scene, *["held"] * 4)
    newest = scene.readings.logs_page(account.user_id, limit=3)
    last = scene.readings.logs_page(account.user_id, limit=3, cursor=newest.older)
    assert reasons(last) == ["0"]
    assert scene.readings.logs_page(account.user_id, limit=3, cursor=last.newer).rows == newest.rows
    nowhere = Cursor(older=True, at_ms=0, row_id=0)
    assert scene.readings.logs_page(account.user_id, limit=3, cursor=nowhere) == newest


async def test_the_log_is_filtered_by_outcome_and_time(scene: Scene) -> None:
    account = await logged(scene, "held", "skipped", "held", "kept")
    read = scene.readings.logs_page
    held = read(account.user_id, limit=10, only=LogFilter(outcome="held"))
    assert (reasons(held), held.total) == (["2", "0"], 2)
    older = read(account.user_id, limit=1).older
    assert reasons(read(account.user_id, limit=1, only=LogFilter(outcome="held"), cursor=older)) == ["2"]
    assert reasons(read(account.user_id, limit=10, only=LogFilter(since_ms=T + 3 * 300_000))) == ["3", "2"]
    assert read(account.user_id, limit=10, only=LogFilter(outcome="no such word")) == Page()


async def test_the_log_is_filtered_by_trades_dates_and_words(scene: Scene) -> None:
    account = await logged(scene, "held", "bought", "held", "sold", "closed", "skipped", "refused")
    read = scene.readings.logs_page
    trades = LogFilter(traded=True)
    pages = [read(account.user_id, limit=2, only=trades)]
    assert (pages[0].total, pages[0].all_counted) == (3, True)
    pages.append(read(account.user_id, limit=2, only=trades, cursor=pages[0].older))
    assert [reasons(page) for page in pages] == [["4", "3"], ["1"]]
    assert read(account.user_id, limit=2, only=trades, cursor=pages[1].newer).rows == pages[0].rows
    assert reasons(read(account.user_id, limit=9, only=LogFilter(traded=True, outcome="sold"))) == ["3"]
    assert read(account.user_id, limit=9, only=LogFilter(traded=True, outcome="held")) == Page()
    within = LogFilter(since_ms=T + 2 * 300_000, until_ms=T + 4 * 300_000)
    assert reasons(read(account.user_id, limit=9, only=within)) == ["2", "1"]


async def test_the_log_is_looked_through_for_words_whatever_they_hold(scene: Scene) -> None:
    account = await trading_account(scene.world)
    said = ["RSI 과매도 구간", 'a "quoted" 100% sure_thing', "the trend turned", ""]
    for number, words in enumerate(said):
        reason = codes.CONFIDENCE_LOW(confidence=Decimal("0.6"), least=Decimal("0.7")) if not words else text(words)
        await scene.world.ledger.plan(account, None, T + number * 300_000, AccountPlan("held", reason))
    logs = [row.t_ms for row in reversed(scene.readings.logs(account.user_id))]

    def found(words: str, *codes_: str) -> list[int]:
        page = scene.readings.logs_page(account.user_id, limit=9, only=LogFilter(words=Words(words, codes_)))
        assert (page.total, page.all_counted) == (len(page.rows), True)
        return [logs.index(row.t_ms) for row in reversed(page.rows)]

    assert found("과매도") == [0]
    assert found('"quoted"') == [1]
    assert found("100%") == [1]
    assert found("e_t") == [1], "no character stands for another"
    assert found("The Trend") == [2]
    assert found("nobody said this") == []
    assert found("nobody said this", "confidence_low") == [3]
    assert scene.readings.logs_page(9_999, limit=9, only=LogFilter(words=Words("trend"))) == Page()
    sentence = LogFilter(words=Words("nobody said this", (), (("a ", "100% sure_"),)))
    assert [str(row.reason) for row in scene.readings.logs_page(account.user_id, limit=9, only=sentence).rows] == said[
        1:2
    ]


async def test_the_analysts_answer_is_looked_through_too(scene: Scene) -> None:
    mine = await scene.person("uid-0001")
    other = await scene.person("uid-0002")
    said = {mine.user_id: "돌파 매수 'break\\out' 100%", other.user_id: '{"reason": "\\ub3cc\\ud30c"}'}
    with scene.world.engine.begin() as connection:
        for user_id, answer in said.items():
            of_user = sa.select(trade_logs.c.cycle_id).where(trade_logs.c.user_id == user_id)
            connection.execute(sa.update(cycles).where(cycles.c.id.in_(of_user)).values(raw_answer=answer))

    def found(user_id: int, words: str) -> int:
        return len(scene.readings.logs_page(user_id, limit=9, only=LogFilter(words=Words(words))).rows)

    for words in ("돌파", "돌파 매수", "'break\\out'", "100%", "매수 'B"):
        assert found(mine.user_id, words) == 1, words
    assert found(other.user_id, "돌파") == 1, "letters a provider spelled by number are letters"
    assert found(other.user_id, "매수") == found(mine.user_id, "reason of uid-0002") == 0
    assert found(mine.user_id, "reason of uid-0001") == 1


@pytest.mark.parametrize("looked", [1, 2, 3, 7, 50])
async def test_a_search_looks_through_so_many_rows_and_goes_on_from_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, looked: int
) -> None:
    monkeypatch.setattr("lib.queries.log_search.LOOKED", looked)
    account = await trading_account(scene.world)
    wanted = (0, 3, 4, 9)
    for number in range(11):
        reason = text("the trend" if number in wanted else "nothing")
        await scene.world.ledger.plan(account, None, T + number * 300_000, AccountPlan("held", reason))
    only, read = LogFilter(words=Words("trend")), scene.readings.logs_page
    pages = [read(account.user_id, limit=2, only=only)]
    while (older := pages[-1].older) is not None:
        pages.append(read(account.user_id, limit=2, only=only, cursor=read_cursor(str(older))))
        assert len(pages) < 20
    numbers = [(row.t_ms - T) // 300_000 for page in pages for row in page.rows]
    assert numbers == sorted(wanted, reverse=True), "each once, however the search is cut"
    back, seen = pages[-1], list[int]()
    while (newer := back.newer) is not None:
        back = read(account.user_id, limit=2, only=only, cursor=read_cursor(str(newer)))
        seen += [(row.t_ms - T) // 300_000 for row in reversed(back.rows)]
        assert len(seen) < 20
    assert set(wanted) - {(row.t_ms - T) // 300_000 for row in pages[-1].rows} <= set(seen)


async def test_counting_stops_where_it_would_read_a_year(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.queries.logs.MOST_COUNTED", 3)
    account = await logged(scene, *["held"] * 4)
    page = scene.readings.logs_page(account.user_id, limit=2)
    assert (page.total, page.all_counted) == (3, False)


async def test_news_are_what_came_after_the_row_last_seen(scene: Scene) -> None:
    account = await logged(scene, *["held"] * 4)
    newest = scene.readings.logs(account.user_id)[0].id
    assert scene.readings.logs(account.user_id, newer_than=newest) == []
    assert [str(row.reason) for row in scene.readings.logs(account.user_id, newer_than=newest - 2)] == ["3", "2"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "older", "older-1", "older-1-", "older--1-2", "older-1-2-3", " older-1-2", "older-1-2\n", "Older-1-2"),
        *("older-123456789012345-1", "older-1-1234567890123456789", "older-\u0661-2", "older-1e3-2", "0 OR 1=1"),
    ],
)
def test_text_that_names_no_place_is_none(text: str) -> None:
    assert read_cursor(text) is None


@given(st.booleans(), st.integers(0, 10**14 - 1), st.integers(0, 10**18 - 1))
def test_a_place_is_read_back_as_it_was_written(older: bool, at_ms: int, row_id: int) -> None:
    cursor = Cursor(older, at_ms, row_id)
    assert read_cursor(str(cursor)) == cursor


async def test_a_page_is_read_from_the_index_and_not_sorted(scene: Scene) -> None:
    account = await logged(scene, *["held", "kept"] * 20)
    asked = asked_of(
        scene, lambda: scene.readings.logs_page(account.user_id, limit=3, cursor=Cursor(True, T + 3_000_000, 9))
    )
    assert "ix_trade_logs_user_id_executed_at" in asked
    kept = LogFilter(outcome="kept")
    by_outcome = asked_of(scene, lambda: scene.readings.logs_page(account.user_id, limit=3, only=kept))
    assert "ix_trade_logs_user_id_outcome_executed_at" in by_outcome
    for plan in (asked, by_outcome):
        assert "TEMP B-TREE" not in plan
        assert "filesort" not in plan


def asked_of(scene: Scene, read: Callable[[], object]) -> str:
    """How the database goes about the statements of *read*."""
    engine, explain = (
        scene.world.engine,
        "EXPLAIN QUERY PLAN" if scene.world.engine.dialect.name == "sqlite" else "EXPLAIN",
    )
    seen: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    read()
    event.remove(engine, "before_cursor_execute", note)
    selects = [(text, values) for text, values in seen if text.startswith("SELECT")]
    with engine.connect() as connection:
        rows = [connection.exec_driver_sql(f"{explain} {text}", values).all() for text, values in selects]
    return " ".join(map(str, rows))


async def test_a_decision_in_full_holds_question_answer_caps_orders_history_and_fills(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    [row] = scene.readings.logs(account.user_id)
    found = scene.readings.log_detail(account.user_id, row.id)
    assert found is not None
    assert (found.prompt, found.model, found.latency_ms) == ("prompt of uid-owner", "test-model", 300)
    assert found.decision is not None
    assert (found.decision["action"], found.decision["stop_loss"]) == ("buy", "0.02")
    assert [(clamp.name, clamp.asked, clamp.allowed) for clamp in found.clamps] == [
        ("leverage: max_leverage", "20", "5")
    ]
    assert [order.state.value for order in found.orders] == ["FILLED"]
    assert [event.to_state for event in found.events] == ["PLANNED", "SUBMITTING", "FILLED"]
    assert [(fill.qty, fill.price) for fill in found.fills] == [(Decimal("0.010"), Decimal(60_000))]


async def test_what_a_fill_cost_is_read_in_every_coin(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    [log] = scene.readings.logs(account.user_id)
    found = scene.readings.log_detail(account.user_id, log.id)
    assert found is not None
    [entry] = found.fills
    assert entry.charges == ()
    charges = (
        Charge("trading", "MNT", Decimal("2.60041"), None),
        Charge("GST", "MNT", Decimal("0.4680738"), Decimal("0.5643")),
    )
    link = found.orders[0].order_link_id
    more = replace(scene.fill(account, "more", "buy", link=link), fee=ZERO, charges=charges)
    before = await scene.world.ledger.books(account.slot)
    assert await scene.world.ledger.record_fills(account.account_id, [more]) == 1
    assert (await scene.world.ledger.books(account.slot)).balance == before.balance
    found = scene.readings.log_detail(account.user_id, log.id)
    assert found is not None
    assert [fill.charges for fill in found.fills] == [(), charges]


async def test_a_log_without_a_question_has_no_prompt(scene: Scene) -> None:
    account = await trading_account(scene.world)
    await scene.world.ledger.plan(account, None, T, AccountPlan("skipped", text("stale")))
    found = scene.readings.log_detail(account.user_id, scene.readings.logs(account.user_id)[0].id)
    assert found is not None
    assert (found.prompt, found.decision, found.orders, found.events, found.fills) == ("", None, (), (), ())


# --- money ------------------------------------------------------------------------------------------------------------


async def test_the_holding_carries_the_lines_of_the_open_entry_and_none_while_flat(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    held = scene.readings.holding(account.user_id)
    assert held is not None
    assert (held.stop_loss, held.take_profit, held.leverage) == (Decimal(58_800), Decimal(63_000), 5)
    await scene.world.ledger.record_fills(account.account_id, [scene.fill(account, "out", "sell", at_ms=T + 9_000)])
    flat = scene.readings.holding(account.user_id)
    assert flat is not None
    assert (flat.position_qty, flat.stop_loss, flat.take_profit) == (ZERO, None, None)


async def test_the_holding_has_the_exchanges_liquidation_price_or_an_estimate(scene: Scene) -> None:
    account, rules = await scene.person("uid-owner"), make.instrument()

    def where() -> Liquidation | None:
        held = scene.readings.holding(account.user_id)
        assert held is not None
        return held.liquidated_at(rules)

    estimate = where()
    assert estimate is not None
    assert not estimate.is_told
    held = scene.readings.holding(account.user_id)
    assert held is not None
    assert held.liquidated_at(None) is None, "nobody knows without the instrument's rules"
    for price in (Decimal("47000.5"), ZERO):
        assert await scene.world.ledger.note_liquidation(account.slot, held.position_qty, price)
        assert where() == Liquidation(price, is_told=True)
    await scene.world.ledger.record_fills(account.account_id, [scene.fill(account, "more", "buy", at_ms=T + 9_000)])
    moved = where()
    assert moved is not None
    assert not moved.is_told


async def test_the_holding_names_the_decision_it_rests_on(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    held = scene.readings.holding(account.user_id)
    assert held is not None
    assert (str(held.thesis), held.log_id) == ("reason of uid-owner", scene.readings.logs(account.user_id)[0].id)
    assert (held.position.leverage, held.position.stop_loss) == (Decimal(5), Decimal(58_800))


async def test_tiles_are_exact_to_the_last_decimal(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    scene.store.append(SYMBOL, "1m", candles(2, price="60123.4", drift="0"))
    tiles = scene.readings.tiles(account.user_id)
    assert tiles is not None
    assert (tiles.balance, tiles.open_pnl, tiles.equity) == (
        Decimal("9999.67"),
        Decimal("1.2340"),
        Decimal("10000.9040"),
    )
    assert (tiles.today, tiles.drawdown, tiles.win_rate) == (Decimal("0.9040"), ZERO, None)
    assert [point.equity for point in tiles.curve] == [Decimal(10_000)]


async def test_today_begins_where_the_loss_limit_does_and_drawdown_with_the_peak(scene: Scene) -> None:
    account = await trading_account(scene.world)
    midnight = T - T % DAY_MS
    for at, equity in ((midnight - 300_000, 12_500), (midnight + 300_000, 10_400), (T, 10_000)):
        await scene.world.ledger.record_equity(EquityPoint(account.account_id, at, Decimal(1), Decimal(equity), ZERO))
    tiles = scene.readings.tiles(account.user_id)
    assert tiles is not None
    assert (tiles.today, tiles.drawdown) == (Decimal(-2_500), Decimal("0.2"))


async def test_open_pnl_without_a_price_is_none_of_the_equity(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    tiles = scene.readings.tiles(account.user_id)
    assert tiles is not None
    assert (tiles.price, tiles.open_pnl, tiles.equity) == (None, ZERO, tiles.balance)


async def test_the_win_rate_counts_finished_round_trips(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    rows = [
        scene.fill(account, "win", "sell", "60100", at_ms=T + 5_000, closed_qty=Decimal("0.010")),
        scene.fill(account, "again", "buy", at_ms=T + 6_000),
        scene.fill(account, "loss", "sell", "59900", at_ms=T + 7_000, closed_qty=Decimal("0.010"), is_stop=True),
    ]
    await scene.world.ledger.record_fills(account.account_id, rows)
    tiles = scene.readings.tiles(account.user_id)
    assert tiles is not None
    assert (tiles.win_rate, tiles.rounds) == (Decimal("0.5"), 2)


async def test_an_order_in_two_fills_is_one_mark_at_its_average(scene: Scene) -> None:
    account = await scene.person("uid-owner")
    parts = [
        replace(scene.fill(account, name, "sell", price, at_ms=T + 9_000, closed_qty=Decimal("0.010")), order_id="stop")
        for name, price in (("a", "59000"), ("b", "58000"))
    ]
    await scene.world.ledger.record_fills(account.account_id, [replace(part, is_stop=True) for part in parts])
    entry, stop = scene.readings.markers(account.user_id, T)
    assert (entry.outcome, entry.price, entry.log_id) == (
        "bought",
        Decimal(60_000),
        scene.readings.logs(account.user_id)[0].id,
    )
    assert (stop.outcome, stop.price, stop.qty, stop.is_stop, stop.log_id) == (
        "closed",
        Decimal(58_500),
        Decimal("0.020"),
        True,
        None,
    )
    assert scene.readings.markers(account.user_id, T + 8_000) == [stop]
    assert scene.readings.markers(account.user_id, T, "BTCUSDT") == [entry, stop]
    assert scene.readings.markers(account.user_id, T, "ETHUSDT") == []


# --- the pulse --------------------------------------------------------------------------------------------------------


async def test_a_pulse_changes_with_what_a_screen_shows_and_only_its_own(scene: Scene) -> None:
    account, other = await scene.person("uid-owner"), await scene.person("uid-other", "sell")
    people, ledger = scene.world.people, scene.world.ledger

    def pulse() -> tuple[object, object]:
        found = scene.readings.pulses([account.user_id, other.user_id, 9_999])
        assert found.keys() == {account.user_id, other.user_id}
        return found[account.user_id], found[other.user_id]

    before = pulse()
    assert pulse() == before
    people.set_auto_trade(account.user_id, False, T)
    switched = pulse()
    people.change_settings(account.user_id, make.settings(max_leverage=3))
    chosen = pulse()
    held = scene.readings.holding(account.user_id)
    assert held is not None
    assert await ledger.note_liquidation(account.slot, held.position_qty, Decimal(50_000))
    noted = pulse()
    await ledger.record_fills(account.account_id, [scene.fill(account, "out", "sell", at_ms=T + 9_000)])
    closed = pulse()
    await ledger.pause(account.account_id, text("the key was revoked"))
    paused = pulse()
    mine = [one for one, _ in (before, switched, chosen, noted, closed, paused)]
    assert all(one != after for one, after in pairwise(mine))
    assert {theirs for _, theirs in (before, switched, chosen, noted, closed, paused)} == {before[1]}
    assert scene.readings.pulses([]) == {}


async def test_a_pulse_tells_of_locks_that_begin_end_or_run_out_and_of_measures_and_decisions(scene: Scene) -> None:
    account, other = await scene.person("uid-owner"), await scene.person("uid-other", "sell")
    ledger, mine = scene.world.ledger, account.account_id

    def pulse(user_id: int) -> object:
        return scene.readings.pulses([user_id])[user_id]

    seen = [pulse(account.user_id)]
    await ledger.lock(mine, "daily_loss", T + 60_000, text("the day's loss"))
    seen.append(pulse(account.user_id))
    await ledger.lock(mine, "cooldown", T + 90_000, text("after a stop"))
    seen.append(pulse(account.user_id))
    assert await ledger.unlock(mine, "cooldown", "an operator")
    seen.append(pulse(account.user_id))
    scene.world.clock.advance_to(T + 60_001)
    seen.append(pulse(account.user_id))
    scene.world.clock.advance_to(T + 304_000)
    seen.append(pulse(account.user_id))
    key = CycleKey("synthetic", SYMBOL, 300, T + 300_000, "x" * 64)
    await ledger.record_cycle(CycleRecord(key, "prompt", "[]", make.analyst_answer()))
    await ledger.plan(account, key, T + 300_000, AccountPlan("held", text("nothing to do")))
    seen.append(pulse(account.user_id))
    await ledger.record_equity(EquityPoint(mine, T + 300_000, Decimal(1), Decimal(1), ZERO))
    seen.append(pulse(account.user_id))
    assert all(one != after for one, after in pairwise(seen))
    theirs = pulse(other.user_id)
    await ledger.lock(mine, "cooldown", T + 900_000, text("after a stop"))
    assert pulse(other.user_id) == theirs
    await ledger.lock(0, "paper:daily_loss", T + 999_000, text("everybody's"))
    assert pulse(account.user_id) != seen[-1]
    assert pulse(other.user_id) != theirs, "the platform's lock is everybody's"


# --- the person, the market -------------------------------------------------------------------------------------------


async def test_a_key_shows_four_characters_and_nothing_sealed(scene: Scene) -> None:
    account = await trading_account(scene.world)
    status = scene.readings.key_status(account.user_id)
    assert status is not None
    assert (status.masked, status.venue, status.pause_reason) == ("••••1234", "paper", NOTHING)
    await scene.world.ledger.pause(account.account_id, text("the key was revoked"))
    paused = scene.readings.key_status(account.user_id)
    assert paused is not None
    assert (paused.pause_reason, paused.trading_enabled) == (text("the key was revoked"), False)
    assert "sealed" not in repr(paused)


async def test_choices_are_those_saved(scene: Scene) -> None:
    account = await trading_account(scene.world)
    scene.world.people.change_settings(account.user_id, make.settings(max_leverage=3, custom_prompt="calm"))
    chosen = scene.readings.settings(account.user_id)
    assert chosen is not None
    assert (chosen.settings.max_leverage, chosen.settings.custom_prompt, chosen.auto_trade) == (3, "calm", True)


def test_the_price_of_a_day_ago_is_known_only_when_the_day_is_whole(scene: Scene) -> None:
    day = candles(1_440)
    scene.store.append(SYMBOL, "1m", day[1:])
    assert scene.readings.price_day_ago(SYMBOL) is None
    scene.store.rebuild(SYMBOL, "1m", day)
    assert scene.readings.price_day_ago(SYMBOL) == day[0].open


def test_candles_end_with_the_forming_one_that_follows(scene: Scene) -> None:
    closed = candles(5)
    scene.store.append(SYMBOL, "1m", closed)
    forming = make.candle(T)
    scene.store.put_forming(SYMBOL, "1m", FormingCandle(forming, T + 1_000))
    assert scene.readings.candles(SYMBOL, "1m", 3) == [*closed[-2:], forming]
    assert scene.readings.candles(SYMBOL, "1m", 10, T - MINUTE_MS) == [closed[-1], forming]
    scene.store.put_forming(SYMBOL, "1m", FormingCandle(make.candle(T + 5 * MINUTE_MS), T))
    assert scene.readings.candles(SYMBOL, "1m", 2) == closed[-2:], "a hole is never shown"


async def test_health_tells_ages_and_says_what_it_does_not_know(scene: Scene) -> None:
    nothing = scene.readings.health(T)
    assert (nothing.candle_age_s, nothing.trader_age_s, nothing.websocket, nothing.analyst) == (None, None, False, "")
    await scene.person("uid-owner")
    scene.store.append(SYMBOL, "1m", candles(2))
    status = {"feed": "synthetic", "symbols": SYMBOL, "websocket_connected": "true"}
    scene.store.set_status({**status, "trader_heartbeat": "2025-10-09T08:55:00Z", "last_cycle": "2025-10-09T08:55:00Z"})
    health = scene.readings.health(T + 7_000)
    assert (health.candle_age_s, health.trader_age_s, health.websocket) == (7, 7, True)
    assert (health.analyst, health.analyst_model, health.last_cycle_ms) == ("decided", "test-model", T)


async def test_a_report_reads_the_books_and_the_hour_each_chose(scene: Scene) -> None:
    engine, person = scene.world.engine, await scene.person("uid-report")
    await scene.exit(person, "sell")
    readings = ReportReadings(engine, scene.store, scene.world.clock)
    [reader] = readings.readers()
    assert (reader.user_id, reader.hour) == (person.user_id, REPORT_HOUR)
    SqlNoticeChoices(engine).choose(person.user_id, TellingChoices(report_hour=0))
    assert [one.hour for one in readings.readers()] == [0]
    day = readings.day(person.user_id, 0)
    assert day is not None
    assert day.trades == 1
    await scene.world.ledger.record_equity(
        EquityPoint(person.account_id, T + 5 * MINUTE_MS, Decimal(10_040), Decimal(10_060), ZERO)
    )
    today = readings.platform_day(T)
    assert today.accounts == 1
    assert today.money == [VenueMoney("paper", 1, Decimal(10_060), Decimal(53))], "what was paid in is no result"
    [model] = today.models
    assert (model.model, model.calls, model.cost) == ("test-model", 1, make.analyst_answer().cost)
    assert today.incidents == []
    with engine.begin() as connection:
        for number in range(2):
            tell(connection, person.user_id, None, Event(EventKind.REPAIRED, text("a"), f"repaired:{number}"))
            tell(connection, number, None, Event(EventKind.SILENT, text("b"), f"silent:{number}"))
    assert readings.platform_day(T).incidents == [(EventKind.REPAIRED, 2), (EventKind.SILENT, 1)]
    late = readings.platform_day(T + 10 * DAY_MS)
    assert (late.money, late.models) == ([VenueMoney("paper", 1, Decimal(10_060), ZERO)], [])
    assert ExposedReadings(engine, scene.store).trading() == 1
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE users SET auto_trade_enabled = 0"))
    assert ExposedReadings(engine, scene.store).trading() == 0
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE users SET is_guest = 1"))
    assert readings.readers() == []
    assert readings.platform_day(T).money == []


# --- what opinions were worth -----------------------------------------------------------------------------------------


async def test_opinions_count_for_the_version_that_ran_at_their_t_and_once(scene: Scene) -> None:
    owner = await scene.person("uid-owner")
    ledger, later = scene.world.ledger, T + 600_000
    actions: tuple[Action, ...] = ("buy", "sell", "hold")
    for group, action in zip("abc", actions, strict=True):
        key = CycleKey("synthetic", SYMBOL, 300, later + ord(group) * 300_000, group * 64)
        said = make.decision(action=action)
        await ledger.record_cycle(CycleRecord(key, "prompt", "[]", make.analyst_answer(said, cost=Decimal("0.2"))))
        await ledger.plan(owner, key, key.t_ms, AccountPlan("held", text("no")))
    waiting = scene.world.scores.unscored(0, 9)
    nets = ("0.01", "-0.004", "0")
    scene.world.scores.keep(
        [replace(of_nothing(one, T), net=Decimal(net)) for one, net in zip(waiting, nets, strict=True)]
    )
    newest, first = scene.readings.version_scores(owner.user_id)
    assert (newest.name, newest.number, first.name) == ("uid-owner", 1, None)
    assert (newest.scored, newest.longs, newest.shorts, newest.holds, newest.decided) == (3, 1, 1, 1, 2)
    assert (newest.sum_net, newest.mean, newest.cost) == (Decimal("0.006"), Decimal("0.002"), Decimal("0.6"))
    assert (first.scored, first.cost, first.unpriced) == (1, Decimal("0.15"), 0), "a half of what the call cost"
    assert scene.readings.version_scores(owner.user_id, since_ms=T + 1) == [newest]
    assert scene.readings.version_scores(owner.user_id, account_id=owner.account_id + 1) == []


async def test_versions_are_compared_by_the_model_that_answered_and_each_answer_once(scene: Scene) -> None:
    owner = await scene.person("uid-owner")
    ledger, later = scene.world.ledger, T + 600_000
    sides: tuple[Action, ...] = ("buy", "sell", "close")
    for group, action in zip("abc", sides, strict=True):
        key = CycleKey("synthetic", SYMBOL, 300, later + ord(group) * 300_000, group * 64)
        answer = make.analyst_answer(make.decision(action=action), cost=Decimal("0.2"), model=f"m{group == 'c'}")
        await ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer))
        await ledger.plan(owner, key, key.t_ms, AccountPlan("held", text("no")))
    mine, until = owner.user_id, later + 10**9
    with scene.world.engine.begin() as connection:  # another strategy of the same name ran from the second on
        connection.execute(sa.insert(strategies).values(id=77, user_id=mine, name="uid-owner", made_ms=T))
        another = {"id": 77, "user_id": mine, "strategy_id": 77, "number": 1, "content": "", "sha256": "7" * 64}
        connection.execute(sa.insert(strategy_versions).values(another))
        began = later + ord("b") * 300_000
        connection.execute(sa.insert(strategy_runs).values(user_id=mine, version_id=77, from_ms=began))
    before = scene.readings.compared_mark(owner.user_id, until)
    waiting = scene.world.scores.unscored(0, 9, BOTH_WAYS)
    two = (Decimal("0.01"), Decimal("-0.012"))
    scene.world.scores.keep_both([BothWays(of_nothing(one, T), *two) for one in waiting])
    assert scene.readings.compared_mark(owner.user_id, until) != before
    found = scene.readings.compared(owner.user_id, until)
    assert found is not None
    newest, second, third, first, *_ = found.answers
    assert {(one.name, one.number) for one in (newest, second, third)} == {("uid-owner", 1)}
    named = [(one.version_id, one.model) for one in (newest, second, third)]
    assert named == [(77, "mTrue"), (77, "mFalse"), (mine, "mFalse")]
    assert first.name is None
    assert [one.side for key in (second, third) for one in found.answers[key]] == [-1, 1]
    assert {(one.long, one.short, one.call) for one in found.answers[second]} == {(*two, Decimal("0.0002"))}
    assert [one.side for one in found.answers[newest]] == [0]
    assert (found.calls[second].count, found.calls[second].usd, found.calls[second].unpriced) == (1, Decimal("0.2"), 0)
    assert found.one_way == 0
    [shadow] = found.answers.keys() - found.traded
    assert (shadow.name, shadow.number, shadow.model) == ("uid-owner", 1, first.model)
    assert [(one.t_ms, one.side) for one in found.answers[shadow]] == [(T, 1)], "a shadow's answer says its side itself"
    young = scene.readings.compared_mark(owner.user_id, later)
    assert young is not None
    assert young.waiting == {newest: 1, second: 1, third: 1}
    assert young.traded == {newest, second, third}
    old = scene.readings.compared(owner.user_id, later)
    assert old is not None
    assert old.answers.keys() == {first, shadow}
    assert scene.readings.compared(owner.user_id, until, owner.account_id + 1) is None
    assert scene.readings.compared_mark(owner.user_id, until, owner.account_id + 1) is None


async def test_a_decision_is_told_its_worth_that_it_waits_or_that_its_candles_are_gone(scene: Scene) -> None:
    owner = await scene.person("uid-owner")
    [log] = scene.readings.logs(owner.user_id)
    found = scene.readings.worth(owner.user_id, log.id)
    assert found is not None
    assert found.score is not None
    assert (found.score.net, found.score.cost, found.beside) == (Decimal(owner.user_id) / 1000, Decimal("0.15"), None)
    key = CycleKey("synthetic", SYMBOL, 300, T + 300_000, "z" * 64)
    await scene.world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", make.analyst_answer()))
    await scene.world.ledger.plan(owner, key, key.t_ms, AccountPlan("held", text("no")))
    newest = scene.readings.logs(owner.user_id)[0].id
    assert scene.readings.worth(owner.user_id, newest) == OpinionWorth(False, None, None)
    scene.world.clock.advance_to(T + 4 * DAY_MS)
    assert scene.readings.worth(owner.user_id, newest) == OpinionWorth(True, None, None)


async def test_a_trade_that_ended_stands_beside_its_opinions_score(scene: Scene) -> None:
    owner = await scene.person("uid-owner")
    await scene.exit(owner, "sell")
    [log] = scene.readings.logs(owner.user_id)
    found = scene.readings.worth(owner.user_id, log.id)
    assert found is not None
    assert found.beside is not None
    assert "by_hand" in found.beside.causes
