"""The book of shadows in memory, beside a `MemoryLedger` that has the calls."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from lib.domain.analyst_call import SHADOW, CycleKey
from lib.domain.day import utc_day
from lib.domain.position import ZERO
from lib.domain.shadow import Shadow, ShadowBudget, ShadowEnd, ShadowStake, ShadowTry, ShadowUse
from lib.ports.shadows import ShadowBook
from tests.fakes.ledger import MemoryLedger

Place = tuple[int, str, int]


def place_of(one: ShadowTry) -> Place:
    """What is unique of a turn."""
    return one.shadow_id, one.symbol, one.t_ms


class MemoryShadowBook(ShadowBook):
    """*kept* run; *turns* has each turn with what became of it, None = under way."""

    def __init__(self, ledger: MemoryLedger, *kept: Shadow) -> None:
        self.ledger, self.kept = ledger, list(kept)
        self.turns: dict[Place, tuple[ShadowTry, ShadowEnd | None]] = {}

    async def running(self, user_ids: Collection[int]) -> list[Shadow]:
        return [one for one in self.kept if one.user_id in user_ids]

    async def used(self, t_ms: int) -> Mapping[int, ShadowUse]:
        found: dict[int, ShadowUse] = {}
        for one, end in self.turns.values():
            is_free = end is not None and (end.is_shared or (end.state == "dropped" and end.usd is None))
            if utc_day(one.t_ms) == utc_day(t_ms) and not is_free:
                found[one.shadow_id] = found.get(one.shadow_id, ShadowUse()).plus(end.usd if end else None)
        return found

    async def stakes(self, t_ms: int) -> Mapping[int, ShadowStake]:
        used, found = await self.used(t_ms), dict[int, ShadowStake]()
        for user_id in {one.user_id for one, _ in self.turns.values() if utc_day(one.t_ms) >= utc_day(t_ms) - 1}:
            mine = [one for one in self.kept if one.user_id == user_id]
            ids = {one.shadow_id for one, _ in self.turns.values() if one.user_id == user_id}
            done = [used.get(number, ShadowUse()) for number in ids]
            budget = ShadowBudget(sum(one.budget.calls for one in mine), sum((one.budget.usd for one in mine), ZERO))
            whole = ShadowUse(sum(one.calls for one in done), sum((one.usd for one in done), ZERO))
            found[user_id] = ShadowStake(budget, whole)
        return found

    async def paid(self, t_ms: int) -> ShadowUse:
        calls = [
            call
            for (key, _, _), (call, _) in self.ledger.store.calls.items()
            if self.ledger.store.asked_for.get(key) == SHADOW and utc_day(key.t_ms) == utc_day(t_ms)
        ]
        return ShadowUse(len(calls), sum((call.answer.cost or ZERO for call in calls if not call.owner_id), ZERO))

    async def claim(self, tries: Sequence[ShadowTry]) -> list[ShadowTry]:
        new = [one for one in tries if place_of(one) not in self.turns]
        self.turns |= {place_of(one): (one, None) for one in new}
        return new

    async def drop(self, tries: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        for one, end in tries:
            self.turns.setdefault(place_of(one), (one, end))

    async def conclude(self, ended: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        for one, end in ended:
            if place_of(one) in self.turns and self.turns[place_of(one)][1] is None:
                self.turns[place_of(one)] = one, end

    async def call_id(self, key: CycleKey) -> int | None:
        keys = list(self.ledger.store.cycles)
        return keys.index(key) + 1 if key in keys else None

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        day = [call for (key, *_), (call, _) in self.ledger.store.calls.items() if utc_day(key.t_ms) == utc_day(t_ms)]
        costs = (call.answer.cost for call in day if (call.owner_id, call.name) == (owner_id, name))
        return sum((cost for cost in costs if cost is not None), ZERO)
