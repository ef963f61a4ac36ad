"""
A backtest as a person asks for it: whose decisions, over which days, under which limits. Pure.

The same question has the same key, by which it is answered from what was kept; another engine is another key. What it
is asked over is closed days, so the key of a question never comes to mean something else. Every question a person has
asked over a span of prices is a *try*: the more there were, the better the best of them looks by luck alone, and
`luck` says how much.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from math import e, sqrt
from statistics import NormalDist
from typing import Any, Literal

from lib.domain.account import CADENCES, AccountSettings, Limits, RiskLevel
from lib.domain.day import DAY_MS
from lib.domain.strategy import read, settings_with

Kind = Literal["rules", "answers", "model", "memory"]
KINDS: tuple[Kind, ...] = ("rules", "answers", "model", "memory")
"""
Whose decisions: those of the rules that come along, those the person was answered, or those of a model that is asked
now, in quarantine (`lib.domain.quarantine`); *memory* asks whether a model reads the market or remembers it.
"""
FREE: tuple[Kind, ...] = ("rules", "answers")
"""Asks nobody."""
State = Literal["queued", "running", "done", "cancelled", "failed"]
STATES: tuple[State, ...] = ("queued", "running", "done", "cancelled", "failed")
ENDED: tuple[State, ...] = ("done", "cancelled", "failed")
ENGINE = 1
"""Counts up whenever the same question may come to another answer."""
MOST_DAYS: dict[Kind, int] = {"rules": 1_096, "answers": 400, "model": 31, "memory": 400}
MOST_QUESTIONS = 5_000
"""Of one question about a model."""
MOST_LEVERAGE = 25
LEAST_BALANCE, MOST_BALANCE = Decimal(100), Decimal(10_000_000)
LEAST_WINDOWS, MOST_WINDOWS = 100, 300
MOST_USD = Decimal(100)
_ASKED = ("version_id", "content", "language", "model", "windows", "most_calls", "most_usd")
_SYMBOL = re.compile(r"[A-Z0-9]{1,30}")
EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Wish:
    """
    Decisions of *kind* about *symbol* in [*since_ms*, *until_ms*), whole UTC days, by an account with *balance* USDT.

    *account_id* is the account whose answers are replayed, 0 for the rules; *limits* are those of the person then.
    """

    kind: Kind
    symbol: str
    since_ms: int
    until_ms: int
    balance: Decimal = Decimal(10_000)
    level: RiskLevel = RiskLevel.MEDIUM
    leverage: int = 10
    risk: Decimal | None = None
    confidence: Decimal | None = None
    cadence_min: int = 5
    long_only: bool = False
    account_id: int = 0
    limits: Limits = field(default_factory=Limits)
    version_id: int = 0
    """Of a model: the version that is asked about, 0 = the original design; *content* is what it says, written."""
    content: str = ""
    language: str = ""
    """Of the prompt, "ko" or "en"."""
    model: str = ""
    """The name on the list of who is asked."""
    windows: int = 0
    """Of a memory test: how many, evenly spread."""
    most_calls: int = 0
    most_usd: Decimal | None = None
    """What it may ask, and cost in USD where a price is known; None = none is."""

    @property
    def days(self) -> int:
        """UTC days it is over."""
        return (self.until_ms - self.since_ms) // DAY_MS

    @property
    def settings(self) -> AccountSettings:
        """The account that is replayed: as the version has it, where one is asked about."""
        if self.content:
            return settings_with(read(self.content), AccountSettings(limits=self.limits))
        return AccountSettings(
            risk_level=self.level,
            max_leverage=self.leverage,
            long_only=self.long_only,
            risk_per_trade=self.risk,
            min_confidence=self.confidence,
            limits=self.limits,
            cadence_min=self.cadence_min,
        )

    def key(self, feed: str) -> str:
        """The name of the question about *feed*, 64 hex digits."""
        return sha256(f"{ENGINE}|{feed}|{wish_text(self)}".encode()).hexdigest()


def wish_problem(wish: Wish, now_ms: int) -> str | None:
    """The name of the field that cannot be meant, or None."""
    checks: tuple[tuple[str, bool], ...] = (
        ("symbol", _SYMBOL.fullmatch(wish.symbol) is not None),
        ("since", 0 <= wish.since_ms < wish.until_ms and wish.since_ms % DAY_MS == 0),
        ("until", wish.until_ms % DAY_MS == 0 and wish.until_ms <= now_ms and wish.days <= MOST_DAYS[wish.kind]),
        ("balance", LEAST_BALANCE <= wish.balance <= MOST_BALANCE),
        ("leverage", 1 <= wish.leverage <= MOST_LEVERAGE),
        ("risk", wish.risk is None or Decimal("0.0005") <= wish.risk <= Decimal("0.02")),
        ("confidence", wish.confidence is None or 0 <= wish.confidence <= 1),
        ("cadence", wish.cadence_min in CADENCES),
        ("account", (wish.account_id > 0) == (wish.kind == "answers")),
        ("content", bool(wish.content and wish.model and wish.language in ("ko", "en")) == (wish.kind not in FREE)),
        ("windows", (LEAST_WINDOWS <= wish.windows <= MOST_WINDOWS) == (wish.kind == "memory")),
        ("most_calls", wish.kind in FREE or 1 <= wish.most_calls <= MOST_QUESTIONS),
        ("most_usd", wish.most_usd is None or 0 < wish.most_usd <= MOST_USD),
    )
    return next((name for name, is_good in checks if not is_good), None)


def wish_text(wish: Wish) -> str:
    """*wish* in its one written form."""
    left = ("limits", *(_ASKED if wish.kind in FREE else ()))  # questions of before had none, and keep their key
    told = {one.name: _told(getattr(wish, one.name)) for one in fields(Wish) if one.name not in left}
    told["limits"] = {one.name: _told(getattr(wish.limits, one.name)) for one in fields(Limits)}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def _told(value: object) -> object:
    """A number as text of its shortest form; 10 and 10.0 are one question."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def read_wish(text: str) -> Wish:
    """The inverse of `wish_text`; ValueError for anything else."""
    try:
        told: dict[str, Any] = json.loads(text)
        limits = told.pop("limits")
        made = Wish(**told)
        return replace(
            made,
            kind=KINDS[KINDS.index(made.kind)],
            level=RiskLevel(made.level),
            balance=Decimal(told["balance"]),
            risk=None if made.risk is None else Decimal(told["risk"]),
            confidence=None if made.confidence is None else Decimal(told["confidence"]),
            most_usd=None if made.most_usd is None else Decimal(told["most_usd"]),
            limits=Limits(**{name: _limit(name, value) for name, value in limits.items()}),
        )
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as odd:
        raise ValueError(f"no backtest is asked for like that: {odd}") from None


def _limit(name: str, value: object) -> Any:
    return Decimal(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Moments:
    """Daily returns in four numbers: their *sharpe* of a day, how many *days*, their skew and kurtosis (3 = normal)."""

    sharpe: float
    days: int
    skew: float
    kurtosis: float


def moments(returns: Sequence[float]) -> Moments | None:
    """Those of *returns*; None for fewer than two, or where nothing moves."""
    count = len(returns)
    if count < 2:
        return None
    mean = sum(returns) / count
    around = [one - mean for one in returns]
    spread = sqrt(sum(one**2 for one in around) / count)
    if spread <= 1e-12:
        return None
    skew = sum(one**3 for one in around) / count / spread**3
    kurtosis = sum(one**4 for one in around) / count / spread**4
    return Moments(mean / (spread * sqrt(count / (count - 1))), count, skew, kurtosis)


def luck(found: Moments, tries: int) -> float:
    """
    How sure it is that the true Sharpe is above what the best of *tries* worthless ones has: the deflated Sharpe ratio.

    Tries count as independent of each other, so nobody lowers the bar by asking nearly the same many times.
    """
    normal = NormalDist()
    least = 0.0
    if tries > 1:
        best = (1 - EULER) * normal.inv_cdf(1 - 1 / tries) + EULER * normal.inv_cdf(1 - 1 / (tries * e))
        least = best / sqrt(found.days - 1)
    bend = 1 - found.skew * found.sharpe + (found.kurtosis - 1) / 4 * found.sharpe**2
    return normal.cdf((found.sharpe - least) * sqrt(found.days - 1) / sqrt(max(bend, 1e-12)))
