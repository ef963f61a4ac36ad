"""
A stretch of evidence before demo trading or real money: its criteria are written and sealed before it begins, and
judged when it is over. Pure.

A person asks for it; a process that the web is not dates and seals it, so that nobody chooses days that went well.
What was sealed is never changed: a stretch passes, fails, or is overridden by its person, which holds for a week and
stays in the record. Another may be begun, and each makes the next one's bounds wider. Criteria looser than the floors
here are none. Facts that are not known are facts that do not hold.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from lib.domain import reason_codes as codes
from lib.domain.reason import NOTHING, Reason

DAY_MS = 86_400_000
LEAST_DAYS, MOST_DAYS = 14, 365
"""Whole UTC days of a stretch; under two weeks no bound is told."""
LEAST_DECIDED = 100
"""Opinions that were no hold."""
PASSED_LIFE_MS = 90 * DAY_MS
OVERRIDE_LIFE_MS = 7 * DAY_MS


class Step(StrEnum):
    """
    What a stretch is a step towards: demo trading, by what was answered on paper, or real money. The stretches of one
    are a set of their own: they open nothing of the other's, and neither are they tries of it.
    """

    DEMO = "demo"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Criteria:
    """
    What a stretch must show of what *model* answered: *days* whole UTC days with *decided* opinions that were no hold.
    *tries*: how many stretches of the step the person has begun, with it. The rest is the same for all: lower bounds
    above 0 against a coin, random moments and hold, confidence no worse than the base rate, no broken promise, books
    equal to the wallet.
    """

    model: str
    days: int
    decided: int
    tries: int

    @property
    def is_lawful(self) -> bool:
        """Whether they are at least as strict as the floors."""
        return LEAST_DAYS <= self.days <= MOST_DAYS and self.decided >= LEAST_DECIDED and self.tries >= 1


def criteria_text(criteria: Criteria) -> str:
    """*criteria* as they are kept and sealed."""
    return json.dumps(asdict(criteria), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_criteria(text: str) -> Criteria:
    """The inverse of `criteria_text`; ValueError or TypeError for anything else."""
    return Criteria(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What a stretch showed. *coin*, *moments* and *hold* are lower bounds of what a decision earned beyond each,
    fractions of notional, *skill* that of its confidence against the base rate: None where it cannot be told. *broken*
    promises (stops that were gone, liquidations, orders of unknown end) and *differing* books.
    """

    days: int
    decided: int
    coin: Decimal | None
    moments: Decimal | None
    hold: Decimal | None
    skill: Decimal | None
    broken: int
    differing: int


def measured_text(measured: Measured) -> str:
    """*measured* as it is kept."""
    told = {name: str(one) if isinstance(one, Decimal) else one for name, one in asdict(measured).items()}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def read_measured(text: str) -> Measured:
    """The inverse of `measured_text`; ValueError, TypeError or ArithmeticError for anything else."""
    told = json.loads(text)
    if not isinstance(told, dict) or told.keys() != {field.name for field in fields(Measured)}:
        raise ValueError("not what a stretch showed")
    coin, moments, hold, skill = (_share(told[name]) for name in ("coin", "moments", "hold", "skill"))
    days, decided, broken, differing = (int(told[name]) for name in ("days", "decided", "broken", "differing"))
    return Measured(days, decided, coin, moments, hold, skill, broken, differing)


def _share(told: str | None) -> Decimal | None:
    share = None if told is None else Decimal(told)
    if share is not None and not share.is_finite():
        raise ValueError("bounds are finite")
    return share


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    One stretch as the ledger has it. *begun_ms* and *seal* are written by who judges (0 and "" until then), *measured*
    when it is over; *overridden_ms* 0 = its person never did. *on_real*: the account is one with real money.
    *version_id* 0 = the original design.
    """

    stretch_id: int
    user_id: int
    account_id: int
    version_id: int
    on_real: bool
    criteria: Criteria
    begun_ms: int = 0
    seal: str = ""
    ended_ms: int = 0
    measured: Measured | None = None
    overridden_ms: int = 0

    @property
    def first_ms(self) -> int:
        """The first whole UTC day after it was sealed."""
        return -(-self.begun_ms // DAY_MS) * DAY_MS

    @property
    def until_ms(self) -> int:
        """The end of its last day."""
        return self.first_ms + self.criteria.days * DAY_MS

    @property
    def is_sealed(self) -> bool:
        """Whether it stands as it was sealed, with criteria that are any."""
        return bool(self.begun_ms) and self.criteria.is_lawful and self.seal == seal_of(self)


def seal_of(stretch: Stretch) -> str:
    """The sha256 of whose stretch it is, of which version, since when, and by which criteria."""
    parts = (stretch.stretch_id, stretch.user_id, stretch.account_id, stretch.version_id, stretch.begun_ms)
    return sha256(json.dumps([*parts, criteria_text(stretch.criteria)]).encode()).hexdigest()


def unmet(criteria: Criteria, measured: Measured) -> tuple[Reason, ...]:
    """Which of *criteria* the stretch did not meet; () = it passed."""
    bounds = (
        (measured.coin, codes.STRETCH_COIN),
        (measured.moments, codes.STRETCH_MOMENTS),
        (measured.hold, codes.STRETCH_HOLD),
    )
    few = (
        (measured.days < criteria.days, codes.STRETCH_FEW_DAYS(days=measured.days, least=criteria.days)),
        (measured.decided < criteria.decided, codes.STRETCH_FEW(decided=measured.decided, least=criteria.decided)),
    )
    found = [reason for is_so, reason in few if is_so]
    if any(low is None for low, _ in bounds) or measured.skill is None:
        return (*found, codes.STRETCH_UNTOLD())
    found += [code(low=low) for low, code in bounds if low is not None and low <= 0]
    if measured.skill < 0:
        found.append(codes.STRETCH_UNCALIBRATED(skill=measured.skill))
    if measured.broken:
        found.append(codes.STRETCH_BROKEN(count=measured.broken))
    if measured.differing:
        found.append(codes.STRETCH_BOOKS(count=measured.differing))
    return tuple(found)


def that_counts(stretches: Sequence[Stretch]) -> Stretch | None:
    """The newest that is over or was overridden; the newest where none is: one that runs takes nothing away."""
    told = [one for one in stretches if one.ended_ms or one.overridden_ms]
    return max(told or stretches, key=lambda one: one.stretch_id, default=None)


def stretch_refusal(stretches: Sequence[Stretch], now_ms: int, latest_ms: int) -> Reason:
    """Why *stretches* open nothing at *now_ms*; rows dated after *latest_ms* are no evidence. `NOTHING` = they do."""
    stretch = that_counts(stretches)
    if stretch is None:
        return codes.REAL_STRETCH_LACKING()
    if not stretch.is_sealed or max(stretch.begun_ms, stretch.ended_ms, stretch.overridden_ms) > latest_ms:
        return codes.REAL_STRETCH_UNSEALED()
    if stretch.overridden_ms and now_ms - stretch.overridden_ms <= OVERRIDE_LIFE_MS:
        return NOTHING
    if stretch.measured is None:
        return codes.REAL_STRETCH_RUNNING(days=max(1, -(-(stretch.until_ms - now_ms) // DAY_MS)))
    if stretch.ended_ms < stretch.until_ms:
        return codes.REAL_STRETCH_UNSEALED()
    if missed := unmet(stretch.criteria, stretch.measured):
        return missed[0]
    return codes.REAL_STRETCH_OLD() if now_ms - stretch.ended_ms > PASSED_LIFE_MS else NOTHING
