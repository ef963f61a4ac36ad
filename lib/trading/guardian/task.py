"""
The guardian: no position of ours without a stop.

A task of its own, beside the cycles. Every symbol of an account that may hold a position of ours is re-read from the
exchange within 30 s, with few accounts within 10 s; a hint of the account's private stream brings its inspection at
once. Accounts are inspected in parallel, each by one inspection at a time, and no failure of one account delays
another. With the database down, accounts and their stops are remembered. An inspection is
`lib.trading.guardian.inspect`, its time `lib.trading.guardian.schedule`.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field

from lib import log
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry, Skip
from lib.domain.reason import Reason
from lib.ports.exchange import AccountHints
from lib.trading.context import TradingContext, on_each_symbol
from lib.trading.guardian.inspect import inspect_account, may_hold
from lib.trading.guardian.memory import AccountMemory, Finding
from lib.trading.guardian.schedule import Schedule

LOG = log.get("trading.guardian")
ROSTER_MS = 5_000
"""How often the ledger is asked for the accounts to guard."""
CROWDED_MS = 28_000
"""An interval of inspections this long may find a lost stop too late: a person on duty is called."""
BUG_PAUSE_S = 2.0
"""The pause after an unexpected error."""


@dataclass(slots=True)
class Guardian:
    """
    Guards every account that may hold a position of ours, and inspects each other account once: the unbooked position
    of a killed process shows nowhere else. `run` is the task; `run_pass` inspects every account once, for stepped
    clocks.
    """

    context: TradingContext
    hints: AccountHints | None = None
    schedule: Schedule[Slot] = field(init=False)
    memories: dict[Slot, AccountMemory] = field(default_factory=dict)
    """By account and symbol: each position is guarded by itself."""
    looked_ms: int = 0
    """When it last looked who is to be guarded, whether or not it could read that."""
    _unresolved: set[Slot] = field(default_factory=set)
    _hinted: set[Slot] = field(default_factory=set)
    _inspections: set[asyncio.Task[None]] = field(default_factory=set)
    _timers: set[asyncio.Task[None]] = field(default_factory=set)
    _is_ending: bool = False
    _is_ledger_down: bool = False
    _is_crowded: bool = False
    _roster_ms: int = 0

    def __post_init__(self) -> None:
        self.schedule = Schedule(group_of=self._venue_of)

    @property
    def repaired(self) -> int:
        """Stops put back so far."""
        return sum(memory.repaired for memory in self.memories.values())

    @property
    def closed(self) -> int:
        """Positions closed so far."""
        return sum(memory.closed for memory in self.memories.values())

    async def run_pass(self) -> int:
        """Inspect every account that may hold a position of ours, all in parallel; how many positions are open."""
        await self._read_roster()
        now = self.context.steady.now_ms()
        begun = [slot for slot in self._maybe_holding() if self.schedule.begin(slot, now)]
        seen = await asyncio.gather(*(self._inspect(slot) for slot in begun))
        return sum(one.is_open for one in seen)

    async def run(self) -> None:
        """Guard until cancelled; inspections under way are then finished."""
        self._is_ending = False
        self._spawn(self._timers, self._hear_for_ever())
        try:
            await self._inspect_for_ever()
        finally:
            self._is_ending = True
            for timer in self._timers:
                timer.cancel()
            if self._inspections:
                await asyncio.wait(self._inspections)

    # --- by the timetable ---------------------------------------------------------------------------------------------

    async def _inspect_for_ever(self) -> None:
        while True:
            try:
                self._begin_due()
                pause_s = self.schedule.next_ms(self.context.steady.now_ms(), ROSTER_MS) / 1000
            except Exception as bug:  # noqa: BLE001 - positions must stay guarded whatever one round ran into
                LOG.error("guardian.round_failed", bug)
                pause_s = BUG_PAUSE_S
            await self.context.clock.sleep(pause_s)

    def _begin_due(self) -> None:
        if self._is_ending:
            return
        now = self.context.steady.now_ms()
        if now >= self._roster_ms:
            self._roster_ms = now + ROSTER_MS
            self._spawn(self._timers, self._renew())
        for slot in self.schedule.due(now):
            self._spawn(self._inspections, self._inspect_when_due(slot))

    async def _renew(self) -> None:
        """Read the accounts to guard, and follow their private streams."""
        try:
            await self._read_roster()
            if self.hints is not None:
                await self.hints.follow(self._followed())
            self._begin_due()
        except Exception as bug:  # noqa: BLE001 - those who were guarded stay guarded
            LOG.error("guardian.roster_failed", bug)

    async def _inspect_when_due(self, slot: Slot) -> None:
        await self._inspect(slot)
        now = self.context.steady.now_ms()
        if (wait_ms := self.schedule.wait_ms(slot, now)) < ROSTER_MS:
            self._spawn(self._timers, self._later(wait_ms))
        self._begin_due()

    # --- by hints -----------------------------------------------------------------------------------------------------

    async def _hear_for_ever(self) -> None:
        if self.hints is None:
            return
        while True:
            try:
                self.heard(await self.hints.next())
            except Exception as bug:  # noqa: BLE001 - without hints the timetable still comes round
                LOG.error("guardian.hints_failed", bug)
                await self.context.clock.sleep(BUG_PAUSE_S)

    def heard(self, account_id: int) -> None:
        """A hint came for the account, of whichever symbol: inspect it at once, closely."""
        for slot in [slot for slot in self.memories if slot[0] == account_id]:
            self._hinted.add(slot)
            self._spawn(self._timers, self._later(self.schedule.hint(slot, self.context.steady.now_ms())))

    async def _later(self, wait_ms: int) -> None:
        await self.context.clock.sleep(wait_ms / 1000)
        self._begin_due()

    # --- who ----------------------------------------------------------------------------------------------------------

    async def _read_roster(self) -> None:
        self.looked_ms = self.context.clock.now_ms()
        try:
            accounts = await self.context.switches.accounts()
            self._unresolved = {order.slot for order in await self.context.orders.open_orders()}
            moved = await self.context.orders.moved_slots()
            self._is_ledger_down = False
        except Retry as busy:
            if not self._is_ledger_down:
                LOG.alert("guardian.ledger_down", why=str(busy))
            self._is_ledger_down = True
        else:
            self._meet(accounts)
            self._note_moves(moved)
        self.schedule.keep(self._maybe_holding(), self.context.steady.now_ms())
        self._call_when_crowded()

    def _note_moves(self, moved: Collection[Slot]) -> None:
        """The stops in *moved* are to be moved: those that were not known are inspected at once."""
        for slot, memory in self.memories.items():
            if slot in moved and memory.holds and memory.stops.hear():
                self.schedule.hint(slot, self.context.steady.now_ms())

    def _call_when_crowded(self) -> None:
        is_crowded = self.schedule.interval_ms > CROWDED_MS
        if is_crowded and not self._is_crowded:
            LOG.alert("guardian.crowded", interval_ms=self.schedule.interval_ms)
        self._is_crowded = is_crowded

    def _meet(self, accounts: Sequence[TraderAccount]) -> None:
        """
        Take over those of *accounts* that are ours as they are now, on each of their symbols; an account or a symbol
        that is gone is kept as long as it holds a position, an account that is another process's is its to guard.
        """
        owns = self.context.part.owns
        views = on_each_symbol(accounts)
        for account in views:
            if owns(account.account_id):
                self.memories.setdefault(account.slot, AccountMemory(account)).account = account
        known = {account.slot for account in views}
        for slot, memory in list(self.memories.items()):
            if not owns(slot[0]) or (slot not in known and not memory.holds):
                del self.memories[slot]

    def _maybe_holding(self) -> list[Slot]:
        """Where a position of ours is or may be open, or where nobody ever looked."""
        maybe = self._unresolved | self.context.state.unbooked
        return [
            slot
            for slot, memory in self.memories.items()
            if memory.holds
            or memory.account.booked_qty
            or slot in maybe
            or not memory.is_met
            or self._has_entered(memory)
        ]

    def _has_entered(self, memory: AccountMemory) -> bool:
        """Whether an entry may have made a position that the ledger, being down, does not list."""
        entry = self.context.state.newest_entry(memory.account.slot)
        return self._is_ledger_down and entry is not None and may_hold(entry, memory)

    def _followed(self) -> list[TraderAccount]:
        """The accounts whose streams to follow, those that may hold a position first."""
        trading = (slot for slot, memory in self.memories.items() if _trades(memory.account))
        slots = (*self._maybe_holding(), *trading)
        first = {slot[0]: slot for slot in reversed(slots)}  # one stream tells of every symbol
        numbers = dict.fromkeys(slot[0] for slot in slots)
        return [self.memories[first[number]].account for number in numbers]

    def _venue_of(self, slot: Slot) -> str:
        memory = self.memories.get(slot)
        return memory.account.venue if memory is not None else ""

    def meet_anew(self, account_ids: Iterable[int]) -> None:
        """The accounts are ours anew: forget what was known of them, and inspect them at once."""
        anew = set(account_ids)
        self.memories = {slot: memory for slot, memory in self.memories.items() if slot[0] not in anew}
        self._roster_ms = 0
        self._spawn(self._timers, self._renew())

    def is_inspecting(self, account_id: int) -> bool:
        """Whether an inspection of the account is under way, in any symbol."""
        return any(slot[0] == account_id and self.schedule.is_running(slot) for slot in self.memories)

    def held(self) -> list[TraderAccount]:
        """The accounts, on the symbols in which a position of ours was open at the last inspection."""
        return [memory.account for memory in self.memories.values() if memory.holds]

    # --- one look -----------------------------------------------------------------------------------------------------

    async def _inspect(self, slot: Slot) -> Finding:
        """One inspection whose time has come; a failure of it stays the account's own, and its symbol's."""
        memory = self.memories.get(slot)
        seen = Finding()
        try:
            if memory is not None:
                with log.bind(account=slot[0]):
                    seen = await self._inspected(memory)
        finally:
            now = self.context.steady.now_ms()
            if seen.at_once:
                self.schedule.hint(slot, now)
            self.schedule.done(slot, now, soon=seen.soon)
        return seen

    async def _inspected(self, memory: AccountMemory) -> Finding:
        closely = memory.account.slot in self._hinted
        self._hinted.discard(memory.account.slot)
        try:
            seen = await inspect_account(self.context, memory, closely=closely)
            memory.is_met = True
            return seen
        except Pause as held:
            # met, until the owner enters another key; not met, when the owner has entered one meanwhile
            memory.is_met = memory.account.key_version == memory.inspected_as.key_version
            await self._pause(memory, held.why)
        except (Retry, Skip) as held:
            LOG.warning("guardian.unread", why=str(held))
        except Exception as bug:  # noqa: BLE001 - one account's bug must never leave another unguarded
            LOG.error("guardian.failed", bug)
        return Finding(is_open=memory.holds, soon=memory.holds)

    async def _pause(self, memory: AccountMemory, why: Reason) -> None:
        """Pause the account, whose owner is told once; a position that cannot be read is for a person on duty."""
        LOG.warning("guardian.unread", why=why)
        if memory.account.key_version != memory.inspected_as.key_version:
            return  # the refused key is the old one
        if memory.holds and why not in memory.told:
            memory.told.add(why)
            LOG.alert("guardian.blind", why=why)
        if not memory.account.trading_enabled:
            return
        try:
            await self.context.switches.pause(memory.account.account_id, why)
        except Retry as busy:
            LOG.warning("guardian.untold", why=str(busy))

    def _spawn(self, tasks: set[asyncio.Task[None]], work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def _trades(account: TraderAccount) -> bool:
    return account.auto_trade and account.trading_enabled
