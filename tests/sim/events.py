"""What happens at a time of its own, and not at somebody's port call: people, outages, restores, hosts that freeze."""

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lib.simulator.engine.faults import Fault
from tests.sim.crowd import ACTS, ASKED, CHANGED, CHOSEN, CLOSED, UNTRAILED

if TYPE_CHECKING:
    from tests.worlds.seeded import World

BLOCK_MS = 615_000


def plan_events(world: "World") -> None:
    """Put the seed's events on the loop."""
    rng = world.rng
    if world.shape.has_people:
        for _ in range(rng.randint(1, 5)):
            name, person = (
                rng.choice([name for name in ACTS if name not in ASKED]),
                rng.choice(list(world.referee.people.values())),
            )
            _at_some_time(world, partial(world.crowd.act, name, person))
    if world.shape.has_web:
        for _ in range(rng.randint(1, 4)):
            person = rng.choice(list(world.referee.people.values()))
            name = rng.choice(("ask now", "ask now", "ask now", "flatten asked"))
            _at_some_time(world, partial(world.crowd.act, name, person))
    if rng.random() < 0.12:
        for _ in range(rng.randint(5, 15)):
            _at_some_time(world, lambda: rollback(world))
    for make in EVENTS.values():
        _plan(world, make, 0.12)
    aside = random.Random(f"accounts of {world.seed}")
    if world.shape.has_people and aside.random() < 0.15:
        person = aside.choice(list(world.referee.people.values()))
        _at_some_time(world, partial(world.crowd.act, CHANGED, person), aside)
    closing = random.Random(f"closes of {world.seed}")
    if world.shape.has_web and closing.random() < 0.6:
        for _ in range(closing.randint(1, 4)):
            person = closing.choice(list(world.referee.people.values()))
            _at_some_time(world, partial(world.crowd.act, CLOSED, person), closing)
    trailing = random.Random(f"trailing of {world.seed}")
    ruled = any(one.exits.trail_r for person in world.referee.people.values() for one in person.settings.values())
    if ruled and world.shape.has_people and trailing.random() < 0.5:
        person = trailing.choice(list(world.referee.people.values()))
        _at_some_time(world, partial(world.crowd.act, UNTRAILED, person), trailing)
    choosing = random.Random(f"choices of {world.seed}")
    if world.shape.has_people and choosing.random() < 0.4:
        for person in [one for one in world.referee.people.values() if len(one.symbols) > 1]:
            for _ in range(choosing.randint(1, 2)):
                _at_some_time(world, partial(world.crowd.act, CHOSEN, person), choosing)
    if world.budget is not None:
        for make in BUDGET_EVENTS.values():
            _plan(world, make, 0.4)


def _plan(world: "World", make: Callable[["World"], None], odds: float) -> None:
    if world.rng.random() < odds:
        for _ in range(world.rng.randint(1, 3)):
            _at_some_time(world, partial(make, world))


def _at_some_time(world: "World", act: Callable[[], None], rng: random.Random | None = None) -> None:
    """Mostly shortly after a T, where orders are made."""
    rng = rng or world.rng
    t_ms = world.first_t + rng.randrange(world.shape.cycles) * 300_000
    after = rng.uniform(0, 25) if rng.random() < 0.7 else rng.uniform(-5, 225)
    # not in the very millisecond in which the accounts are opened with the wallet of then: that one is in the wallet
    world.later(max((t_ms - world.start_ms) / 1000 + after, 0.001), act)


def _lasting(world: "World", kind: str, *, excuses: bool = True) -> int:
    """Until when (epoch ms) *kind* lasts; meanwhile nothing is held against the processes, if it *excuses* them."""
    ms = world.rng.choice((3_000, 12_000, 45_000, 120_000))
    until = min(world.now_ms() + ms, world.heal_at)
    world.story(f"{kind} for {(until - world.now_ms()) / 1000} s")
    world.trouble.note(kind)
    for process in world.referee.processes if excuses else ():
        process.disturbed(until - world.now_ms() + 10_000)
    return until


def network_down(world: "World") -> None:
    world.trouble.network_down_until = _lasting(world, "network outage")


def ledger_down(world: "World") -> None:
    world.trouble.ledger_down_until = _lasting(world, "ledger outage")


def candles_down(world: "World") -> None:
    world.trouble.candles_down_until = _lasting(world, "redis outage")


def budget_away(world: "World") -> None:
    """Nobody may enter, but each guardian has a share of its own."""
    if world.budget is not None:
        world.budget.away_until = _lasting(world, "budget away", excuses=False)


def budget_flushed(world: "World") -> None:
    if world.budget is not None:
        world.story("the shared budget is flushed")
        world.trouble.note("budget flushed")
        world.budget.flush()


def maintenance(world: "World") -> None:
    until = _lasting(world, "maintenance")
    world.venue.faults.push(Fault("maintenance", params={"until": until}))


def forgotten(world: "World") -> None:
    world.story("/order/realtime forgets closed orders")
    world.trouble.note("realtime cleared")
    world.venue.faults.push(Fault("clear_closed"))


def venue_clock(world: "World") -> None:
    world.trouble.note("venue clock skew")
    world.venue.faults.push(Fault("clock_skew", params={"ms": world.rng.randint(-700, 700)}))


def rollback(world: "World") -> None:
    """
    The database fails over to a copy that lacks the last commits.

    Never the opening of an account: nobody would know of it until its owner came again.
    """
    back, people = world.cabinet.snapshot(), len(world.referee.people)

    def lose() -> None:
        if len(world.referee.people) != people:
            return
        world.story("the database loses its last commits")
        world.trouble.note("rollback")
        back()
        world.referee.note_lost()

    world.later(world.rng.choice((0.3, 1, 3, 10)), lose)


def kill_one(world: "World") -> None:
    if world.referee.processes:
        world.trouble.note("kill")
        world.rng.choice(world.referee.processes).kill()


def freeze_one(world: "World") -> None:
    if world.referee.processes:
        process = world.rng.choice(world.referee.processes)
        ms = world.trouble.pause_ms(world.now_ms())
        world.story(f"{process.name} frozen for {ms} ms")
        world.trouble.note("freeze")
        process.freeze(ms)


def terminate_one(world: "World") -> None:
    """SIGTERM: the process drains, and another one starts."""
    if world.referee.processes:
        world.trouble.note("terminate")
        world.terminate(world.rng.choice(world.referee.processes))


def address_blocked(world: "World") -> None:
    """HTTP 403: ten minutes of silence, which only a long world outlives."""
    if world.heal_at - world.now_ms() > BLOCK_MS:
        world.trouble.note("address blocked")
        world.story("HTTP 403")
        world.venue.faults.push(Fault("http_403"))
        world.later(2, world.venue.faults.clear)  # one that nobody met would begin too late to end
        for process in world.referee.processes:
            process.disturbed(BLOCK_MS)


EVENTS: dict[str, Callable[["World"], None]] = {
    "network outage": network_down,
    "ledger outage": ledger_down,
    "redis outage": candles_down,
    "maintenance": maintenance,
    "realtime cleared": forgotten,
    "venue clock skew": venue_clock,
    "kill": kill_one,
    "freeze": freeze_one,
    "terminate": terminate_one,
    "address blocked": address_blocked,
}
"""By the name it is counted under."""
BUDGET_EVENTS: dict[str, Callable[["World"], None]] = {"budget away": budget_away, "budget flushed": budget_flushed}
"""The same, where the traders share a request budget."""
