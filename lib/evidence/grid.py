"""
A grid of settings over one past: which accounts are tried, what each came to, and what the best is worth as the best.

A grid is the product of the choices an owner has. Two choices that mean the same account (a risk above the level's, a
leverage above its cap) are one try. Each account is replayed by the event engine; what is kept of it is its end and its
growth a UTC day, the unit of everything that is judged. Nothing is told of the best without the number of tries, and
nothing of its future: the time it was chosen on says what it is worth only by what was left out of the choosing.

Pure: who runs the accounts, and where what they came to is kept, is not known here.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from itertools import pairwise, product
from typing import Literal

import numpy as np

from lib.domain.account import CADENCES, AccountSettings, RiskLevel
from lib.domain.candle import MINUTE_MS
from lib.domain.decimals import plain
from lib.domain.equity import Mark
from lib.domain.exit_rules import ExitRules, plain_rules
from lib.domain.order import CYCLE_MS
from lib.domain.performance import deepest_fall
from lib.domain.position import ZERO
from lib.evidence.account import Account, Heard, Opened, Record
from lib.evidence.desk import Terms
from lib.evidence.searching import LEAST_PART, PARTS, Found, found, sharpe, walk_forward
from lib.evidence.series import DAY_MS
from lib.evidence.tape import Tape

MOST_RUNS = 100_000
"""Accounts of one grid at most."""
LEAST_DAYS = PARTS * LEAST_PART
"""Whole days from which on the choosing can be tried on time it did not see."""
SURE = 0.95
"""How sure the best must be to be no luck before it is called anything else."""
HALF = 0.5
"""PBO from which on the best of one half of the time is in the worse half of the tries in the other as often as not."""
Standing = Literal["idle", "lost", "luck", "unproved", "overfitted", "held"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The choices of each kind, in the units of `AccountSettings`; every combination is one account."""

    levels: tuple[RiskLevel, ...] = (RiskLevel.MEDIUM,)
    risks: tuple[Decimal | None, ...] = (None,)
    leverages: tuple[int, ...] = (10,)
    confidences: tuple[Decimal | None, ...] = (None,)
    cadences: tuple[int, ...] = (5,)
    long_only: tuple[bool, ...] = (False,)
    break_evens: tuple[Decimal, ...] = (ZERO,)
    time_stops: tuple[int, ...] = (0,)
    trails: tuple[Decimal, ...] = (ZERO,)

    def __len__(self) -> int:
        """Combinations, alike ones counted each."""
        count = 1
        for one in fields(self):
            count *= len(getattr(self, one.name))
        return count

    def accounts(self) -> dict[str, AccountSettings]:
        """Each account once, by its `choice_of`, in order; ValueError for rules that no strategy may have."""
        made: dict[str, AccountSettings] = {}
        for settings in self._combined():
            if not settings.exits.is_offered or settings.cadence_min not in CADENCES:
                raise ValueError(f"no strategy may have these rules: {choice_of(settings)}")
            made.setdefault(choice_of(settings), settings)
        return made

    def _combined(self) -> Iterator[AccountSettings]:
        kinds = (self.levels, self.risks, self.leverages, self.confidences, self.cadences, self.long_only)
        exits = (self.break_evens, self.time_stops, self.trails)
        for level, risk, leverage, least, cadence, long_only, even, minutes, trail in product(*kinds, *exits):
            yield AccountSettings(
                risk_level=level,
                max_leverage=leverage,
                long_only=long_only,
                risk_per_trade=risk,
                min_confidence=least,
                cadence_min=cadence,
                exits=ExitRules(break_even_r=even, time_stop_min=minutes, trail_r=trail),
            )


def choice_of(settings: AccountSettings) -> str:
    """What *settings* come to, as one line of JSON: the same for two that are the same account."""
    profile = settings.profile
    told: dict[str, object] = {
        "level": settings.risk_level.value,
        "risk": format(plain(profile.risk_per_trade), "f"),
        "leverage": profile.leverage_cap,
        "confidence": format(plain(profile.min_confidence), "f"),
        "cadence": settings.cadence_min,
        "long_only": settings.long_only,
    }
    return json.dumps(told | plain_rules(settings.exits), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Tried:
    """
    What one account of *choice* came to: USDT at the *end*, the deepest *fall* as a fraction of the peak, closed trades
    and those won, and the growth of equity a whole UTC day, a fraction.
    """

    choice: str
    end: Decimal
    fall: Decimal
    trips: int
    won: int
    days: tuple[float, ...]


@dataclass(slots=True)
class Course:
    """
    What every account of a grid lives through: *tape*, what was *answered* over it (by T, for the account that asks),
    *times* (every T of five minutes) and *balance*, the USDT each begins with.
    """

    tape: Tape
    terms: Terms
    answered: Callable[[AccountSettings], Mapping[int, Heard]]
    times: Sequence[int]
    balance: Decimal
    days: range = field(init=False)
    """The whole UTC days, by their beginnings."""

    def __post_init__(self) -> None:
        self.days = whole_days(self.times[0], self.times[-1])

    def run(self, settings: AccountSettings) -> Tried:
        """Replay one account."""
        answers, step = self.answered(settings), settings.cadence_min * MINUTE_MS
        account = Account(self.tape, self.terms, Opened(settings, self.balance, self.times[0] - CYCLE_MS))
        record = account.run((t_ms for t_ms in self.times if t_ms % step == 0), answers.get)
        fall = deepest_fall([Mark(t, equity, ZERO) for t, equity in zip(record.times, record.curve, strict=True)])
        books = account.desk.books
        return Tried(
            choice=choice_of(settings),
            end=record.curve[-1] if record.curve else self.balance,
            fall=fall.fraction if fall is not None else ZERO,
            trips=books.rounds_won + books.rounds_lost,
            won=books.rounds_won,
            days=grown(record, self.balance, self.days),
        )


def whole_days(first_ms: int, last_ms: int) -> range:
    """The beginnings of the UTC days that lie wholly between two T."""
    return range(-(-first_ms // DAY_MS) * DAY_MS, (last_ms + CYCLE_MS) // DAY_MS * DAY_MS, DAY_MS)


def grown(record: Record, start: Decimal, days: range) -> tuple[float, ...]:
    """The growth of equity a day of *days*; 0 where an account had nothing left to grow, or no cycle."""

    def before(at_ms: int) -> Decimal:
        index = bisect_left(record.times, at_ms)
        return record.curve[index - 1] if index else start

    ends = [before(day) for day in days] + [before(days.stop)]
    return tuple(float(end / begun - 1) if begun > 0 else 0.0 for begun, end in pairwise(ends))


# --- what the best is worth -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fold:
    """One step of walk-forward: *choice* was the best of the *past* days, and grew by *grown* in the *ahead* ones."""

    choice: str
    past: int
    ahead: int
    grown: float


@dataclass(frozen=True, slots=True)
class Searched:
    """All that was tried, best first by the Sharpe ratio of days, and what being the best is worth."""

    ranked: tuple[Tried, ...]
    sharpes: tuple[float, ...]
    """Of a day, beside *ranked*."""
    found: Found
    folds: tuple[Fold, ...]
    """Empty where the time is too short."""

    @property
    def best(self) -> Tried:
        """The first of them; never to be told without `found.tries`."""
        return self.ranked[0]

    @property
    def ahead(self) -> float | None:
        """What choosing anew at each step grew by on the days it did not see; None where the time is too short."""
        return float(np.prod([1 + fold.grown for fold in self.folds])) - 1 if self.folds else None

    def standing(self, balance: Decimal) -> Standing:
        """The one thing that is to be said of the best, by the strictest finding against it."""
        ahead = self.ahead
        if not self.best.trips:
            return "idle"
        if self.best.end <= balance:
            return "lost"
        if self.found.deflated < SURE:
            return "luck"
        if self.found.overfitted is None or ahead is None:
            return "unproved"
        return "overfitted" if self.found.overfitted >= HALF or ahead <= 0 else "held"


def searched(tried: Sequence[Tried], tries: int) -> Searched:
    """
    Judge *tried*, of which there were *tries* with all that were made over this time before; ValueError for fewer, for
    none at all, and for less than two whole days.
    """
    if not tried or len(tried[0].days) < 2:
        raise ValueError("a grid is judged by two whole days at least")
    values = np.array([one.days for one in tried], dtype=np.float64).T
    ratios = sharpe(values)
    order = np.argsort(-ratios, kind="stable").tolist()
    ranked, sharpes = tuple(tried[index] for index in order), tuple(float(ratios[index]) for index in order)
    return Searched(ranked, sharpes, found(values, tries), _folds(tried, values))


def _folds(tried: Sequence[Tried], values: np.typing.NDArray[np.float64]) -> tuple[Fold, ...]:
    if len(values) < LEAST_DAYS:
        return ()
    made = []
    for past, ahead in walk_forward(len(values)):
        chosen = int(sharpe(values[past.start : past.stop]).argmax())
        growth = float(np.prod(1 + values[ahead.start : ahead.stop, chosen])) - 1
        made.append(Fold(tried[chosen].choice, len(past), len(ahead), growth))
    return tuple(made)
