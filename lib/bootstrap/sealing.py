"""
Records, wired: days that are over are sealed, in the notifier's process, which places no order and holds no key.

A day is read and hashed in a reading of its own, then written as one short row, and the sealer rests several times as
long as that took: whoever trades never waits for it. Killed anywhere, the next pass seals what is not sealed; two
sealers make one row a day. What a decision's row says later changes no sealed leaf: an outcome that comes or changes
within `LATE_DAYS` is a leaf of the day that is sealed next, and so is a decision that was written late.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.records import days, sources
from lib.adapters.sql.records.days import SealedDay
from lib.adapters.sql.records.sources import Kept, Run
from lib.clock import Clock
from lib.domain import record as law
from lib.domain.day import DAY_MS
from lib.domain.errors import Retry
from lib.domain.record import Decided, Entry, Money, Value

EVERY_S = 600.0
IDLE = 4
"""How many times as long as a day took the sealer then rests."""
_log = log.get("records")
Known = dict[tuple[int, str], Value]


@dataclass(slots=True)
class _Day:
    """What of a day belongs to one record, while it is gathered."""

    run: Run
    entries: list[Entry] = field(default_factory=list)
    money: list[tuple[Money | None, Money]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Every account's days; *rest* sleeps so many seconds, *salt* is 128 random bits, as text."""

    engine: sa.Engine
    clock: Clock
    rest: Callable[[float], None] = time.sleep
    salt: Callable[[], str] = lambda: secrets.token_hex(16)

    async def run(self, stop: asyncio.Event) -> None:
        """Seal what is over, every ten minutes, until *stop*."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.seal, stop.is_set)
            except Retry as away:
                _log.warning("records.not_sealed", why=str(away))
            except Exception as mistake:  # noqa: BLE001 - a record that cannot be sealed is no reason to tell nobody anything
                _log.error("records.failed", mistake)
            try:
                await asyncio.wait_for(stop.wait(), EVERY_S)
            except TimeoutError:
                continue

    def seal(self, is_ending: Callable[[], bool] = lambda: False) -> int:
        """Seal every day that is over; how many there were."""
        return sum(
            self._seal_account(kept, is_ending)
            for kept in transact(self.engine, sources.kept_accounts, readonly=True)
            if not is_ending()
        )

    def _seal_account(self, kept: Kept, is_ending: Callable[[], bool]) -> int:
        count, newest = 0, kept.newest
        known: Known | None = None
        while (day := self._due(kept, newest)) is not None and not is_ending():
            began = time.monotonic()
            if known is None:
                known = self._known(kept, day)
            made = self._made(kept, day, known)
            for run, sealed in made:
                count += self._keep(kept, run, sealed)
            newest = day
            self.rest(IDLE * (time.monotonic() - began))
        return count

    def _due(self, kept: Kept, newest: int) -> int | None:
        day = transact(self.engine, lambda c: sources.day_with_rows(c, kept.account_id, newest), readonly=True)
        return day if day is not None and law.is_over(day, self.clock.now_ms()) else None

    def _known(self, kept: Kept, day: int) -> Known:
        first = day - law.LATE_DAYS
        return transact(self.engine, lambda c: days.sealed_outcomes(c, kept.account_id, first), readonly=True)

    def _keep(self, kept: Kept, run: Run, sealed: SealedDay) -> bool:
        return transact(self.engine, lambda c: days.keep_day(c, kept, run, sealed))

    def _made(self, kept: Kept, day: int, known: Known) -> list[tuple[Run, SealedDay]]:
        """The sealed days of each version that has a leaf in *day*; *known* learns their outcomes."""
        return transact(self.engine, lambda c: list(self._sealed(c, kept, day, known)), readonly=True)

    def _sealed(self, connection: sa.Connection, kept: Kept, day: int, known: Known) -> Iterator[tuple[Run, SealedDay]]:
        for part in _gathered(connection, kept, day, known).values():
            before = days.newest_of(connection, kept.account_id, part.run.version_id)
            index = Decimal(before.closing) if before and before.closing else Decimal(1)
            closing = before.closing if before else ""
            for earlier, now in part.money:
                index = law.next_index(index, earlier, now)
                closing = law.text_of(index)
                part.entries.append(law.equity_entry(now, index, self.salt()))
            part.entries.sort(key=lambda entry: entry.key)
            head = before.seal.head if before else part.run.version.genesis
            seal = law.sealed(head, law.day_named(day), [entry.leaf for entry in part.entries])
            decisions = sum(entry.leaf["kind"] == "decision" for entry in part.entries)
            kept_as = days.packed(part.entries)
            yield part.run, SealedDay(day, seal, decisions, closing, self.clock.now_ms(), kept_as)
            known |= days.outcomes_in(part.entries)


def _gathered(connection: sa.Connection, kept: Kept, day: int, known: Known) -> dict[int, _Day]:
    runs = sources.runs_of(connection, kept.user_id)
    parts: dict[int, _Day] = {}

    def part_at(t_ms: int) -> _Day:
        run = sources.run_at(runs, t_ms)
        return parts.setdefault(run.version_id, _Day(run))

    until = (day + 1) * DAY_MS
    outcomes = sources.outcomes_between(connection, kept.account_id, until - (law.LATE_DAYS + 1) * DAY_MS, until)
    news = [key for key in outcomes if key not in known]
    for made in sources.decided_at(connection, kept.account_id, {t_ms for t_ms, _ in news}):
        if (made.t_ms, made.symbol) not in known:
            part = part_at(made.t_ms)
            part.entries.append(Entry(law.decision_leaf(part.run.version, made)))
    for (t_ms, symbol), outcome in outcomes.items():
        is_late = (t_ms, symbol) in known and law.known_outcome(outcome) not in (None, known[t_ms, symbol])
        if is_late:
            part_at(t_ms).entries.append(Entry(law.outcome_leaf(Decided(t_ms, symbol, outcome))))
    earlier, points = sources.money_of_day(connection, kept.account_id, day)
    for now in points:
        part = part_at(now.t_ms)
        is_same = earlier is not None and sources.run_at(runs, earlier.t_ms).version_id == part.run.version_id
        part.money.append((earlier if is_same else None, now))
        earlier = now
    return parts
