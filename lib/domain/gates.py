"""
Gates: what stops the entries of one account, or of the whole platform, as data. Pure.

Limits are compared with facts, never with words: no prompt passes a gate. Gates stop entries, never exits. A *locking*
gate that is met is written down as a lock, which holds until its end even when the figure recovers before, unless the
figure may be a withdrawal that is listed late; the other gates are asked anew each time. This module neither keeps
locks nor reads clocks.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, Limits, PlatformLimits, Pool
from lib.domain.day import midnight_after
from lib.domain.decision import Decision
from lib.domain.equity import fall, fell_by
from lib.domain.instrument import Instrument
from lib.domain.order import CYCLE_MS
from lib.domain.position import ZERO, Position, Side
from lib.domain.reason import NOTHING, Reason
from lib.domain.sizing import unfit
from lib.domain.stakes import Stake, places

FOREVER_MS = 253_402_300_799_000
"""The end of a lock that only a person ends: the last second a four-digit year can show."""

GateKind = Literal[
    "daily_loss",
    "drawdown",
    "loss_streak",
    "entries",
    "cooldown",
    "exposure",
    "external",
    "analyst_failures",
    "analyst_budget",
    "unreadable",
]

UNREADABLE = codes.PLATFORM_LIMIT_UNREADABLE()
_PAPER = "paper:"
UNLISTED_MS = 3_600_000
"""A withdrawal may be listed this late. A difference that stays for longer is a loss."""
_DAY_ENDS = codes.UNLOCKS_AT_MIDNIGHT()
UNLOCK_RULES: Mapping[GateKind, Reason] = {
    "daily_loss": _DAY_ENDS,
    "drawdown": codes.UNLOCKS_BY_HAND(),
    "loss_streak": codes.UNLOCKS_AT_MIDNIGHT_OR_BY_HAND(),
    "entries": _DAY_ENDS,
    "cooldown": codes.UNLOCKS_AFTER_COOLDOWN(),
    "exposure": codes.UNLOCKS_WHEN_SMALLER(),
    "external": codes.UNLOCKS_AFTER_A_DAY_OR_BY_HAND(),
    "analyst_failures": codes.UNLOCKS_WHEN_ANALYST_ANSWERS(),
    "analyst_budget": _DAY_ENDS,
    "unreadable": codes.UNLOCKS_WHEN_LIMIT_SET(),
}
"""When each kind of lock ends."""
ENDED_BY_A_PERSON: frozenset[GateKind] = frozenset({"drawdown", "loss_streak", "external"})
"""Kinds whose lock the owner may end early."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate that stands: *why* with its figures, and until when its lock holds (epoch ms)."""

    kind: GateKind
    why: Reason
    until_ms: int


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is known of an account when its plan is made. Money in USDT, times in epoch ms.

    *equity* and *available* come from the exchange now; the rest from our books, with transfers taken out of day start
    and peak. *own_qty* is the signed quantity our fills add up to; a position that differs from it was changed
    externally. *analyst_failures* counts cycles in a row before this one. *platform* are the gates of the whole
    deployment, *room* the notional the platform has left (None = not asked). *missing* is the USDT by which the
    exchange's balance fell below our books within the last `UNLISTED_MS`: lost, or paid out and not listed yet.
    *closed* says why no entry is possible at this exchange or in this symbol now, `NOTHING` = entries are possible.
    """

    equity: Decimal
    available: Decimal
    position: Position
    foreign_orders: int
    own_qty: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    entries_today: int
    loss_streak: int
    last_stop_ms: int
    analyst_failures: int
    locks: tuple[str, ...] = ()
    unresolved: int = 0
    tokens_today: int = 0
    platform: tuple[Gate, ...] = ()
    room: Decimal | None = None
    missing: Decimal = ZERO
    closed: Reason = NOTHING
    modes: Reason = NOTHING
    """What is wrong with the account's margin and position modes; `NOTHING` = nothing known."""
    real_money: Reason = NOTHING
    """The gate before real money that is closed; the claim judges them again."""
    others: tuple[Stake, ...] = ()
    """What the account has at stake in its other symbols."""


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """
    The sums over the accounts of one *pool* on one UTC day, for the platform's own limits.

    *equity* and *day_start_equity* are sums over the accounts that trade, in USDT, transfers excluded from the
    difference; *exposure* is the notional of all booked positions at their entry prices. *cost* in USD. *missing* is
    the sum of theirs.
    """

    entries: int
    exposure: Decimal
    equity: Decimal
    day_start_equity: Decimal
    tokens: int
    cost: Decimal
    analyst_failures: int
    locks: tuple[str, ...] = ()
    """Kinds of the platform's locks that hold for the pool."""
    missing: Decimal = ZERO
    pool: Pool = "exchange"
    guest_tokens: int = 0
    """The part of *tokens* that was used for guests alone."""


def platform_kind(pool: Pool, kind: str) -> str:
    """The stored kind of a platform's lock of *kind* that stops entries of *pool* alone."""
    return kind if pool == "exchange" else f"{_PAPER}{kind}"


def kinds_of(pool: Pool, stored: Iterable[str]) -> tuple[str, ...]:
    """The kinds among the platform's *stored* locks that stop entries of *pool*."""
    mine = (kind for kind in stored if kind.startswith(_PAPER) == (pool == "paper"))
    return tuple(kind.removeprefix(_PAPER) for kind in mine)


def newly_missing(difference: Decimal, before: Decimal) -> Decimal:
    """*missing* of an account, from its *difference* (balance less books) now and that of `UNLISTED_MS` *before*."""
    return max(min(before, ZERO) - difference, ZERO)


def lasting_gates(facts: Facts, limits: Limits, t_ms: int) -> tuple[Gate, ...]:
    """
    The gates among `locking_gates` that are to be written down as locks.

    USDT that is missing may be a withdrawal that is listed late: it keeps entries off while it looks like a loss, and
    no lock outlives that. USDT missing for longer than lists may be late makes a lock.
    """
    return locking_gates(replace(facts, equity=facts.equity + facts.missing), limits, t_ms)


def locking_gates(facts: Facts, limits: Limits, t_ms: int) -> tuple[Gate, ...]:
    """Every gate of the account that stands at *t_ms* and locks, the gravest first."""
    midnight, rested_ms = midnight_after(t_ms), facts.last_stop_ms + limits.cooldown_ms
    minutes = -(-limits.cooldown_ms // 60_000)
    day, peak = facts.day_start_equity, facts.peak_equity
    return _standing(
        (
            fell_by(limits.daily_loss, day, facts.equity),
            "daily_loss",
            lambda: codes.DAILY_LOSS(lost=fall(day, facts.equity), limit=limits.daily_loss),
            midnight,
        ),
        (
            fell_by(limits.drawdown, peak, facts.equity),
            "drawdown",
            lambda: codes.DRAWDOWN(fell=fall(peak, facts.equity), limit=limits.drawdown),
            FOREVER_MS,
        ),
        (
            facts.loss_streak >= limits.loss_streak,
            "loss_streak",
            lambda: codes.LOSS_STREAK(losses=facts.loss_streak, limit=limits.loss_streak),
            midnight,
        ),
        (
            facts.entries_today >= limits.entries_per_day,
            "entries",
            lambda: codes.ENTRIES_OF_DAY(entries=facts.entries_today, limit=limits.entries_per_day),
            midnight,
        ),
        (rested_ms > t_ms, "cooldown", lambda: codes.COOLDOWN(minutes=minutes), rested_ms),
        _silence(facts.analyst_failures, limits.analyst_failures, t_ms),
        _budget(facts.tokens_today, limits, t_ms),
    )


def budget_gates(tokens_today: int, limits: Limits, t_ms: int) -> tuple[Gate, ...]:
    """The gate of the account's own analyst budget, when that is used up."""
    return _standing(_budget(tokens_today, limits, t_ms))


def lasting_platform_gates(use: PlatformFacts, limits: PlatformLimits, t_ms: int) -> tuple[Gate, ...]:
    """The gates among `platform_gates` that are to be written down, as `lasting_gates`."""
    return platform_gates(replace(use, equity=use.equity + use.missing), limits, t_ms)


def platform_gates(use: PlatformFacts, limits: PlatformLimits, t_ms: int) -> tuple[Gate, ...]:
    """Every gate of the deployment that stands at *t_ms* for the pool of *use*, the gravest first."""
    midnight, day = midnight_after(t_ms), use.day_start_equity
    return _standing(
        _unreadable(limits, t_ms),
        (
            fell_by(limits.daily_loss, day, use.equity),
            "daily_loss",
            lambda: codes.PLATFORM_DAILY_LOSS(lost=fall(day, use.equity), limit=limits.daily_loss),
            midnight,
        ),
        (
            use.exposure >= limits.max_exposure,
            "exposure",
            lambda: codes.PLATFORM_EXPOSURE(exposure=use.exposure, limit=limits.max_exposure),
            t_ms + CYCLE_MS,
        ),
        (
            use.entries >= limits.entries_per_day,
            "entries",
            lambda: codes.PLATFORM_ENTRIES(entries=use.entries, limit=limits.entries_per_day),
            midnight,
        ),
        _silence(use.analyst_failures, limits.analyst_failures, t_ms),
        (
            use.tokens >= limits.analyst_tokens,
            "analyst_budget",
            lambda: codes.PLATFORM_TOKENS(tokens=use.tokens, limit=limits.analyst_tokens),
            midnight,
        ),
        (
            use.cost >= limits.analyst_cost,
            "analyst_budget",
            lambda: codes.PLATFORM_COST(cost=use.cost, limit=limits.analyst_cost),
            midnight,
        ),
    )


def entry_refusal(
    decision: Decision, side: Side, facts: Facts, settings: AccountSettings, instrument: Instrument, t_ms: int
) -> Reason:
    """The first gate that stands in the way of an entry; `NOTHING` when all are open."""
    checks: tuple[tuple[Callable[[], bool], Reason], ...] = (
        (lambda: facts.unresolved > 0, codes.EARLIER_ORDER_UNRESOLVED()),
        (lambda: bool(facts.closed), facts.closed),
        (lambda: not instrument.trading, codes.SYMBOL_NOT_TRADING(symbol=instrument.symbol)),
        (lambda: bool(facts.modes), facts.modes),
        (lambda: bool(facts.real_money), facts.real_money),
        (lambda: settings.long_only and side == "sell", codes.LONG_ONLY()),
        (lambda: facts.own_qty != facts.position.qty, codes.EXTERNAL_POSITION()),
        (lambda: facts.foreign_orders > 0, codes.EXTERNAL_ORDER()),
        (lambda: facts.equity <= 0, codes.NO_EQUITY()),
        (
            lambda: places(facts.others) + 1 > settings.limits.max_positions,
            codes.POSITIONS_FULL(open=places(facts.others), limit=settings.limits.max_positions),
        ),
    )
    if why := next((why for shut, why in checks if shut()), NOTHING):
        return why
    # what is written down comes last: a gate that still stands says its figures
    for gate in (*locking_gates(facts, settings.limits, t_ms), *facts.platform):
        return gate.why
    return _locked(facts.locks) or unfit(decision)


def _locked(locks: tuple[str, ...]) -> Reason:
    return codes.ENTRIES_LOCKED(locks=", ".join(locks)) if locks else NOTHING


_Row = tuple[bool, GateKind, Callable[[], Reason], int]
"""Whether a gate stands; its kind, why (said of those that stand) and end."""


def _standing(*rows: _Row) -> tuple[Gate, ...]:
    return tuple(Gate(kind, why(), until_ms) for stands, kind, why, until_ms in rows if stands)


def _silence(failures: int, limit: int, t_ms: int) -> _Row:
    return failures >= limit, "analyst_failures", lambda: codes.ANALYST_FAILURES(cycles=failures), t_ms + CYCLE_MS


def _unreadable(limits: PlatformLimits, t_ms: int) -> _Row:
    """The operator's limit may be stricter than the one known here: until its row can be read, there are no entries."""
    return bool(limits.unreadable), "unreadable", lambda: UNREADABLE, t_ms + CYCLE_MS


def _budget(tokens: int, limits: Limits, t_ms: int) -> _Row:
    used_up, most = tokens >= limits.analyst_tokens, limits.analyst_tokens
    return used_up, "analyst_budget", lambda: codes.ANALYST_TOKENS(tokens=tokens, limit=most), midnight_after(t_ms)


@dataclass(frozen=True, slots=True)
class LogFacts:
    """
    The figures of an account at T by our books; the ledger's half of `gates.Facts`.

    *own_qty* is of the symbol that was asked for, *unresolved* its rows in the way and every row that waits for a
    person; everything else is over all symbols of the account.
    """

    own_qty: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    entries_today: int
    loss_streak: int
    """Losing round trips in a row on this UTC day."""
    last_stop_ms: int
    locks: tuple[str, ...]
    unresolved: int
    tokens_today: int = 0
    """Analyst tokens behind this account's own decisions of the UTC day; a shared answer counts whole."""
    others: tuple[Stake, ...] = ()
    """What is at stake in the account's other symbols."""
    difference_before: Decimal = Decimal(0)
    """Balance less books at the newest equity point at least `gates.UNLISTED_MS` older than T; 0 without one."""
