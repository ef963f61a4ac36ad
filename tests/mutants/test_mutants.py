"""What counts as killed, on a tree of three lines: only a named test that ran and failed."""

from pathlib import Path

import pytest

from tests.mutants import forked
from tests.mutants.__main__ import Tree, read, verdict

LAW = "LIMIT = 3\n"
TESTS = """
import os
from law import LIMIT

def test_the_limit_is_three():
    assert LIMIT == 3

def test_the_limit_is_a_number():
    assert LIMIT

def test_ends_the_whole_process_once_the_limit_is_gone():
    if LIMIT != 3:
        os._exit(1)
"""
PROFILE = """
import hypothesis

hypothesis.settings.register_profile("mutants")
"""
PATCH = """# guard: the limit
# killed by: {killer}
--- a/law.py
+++ b/law.py
@@ -1 +1 @@
-LIMIT = 3
+LIMIT = 9
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "law.py").write_text(LAW)
    (folder / "test_law.py").write_text(TESTS)
    (folder / "conftest.py").write_text(PROFILE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return Tree(folder, tmp_path / "said")


@pytest.mark.parametrize(
    ("killer", "why"),
    [
        ("test_law.py::test_the_limit_is_three", ""),
        ("test_law.py::test_the_limit_is_a_number", "test_law.py::test_the_limit_is_a_number passes"),
        ("test_law.py::test_nobody_wrote", "test_law.py::test_nobody_wrote ends with 4"),
        ("test_law.py::test_ends_the_whole_process_once_the_limit_is_gone", "the run died with 1"),
    ],
)
def test_only_a_named_test_that_ran_and_failed_kills(tree: Tree, tmp_path: Path, killer: str, why: str) -> None:
    patch = tmp_path / "no_limit.patch"
    patch.write_text(PATCH.format(killer=killer))
    assert verdict(tree, read(patch)) == why, tree.said.read_text()
    assert (tree.folder / "law.py").read_text() == LAW, "the next mutant begins with the tree as it was"


def test_a_patch_that_no_longer_applies_is_said(tree: Tree, tmp_path: Path) -> None:
    patch = tmp_path / "no_limit.patch"
    patch.write_text(PATCH.format(killer="test_law.py::test_the_limit_is_three"))
    (tree.folder / "law.py").write_text("LIMIT = 4\n")
    assert "does not apply" in verdict(tree, read(patch))


def test_a_run_that_never_ends_is_killed_and_kills_nothing(tree: Tree) -> None:
    (tree.folder / "test_law.py").write_text("def test_it():\n    while True:\n        pass\n")
    with pytest.raises(forked.Broken, match="hangs"):
        forked.tested(tree.folder, ("test_law.py",), tree.said, 0.5, {})
