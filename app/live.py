"""
From the collector's publications to browsers: one subscription a process, each change written out once.

A viewer has a seat with a short queue. Who does not keep up, or whose session ended, loses the seat and is told why by
the close code; browsers come back by themselves and refill what they missed over REST. The hub never waits for anybody.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from lib import log
from lib.clock import Clock
from lib.domain.backoff import Backoff
from lib.domain.candle import Candle
from lib.domain.errors import Retry
from lib.domain.quotes import CandleTick
from lib.ports.market import LiveCandles

SIGNED_OUT = 4401
UNKNOWN_SERIES = 4404
TOO_SLOW = 1013
COME_BACK = 1012
"""Close codes: the page must sign in again; there is no such list; try later; the server starts anew, refill."""

QUEUE = 64
SEATS_PER_SESSION = 16
RECHECK_S = 5.0
BACKOFF = Backoff(1.0, 15.0, jitter=0.5)
"""Between connections that brought nothing."""

Series = tuple[str, str]
Place = TypeVar("Place", bound=Hashable)
StillIn = Callable[[set[str]], Awaitable[set[str]]]
"""Which of these session tokens are still signed in. *Retry* while nobody can tell."""
_log = log.get("live")


def row_of(candle: Candle) -> list[float]:
    """A candle as charts take it: [open time in seconds, open, high, low, close, volume]; for drawing only."""
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return [candle.open_time // 1000, *map(float, prices)]


class Seat:
    """One viewer's place: texts to send, then possibly a close code."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.code: int | None = None
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(QUEUE + 1)

    def offer(self, text: str) -> None:
        """Queue *text*; a full queue ends the seat instead."""
        if self.code is not None:
            return
        if self._texts.qsize() >= QUEUE:
            self.end(TOO_SLOW)
            return
        self._texts.put_nowait(text)

    def end(self, code: int) -> None:
        """Nothing more is sent: what is still queued is dropped, and the viewer told *code*."""
        if self.code is not None:
            return
        self.code = code
        while not self._texts.empty():
            self._texts.get_nowait()
        self._texts.put_nowait(None)

    async def next(self) -> str | None:
        """The next text, or None at the end."""
        return await self._texts.get()


class Seats(Generic[Place]):
    """Who watches what: the seats at each place, counted by session."""

    def __init__(self) -> None:
        self._taken: dict[Place, set[Seat]] = {}

    @contextmanager
    def seat(self, place: Place, token: str) -> Iterator[Seat]:
        """A seat at *place*, given back at the end; one too many for a session is over at once."""
        seat = Seat(token)
        if sum(other.token == token for other in self.all()) >= SEATS_PER_SESSION:
            seat.end(TOO_SLOW)
        self._taken.setdefault(place, set()).add(seat)
        try:
            yield seat
        finally:
            self._taken[place].discard(seat)
            if not self._taken[place]:
                del self._taken[place]

    def at(self, place: Place) -> tuple[Seat, ...]:
        """The seats at *place* now."""
        return tuple(self._taken.get(place, ()))

    def places(self) -> tuple[Place, ...]:
        """Where somebody sits."""
        return tuple(self._taken)

    def all(self) -> list[Seat]:
        """Every seat."""
        return [seat for seats in self._taken.values() for seat in seats]

    async def recheck(self, still_in: StillIn) -> None:
        """End the seats of sessions that are over now; an unreachable database ends nobody's."""
        tokens = {seat.token for seat in self.all()}
        try:
            inside = await still_in(tokens) if tokens else tokens
        except Retry:
            return
        for seat in self.all():
            if seat.token in tokens and seat.token not in inside:
                seat.end(SIGNED_OUT)


class Hub:
    """All viewers of candles of this process; used from its event loop only."""

    def __init__(self, live: LiveCandles, clock: Clock, still_in: StillIn, draw: Callable[[], float]) -> None:
        self._live = live
        self._clock = clock
        self._still_in = still_in
        self._draw = draw
        self._seats: Seats[Series] = Seats()
        self._newest: dict[Series, str] = {}
        self._forget: Callable[[Series], None] = lambda _: None

    def when_rebuilt(self, forget: Callable[[Series], None]) -> None:
        """Tell *forget* of every list that was made anew."""
        self._forget = forget

    @contextmanager
    def seat(self, series: Series, token: str) -> Iterator[Seat]:
        """A place in *series*, given back at the end; one too many for a session is over at once."""
        with self._seats.seat(series, token) as seat:
            if (newest := self._newest.get(series)) is not None:
                seat.offer(newest)
            yield seat

    async def listen(self) -> None:
        """Follow the publications for ever; a lost connection sends everybody to refill over REST."""
        failures = 0
        while True:
            try:
                async for tick in self._live.ticks():
                    failures = 0
                    self.publish(tick)
            except Retry as away:
                _log.warning("live.lost", why=str(away))
            self._end_all(COME_BACK)
            failures += 1
            await self._clock.sleep(BACKOFF.pause_s(failures, self._draw()))

    async def guard(self) -> None:
        """End the seats of sessions that are over, every few seconds, for ever."""
        while True:
            await self._clock.sleep(RECHECK_S)
            await self.recheck()

    async def recheck(self) -> None:
        """End the seats of sessions that are over now; an unreachable database ends nobody's."""
        await self._seats.recheck(self._still_in)

    def publish(self, tick: CandleTick) -> None:
        """Write *tick* out once and give it to everybody who watches that list."""
        series = (tick.symbol, tick.interval)
        if tick.rebuilt:
            self._forget(series)
            for seat in self._seats.at(series):
                seat.end(COME_BACK)
        text = json.dumps({"rows": [row_of(tick.candle)]}, separators=(",", ":"))
        self._newest[series] = text
        for seat in self._seats.at(series):
            seat.offer(text)

    def _end_all(self, code: int) -> None:
        self._newest.clear()
        for seat in self._seats.all():
            seat.end(code)
