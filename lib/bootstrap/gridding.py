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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import cast

from lib.adapters.dask.crowd import Crowd
from lib.adapters.keyed_file import Row, keyed_file, read_keyed
from lib.bootstrap.backtesting import BacktestPlan, bundled_rules, candles_of, recorded
from lib.domain.account import AccountSettings
from lib.domain.candle import Candle
from lib.domain.errors import Halt
from lib.evidence.account import Heard
from lib.evidence.backtest import times_of
from lib.evidence.desk import Terms
from lib.evidence.grid import MOST_RUNS, Course, Grid, Searched, Tried, searched
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of

BATCH = 25
"""Runs a worker is given at once: two seconds of work, and what a killed one loses."""
LIB = Path(__file__).resolve().parents[1]
ENGINE = ("domain", "evidence", "simulator")
"""Folders of lib whose code decides what a run comes to."""


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


@dataclass(frozen=True, slots=True)
class Past:
    """All that a worker needs: *answers* None = it asks the bundled rules."""

    symbol: str
    candles: tuple[Candle, ...]
    answers: Mapping[int, Heard] | None
    balance: Decimal


def grid(plan: GridPlan, heard: Callable[[int, int], None] = lambda done, of: None) -> Gridded:
    """Run what of *plan* was not yet, telling *heard* how far it is; *Halt* in one line when it cannot be."""
    accounts = _accounts(plan.grid)
    past = _past_of(plan.over)
    course = _course_over(past)
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


Batch = tuple[str, tuple[AccountSettings, ...]]
"""The digest of the code that is to run them, and accounts."""


def batches(missing: Sequence[AccountSettings], code: str) -> list[Batch]:
    """*missing* in batches, those that ask the same beside each other."""
    alike = sorted(missing, key=lambda one: (one.risk_level, one.profile.leverage_cap))
    size = max(1, min(BATCH, len(alike) // 16))
    return [(code, tuple(alike[first : first + size])) for first in range(0, len(alike), size)]


# --- at a worker ----------------------------------------------------------------------------------------------------


def worked(batch: Batch, packed: bytes) -> list[Tried]:
    """The accounts of *batch* over the past in *packed*; *Halt* where this worker's code is not the asker's."""
    code, accounts = batch
    if code != code_digest():
        raise Halt("a worker has another version of this project: no run of its is comparable")
    course = _course(packed)
    return [course.run(settings) for settings in accounts]


@lru_cache(maxsize=1)
def _course(packed: bytes) -> Course:
    """Unpacked once a worker. The bytes come from whoever may run code here anyway."""
    return _course_over(pickle.loads(zlib.decompress(packed)))  # noqa: S301


def _course_over(past: Past) -> Course:
    terms = Terms(instrument_of(past.symbol))
    tape = Tape(past.symbol, past.candles, terms.instrument.tick_size)
    times = times_of(tape, 5)
    if past.answers is not None:
        times = [t_ms for t_ms in times if t_ms in past.answers]
    if not times:
        raise Halt("there is no decision to replay: no T has thirty candles before it and an answer")
    return Course(tape, terms, _answered(past, tape, times), times, past.balance)


def _answered(past: Past, tape: Tape, times: Sequence[int]) -> Callable[[AccountSettings], Mapping[int, Heard]]:
    """What an account is answered: the record, whoever asks, or the bundled rules, asked once for those alike."""
    if (recorded_ones := past.answers) is not None:
        return lambda settings: recorded_ones
    asked: dict[tuple[str, int], Mapping[int, Heard]] = {}

    def answers(settings: AccountSettings) -> Mapping[int, Heard]:
        of = settings.risk_level.value, settings.profile.leverage_cap
        if of not in asked:
            asked.clear()  # accounts that ask the same follow each other
            ask = bundled_rules(settings, tape)
            asked[of] = {t_ms: ask(t_ms) for t_ms in times}
        return asked[of]

    return answers


@lru_cache(maxsize=1)
def code_digest() -> str:
    """A digest of the code that decides what a run comes to."""
    made = hashlib.sha256()
    for path in sorted(path for folder in ENGINE for path in (LIB / folder).rglob("*.py")):
        made.update(path.relative_to(LIB).as_posix().encode() + b"\0" + path.read_bytes())
    return made.hexdigest()


# --- what is kept ---------------------------------------------------------------------------------------------------


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
