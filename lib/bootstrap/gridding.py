"""
`make grid`, wired: the accounts of a grid over one past, run by a crowd of workers, and kept as they are made.

What an account came to is kept under a key of everything it follows from: the candles, the answers, the balance, its
choices, and the engine's own code. So a grid that was cut off anywhere goes on where it was, and none is run twice. A
worker whose code is another's refuses. The files of a folder are the record of all that was tried: a grid counts every
try over its symbol and time that is in any of them, so whoever deletes them deludes themselves.
"""

import hashlib
import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import cast

from lib.adapters.dask.crowd import Crowd
from lib.adapters.keyed_file import Row, keyed_file, read_keyed
from lib.bootstrap.backtesting import BacktestPlan, candles_of, recorded
from lib.bootstrap.grid_worker import Past, batches, code_digest, course_over, worked
from lib.domain.account import AccountSettings
from lib.domain.errors import Halt
from lib.evidence.account import Heard
from lib.evidence.grid import MOST_RUNS, Grid, Searched, Tried, searched


@dataclass(frozen=True, slots=True)
class GridPlan:
    """
    *grid* over the past and the answers of *over* (its settings are not used), kept in *folder*. *scheduler* None =
    *workers* processes of this machine, 0 = one a core.
    """

    over: BacktestPlan
    grid: Grid
    folder: Path
    scheduler: str | None = None
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Gridded:
    """What came of it: *candles* and whole *days* of the past; *made* of the accounts were run now, others before."""

    candles: int
    days: int
    made: int
    file: Path
    searched: Searched


def grid(plan: GridPlan, heard: Callable[[int, int], None] = lambda done, of: None) -> Gridded:
    """Run what of *plan* was not yet, telling *heard* how far it is; *Halt* in one line when it cannot be."""
    accounts = _accounts(plan.grid)
    past = _past_of(plan.over)
    course = course_over(past)
    if len(course.days) < 2:
        raise Halt("a grid is judged by whole days: there are less than two")
    packed, code, answers = zlib.compress(pickle.dumps(past)), code_digest(), _digest(past.answers)
    candles = _digest(past.candles)
    keys = {_key(candles, answers, past.balance, code, choice): choice for choice in accounts}
    with keyed_file(_file_of(plan.folder, past), _head(past)) as file:
        missing = [accounts[choice] for key, choice in keys.items() if key not in file.rows]
        heard(len(keys) - len(missing), len(keys))
        with_key = {choice: key for key, choice in keys.items()}
        for batch in _made(plan, missing, packed, code):
            file.add({with_key[one.choice]: _row(one, answers, past.balance) for one in batch})
            heard(sum(key in file.rows for key in keys), len(keys))
        tried = [_tried(file.rows[key]) for key in keys]
    found = searched(tried, _tries(plan.folder, past))
    return Gridded(len(past.candles), len(course.days), len(missing), _file_of(plan.folder, past), found)


def _accounts(asked: Grid) -> dict[str, AccountSettings]:
    if len(asked) > MOST_RUNS:
        raise Halt(f"{len(asked):,} combinations are more than {MOST_RUNS:,}")
    try:
        return asked.accounts()
    except ValueError as odd:
        raise Halt(str(odd)) from None


def _made(plan: GridPlan, missing: list[AccountSettings], packed: bytes, code: str) -> Iterator[Sequence[Tried]]:
    if not missing:
        return
    with Crowd(plan.scheduler, min(plan.workers, len(missing))) as crowd:
        yield from crowd.each(worked, batches(missing, code), packed)


def _past_of(plan: BacktestPlan) -> Past:
    calls = recorded(plan)
    answers = {call.t_ms: Heard(call.decision, call.tokens, call.failed) for call in calls}
    candles = tuple(candles_of(plan, calls))
    return Past(plan.symbol, candles, answers if plan.user_id is not None else None, plan.balance)


def _digest(found: object) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _file_of(folder: Path, past: Past) -> Path:
    return folder / f"{past.symbol}-{_digest(past.candles)}.jsonl"


def _head(past: Past) -> Row:
    return {"symbol": past.symbol, "from_ms": past.candles[0].open_time, "until_ms": past.candles[-1].open_time}


def _key(*parts: object) -> str:
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _row(tried: Tried, answers: str, balance: Decimal) -> Row:
    return {
        "answers": answers,
        "balance": str(balance),
        "choice": tried.choice,
        "end": str(tried.end),
        "fall": str(tried.fall),
        "trips": tried.trips,
        "won": tried.won,
        "days": list(tried.days),
    }


def _tried(row: Row) -> Tried:
    return Tried(
        choice=str(row["choice"]),
        end=Decimal(str(row["end"])),
        fall=Decimal(str(row["fall"])),
        trips=cast(int, row["trips"]),
        won=cast(int, row["won"]),
        days=tuple(cast(list[float], row["days"])),
    )


def _tries(folder: Path, past: Past) -> int:
    """Every different account that was ever tried over this symbol and any of this time, as the folder knows."""
    counted: set[tuple[object, ...]] = set()
    mine = _head(past)
    for path in folder.glob(f"{past.symbol}-*.jsonl"):
        head, rows = read_keyed(path)
        if _overlap(head, mine):
            counted |= {(path.name, row["answers"], row["balance"], row["choice"]) for row in rows.values()}
    return len(counted)


def _overlap(one: Row, other: Row) -> bool:
    begun = max(int(str(one.get("from_ms", 1 << 62))), int(str(other["from_ms"])))
    return begun <= min(int(str(one.get("until_ms", -1))), int(str(other["until_ms"])))
