"""Making the demo's past loses nobody's books."""

import os
import shutil
from pathlib import Path

from lib.bootstrap.demo import set_aside
from lib.simulator.store import Store


def test_books_of_another_database_are_kept_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.db"
    store = Store(path, "synthetic")
    store.save({1_000_001: {"cash": "12345"}}, [], 7)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path, killed)  # what a killed process leaves: the books are still in the write-ahead log
    store.close()
    set_aside(killed / "synthetic.db")
    fresh = Store(killed / "synthetic.db", "synthetic")
    assert fresh.accounts() == []
    fresh.close()
    (kept,) = killed.glob("*.before-*.db")
    old = Store(kept, "synthetic")
    assert old.accounts() == [{"cash": "12345"}]
    old.close()
    assert os.stat(kept).st_mode & 0o077 == 0


def test_there_may_be_nothing_to_set_aside(tmp_path: Path) -> None:
    set_aside(tmp_path / "synthetic.db")
    assert list(tmp_path.iterdir()) == []
