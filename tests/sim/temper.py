"""
How bad a world is: the chance of each fault, drawn once a seed, and the count of what really happened.

Every dimension is calm in some seeds, so that a broken guard cannot hide behind another fault. *Trouble* is asked by
the port wrappers; once the world heals it answers "none" to everybody.
"""

import random
from collections import Counter
from dataclasses import dataclass, fields
from typing import Protocol

CREATE = "/v5/order/create"
STOP = "/v5/position/trading-stop"

NETWORK = ("lost", "late", "duplicated", "reply_lost", "reply_late")
ANSWERS = (
    "http_5xx_after",
    "err_10000_after",
    "err_10016_after",
    "err_10016_before",
    "rate_limit_past_reset",
    "rate_limit_future_reset",
    "http_429",
    "http_5xx_before",
)
"""Answers of the venue's own that any request may get."""
AT_CREATE = ("async_reject", "partial_fill", "no_fill", "drop_stop", "stale_realtime")

WEIGHTS = {
    **dict.fromkeys((CREATE, "claim", "claim_stop", "move"), 5.0),
    "ask": 3.0,
    **dict.fromkeys(("plan", "plan_exit", "close_order", "adopt", "size", STOP), 2.0),
    **dict.fromkeys(("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"), 0.5),
}
"""How much likelier than *ELSEWHERE* trouble is where money moves."""
ELSEWHERE = 0.15


class Time(Protocol):
    """The true time of a world."""

    def now_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Temper:
    """Chances per port call, unless the name says otherwise."""

    crash: float = 0.0
    pause: float = 0.0
    db_down: float = 0.0
    db_unknown: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    duplicated: float = 0.0
    reply_lost: float = 0.0
    reply_late: float = 0.0
    answers: float = 0.0
    async_reject: float = 0.0
    partial_fill: float = 0.0
    no_fill: float = 0.0
    drop_stop: float = 0.0
    stale_realtime: float = 0.0
    refuse_stop: float = 0.0
    redis: float = 0.0
    analyst: float = 0.0
    skewed: float = 0.0
    hints: float = 0.0
    budget: float = 0.0


CHOICES: dict[str, tuple[float, ...]] = {
    "crash": (0, 0, 0.002, 0.01),
    "pause": (0, 0, 0.003, 0.015),
    "db_down": (0, 0, 0.01, 0.05),
    "db_unknown": (0, 0, 0.01, 0.05),
    "lost": (0, 0, 0.02, 0.08),
    "late": (0, 0, 0.02, 0.08),
    "duplicated": (0, 0, 0.05),
    "reply_lost": (0, 0, 0.03, 0.10),
    "reply_late": (0, 0, 0.03),
    "answers": (0, 0, 0.02, 0.08),
    "async_reject": (0, 0, 0.1),
    "partial_fill": (0, 0, 0.3),
    "no_fill": (0, 0, 0.2),
    "drop_stop": (0, 0, 0.1, 0.4),
    "stale_realtime": (0, 0, 0.3),
    "refuse_stop": (0, 0, 0.3, 0.8),
    "redis": (0, 0, 0.1),
    "analyst": (0, 0, 0.1, 0.3),
    "skewed": (0, 0.15, 0.15),
    "hints": (0, 0.1, 0.5),
    "budget": (0, 0, 0.03, 0.1),
}


def draw_temper(rng: random.Random) -> Temper:
    """A world's chances; one in eight is calm but for its people."""
    if rng.random() < 0.125:
        return Temper()
    return Temper(**{field.name: rng.choice(CHOICES[field.name]) for field in fields(Temper)})


class Trouble:
    """Draws fates while the world is bad, and counts them."""

    def __init__(self, rng: random.Random, temper: Temper) -> None:
        self.rng, self.temper = rng, temper
        self.counts: Counter[str] = Counter()
        self.healing = False
        self.heals_at = 0
        """When (epoch ms) whatever lasts must have ended."""
        self.network_down_until = 0
        self.ledger_down_until = 0
        self.candles_down_until = 0
        self.ledger_failed_ms = 0
        """When (epoch ms) the ledger last failed somebody."""
        network = [(kind, getattr(temper, kind)) for kind in NETWORK]
        self._network = _ladder([*network, ("answers", temper.answers)])
        self._ledger = _ladder(
            [("db_down", temper.db_down), ("applied", temper.db_unknown / 2), ("lost", temper.db_unknown / 2)]
        )
        self._process = _ladder([("crash", temper.crash), ("pause", temper.pause)])

    def note(self, kind: str) -> None:
        """One more fault really happened."""
        self.counts[kind] += 1

    def pause_ms(self, now_ms: int) -> int:
        """How long a process freezes: seconds to minutes."""
        ms = round(1000 * self.rng.choice((5, 8, 20, 40, 90, 130, 400)) * self.rng.uniform(0.6, 1))
        return min(ms, max(self.heals_at - now_ms, 0) + 3_000)

    def process_fate(self, weight: float) -> str:
        """What befalls the process at this port call: "", "crash" or "pause"."""
        return self._fate(self._process, weight)

    def ledger_fate(self, time: Time, weight: float) -> str:
        """ "", "db_down" (before any effect), "applied" or "lost" (the commit's answer is lost)."""
        if self.ledger_down_until and not self.healing and time.now_ms() < self.ledger_down_until:
            fate = "db_down"
        else:
            fate = self._fate(self._ledger, weight)
        if fate:
            self.ledger_failed_ms = time.now_ms()
        return fate

    def request_fate(self, now_ms: int, weight: float) -> str:
        """What the network or the venue does to one request."""
        if now_ms < self.network_down_until and not self.healing:
            return "lost"
        fate = self._fate(self._network, weight)
        return self.rng.choice(ANSWERS) if fate == "answers" else fate

    def chance(self, kind: str) -> bool:
        """Whether a fault with a chance of its own happens now."""
        return not self.healing and (odds := getattr(self.temper, kind)) > 0 and self.rng.random() < odds

    def _fate(self, ladder: tuple[tuple[str, float], ...], weight: float) -> str:
        if self.healing or not ladder:
            return ""
        drawn = self.rng.random() / weight
        for kind, below in ladder:
            if drawn < below:
                return kind
        return ""


def _ladder(odds: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Kinds with cumulated chances; those without one are left out."""
    steps, below = [], 0.0
    for kind, chance in odds:
        if chance:
            below += chance
            steps.append((kind, below))
    return tuple(steps)
