"""What grows without end is told from what is warm, busy or traded."""

import os

import pytest

from tests.soak.flat import Reading, grown, memory_mb, open_files


def readings(memory: list[float], files: list[int] | None = None, rows: list[int] | None = None) -> list[Reading]:
    count = len(memory)
    files, rows = files or [20] * count, rows or [100 * n for n in range(count)]
    return [
        Reading(at, {"trader": mb}, {"trader": opened}, {"orders": many})
        for at, (mb, opened, many) in enumerate(zip(memory, files, rows, strict=True))
    ]


def test_a_warm_up_and_a_busy_minute_are_flat() -> None:
    assert grown(readings([100, 150, 180, 200, 201, 200, 260, 202, 200, 201, 203, 202])) == []


def test_memory_that_keeps_growing_is_told() -> None:
    assert grown(readings([200 + 10 * n for n in range(12)])) == ["trader: memory from 240 to 300 MB"]


def test_files_that_are_left_open_are_told() -> None:
    assert grown(readings([200] * 12, files=[20 + n for n in range(12)])) == ["trader: open files from 24 to 30"]


def test_rows_may_come_at_their_pace_and_not_faster_and_faster() -> None:
    assert grown(readings([200] * 12)) == []
    assert grown(readings([200] * 12, rows=[n**4 for n in range(12)])) == ["orders: 3840 rows more, then 12240"]


def test_few_readings_say_nothing() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        grown(readings([200] * 7))


def test_this_process_is_read() -> None:
    assert memory_mb(os.getpid()) > 10
    assert open_files(os.getpid()) > 2
    assert (memory_mb(0), open_files(0)) == (0.0, 0)
