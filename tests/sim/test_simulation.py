"""
The proof, some hundred seeds at a time: no fault, crash, pause or person makes the real traders break a promise.

`SIM_SEEDS=60000` (or `make sim`) tries more, `tests.effort` says how many where nobody asked. Seeds that ever failed
are tried for ever: tests/sim/kept_seeds.py.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain

import pytest

from lib.domain.order import OrderState
from tests.effort import EFFORT
from tests.sim.budget import BUDGET_FAULTS
from tests.sim.crowd import ACTS
from tests.sim.events import BUDGET_EVENTS, EVENTS
from tests.sim.fairness import AIMED, delays
from tests.sim.hints import HINT_FAULTS
from tests.sim.kept_seeds import KEPT
from tests.sim.temper import ANSWERS, AT_CREATE, NETWORK
from tests.sim.trial import Totals, try_many, try_seed

FIRST = 78
RARE = (103, 157)
"""Worlds of what few others have: an order that is refused for good, an address that is blocked."""
SHOWN = (*range(FIRST), *RARE)
"""These worlds show every fault and reach every state."""
SEEDS = max(FIRST, int(os.environ.get("SIM_SEEDS") or EFFORT.worlds))
CHUNKS = max(1, (SEEDS - FIRST) // 40)
SQLITE_EVERY = 50
PYTHON_SEEDS = ("1", "4242")
ALIKE = range(5)


def _chunk(number: int) -> range:
    rest = SEEDS - FIRST
    return range(FIRST + number * rest // CHUNKS, FIRST + (number + 1) * rest // CHUNKS)


def _unbroken(seeds: Sequence[int]) -> Totals:
    totals = Totals()
    for result in try_many(seeds, sqlite_every=SQLITE_EVERY):
        totals.add(result)
    assert [(result.seed, result.problems) for result in totals.violating] == []
    assert totals.accepted > 0.4 * totals.seeds or not seeds
    return totals


@pytest.mark.parametrize("number", range(CHUNKS))
def test_no_seed_breaks_a_promise(number: int) -> None:
    assert _unbroken(_chunk(number)).seeds == len(_chunk(number))


@pytest.mark.parametrize("seed", KEPT, ids=str)
def test_a_seed_that_once_failed_fails_no_more(seed: int) -> None:
    assert try_seed(seed).problems == ()


def test_every_fault_happens_every_state_is_reached_and_no_promise_is_broken() -> None:
    totals = _unbroken(SHOWN)
    acts = [f"people: {name}" for name in ACTS]
    kinds = {*ANSWERS, *AT_CREATE, *EVENTS, *acts, *OTHER_FAULTS, *(NETWORK_NAMES.get(kind, kind) for kind in NETWORK)}
    assert sorted(kind for kind in kinds if not totals.faults[kind]) == []
    # an order becomes a person's after a day without evidence: no world is that long
    assert {state.value for state in OrderState} - set(totals.states) == {"NEEDS_HUMAN"}


NETWORK_NAMES = {kind: f"request {kind}" for kind in ("lost", "late", "duplicated")}
OTHER_FAULTS = (
    *HINT_FAULTS,
    *BUDGET_FAULTS,
    *BUDGET_EVENTS,
    *("crash", "pause", "clock skew", "ledger down", "commit applied", "commit lost", "rollback", "refuse_stop"),
    *("redis down", "redis flushed", "redis stale", "redis another feed's", "redis a hole", "redis status lost"),
    *(f"analyst {mood}" for mood in ("hangs", "fails", "slow", "garbage", "absurd")),
)


def test_the_same_seed_is_the_same_run_in_another_process() -> None:
    told = [_fingerprints(hash_seed) for hash_seed in PYTHON_SEEDS]
    assert told[0] == told[1]
    assert told[0].split() == [try_seed(seed).fingerprint for seed in ALIKE]


def _fingerprints(hash_seed: str) -> str:
    code = f"from tests.sim.trial import try_seed; [print(try_seed(seed).fingerprint) for seed in {ALIKE}]"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.mark.parametrize("fate", AIMED)
def test_one_accounts_trouble_delays_nobody_else_by_more_than_a_second(fate: str) -> None:
    worst = [delays(seed, fate) for seed in range(2)]
    assert all(worst)
    assert max(chain.from_iterable(found.values() for found in worst)) <= 1_000
