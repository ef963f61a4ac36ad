"""The simulator's memory: what was saved is there again, once, and only for the feed it belongs to."""

import stat
from pathlib import Path

import pytest

from lib.domain.errors import Halt
from lib.simulator.engine.orders import Row
from lib.simulator.store import Store


def rows(*seqs: int, uid: int = 1) -> list[Row]:
    return [Row(uid, "execution", seq, {"price": "64000.10", "seq": seq}) for seq in seqs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "simulator.db"


def test_what_was_saved_is_there_again(path: Path) -> None:
    store = Store(path, "synthetic seed 7")
    store.save({1: {"uid": 1, "cash": "10000.00"}}, rows(1, 2), 1_700_000_000_000)
    store.save({1: {"uid": 1, "cash": "9999.50"}, 2: {"uid": 2, "cash": "5"}}, rows(3), 1_700_000_001_000)
    store.close()
    again = Store(path, "synthetic seed 7")
    assert again.accounts() == [{"uid": 1, "cash": "9999.50"}, {"uid": 2, "cash": "5"}]
    assert list(again.history()) == rows(1, 2, 3)
    assert again.fact("advanced_ms") == "1700000001000"
    again.close()


def test_a_line_saved_twice_is_kept_once(path: Path) -> None:
    store = Store(path, "synthetic seed 7")
    store.save({}, rows(1, 2), 1)
    store.save({}, rows(2, 3), 2)
    assert [row.seq for row in store.history()] == [1, 2, 3]
    store.close()


def test_a_save_that_fails_changes_nothing(path: Path) -> None:
    store = Store(path, "synthetic seed 7")
    store.save({1: {"cash": "1"}}, rows(1), 1)
    with pytest.raises(TypeError):
        store.save({1: {"cash": "2"}}, [Row(1, "execution", 2, {"price": object()})], 2)
    assert store.accounts() == [{"cash": "1"}]
    assert store.fact("advanced_ms") == "1"
    store.close()


def test_books_of_another_feed_or_seed_are_refused_in_one_line(path: Path) -> None:
    Store(path, "synthetic seed 7").close()
    with pytest.raises(Halt, match=r"belongs to feed 'synthetic seed 7', not to 'synthetic seed 8'") as caught:
        Store(path, "synthetic seed 8")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to look at" * 40)
    with pytest.raises(Halt, match=r"notes\.txt"):
        Store(path, "synthetic seed 7")


def test_two_processes_cannot_own_one_file(path: Path) -> None:
    first = Store(path, "synthetic seed 7")
    with pytest.raises(Halt, match="locked"):
        Store(path, "synthetic seed 7")
    first.close()


def test_the_file_is_private_to_its_owner(path: Path) -> None:
    Store(path, "synthetic seed 7").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
