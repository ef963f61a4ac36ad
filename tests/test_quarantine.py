"""
What a model says about the past is kept apart: nothing that scores, compares, shadows, seals or judges can read it.

No path leads there, which is told of the code itself: who names these tables is on a list, with what they may do.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"past_answers", "past_questions", "memory_tests"}
KEEPERS = {
    "lib/adapters/sql/tables/past.py",
    "lib/adapters/sql/tables/models.py",
    "lib/adapters/sql/ledger/pasting.py",
    "lib/adapters/sql/forms/backtests.py",
    "lib/adapters/sql/forms/leaving.py",
    "lib/adapters/sql/archive/expired.py",
    "lib/queries/memory_tests.py",
}
"""Asks, replays, deletes, or shows the badge."""
RESULTS = {
    "lib/adapters/sql/tables/backtests.py",
    "lib/adapters/sql/tables/models.py",
    "lib/adapters/sql/ledger/pasting.py",
    "lib/adapters/sql/forms/backtests.py",
    "lib/adapters/sql/forms/leaving.py",
    "lib/adapters/sql/recovery/refilling.py",
    "lib/queries/backtests.py",
    "lib/queries/safety.py",
}
"""Who reads the table a result lies in: its own page, its link, the person's export."""


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def _who_names(*tables: str) -> set[str]:
    files = [*(ROOT / "lib").rglob("*.py"), *(ROOT / "app").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
    return {str(path.relative_to(ROOT)) for path in files if set(tables) & _names(path)}


def test_nobody_but_its_keepers_reads_what_a_model_said_about_the_past() -> None:
    assert _who_names(*TABLES) <= KEEPERS


def test_a_result_is_read_by_its_own_page_alone() -> None:
    named = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lib").rglob("*.py")
        if "from lib.adapters.sql.tables.backtests import" in path.read_text()
    }
    assert named | {"lib/adapters/sql/tables/backtests.py", "lib/adapters/sql/tables/models.py"} == RESULTS


def test_answers_about_the_past_are_no_calls_of_a_cycle() -> None:
    """Scores, records, the ladder and comparisons read `cycles`: the room has no port that could write one."""
    text = (ROOT / "lib/trading/past_room.py").read_text() + (ROOT / "lib/adapters/sql/ledger/pasting.py").read_text()
    for word in ("record_cycle", "CycleRecord", "insert(cycles", "insert(scores", "shadow_calls", "insert(model_calls"):
        assert word not in text
