"""
What is checked when a healed world has come to rest, and the fingerprint of the whole run.

Rows against the exchange's records both ways, hash chains, final states, books against cash, positions against stops.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from lib.domain.audit_chain import OrderEvent
from lib.domain.candle import MINUTE_MS
from lib.domain.order import TERMINAL, Order, OrderState
from lib.domain.order_rules import ORPHAN
from lib.domain.stored_reason import stored
from lib.simulator.engine.orders import OrderRecord
from tests.chains import chain_problem
from tests.sim.referee import Held, Person

if TYPE_CHECKING:
    from tests.worlds.seeded import World

S = OrderState
RULED_MS = 60_000
"""A rule is followed within two looks of the guardian and one call that was lost."""
NEVER = frozenset({S.ABSENT, S.EXPIRED, S.BLOCKED})


def end_problems(world: "World") -> list[str]:
    """Every promise the ended world breaks."""
    world.advance()
    world.referee.look()
    records = _records(world)
    rows = {(int(row.uid), row.order_link_id): row for row in world.cabinet.rows()}
    problems = list(world.referee.violations)
    for key, row in rows.items():
        problems += [f"{problem} ({row.order_link_id})" for problem in _row_problems(world, row, records.get(key))]
    problems += [
        f"P4 {link}: at the exchange ({r.status}) and no row"
        for (u, link), r in records.items()
        if (u, link) not in rows and not world.referee.people[u].excused
    ]
    for person in world.referee.people.values():
        if not person.excused:
            problems += _account_problems(world, person)
    problems += [f"loop: {trouble}" for trouble in world.loop.troubles]
    return problems


def _records(world: "World") -> dict[tuple[int, str], OrderRecord]:
    found = {}
    for uid, account in world.engine.accounts.items():
        for order in (*world.engine.books.history[uid].closed, *account.orders.values()):
            if order.link_id.startswith("mm"):
                found[uid, order.link_id] = order
    return found


def _row_problems(world: "World", row: Order, record: OrderRecord | None) -> Iterator[str]:
    person = world.referee.people[int(row.uid)]
    if row.state not in TERMINAL:
        if not person.excused:
            yield f"P4 not terminal: {row.state.value}"
        return
    if not (row.state in NEVER and person.excused and world.referee.rolled_back_ms):
        # the one exception: what the database lost, nobody finds without a key
        yield from _truth_problems(row, record)
    events = world.cabinet.events(row)
    if broken := chain_problem(events):
        yield f"P6 chain: {broken}"
    for event, _ in events:
        if event.before in TERMINAL and not (world.referee.rolled_back_ms and _is_adoption(event)):
            yield f"P6 {event.before} became {event.after}: {event.why}"


def _is_adoption(event: OrderEvent) -> bool:
    """An order the database had forgotten, found at the exchange."""
    return event.why == stored(ORPHAN) and event.before in NEVER


def _truth_problems(row: Order, record: OrderRecord | None) -> Iterator[str]:
    if record is None:
        if row.state not in NEVER:
            yield f"P4 booked {row.state.value}, the exchange has nothing"
        return
    wanted = expected_state(record)
    if row.state is not wanted:
        yield f"P4 booked {row.state.value}, the exchange says {wanted}"
    elif row.filled_qty != record.filled:
        yield f"P4 booked {row.filled_qty} filled, the exchange {record.filled}"


def expected_state(record: OrderRecord) -> OrderState | None:
    """What a row of *record* must say; None while the record is open."""
    if record.is_open:
        return None
    if record.status == "Filled":
        return S.FILLED
    if record.filled:
        return S.PARTIAL
    return S.REJECTED if record.status == "Rejected" else S.CANCELLED


def _holds_ours(world: "World", person: Person) -> bool:
    """Whether any of the position is ours: what we bought of a person's short made it smaller and is held nowhere."""
    return any(_holds_ours_in(world, person, here) for here in person.held.values())


def _holds_ours_in(world: "World", person: Person, here: Held) -> bool:
    holding = world.engine.accounts[person.uid].holdings.get(here.symbol)
    return holding is not None and holding.position.qty * here.own > 0


def _account_problems(world: "World", person: Person) -> Iterator[str]:
    if any(here.naked_since is not None for here in person.held.values()):
        yield f"P5 uid {person.uid}: still no stop at the end"
    switches = world.cabinet.switches(person.account_id)
    if (switches.platform.flatten or switches.account.flatten) and _holds_ours(world, person):
        yield f"L3 uid {person.uid}: still holds some of ours"
    for here in person.held.values():
        yield from _rule_problems(world, person, here)
    found = world.cabinet.difference(person.account_id, world.last_t)
    if found:
        yield f"books uid {person.uid}: {found} apart from the exchange"
    was_due = not switches.off and person.off[1] <= world.last_t
    if found is None and was_due and not world.market.has_halted:
        yield f"books uid {person.uid}: not held against the exchange in the last cycle"


def _rule_problems(world: "World", person: Person, here: Held) -> Iterator[str]:
    """What the rules of the entry ask for, long after the world healed."""
    row = world.cabinet.row(here.entry)
    if row is None or not _holds_ours_in(world, person, here):
        return
    rules, held_ms = row.exits, world.now_ms() - here.entered_ms
    # filled beyond its own stop, in its favour: nothing is at risk, so there is no R to trail by
    has_r = (row.avg_price - row.stop_loss) * (1 if row.side == "buy" else -1) > 0
    is_trailed = bool(world.engine.accounts[person.uid].holdings[here.symbol].trailing)
    if rules.trail_r and has_r and held_ms > RULED_MS and not is_trailed:
        yield f"exits uid {person.uid}: no trailing stop stands"
    is_over = rules.time_stop_min and held_ms > rules.time_stop_min * MINUTE_MS + RULED_MS
    if is_over and not world.market.has_halted:
        yield f"exits uid {person.uid}: held {held_ms} ms past its time stop of {rules.time_stop_min} minutes"


def fingerprint(world: "World") -> str:
    """sha256 (hex) over events, accepted orders, rows and money."""
    digest = hashlib.sha256()
    for row in world.cabinet.rows():
        digest.update(repr((row.order_link_id, row.state.value, row.filled_qty, row.signed_ts)).encode())
        for event, its_hash in world.cabinet.events(row):
            digest.update(f"{event.at_ms}{its_hash}".encode())
    digest.update(repr(world.referee.accepted).encode())
    cash: list[Decimal] = [account.cash for account in world.engine.accounts.values()]
    digest.update(repr((cash, sorted(world.trouble.counts.items()))).encode())
    return digest.hexdigest()
