"""
`make mutants`: apply each patch to a copy of the tree and run the tests that must kill it.

A mutant is killed when every named test fails in its presence (pytest's exit code 1), each in a process of its own;
passing, not being collected, hanging or a patch that no longer applies is a failure of ours. Unpatched, all the named
tests must pass: `--judged` says that somebody else tries that. Exit 1 if any mutant lives.
"""

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from tests.databases import READY
from tests.mutants.forked import OURS, Broken, Warm, import_once, tested

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", ".*_cache", ".hypothesis", "images")
GUARD, KILLER, FILE = "# guard:", "# killed by:", "+++ b/"
FAILED = 1
"""pytest's exit code when tests ran and at least one failed."""
LONGEST_S = 300
SCHEMA = ("db/", "lib/adapters/sql/database/", "lib/adapters/sql/tables/", "services/migrate.py", "tests/databases.py")
"""A mutant of what makes a database makes its own."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch of *files*: *guard* is what it takes away, *killers* the tests that must fail."""

    path: Path
    guard: str
    killers: tuple[str, ...]
    files: tuple[str, ...]


def read(path: Path) -> Mutant:
    """The mutant of a patch file; ValueError when it does not name its guard and its killer."""
    lines = path.read_text().splitlines()
    guard = next((line.removeprefix(GUARD).strip() for line in lines if line.startswith(GUARD)), "")
    killers = tuple(line.removeprefix(KILLER).strip() for line in lines if line.startswith(KILLER))
    if not guard or not killers:
        raise ValueError(f"{path.name} names no guard or no test that kills it")
    files = tuple(line.removeprefix(FILE).strip() for line in lines if line.startswith(FILE))
    return Mutant(path, guard, killers, files)


def mutants(wanted: Sequence[str] = ()) -> list[Mutant]:
    """All of them by name, or those whose name holds one of *wanted*."""
    found = (read(path) for path in sorted(HERE.glob("*.patch")))
    return [mutant for mutant in found if not wanted or any(part in mutant.path.stem for part in wanted)]


class DoesNotApply(Exception):
    """A patch and the tree do not fit."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of the project at *folder*; *said* is the file its runs write to, *warm* who has imported it already."""

    folder: Path
    said: Path
    warm: Warm | None = None

    def apply(self, patch: Path, *options: str) -> None:
        """Apply *patch* to this tree, or raise `DoesNotApply`."""
        command = ("git", "apply", *options, str(patch))
        git = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if git.returncode:
            raise DoesNotApply(f"the patch does not apply: {git.stderr.strip().partition(chr(10))[0]}")

    def tested(self, tests: Sequence[str], effort: str = "full", migrated: Path | None = None) -> int:
        """pytest's exit status of *tests* in this tree; a file that is *migrated* already serves for each SQLite."""
        return tested(self.folder, tests, self.said, LONGEST_S, {"TEST_EFFORT": effort, **_ready(migrated)})

    def fails(self, test: str, before: Mapping[Path, str], migrated: Path | None = None) -> bool:
        """Whether *test* fails where it is imported already and only what *before* was patched is not."""
        return self.warm is not None and self.warm.tested(test, before, LONGEST_S, _ready(migrated)) == FAILED

    def migrate(self) -> Path:
        """A migrated, empty SQLite file, made by this tree."""
        made = self.said.with_suffix(".db")
        command = (sys.executable, "-m", "services.migrate")
        variables = {**os.environ, "PYTHONPATH": str(self.folder), "DATABASE_URL": f"sqlite:///{made}"}
        subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, check=True)
        return made

    @contextmanager
    def patched(self, mutant: Mutant) -> Iterator[Mapping[Path, str]]:
        """
        This tree with *mutant* in it, whose files said what is given; then as it was, to the times of its files: their
        bytecode stays good.
        """
        times = {path: path.stat() for path in (self.folder / name for name in mutant.files) if path.is_file()}
        before = {path: path.read_text() for path in times}
        self.apply(mutant.path)
        try:
            yield before
        finally:
            self.apply(mutant.path, "--reverse")
            for path, was in times.items():
                os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _ready(migrated: Path | None) -> Mapping[str, str]:
    return {READY: str(migrated)} if migrated else {}


def verdict(tree: Tree, mutant: Mutant, migrated: Path | None = None) -> str:
    """ "" when *mutant* is killed by each of its tests in *tree*, else why it is not; *migrated* is as in `Tree`."""
    if any(file.startswith(SCHEMA) for file in mutant.files):
        migrated = None
    try:
        with tree.patched(mutant) as before:
            for killer in mutant.killers:
                if tree.fails(killer, before, migrated):
                    continue
                code = tree.tested((killer,), migrated=migrated)
                if code != FAILED:
                    return f"{killer} {'passes' if code == 0 else f'ends with {code}'}"
    except (DoesNotApply, Broken) as why:
        return str(why)
    return ""


def broken(tree: Tree, killers: Sequence[str]) -> str:
    """What the tests *killers* say when they do not all pass in the unpatched *tree*; "" = they do."""
    try:
        is_whole = not killers or tree.tested(killers, "glance") == 0
    except Broken as why:
        return f"{tree.said.read_text()[-4_000:]}\n{why}"
    return "" if is_whole else tree.said.read_text()[-4_000:]


def misjudging(tree: Tree, killers: Sequence[str]) -> str:
    """Which of *killers* would kill anything: they fail in the unpatched *tree* where they are imported already."""
    return "".join(
        f"{killer} fails unpatched where it is imported already\n" for killer in killers if tree.fails(killer, {})
    )


def main() -> int:
    """Run the mutants named on the command line (all by default); 1 when one of them lives."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; all by default")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--judged", action="store_true", help="somebody runs the tests unpatched, as `make ci` does")
    options = parser.parse_args()
    chosen = mutants(options.names)
    import_once()
    with tempfile.TemporaryDirectory(prefix="maemae-mutants-") as base, ThreadPoolExecutor(options.jobs) as pool:
        trees = [_copied(Path(base), number) for number in range(options.jobs)]
        killers = sorted({killer for mutant in chosen for killer in mutant.killers})
        shares = [] if options.judged else [killers[number :: options.jobs] for number in range(options.jobs)]
        if said := "".join(pool.map(broken, trees, shares)):
            print(said, "\nthe named tests do not pass on the unpatched tree")
            return 1
        with ExitStack() as until:
            warm = [until.enter_context(warmed(tree, killers)) for tree in trees]
            if said := "".join(pool.map(misjudging, warm, shares)):
                print(said, end="")
                return 1
            return told(chosen, list(pool.map(partial(_judged, _free(warm), trees[0].migrate()), chosen)))


def _copied(base: Path, number: int) -> Tree:
    folder = shutil.copytree(ROOT, base / str(number), ignore=LEFT_OUT)
    # no run writes bytecode, and each imports most of the tree: a patched file is compiled anew by its time and size
    for name in OURS:
        compileall.compile_dir(Path(folder) / name, quiet=2)
    return Tree(Path(folder), base / f"{number}.said")


@contextmanager
def warmed(tree: Tree, killers: Sequence[str]) -> Iterator[Tree]:
    """*tree* with somebody who has imported the files of *killers*, and the conftest of every folder on the way."""
    files = sorted({Path(killer.partition("::")[0]) for killer in killers})
    folders = sorted({folder for file in files for folder in file.parents})
    conftests = [file for folder in folders if (file := folder / "conftest.py") and (tree.folder / file).is_file()]
    modules = [".".join(file.with_suffix("").parts) for file in (*conftests, *files)]
    warm = Warm(tree.folder, modules, tree.said, {"TEST_EFFORT": "full"})
    try:
        yield replace(tree, warm=warm)
    finally:
        warm.close()


def _free(trees: Sequence[Tree]) -> "SimpleQueue[Tree]":
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)
    return free


def _judged(free: "SimpleQueue[Tree]", migrated: Path, mutant: Mutant) -> str:
    tree = free.get()
    try:
        return verdict(tree, mutant, migrated)
    finally:
        free.put(tree)


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
