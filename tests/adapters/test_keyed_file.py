"""What was made is kept: whoever is cut off at any byte finds every whole row, and no key is written by two."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.keyed_file import keyed_file, read_keyed
from lib.domain.errors import Halt

HEAD = {"symbol": "BTCUSDT"}
ROWS = {"a": {"end": "1.5"}, "b": {"end": "2"}}


def test_rows_are_found_again_under_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "grids" / "one.jsonl"
    with keyed_file(path, HEAD) as file:
        assert not file.rows
        file.add(ROWS)
    with keyed_file(path, HEAD) as file:
        assert file.rows == ROWS
        file.add({"c": {"end": "3"}})
    assert read_keyed(path) == (HEAD, {**ROWS, "c": {"end": "3"}})
    assert path.parent.stat().st_mode & 0o777 == 0o700


@given(cut=st.integers(0, 120))
def test_cut_off_at_any_byte_whole_rows_stay_and_the_rest_is_made_again(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "one.jsonl"
    with keyed_file(path, HEAD) as file:
        file.add(ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    with keyed_file(path, HEAD) as file:
        assert len(file.rows) == max(0, whole[:cut].count(b"\n") - 1)
        file.add({key: row for key, row in ROWS.items() if key not in file.rows})
    assert path.read_bytes() == whole


def test_one_process_writes_and_others_may_read(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    with keyed_file(path, HEAD) as file:
        file.add(ROWS)
        with pytest.raises(Halt, match="another process"), keyed_file(path, HEAD):
            pass
        assert read_keyed(path) == (HEAD, ROWS)


def test_a_file_about_something_else_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    with keyed_file(path, HEAD):
        pass
    with pytest.raises(Halt, match="something else"), keyed_file(path, {"symbol": "ETHUSDT"}):
        pass


def test_a_line_that_is_no_row_is_none(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_bytes(b'{"symbol": "BTCUSDT"}\nnot json\n[1]\n{"end": "1"}\n{"key": "a", "end": "1.5"}\n')
    assert read_keyed(path) == (HEAD, {"a": {"end": "1.5"}})
    path.write_bytes(b"")
    assert read_keyed(path) == ({}, {})
