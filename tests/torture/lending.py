"""
Leases, loans and calls while their holder dies, sleeps past its lease, raises, or loses a confirmation:
`python -m tests.torture.lending`, or some of it: `--only borrow`.

A trader and two workers share six accounts. One of them meets the trap: as it takes or renews its leases, is called,
borrows, asks the analyst, enters, gives accounts back to one that joins later, or leaves. A leader that is killed is
started again, as a supervisor would. The judge then asks of the exchange and of the database:

- every promise of an order (`tests.torture.judge`), and one entry an account at most;
- every account has its row of T, whoever owned it meanwhile, but those of a process that a bug kept from planning; and
  each is owned once at the end;
- what is lent at T together is within the limit, no loan is longer than T + X + 30 s, and after that whoever asks is
  lent what a deployment without loans would lend;
- each process asked the analyst once at most, and one answer is recorded.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Literal

from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.adapters.sql.tables.workers import account_leases, loans, workers
from lib.domain.order import CYCLE_MS
from lib.domain.worker import Loan, Room, RoomAsk, outstanding
from lib.trading.part import TTL_MS, loan_end_ms
from tests.torture.cable import Loss
from tests.torture.crew import Crew, Service
from tests.torture.failpoints import Deed, Trap
from tests.torture.ground import Ground, ended, eventually, is_frozen, opened
from tests.torture.judge import Judge
from tests.torture.scenarios import both
from tests.worlds.killed import World, built

PEOPLE = 6
CREW = 3
BEFORE_T_MS = 60_000
"""When they start: long enough after the T before it for accounts to change hands."""
LEAVES_MS = 30_000
"""How long before T one is told to leave: in the 15 s before it no account changes hands."""
ASLEEP_S = TTL_MS / 1000 + 4
REACH_S = 20.0
ENTRIES = 9
"""The platform's limit of entries a day: more than all accounts make, less than everybody's loans would be if one who
came back were lent anew."""
COMMIT = b"\x03COMMIT"
LOST = {"hold": b"account_leases", "borrow": b"loans", "return": b"account_leases", "leave": b"account_leases"}
Who = Literal["leader", "early", "late"]
"""*early* owns accounts before *late* joins, and so gives some back."""
Action = Literal["kill", "asleep", "raise", "commitlost"]
DEEDS: dict[Action, Deed] = {"kill": "kill", "raise": "raise"}


@dataclass(frozen=True, slots=True)
class Lent:
    """What one of the crew meets at the *nth* passage of *point*; *back* = it is started again at once."""

    who: Who
    point: str
    action: Action
    nth: int = 1
    back: bool = False

    @property
    def name(self) -> str:
        again = " and comes back" if self.back and self.who != "leader" else ""
        return f"{self.who} {self.point} {self.action}" + (f" at {self.nth}" if self.nth > 1 else "") + again


RENEWAL = 4
"""A passage of `hold` that renews: the first takes."""
TAKING = both("hold")
CYCLE = both("borrow", "plan", "claim", "send")
LEADING = both("lease", "call", "analyst", "answer", "borrow")
ASKING = ("call.before", "analyst.after", "answer.before", "borrow.after")
SLEEPS = ("borrow.before", "borrow.after", "plan.after", "claim.before", "claim.after", "send.before")


def every() -> list[Lent]:
    """All of them, always in this order."""
    return [
        *(Lent("late", point, "kill") for point in CYCLE),
        *(Lent("late", point, "kill", back=True) for point in (*TAKING, *both("borrow"))),
        *(Lent("late", point, "kill", RENEWAL) for point in TAKING),
        *(Lent("early", point, "kill") for point in both("return", "leave")),
        *(Lent("leader", point, "kill", back=True) for point in LEADING),
        *(Lent("leader", point, "kill", RENEWAL, back=True) for point in TAKING),
        *(Lent("late", point, "asleep") for point in SLEEPS),
        *(Lent("late", point, "asleep", RENEWAL) for point in TAKING),
        *(Lent("early", point, "asleep") for point in both("return")),
        *(Lent("leader", point, "asleep") for point in ASKING),
        *(Lent("late", point, "raise") for point in both("borrow")),
        *(Lent("late", point, "raise", RENEWAL) for point in TAKING),
        *(Lent("late", point, "commitlost") for point in ("hold.before", "borrow.before")),
        *(Lent("early", point, "commitlost") for point in ("return.before", "leave.before")),
    ]


@dataclass
class Ending:
    """How a scenario ended."""

    name: str
    hits: int = 0
    kills: int = 0
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Lending:
    """One scenario under way."""

    def __init__(self, world: World, scenario: Lent) -> None:
        self.world, self.scenario = world, scenario
        self.crew, self.warp = Crew(world), world.ground.warp
        self.ending = Ending(scenario.name)
        self.victim = -1

    async def run(self) -> None:
        """Start the crew, spring the trap where it stands, let them serve T, and judge."""
        world, early = self.world, self.scenario.who == "early"
        self.warp.jump_to(world.t_ms - BEFORE_T_MS)
        attending = asyncio.create_task(self._attend())
        try:
            self._start("leader", "trader")
            self._start("early", "worker")
            await self.crew.until("two live", lambda: self._lives(2) or world.was_hit())
            if early and not self._is("leave"):
                await self._shared()
            self._start("late", "worker")
            await self.crew.until("three live", lambda: self._lives(CREW) or world.was_hit())
            await self._shared()
            await self._come(attending)
            await self.crew.until("everybody is served", lambda: self._is_served() and world.is_terminal())
        finally:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)
            self._wake()
        await self._judged()

    def _is_served(self) -> bool:
        """Whether every account has its row of T; a bug before anything was planned takes T from its own process's."""
        world = self.world
        if world.logged(world.t_ms):
            return True
        served = {row["account_id"] for row in world.rows(trade_logs) if row["t_ms"] == world.t_ms}
        missed = [row["holder"] for row in world.rows(account_leases) if row["account_id"] not in served]
        is_bug = self.scenario.action == "raise" and self._is("borrow") and bool(world.was_hit())
        return is_bug and len(set(missed)) == 1 and len(missed) <= PEOPLE // CREW

    def _is(self, word: str) -> bool:
        return self.scenario.point.startswith(word)

    def _start(self, who: Who, service: Service) -> None:
        mine = who == self.scenario.who
        trap = Trap(self.scenario.point, DEEDS.get(self.scenario.action, "freeze"), self.scenario.nth)
        number = self.crew.start(service, trap if mine else None)
        self.victim = number if mine else self.victim

    def _lives(self, most: int) -> bool:
        return sum(bool(row["holder"]) for row in self.world.rows(workers)) >= most

    async def _shared(self) -> None:
        """Until every account is somebody's and nobody has too many, or the time for it is over."""
        await self.crew.skip_to(self.world.t_ms - LEAVES_MS, self._is_fair)

    def _is_fair(self) -> bool:
        shares = self.crew.shares()
        most = -(-PEOPLE // max(self.crew.awake(), 1))
        return shares.total() == PEOPLE and max(shares.values()) <= most and len(shares) == self.crew.awake()

    async def _come(self, attending: "asyncio.Task[None]") -> None:
        """T, once what happens before it has happened."""
        if self._is("leave"):
            process = self.crew.processes[self.victim]
            if process.pid is not None:
                os.kill(process.pid, signal.SIGTERM)
            await asyncio.wait((attending,), timeout=REACH_S)
        await self.crew.skip_to(self.world.t_ms)
        await self.world.store_candles(self.world.t_ms)

    # --- the trap -----------------------------------------------------------------------------------------------------

    async def _attend(self) -> None:
        """Once the trap springs: what its action says."""
        while not self.world.was_hit():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        self.ending.hits = 1
        process = self.crew.processes[self.victim]
        if self.scenario.action in ("asleep", "commitlost") and process.pid is not None:
            await eventually("it is frozen", partial(is_frozen, process.pid))
        match self.scenario.action:
            case "kill":
                await eventually("it is dead", lambda: not process.is_alive())
                self.ending.kills += 1
                if self.scenario.back:
                    service: Service = "trader" if self.scenario.who == "leader" else "worker"
                    self.crew.start(service, seat=self.victim)
            case "asleep":
                self.crew.asleep.add(self.victim)
                await asyncio.sleep(ASLEEP_S)
                self._wake()
            case "commitlost":
                self.world.ground.database_cable.lose(Loss(COMMIT, first=LOST[self.scenario.point.partition(".")[0]]))
                self._continue()

    def _wake(self) -> None:
        if self.victim in self.crew.asleep:
            self._continue()
            self.crew.asleep.discard(self.victim)

    def _continue(self) -> None:
        pid = self.crew.processes[self.victim].pid
        if pid is not None:
            os.kill(pid, signal.SIGCONT)

    # --- the verdict --------------------------------------------------------------------------------------------------

    async def _judged(self) -> None:
        world, problems = self.world, self.ending.problems
        self.ending.hits = world.was_hit()
        self.ending.asked = world.ground.views.asked
        judge = Judge(world)
        problems += await judge.look()
        if judge.entries > PEOPLE:
            problems.append(f"{judge.entries} entries of {PEOPLE} accounts")
        self.ending.outcomes = outcomes(world)
        await self.crew.until("every account is somebody's", lambda: self.crew.shares().total() == PEOPLE)
        if len(self.crew.shares()) > self.crew.awake():
            problems.append(f"accounts of one who is gone: {self.crew.shares()}")
        if self.ending.asked > len(self.crew.processes):
            problems.append(f"{self.ending.asked} questions by {len(self.crew.processes)} processes")
        if (recorded := sum(row["t_ms"] == world.t_ms for row in world.rows(cycles))) != 1:
            problems.append(f"{recorded} answers of one group are recorded")
        problems += lent_too_much(world)
        problems += await self._outlived()

    async def _outlived(self) -> list[str]:
        """Whether a loan still stands when nothing can be claimed under it any more."""
        end = loan_end_ms(self.world.t_ms)
        problems = [f"a loan stands until {row['until_ms'] - end} ms past its end" for row in self.world.rows(loans)
                    if row["until_ms"] > end]  # fmt: skip
        self.warp.jump_to(end + 1)
        await self.crew.until("all who live are heard of", partial(self.crew.are_heard_since, end + 1))
        ledger = SqlLedger(self.world.engine, installation=self.world.installation)
        now = self.warp.now_ms()
        room = await ledger.borrow(RoomAsk("paper", "the judge", now, now + 1, 700, Decimal(700)), TTL_MS)
        if room.entries != 700 // (self.crew.awake() + 1):
            problems.append(f"{room.entries} of 700 are lent beside {self.crew.awake()} without a loan")
        return problems


def outcomes(world: World) -> Counter[str]:
    """What became of the accounts at T."""
    return Counter(row["outcome"] for row in world.rows(trade_logs) if row["t_ms"] == world.t_ms)


def lent_too_much(world: World) -> list[str]:
    """Whether all loans of T together are more than the limit leaves."""
    theirs: dict[tuple[str, str], list[Loan]] = defaultdict(list)
    for row in world.rows(loans):
        made = Room(row["made_entries"], row["made_exposure"])
        room = Room(row["entries"], row["exposure"])
        theirs[row["pool"], row["holder"]].append(Loan(row["pool"], row["holder"], room, row["until_ms"], made))
    most = Counter[str]()
    for (pool, _), mine in theirs.items():
        most[pool] += outstanding(mine).entries
    return [f"{pool}: {entries} entries are lent of {ENTRIES}" for pool, entries in most.items() if entries > ENTRIES]


async def told(ground: Ground, scenario: Lent) -> Ending:
    """The whole of *scenario*."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    world = await built(ground, people=PEOPLE)
    world.env["PLATFORM_ENTRIES_PER_DAY"] = str(ENTRIES)
    world.t_ms = ground.warp.now_ms() // CYCLE_MS * CYCLE_MS + 2 * CYCLE_MS
    ground.views.action, ground.views.asked = "buy", 0
    lending = Lending(world, scenario)
    try:
        await lending.run()
    except AssertionError as broken:
        lending.ending.problems.append(str(broken))
    except Exception as bug:  # noqa: BLE001 - who stumbles over one scenario tells the others all the same
        lending.ending.problems.append(f"the driver: {bug!r}")
    finally:
        ground.database_cable.mend()
        for process in lending.crew.processes:
            await ended(process, signal.SIGKILL)
        await world.end()
    lending.ending.hits = max(lending.ending.hits, world.was_hit())
    lending.ending.seconds = loop.time() - began
    return lending.ending


async def tortured(scenarios: Iterable[Lent]) -> list[Ending]:
    """Tell them one after the other."""
    endings = []
    async with opened() as ground:
        for scenario in scenarios:
            ending = await told(ground, scenario)
            endings.append(ending)
            _say(f"{ending.seconds:5.1f} s  {'  ' if ending.hits else '- '}{ending.name}: {_counted(ending.outcomes)}")
            for problem in ending.problems:
                _say(f"         BROKEN {problem}")
    return endings


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def lines(endings: Sequence[Ending]) -> list[str]:
    """The summary as a person reads it."""
    became = sum((one.outcomes for one in endings), Counter[str]())
    asked = Counter(str(one.asked) for one in endings)
    problems = [f"{one.name}: {problem}" for one in endings for problem in one.problems]
    return [
        f"scenarios {len(endings)}, of them hit {sum(bool(one.hits) for one in endings)}, "
        f"kills {sum(one.kills for one in endings)}; accounts at T: {_counted(became)}",
        f"questions a T → scenarios: {_counted(asked)}",
        f"violations {len(problems)}",
        *problems,
    ]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run as told on the command line; the exit status."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", default="", help="scenarios whose name holds these words, or (comma) these")
    asked = words.parse_args()
    chosen = [one for one in every() if any(part in one.name for part in asked.only.split(","))]
    endings = asyncio.run(tortured(chosen))
    for line in lines(endings):
        _say(line)
    return int(any(one.problems or not one.hits for one in endings))


if __name__ == "__main__":
    raise SystemExit(main())
