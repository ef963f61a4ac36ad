"""
The truth about the system in a row of small words: how old the candles are, whose prices, when the last cycle was.

A badge is green only for what was seen to be so a moment ago; what is not known is said to be not known.
"""

from dataclasses import dataclass
from typing import Literal

from app.ui.write import duration
from lib.domain.analyst_name import is_rules
from lib.domain.venues import CAPABILITIES
from lib.queries import Health
from lib.queries.standing import State

Tone = Literal["green", "orange", "red", "gray", "blue"]

FEEDS = ("synthetic", "replay", "bybit", "bybit-testnet")
STATES: dict[State, tuple[Tone, str]] = {
    "off": ("gray", "power_settings_new"),
    "on": ("green", "play_circle"),
    "stopping": ("orange", "pending"),
    "stopped": ("blue", "verified"),
}
"""Tone and icon of the one word for an account."""
VENUE_TONES: dict[str, Tone] = {venue: "red" if row.has_real_money else "orange" for venue, row in CAPABILITIES.items()}
TRADER_LATE_S = 30


@dataclass(frozen=True, slots=True)
class Badge:
    """One badge: *key* of its sentence, *age* as (key, number) when the sentence has one, and *name* as it is."""

    key: str
    tone: Tone
    icon: str
    age: tuple[str, int] | None = None
    name: str = ""


def _aged(stem: str, age_s: float | None, good_s: float, bad_s: float, icon: str) -> Badge:
    if age_s is None:
        return Badge(f"{stem}.unknown", "gray", icon)
    tone: Tone = "green" if age_s <= good_s else "orange" if age_s <= bad_s else "red"
    return Badge(f"{stem}.age", tone, icon, duration(age_s))


def badges(health: Health, now_ms: int, venue: str | None) -> list[Badge]:
    """What to show for *health*; *venue* is where the person's account trades, None without an account."""
    kind = health.feed.split(":")[0]
    feed = f"badge.feed.{kind}" if kind in FEEDS else "badge.feed.unknown"
    cycle_age = None if health.last_cycle_ms is None else max(0, now_ms - health.last_cycle_ms) / 1000
    return [
        Badge(f"venue.{venue or 'none'}", VENUE_TONES.get(venue or "", "gray"), "account_balance"),
        Badge(feed, "blue" if kind.startswith("bybit") else "orange", "sensors", name=health.feed),
        _aged("badge.candle", health.candle_age_s, 75, 150, "candlestick_chart"),
        _stream(health.websocket),
        _trader(health.trader_age_s),
        _aged("badge.cycle", cycle_age, 330, 660, "history"),
        _analyst(health),
    ]


def _stream(up: bool) -> Badge:
    return Badge("badge.stream.up", "green", "bolt") if up else Badge("badge.stream.down", "red", "bolt")


def _trader(age_s: float | None) -> Badge:
    if age_s is None:
        return Badge("badge.trader.unknown", "gray", "smart_toy")
    if age_s <= TRADER_LATE_S:
        return Badge("badge.trader.age", "green", "smart_toy")
    return Badge("badge.trader.late", "red", "smart_toy", duration(age_s))


def _analyst(health: Health) -> Badge:
    if not health.analyst:
        return Badge("badge.analyst.unknown", "gray", "psychology")
    if health.analyst == "failed":
        return Badge("badge.analyst.down", "red", "psychology")
    rules = is_rules(health.analyst_model)
    return Badge(f"badge.analyst.{'rules' if rules else 'up'}", "green", "psychology", name=health.analyst_model)
