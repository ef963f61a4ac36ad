"""Rows of releases that wrote sentences read as before, in either language; what nobody knows stays as it is."""

import importlib
import re
import tomllib
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st

from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.reason import Reason, text
from lib.domain.stored_reason import parse, stored
from lib.queries.old_events import OLD_WORDS, event_reason
from lib.reason_text import LANGUAGES, said
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import again, submitted
from tests.factories import T
from tests.reasons import reasons

step: Any = importlib.import_module("db.migrations.versions.0012_reasons")
OLD = tomllib.loads(step.TABLE.read_text(encoding="utf-8"))
FILLINGS = {
    "number": "12.5",
    "count": "12",
    "percent": "5.1",
    "share": "0.65",
    "outcome": "bought",
    "state": "rejected",
    "way": "long",
    "fields": "confidence, leverage",
    "locks": "platform: daily_loss, cooldown",
    "venue": "demo",
    "symbol": "BTCUSDT",
    "path": "/v5/order/create",
    "name": "ReadTimeout",
    "who": "cli:kim@desk",
    "moment": "2026-05-01 20:30",
    "text": "not enough balance",
    "why": "the trend holds",
}


def written(sentence: str) -> str:
    """*sentence* of the table as a row of before has it."""
    return re.sub(r"\{\w+:(\w+)\}", lambda place: FILLINGS[place[1]], sentence)


@pytest.mark.parametrize("sentence", OLD)
def test_every_sentence_of_before_has_its_code_and_is_said_in_both_languages(sentence: str) -> None:
    new = step.converted(written(sentence), 10_000)
    read = parse(new)
    assert read.code == OLD[sentence]
    assert stored(read, 10_000) == new
    assert all(said(read, language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("sentence", "now"),
    [
        (
            "today's loss of 5.1 % reached your limit of 5 %",
            codes.DAILY_LOSS(lost=Decimal("0.051"), limit=Decimal("0.05")),
        ),
        ("the close is REJECTED: EC_X", codes.CLOSE_ENDED(state="rejected", why=text("EC_X"))),
        (
            "trend up (not turned: entries are locked: platform: daily_loss, cooldown)",
            codes.NOT_TURNED(reason=text("trend up"), why=codes.ENTRIES_LOCKED(locks="platform: daily_loss, cooldown")),
        ),
        (
            "refused: auto-trading is off (it would have been: bought): 추세가 이어집니다",
            codes.CYCLE_ENDED(
                outcome="refused", why=codes.AUTO_TRADING_OFF_WOULD(outcome="bought", why=text("추세가 이어집니다"))
            ),
        ),
        (
            "maintenance of the exchange until 2026-05-01 20:30 UTC: entries wait",
            codes.MAINTENANCE_UNTIL(until=1_777_667_400_000),
        ),
    ],
)
def test_a_sentence_of_before_says_the_same_as_data(sentence: str, now: Reason) -> None:
    assert parse(step.converted(sentence, 500)) == now


@pytest.mark.parametrize("words", [None, "", "momentum turned: the long is closed", "추세가 이어집니다", "7"])
def test_text_nobody_listed_stays_letter_by_letter(words: str | None) -> None:
    assert step.converted(words, 500) == words


@given(reasons())
def test_what_is_data_already_stays(made: Reason) -> None:
    assert step.converted(stored(made), 10_000) == stored(made)


@given(st.text(max_size=200))
def test_any_text_stays_readable(words: str) -> None:
    assert parse(step.converted(words, 500)) is not None


def test_what_would_not_fit_its_column_stays_a_sentence() -> None:
    long = f"leverage could not be set: {'x' * 460}"
    assert step.converted(long, 500) == long
    assert parse(step.converted(long, 10_000)).code == "leverage_not_set"


@pytest.mark.parametrize("words", OLD_WORDS)
def test_an_event_of_before_is_read_by_its_words_and_never_rewritten(words: str) -> None:
    assert OLD_WORDS[words].name == OLD[words]
    assert event_reason(words) == OLD_WORDS[words]()


def test_any_other_event_is_read_as_it_stands() -> None:
    made = codes.ENTRIES_LOCKED(locks="cooldown")
    assert event_reason(stored(made)) == made
    assert event_reason("entries are locked: cooldown") == text("entries are locked: cooldown")
    assert not event_reason("")


def rows(connection: sa.Connection, table: str, **columns: object) -> None:
    """Write *columns* over every row of *table*, as an older release would have."""
    there = sa.Table(table, sa.MetaData(), autoload_with=connection)
    connection.execute(sa.update(there).values(columns))


async def test_a_database_of_before_reads_in_korean_and_its_chains_still_hold(any_engine: sa.Engine) -> None:
    world = SqlWorld(any_engine, SteppedClock(T + 4_000))
    account, order = await submitted(world)
    await world.ledger.lock(account.account_id, "daily_loss", T + 10**9, text("x"))
    await world.ledger.lock(0, "entries", T + 10**9, text("x"))
    old = "today's loss of 5.1 % reached your limit of 5 %"
    with any_engine.begin() as connection:
        rows(connection, "orders", why="the decision is too old")
        rows(connection, "risk_locks", why=old)
        rows(connection, "platform_locks", why="3 entries on the platform today, its limit is 3")
        rows(connection, "outbox", body=old)
        rows(connection, "accounts", pause_reason="the API key has expired")
        rows(connection, "system_flags", why="an operator stopped trading")
        rows(connection, "trade_logs", reason="the trend holds", error_message="refused: the decision is too old")
        events = list(connection.execute(sa.text("SELECT why, hash FROM order_events ORDER BY id")))
        for _ in range(2):  # again, as after a migration that was cut off
            with Operations.context(MigrationContext.configure(connection)):
                step.upgrade()
    daily_loss = codes.DAILY_LOSS(lost=Decimal("0.051"), limit=Decimal("0.05"))
    assert (await again(world.ledger, order)).why == codes.DECISION_TOO_OLD()
    assert [lock.why for lock in await world.ledger.locks(account.account_id)] == [daily_loss]
    assert [lock.why for lock in await world.ledger.locks(0)] == [codes.PLATFORM_ENTRIES(entries=3, limit=3)]
    assert {body for _, body in world.outbox()} == {daily_loss}
    assert (await world.ledger.flags()).why == codes.STOPPED_BY_OPERATOR()
    log = world.log(account.account_id, T)
    assert (log.reason, log.message.code) == (text("the trend holds"), "cycle_ended")
    with any_engine.begin() as connection:
        assert list(connection.execute(sa.text("SELECT why, hash FROM order_events ORDER BY id"))) == events
    world.close()
