"""
The claim with real money over SQL: granted when everything is in order, and by each gate refused; an exit never is.

Each row is written as its own writer writes it; then one thing is taken away.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.real_caps import SqlPreflightBook, SqlRealCaps
from lib.adapters.sql.forms.real_consents import SqlRealConsents
from lib.adapters.sql.ledger.real_money import NEWEST_RUNS, real_facts, take_turn
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import account_symbols, accounts, outbox, users
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps, real_consents
from lib.adapters.sql.tables.safety import authenticators
from lib.adapters.sql.tables.stretches import stretch_marks, stretch_overrides, stretches
from lib.adapters.sql.tables.trading import equity_points, orders
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.analyst_call import CycleRecord
from lib.domain.order import Claim, Order, OrderState
from lib.domain.preflight import READ_CARDS
from lib.domain.real_money import (
    DAY_MS,
    RealCap,
    real_money_refusal,
    standings,
)
from lib.domain.reason import NOTHING, Reason, text
from lib.domain.risk import AccountPlan
from lib.domain.trail import Note, TrailEvent
from lib.queries.real import cap_standing
from tests.adapters.test_sql_locking import claim, wait_for_a_waiter
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, GUARD, HOLDER, cycle_key, signed
from tests.factories import SYMBOL, T, analyst_answer
from tests.worlds.real import ANSWERING, nothing_known, run
from tests.worlds.real_rows import examined, filled, rehearsed

FEED = "bybit"
NOW = T + 4_000


@pytest.fixture
def world(sqlite_engine: sa.Engine) -> Iterator[SqlWorld]:
    made = SqlWorld(sqlite_engine, SteppedClock(NOW))
    yield made
    made.close()


async def ready(world: SqlWorld) -> TraderAccount:
    """A person who has gone the whole way: their account on mainnet."""
    user_id = world.people.add_user("kim@example.test", "hash")
    for venue, uid, balance in (("demo", "77", 10_000), ("mainnet", "1", 100)):
        new = NewAccount(user_id, venue, FEED, uid, SYMBOL, "sealed", "1234", 1, Decimal(balance), 0)  # type: ignore[arg-type]
        world.people.add_account(new)
    world.people.set_auto_trade(user_id, True, T - 300_000)
    with world.engine.connect() as c:
        demo, real = c.scalars(sa.select(accounts.c.id).order_by(accounts.c.id)).all()
    rehearsed(world.engine, user_id, demo, T)
    examined(world.engine, "demo", T - 9 * DAY_MS)
    examined(world.engine, "mainnet", T - 60_000)
    SqlRealCaps(world.engine, world.clock).write(RealCap(1, Decimal(200), 1, Decimal(100_000), "cli:ops"))
    assert SqlRealConsents(world.engine).give(real, Note(user_id, T, TrailEvent.REAL_CONSENTED))
    assert await world.ledger.hold_lease(HOLDER, 30_000)
    return next(account for account in await world.ledger.accounts() if account.venue == "mainnet")


def _filled(account_id: int, user_id: int, number: int, **changes: Any) -> dict[str, Any]:
    return filled(account_id, user_id, number, T, **changes)


async def planned(world: SqlWorld, account: TraderAccount, model: str = ANSWERING, plan: AccountPlan = BUY) -> Order:
    """An entry by what *model* answered."""
    key = cycle_key("a")
    await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", analyst_answer(model=model)))
    return (await world.ledger.plan(account, key, T, plan))[0]


async def claimed(world: SqlWorld, account: TraderAccount, model: str = ANSWERING) -> Claim:
    order = await planned(world, account, model)
    return await world.ledger.claim(order, signed(order, NOW), HOLDER)


def change(world: SqlWorld, *statements: sa.Executable) -> None:
    with world.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


async def test_with_everything_in_order_the_entry_is_claimed(world: SqlWorld) -> None:
    account = await ready(world)
    facts = await world.ledger.real_money(account.slot)
    assert [each.why for each in standings(facts)] == [NOTHING] * 8
    assert (await claimed(world, account)).granted


Taking = Callable[[SqlWorld, TraderAccount], sa.Executable]


def told(world: SqlWorld, account_id: int, at_ms: int = NOW) -> sa.Executable:
    body = {
        "user_id": 1,
        "account_id": account_id,
        "kind": "repaired",
        "body": text("x"),
        "created_at": utc_from_ms(at_ms),
    }
    return sa.insert(outbox).values(body)


TAKEN: dict[str, tuple[Taking, Callable[[Reason], bool]]] = {
    "no rehearsal": (
        lambda w, a: sa.delete(preflight_runs).where(preflight_runs.c.venue == "demo"),
        codes.REAL_CARDS_LACKING.is_of,
    ),
    "a card failed": (
        lambda w, a: sa.update(preflight_runs).where(preflight_runs.c.venue == "demo").values(cards={"clock": True}),
        codes.REAL_CARDS_LACKING.is_of,
    ),
    "another version": (
        lambda w, a: sa.update(preflight_runs).where(preflight_runs.c.venue == "demo").values(version="0.0.9"),
        codes.REAL_CARDS_LACKING.is_of,
    ),
    "a simulator's word": (
        lambda w, a: sa.update(preflight_runs).where(preflight_runs.c.venue == "demo").values(host="127.0.0.1"),
        codes.REAL_CARDS_LACKING.is_of,
    ),
    "books differed": (
        lambda w, a: (
            sa.update(equity_points)
            .where(equity_points.c.t_ms == T - T % DAY_MS - 3 * DAY_MS)
            .values(difference=Decimal("0.01"))
        ),
        codes.REAL_DAYS_LACKING.is_of,
    ),
    "a stop was gone": (lambda w, a: told(w, a.account_id - 1, T - 2 * DAY_MS), codes.REAL_DAYS_LACKING.is_of),
    "no trades": (lambda w, a: sa.update(orders).values(state="REJECTED"), codes.REAL_TRADES_LACKING.is_of),
    "an unknown end": (
        lambda w, a: sa.update(orders).where(orders.c.id == 1).values(state="NEEDS_HUMAN"),
        codes.REAL_REHEARSAL_UNRESOLVED.is_of,
    ),
    "no second factor": (lambda w, a: sa.update(authenticators).values(confirmed=False), codes.REAL_NO_FACTOR.is_of),
    "no preflight": (
        lambda w, a: sa.delete(preflight_runs).where(preflight_runs.c.venue == "mainnet"),
        codes.REAL_PREFLIGHT_LACKING.is_of,
    ),
    "another account's": (
        lambda w, a: sa.update(preflight_runs).where(preflight_runs.c.venue == "mainnet").values(uid="2"),
        codes.REAL_PREFLIGHT_LACKING.is_of,
    ),
    "an old preflight": (
        lambda w, a: sa.update(preflight_runs).values(started_ms=T - 2 * DAY_MS),
        codes.REAL_PREFLIGHT_OLD.is_of,
    ),
    "no canary": (
        lambda w, a: (
            sa.update(preflight_runs)
            .where(preflight_runs.c.venue == "mainnet")
            .values(cards={card.value: True for card in READ_CARDS})
        ),
        codes.REAL_CANARY_LACKING.is_of,
    ),
    "no consent": (lambda w, a: sa.delete(real_consents), codes.REAL_NO_CONSENT.is_of),
    "a withdrawn consent": (lambda w, a: sa.update(real_consents).values(withdrawn_ms=T), codes.REAL_NO_CONSENT.is_of),
    "a consent to an older key": (
        lambda w, a: sa.update(real_consents).values(key_version=0),
        codes.REAL_NO_CONSENT.is_of,
    ),
    "no cap": (lambda w, a: sa.delete(real_caps), codes.REAL_CAP_LACKING.is_of),
    "an old cap": (lambda w, a: sa.update(real_caps).values(written_ms=T - 8 * DAY_MS), codes.REAL_CAP_OVER.is_of),
    "a smaller cap since": (
        lambda w, a: sa.insert(real_caps).values(
            accounts=1, equity=Decimal(99), positions=1, a_day=Decimal(9), who="x", written_ms=NOW
        ),
        codes.REAL_CAP_EQUITY.is_of,
    ),
    "a higher level": (lambda w, a: sa.update(users).values(risk_level="medium"), codes.REAL_LEVEL_TOO_HIGH.is_of),
    "more equity": (
        lambda w, a: sa.insert(equity_points).values(
            account_id=a.account_id, t_ms=T - 300_000, balance=Decimal(9), equity=Decimal(201), difference=Decimal(0)
        ),
        codes.REAL_CAP_EQUITY.is_of,
    ),
    "a day used up": (lambda w, a: sa.update(real_caps).values(a_day=Decimal(1)), codes.REAL_CAP_DAY.is_of),
    "entries before": (
        lambda w, a: sa.insert(orders).values(
            _filled(a.account_id, a.user_id, 9, venue="mainnet", t_ms=T - 300_000, filled_qty=Decimal(2))
        ),
        codes.REAL_CAP_DAY.is_of,
    ),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_an_entry_is_refused_by_the_gate_that_is_closed(world: SqlWorld, name: str) -> None:
    account = await ready(world)
    taking, is_why = TAKEN[name]
    change(world, taking(world, account))
    order = await planned(world, account)
    refused = await world.ledger.claim(order, signed(order, NOW), HOLDER)
    assert not refused.granted
    assert is_why(refused.why), refused.why
    stands = await world.ledger.order_by_link(order.order_link_id)
    assert stands is not None
    assert (stands.state, stands.attempts) == (OrderState.BLOCKED, 0)


GONE = (preflight_runs, real_caps, real_consents, authenticators, stretch_overrides, stretch_marks, stretches)


async def test_nothing_at_all_lets_an_exit_be_refused(world: SqlWorld) -> None:
    account = await ready(world)
    for statement in (sa.delete(table) for table in GONE):
        change(world, statement)
    facts = await world.ledger.real_money(account.slot)
    assert not any(each.is_open for each in standings(facts) if each.gate.value != "clean_days")
    order = await world.ledger.plan_exit(account, T, GUARD)
    assert (await world.ledger.claim(order, signed(order, NOW), HOLDER)).granted


async def test_incidents_on_any_real_account_shrink_the_cap_and_the_third_ends_it(world: SqlWorld) -> None:
    account = await ready(world)
    for count, why in (
        (1, NOTHING),
        (2, codes.REAL_CAP_EQUITY(equity=100, most=50)),
        (3, codes.REAL_INCIDENTS(incidents=3)),
    ):
        change(world, told(world, account.account_id, NOW + count))
        facts = await world.ledger.real_money(account.slot)
        assert (facts.incidents, real_money_refusal(facts)) == (count, why)


async def test_the_operators_room_shows_what_the_claim_counts(world: SqlWorld) -> None:
    """What is left of the cap, why it shrank, and what is in use."""
    account = await ready(world)
    change(world, told(world, account.account_id, NOW + 1), told_of_rehearsal(world, account))
    with world.engine.connect() as connection:
        found = cap_standing(connection, NOW)
        facts = real_facts(connection, account.slot, NOW)
    assert found is not None
    assert facts.cap is not None
    assert len(found.incidents) == facts.incidents == 1
    assert (found.written, found.left) == (facts.cap, facts.cap.after(1))
    assert (found.left.equity, found.left.a_day) == (Decimal(100), Decimal(50_000))
    assert (found.accounts, found.positions, found.opened_today) == (1, 0, Decimal(0))
    assert found.incidents[0].account_id == account.account_id
    change(world, sa.update(real_caps).values(a_day=Decimal(0)))
    with world.engine.connect() as connection:
        assert cap_standing(connection, NOW) is None, "one that cannot be read is none"


def told_of_rehearsal(world: SqlWorld, account: TraderAccount) -> sa.Executable:
    return told(world, account.account_id - 1, NOW)


async def test_a_position_of_the_account_itself_in_another_symbol_uses_the_cap_up(world: SqlWorld) -> None:
    account = await ready(world)
    assert world.people.choose_symbols(account.user_id, (SYMBOL, "ETHUSDT"), NOW)
    here, there = (await world.ledger.accounts())[-1].views
    held = sa.update(account_symbols).where(account_symbols.c.symbol_no == there.symbol_no)
    change(world, held.values(position_qty=Decimal("0.001")))
    assert (await world.ledger.real_money(here.slot)).positions == 1
    assert (await world.ledger.real_money(there.slot)).positions == 0


async def test_another_real_position_or_an_entry_on_its_way_uses_the_cap_up(world: SqlWorld) -> None:
    account = await ready(world)
    other = world.people.add_user("lee@example.test", "hash")
    world.people.add_account(NewAccount(other, "mainnet", FEED, "2", SYMBOL, "sealed", "1", 1, Decimal(5), 0))
    number = account.account_id + 1
    change(
        world,
        sa.update(account_symbols).where(account_symbols.c.account_id == number).values(position_qty=Decimal("0.001")),
    )
    assert (await world.ledger.real_money(account.slot)).positions == 1
    change(
        world, sa.update(account_symbols).where(account_symbols.c.account_id == number).values(position_qty=Decimal(0))
    )
    coming = _filled(number, other, 5, venue="mainnet", state=OrderState.SUBMITTING)
    change(world, sa.insert(orders).values(coming))
    assert codes.REAL_CAP_POSITIONS.is_of((await claimed(world, account)).why)


async def test_an_entry_that_filled_and_is_in_no_books_yet_is_a_position(world: SqlWorld) -> None:
    """Its order has ended and its account's row says flat still: a claim in between must not pass the cap."""
    account = await ready(world)
    other = world.people.add_user("lee@example.test", "hash")
    world.people.add_account(NewAccount(other, "mainnet", FEED, "2", SYMBOL, "sealed", "1", 1, Decimal(5), 0))
    filled = _filled(account.account_id + 1, other, 5, venue="mainnet", filled_qty=Decimal("0.01"), t_ms=T)
    change(world, sa.insert(orders).values(filled))
    assert (await world.ledger.real_money(account.slot)).positions == 1
    assert codes.REAL_CAP_POSITIONS.is_of((await claimed(world, account)).why)


async def test_an_account_that_calls_itself_another_venues_passes_no_other_gates(world: SqlWorld) -> None:
    """The web's database user may write `accounts`, and no order: what was planned for real money is judged as such."""
    account = await ready(world)
    order = await planned(world, account)
    change(world, sa.update(accounts).where(accounts.c.id == account.account_id).values(venue="paper"))
    refused = await world.ledger.claim(order, signed(order, NOW), HOLDER)
    assert not refused.granted
    assert codes.FEED_DOES_NOT_FIT.is_of(refused.why)


@pytest.mark.parametrize("changed", [{"venue": "paper"}, {"user_id": 2}])
async def test_a_rehearsal_is_of_who_traded_it_where_it_was_traded(world: SqlWorld, changed: dict[str, Any]) -> None:
    """The accounts' rows say demo and the person; one order says otherwise."""
    account = await ready(world)
    world.people.add_user("lee@example.test", "hash")
    change(world, sa.update(orders).where(orders.c.id == 1).values(**changed))
    assert codes.REAL_DAYS_LACKING.is_of(real_money_refusal(await world.ledger.real_money(account.slot)))


@pytest.mark.parametrize("venue", ["demo", "mainnet"])
async def test_reading_runs_however_many_hide_no_run_whose_order_cards_passed(world: SqlWorld, venue: Venue) -> None:
    """A preflight by timer writes a reading run a day, and more while somebody looks for a fault."""
    account = await ready(world)
    book = SqlPreflightBook(world.engine)
    for number in range(NEWEST_RUNS + 1):
        book.keep(run(venue, READ_CARDS, started_ms=T - 50_000 + number), "read.json")
    assert real_money_refusal(await world.ledger.real_money(account.slot)) == NOTHING


async def test_a_claim_with_real_money_waits_for_its_turn_before_it_reads_what_is_used_up(world: SqlWorld) -> None:
    account = await ready(world)
    order = await planned(world, account)
    asked: list[str] = []
    sa.event.listen(world.engine, "before_cursor_execute", lambda c, cursor, statement, *rest: asked.append(statement))
    assert (await world.ledger.claim(order, signed(order, NOW), HOLDER)).granted
    reads = [" ".join(said.split()) for said in asked if "real_caps" in said or "preflight_runs" in said]
    assert reads[0].startswith("SELECT real_caps.id FROM real_caps ORDER BY real_caps.id"), reads


async def test_claims_with_real_money_take_turns_by_a_row_that_no_new_cap_replaces() -> None:
    """Had each locked the newest, one that came after a new cap would not wait for one that began before it."""
    seen: list[str] = []

    class Connection:
        def execute(self, query: sa.Select[Any]) -> "Connection":
            seen.append(str(query))
            return self

        def one_or_none(self) -> None: ...

    take_turn(Connection())  # type: ignore[arg-type]
    [turn] = seen
    assert turn.endswith("FOR UPDATE")
    assert "DESC" not in turn


async def test_who_consented_later_waits_for_the_cap_on_accounts(world: SqlWorld) -> None:
    account = await ready(world)
    consented_before(world, account)
    assert (await world.ledger.real_money(account.slot)).rank == 1


def consented_before(world: SqlWorld, account: TraderAccount) -> int:
    """Another person's real account whose consent came first; its number."""
    other = world.people.add_user("lee@example.test", "hash")
    world.people.add_account(NewAccount(other, "mainnet", FEED, "2", SYMBOL, "sealed", "1", 1, Decimal(5), 0))
    number = account.account_id + 1
    key_version = sa.select(accounts.c.key_version).where(accounts.c.id == number).scalar_subquery()
    values = {"id": 0, "user_id": other, "account_id": number, "key_version": key_version, "given_ms": 1}
    change(world, sa.insert(real_consents).values(values))
    return number


UNCOUNTED: dict[str, Callable[[int], sa.Executable]] = {
    "taken back": lambda n: sa.update(real_consents).where(real_consents.c.account_id == n).values(withdrawn_ms=T),
    "an older key's": lambda n: sa.update(accounts).where(accounts.c.id == n).values(key_version=9),
    "another venue's": lambda n: sa.update(accounts).where(accounts.c.id == n).values(venue="demo"),
    "an account no longer used": lambda n: sa.update(accounts).where(accounts.c.id == n).values(active=False),
    "a deleted person's": lambda n: sa.update(users).where(users.c.id == 2).values(deleted_at=utc_from_ms(T)),
    "given again later": lambda n: sa.insert(real_consents).values(
        user_id=2, account_id=n, key_version=1, given_ms=T + 1
    ),
}


@pytest.mark.parametrize("name", UNCOUNTED)
async def test_a_consent_that_opens_nothing_holds_no_place_under_the_cap(world: SqlWorld, name: str) -> None:
    account = await ready(world)
    number = consented_before(world, account)
    change(world, UNCOUNTED[name](number))
    assert (await world.ledger.real_money(account.slot)).rank == 0


CORRUPT = {
    "cards that are a list": ("UPDATE preflight_runs SET cards = '[1]'", {"cards", "preflight", "canary"}),
    "cards that are no JSON": ("UPDATE preflight_runs SET cards = '{' WHERE venue = 'demo'", {"cards"}),
    "a run of no time": ("UPDATE preflight_runs SET started_ms = 'x' WHERE venue <> 'demo'", {"preflight", "canary"}),
    "a cap of words": ("UPDATE real_caps SET equity = 'much'", {"cap"}),
    "a cap that is no number": ("UPDATE real_caps SET a_day = 'NaN'", {"cap"}),
    "a cap without an end": ("UPDATE real_caps SET written_ms = 'soon'", {"cap"}),
    "an equity of words": ("UPDATE accounts SET start_balance = 'x'", {"cap"}),
    "books of words": ("UPDATE equity_points SET difference = 'x' WHERE t_ms % 7 = 0", {"clean_days"}),
}
"""What SQLite lets anybody write, and the gates it closes."""


@pytest.mark.parametrize("name", CORRUPT)
async def test_what_cannot_be_read_is_a_closed_gate_and_no_trouble(world: SqlWorld, name: str) -> None:
    account = await ready(world)
    order = await planned(world, account)
    statement, shut = CORRUPT[name]
    change(world, sa.text(statement))
    facts = await world.ledger.real_money(account.slot)
    assert {each.gate.value for each in standings(facts) if each.why == codes.REAL_UNREADABLE()} == shut
    with world.engine.connect() as connection:
        assert real_facts(connection, account.slot, NOW).unreadable == facts.unreadable
    if name != "an equity of words":  # the claim reads that row for more than the gates
        refused = await world.ledger.claim(order, signed(order, NOW), HOLDER)
        assert (refused.granted, refused.why) == (False, codes.REAL_UNREADABLE())


async def test_a_consent_is_given_by_the_owner_of_the_active_account_alone(world: SqlWorld) -> None:
    account = await ready(world)
    consents = SqlRealConsents(world.engine)
    stranger = world.people.add_user("lee@example.test", "hash")
    assert not consents.give(account.account_id, Note(stranger, T, TrailEvent.REAL_CONSENTED))
    assert consents.withdraw(Note(account.user_id, T, TrailEvent.REAL_WITHDRAWN))
    assert not consents.withdraw(Note(account.user_id, T, TrailEvent.REAL_WITHDRAWN))
    assert codes.REAL_NO_CONSENT.is_of(real_money_refusal(await world.ledger.real_money(account.slot)))


def test_of_an_account_nothing_is_known_of_everything_is_closed() -> None:
    assert not any(each.is_open for each in standings(nothing_known(T)))


async def test_two_entries_with_real_money_never_pass_one_cap_together(world: SqlWorld) -> None:
    """Both are planned; the second claim sees the first one's order, which may still open a position."""
    account = await ready(world)
    assert (await claimed(world, account)).granted
    other: Order = (await world.ledger.open_orders(account.account_id))[0]
    assert other.state is OrderState.SUBMITTING
    facts = await world.ledger.real_money((account.account_id - 1, SYMBOL))
    assert facts.positions == 1


async def test_on_a_real_server_a_claim_with_real_money_waits_until_the_one_before_is_decided(
    server_engine: sa.Engine,
) -> None:
    """The other claim commits an entry on its way meanwhile: the one that waited sees it, and is refused."""
    world = SqlWorld(server_engine, SteppedClock(NOW))
    account = await ready(world)
    other = world.people.add_user("lee@example.test", "hash")
    world.people.add_account(NewAccount(other, "mainnet", FEED, "2", SYMBOL, "sealed", "1", 1, Decimal(5), 0))
    order = await planned(world, account)
    number = account.account_id + 1
    with ThreadPoolExecutor(1) as aside, world.engine.connect() as first, first.begin() as deciding:
        take_turn(first)
        waiting = aside.submit(claim, world, order, signed(order, NOW), world.clock)
        wait_for_a_waiter(world.engine)
        first.execute(sa.insert(orders).values(_filled(number, other, 5, venue="mainnet", state="SUBMITTING")))
        deciding.commit()
        refused = waiting.result()
    assert (refused.granted, codes.REAL_CAP_POSITIONS.is_of(refused.why)) == (False, True)
    world.close()
