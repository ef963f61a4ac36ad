"""Stretches over SQL: a person asks and overrides, who judges seals and ends, once; and the claim waits for them."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.stretch_book import SqlStretchBook
from lib.adapters.sql.forms.stretches import SqlStretches
from lib.adapters.sql.ledger.stretches import stretches_of
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts, audit_events, outbox
from lib.adapters.sql.tables.stretches import stretch_marks, stretch_overrides, stretches
from lib.adapters.sql.tables.trading import equity_points
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.real_money import real_money_refusal
from lib.domain.reason import NOTHING, Code, Reason, text
from lib.domain.stretch import DAY_MS, Criteria, Step, Stretch, criteria_text
from lib.domain.trail import Note, TrailEvent
from lib.queries.stretches import StretchReadings
from tests.adapters.test_real_money import change, claimed, ready
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, HOLDER, signed
from tests.factories import T
from tests.fakes.market import MemoryCandleStore
from tests.worlds.real import SHOWN

CRITERIA = Criteria("rules", 14, 100, 1)


@pytest.fixture
def world(sqlite_engine: sa.Engine) -> Iterator[SqlWorld]:
    made = SqlWorld(sqlite_engine, SteppedClock(T + 4_000))
    yield made
    made.close()


def note(user_id: int, event: TrailEvent = TrailEvent.STRETCH_ASKED) -> Note:
    return Note(user_id, T, event)


def mine(world: SqlWorld, user_id: int) -> list[Stretch]:
    with world.engine.connect() as connection:
        return stretches_of(connection, user_id, Step.REAL)


async def entry(world: SqlWorld, account: TraderAccount) -> Reason:
    """Why an entry is refused now, `NOTHING` = it is not."""
    return real_money_refusal(await world.ledger.real_money(account.slot))


async def test_what_is_asked_for_waits_for_its_seal_and_is_in_the_trail(world: SqlWorld) -> None:
    account = await ready(world)
    desk, user_id = SqlStretches(world.engine), account.user_id
    assert desk.ask(account.account_id, CRITERIA, note(user_id))
    newest = mine(world, user_id)[0]
    assert (newest.begun_ms, newest.on_real, newest.criteria.tries) == (0, True, 2)
    assert not desk.ask(account.account_id, CRITERIA, note(user_id)), "one of an account at a time"
    assert not desk.ask(account.account_id + 9, CRITERIA, note(user_id))
    book = SqlStretchBook(world.engine)
    [waiting] = book.open()
    book.seal(waiting, T)
    book.seal(waiting, T + 9)
    assert mine(world, user_id)[0].begun_ms == T
    assert mine(world, user_id)[0].is_sealed
    with world.engine.connect() as connection:
        assert TrailEvent.STRETCH_ASKED.value in connection.scalars(sa.select(audit_events.c.event)).all()


async def test_looser_criteria_and_accounts_on_invented_prices_are_refused(world: SqlWorld) -> None:
    account = await ready(world)
    desk = SqlStretches(world.engine)
    assert not desk.ask(account.account_id, replace(CRITERIA, days=13), note(account.user_id))
    change(world, sa.update(accounts).where(accounts.c.id == account.account_id).values(venue="paper"))
    assert not desk.ask(account.account_id, CRITERIA, note(account.user_id))


async def test_the_end_is_written_once(world: SqlWorld) -> None:
    account = await ready(world)
    [one] = mine(world, account.user_id)
    SqlStretchBook(world.engine).end(one, replace(SHOWN, broken=1), T)
    assert mine(world, account.user_id)[0].measured == SHOWN
    assert SqlStretchBook(world.engine).open() == []


async def test_the_claim_waits_for_a_stretch_of_the_version_that_runs(world: SqlWorld) -> None:
    account = await ready(world)
    assert await entry(world, account) == NOTHING
    change(world, sa.update(stretches).values(version_id=7))
    assert await entry(world, account) == codes.REAL_STRETCH_LACKING()
    refused = await claimed(world, account)
    assert (refused.granted, refused.why) == (False, codes.REAL_STRETCH_LACKING())


async def test_an_entry_waits_for_evidence_of_the_model_that_made_its_decision(world: SqlWorld) -> None:
    """A fallback that answered instead is another analyst, whatever the version's own model has shown."""
    account = await ready(world)
    refused = await claimed(world, account, "fallback")
    assert (refused.granted, refused.why) == (False, codes.REAL_STRETCH_MODEL(model="fallback"))


async def test_an_entry_without_a_known_answer_rests_on_no_evidence(world: SqlWorld) -> None:
    account = await ready(world)
    order = (await world.ledger.plan(account, None, T, BUY))[0]
    refused = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (refused.granted, refused.why) == (False, codes.REAL_STRETCH_MODEL(model="?"))


ENDED, BEGUN = (stretch_marks.c.kind == kind for kind in ("ended", "begun"))
OTHER = criteria_text(replace(CRITERIA, model="x"))
TAKEN: dict[str, tuple[sa.Executable, Code]] = {
    "no marks": (sa.delete(stretch_marks), codes.REAL_STRETCH_UNSEALED),
    "not over": (sa.delete(stretch_marks).where(ENDED), codes.REAL_STRETCH_RUNNING),
    "other criteria": (sa.update(stretches).values(criteria=OTHER), codes.REAL_STRETCH_UNSEALED),
    "no criteria": (sa.update(stretches).values(criteria="{}"), codes.REAL_UNREADABLE),
    "no figures": (sa.update(stretch_marks).where(ENDED).values(measured="{}"), codes.REAL_UNREADABLE),
    "another beginning": (
        sa.update(stretch_marks).where(BEGUN).values(at_ms=T - 41 * DAY_MS),
        codes.REAL_STRETCH_UNSEALED,
    ),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_whatever_is_not_as_it_was_closes_the_gate(world: SqlWorld, name: str) -> None:
    account, (taken, code) = await ready(world), TAKEN[name]
    change(world, taken)
    assert code.is_of(await entry(world, account))


async def test_an_override_opens_for_its_person_alone_and_stays(world: SqlWorld) -> None:
    account = await ready(world)
    change(world, sa.delete(stretch_marks).where(stretch_marks.c.kind == "ended"))
    desk, [one] = SqlStretches(world.engine), mine(world, account.user_id)
    other = world.people.add_user("lee@example.test", "hash")
    given = note(other, TrailEvent.STRETCH_OVERRIDDEN)
    assert not desk.override(one.stretch_id, given)
    change(world, sa.insert(stretch_overrides).values(user_id=other, stretch_id=one.stretch_id, given_ms=T))
    assert codes.REAL_STRETCH_RUNNING.is_of(await entry(world, account))
    assert desk.override(one.stretch_id, replace(given, user_id=account.user_id))
    assert await entry(world, account) == NOTHING
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(stretch_overrides)) == 2


async def test_an_unsealed_stretch_cannot_be_overridden(world: SqlWorld) -> None:
    account = await ready(world)
    change(world, sa.delete(stretch_marks))
    [one] = mine(world, account.user_id)
    assert not SqlStretches(world.engine).override(one.stretch_id, note(account.user_id))


async def test_flaws_are_those_of_its_account_and_days(world: SqlWorld) -> None:
    account = await ready(world)
    [one] = mine(world, account.user_id)
    book = SqlStretchBook(world.engine)
    assert book.flaws(one) == (0, 0)
    for kind, at_ms, number in (
        ("repaired", one.begun_ms, one.account_id),
        ("liquidation", one.until_ms - 1, one.account_id),
        ("books", one.begun_ms, one.account_id),
        ("repaired", one.until_ms, one.account_id),
        ("repaired", one.begun_ms, account.account_id),
    ):
        body = {"user_id": 1, "account_id": number, "kind": kind, "body": text("x"), "created_at": utc_from_ms(at_ms)}
        change(world, sa.insert(outbox).values(body))
    point = {"account_id": one.account_id, "balance": Decimal(1), "equity": Decimal(1)}
    for at_ms, difference in ((one.begun_ms, "0.01"), (one.begun_ms + 1, "0"), (one.until_ms, "0.01")):
        change(world, sa.insert(equity_points).values(point | {"t_ms": at_ms, "difference": Decimal(difference)}))
    assert book.flaws(one) == (2, 1)


async def test_who_judges_reads_the_answers_of_its_version_and_nothing_where_that_is_gone(world: SqlWorld) -> None:
    account = await ready(world)
    [one] = mine(world, account.user_id)
    readings = StretchReadings(world.engine, MemoryCandleStore(), world.clock)
    assert list(readings.answers_of(one, one.until_ms)) == []
    assert list(readings.answers_of(replace(one, version_id=99), one.until_ms)) == []


async def test_a_stretch_on_anothers_account_is_none(world: SqlWorld) -> None:
    account = await ready(world)
    other = world.people.add_user("lee@example.test", "hash")
    asked = {"user_id": other, "account_id": account.account_id, "criteria": criteria_text(CRITERIA)}
    change(world, sa.insert(stretches).values(asked))
    assert mine(world, other) == []
    assert SqlStretchBook(world.engine).open() == []
