"""
The gates before an entry with real money: what must hold, and what a person has to do where it does not. Pure.

Every gate is judged anew before each entry, from what the ledger holds; no gate is ever judged for an exit. A cap is
written by a person, for a week, and only a person's next writing makes it larger; what went wrong since makes it
smaller by itself, and three times ends it. Facts that are not known are facts that do not hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from lib.domain import reason_codes as codes
from lib.domain.account import RiskLevel, Venue
from lib.domain.events import EventKind
from lib.domain.position import ZERO
from lib.domain.preflight import ORDER_CARDS, READ_CARDS, PreflightRun
from lib.domain.reason import NOTHING, Reason
from lib.domain.stretch import Stretch, stretch_refusal

DAY_MS = 86_400_000
EXAMINED_LIFE_MS = DAY_MS
"""How long a preflight of the account itself holds."""
CAP_LIFE_MS = 7 * DAY_MS
"""A cap is of one week; the next is written by a person again."""
LEAST_DAYS = 7
LEAST_HOURS = 12
"""Hours of a day in which books and wallet were compared: half of it, whether a strategy decides often or seldom."""
LEAST_TRADES = 3
MOST_INCIDENTS = 3
AHEAD_MS = 60_000
"""Rows dated further ahead than this are no evidence."""
REHEARSALS: tuple[Venue, ...] = ("demo", "testnet")
INCIDENTS = frozenset({EventKind.REPAIRED, EventKind.LIQUIDATION, EventKind.ADL, EventKind.UNRESOLVED, EventKind.BOOKS})
"""What shrinks a cap, and what no clean day has: a stop that was gone, books that differ, an order of unknown end."""
SMALL_EQUITY = Decimal(2_000)
"""USDT of equity an account up to which a cap is a small one: beyond it a stretch is passed with real money first."""
MOST_ACCOUNTS, MOST_POSITIONS, MOST_USDT = 100, 100, Decimal(1_000_000)


class RealGate(StrEnum):
    """One thing between a person and real money, in the order a person reaches them."""

    CARDS = "cards"
    CLEAN_DAYS = "clean_days"
    EVIDENCE = "evidence"
    SECOND_FACTOR = "second_factor"
    PREFLIGHT = "preflight"
    CANARY = "canary"
    CONSENT = "consent"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class RealCap:
    """
    What an operator wrote down for a week of the whole deployment: real accounts, USDT of equity on each, positions
    open at once, USDT of entries a day. *written_ms* epoch ms.
    """

    accounts: int
    equity: Decimal
    positions: int
    a_day: Decimal
    who: str = ""
    written_ms: int = 0

    def after(self, incidents: int) -> "RealCap":
        """What is left of it after that many incidents since: half, a quarter, nothing; one position at a time."""
        if not incidents:
            return self
        share = ZERO if incidents >= MOST_INCIDENTS else Decimal(1) / 2**incidents
        return replace(self, equity=self.equity * share, a_day=self.a_day * share, positions=min(self.positions, 1))


def read_cap(accounts: int, equity: Decimal, positions: int, a_day: Decimal, who: str) -> RealCap:
    """A cap as a person wrote it; ValueError for one that caps nothing."""
    counts = 1 <= accounts <= MOST_ACCOUNTS and 1 <= positions <= MOST_POSITIONS
    money = all(amount.is_finite() and 0 < amount <= MOST_USDT for amount in (equity, a_day))
    if not counts or not money:
        raise ValueError(
            f"a cap has 1 to {MOST_ACCOUNTS} accounts, 1 to {MOST_POSITIONS} positions and up to {MOST_USDT} USDT"
        )
    return RealCap(accounts, equity, positions, a_day, who)


@dataclass(frozen=True, slots=True)
class RehearsedDay:
    """
    One UTC day (days since 1970) of a person's accounts in demo trading or on the testnet.

    *hours* of it had a comparison of books and wallet; each speaks for everything booked before it.
    """

    day: int
    hours: int
    differences: int
    incidents: int

    @property
    def is_marred(self) -> bool:
        """Whether books and wallet differed, or something went wrong."""
        return bool(self.differences or self.incidents)


def clean_days(days: Iterable[RehearsedDay]) -> int:
    """How many days in a row, the newest first, were traded without a flaw; a day just begun counts for nothing yet."""
    newest_first = sorted(days, key=lambda each: each.day, reverse=True)
    if newest_first and newest_first[0].hours < LEAST_HOURS and not newest_first[0].is_marred:
        newest_first = newest_first[1:]
    count = 0
    for each in newest_first:
        follows = each.day == newest_first[0].day - count
        if each.is_marred or each.hours < LEAST_HOURS or not follows:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class RealFacts:
    """
    What is known before an entry on a venue with real money. Money in USDT, epoch ms.

    *rehearsals* are runs in demo trading and on the testnet, *own* those of this account, newest first; *days* and
    *trades* are those of the person's other accounts there, *unresolved* their orders of unknown end. *rank* counts the
    real accounts that were consented to before this one, *positions* those that are open or may open on the others,
    *opened_today* the notional of all entries of the UTC day. *notional* is what this entry would add, 0 = not sized.
    *stretches* are the person's of the strategy version that runs. *answered* is the model that made the decision
    behind this entry: "" = it is not known, None = no decision is asked about.
    What the ledger holds for the gates in *unreadable* cannot be read: they are closed, whatever else is said here.
    """

    now: int
    version: str
    rehearsals: Sequence[PreflightRun]
    own: Sequence[PreflightRun]
    days: Sequence[RehearsedDay]
    trades: int
    unresolved: int
    cap: RealCap | None
    incidents: int
    has_factor: bool
    has_consent: bool
    rank: int
    positions: int
    opened_today: Decimal
    equity: Decimal
    level: RiskLevel
    notional: Decimal = ZERO
    stretches: Sequence[Stretch] = ()
    answered: str | None = None
    unreadable: frozenset[RealGate] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """How one gate stands: open, or *why* not and what to do."""

    gate: RealGate
    why: Reason

    @property
    def is_open(self) -> bool:
        return not self.why


def standings(facts: RealFacts) -> tuple[Standing, ...]:
    """Every gate, in their order."""
    judged: dict[RealGate, Reason] = {
        RealGate.CARDS: _cards(facts),
        RealGate.CLEAN_DAYS: _clean(facts),
        RealGate.EVIDENCE: _evidenced(facts),
        RealGate.SECOND_FACTOR: NOTHING if facts.has_factor else codes.REAL_NO_FACTOR(),
        RealGate.PREFLIGHT: _examined(facts),
        RealGate.CANARY: _canary(facts),
        RealGate.CONSENT: NOTHING if facts.has_consent else codes.REAL_NO_CONSENT(),
        RealGate.CAP: _capped(facts),
    }
    judged |= dict.fromkeys(facts.unreadable, codes.REAL_UNREADABLE())
    return tuple(Standing(gate, judged[gate]) for gate in RealGate)


def real_money_refusal(facts: RealFacts) -> Reason:
    """The first gate that is closed; `NOTHING` when all are open."""
    return next((each.why for each in standings(facts) if not each.is_open), NOTHING)


def _cards(facts: RealFacts) -> Reason:
    wanted = (*READ_CARDS, *ORDER_CARDS)
    passed = any(_is_ours(run, facts) and run.venue in REHEARSALS and run.passed(wanted) for run in facts.rehearsals)
    return NOTHING if passed else codes.REAL_CARDS_LACKING()


def _clean(facts: RealFacts) -> Reason:
    if facts.unresolved:
        return codes.REAL_REHEARSAL_UNRESOLVED()
    if (days := clean_days(facts.days)) < LEAST_DAYS:
        return codes.REAL_DAYS_LACKING(days=days, least=LEAST_DAYS)
    if facts.trades < LEAST_TRADES:
        return codes.REAL_TRADES_LACKING(trades=facts.trades, least=LEAST_TRADES)
    return NOTHING


def _evidenced(facts: RealFacts) -> Reason:
    latest = facts.now + AHEAD_MS
    stretches = [one for one in facts.stretches if facts.answered in (None, one.criteria.model)]
    if facts.stretches and not stretches:
        return codes.REAL_STRETCH_MODEL(model=facts.answered or "?")
    if refusal := stretch_refusal(stretches, facts.now, latest):
        return refusal
    if facts.cap is None or facts.cap.equity <= SMALL_EQUITY:
        return NOTHING
    on_real = [one for one in stretches if one.on_real]
    return codes.REAL_STRETCH_SMALL(most=SMALL_EQUITY) if stretch_refusal(on_real, facts.now, latest) else NOTHING


def _examined(facts: RealFacts) -> Reason:
    newest = max(facts.own, key=lambda run: run.started_ms, default=None)
    if newest is None or not _is_dated(newest, facts):
        return codes.REAL_PREFLIGHT_LACKING()
    if not newest.passed(READ_CARDS) or not newest.is_flawless:
        return codes.REAL_PREFLIGHT_FAILED()
    return codes.REAL_PREFLIGHT_OLD() if facts.now - newest.started_ms > EXAMINED_LIFE_MS else NOTHING


def _canary(facts: RealFacts) -> Reason:
    flew = any(_is_ours(run, facts) and run.passed(ORDER_CARDS) for run in facts.own)
    return NOTHING if flew else codes.REAL_CANARY_LACKING()


def _is_ours(run: PreflightRun, facts: RealFacts) -> bool:
    return run.version == facts.version and _is_dated(run, facts)


def _is_dated(run: PreflightRun, facts: RealFacts) -> bool:
    return run.started_ms <= facts.now + AHEAD_MS


def _capped(facts: RealFacts) -> Reason:
    if facts.cap is None or facts.cap.written_ms > facts.now + AHEAD_MS:
        return codes.REAL_CAP_LACKING()
    if facts.now - facts.cap.written_ms > CAP_LIFE_MS:
        return codes.REAL_CAP_OVER()
    if facts.incidents >= MOST_INCIDENTS:
        return codes.REAL_INCIDENTS(incidents=facts.incidents)
    return _within(facts, facts.cap.after(facts.incidents))


def _within(facts: RealFacts, cap: RealCap) -> Reason:
    day = facts.opened_today + facts.notional
    checks = (
        (facts.level is not RiskLevel.LOW, codes.REAL_LEVEL_TOO_HIGH()),
        (facts.rank >= cap.accounts, codes.REAL_CAP_ACCOUNTS(most=cap.accounts)),
        (facts.equity > cap.equity, codes.REAL_CAP_EQUITY(equity=facts.equity, most=cap.equity)),
        (facts.positions >= cap.positions, codes.REAL_CAP_POSITIONS(most=cap.positions)),
        (day > cap.a_day or facts.opened_today >= cap.a_day, codes.REAL_CAP_DAY(asked=day, most=cap.a_day)),
    )
    return next((why for shut, why in checks if shut), NOTHING)
