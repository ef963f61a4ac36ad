"""
One candle list kept true: the list of one symbol and interval, from a live stream and a venue's REST.

Start, reconnect, gap, a lost close, a flushed store and a due REST-only list are one path: the list is marked
*in doubt* and `catch_up` makes it equal to the venue's again. Nothing is stored while in doubt, so a closed candle is
never missing from the middle, whatever order, duplicates or holes the stream has. Closed candles are appended, the
forming one is kept beside them at most four times a second.

Trouble with store or venue (*Retry*, a symbol that is not listed any more among it) leaves the list in doubt and is
tried again with growing pauses; every other exception passes. Calls from several threads take turns. Where somebody
else loads lists (`leave_to`), no caller waits for a venue: pushes of a list in doubt are kept, a few of them, and taken
after the load. It does not decide whether candles are fresh enough to trade.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.backoff import Backoff
from lib.domain.candle import Candle, FormingCandle, candle_problem, interval_ms, sound_tail
from lib.domain.errors import Retry
from lib.domain.quotes import KlineUpdate
from lib.market.history import History, Quarantined, load_history
from lib.ports.market import CandleStore, CorruptCandles, MarketData, NotListed

_log = log.get("candles")

FORMING_EVERY_MS = 250
BACKOFF = Backoff(1.0, 15.0)
"""Between attempts to catch up when they do not bring the list forward."""
UNLISTED_BACKOFF = Backoff(1.0, 60.0)
"""The same for a symbol the venue does not list: it may again, and nobody is in a hurry."""
RECHECK_MS = 60_000
"""When the venue's own history was broken, ask again after this."""
MOST_KEPT = 8
"""Pushes kept while a list is loaded: more closes would be a gap, and a gap is loaded."""
OVERLAP = 32
"""Candles asked for beyond the missing ones, to compare with what is stored: more than a decision rests on."""


@dataclass(slots=True)
class FeedReport:
    """What an operator reads about one list; times in epoch ms, 0 = never."""

    candles: int = 0
    newest_open: int = 0
    last_frame: int = 0
    last_write: int = 0
    gaps_filled: int = 0
    quarantined: int = 0
    problem: str = ""


class CandleFeed:
    """The list of *symbol* and *interval*; *grace_ms* after a close without its candle, REST is asked."""

    def __init__(
        self,
        store: CandleStore,
        market: MarketData,
        clock: Clock,
        *,
        series: tuple[str, str],
        capacity: int,
        grace_ms: int,
    ) -> None:
        self.symbol, self.interval = series
        self.report = FeedReport()
        self._store = store
        self._market = market
        self._clock = clock
        self._capacity = capacity
        self._step = interval_ms(self.interval)
        self._grace = grace_ms
        self._ask: Callable[[], None] | None = None
        self._turn = threading.RLock()
        self._kept: deque[KlineUpdate] = deque(maxlen=MOST_KEPT)
        self._keeping = threading.Lock()
        self._in_doubt = True
        self._is_listed = True
        self._missed = False
        """Whether the stream came up anew since the load under way began."""
        self._fruitless = 0
        self._next_try = 0
        self._recheck_at: int | None = None
        self._forming_at = 0

    def leave_to(self, ask: Callable[[], None]) -> None:
        """From now on *ask* is called when the list is to be loaded, and whoever hears it calls `load`."""
        self._ask = ask

    def connected(self) -> None:
        """The stream has (re)subscribed: pushes may have been missed."""
        if self._ask is not None:
            self._missed = True  # first: a load under way may have been too early for it, and ends in this doubt
            self._next_try, self._in_doubt = 0, True
            self._ask()
            return
        with self._turn:
            self._doubt()
            self._next_try = 0
            self._catch_up_when_due()

    def update(self, update: KlineUpdate) -> None:
        """Take one push of the stream."""
        self.report.last_frame = self._clock.now_ms()
        if self._ask is not None:
            self._keep(update)
            self._take_kept()
            return
        with self._turn:
            if self._catch_up_when_due():
                self._carefully(lambda: self._take(update))

    def tick(self) -> None:
        """Look at the clock and the store: is anything due, lost or still in doubt?"""
        if not self._turn.acquire(blocking=self._ask is None):
            return  # it is being loaded
        try:
            self._carefully(self._check)
            self._catch_up_when_due()
        finally:
            self._turn.release()
        self._take_kept()

    @property
    def is_due(self) -> bool:
        """Whether the list is in doubt and its pause is over."""
        return self._in_doubt and self._clock.now_ms() >= self._next_try

    def load(self) -> None:
        """Catch up, if the list is in doubt and its pause is over, and take the pushes that came meanwhile."""
        with self._turn:
            if self.is_due:
                self._missed = False
                self._catch_up_now()
                if self._missed:
                    self._in_doubt, self._next_try = True, 0
        self._take_kept()

    # --- the one path ---------------------------------------------------------------------------------------------

    def _catch_up_when_due(self) -> bool:
        """Catch up if in doubt and the pause is over; True when the list can be trusted."""
        if self.is_due:
            if self._ask is None:
                self._catch_up_now()
            else:
                self._ask()
        return not self._in_doubt

    def _catch_up_now(self) -> None:
        now, before = self._clock.now_ms(), self.report.newest_open
        self._in_doubt = not self._carefully(self.catch_up)
        self._pause(now, fruitful=not self._in_doubt and self.report.newest_open > before)
        if not self._in_doubt:
            self._note("")

    def catch_up(self) -> None:
        """Make the list equal to the venue's newest candles: append what is missing, or rebuild. *Retry* on trouble."""
        stored = self._stored()
        history = self._fetch(stored)
        if not history.candles:
            raise Retry(codes.NO_CLOSED_CANDLES(symbol=self.symbol, interval=self.interval))
        if _agree(stored, history.candles, self._step):
            self._extend(stored, history.candles)
        else:
            self._replace(history)
        self._count_problems(history.quarantined)
        self._recheck_at = self._clock.now_ms() + RECHECK_MS if history.broken else None

    def _stored(self) -> list[Candle]:
        """What is stored, or nothing when it is short, broken or unreadable and has to be replaced."""
        try:
            stored = self._store.newest(self.symbol, self.interval, self._capacity)
        except CorruptCandles:
            return []
        whole = len(stored) == self._capacity and len(sound_tail(stored, self._step)) == self._capacity
        return stored if whole else []

    def _fetch(self, stored: list[Candle]) -> History:
        if not stored:
            return load_history(self._market, self.symbol, self.interval, count=self._capacity)
        newest = stored[-1].open_time
        missing = max(0, self._clock.now_ms() - newest) // self._step
        history = load_history(
            self._market, self.symbol, self.interval, count=self._capacity, since=newest, page=missing + OVERLAP
        )
        if _agree(stored, history.candles, self._step):
            return history
        return load_history(self._market, self.symbol, self.interval, count=self._capacity)

    def _extend(self, stored: list[Candle], venue: list[Candle]) -> None:
        missing = [candle for candle in venue if candle.open_time > stored[-1].open_time]
        if missing and self._store.append(self.symbol, self.interval, missing) == "gap":
            raise Retry(codes.CANDLE_LIST_CHANGED())  # another writer, or a flush
        if missing or self.report.newest_open != stored[-1].open_time:
            self.report.gaps_filled += len(missing)
            _log.info("candle.filled", symbol=self.symbol, interval=self.interval, candles=len(missing))
            self._written(len(stored) + len(missing), (missing or stored)[-1])

    def _replace(self, history: History) -> None:
        self._store.rebuild(self.symbol, self.interval, history.candles)
        _log.info("candle.rebuilt", symbol=self.symbol, interval=self.interval, candles=len(history.candles))
        self._written(len(history.candles), history.candles[-1])

    # --- pushes ---------------------------------------------------------------------------------------------------

    def _keep(self, update: KlineUpdate) -> None:
        """A forming candle takes the place of the one before it: only closes are missed by nobody."""
        with self._keeping:
            if self._kept and not self._kept[-1].closed and not update.closed:
                self._kept.pop()
            self._kept.append(update)

    def _take_kept(self) -> None:
        """Take what was kept, unless the list is in doubt or another thread has its turn and will."""
        while self._kept and not self._in_doubt and self._turn.acquire(blocking=False):
            try:
                while not self._in_doubt and (update := self._next_kept()):
                    self._carefully(partial(self._take, update))
            finally:
                self._turn.release()
        if self.is_due and self._ask is not None:
            self._ask()

    def _next_kept(self) -> KlineUpdate | None:
        with self._keeping:
            return self._kept.popleft() if self._kept else None

    def _take(self, update: KlineUpdate) -> None:
        if reason := candle_problem(update.candle, self._step):
            self._count_problems((Quarantined(update.candle, reason),))
            if update.closed:
                self._doubt()
                self._catch_up_when_due()
        elif update.closed:
            self._take_closed(update.candle)
        else:
            self._take_forming(update)

    def _take_closed(self, candle: Candle) -> None:
        outcome = self._store.append(self.symbol, self.interval, [candle])
        if outcome == "gap":
            self._doubt()
            if not self._catch_up_when_due() or self._store.append(self.symbol, self.interval, [candle]) == "gap":
                self._doubt()
                return
        if candle.open_time > self.report.newest_open:
            self._written(self.report.candles + 1, candle)

    def _take_forming(self, update: KlineUpdate) -> None:
        if update.candle.open_time <= self.report.newest_open:
            return
        if update.candle.open_time > self.report.newest_open + self._step:
            self._doubt()  # the close of its predecessor was lost, or REST does not have it yet
            self._catch_up_when_due()
        now = self._clock.now_ms()
        if now - self._forming_at >= FORMING_EVERY_MS:
            self._store.put_forming(self.symbol, self.interval, FormingCandle(update.candle, update.seen_at))
            self._forming_at = self.report.last_write = now

    # --- the clock ------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        now = self._clock.now_ms()
        next_close = self.report.newest_open + 2 * self._step
        if now >= next_close + self._grace or (self._recheck_at is not None and now >= self._recheck_at):
            self._doubt()
        if self._store.count(self.symbol, self.interval) < self.report.candles:
            self._doubt()  # flushed, evicted or rolled back behind our back

    # --- bookkeeping ----------------------------------------------------------------------------------------------

    def _carefully(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except Retry as trouble:
            self._doubt()
            self._note(str(trouble))
            self._is_listed = not isinstance(trouble, NotListed)
            return False
        self._is_listed = True
        return True

    def _doubt(self) -> None:
        self._in_doubt = True

    def _pause(self, now: int, *, fruitful: bool) -> None:
        self._fruitless = 0 if fruitful else self._fruitless + 1
        backoff = BACKOFF if self._is_listed else UNLISTED_BACKOFF
        self._next_try = now + round(backoff.pause_s(self._fruitless) * 1000)

    def _written(self, count: int, newest: Candle) -> None:
        if newest.open_time > self.report.newest_open:
            self._fruitless = 0
        self.report.candles = min(count, self._capacity)
        self.report.newest_open = newest.open_time
        self.report.last_write = self._clock.now_ms()

    def _count_problems(self, quarantined: tuple[Quarantined, ...]) -> None:
        self.report.quarantined += len(quarantined)
        for entry in quarantined[:3]:
            where = {"symbol": self.symbol, "interval": self.interval, "open_time": entry.candle.open_time}
            _log.warning("candle.rejected", why=entry.reason, **where)

    def _note(self, problem: str) -> None:
        if problem and problem != self.report.problem:
            _log.warning("candle.in_doubt", symbol=self.symbol, interval=self.interval, why=problem)
        self.report.problem = problem


def _agree(stored: list[Candle], venue: list[Candle], step: int) -> bool:
    """True when the venue's run continues the stored one: they overlap, equal where they do, at most one step apart."""
    if not stored or not venue or venue[-1].open_time < stored[-1].open_time - step:
        return False
    known = {candle.open_time: candle for candle in stored[-len(venue) - 1 :]}
    overlap = [(known[candle.open_time], candle) for candle in venue if candle.open_time in known]
    return bool(overlap) and all(ours == theirs for ours, theirs in overlap)
