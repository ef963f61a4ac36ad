"""
Won for one USDT by date: the person's own rates over the platform's. Pure.

A rate holds from its day, a UTC date, until the day of the next one. An amount is told in won at the rate of the day it
came; where no rate holds on that day there are no won, and a sum that lacks one is no sum. No trade looks at any of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

LEAST, MOST = Decimal(100), Decimal(100_000)
FIRST_DAY, LAST_DAY = date(2009, 1, 3), date(2100, 1, 1)
MOST_RATES = 1_500
"""Rates of one person: four years, a rate a day."""
_FIGURE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,8})?", re.ASCII)
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,8})?", re.ASCII)
_LINE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ \t,;=]+([0-9.,]{1,20})[ \t]*", re.ASCII)
_NAMED = re.compile(r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})=)?([0-9.]{1,20})", re.ASCII)
_BEFORE_ALL = date.min


class WrongRate(ValueError):
    """What was written is no rate; *line* counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is no rate: a number from {LEAST} to {MOST} behind its date, each date once")
        self.line = line


@dataclass(frozen=True, slots=True)
class WonRate:
    """*krw* for one USDT from *day* on; a day of None is "from the beginning"."""

    day: date | None
    krw: Decimal

    def __str__(self) -> str:
        return f"{self.krw:f}" if self.day is None else f"{self.day.isoformat()}={self.krw:f}"


def figure(text: str) -> Decimal:
    """A rate in plain digits; ValueError says what may be one."""
    found = Decimal(text) if _FIGURE.fullmatch(text) else None
    if found is None or not LEAST <= found <= MOST:
        raise ValueError(f"must be a number from {LEAST} to {MOST}")
    return found


def read_lines(text: str) -> tuple[WonRate, ...]:
    """A date and a rate a line, as a person or a spreadsheet writes them, in any order; *WrongRate* names the line."""
    lines = [line.strip() for line in text.split("\n")]
    return _each_day_once({number: _LINE.fullmatch(line) for number, line in enumerate(lines, 1) if line})


def read_named(text: str) -> tuple[WonRate, ...]:
    """The platform's, as one setting: `1390`, or `1390,2026-03-01=1402.5`; *WrongRate* counts parts."""
    return _each_day_once({number: _NAMED.fullmatch(part.strip()) for number, part in enumerate(text.split(","), 1)})


def _rate(found: "re.Match[str] | None", number: int) -> WonRate:
    if found is None:
        raise WrongRate(number)
    try:
        day = None if found[1] is None else date.fromisoformat(found[1])
        plain = found[2].replace(",", "") if _THOUSANDS.fullmatch(found[2]) else found[2]
        rate = WonRate(day, figure(plain))
    except ValueError:
        raise WrongRate(number) from None
    if day is not None and not FIRST_DAY <= day < LAST_DAY:
        raise WrongRate(number)
    return rate


def _each_day_once(lines: "Mapping[int, re.Match[str] | None]") -> tuple[WonRate, ...]:
    rates: dict[date, WonRate] = {}
    for number, found in lines.items():
        rate = _rate(found, number)
        if (rate.day or _BEFORE_ALL) in rates or len(rates) == MOST_RATES:
            raise WrongRate(number)
        rates[rate.day or _BEFORE_ALL] = rate
    return tuple(rates[day] for day in sorted(rates))


def written(rates: Iterable[WonRate]) -> str:
    """*rates* as lines, the newest first: what `read_lines` reads."""
    return "\n".join(f"{rate.day} {rate.krw:f}" for rate in reversed(tuple(rates)))


def since(rate: WonRate) -> str:
    """The day *rate* holds from, as a file says it; "" from the beginning."""
    return "" if rate.day is None else rate.day.isoformat()


@dataclass(frozen=True, slots=True)
class WonRates:
    """The person's *own* rates and the *platform*'s, each by day in order."""

    own: tuple[WonRate, ...] = ()
    platform: tuple[WonRate, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.own or self.platform)

    def on(self, day: date) -> WonRate | None:
        """The rate that holds on *day*: the newest of one's own until then, else the newest of the platform's."""
        return _newest(self.own, day) or _newest(self.platform, day)

    def at(self, at_ms: int) -> WonRate | None:
        """The rate of the UTC day of *at_ms* (epoch ms)."""
        return self.on(utc_day(at_ms))

    def won(self, amount: Decimal, at_ms: int) -> Decimal | None:
        """*amount* USDT of that moment in won, not rounded; None without a rate."""
        rate = self.at(at_ms)
        return None if rate is None else amount * rate.krw

    def total(self, amounts: Iterable[tuple[Decimal, int]]) -> Decimal | None:
        """The won of all *amounts*, each with its moment; None where one of them has none."""
        found = [self.won(amount, at_ms) for amount, at_ms in amounts]
        known = [won for won in found if won is not None]
        return sum(known, Decimal(0)) if self and len(known) == len(found) else None


def _newest(rates: Sequence[WonRate], day: date) -> WonRate | None:
    low, high = 0, len(rates)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if (rates[middle].day or _BEFORE_ALL) <= day else (low, middle)
    return rates[low - 1] if low else None


def utc_day(at_ms: int) -> date:
    """The UTC date of *at_ms* (epoch ms)."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).date()
