"""
`make grid FILE=candles.csv.gz ARGS="--confidence 0.55:0.9:0.05 --leverage 1:10:1"`: many settings over one past, and
what the best of them is worth after so many tries.

    make grid FILE=candles.csv.gz ARGS="--level low,high --confidence 0.55:0.9:0.05"   the bundled rules over a file
    make grid FROM=2024-01-01 TO=2024-12-31 ARGS="--cadence 5,15,60"                   or over days of the library
    make grid USER=1 ARGS="--risk 0.25,0.5,1 --cadence 5,15,60"                        what a person was answered
    make grid USER=1 ARGS="--leverage 1:10:1 --scheduler tls://10.0.0.5:8786"          by the workers of other machines

A range is `a,b,c` or `from:to:step`. Every combination is an account of its own, replayed with every gate, fee and
funding, on each core of this machine or by the workers of a Dask scheduler, started in checkouts of this very version.
What each came to is kept as it is made (DATA_DIR/grids), so a command that was cut off goes on where it was when it is
given again, and every try over the same time counts against the best, whenever it was made.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lib import bootstrap, log, settings
from lib.bootstrap import LEAST_DAYS, BacktestPlan, Grid, Gridded, GridPlan, Searched, Tried
from lib.domain.account import CADENCES, AccountSettings, RiskLevel
from lib.domain.decision import MAX_LEVERAGE
from services.candles import add_past, day_span
from services.local import data_folder, deployment
from services.process import last_line

PERCENT = Decimal(100)
CENT = Decimal("0.01")
TELL_S = 5.0
"""Seconds between two lines of progress."""
SHOWN = 10
MOST_VALUES = 10_000
"""Of one range."""
SAID = {
    "idle": "Not to trade was the best of all that was tried.",
    "lost": "All that was tried lost money here.",
    "luck": "Luck gives as much: the best of as many worthless tries would look like this too often (5 % and more).",
    "unproved": f"More than luck gives, but not tried on time the choosing did not see: under {LEAST_DAYS} whole days.",
    "overfitted": "Chosen too well: on time the choosing did not see it did not hold.",
    "held": "It held on time the choosing did not see. That time is past too: a stretch on paper is the next thing.",
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make grid", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_past(parser)
    parser.add_argument("--balance", type=_number, default=Decimal(10_000), help="USDT at the start (10000)")
    parser.add_argument("--level", type=_levels, default=(RiskLevel.MEDIUM,), help="low,medium,high")
    parser.add_argument("--risk", type=_range, default=(), help="percent of equity risked to the stop")
    parser.add_argument("--leverage", type=_wholes(1, MAX_LEVERAGE), default=(10,), help="at most (10)")
    parser.add_argument("--confidence", type=_range, default=(), help="the least that trades, 0 to 1")
    parser.add_argument("--cadence", type=_wholes(*CADENCES[::2]), default=(5,), help="minutes: 5,15,60 (5)")
    parser.add_argument("--side", type=_sides, default=(False,), help="both,long (both)")
    parser.add_argument("--break-even", type=_range, default=(Decimal(0),), help="R in profit (0 = off)")
    parser.add_argument("--time-stop", type=_wholes(0, 10_080), default=(0,), help="minutes (0 = off)")
    parser.add_argument("--trail", type=_range, default=(Decimal(0),), help="R behind the best price (0 = off)")
    parser.add_argument("--scheduler", help="tls://host:port or tcp://host:port of a Dask scheduler")
    parser.add_argument(
        "--workers", type=int, default=0, choices=range(257), metavar="N", help="processes here (0 = cores)"
    )
    parser.add_argument("--keep", type=Path, help="the folder of what is kept (DATA_DIR/grids)")
    return parser.parse_args()


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return value


def _range(text: str) -> tuple[Decimal, ...]:
    """`a,b,c` or `from:to:step`, both ends included."""
    if ":" not in text:
        return tuple(_number(part) for part in text.split(","))
    parts = [_number(part) for part in text.split(":")]
    if len(parts) != 3 or not parts[2] or parts[1] < parts[0] or (parts[1] - parts[0]) / parts[2] > MOST_VALUES:
        raise argparse.ArgumentTypeError(f"{text!r} is no range: from:to:step")
    first, last, step = parts
    return tuple(first + step * count for count in range(int((last - first) / step) + 1))


def _wholes(least: int, most: int) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        values = _range(text)
        if not all(value % 1 == 0 and least <= value <= most for value in values):
            raise argparse.ArgumentTypeError(f"{text!r}: whole numbers from {least} to {most}")
        return tuple(int(value) for value in values)

    return read


def _levels(text: str) -> tuple[RiskLevel, ...]:
    return tuple(RiskLevel(part) for part in text.split(","))


def _sides(text: str) -> tuple[bool, ...]:
    """Whether only long: of each."""
    parts = text.split(",")
    if not {"both", "long"}.issuperset(parts):
        raise argparse.ArgumentTypeError("both, long, or both,long")
    return tuple(part == "long" for part in parts)


def _grid(asked: argparse.Namespace) -> Grid:
    return Grid(
        levels=asked.level,
        risks=tuple(risk / PERCENT for risk in asked.risk) or (None,),
        leverages=asked.leverage,
        confidences=asked.confidence or (None,),
        cadences=asked.cadence,
        long_only=asked.side,
        break_evens=asked.break_even,
        time_stops=asked.time_stop,
        trails=asked.trail,
    )


def main() -> int:
    """Run the grid and say what the best of it is worth."""
    asked = _arguments()
    log.setup("grid", "text", "CRITICAL")
    url = deployment().database_url if asked.user is not None else ""
    over = BacktestPlan(AccountSettings(), asked.balance, asked.symbol, asked.file, asked.user, url)
    if asked.first is not None:
        here = settings.load({**settings.inherited(), "DATA_DIR": str(data_folder())})
        over = replace(over, span=day_span(asked.first, asked.last or asked.first), deployment=here)
    folder = asked.keep or data_folder() / "grids"
    plan = GridPlan(over, _grid(asked), folder, asked.scheduler, asked.workers)
    sys.stdout.writelines(told(bootstrap.grid(plan, Progress().tell), plan))
    return 0


class Progress:
    """Says every few seconds how far it is."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._next_s = seconds, 0.0
        self._begun: tuple[float, int] | None = None

    def tell(self, done: int, of: int) -> None:
        """*done* of *of* runs are there."""
        now = self._seconds()
        if self._begun is None:
            self._begun = now, done
            sys.stdout.write(f"{of:,} accounts, {done:,} of them tried before\n")
        elif now >= self._next_s or done == of:
            at, had = self._begun
            sys.stdout.write(f"{done:,} of {of:,}, {(done - had) / max(now - at, 0.001):.0f} a second\n")
            self._next_s = now + TELL_S
        sys.stdout.flush()


def told(gridded: Gridded, plan: GridPlan) -> Iterator[str]:
    """The summary, line by line."""
    found, start, words = gridded.searched, plan.over.balance, _Words(gridded.searched.ranked)
    yield f"\n{gridded.candles} candles, {gridded.days} whole days; kept in {gridded.file}\n\n"
    yield f"{'best first':12}{'return':>10}{'fall':>10}{'trades':>8}{'won':>6}{'Sharpe a day':>14}   settings\n"
    for place, (tried, ratio) in enumerate(zip(found.ranked[:SHOWN], found.sharpes, strict=False), 1):
        yield f"{place:<12}{_row(tried, start)}{ratio:>14.3f}   {words(tried.choice)}\n"
    yield f"\n{len(found.ranked):,} tried here, {found.found.tries:,} over this time with all that were tried before\n"
    yield f"deflated Sharpe   {found.found.deflated:.1%} sure that the best beats the best of as many worthless ones\n"
    yield from _held_out(found, words)
    yield f"\n{SAID[found.standing(start)]}\n"


def _row(tried: Tried, start: Decimal) -> str:
    earned, fell = _percent(tried.end / start - 1), _percent(-tried.fall)
    return f"{earned:>10}{fell:>10}{tried.trips:>8}{tried.won:>6}"


def _held_out(found: Searched, words: "_Words") -> Iterator[str]:
    if found.found.overfitted is None or found.ahead is None:
        yield f"PBO, walk-forward not told: they take {LEAST_DAYS} whole days\n"
        return
    share = f"{found.found.overfitted:.1%}"
    yield f"PBO               {share} of times the best of one half of the days is among the worse in the other\n"
    yield f"walk-forward      {found.ahead:+.2%} on days the choosing did not see\n"
    for fold in found.folds:
        yield f"    {fold.past:4} days chosen on, {fold.ahead:4} ahead: {fold.grown:+.2%}   {words(fold.choice)}\n"


class _Words:
    """Choices as a person reads them: what differs between those of the grid."""

    def __init__(self, tried: Sequence[Tried]) -> None:
        told = [json.loads(one.choice) for one in tried]
        names = dict.fromkeys(name for one in told for name in one)
        self._names = [name for name in names if len({str(one.get(name)) for one in told}) > 1]

    def __call__(self, choice: str) -> str:
        told = json.loads(choice)
        return ", ".join(f"{name} {told.get(name, 0)}" for name in self._names)


def _percent(share: Decimal) -> str:
    return f"{(share * PERCENT).quantize(CENT):+f} %"


if __name__ == "__main__":
    with last_line("grid"):
        sys.exit(main())
