"""What counts as killed, on a tree of three lines: only a named test that ran and failed."""

from pathlib import Path

import pytest

from tests.mutants import forked
from tests.mutants.__main__ import Tree, misjudging, read, verdict, warmed

LAW = """\
# a law
from functools import lru_cache
FIRST = 1
LIMIT = 3
SECOND = 2

def most():
    return 3

@lru_cache
def kept():
    return most() + 1

def makes(step):
    def made(count):
        return count + step
    return made

next_to = makes(1)
AT_IMPORT = [one + 1 for one in range(2)]
"""
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
OTHERS = """
from law import AT_IMPORT, kept, most, next_to

def test_the_most_is_three():
    assert most() == 3

def test_what_is_kept_follows():
    assert kept() == 4

def test_next_to_one_is_two():
    assert next_to(1) == 2

def test_a_list_made_at_import():
    assert AT_IMPORT == [1, 2]

def test_something_else():
    pass
"""
PROFILE = """
import hypothesis

hypothesis.settings.register_profile("mutants")
"""
PATCH = """# guard: the limit
# killed by: {killer}
--- a/law.py
+++ b/law.py
@@ -2,4 +2,4 @@
 from functools import lru_cache
 FIRST = 1
-LIMIT = 3
+LIMIT = 9
 SECOND = 2
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "law.py").write_text(LAW)
    (folder / "test_law.py").write_text(TESTS)
    (folder / "test_others.py").write_text(OTHERS)
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
    (tree.folder / "law.py").write_text(LAW.replace("LIMIT = 3", "LIMIT = 4"))
    assert "does not apply" in verdict(tree, read(patch))


def test_a_run_that_never_ends_is_killed_and_kills_nothing(tree: Tree) -> None:
    (tree.folder / "test_law.py").write_text("def test_it():\n    while True:\n        pass\n")
    with pytest.raises(forked.Broken, match="hangs"):
        forked.tested(tree.folder, ("test_law.py",), tree.said, 0.5, {})


OTHER = "test_others.py::test_something_else"
BODIES = {
    "test_the_most_is_three": ("return 3", "return 4"),
    "test_what_is_kept_follows": ("return most() + 1", "return most() + 2"),
}
MORE_THAN_BODIES = {
    "a constant": ("LIMIT = 3", "LIMIT = 9"),
    "a comprehension of the module's": ("one + 1", "one + 2"),
    "what a call at import has made": ("count + step", "count + step + 1"),
    "a default": ("def most():", "def most(limit=3):"),
    "no Python any more": ("def most():", "def most(:"),
    "a function more": ("next_to = ", "def other():\n    pass\n\nnext_to = "),
    "nothing": ("", ""),
}


def test_functions_get_other_bodies_where_everything_is_imported(tree: Tree) -> None:
    law = tree.folder / "law.py"
    with warmed(tree, [f"test_others.py::{name}" for name in BODIES]) as warm:
        for name, (was, becomes) in BODIES.items():
            law.write_text(LAW.replace(was, becomes))
            assert warm.fails(f"test_others.py::{name}", {law: LAW}), tree.said.read_text()
            assert not warm.fails(OTHER, {law: LAW})
            law.write_text(LAW)
            assert tree.tested(("test_others.py",)) == 0


@pytest.mark.parametrize("change", MORE_THAN_BODIES)
def test_where_more_than_bodies_differs_nothing_is_said_there(tree: Tree, change: str) -> None:
    law = tree.folder / "law.py"
    with warmed(tree, [OTHER]) as warm:
        law.write_text(LAW.replace(*MORE_THAN_BODIES[change]))
        assert said(warm, law) is None
        law.write_text(LAW.replace(*BODIES["test_the_most_is_three"]))
        assert said(warm, law) == 0


def test_what_was_patched_beyond_bodies_is_judged_all_the_same(tree: Tree, tmp_path: Path) -> None:
    patch = tmp_path / "no_limit.patch"
    patch.write_text(PATCH.format(killer="test_law.py::test_the_limit_is_three"))
    with warmed(tree, ["test_law.py::test_the_limit_is_three"]) as warm:
        assert verdict(warm, read(patch)) == "", tree.said.read_text()


def test_a_run_that_never_ends_where_everything_is_imported_says_nothing(tree: Tree) -> None:
    law = tree.folder / "law.py"
    with warmed(tree, [OTHER]) as warm:
        law.write_text(LAW.replace("return 3", "while True:\n        pass"))
        assert said(warm, law, "test_others.py::test_the_most_is_three", 0.5) is None
        assert said(warm, law) == 0


def said(warm: Tree, law: Path, test: str = OTHER, longest_s: float = 60) -> int | None:
    assert warm.warm
    return warm.warm.tested(test, {law: LAW}, longest_s, {})


def test_who_cannot_be_imported_is_said_before_anything_is_patched(tree: Tree) -> None:
    (tree.folder / "law.py").write_text("def most(:")
    with pytest.raises(forked.Broken, match="cannot be imported"), warmed(tree, [OTHER]):
        pass


def test_a_test_that_fails_only_where_it_is_imported_already_is_said(tree: Tree) -> None:
    file = "import os\n\nHERE = os.getpid()\n\ndef test_here():\n    assert os.getpid() == HERE\n"
    (tree.folder / "test_here.py").write_text(file)
    killers = [OTHER, "test_here.py::test_here"]
    assert tree.tested(killers) == 0
    with warmed(tree, killers) as warm:
        assert misjudging(warm, killers) == "test_here.py::test_here fails unpatched where it is imported already\n"
    assert misjudging(tree, killers) == ""
