"""
What "flat" means, and the readings it is judged by.

A process's memory and open files are flat when their middle in the last quarter is what it was in the second, the first
being the warm-up. A table may grow with what is traded, and is flat when it grows no faster later than before.
"""

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

MEMORY = 1.05
"""Times what it was; and `SPARE_MB` more, which an allocator may keep of a busy minute."""
SPARE_MB, SPARE_FILES, SPARE_ROWS = 8.0, 3, 50
FASTER = 1.5
"""Times as many rows in the last third as in the second: trading is not the same every hour."""
LEAST = 8
"""Readings below which nothing can be said."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at *at* (hours): by process memory in MB and open files, by table its rows."""

    at: float
    memory: Mapping[str, float]
    files: Mapping[str, int]
    rows: Mapping[str, int]

    @property
    def line(self) -> str:
        """The reading for a person."""
        held = " · ".join(f"{name} {mb:.0f} MB {self.files[name]} files" for name, mb in self.memory.items())
        return f"{self.at:7.2f} h  {held} · {sum(self.rows.values())} rows"


def memory_mb(pid: int) -> float:
    """What the process holds of the machine's memory, MB; 0 for one that is gone."""
    try:
        said = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in said.splitlines() if line.startswith("VmRSS")), 0.0)


def open_files(pid: int) -> int:
    """How many files and sockets the process has open; 0 for one that is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def rows_of(engine: sa.Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        count = sa.func.count()
        return {name: int(connection.scalar(sa.select(count).select_from(sa.table(name))) or 0) for name in names}


def grown(readings: Sequence[Reading]) -> list[str]:
    """What is not flat, a line each; what cannot be judged by so few readings is no line but a ValueError."""
    if len(readings) < LEAST:
        raise ValueError(f"{len(readings)} readings say nothing: at least {LEAST}")
    names = readings[-1].memory
    return [*_memory(readings, names), *_files(readings, names), *_rows(readings)]


def _memory(readings: Sequence[Reading], names: Iterable[str]) -> Iterable[str]:
    for name in names:
        early, late = _quarters([reading.memory.get(name, 0.0) for reading in readings])
        if late > early * MEMORY + SPARE_MB:
            yield f"{name}: memory from {early:.0f} to {late:.0f} MB"


def _files(readings: Sequence[Reading], names: Iterable[str]) -> Iterable[str]:
    for name in names:
        early, late = _quarters([float(reading.files.get(name, 0)) for reading in readings])
        if late > early + SPARE_FILES:
            yield f"{name}: open files from {early:.0f} to {late:.0f}"


def _quarters(values: Sequence[float]) -> tuple[float, float]:
    """The middle of the second quarter and of the last."""
    part = len(values) // 4
    return statistics.median(values[part : 2 * part]), statistics.median(values[-part:])


def _rows(readings: Sequence[Reading]) -> Iterable[str]:
    third = len(readings) // 3
    for name in readings[-1].rows:
        count = [reading.rows.get(name, 0) for reading in readings]
        before, after = count[2 * third] - count[third], count[-1] - count[-1 - third]
        if after > before * FASTER + SPARE_ROWS:
            yield f"{name}: {before} rows more, then {after}"
