"""
Whose turn it is to have a model asked: so many calls of a model at once, and the group nearest to trading first.

Each model has places of its own: a slow one, or a person's own endpoint, takes none of another's. The best of those who
wait goes next: real money before other trading, trading before an opinion alone, then shadows, the past last; among
equals who missed its turn last time, then the most people. A group that is announced and still has its budgets read
keeps a free place, for a moment, from those behind it. One process, one event loop; seconds are the loop's. Nothing is
persisted, and nothing rests on it but the order of questions. It knows no prompts, no budgets and no answers.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from lib.domain.account_records import TraderAccount
from lib.domain.model_profile import is_own
from lib.domain.order import CYCLE_MS
from lib.domain.venues import CAPABILITIES

PLACES = 8
"""Calls of one of the operator's models at once, unless a setting says otherwise."""
OWN_PLACES = 2
"""The same of one person's own model."""
EXPECTED_S = 2.0
"""How long an announced group keeps a place from those behind it."""
MOST_MISSED = 10_000
Model = tuple[int, str]
"""Who pays (0 = the operator), and the model's name on the list."""


class Urgency(IntEnum):
    """How near a group is to trading; the smaller number goes first."""

    REAL_MONEY = 0
    TRADING = 1
    LOOKING = 2
    """Nobody in it may trade now: an opinion was asked for."""
    SHADOW = 3
    """Nobody trades by it; it leaves half of a model's places, one at least, to the others."""
    PAST = 4
    """It is about the past: as a shadow, behind them."""


def urgency_of(group: Sequence[TraderAccount]) -> Urgency:
    """The urgency of the account of *group* that is nearest to trading."""
    trading = [account for account in group if account.auto_trade and account.trading_enabled]
    if any(CAPABILITIES[account.venue].has_real_money for account in trading):
        return Urgency.REAL_MONEY
    return Urgency.TRADING if trading else Urgency.LOOKING


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One group that wants to be asked at *t_ms*; *name* is equal at every T, *people* are those who would share it."""

    t_ms: int
    name: str
    urgency: Urgency
    people: int
    number: int
    missed: int = 0
    """Turns in a row that did not come."""

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Smaller goes first."""
        return self.urgency, -self.missed, -self.people, self.number


@dataclass(slots=True)
class Tally:
    """
    The newest T of the timetable: its groups, the calls made, turns that did not come, the longest wait (s); of shadows
    nothing.
    """

    t_ms: int = 0
    groups: int = 0
    calls: int = 0
    unreached: int = 0
    longest_s: float = 0.0


@dataclass(slots=True)
class _Lane:
    """The places of one model."""

    places: int
    free: int
    expected: dict[Wish, asyncio.TimerHandle] = field(default_factory=dict)
    waiting: dict[Wish, asyncio.Future[None]] = field(default_factory=dict)

    def open_to(self, wish: Wish) -> int:
        """Places that *wish* may have now."""
        kept = max(self.places // 2, 1) if wish.urgency >= Urgency.SHADOW else 0
        before = sum(1 for other in self.expected if other.rank < wish.rank)
        return self.free - kept - before

    def give(self) -> None:
        """Let those in whose turn it is."""
        for wish in sorted(self.waiting, key=lambda one: one.rank):
            if self.open_to(wish) <= 0:
                return  # who stands behind has no better claim
            come = self.waiting.pop(wish)
            if not come.done():
                self.free -= 1
                come.set_result(None)

    def forget(self, wish: Wish) -> None:
        """*wish* is not on its way here any more."""
        if timer := self.expected.pop(wish, None):
            timer.cancel()
            self.give()


class Turns:
    """The places of every model, *places* each for the operator's."""

    def __init__(self, places: int = PLACES) -> None:
        self._places = places
        self._lanes: dict[Model, _Lane] = {}
        self._expected: dict[Wish, _Lane] = {}
        self._missed: dict[str, int] = {}
        self._made = 0
        self.tally = Tally()

    @property
    def waiting(self) -> int:
        """Groups that wait for a place now."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def told(self) -> dict[str, str]:
        """The trader's fields of `system:status` about the newest T of the timetable, and who waits now."""
        tally, waiting = self.tally, {"analyst_waiting": str(self.waiting)}
        if not tally.t_ms:
            return waiting  # no cycle yet: the figures of the process before stand
        return waiting | {
            "analyst_groups": str(tally.groups),
            "analyst_calls": str(tally.calls),
            "analyst_unreached": str(tally.unreached),
            "analyst_longest_wait_ms": str(round(tally.longest_s * 1000)),
        }

    def spare(self, model: Model, urgency: Urgency) -> int:
        """How many groups of *urgency* that are not announced yet could be asked at *model* at once, now."""
        return self._lane(model).open_to(Wish(0, "", urgency, 0, self._made + 1))

    def announce(self, t_ms: int, name: str, urgency: Urgency, people: int, first: Model) -> Wish:
        """A group comes, and its first question will be to *first*; `withdraw` it when it is answered or given up."""
        self._made += 1
        wish = Wish(t_ms, name, urgency, people, self._made, self._missed.get(name, 0))
        if t_ms % CYCLE_MS == 0 and t_ms > self.tally.t_ms:
            self.tally = Tally(t_ms)
        self._count(wish, groups=1)
        lane = self._expected[wish] = self._lane(first)
        lane.expected[wish] = asyncio.get_running_loop().call_later(EXPECTED_S, lane.forget, wish)
        return wish

    def withdraw(self, wish: Wish) -> None:
        """*wish* keeps no place from anybody; idempotent."""
        if lane := self._expected.pop(wish, None):
            lane.forget(wish)

    async def enter(self, wish: Wish, model: Model, patience_s: float) -> float | None:
        """
        Wait for a place at *model*: the seconds waited, and `leave` is owed; None = it did not come within
        *patience_s*.
        """
        lane, loop = self._lane(model), asyncio.get_running_loop()
        began, come = loop.time(), loop.create_future()
        lane.waiting[wish] = come
        self.withdraw(wish)  # now, not before: the place it kept would go to who stands behind
        lane.give()
        if come.done():
            return self._came(wish, 0.0)
        try:
            async with asyncio.timeout(patience_s):
                await come
        except TimeoutError:
            self._gone(lane, wish, come)
            self._did_not_come(wish, loop.time() - began)
            return None
        except BaseException:
            self._gone(lane, wish, come)
            raise
        return self._came(wish, loop.time() - began)

    def leave(self, model: Model) -> None:
        """Give a place back."""
        lane = self._lanes[model]
        lane.free += 1
        lane.give()
        if lane.free == lane.places and not lane.waiting and not lane.expected:
            del self._lanes[model]

    def _gone(self, lane: _Lane, wish: Wish, come: "asyncio.Future[None]") -> None:
        lane.waiting.pop(wish, None)
        if come.done() and not come.cancelled():
            lane.free += 1  # it came in the same breath in which the patience ended
        lane.give()

    def _came(self, wish: Wish, waited_s: float) -> float:
        self._missed.pop(wish.name, None)
        self._count(wish, calls=1, waited_s=waited_s)
        return waited_s

    def _did_not_come(self, wish: Wish, waited_s: float) -> None:
        if len(self._missed) < MOST_MISSED:
            self._missed[wish.name] = wish.missed + 1
        self._count(wish, unreached=1, waited_s=waited_s)

    def _count(self, wish: Wish, *, groups: int = 0, calls: int = 0, unreached: int = 0, waited_s: float = 0.0) -> None:
        if wish.t_ms == self.tally.t_ms and wish.urgency < Urgency.SHADOW:
            self.tally.groups += groups
            self.tally.calls += calls
            self.tally.unreached += unreached
            self.tally.longest_s = max(self.tally.longest_s, waited_s)

    def _lane(self, model: Model) -> _Lane:
        places = min(OWN_PLACES, self._places) if is_own(model[1]) else self._places
        return self._lanes.setdefault(model, _Lane(places, places))
