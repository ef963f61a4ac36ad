"""
What runs the accounts of a grid, at whichever worker: apart from the command, for what it takes to import.

A worker whose code is not the asker's refuses.
"""

import hashlib
import pickle
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from lib.bootstrap.bundled_rules import bundled_rules
from lib.domain.account import AccountSettings
from lib.domain.candle import Candle
from lib.domain.errors import Halt
from lib.evidence.account import Heard
from lib.evidence.backtest import times_of
from lib.evidence.desk import Terms
from lib.evidence.grid import Course, Tried
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of

BATCH = 25
"""Runs a worker is given at once: two seconds of work, and what a killed one loses."""
LIB = Path(__file__).resolve().parents[1]
ENGINE = ("domain", "evidence", "simulator")
"""Folders of lib whose code decides what a run comes to."""


@dataclass(frozen=True, slots=True)
class Past:
    """All that a worker needs: *answers* None = it asks the bundled rules."""

    symbol: str
    candles: tuple[Candle, ...]
    answers: Mapping[int, Heard] | None
    balance: Decimal


Batch = tuple[str, tuple[AccountSettings, ...]]
"""The digest of the code that is to run them, and accounts."""


def batches(missing: Sequence[AccountSettings], code: str) -> list[Batch]:
    """*missing* in batches, those that ask the same beside each other."""
    alike = sorted(missing, key=lambda one: (one.risk_level, one.profile.leverage_cap))
    size = max(1, min(BATCH, len(alike) // 16))
    return [(code, tuple(alike[first : first + size])) for first in range(0, len(alike), size)]


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
    return course_over(pickle.loads(zlib.decompress(packed)))  # noqa: S301


def course_over(past: Past) -> Course:
    """The course of accounts over *past*; *Halt* when no decision can be replayed."""
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
