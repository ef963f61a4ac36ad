"""
The candle library: one-minute candles of years, by month, asked of the feed's venue or taken from files.

A month is asked for as a whole and kept once it is there, so whoever was interrupted goes on at the next month. What
lies on the shelf is asked for again only where it does not reach: the month that still goes on, or what a file left
out. Candles that cannot be true stay out, and a minute without one is a gap that is told; nothing is filled up. A
venue that cannot be asked is waited for, longer each time, and given up after `TRIES`.

One writer at a time: the process that runs backtests, or a command at a terminal. It decides nothing about money.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from lib import log
from lib.clock import Clock
from lib.domain.backoff import Backoff
from lib.domain.candle import MINUTE_MS, Candle, candle_problem
from lib.domain.candle_run import CandleRun
from lib.domain.errors import Retry
from lib.domain.months import month_span, months_in
from lib.ports.library import CandleShelf, KeptMonth, ShelvedMonth
from lib.ports.market import MarketData

PAGE = 1000
"""Candles a venue gives at once."""
TRIES = 6
BACKOFF = Backoff(1.0, 30.0)
INTERVAL = "1m"
_log = log.get("library")

Span = tuple[int, int]
"""From when until before when, epoch ms."""
Progress = Callable[[int, int], bool]
"""(minutes asked for, minutes to ask for in all) → whether to go on."""


class Stopped(Exception):
    """Whoever asked wants no more; what was filled until then is kept."""


@dataclass(frozen=True, slots=True)
class Footage:
    """
    *candles* of *symbol* within *span*, oldest first; *months* are the files they are of. *gaps* are the stretches
    without any, those at the ends too.
    """

    symbol: str
    span: Span
    candles: Sequence[Candle]
    months: tuple[ShelvedMonth, ...]
    sources: tuple[str, ...]
    gaps: tuple[Span, ...]

    @property
    def missing(self) -> int:
        """Minutes without a candle."""
        return sum(until - since for since, until in self.gaps) // MINUTE_MS


@dataclass(slots=True)
class Library:
    """The months on *shelf*, filled up from *market*, which is *source* in a few words."""

    shelf: CandleShelf
    market: MarketData
    source: str
    clock: Clock
    rest: Callable[[float], object] = field(default=threading.Event().wait)
    """Sleeps so many seconds between two tries."""

    # --- filling ------------------------------------------------------------------------------------------------------

    def fill(self, symbol: str, span: Span, go_on: Progress = lambda done, whole: True) -> int:
        """
        Have every month of *span* on the shelf as far as it is over; how many minutes were asked for.

        *Retry* when the venue cannot be asked, *Stopped* when *go_on* says so: months that were whole by then stay.
        """
        wanted = [(month, self._lacking(symbol, month)) for month in months_in(*span)]
        whole = sum(until - since for _, pieces in wanted for since, until in pieces) // MINUTE_MS
        told = _Told(whole, go_on)
        for month, pieces in wanted:
            for piece in pieces:
                found = self._asked(symbol, piece, told)
                self._put(symbol, month, piece, found, self.source)
        return whole

    def take(self, symbol: str, candles: Sequence[Candle], source: str) -> list[ShelvedMonth]:
        """Put *candles* (oldest first) of a file on the shelf; minutes that are there already stay as they are."""
        if not candles:
            return []
        kept = []
        for month in months_in(candles[0].open_time, candles[-1].open_time + 1):
            begin, end = month_span(month)
            mine = [candle for candle in candles if begin <= candle.open_time < end]
            if mine:
                span = mine[0].open_time, mine[-1].open_time + MINUTE_MS
                kept.append(self._put(symbol, month, span, mine, source))
        return kept

    def _lacking(self, symbol: str, month: str) -> list[Span]:
        """The stretches of *month* that are over and were never asked for."""
        begin, end = month_span(month)
        now = self.clock.now_ms()
        end = min(end, now - now % MINUTE_MS)
        known = self.shelf.read(symbol, month)
        if known is None:
            return [(begin, end)] if begin < end else []
        return [piece for piece in ((begin, known.from_ms), (known.until_ms, end)) if piece[0] < piece[1]]

    def _put(self, symbol: str, month: str, span: Span, found: Sequence[Candle], source: str) -> ShelvedMonth:
        """*found* of *span* beside what is there, which wins; the span between the two counts as asked for."""
        known = self.shelf.read(symbol, month)
        if known is None:
            return self.shelf.keep(KeptMonth(symbol, month, *span, source, found))
        rows = {candle.open_time: candle for candle in found} | {one.open_time: one for one in known.candles}
        sources = known.source if source in known.source.split("; ") else f"{known.source}; {source}"
        since, until = min(known.from_ms, span[0]), max(known.until_ms, span[1])
        return self.shelf.keep(KeptMonth(symbol, month, since, until, sources, [rows[at] for at in sorted(rows)]))

    def _asked(self, symbol: str, piece: Span, told: "_Told") -> list[Candle]:
        """Every candle of *piece* that can be true, in pages from its end backwards."""
        since, end = piece
        rows: dict[int, Candle] = {}
        while since < end:
            page = self._page(symbol, end - MINUTE_MS, min(PAGE, (end - since) // MINUTE_MS))
            within = [candle for candle in page if since <= candle.open_time < end]
            rows |= {one.open_time: one for one in within if candle_problem(one, MINUTE_MS) is None}
            reached = min((candle.open_time for candle in within), default=since)
            told.more((end - reached) // MINUTE_MS)
            end = reached
        return [rows[open_time] for open_time in sorted(rows)]

    def _page(self, symbol: str, newest: int, count: int) -> list[Candle]:
        for failures in range(1, TRIES):
            try:
                return self.market.closed_candles(symbol, INTERVAL, end=newest, limit=count)
            except Retry as away:
                _log.warning("library.waits", symbol=symbol, why=str(away))
                self.rest(BACKOFF.pause_s(failures, 0.0))
        return self.market.closed_candles(symbol, INTERVAL, end=newest, limit=count)

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, symbol: str, span: Span) -> Footage:
        """What the shelf has of *span*, without asking anybody."""
        names = {one.month: one for one in self.shelf.months(symbol)}
        found = [self.shelf.read(symbol, month) for month in months_in(*span) if month in names]
        kept = [one for one in found if one is not None]
        reel = Reel([_cut(one.candles, span) for one in kept])
        # read again: a month that could not be trusted has gone from the shelf
        names = {one.month: one for one in self.shelf.months(symbol)}
        months = tuple(names[one.month] for one in kept)
        sources = tuple(dict.fromkeys(name for one in kept for name in one.source.split("; ")))
        return Footage(symbol, span, reel, months, sources, tuple(_gaps(reel.opens, span)))


@dataclass(slots=True)
class _Told:
    """How far a filling is."""

    whole: int
    go_on: Progress
    done: int = 0

    def more(self, minutes: int) -> None:
        self.done += minutes
        if not self.go_on(self.done, self.whole):
            raise Stopped


class Reel(CandleRun):
    """Months of candles one after the other, as one sequence that makes no list of them."""

    def __init__(self, parts: Sequence[Sequence[Candle]]) -> None:
        self._parts = [part for part in parts if len(part)]
        self._ends = list(accumulate(len(part) for part in self._parts))
        self.opens = [candle.open_time for part in self._parts for candle in part]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, place: int) -> Candle:
        part = bisect_left(self._ends, place + 1)
        return self._parts[part][place - (self._ends[part - 1] if part else 0)]

    def __iter__(self) -> Iterator[Candle]:
        for part in self._parts:
            yield from part


class _Cut(CandleRun):
    """The candles of *whole* from *start* until before *stop*, not copied."""

    def __init__(self, whole: Sequence[Candle], start: int, stop: int) -> None:
        self._whole, self._start, self._stop = whole, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def at(self, place: int) -> Candle:
        return self._whole[self._start + place]


def _cut(candles: Sequence[Candle], span: Span) -> Sequence[Candle]:
    start = bisect_left(candles, span[0], key=lambda candle: candle.open_time)
    stop = bisect_left(candles, span[1], key=lambda candle: candle.open_time)
    return candles if stop - start == len(candles) else _Cut(candles, start, stop)


def _gaps(opens: Sequence[int], span: Span) -> Iterator[Span]:
    """The stretches of *span*, in whole minutes, that have none of *opens*."""
    since, until = -(-span[0] // MINUTE_MS) * MINUTE_MS, span[1] // MINUTE_MS * MINUTE_MS
    for older, newer in pairwise((since - MINUTE_MS, *opens, until)):
        if newer - older > MINUTE_MS:
            yield older + MINUTE_MS, newer
