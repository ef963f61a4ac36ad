"""
Candles older than the collector keeps, and of wider intervals, asked of the feed's venue when somebody scrolls there.

Pages lie on a fixed grid of `PAGE` candles, so that everybody who looks at the same past asks for the same page: it is
asked for once, whoever comes meanwhile waits for it, and what is closed never changes and is kept (the `MOST_PAGES`
last used). All people together cause at most `MOST_CALLS` calls in `WINDOW_MS`; a venue that failed is left alone for
`COOL_MS`. Only closed candles, none that cannot be true; a stretch without trading is a hole. For looking at: nothing
is decided by these. Used from any thread.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.candle import Candle, candle_problem, interval_ms
from lib.domain.errors import Halt, Retry
from lib.ports.exchange import NotNow
from lib.ports.market import MarketData

INTERVALS = ("1m", "3m", "5m", "15m", "1h", "4h", "1d")
"""What a chart may ask for."""
PAGE = 500
LEAST = 100
"""Fewer are not worth a call."""
MOST_PAGES = 60
MOST_CALLS = 15
WINDOW_MS = 10_000
COOL_MS = 2_000
TURNS = 16
"""Locks that all places share."""

Place = tuple[str, str, int]
"""Symbol, interval, number of the page from 1970 on."""


@dataclass(frozen=True, slots=True)
class Past:
    """*candles* oldest first; *older_ms* is what to ask before to go on, None at the beginning of all candles."""

    candles: tuple[Candle, ...]
    older_ms: int | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A page known from *low* up to *high* (epoch ms); *first*: the venue has nothing older than that."""

    candles: tuple[Candle, ...]
    low: int
    high: int
    first: bool = False


class Scrollback:
    """All older candles of this process, over the feed's public REST."""

    def __init__(self, market: MarketData, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._kept: OrderedDict[Place, _Kept] = OrderedDict()
        self._turns = tuple(threading.Lock() for _ in range(TURNS))
        self._calls: deque[int] = deque(maxlen=MOST_CALLS)
        self._counting = threading.Lock()
        self._cool_until = 0

    def before(self, symbol: str, interval: str, before_ms: int, count: int) -> Past:
        """
        At most *count* (1..`PAGE`) newest closed candles that open before *before_ms*; fewer do not mean the end.

        *NotNow* when too much was asked lately, *Retry* when the venue cannot be asked.
        """
        step = interval_ms(interval)
        upto = min(before_ms, self._clock.now_ms())
        number = (upto - 1) // (PAGE * step)
        found: tuple[Candle, ...] = ()
        for one in (number, number - 1):
            if one < 0:
                return Past(found[-count:], None if len(found) <= count else found[-count].open_time)
            page = self._page((symbol, interval, one), step, upto, count - len(found))
            found = (*(candle for candle in page.candles if candle.open_time < upto), *found)
            if len(found) > count:
                return Past(found[-count:], found[-count].open_time)
            if page.first or page.low > one * PAGE * step:
                break
        return Past(found, None if page.first else page.low)

    def _page(self, place: Place, step: int, upto: int, count: int) -> _Kept:
        """The page at *place*, with what it has before *upto*; *count* are asked for where it is not known yet."""
        start, end = place[2] * PAGE * step, (place[2] + 1) * PAGE * step
        upto = min(upto, end)
        with self._turns[hash(place) % TURNS]:
            page = self._kept.get(place)
            if page is None or page.high + step <= upto:
                page = self._asked(place, step, upto - max(count, LEAST) * step, min(end, self._clock.now_ms()))
            elif page.low >= upto > start and not page.first:
                lower = self._asked(place, step, upto - max(count, LEAST) * step, page.low)
                page = _Kept((*lower.candles, *page.candles), lower.low, page.high, lower.first)
            self._keep(place, page)
            return page

    def _keep(self, place: Place, page: _Kept) -> None:
        with self._counting:
            self._kept[place] = page
            self._kept.move_to_end(place)
            while len(self._kept) > MOST_PAGES:
                self._kept.popitem(last=False)

    def _asked(self, place: Place, step: int, since: int, end: int) -> _Kept:
        """The candles of *place* from *since* or its begin up to *end*, by one call."""
        symbol, interval, number = place
        last = (end - 1) // step * step
        start = max(number * PAGE * step, since // step * step)
        given = self._call(symbol, interval, last, (last - start) // step + 1)
        if not given:
            return _Kept((), start, last + step, first=True)
        # where this stretch has a hole the venue answers with candles of an earlier one
        candles = tuple(one for one in given if start <= one.open_time and candle_problem(one, step) is None)
        is_newest = last + step > self._clock.now_ms()
        return _Kept(candles, max(start, given[0].open_time), given[-1].open_time + step if is_newest else last + step)

    def _call(self, symbol: str, interval: str, end: int, limit: int) -> list[Candle]:
        self._take()
        try:
            return self._market.closed_candles(symbol, interval, end=end, limit=limit)
        except Halt as refused:
            # a question of a browser ends no process
            self._cool()
            raise Retry(refused.why) from None
        except Retry:
            self._cool()
            raise

    def _take(self) -> None:
        now = self._clock.now_ms()
        with self._counting:
            is_full = len(self._calls) == MOST_CALLS and now - self._calls[0] < WINDOW_MS
            if is_full or now < self._cool_until:
                raise NotNow(codes.BUDGET_FULL())
            self._calls.append(now)

    def _cool(self) -> None:
        self._cool_until = self._clock.now_ms() + COOL_MS
