"""A day that is over is sealed once, by version; what its rows say later is a leaf of a later day."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.record_links import SqlRecordLinks
from lib.adapters.sql.tables.records import record_days
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_versions
from lib.adapters.sql.tables.trading import trade_logs
from lib.bootstrap.sealing import Sealer
from lib.clock import SteppedClock
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey, CycleRecord
from lib.domain.books import EquityPoint
from lib.domain.day import DAY_MS
from lib.domain.decision import Decision
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from lib.domain.strategy import Strategy, written
from lib.ports.records import RecordLink
from lib.queries import Readings
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore
from tests.record_files import verifier
from tests.servers import AT_TIMES

MIDNIGHT = T - T % DAY_MS
SENT = sha256(b"prompt").hexdigest()
CHECK = verifier()["check_record"]


class World:
    """A ledger, a sealer and what a person reads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.clock = SteppedClock(MIDNIGHT + 4_000)
        self.ledger_world = SqlWorld(engine, self.clock)
        self.engine = engine
        self.sealer = Sealer(engine, self.clock, rest=lambda _: None)
        self.readings = Readings(engine, MemoryCandleStore(), self.clock)

    async def account(self) -> TraderAccount:
        return await trading_account(self.ledger_world)

    async def decide(self, account: TraderAccount, t_ms: int, equity: str, outcome: str = "held") -> None:
        key = CycleKey("synthetic", SYMBOL, 300, t_ms, "g" * 64)
        said = Decision("hold", Decimal("0.5"), 3, "words", Decimal("0.01"), Decimal("0.02"))
        answer = replace(make.analyst_answer(), decision=said)
        ledger = self.ledger_world.ledger
        await ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer))
        await ledger.plan(account, key, t_ms, AccountPlan(outcome, text("words")))  # type: ignore[arg-type]
        point = EquityPoint(account.account_id, t_ms, Decimal(equity), Decimal(equity), Decimal(0))
        await ledger.record_equity(point)

    def run_version(self, account: TraderAccount, number: int, from_ms: int) -> str:
        content = Strategy(instructions=f"version {number}")
        mine = {"user_id": account.user_id}
        with self.engine.begin() as connection:
            if number == 1:
                connection.execute(sa.insert(strategies).values(mine | {"id": 1, "name": "mine"}))
            version = {
                "id": number,
                "strategy_id": 1,
                "number": number,
                "content": written(content),
                "made_ms": from_ms,
            }
            connection.execute(sa.insert(strategy_versions).values(mine | version | {"sha256": content.sha256}))
            connection.execute(sa.insert(strategy_runs).values(mine | {"version_id": number, "from_ms": from_ms}))
        return content.sha256

    def seal_at(self, at_ms: int) -> int:
        self.clock.advance_to(at_ms)
        return self.sealer.seal()

    def lines(self, account: TraderAccount, record_id: int, *, amounts: bool = True) -> list[bytes]:
        pieces = self.readings.record_file(account.user_id, record_id, amounts=amounts)
        assert pieces is not None
        return b"".join(pieces).splitlines()


@pytest.fixture(params=["sqlite", *AT_TIMES])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(request.getfixturevalue(f"{request.param}_engine"))
    yield made
    made.ledger_world.close()


def leaves(lines: list[bytes]) -> list[dict[str, object]]:
    return [said["leaf"] for said in map(json.loads, lines) if "leaf" in said]


async def test_a_day_is_sealed_once_and_what_rows_say_later_is_a_leaf_of_a_later_day(world: World) -> None:
    account = await world.account()
    await world.decide(account, MIDNIGHT + 300_000, "10000")
    await world.decide(account, MIDNIGHT + 600_000, "10100")
    assert world.seal_at(MIDNIGHT + DAY_MS) == 0, "not before its last decision has been written"
    assert world.seal_at(MIDNIGHT + DAY_MS + 900_000) == 1
    assert world.sealer.seal() == 0
    [record] = world.readings.records(account.user_id)
    assert (record.days, record.leaves, record.decisions, record.number, record.index) == (1, 4, 2, 0, "1.01")
    before = world.lines(account, record.record_id)
    assert CHECK(iter(before), record.head).startswith("OK: version 0")
    with world.engine.begin() as connection:
        changed = sa.update(trade_logs).where(trade_logs.c.t_ms == MIDNIGHT + 300_000)
        connection.execute(changed.values(outcome="failed"))
    assert world.lines(account, record.record_id) == before, "a sealed day stands"
    await world.decide(account, MIDNIGHT + DAY_MS + 300_000, "10100")
    assert world.seal_at(MIDNIGHT + 2 * DAY_MS + 900_000) == 1
    after = world.lines(account, record.record_id)
    assert after[: len(before)] == before
    assert leaves(after)[4] == {
        "kind": "outcome", "t": MIDNIGHT + 300_000, "symbol": SYMBOL, "outcome": "failed",
    }  # fmt: skip
    [now] = world.readings.records(account.user_id)
    assert CHECK(iter(after), now.head).startswith("OK")


async def test_a_leaf_says_what_was_decided_by_what_and_nothing_of_the_person(world: World) -> None:
    account = await world.account()
    await world.decide(account, MIDNIGHT + 300_000, "10000", "unresolved")
    world.seal_at(MIDNIGHT + DAY_MS + 900_000)
    [record] = world.readings.records(account.user_id)
    lines = world.lines(account, record.record_id)
    decision, equity = leaves(lines)
    assert decision["outcome"] is None, "not proved to have ended"
    assert (decision["action"], decision["stop"], decision["sent"]) == ("hold", "0.01", SENT)
    assert len(str(decision["raw"])) == 64
    assert equity.keys() == {"kind", "t", "index", "amounts"}
    assert b"10000" not in b"".join(world.lines(account, record.record_id, amounts=False))
    assert b'"equity":"10000"' in b"".join(lines)
    assert not any(word in b"".join(lines) for word in (b"@", b"account", b"user", b"uid"))


async def test_another_version_is_another_record_whose_index_begins_anew(world: World) -> None:
    account = await world.account()
    first = world.run_version(account, 1, MIDNIGHT)
    await world.decide(account, MIDNIGHT + 300_000, "10000")
    await world.decide(account, MIDNIGHT + 600_000, "11000")
    second = world.run_version(account, 2, MIDNIGHT + 700_000)
    await world.decide(account, MIDNIGHT + 900_000, "22000")
    await world.decide(account, MIDNIGHT + 1_200_000, "11000")
    assert world.seal_at(MIDNIGHT + DAY_MS + 900_000) == 2
    found = {record.sha256: record for record in world.readings.records(account.user_id)}
    assert {sha: (one.number, one.name, one.index, one.leaves) for sha, one in found.items()} == {
        first: (1, "mine", "1.1", 4),
        second: (2, "mine", "0.5", 4),
    }


async def test_one_decision_is_proved_without_the_others(world: World) -> None:
    account = await world.account()
    for place in range(5):
        await world.decide(account, MIDNIGHT + place * 300_000, "10000")
    world.seal_at(MIDNIGHT + DAY_MS + 900_000)
    [record] = world.readings.records(account.user_id)
    told = world.readings.record_proof(account.user_id, record.record_id, MIDNIGHT + 600_000, SYMBOL)
    assert verifier()["check_proof"](json.dumps(told), record.head).startswith("OK: this decision is one of the 10")
    assert world.readings.record_proof(account.user_id, record.record_id, MIDNIGHT + 1, SYMBOL) is None
    assert world.readings.record_proof(0, record.record_id, MIDNIGHT + 600_000, SYMBOL) is None


async def test_a_link_opens_until_it_is_taken_back_and_is_made_by_the_owner_alone(world: World) -> None:
    account = await world.account()
    await world.decide(account, MIDNIGHT, "10000")
    world.seal_at(MIDNIGHT + DAY_MS + 900_000)
    [record] = world.readings.records(account.user_id)
    links, link = SqlRecordLinks(world.engine), RecordLink(record.record_id, "c" * 64, False, False, 1)
    other = world.ledger_world.people.add_user("other@example.test", "hash")
    assert not links.make(other, link, 9)
    assert links.make(account.user_id, link, 1)
    assert not links.make(account.user_id, replace(link, code_sha256="d" * 64), 1), "one link is the most here"
    opened = world.readings.opened_record("c" * 64)
    assert opened is not None
    assert (opened.record_id, opened.named, opened.amounts) == (record.record_id, False, False)
    [line] = world.readings.record_links(account.user_id)
    assert not links.end(other, line.link_id, 2)
    assert links.end(account.user_id, line.link_id, 2)
    assert world.readings.opened_record("c" * 64) is None
    assert world.readings.record_links(account.user_id) == []


async def test_a_sealer_that_was_killed_goes_on_and_two_make_one_row_a_day(world: World) -> None:
    account = await world.account()
    for day in range(3):
        await world.decide(account, MIDNIGHT + day * DAY_MS, "10000")
    world.clock.advance_to(MIDNIGHT + 4 * DAY_MS)
    is_ending = iter((False, False, True))
    assert world.sealer.seal(lambda: next(is_ending, True)) == 1
    assert Sealer(world.engine, world.clock, rest=lambda _: None).seal() == 2
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(record_days)) == 3
    [record] = world.readings.records(account.user_id)
    whole = world.lines(account, record.record_id)
    assert CHECK(iter(whole), record.head).startswith("OK: version 0")
