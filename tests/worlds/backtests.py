"""Backtests as pages are shown them: one that is done, one that runs, one that failed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from lib.domain import reason_codes as codes
from lib.domain.backtests import Wish
from lib.domain.day import DAY_MS
from lib.domain.reason import NOTHING
from lib.queries import BacktestFound, BacktestLine

DAY_0 = 20_000
WISH = Wish("rules", "BTCUSDT", DAY_0 * DAY_MS, (DAY_0 + 30) * DAY_MS, risk=Decimal("0.005"))
T = WISH.since_ms + 1_800_000


def line(job_id: int = 3, **changes: Any) -> BacktestLine:
    """One that is done, or as *changes* have it."""
    usual = BacktestLine(job_id, WISH, "done", NOTHING, 9, 9, T, T + 9_000, Decimal("0.0123"), is_shown=False)
    return replace(usual, **changes)


RUNNING = line(5, state="running", done=412, whole=1_000, earned=None)
FAILED = line(2, state="failed", earned=None, why=codes.BACKTEST_NO_CANDLES(symbol="BTCUSDT"))


def result(source: str = "rest api.bybit.com") -> dict[str, Any]:
    """What came of a month."""
    points = [
        [T + n * DAY_MS, f"{10_000 + 40 * ((n * 7) % 11) - 9 * n:.2f}", f"{10_000 - 30 * n:.2f}"] for n in range(30)
    ]
    trades = [
        [T + n * 3_600_000, T + n * 3_600_000 + 1_500_000, "long" if n % 2 else "short", "0.12", "46321.5", "46399.0",
         f"{(-1) ** n * (12.5 + n):.2f}", ("stop", "target", "decision")[n % 3]]
        for n in range(40)
    ]  # fmt: skip
    return {
        "candles": 43_120, "missing": 80, "gap_count": 2,
        "gaps": [[T, T + 3_600_000], [T + DAY_MS, T + DAY_MS + 1_200_000]],
        "asked": 8_640, "since_ms": T, "until_ms": T + 29 * DAY_MS, "start": "10000", "end": "10123.40",
        "earned": "0.01234", "held": "-0.087", "fall": {"share": "0.0412", "top_ms": T, "bottom_ms": T + 5 * DAY_MS},
        "points": points, "trips": 40, "won": 20, "trades": trades, "realised": "402.11", "fees": "280.10",
        "funding": "1.39", "outcomes": {"bought": 21, "held": 8_500, "refused": 99, "sold": 20},
        "locks": {"cooldown": 7},
        "figures": {"days": 30, "yearly": None, "worst_day": "-0.021", "worst_day_ms": T, "sharpe": [1.21, -2.1, 4.4],
                    "sortino": None, "exposed": "0.181", "turnover": "2.31"},
        "moments": [0.06, 30, 0.1, 3.2],
        "beside": {"count": 121, "own": 0.0003, "interval": [-0.0011, 0.0017, 30], "long": -0.0008, "short": -0.0004,
                   "coin": -0.0006, "p": 0.21, "p_moments": 0.3},
        "months": [["2024-10", "ab" * 16], ["2024-11", "cd" * 16]], "sources": [source],
    }  # fmt: skip


def found(job_id: int = 3, **changes: Any) -> BacktestFound:
    """The one that is done, in full."""
    return replace(BacktestFound(line(job_id), result(), 7, 0.42), **changes)
