"""
Every branch of the money rules is taken by the fast tests: run as `python -m tests.coverage_gate`.

It runs tests/domain and tests/trading under SlipCover, each in a process of its own, and fails below 100 % of the
branches of `MONEY_RULES`: the state machine, the risk rules, books and equity, the parser, the candle contract and what
judges an order's fate. It says nothing of other files; that a branch is taken does not mean its result is looked at
(mutants are for that). They are run here as `make test` runs them, so that CI runs them here alone; properties begin at
the same seed each time, at night at any.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/domain", "tests/trading")
"""Where the tests are."""
SEED = () if os.environ.get("TEST_EFFORT") == "nightly" else ("--hypothesis-seed=0",)
MONEY_RULES = (
    "lib/domain/arena.py",
    "lib/domain/audit_chain.py",
    "lib/domain/backoff.py",
    "lib/domain/books.py",
    "lib/domain/candle.py",
    "lib/domain/day.py",
    "lib/domain/decision.py",
    "lib/domain/equity.py",
    "lib/domain/exit_rules.py",
    "lib/domain/exits.py",
    "lib/domain/gates.py",
    "lib/domain/stops.py",
    "lib/domain/locks.py",
    "lib/domain/maintenance.py",
    "lib/domain/model_profile.py",
    "lib/domain/modes.py",
    "lib/domain/order.py",
    "lib/domain/order_rules.py",
    "lib/domain/performance.py",
    "lib/domain/platform_settings.py",
    "lib/domain/position.py",
    "lib/domain/preflight.py",
    "lib/domain/preflight_rules.py",
    "lib/domain/real_money.py",
    "lib/domain/pricing.py",
    "lib/domain/reason.py",
    "lib/domain/risk.py",
    "lib/domain/round_trips.py",
    "lib/domain/shadow.py",
    "lib/domain/sizing.py",
    "lib/domain/stakes.py",
    "lib/domain/demo_step.py",
    "lib/domain/stretch.py",
    "lib/domain/stored_reason.py",
    "lib/domain/switches.py",
    "lib/domain/venues.py",
    "lib/trading/cycle/candles.py",
    "lib/trading/guardian/rules.py",
    "lib/trading/orders/reconcile.py",
    "lib/trading/orders/resolve.py",
)


def measure(folder: Path, pytest_args: Sequence[str] = ()) -> int:
    """Run the tests under SlipCover, all folders at once; 0 = they pass and *folder* holds what each of them took."""
    runs = [_measuring(folder / f"{number}.json", tests, pytest_args) for number, tests in enumerate(TESTS)]
    return max([run.wait() for run in runs])


def _measuring(taken: Path, tests: str, pytest_args: Sequence[str]) -> "subprocess.Popen[bytes]":
    measured = ("--branch", "--source=lib/domain,lib/trading", "--json", f"--out={taken}")
    # its plugin of pytest's is never loaded, but it is looked for, and found loaded
    pytest = ("-m", "pytest", "-W", "ignore::pytest.PytestAssertRewriteWarning", tests, "-q", *SEED)
    command = [sys.executable, "-m", "slipcover", *measured, *pytest, *pytest_args]
    return subprocess.Popen(command, cwd=ROOT)


def judge(folder: Path) -> int:
    """Print what is missing; 0 = every line and branch of every one of the files was taken in one of the runs."""
    told = [json.loads(path.read_text("utf-8"))["files"] for path in sorted(folder.glob("*.json"))]
    missing = {name: _missed([files[name] for files in told if name in files]) for name in MONEY_RULES}
    for name, (lines, branches) in missing.items():
        if lines or branches:
            sys.stdout.write(f"{name}: lines {lines}, branches {branches} are not taken\n")
    whole = sum(missed == ([], []) for missed in missing.values())
    sys.stdout.write(f"coverage_gate: every branch of {whole} of {len(MONEY_RULES)} files\n")
    return int(whole < len(MONEY_RULES))


def _missed(runs: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[tuple[int, int]]]:
    """Lines and branches that none of *runs* took; what no run has seen counts as line 1."""
    if not runs:
        return [1], []
    lines = set.intersection(*({*run["missing_lines"]} for run in runs))
    branches = set.intersection(*({(here, there) for here, there in run["missing_branches"]} for run in runs))
    return sorted(lines), sorted(branches)


def missing_rules() -> list[str]:
    """Names in `MONEY_RULES` that are no files any more: a report without them would look whole."""
    return [name for name in MONEY_RULES if not (ROOT / name).is_file()]


def main(pytest_args: Sequence[str]) -> int:
    """The exit status: 0 only when the tests pass, every file is there, and no branch of it is untaken."""
    if gone := missing_rules():
        sys.stdout.write(f"coverage_gate: {', '.join(gone)} moved; name what holds the rules now\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="maemae-coverage-") as folder:
        return measure(Path(folder), pytest_args) or judge(Path(folder))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
