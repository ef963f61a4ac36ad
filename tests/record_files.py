"""Records as files for tests and the bench: sealed days of decisions and equity points; a stranger's verifier."""

import runpy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lib.domain import record as law
from lib.domain.day import DAY_MS

VERIFIER = Path(__file__).resolve().parents[1] / "app" / "assets" / "verify_record.py"
VERSION = law.Version(3, "ab" * 32)
FIRST_DAY = 20_000
STEP_MS = 300_000

Check = Callable[[Iterator[bytes], str], str]


def verifier() -> dict[str, Callable[..., Any]]:
    """The functions of the verifier, none of them ours."""
    return runpy.run_path(str(VERIFIER))


@dataclass(frozen=True, slots=True)
class Day:
    """A sealed day with the head before it."""

    entries: tuple[law.Entry, ...]
    seal: law.Seal
    before: str


def record_of(rows: int, a_day: int = 576) -> list[Day]:
    """Days of *rows* leaves altogether, half of them decisions and half equity points, *a_day* a day."""
    days: list[Day] = []
    before, index = VERSION.genesis, Decimal(1)
    for first in range(0, rows, a_day):
        day = FIRST_DAY + len(days)
        count = min(a_day, rows - first)
        entries = sorted((_entry(day, place, index) for place in range(count)), key=lambda entry: entry.key)
        seal = law.sealed(before, law.day_named(day), [entry.leaf for entry in entries])
        days.append(Day(tuple(entries), seal, before))
        before = seal.head
    return days


def _entry(day: int, place: int, index: Decimal) -> law.Entry:
    t_ms = day * DAY_MS + place // 2 * STEP_MS // 4
    if place % 2:
        amounts = law.Money(t_ms, Decimal(10_000 + place), Decimal("10000.25") + place, Decimal(0))
        return law.equity_entry(amounts, index + Decimal(place) / 1_000, f"{place:032x}")
    asked = law.Asked("rules", f"{place:064x}", f"{t_ms:064x}")
    figures = (Decimal("0.5"), 3, Decimal("0.01"), Decimal("0.02"))
    made = law.Decided(t_ms, "BTCUSDT", "held", "hold", *figures, asked=asked)
    return law.Entry(law.decision_leaf(VERSION, made))


def lines_of(days: Sequence[Day], *, amounts: bool = False) -> list[bytes]:
    """The file of *days*, line by line."""
    whole = law.first_line(VERSION) + b"".join(law.day_lines(day.entries, day.seal, amounts=amounts) for day in days)
    return whole.splitlines()


def changed_days(day: Day) -> Iterator[list[dict[str, object]]]:
    """*day* with one row changed, dropped, doubled or swapped with the next: every way there is, one after another."""
    whole: list[dict[str, object]] = [{"leaf": dict(entry.leaf)} for entry in day.entries]
    for place in range(len(whole)):
        leaf = dict(day.entries[place].leaf)
        other = leaf | ({"index": "7.5"} if "index" in leaf else {"action": "buy"})
        yield [*whole[:place], {"leaf": other}, *whole[place + 1 :]]
        yield [*whole[:place], *whole[place + 1 :]]
        yield [*whole[: place + 1], *whole[place:]]
        if place + 1 < len(whole):
            yield [*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]


def notices(check_day: Callable[..., object], entries: list[dict[str, object]], day: Day) -> bool:
    """Whether the verifier's *check_day* refuses *entries* as those of *day*."""
    seal = {"day": day.seal.day, "head": day.seal.head, "leaves": day.seal.leaves, "root": day.seal.root}
    try:
        check_day(entries, seal, day.before)
    except (ValueError, KeyError, TypeError, IndexError):
        return True
    return False
