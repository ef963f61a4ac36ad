"""
Every branch of the money rules is taken by the fast tests: run as `python -m tests.coverage_gate`.

It runs tests/domain and tests/trading under coverage, each in a process of its own, and fails below 100 % of the
branches of `MONEY_RULES`: the state machine, the risk rules, books and equity, the parser, the candle contract and what
judges an order's fate. It says nothing of other files; that a branch is taken does not mean its result is looked at
(mutants are for that). Properties have fifty examples in tests/domain, which `make test` runs in full; tests/trading is
run here as there, so that CI runs it here alone.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.effort import EFFORT_NAME

ROOT = Path(__file__).resolve().parents[1]
TESTS = {"tests/domain": "glance", "tests/trading": EFFORT_NAME}
"""Where the tests are, and with what effort (`tests.effort`) they run."""
MONEY_RULES = (
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
    "lib/domain/stored_reason.py",
    "lib/domain/switches.py",
    "lib/domain/venues.py",
    "lib/trading/cycle/candles.py",
    "lib/trading/guardian/rules.py",
    "lib/trading/orders/reconcile.py",
    "lib/trading/orders/resolve.py",
)


def measure(data_file: str, pytest_args: Sequence[str] = ()) -> int:
    """Run the tests under coverage, all folders at once; 0 = they pass and what they took is in *data_file*."""
    runs = [_measuring(f"{data_file}.{number}", tests, pytest_args) for number, tests in enumerate(TESTS)]
    worst = max([run.wait() for run in runs])
    return worst or _python("-m", "coverage", "combine", "-q", f"--data-file={data_file}", str(Path(data_file).parent))


def _measuring(data_file: str, tests: str, pytest_args: Sequence[str]) -> "subprocess.Popen[bytes]":
    measured = ("--branch", f"--data-file={data_file}", "--source=lib/domain,lib/trading")
    pytest = ("-m", "pytest", tests, "-q", "--hypothesis-seed=0", *pytest_args)
    command = [sys.executable, "-m", "coverage", "run", *measured, *pytest]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TEST_EFFORT": TESTS[tests]})


def judge(data_file: str) -> int:
    """Print what is missing; 0 = every branch of every one of the files was taken."""
    asked = (f"--data-file={data_file}", f"--include={','.join(MONEY_RULES)}")
    return _python("-m", "coverage", "report", *asked, "--show-missing", "--precision=2", "--fail-under=100")


def missing_rules() -> list[str]:
    """Names in `MONEY_RULES` that are no files any more: a report without them would look whole."""
    return [name for name in MONEY_RULES if not (ROOT / name).is_file()]


def main(pytest_args: Sequence[str]) -> int:
    """The exit status: 0 only when the tests pass, every file is there, and no branch of it is untaken."""
    if gone := missing_rules():
        sys.stdout.write(f"coverage_gate: {', '.join(gone)} moved; name what holds the rules now\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="maemae-coverage-") as folder:
        data_file = str(Path(folder) / "data")
        return measure(data_file, pytest_args) or judge(data_file)


def _python(*arguments: str) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
