"""
`make test`: every test, the ones that work beside the ones that wait; `make ci` adds `make check` and the proofs of
the tests.

Tests with real processes spend their time waiting for them, so they run in a lane of their own beside the tests that
need the processor; those give way (nice), because a test that waits has a time limit. Browser tests come after the
waiting ones: Playwright keeps an event loop in its thread, and no coroutine test may share a process with it. Every
test is in exactly one part, by its folder.

The proofs of the tests are nobody's: whichever lane has ended its own parts takes the next of them, so that no lane
stands still beside one that has minutes to go.

What the second lane says is printed when a part of it ends. The exit status is 0 only when every part's is. In CI no
assert is rewritten to say why it fails, which is two fifths of collecting: what failed is run once more to say it, and
stays failed.
"""

import argparse
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.coverage_gate import TESTS

ROOT = Path(__file__).resolve().parents[1]
PYTEST = (sys.executable, "-m", "pytest", "-q")
TWO = ("-n", "2", "--dist", "worksteal")
GIVES_WAY = ("nice", "-n", "5")
WAITING = ("tests/e2e", "tests/floods", "tests/llama", "tests/torture")
BROWSER = "tests/browser"
MEASURED = TESTS
"""What the coverage gate runs whole: `make ci` does not run it twice."""


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a lane."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a part ended, and after how many seconds."""

    name: str
    status: int
    took_s: float


PLAINLY = "--assert=plain"
AND_WHY = ("--assert=rewrite", "--last-failed", "--last-failed-no-failures=none", "--maxfail=20")
"""Added to what failed with asserts as they stand: the failed tests alone, whose asserts say why."""


def working(*but: str) -> Part:
    """Every test that needs the processor, except in the folders *but*."""
    ignored = (f"--ignore={folder}" for folder in (*WAITING, BROWSER, *but))
    return Part("tests that work", (*GIVES_WAY, *PYTEST, *TWO, "tests", *ignored))


WAITS = (
    Part("tests that wait", (*PYTEST, *TWO, *WAITING)),
    Part("tests in a browser", (*PYTEST, "-m", "browser", BROWSER)),
)


def plainly(part: Part) -> Part:
    """The tests of *part* with asserts as they stand."""
    return Part(part.name, (*part.command, PLAINLY))


COVERAGE = Part("make coverage", (*GIVES_WAY, sys.executable, "-m", "tests.coverage_gate"))
MUTANTS = Part("make mutants", (*GIVES_WAY, sys.executable, "-m", "tests.mutants", "--judged"))
CHECK = Part("make check", ("make", "--no-print-directory", "check"))

Lane = Sequence[Part]


def lanes(*, ci: bool) -> tuple[Lane, Lane, Lane]:
    """What runs one after the other in the lane that is shown as it goes, beside it, and in whichever ends first."""
    if not ci:
        return (working(),), WAITS, ()
    return (plainly(working(*MEASURED)),), (CHECK, *map(plainly, WAITS)), (COVERAGE, MUTANTS)


def run(lane: Lane, free: deque[Part], *, shown: bool) -> list[Ended]:
    """
    Run the parts of *lane* and then what is left of *free*, whatever becomes of the ones before.

    They are told at once, or a part at a time.
    """
    ended = []
    for part in chain(lane, _taken(free)):
        began = time.monotonic()
        heard = None if shown else subprocess.PIPE
        done = subprocess.run(part.command, cwd=ROOT, stdout=heard, stderr=subprocess.STDOUT, check=False)
        ended.append(Ended(part.name, done.returncode, time.monotonic() - began))
        said = done.stdout or b""
        if done.returncode and PLAINLY in part.command:
            why = (*part.command, *AND_WHY)
            said += subprocess.run(why, cwd=ROOT, stdout=heard, stderr=subprocess.STDOUT, check=False).stdout or b""
        if said:
            sys.stdout.write(f"\n--- {part.name}\n{said.decode(errors='replace')}")
            sys.stdout.flush()
    return ended


def _taken(free: deque[Part]) -> Iterator[Part]:
    """Parts of *free* until there is none, each taken when the one before has ended and by one lane alone."""
    with suppress(IndexError):
        while True:
            yield free.popleft()


def beside_browsers(named: Sequence[str]) -> tuple[str, ...]:
    """pytest's options for tests somebody *named*: those of the browser only when they are meant."""
    is_meant = any(word.startswith(BROWSER) for word in named)
    return ("-m", "browser") if is_meant else ("-n", "2", "-m", "not browser")


def main() -> int:
    """Run both lanes, or with arguments of pytest just the tests they name."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--ci", action="store_true", help="also `make check`, the coverage gate and the mutants")
    options, named = parser.parse_known_args()
    if named:
        return subprocess.run([*PYTEST, *beside_browsers(named), *named], cwd=ROOT, check=False).returncode
    with ThreadPoolExecutor(2) as pool:
        shown, beside, proofs = lanes(ci=options.ci)
        free = deque(proofs)
        waiting = pool.submit(run, beside, free, shown=False)
        ended = run(shown, free, shown=True) + waiting.result()
    for part in ended:
        print(f"{'FAILED' if part.status else 'ok':<7} {part.name:<20} {part.took_s / 60:.1f} min")
    return max(part.status != 0 for part in ended)


if __name__ == "__main__":
    raise SystemExit(main())
