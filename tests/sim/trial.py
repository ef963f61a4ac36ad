"""One seed tried, and many: what each run found, and their totals on one line."""

import gc
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

from lib.domain.order import parse_link_id
from tests.sim.recovery import percentile
from tests.sim.temper import Temper
from tests.sim.verdict import end_problems, fingerprint
from tests.worlds.seeded import World

COLLECT_EVERY = 16


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one seed; times in ms."""

    seed: int
    sqlite: bool
    problems: tuple[str, ...]
    faults: Counter[str]
    states: Counter[str]
    accepted: int
    entries: int
    tightened: int
    trailed: int
    cycles: int
    worst_naked: int
    worst_undisturbed: int
    worst_all_up: int
    recovered: tuple[int, ...]
    fingerprint: str


def try_seed(seed: int, *, sqlite: bool = False, temper: Temper | None = None) -> Result:
    """Run the world of *seed* (with its own temper, unless told) to its end and judge it."""
    world = World(seed, sqlite=sqlite, temper=temper)
    logging.disable()  # a million lines would be most of the work
    try:
        world.run()
        return judged(world, sqlite=sqlite)
    finally:
        world.close()
        logging.disable(logging.NOTSET)


def judged(world: World, *, sqlite: bool) -> Result:
    """The result of a world that ran."""
    problems = tuple(end_problems(world))
    rows = world.cabinet.rows()
    accepted = [(parse_link_id(link), link) for _, link, _ in world.referee.accepted]
    return Result(
        seed=world.seed,
        sqlite=sqlite,
        problems=problems,
        faults=world.trouble.counts,
        states=Counter(event.after for row in rows for event, _ in world.cabinet.events(row)),
        accepted=len(accepted),
        entries=sum(link is not None and link.leg == "e" for link, _ in accepted),
        tightened=world.referee.tightened,
        trailed=world.referee.trailed,
        cycles=world.shape.cycles + 1,
        worst_naked=world.referee.worst_naked,
        worst_undisturbed=world.referee.worst_undisturbed,
        worst_all_up=world.referee.worst_all_up,
        recovered=tuple(world.recoveries.took_ms),
        fingerprint=fingerprint(world),
    )


@dataclass(slots=True)
class Totals:
    """The sum of many results."""

    seeds: int = 0
    on_sqlite: int = 0
    accepted: int = 0
    entries: int = 0
    tightened: int = 0
    trailed: int = 0
    cycles: int = 0
    worst_naked: int = 0
    worst_undisturbed: int = 0
    worst_all_up: int = 0
    worst_all_up_seed: int | None = None
    recovered: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    violating: list[Result] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.on_sqlite += result.sqlite
        self.accepted += result.accepted
        self.entries += result.entries
        self.tightened += result.tightened
        self.trailed += result.trailed
        self.cycles += result.cycles
        self.worst_naked = max(self.worst_naked, result.worst_naked)
        self.worst_undisturbed = max(self.worst_undisturbed, result.worst_undisturbed)
        if result.worst_all_up > self.worst_all_up:
            self.worst_all_up, self.worst_all_up_seed = result.worst_all_up, result.seed
        self.recovered += result.recovered
        self.faults += result.faults
        self.states += result.states
        if result.problems:
            self.violating.append(result)

    def line(self) -> str:
        """What the command says at the end."""
        wall = time.perf_counter() - self.started
        return (
            f"{self.seeds} seeds ({self.on_sqlite} on SQLite), {self.faults.total()} faults, "
            f"{self.accepted} orders accepted, {self.entries} entries, {self.tightened} stops tightened, "
            f"{self.trailed} trailing, {self.cycles} cycles, {len(self.violating)} violating seeds; "
            f"longest without a stop {self.worst_naked / 1000:.1f} s, beside an "
            f"undisturbed trader {self.worst_undisturbed / 1000:.1f} s, with everything up "
            f"{self.worst_all_up / 1000:.1f} s (seed {self.worst_all_up_seed}); "
            f"{len(self.recovered)} undisturbed restarts, "
            f"every open row ended within {max(self.recovered, default=0) / 1000:.1f} s "
            f"(99 %: {percentile(self.recovered, 0.99) / 1000:.1f} s); took {wall:.0f} s"
        )


def try_many(seeds: Iterable[int], *, jobs: int = 1, sqlite_every: int = 0) -> Iterator[Result]:
    """The results of *seeds* as they come; each *sqlite_every*-th seed (0 = none) runs over SQLite."""
    work = [(seed, bool(sqlite_every) and seed % sqlite_every == 0) for seed in seeds]
    if jobs == 1:
        yield from map(_try, work)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(_try, work, chunksize=25)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@cache
def _settle_in() -> None:
    """What was imported stays: a collection need not look at it."""
    gc.collect()
    gc.freeze()


def _try(work: tuple[int, bool]) -> Result:
    seed, sqlite = work
    _settle_in()
    # worlds are full of cycles: collecting now and then costs a third of collecting all the time
    gc.disable()
    try:
        return try_seed(seed, sqlite=sqlite)
    finally:
        gc.enable()
        if seed % COLLECT_EVERY == 0:
            gc.collect()
