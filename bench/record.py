"""
Every row of a record changed, dropped, doubled and swapped with the next, one at a time: the verifier finds each.

`python -m bench.record --rows 100000` prints how many were tried and how long a whole check takes. A row is judged with
its day, whose seal the head covers: what a day does not notice, the whole file is asked about. Exit status 1 when one
was not found.
"""

import argparse
import sys
import time

from tests.record_files import changed_days, lines_of, notices, record_of, verifier

A_DAY = 96
"""Leaves of a day: a row is judged with its day, so more of them take longer and tell no more."""


def main() -> int:
    """Try them all; the exit status."""
    parser = argparse.ArgumentParser(prog="record", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    theirs, days = verifier(), record_of(rows, A_DAY)
    lines, head = lines_of(days), days[-1].seal.head
    began = time.perf_counter()
    said = theirs["check_record"](iter(lines), head)
    print(f"{said}\nwhole check: {time.perf_counter() - began:.2f} s, {sum(map(len, lines)) / 1e6:.1f} MB of lines")
    if not said.startswith("OK"):
        return 1
    began, missed, tried = time.perf_counter(), 0, 0
    for day in days:
        for changed in changed_days(day):
            tried += 1
            missed += not notices(theirs["check_day"], changed, day)
    print(f"{rows} rows, {tried} changes tried, {missed} not found, {time.perf_counter() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
