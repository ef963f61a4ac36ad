"""
The numbers a person may choose: how each is written in a field, between which bounds, and what it means in money. Pure.

A field shows percent, minutes or plain numbers; what is stored are fractions, milliseconds and counts.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.ui.write import count, exact, money
from lib.accounts.settings_rules import MOST_LEVERAGE
from lib.domain.account import Limits
from lib.domain.decimals import plain

Kind = Literal["percent", "times", "count", "minutes"]
MINUTE_MS = 60_000
USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Knob:
    """One number. *least* and *most* are as the field shows them."""

    name: str
    kind: Kind
    least: float
    most: float
    step: float

    @property
    def format(self) -> str:
        return {"percent": "%.2f", "times": "%.2f", "count": "%d", "minutes": "%d"}[self.kind]

    @property
    def is_whole(self) -> bool:
        return self.kind in ("count", "minutes")

    def shown(self, stored: Decimal | int) -> float | int:
        """*stored* as the field has it, within its bounds."""
        if self.kind == "minutes":
            return int(min(max(stored / MINUTE_MS, self.least), self.most))
        scaled = float(stored) * (100 if self.kind == "percent" else 1)
        return type(self.step)(min(max(round(scaled, 4), self.least), self.most))

    def stored(self, shown: float | int) -> Decimal | int:
        """What the field's number means."""
        if self.is_whole:
            return int(shown) * (MINUTE_MS if self.kind == "minutes" else 1)
        return plain(Decimal(str(round(shown, 4))) / (100 if self.kind == "percent" else 1))


RISK = Knob("risk_per_trade", "percent", 0.0, 2.0, 0.1)
CONFIDENCE = Knob("min_confidence", "percent", 55.0, 100.0, 1.0)
LEVERAGE = Knob("max_leverage", "count", 1, MOST_LEVERAGE, 1)
LIMITS = (
    Knob("daily_loss", "percent", 0.0, float(USUAL.daily_loss * 100), 0.5),
    Knob("drawdown", "percent", 0.0, float(USUAL.drawdown * 100), 1.0),
    Knob("max_exposure", "times", 0.0, float(USUAL.max_exposure), 0.1),
    Knob("max_margin", "percent", 0.0, float(USUAL.max_margin * 100), 5.0),
    Knob("max_positions", "count", 0, USUAL.max_positions, 1),
    Knob("correlation", "percent", 0.0, float(USUAL.correlation * 100), 10.0),
    Knob("loss_streak", "count", 0, USUAL.loss_streak, 1),
    Knob("entries_per_day", "count", 0, USUAL.entries_per_day, 1),
    Knob("cooldown_ms", "minutes", USUAL.cooldown_ms // MINUTE_MS, 1_440, 5),
    Knob("analyst_failures", "count", 0, USUAL.analyst_failures, 1),
    Knob("analyst_tokens", "count", 0, USUAL.analyst_tokens, 100_000),
)
OF_EQUITY = ("daily_loss", "drawdown", "max_exposure")


def written(knob: Knob, stored: Decimal | int) -> str:
    """*stored* in words a person reads, without a unit of time."""
    if knob.kind == "percent":
        return f"{exact(Decimal(stored) * 100)}%"
    if knob.kind == "times":
        return f"{exact(Decimal(stored))}×"
    return count(int(stored) // (MINUTE_MS if knob.kind == "minutes" else 1))


def worth(name: str, stored: Decimal | int, equity: Decimal, balance: Decimal) -> str:
    """What the limit *name* means in USDT now, "" for one that is not about money."""
    if name in OF_EQUITY:
        return money(equity * stored)
    return money(balance * stored) if name == "max_margin" else ""
