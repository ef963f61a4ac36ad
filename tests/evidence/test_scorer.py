"""Every opinion is scored once it has ended, once, by what had happened until then, and never while a cycle is near."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Abstained, Action, Decision
from lib.domain.order import CYCLE_MS
from lib.domain.scores import NOTIONAL, BothWays, Opined, Score
from lib.evidence.both_ways import USUAL, answers_of
from lib.evidence.desk import Terms
from lib.evidence.scorer import A_DAY_OLD_MS, A_STEP, IDLE, Scorer, is_quiet
from lib.evidence.scoring import LATENCY_MS, How, Worth, score
from lib.evidence.tape import Tape
from lib.market.status import rules_text
from lib.ports.market import CorruptCandles
from lib.simulator.feeds import instrument_of
from tests.evidence.test_desk import EveryMinute
from tests.evidence.walks import NIGHT, TICK, wandering
from tests.fakes.market import MemoryCandleStore, SetClock
from tests.fakes.scores import MemoryScoreBook

D = Decimal
BTC, ETH, FEED = "BTCUSDT", "ETHUSDT", "synthetic"
DAY = 24 * 60
T = NIGHT + 60 * MINUTE_MS
TERMS = Terms(instrument_of(BTC))
LATER = T + 2 * DAY * MINUTE_MS
"""A time of a cycle at which everything of T has ended."""
QUIET = LATER + 2 * MINUTE_MS


def view(action: Action = "buy", stop: str = "0.004", target: str = "0.006", leverage: int = 5) -> Decision:
    return Decision(action, D("0.7"), leverage, "", D(stop), D(target))


def opined(number: int, said: Decision | None = None, t_ms: int = T, **changes: object) -> Opined:
    told = Opined(number, FEED, BTC, t_ms, said or view(), 900, D("0.5"))
    return replace(told, **changes)  # type: ignore[arg-type]


def stored(candles: Sequence[Candle], *symbols: str) -> MemoryCandleStore:
    store = MemoryCandleStore()
    for symbol in symbols or (BTC,):
        store.rebuild(symbol, "1m", candles)
        store.set_status({f"rules:{symbol}": rules_text(replace(instrument_of(BTC), symbol=symbol))})
    return store


CANDLES = wandering(7, 60 + 2 * DAY + 2)
MANY = [opined(n, view(("buy", "sell", "hold", "close")[n % 4]), T + n * CYCLE_MS) for n in range(1, 90)]


def scorer(
    book: MemoryScoreBook, store: MemoryCandleStore, clock: SetClock, rests: list[float] | None = None
) -> Scorer:
    return Scorer(book, store, FEED, clock, (rests if rests is not None else []).append)


def all_scores(answers: list[Opined] = MANY, candles: Sequence[Candle] = CANDLES) -> dict[int, Score]:
    book = MemoryScoreBook(lambda: answers)
    scorer(book, stored(candles), SetClock(QUIET)).go_on()
    return book.kept


class Creeping(SetClock):
    """A clock on which every look takes time."""

    def __init__(self, now_ms: int, step_ms: int) -> None:
        super().__init__(now_ms)
        self.step_ms = step_ms

    def now_ms(self) -> int:
        self.now += self.step_ms
        return self.now


def test_a_buy_is_worth_what_the_engine_says_and_what_enters_nothing_costs_its_call() -> None:
    kept = all_scores([opined(1), opined(2, view("hold")), opined(3, view("close")), opined(4, cost=None)])
    share = D("0.5") / NOTIONAL
    worth = score(view(), T, Tape(BTC, CANDLES, TICK), TERMS, How(LATENCY_MS + 900, call_cost=share))
    assert worth is not None
    assert (kept[1].ended, kept[1].entry, kept[1].closed_ms) == (worth.ended, worth.entry, worth.closed_ms)
    assert (kept[1].net, kept[1].in_stops, kept[1].cost) == (worth.net, worth.net / D("0.004"), D("0.5"))
    assert [(kept[n].ended, kept[n].net) for n in (2, 3)] == [("nothing", -share)] * 2
    assert kept[4].net == kept[4].before_call == kept[1].before_call


wilds = st.sampled_from([0.0003, 0.001, 0.004])
views = st.builds(
    view,
    st.sampled_from(["buy", "sell"]),
    st.sampled_from(["0.001", "0.004", "0.02"]),
    st.sampled_from(["0.002", "0.01", "0.05"]),
    st.sampled_from([1, 5, 50, 100]),
)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 50),
    wild=wilds,
    said=views,
    after=st.integers(0, 300),
    latency=st.integers(0, 90_000),
    tick=st.sampled_from([TICK, D("0.00000001"), D("0.5")]),
)
def test_nothing_after_its_own_end_can_change_a_score_and_looking_at_every_minute_gives_the_same(
    seed: int, wild: float, said: Decision, after: int, latency: int, tick: Decimal
) -> None:
    """Whatever prices follow, also those of another step."""
    terms = Terms(replace(TERMS.instrument, tick_size=tick))
    candles, t_ms = wandering(seed, 400, wild=wild, tick=tick), NIGHT + after * MINUTE_MS
    how = How(latency, 2 * 60 * MINUTE_MS)
    worth = score(said, t_ms, Tape(BTC, candles, tick), terms, how)
    assert worth == score(said, t_ms, EveryMinute(BTC, candles, tick), terms, how)
    if worth is None:
        return
    ended = next(n for n, one in enumerate(candles) if one.open_time > worth.closed_ms - MINUTE_MS)
    for step in (D("0.001"), D(7)):
        first, high, low, last = (tick * step * ticks for ticks in (700_000, 900_000, 100_000, 200_001))
        rest = [Candle(one.open_time, first, high, low, last, one.volume) for one in candles[ended + 1 :]]
        assert score(said, t_ms, Tape(BTC, candles[: ended + 1], tick), terms, how) in (worth, None)
        assert score(said, t_ms, Tape(BTC, candles[: ended + 1] + rest, tick), terms, how) == worth


def both_of(answers: list[Opined], candles: Sequence[Candle] = CANDLES) -> dict[int, BothWays]:
    book = MemoryScoreBook(lambda: answers)
    scorer(book, stored(candles), SetClock(QUIET)).go_on()
    return book.both


def worth_of(said: Decision, cost: str = "0", t_ms: int = T) -> Worth:
    worth = score(said, t_ms, Tape(BTC, CANDLES, TICK), TERMS, How(LATENCY_MS + 900, call_cost=D(cost)))
    assert worth is not None
    return worth


def test_both_ways_have_what_each_side_was_worth_before_the_call_and_the_score_the_call() -> None:
    found = both_of([opined(1), opined(2, view("sell", "0.01"))])
    assert found[1].score == all_scores([opined(1)])[1]
    for number, stop in ((1, "0.004"), (2, "0.01")):
        assert found[number].long == worth_of(view("buy", stop)).net
        assert found[number].short == worth_of(view("sell", stop)).net
    assert found[2].score.net == found[2].short - D("0.5") / NOTIONAL


def test_a_moment_that_entered_nothing_has_both_ways_by_its_habit_and_the_usual_ones_without() -> None:
    habit = view("sell", "0.01", "0.02")
    held = opined(1, view("hold"), habit=habit)
    unused = opined(3, view("buy"), habit=habit)
    blank = opined(4, t_ms=T, view=Abstained(codes.ANALYST_TIMEOUT()))
    found = both_of([held, opined(2, view("close")), unused, blank])
    assert (found[1].long, found[1].short) == (worth_of(replace(habit, action="buy")).net, worth_of(habit).net)
    usual = (worth_of(USUAL).net, worth_of(replace(USUAL, action="sell")).net)
    assert (found[2].long, found[2].short) == (found[4].long, found[4].short) == usual
    assert found[3].long == worth_of(view("buy")).net, "an entry has its own stop and target"
    assert (found[1].score.ended, found[1].score.net) == ("nothing", -D("0.5") / NOTIONAL)


def test_a_backtests_answers_are_those_the_scorer_makes_with_the_habit_that_was_before() -> None:
    hold, entry = view("hold"), view("sell", "0.01", "0.02")
    views: dict[int, Decision | Abstained] = {T: hold, T + CYCLE_MS: entry, T + 2 * CYCLE_MS: hold}
    found = answers_of(views, Tape(BTC, CANDLES, TICK), TERMS)
    _, second, third = found
    made = [
        opined(1, hold, latency_ms=0),
        opined(2, entry, T + CYCLE_MS, latency_ms=0),
        opined(3, hold, T + 2 * CYCLE_MS, latency_ms=0, habit=entry),
    ]
    kept = both_of(made)
    assert [(one.long, one.short) for one in found] == [(kept[n].long, kept[n].short) for n in (1, 2, 3)]
    assert [one.side for one in found] == [0, -1, 0]
    assert (second.fees, second.net, third.fees) == (kept[2].score.fees, kept[2].short, D(0))
    assert answers_of({T + 2 * DAY * MINUTE_MS: entry}, Tape(BTC, CANDLES, TICK), TERMS) == []


def test_both_ways_are_not_looked_at_before_they_must_have_ended() -> None:
    book, clock = MemoryScoreBook(lambda: [opined(1)]), SetClock(T + A_DAY_OLD_MS - CYCLE_MS + 2 * MINUTE_MS)
    one = scorer(book, stored([candle for candle in CANDLES if candle.open_time < clock.now]), clock)
    assert one.go_on() == 1
    assert (list(book.kept), book.both) == ([1], {})
    clock.now += CYCLE_MS
    assert one.go_on() == 1
    assert list(book.both) == [1]


def test_both_ways_wait_for_the_side_that_ends_later() -> None:
    said = view("buy", "0.001", "0.05")
    ends = sorted(one.closed_ms for one in (worth_of(said), worth_of(replace(said, action="sell"))))
    until = [one for one in CANDLES if one.open_time + MINUTE_MS <= ends[1]]
    assert len(until) < len(CANDLES)
    for candles, ways in ((until[:-1], 0), (CANDLES, 1)):
        assert len(both_of([opined(1, said)], candles)) == ways
    assert list(both_of([opined(1, symbol="XRPUSDT"), opined(2, feed="bybit"), opined(3)])) == [3]


def test_what_has_not_ended_waits_and_nothing_is_known_of_a_candle_that_is_not_closed() -> None:
    worth = all_scores([opined(1)])[1]
    book, clock, whole = MemoryScoreBook(lambda: [opined(1)]), SetClock(QUIET), stored(CANDLES)
    ended = next(n for n, one in enumerate(CANDLES) if one.open_time + MINUTE_MS > worth.closed_ms)
    scorer(book, stored(CANDLES[:ended]), clock).go_on()
    assert book.kept == {}
    clock.now += CYCLE_MS
    scorer(book, whole, clock).go_on()
    assert book.kept == {1: replace(worth, scored_ms=clock.now)}


def test_no_opinion_is_scored_while_a_cycle_is_near() -> None:
    for at_ms in (LATER, LATER + 2_000, LATER + 89_999, LATER + CYCLE_MS - 15_000, LATER + CYCLE_MS - 1):
        assert not is_quiet(at_ms)
        book = MemoryScoreBook(lambda: MANY)
        assert scorer(book, stored(CANDLES), SetClock(at_ms)).go_on() == 0
        assert book.kept == {}
    assert is_quiet(LATER + 90_000)


def test_a_round_stops_at_once_when_a_cycle_comes_and_goes_on_after_it() -> None:
    book, clock = MemoryScoreBook(lambda: MANY), Creeping(LATER + CYCLE_MS - 15_000 - 100, 1)
    one = scorer(book, stored(CANDLES), clock)
    kept = one.go_on()
    assert 0 < kept < A_STEP + 80
    assert len(book.kept) < len(MANY)
    clock.now = QUIET + CYCLE_MS
    one.go_on()
    assert {n: replace(s, scored_ms=0) for n, s in book.kept.items()} == {
        n: replace(s, scored_ms=0) for n, s in all_scores().items()
    }


def test_a_scorer_that_is_begun_anew_in_the_middle_makes_the_same_scores() -> None:
    book, store = MemoryScoreBook(lambda: MANY), stored(CANDLES)
    for number in range(40):
        looks = iter(range(number))
        scorer(book, store, SetClock(QUIET)).go_on(lambda looks=looks: next(looks, None) is None)  # type: ignore[misc]
    scorer(book, store, SetClock(QUIET)).go_on()
    assert book.kept == all_scores()
    assert len(book.kept) == len(MANY)


def test_a_candle_repaired_later_changes_no_score() -> None:
    book, clock = MemoryScoreBook(lambda: MANY), SetClock(QUIET)
    scorer(book, stored(CANDLES), clock).go_on()
    before = dict(book.kept)
    clock.now += CYCLE_MS
    assert scorer(book, stored(wandering(8, 60 + 2 * DAY + 2)), clock).go_on() == 0
    assert book.kept == before


def test_an_opinion_older_than_the_candles_gets_no_score_and_holds_nobody_up() -> None:
    kept = all_scores([opined(1), opined(2, t_ms=T + 4 * CYCLE_MS)], CANDLES[60 + 10 :])
    assert list(kept) == [2]


def test_other_feeds_symbols_without_rules_and_broken_lists_are_left_alone() -> None:
    class Broken(MemoryCandleStore):
        def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
            if symbol == ETH:
                raise CorruptCandles("not a list of candles")
            return super().newest(symbol, interval, count)

    store = stored(CANDLES, BTC, ETH)
    broken = Broken()
    broken.lists, broken.fields = store.lists, store.fields
    foreign, ruleless, torn = opined(1, feed="bybit"), opined(2, symbol="XRPUSDT"), opined(3, symbol=ETH)
    book = MemoryScoreBook(lambda: [foreign, ruleless, torn, opined(4)])
    scorer(book, broken, SetClock(QUIET)).go_on()
    assert list(book.kept) == [4]


def test_a_round_is_made_once_a_cycle_in_steps_with_rests_between() -> None:
    rests: list[float] = []
    book, clock = MemoryScoreBook(lambda: MANY), SetClock(QUIET)
    one = scorer(book, stored(CANDLES), clock, rests)
    assert one.go_on() == 2 * len(MANY), "the opinions alone, and both ways"
    assert len(rests) == 2 * -(-len(MANY) // A_STEP)
    assert IDLE >= 4, "most of the time nothing is done"
    book.kept.clear()
    book.both.clear()
    assert one.go_on() == 0
    clock.now += CYCLE_MS
    assert one.go_on() == 2 * len(MANY)
