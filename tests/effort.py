"""
How hard the tests try: TEST_EFFORT is `glance`, `full` or `nightly`.

Every test runs under each of them with the same assertions; what differs is how many examples a property is tried on
and how many worlds are simulated. `full` is every `make test`, on somebody's machine and in CI. `nightly` tries ten
times as many, five times the seeded scenes, and every odd value at every place. Whether tests that a mutant must fail
pass without it is `glance`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import hypothesis

T = TypeVar("T")
SHARES = 5


@dataclass(frozen=True, slots=True)
class Effort:
    """
    *examples* of a property that names no number, *most* of one that does, multiplied by *times*; one of so many
    seeded scenes is tried: *one_in*.
    """

    examples: int
    most: int
    times: int
    worlds: int
    one_in: int = 5


EFFORTS = {
    "glance": Effort(examples=50, most=50, times=1, worlds=1),
    "full": Effort(examples=50, most=100, times=1, worlds=80),
    "nightly": Effort(examples=1_000, most=100_000, times=10, worlds=4_000, one_in=1),
}
EFFORT_NAME = os.environ.get("TEST_EFFORT") or "full"
EFFORT = EFFORTS[EFFORT_NAME]


def examples(count: int, **others: object) -> hypothesis.settings:
    """The settings of a property worth *count* examples in CI."""
    return hypothesis.settings(max_examples=min(count * EFFORT.times, EFFORT.most), **others)  # type: ignore[arg-type]


def spread(values: Sequence[T], number: int) -> Sequence[T]:
    """
    What is tried at place *number* of many that all ask for *values*: all of it at night, else a fifth.

    Each place has another fifth than the next, so that every value is tried, and every place with many.
    """
    return values if EFFORT.one_in == 1 else values[number % SHARES :: SHARES]


def seeds(count: int) -> range:
    """The seeds of a test worth *count* seeded scenes at night: the first of them, as many as this effort tries."""
    return range(count // EFFORT.one_in)


def load_profile() -> None:
    """Give Hypothesis this effort; a busy machine is no failure, so no property is judged by how long it took."""
    hypothesis.settings.register_profile("maemae", deadline=None, max_examples=EFFORT.examples)
    # whether a test fails is all a mutant is asked: the same examples each time, and no search for the smallest
    hypothesis.settings.register_profile(
        "mutants",
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    hypothesis.settings.load_profile("maemae")
