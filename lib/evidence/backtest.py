"""
A whole backtest over one tape: every T is asked, an account lives by the answers, and what it came to is judged.

Answers are asked for one after the other and let go; kept are the views that would have been acted on, because each is
judged by itself beside coins, always long, always short and blind moments. It can be ended between two T. Where answers
come from is not known here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.account import AccountSettings
from lib.domain.books import Fill, RunningBooks
from lib.domain.candle import MINUTE_MS
from lib.domain.decision import Decision
from lib.domain.equity import Mark
from lib.domain.order import CYCLE_MS
from lib.domain.performance import Fall, deepest_fall
from lib.domain.position import ZERO
from lib.evidence.account import Account, Ask, Opened, Record
from lib.evidence.baselines import Baselines, baselines, pairs
from lib.evidence.desk import Terms
from lib.evidence.tape import Tape

WINDOW = 30
"""Closed one-minute candles before T that an answer rests on."""
A_STRETCH = 500
"""Decisions between two looks at whether to go on."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it; *held* is what one USDT of coins would have become over the same time, without a fee."""

    candles: int
    asked: int
    record: Record
    books: RunningBooks
    fills: Sequence[Fill]
    fall: Fall | None
    held: Decimal
    beside: Baselines | None


class NothingAsked(Exception):
    """No decision was there to be replayed."""


class Ended(Exception):
    """Whoever asked wants no more."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a backtest plays: prices, the symbol's rules, and the account with its USDT."""

    tape: Tape
    terms: Terms
    settings: AccountSettings
    balance: Decimal


def times_of(tape: Tape, cadence_min: int, span: tuple[int, int] | None = None) -> list[int]:
    """Every T of the cadence, within *span*, with a whole window before it and a minute after it."""
    step, before = cadence_min * MINUTE_MS, WINDOW * MINUTE_MS
    begin, end = tape.opens[0] + before, tape.opens[-1]
    if span is not None:
        begin, end = max(begin, span[0]), min(end, span[1] - 1)
    return [t for t in range(-(-begin // step) * step, end + 1, step) if _is_whole(tape, t)]


def _is_whole(tape: Tape, t_ms: int) -> bool:
    newest = tape.index(t_ms)
    return newest >= WINDOW and tape.opens[newest - WINDOW] == t_ms - WINDOW * MINUTE_MS


def backtested(
    stage: Stage, times: Iterable[int], ask: Ask, go_on: Callable[[int], bool] = lambda done: True
) -> Backtest:
    """
    The account of *stage* through *times* (ascending) by the answers of *ask*; *go_on* is told how many are done.

    *NothingAsked* when no T had an answer, *Ended* when *go_on* said so.
    """
    account: Account | None = None
    views: dict[int, Decision] = {}
    for done, t_ms in enumerate(times):
        if done % A_STRETCH == 0 and not go_on(done):
            raise Ended
        if (heard := ask(t_ms)) is None:
            continue
        account = account or _opened(stage, t_ms)
        account.serve(t_ms, heard)
        if isinstance(view := heard.decision, Decision) and _is_acted_on(view, stage.settings):
            views[t_ms] = view
    if account is None:
        raise NothingAsked
    return _judged(stage, account, views)


def _opened(stage: Stage, first_ms: int) -> Account:
    return Account(stage.tape, stage.terms, Opened(stage.settings, stage.balance, first_ms - CYCLE_MS))


def _is_acted_on(view: Decision, settings: AccountSettings) -> bool:
    """Whether the account would act on it: a threshold that leaves few opinions is judged by these few."""
    return view.action in ("buy", "sell") and view.confidence >= settings.profile.min_confidence


def _judged(stage: Stage, account: Account, views: dict[int, Decision]) -> Backtest:
    record, tape = account.record, stage.tape
    marks = [Mark(t, equity, ZERO) for t, equity in zip(record.times, record.curve, strict=True)]
    return Backtest(
        candles=len(tape),
        asked=len(record.times),
        record=record,
        books=account.desk.books,
        fills=account.desk.fills,
        fall=deepest_fall(marks),
        held=tape.mark(record.times[-1]) / tape.mark(record.times[0]),
        beside=baselines(pairs(views, tape, stage.terms)),
    )
