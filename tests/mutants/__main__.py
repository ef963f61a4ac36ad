"""
`make mutants`: apply each patch to a copy of the tree and run the tests that must kill it.

A mutant is killed when every named test fails in its presence (pytest's exit code 1); passing, not being collected or a
patch that no longer applies is a failure of ours. Unpatched, all the named tests must pass. Exit 1 if any mutant lives.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "images")
GUARD, KILLER = "# guard:", "# killed by:"
FAILED = 1
"""pytest's exit code when tests ran and at least one failed."""
LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch: *guard* is what it takes away, *killers* the tests that must fail."""

    path: Path
    guard: str
    killers: tuple[str, ...]


def read(path: Path) -> Mutant:
    """The mutant of a patch file; ValueError when it does not name its guard and its killer."""
    lines = path.read_text().splitlines()
    guard = next((line.removeprefix(GUARD).strip() for line in lines if line.startswith(GUARD)), "")
    killers = tuple(line.removeprefix(KILLER).strip() for line in lines if line.startswith(KILLER))
    if not guard or not killers:
        raise ValueError(f"{path.name} names no guard or no test that kills it")
    return Mutant(path, guard, killers)


def mutants(wanted: Sequence[str] = ()) -> list[Mutant]:
    """All of them by name, or those whose name holds one of *wanted*."""
    found = (read(path) for path in sorted(HERE.glob("*.patch")))
    return [mutant for mutant in found if not wanted or any(part in mutant.path.stem for part in wanted)]


def run(command: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """*command* in *folder*, with what it said."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)


def tested(folder: Path, killers: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """The tests *killers* in the tree at *folder*."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header")
    return run((sys.executable, "-m", "pytest", *options, *killers), folder)


def verdict(folder: Path, mutant: Mutant) -> str:
    """ "" when *mutant* is killed by each of its tests in the tree at *folder*, else why it is not."""
    applied = run(("git", "apply", str(mutant.path)), folder)
    if applied.returncode:
        return f"the patch does not apply: {applied.stderr.strip().splitlines()[0]}"
    try:
        for killer in mutant.killers:
            code = tested(folder, (killer,)).returncode
            if code != FAILED:
                return f"{killer} {'passes' if code == 0 else f'ends with {code}'}"
    except subprocess.TimeoutExpired as hangs:
        return f"hangs: {hangs.cmd[-1]}"
    finally:
        run(("git", "apply", "--reverse", str(mutant.path)), folder)
    return ""


def main() -> int:
    """Run the mutants named on the command line (all by default); 1 when one of them lives."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; all by default")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen = mutants(options.names)
    with tempfile.TemporaryDirectory(prefix="maemae-mutants-") as base:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            trees.put(Path(shutil.copytree(ROOT, Path(base) / str(number), ignore=LEFT_OUT)))
        whole = tested(Path(base) / "0", sorted({killer for mutant in chosen for killer in mutant.killers}))
        if whole.returncode:
            print(whole.stdout[-4_000:], "\nthe named tests do not pass on the unpatched tree")
            return 1

        def judge(mutant: Mutant) -> str:
            tree = trees.get()
            try:
                return verdict(tree, mutant)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(options.jobs) as pool:
            return told(chosen, list(pool.map(judge, chosen)))


def told(chosen: Sequence[Mutant], verdicts: Sequence[str]) -> int:
    """Print the table; 1 when any lives."""
    for mutant, lives in zip(chosen, verdicts, strict=True):
        print(
            f"{'LIVES ' if lives else 'killed'}  {mutant.path.stem:<34} {mutant.guard}{f' — {lives}' if lives else ''}"
        )
    living = sum(bool(lives) for lives in verdicts)
    print(f"{len(chosen)} mutants, {len(chosen) - living} killed, {living} alive")
    return 1 if living or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
