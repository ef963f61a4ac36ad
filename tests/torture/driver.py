"""
Tells one scenario: brings the world to where its story begins, springs the trap, does what belongs to it, lets the
trader recover by itself, runs one more ordinary cycle, and has the exchange's books judged.

While nothing can happen but waiting, time jumps to the moment something can: the end of a lease, the proof of absence.
The measured times are the deployment's own, so a jump counts as what it stands for.
"""

import asyncio
import os
import signal
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from multiprocessing.process import BaseProcess
from typing import Any

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.tables.people import system_flags
from lib.adapters.sql.tables.trading import orders, stop_moves, trade_logs, trader_lease
from lib.domain.errors import Retry
from lib.domain.order import INDEX_LAG_MS, MAX_AGE_MS, RECV_WINDOW_MS
from lib.domain.switches import Flags
from tests.torture import stores
from tests.torture.cable import Loss
from tests.torture.exits import RULES, STOP, is_trailed, profit_after, take_trailing_away
from tests.torture.failpoints import Deed, Trap
from tests.torture.ground import POLL_S, Ground, ended, eventually, is_frozen
from tests.torture.judge import Judge, is_protected
from tests.torture.scenarios import REQUESTS, Action, Scenario
from tests.worlds.killed import World, built

REACH_S = 30.0
LOOKED_AT = 3
"""Rounds in which a look surely saw a trailing stop stand."""
TAKEN_S = 60.0
"""How long a hand goes on taking a trailing stop away: one call is never made beside another that may arrive."""
SETTLE_S = 60.0
BESIDE_S = 8.0
"""How long the next trader gets beside a frozen one."""
MAY_BE_NAKED_MS = 30_000
IDLE_S = 1.0
COMES_UP_S = 10.0
"""How long a trader that was just started gets to reconcile before time is skipped."""
ASK_S = 0.2
"""The exchange counts who asks it how often, and the trader must not pay for the driver's curiosity."""
ROUND_S = 1.5
"""After a jump, how long what it made due may take."""
ROUND_MS = 5_000
"""A trader looks at its open rows every five seconds, and at its positions every ten."""
CUT_S = 1.2
THROW_S = 1.0
"""How long a switch may take to be thrown beside a frozen trader."""
BETWEEN_CYCLES_MS = 120_000
CATCH_UP_MS = 60_000
"""How long before a T the exchange is asked, after hours were skipped."""
COMES_MS = 3_000
"""How long before its T the world comes to it: the next T lies two seconds ahead at least."""
PROOF_MS = RECV_WINDOW_MS + INDEX_LAG_MS + 300
RESUME_MS = 61_000
"""A cycle that began nowhere within a minute of its T is not begun any more."""
SERVED = ("entry", "flip", "deposit")
"""Stories that a cycle tells: over when it has served everybody."""
SAYS = {"flip": "sell", "deposit": "hold", "tighten": "tighten"}
DEEDS: dict[Action, Deed] = {"kill": "kill", "raise": "raise"}
PAUSES_MS: dict[Action, int] = {"stall": 3_000, "late": 100_000, "dethroned": 31_000, "switchoff": 8_000}
COMMIT = Loss(b"\x03COMMIT", first=b"INSERT INTO order_events")
MOVED = ("tighten", "even", "retrail")
"""Stories that move a stop."""
MOVE_COMMIT = Loss(b"\x03COMMIT", first=b"stop_moves")


@dataclass
class Outcome:
    """How a scenario ended. Times in ms of the deployment's clock, None = there was nothing to time."""

    name: str
    point: str
    action: str
    hits: int = 0
    kills: int = 0
    entries: int = 0
    states: dict[str, int] = field(default_factory=dict)
    terminal_ms: list[int] = field(default_factory=list)
    naked_ms: int | None = None
    stopped_ms: int | None = None
    """From the thrown switch to the proof that everything is closed."""
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    said: str = ""
    """What the traders wrote, when there are problems."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def tell(ground: Ground, scenario: Scenario) -> Outcome:
    """The whole of *scenario*."""
    began = asyncio.get_running_loop().time()
    world = await built(ground)
    telling = Telling(world, scenario)
    try:
        await telling.run()
    except AssertionError as broken:
        telling.outcome.problems.append(str(broken))
    except Exception as bug:  # noqa: BLE001 - a driver that stumbles over one scenario tells the others all the same
        telling.outcome.problems.append(f"the driver: {bug!r}")
    finally:
        ground.net_cable.mend()
        ground.database_cable.mend()
        await telling.let_go()
        telling.outcome.said = world.said() if telling.outcome.problems else ""
        await world.end()
    telling.outcome.seconds = round(asyncio.get_running_loop().time() - began, 2)
    return telling.outcome


class Telling:
    """The scenario under way; *log* is what its traders said, kept for a failure."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario = world, scenario
        self.ground = world.ground
        self.outcome = Outcome(scenario.name, scenario.point, scenario.action)
        self.judge = Judge(world, orphaned=scenario.story == "orphan")
        self._frozen: BaseProcess | None = None
        self._open: dict[int, int] = {}

    async def run(self) -> None:
        """Story, trap, recovery, another cycle, verdict."""
        await self._begin()
        await self._spring()
        await self.settle()
        if await self._attend_late():
            await self.settle()
        await self._last_cycle()
        self.outcome.problems += await self.judge.look()
        self.outcome.entries = self.judge.entries
        for row in self.world.rows(orders):
            self.outcome.states[row["state"]] = self.outcome.states.get(row["state"], 0) + 1
        await self._leave_nothing()

    async def _leave_nothing(self) -> None:
        """Close by hand what is open: at every jump the exchange would have to live through it for all who come."""
        for person in self.world.people:
            position = await self.judge.position(person)
            if Decimal(position["size"]):
                side = "Sell" if position["side"] == "Buy" else "Buy"
                closing = {"side": side, "orderType": "Market", "qty": position["size"], "reduceOnly": True}
                await person.key.post("/v5/order/create", **closing)

    # --- the story ----------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        world, story = self.world, self.scenario.story
        if story in RULES:
            world.let_exit(RULES[story])
        if story == "even":
            await self._earned()
            return
        if story not in ("entry", "trail", "retrail"):
            before = stores.snapshot(world.engine)
            await self._bought()
            if story == "orphan":
                stores.restore(world.engine, before)
                self.ground.warp.jump(20_000)
                return
            if story == "deposit":
                await self._deposit()
            elif story == "tighten":
                world.let_manage()
            elif story != "flip":
                self.ground.warp.jump_to(world.t_ms + BETWEEN_CYCLES_MS)
                await (self._throw(flatten=True) if story == "flatten" else self._strip(refuse=story == "refused"))
                return
        await world.come(SAYS.get(story, "buy"))

    async def _earned(self) -> None:
        """Everybody's position has earned more than half an R, and the trader was not there to see it."""
        profit = profit_after(self.ground.warp.now_ms() + CATCH_UP_MS)
        self.ground.warp.jump_to(profit.t_ms - CATCH_UP_MS)
        await self.judge.position(self.world.people[0])  # answered once the exchange has lived through what was skipped
        self.ground.warp.jump_to(profit.t_ms - COMES_MS)
        await self._bought(profit.action, STOP)
        self.ground.warp.jump_to(profit.at_ms)

    async def _bought(self, action: str = "buy", stop: float = 0.02) -> None:
        """Everybody holds a position with a stop, and the trader has ended."""
        world = self.world
        await world.come(action, stop)
        world.start()
        await eventually("everybody has bought", lambda: world.checked(world.t_ms) and world.is_terminal(), SETTLE_S)
        await world.stop()

    async def _deposit(self) -> None:
        """Money comes from elsewhere."""
        for person in self.world.people:
            wanted = [{"coin": "USDT", "amountStr": "250"}]
            answer = await person.key.post("/v5/account/demo-apply-money", adjustType=0, utaDemoApplyMoney=wanted)
            if answer["retCode"] != 0:
                raise AssertionError(f"no deposit: {answer}")

    async def _strip(self, *, refuse: bool) -> None:
        """Take the stops away."""
        for person in self.world.people:
            answer = await person.key.post("/v5/position/trading-stop", stopLoss="0", tpslMode="Full", positionIdx=0)
            if answer["retCode"] != 0:
                raise AssertionError(f"the stop could not be taken away: {answer}")
        if refuse:
            await self.ground.exchange.post("/sim/faults", {"kind": "refuse_stop", "count": 1_000})

    # --- the trap -----------------------------------------------------------------------------------------------------

    async def _spring(self) -> None:
        world, scenario = self.world, self.scenario
        self._stripped_ms = self.ground.warp.now_ms()
        world.start(Trap(scenario.point, DEEDS.get(scenario.action, "freeze"), scenario.nth))
        if scenario.story == "retrail":
            await self._take_trailing_away()
        if await self._reached(1):
            await self._attend()

    async def _take_trailing_away(self) -> None:
        """Until the trap springs: one that stood too short for a look to see it is not missed."""
        await eventually("everybody's trailing stop stands", self._are_trailed, SETTLE_S)
        give_up, stood = asyncio.get_running_loop().time() + TAKEN_S, Counter[int]()
        while self.world.is_up() and not self.world.was_hit() and asyncio.get_running_loop().time() < give_up:
            await asyncio.sleep(ROUND_S)
            for person in self.world.people:
                position = await self.judge.position(person)
                stood[person.account_id] += 1 if is_trailed(position) else -stood[person.account_id]
                if stood[person.account_id] > LOOKED_AT:
                    await take_trailing_away(self.world, person)
            self.ground.warp.jump(ROUND_MS)

    async def _are_trailed(self) -> bool:
        await asyncio.sleep(ASK_S)
        return all([is_trailed(await self.judge.position(person)) for person in self.world.people])

    async def _attend(self) -> None:
        """The trap has sprung."""
        match self.scenario.action:
            case "kill":
                await self._killed()
            case "raise":
                pass
            case _:
                await self._thawed()

    async def _attend_late(self) -> bool:
        """Whether the trap sprang only while time was being skipped; it is seen to."""
        if self.outcome.hits or not self.world.was_hit():
            return False
        self.outcome.hits = self.world.was_hit()
        if self.scenario.action not in ("kill", "raise"):  # who died is replaced, who raised goes on
            await self._thawed()
        return True

    async def _reached(self, hits: int) -> bool:
        """Whether the trap sprang, before nothing was left to do."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + REACH_S
        while self.world.was_hit() < hits:
            if loop.time() > give_up or not self.world.is_up():
                break
            await asyncio.sleep(POLL_S)
        self.outcome.hits = self.world.was_hit()
        return self.outcome.hits >= hits

    async def _killed(self) -> None:
        """The next one is started at once, and perhaps killed too."""
        await self._replaced(Trap(self.scenario.then, "kill") if self.scenario.then else None)
        if self.scenario.then:
            await self._second()

    async def _second(self) -> None:
        """Until the second trap springs or everything has settled without it."""
        await self.settle(until_hits=2)
        self.outcome.hits = self.world.was_hit()

    async def _replaced(self, trap: Trap | None = None) -> None:
        """What a supervisor does."""
        await eventually("the trader is dead", lambda: not self.world.is_up())
        await self.world.stop()
        self.outcome.kills += 1
        now = self.ground.warp.now_ms()
        self._open = {row["id"]: now for row in self.world.open_rows()}
        self.world.start(trap)

    async def _thawed(self) -> None:
        """While the trader is frozen, do what its action says; then let it go on."""
        process = self.world.trader
        if process is None or process.pid is None:
            return
        pid = process.pid
        await eventually("the trader is frozen", lambda: is_frozen(pid))
        action, throwing = self.scenario.action, None
        self.ground.warp.jump(PAUSES_MS.get(action, 0) if action != "switchoff" else 0)
        match action:
            case "dbcut":
                self.ground.database_cable.cut()
            case "netcut":
                self.ground.net_cable.cut()
            case "commitlost":
                self.ground.database_cable.lose(MOVE_COMMIT if self.scenario.story in MOVED else COMMIT)
            case "replylost":
                self.ground.net_cable.lose(Loss(REQUESTS[self.scenario.point][1]))
            case "switchoff":
                throwing = asyncio.create_task(self._throw(flatten=False))
                # frozen inside a transaction it holds the switch's row: nobody throws it before the trader goes on
                await asyncio.wait((throwing,), timeout=THROW_S)
                self.ground.warp.jump(PAUSES_MS["switchoff"] if throwing.done() else 0)
            case "dethroned":
                self._frozen, self.world.trader = process, None
                self.world.start()
                # frozen inside a transaction, it holds locks that nobody else can take
                await self.settle(give_up_s=BESIDE_S, must=False)
        os.kill(pid, signal.SIGCONT)
        if throwing is not None:
            await throwing
        if action in ("dbcut", "netcut"):
            await asyncio.sleep(CUT_S)
            self.ground.database_cable.mend()
            self.ground.net_cable.mend()

    async def _throw(self, *, flatten: bool) -> None:
        """The operator's switch for everybody."""
        flags, accounts = Flags(trading_enabled=False, flatten=flatten), SqlAccounts(self.world.engine)
        while True:
            try:
                await asyncio.to_thread(accounts.set_flags, flags, "torture")
                break
            except Retry:
                await asyncio.sleep(POLL_S)  # whoever wants everything stopped insists
        self.judge.switched_off_ms = self.ground.warp.now_ms()

    async def let_go(self) -> None:
        """End a trader that was thawed beside another."""
        if self._frozen is not None:
            process, self._frozen = self._frozen, None
            await ended(process, signal.SIGTERM)

    # --- the recovery -------------------------------------------------------------------------------------------------

    async def settle(self, until_hits: int = 0, *, give_up_s: float = SETTLE_S, must: bool = True) -> None:
        """Wait until the story is over, restarting what died, jumping over time in which nothing can happen."""
        loop = asyncio.get_running_loop()
        give_up, since, before, patience = loop.time() + give_up_s, loop.time(), self.world.progress(), IDLE_S
        while not await self._is_over():
            if until_hits and self.world.was_hit() >= until_hits:
                await self._replaced()
                return
            if not self.world.is_up():
                await self._replaced()
            await self._attend_late()
            now = self.world.progress()
            if now != before:
                since, before, patience = loop.time(), now, IDLE_S
            elif loop.time() - since > (patience if self.world.is_ready() else COMES_UP_S):
                self.ground.warp.jump_to(self._next_event())
                since, patience = loop.time(), ROUND_S
            if loop.time() > give_up:
                if must:
                    raise AssertionError(f"never settled: {self._standing()}")
                return
            await asyncio.sleep(POLL_S)
        self._time_open()

    async def _is_over(self) -> bool:
        self._time_open()
        world = self.world
        if not world.is_terminal():
            return False
        if self.scenario.story in SERVED:
            return self._is_told()
        await asyncio.sleep(ASK_S)
        match self.scenario.story:
            case "orphan":
                return await self._adopted()
            case "flatten":
                return await self._stopped()
            case "tighten":
                return self._is_told() and all(row["settled_ms"] for row in world.rows(stop_moves))
            case "even" | "trail" | "retrail":
                return await self._is_ruled()
            case _:
                return await self._protected()

    def _is_told(self) -> bool:
        """Whether the cycle has served everybody, or is begun nowhere any more."""
        return self.world.logged(self.world.t_ms) or self.ground.warp.now_ms() > self.world.t_ms + RESUME_MS

    async def _is_ruled(self) -> bool:
        """Whether every open position has what the rules of its entry ask for, and every move was read back."""
        moves = self.world.rows(stop_moves)
        if not self._is_told() or not all(row["settled_ms"] for row in moves):
            return False
        moved = {row["account_id"] for row in moves}
        for person in self.world.people:
            position = await self.judge.position(person)
            is_ruled = person.account_id in moved if self.scenario.story == "even" else is_trailed(position)
            if Decimal(position["size"]) and not is_ruled:
                return False
        return True

    async def _stopped(self) -> bool:
        """Nothing is held, and the trader has proved it."""
        if not (proven_ms := self.world.rows(system_flags)[0]["proven_ms"]):
            return False
        for person in self.world.people:
            if Decimal((await self.judge.position(person))["size"]):
                self.outcome.problems.append(f"L3: proved stopped while uid {person.uid} holds a position")
        self.outcome.stopped_ms = proven_ms - self.judge.switched_off_ms
        return True

    async def _adopted(self) -> bool:
        seen = [await self.judge.seen(person) for person in self.world.people]
        return sum(len(one.orders) for one in seen) == len(self.world.rows(orders))

    async def _protected(self) -> bool:
        for person in self.world.people:
            if not is_protected(await self.judge.position(person)):
                return False
        if self.outcome.naked_ms is None:
            self.outcome.naked_ms = self.ground.warp.now_ms() - self._stripped_ms
            if self.outcome.naked_ms > MAY_BE_NAKED_MS:
                self.outcome.problems.append(f"P5: without a stop for {self.outcome.naked_ms} ms")
        return True

    def _time_open(self) -> None:
        """Note how long after the restart the rows it found open have ended."""
        still = {row["id"] for row in self.world.open_rows()} if self._open else set()
        for row_id in self._open.keys() - still:
            self.outcome.terminal_ms.append(self.ground.warp.now_ms() - self._open.pop(row_id))

    def _next_event(self) -> int:
        """The moment before which nothing more can happen."""
        now, world = self.ground.warp.now_ms(), self.world
        moments = [now + ROUND_MS, world.t_ms + RESUME_MS + 50]
        if self.scenario.story in SERVED:
            for row in world.open_rows():
                planned = row["state"] == "PLANNED"
                moments.append(row["t_ms"] + MAX_AGE_MS + 500 if planned else row["signed_ts"] + PROOF_MS)
            if self.outcome.kills:  # a dead trader's lease keeps the living one waiting
                leases = [row for row in world.rows(trader_lease) if row["holder"] != world.seated()]
                moments += [row["expires_ms"] + 50 for row in leases]
            later = [moment for moment in moments[1:] if moment > now]
            return min(later, default=moments[0])
        # a jump past the proof would count what it skips as time without a stop
        proofs: list[int] = [row["signed_ts"] + PROOF_MS for row in world.open_rows()]
        return min([moments[0], *(moment for moment in proofs if moment > now)])

    def _standing(self) -> str:
        states = [(row["order_link_id"], row["state"]) for row in self.world.rows(orders)]
        logs = [(row["account_id"], row["t_ms"], row["status"], row["reason"]) for row in self.world.rows(trade_logs)]
        return f"{states} {logs}"

    # --- another day --------------------------------------------------------------------------------------------------

    async def _last_cycle(self) -> None:
        """An ordinary cycle after it all: everybody is served, and the books are what the exchange's are."""
        world = self.world
        await self.let_go()
        await self.ground.exchange.session.delete(f"{self.ground.exchange.url}/sim/faults")
        # one that was only just started may not know yet what SIGTERM asks for; a trap may spring this late
        ends = {0, -signal.SIGTERM} | ({-signal.SIGKILL} if self.scenario.action == "kill" else set())
        if (status := await world.stop()) not in ends:
            raise AssertionError(f"the trader ended with {status}; it last said: {world.said()[-600:]}")
        self.outcome.hits = world.was_hit()
        SqlAccounts(world.engine).set_flags(Flags(trading_enabled=True, flatten=False), "torture")
        await world.come("hold")
        world.start()
        await eventually(
            "everybody is served again", lambda: world.checked(world.t_ms) and world.is_terminal(), SETTLE_S
        )
        if status := await world.stop():
            raise AssertionError(f"the last trader ended with {status}")
