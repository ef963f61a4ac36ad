"""
Scores every opinion once it has ended, traded or not, beside everything else and in nobody's way.

It runs in the notifier, a process that holds no exchange key and sends no order, and there only between cycles: from
ninety seconds after T, when no order of T can be sent any more, until shortly before the next. It looks at the time
before each opinion, works in steps of few opinions and sleeps several times as long as each step took. What it
shares with those who trade is the database, of which it reads rows by their keys and adds rows that are its own.

The candles are those that Redis keeps, five thousand minutes: an opinion older than that stays without a score. Nothing
is remembered but where the walk has come to; begun anew, it finds what has no score yet. A score that was kept is never
made again, whatever becomes of the candles later. The last closed candle is the newest it sees, so nothing that had not
happened can decide.

A second walk then has both ways of every moment that is a day old, when both of its sides have ended, for what a
version is held against.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib import log
from lib.clock import Clock
from lib.domain.candle import MINUTE_MS
from lib.domain.decision import Abstained
from lib.domain.order import CYCLE_MS, MAX_AGE_MS
from lib.domain.scores import BOTH_WAYS, METHOD, BothWays, Opined, Score, call_share, of_nothing
from lib.evidence.both_ways import both_ways, is_entry
from lib.evidence.desk import Terms
from lib.evidence.rounds import rounds
from lib.evidence.scoring import LATENCY_MS, LONGEST_MS, How, Worth, score
from lib.evidence.tape import Tape
from lib.market.status import read_rules
from lib.ports.market import CandleStore, CorruptCandles
from lib.ports.scores import ALWAYS, ScoreBook

INTERVAL = "1m"
KEPT = 5_000
"""Minutes of candles looked at: what the collector keeps."""
QUIET_UNTIL_MS = CYCLE_MS - 15_000
A_STEP = 20
"""Opinions of a step, and rows of a transaction."""
IDLE = 4
"""How many times as long as a step the scorer then sleeps."""
LOOK_S = 15.0
A_DAY_OLD_MS = LONGEST_MS + 2 * CYCLE_MS
"""Whatever a moment was entered with has ended by then."""
_log = log.get("scorer")


def is_quiet(now_ms: int) -> bool:
    """Whether no cycle is near: no order of the last T can be sent any more, and the next T is not about to come."""
    return MAX_AGE_MS <= now_ms % CYCLE_MS < QUIET_UNTIL_MS


@dataclass(slots=True)
class _Walk:
    """One method's way through the answers, round after round."""

    method: int
    after: int | None = None
    """The opinion the round has come to; None = a round begins."""
    rounded_ms: int = -1
    """T of the last round that came to its end."""


class Scorer:
    """Over the opinions of *feed* in *book*; *rest* sleeps so many seconds."""

    def __init__(
        self,
        book: ScoreBook,
        candles: CandleStore,
        feed: str,
        clock: Clock,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._book, self._candles, self._feed, self._clock, self._rest = book, candles, feed, clock, rest
        self._walks = (_Walk(METHOD), _Walk(BOTH_WAYS))

    async def run(self, stop: asyncio.Event) -> None:
        """Go on between cycles until *stop*."""
        await rounds(lambda: self.go_on(stop.is_set), stop, LOOK_S, _log, "scorer")

    def go_on(self, is_ending: Callable[[], bool] = lambda: False) -> int:
        """
        One round a T and method over the opinions without a score, from where the last one was left; how many scores
        were kept. Ends when a cycle is near or *is_ending*. *Retry* when a store is away.
        """
        tapes = _Tapes(self._candles, self._clock)
        kept = sum(self._round(walk, tapes, is_ending) for walk in self._walks)
        if kept:
            _log.info("scorer.scored", opinions=kept)
        return kept

    def _round(self, walk: _Walk, tapes: "_Tapes", is_ending: Callable[[], bool]) -> int:
        kept = 0
        while not self._is_over(walk, is_ending):
            began = time.monotonic()
            if walk.after is None:
                walk.after = self._book.before(self._feed, self._clock.now_ms() - KEPT * MINUTE_MS)
            # both ways once: a day old, both sides have ended, and nothing is looked at again and again
            until = self._clock.now_ms() - A_DAY_OLD_MS if walk.method == BOTH_WAYS else ALWAYS
            found = self._book.unscored(walk.after, A_STEP, walk.method, until)
            if not found:
                walk.after, walk.rounded_ms = None, self._clock.now_ms() // CYCLE_MS
                break
            kept += self._step(walk, found, tapes, is_ending)
            self._rest(IDLE * (time.monotonic() - began))
        return kept

    def _is_over(self, walk: _Walk, is_ending: Callable[[], bool]) -> bool:
        now = self._clock.now_ms()
        return is_ending() or not is_quiet(now) or now // CYCLE_MS == walk.rounded_ms

    def _step(self, walk: _Walk, found: Sequence[Opined], tapes: "_Tapes", is_ending: Callable[[], bool]) -> int:
        """Score those of *found* that have ended, until time is over."""
        looked: list[Opined] = []
        scored: list[Score] = []
        both: list[BothWays] = []
        for opined in found:
            if self._is_over(walk, is_ending):
                break
            looked.append(opined)
            if opined.feed != self._feed:
                continue
            if walk.method == BOTH_WAYS:
                both += self._both(opined, tapes)
            else:
                scored += self._scored(opined, tapes)
        kept = self._book.keep(scored) + self._book.keep_both(both)
        if looked:
            walk.after = looked[-1].cycle_id  # not before: what was not kept is looked at again
        return kept

    def _scored(self, opined: Opined, tapes: "_Tapes") -> list[Score]:
        """None or one."""
        view = opined.view
        if isinstance(view, Abstained) or not is_entry(view):
            return [of_nothing(opined, self._clock.now_ms())]
        found = tapes.of(opined.symbol, opined.t_ms)
        if found is None:
            return []
        try:
            worth = score(view, opined.t_ms, *found, _how(opined))
        except (ValueError, ArithmeticError) as odd:
            _log.error("scorer.unscorable", odd, cycle=opined.cycle_id)
            return []
        return [] if worth is None else [score_of(opined, worth, self._clock.now_ms())]

    def _both(self, opined: Opined, tapes: "_Tapes") -> list[BothWays]:
        """None or one."""
        found = tapes.of(opined.symbol, opined.t_ms)
        if found is None:
            return []
        try:
            ways = both_ways(opined.view, opined.habit, opined.t_ms, *found, _how(opined))
        except (ValueError, ArithmeticError) as odd:
            _log.error("scorer.unscorable", odd, cycle=opined.cycle_id)
            return []
        if ways is None:
            return []
        now = self._clock.now_ms()
        score = of_nothing(opined, now) if ways.own is None else score_of(opined, ways.own, now)
        return [BothWays(score, ways.long.before_call, ways.short.before_call)]


def _how(opined: Opined) -> How:
    return How(latency_ms=LATENCY_MS + opined.latency_ms, call_cost=call_share(opined.cost))


def score_of(opined: Opined, worth: Worth, scored_ms: int) -> Score:
    """*worth* as it is kept."""
    return Score(
        cycle_id=opined.cycle_id,
        ended=worth.ended,
        entered_ms=worth.entered_ms,
        closed_ms=worth.closed_ms,
        entry=worth.entry,
        exit=worth.exit,
        gross=worth.gross,
        fees=worth.fees,
        funding=worth.funding,
        cost=opined.cost,
        net=worth.net,
        in_stops=worth.in_stops,
        scored_ms=scored_ms,
    )


class _Tapes:
    """The candles of one round, read once a symbol, with the symbol's rules as the collector told them."""

    def __init__(self, candles: CandleStore, clock: Clock) -> None:
        self._candles, self._clock = candles, clock
        self._known: dict[str, tuple[Tape, Terms] | None] = {}
        self._from_ms: dict[str, int] = {}
        """From where on each symbol's were asked for."""
        self._status: dict[str, str] | None = None

    def of(self, symbol: str, t_ms: int) -> tuple[Tape, Terms] | None:
        """Candles from *t_ms* on at least; None where they are not there, or the rules are not."""
        if symbol not in self._from_ms or t_ms < self._from_ms[symbol]:
            self._known[symbol], self._from_ms[symbol] = self._read(symbol, t_ms), t_ms
        found = self._known[symbol]
        return found if found is not None and found[0].opens[0] <= t_ms else None

    def _read(self, symbol: str, t_ms: int) -> tuple[Tape, Terms] | None:
        if self._status is None:
            self._status = self._candles.status()
        rules = read_rules(symbol, self._status.get(f"rules:{symbol}", ""))
        count = min(KEPT, (self._clock.now_ms() - t_ms) // MINUTE_MS + 2)
        try:
            candles = self._candles.newest(symbol, INTERVAL, count) if rules is not None else []
        except CorruptCandles:
            candles = []  # its collector makes the list anew; other symbols do not wait for that
        return (Tape(symbol, candles, rules.tick_size), Terms(rules)) if rules is not None and candles else None
