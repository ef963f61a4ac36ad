"""
`make test`: every test, the ones that work beside the ones that wait; `make ci` adds `make check` and the proofs of
the tests.

Tests with real processes spend their time waiting for them, so they run in a lane of their own beside the tests that
need the processor; those give way (nice), because a test that waits has a time limit. Browser tests come after the
waiting ones: Playwright keeps an event loop in its thread, and no coroutine test may share a process with it. Every
test is in exactly one part, by its folder.

The proofs of the tests are nobody's: whichever lane has ended its own parts takes the next of them, so that no lane
stands still beside one that has minutes to go. In CI the lanes begin when Python's packages are there and the servers
are still on their way, with the parts that need none.

What the second lane says is printed when a part of it ends. The exit status is 0 only when every part's is. In CI no
assert is rewritten to say why it fails, which is two fifths of collecting: what failed is run once more to say it, and
stays failed.
"""

import argparse
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.coverage_gate import TESTS

ROOT = Path(__file__).resolve().parents[1]
PYTHON = str(ROOT / ".venv" / "bin" / "python")
PYTEST = (PYTHON, "-m", "pytest", "-q")
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
    needs_servers: bool = True


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


MAKE = ("make", "--no-print-directory")
PACKAGES = Part("packages", (*MAKE, "-j2", ".venv/dev.stamp", ".venv/llama.stamp"), needs_servers=False)
SERVERS = Part("servers", (*MAKE, "servers"), needs_servers=False)
COVERAGE = Part("make coverage", (*GIVES_WAY, PYTHON, "-m", "tests.coverage_gate"), needs_servers=False)
MUTANTS = Part("make mutants", (*GIVES_WAY, PYTHON, "-m", "tests.mutants", "--judged"))
CHECK = Part("make check", (*MAKE, "check"), needs_servers=False)

Lane = Sequence[Part]


def lanes(*, ci: bool) -> tuple[Lane, Lane, Lane]:
    """What runs one after the other in the lane that is shown as it goes, beside it, and in whichever ends first."""
    if not ci:
        return (working(),), WAITS, ()
    return (COVERAGE, plainly(working(*MEASURED))), (CHECK, *map(plainly, WAITS)), (MUTANTS,)


def run(lane: Lane, free: deque[Part], *, shown: bool, servers: Callable[[], object] = lambda: None) -> list[Ended]:
    """
    Run the parts of *lane* and then what is left of *free*, whatever becomes of the ones before; *servers* returns when
    the servers are there.

    They are told at once, or a part at a time.
    """
    ended = []
    for part in chain(lane, _taken(free)):
        if part.needs_servers:
            servers()
        ended.append(_ended(part, shown=shown))
    return ended


def _ended(part: Part, *, shown: bool) -> Ended:
    began = time.monotonic()
    heard = None if shown else subprocess.PIPE
    done = subprocess.run(part.command, cwd=ROOT, stdout=heard, stderr=subprocess.STDOUT, check=False)
    took_s = time.monotonic() - began
    said = done.stdout or b""
    if done.returncode and PLAINLY in part.command:
        why = (*part.command, *AND_WHY)
        said += subprocess.run(why, cwd=ROOT, stdout=heard, stderr=subprocess.STDOUT, check=False).stdout or b""
    if said:
        sys.stdout.write(f"\n--- {part.name}\n{said.decode(errors='replace')}")
        sys.stdout.flush()
    return Ended(part.name, done.returncode, took_s)


def _taken(free: deque[Part]) -> Iterator[Part]:
    """Parts of *free* until there is none, each taken when the one before has ended and by one lane alone."""
    with suppress(IndexError):
        while True:
            yield free.popleft()


def both(*, ci: bool) -> list[Ended]:
    """Run both lanes, in CI when their packages are there and while the servers come."""
    shown, beside, proofs = lanes(ci=ci)
    free = deque(proofs)
    with ThreadPoolExecutor(2 + ci) as pool:
        coming = [pool.submit(_ended, SERVERS, shown=True)] if ci else []
        packages = [_ended(PACKAGES, shown=True)] if ci else []
        if any(part.status for part in packages):
            return packages

        def servers() -> None:
            wait(coming)

        waiting = pool.submit(run, beside, free, shown=False, servers=servers)
        ended = run(shown, free, shown=True, servers=servers)
        return [*packages, *(part.result() for part in coming), *ended, *waiting.result()]


def beside_browsers(named: Sequence[str]) -> tuple[str, ...]:
    """pytest's options for tests somebody *named*: those of the browser only when they are meant."""
    is_meant = any(word.startswith(BROWSER) for word in named)
    return ("-m", "browser") if is_meant else ("-n", "2", "-m", "not browser")


def main() -> int:
    """Run both lanes, or with arguments of pytest just the tests they name."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--ci", action="store_true", help="also what they need, `make check`, the gate and the mutants")
    options, named = parser.parse_known_args()
    if named:
        return subprocess.run([*PYTEST, *beside_browsers(named), *named], cwd=ROOT, check=False).returncode
    ended = both(ci=options.ci)
    for part in ended:
        print(f"{'FAILED' if part.status else 'ok':<7} {part.name:<20} {part.took_s / 60:.1f} min")
    return max(part.status != 0 for part in ended)


if __name__ == "__main__":
    raise SystemExit(main())
