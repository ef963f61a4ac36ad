"""
`make backtest`, wired: decisions from a person's record or from the bundled rules, candles from a file or from the
record itself.

The seconds of a minute are invented from its candle as it is written: a record's candles and a file's give the same
minutes, but not the same seconds in them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lib.adapters.sql.database.engine import make_engine
from lib.domain.account import AccountSettings
from lib.domain.books import RunningBooks
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Decision
from lib.domain.equity import Mark
from lib.domain.errors import Halt
from lib.domain.order import CYCLE_MS
from lib.domain.performance import Fall, deepest_fall
from lib.domain.position import ZERO
from lib.evidence.account import Account, Heard, Opened, Record
from lib.evidence.baselines import Baselines, baselines, pairs
from lib.evidence.desk import Terms
from lib.evidence.tape import Tape
from lib.queries.recorded import RecordedCall, recorded_calls
from lib.simulator.analyst.rules import Question, analyse
from lib.simulator.feeds import instrument_of
from lib.simulator.market.candle_files import read_candles

WINDOW = 30


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """
    What to replay: *settings* and *balance* of an account that trades *symbol*. The decisions are those of *user_id*
    in *database_url*, the bundled rules' where there is none; *file* None = the candles the decisions rested on.
    """

    settings: AccountSettings
    balance: Decimal
    symbol: str
    file: Path | None
    user_id: int | None = None
    database_url: str = ""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it; *held* is what one USDT of coins would have become over the same time, without a fee."""

    candles: int
    asked: int
    record: Record
    books: RunningBooks
    fall: Fall | None
    held: Decimal
    beside: Baselines | None


def backtest(plan: BacktestPlan) -> Backtest:
    """Replay *plan*; *Halt* in one line when it has no decision or too few candles."""
    calls = _recorded(plan)
    candles = _candles(plan, calls)
    tape, terms = Tape(plan.symbol, candles), Terms(instrument_of(plan.symbol))
    times = _times(tape, plan.settings.cadence_min)
    answers = _answers(plan, tape, calls, times)
    if not answers:
        raise Halt("there is no decision to replay: no T has thirty candles before it and an answer")
    first = min(answers)
    account = Account(tape, terms, Opened(plan.settings, plan.balance, first - CYCLE_MS))
    record = account.run(sorted(answers), answers.get)
    views = {t: heard.decision for t, heard in answers.items() if isinstance(heard.decision, Decision)}
    marks = [Mark(t, equity, ZERO) for t, equity in zip(record.times, record.curve, strict=True)]
    held = tape.mark(max(answers)) / tape.mark(first)
    beside = baselines(pairs(_confident(views, plan.settings), tape, terms))
    return Backtest(len(candles), len(answers), record, account.desk.books, deepest_fall(marks), held, beside)


def _confident(views: Mapping[int, Decision], settings: AccountSettings) -> dict[int, Decision]:
    """Those the account would act on: a threshold that leaves few opinions is judged by these few."""
    least = settings.profile.min_confidence
    return {t_ms: view for t_ms, view in views.items() if view.confidence >= least}


def _recorded(plan: BacktestPlan) -> list[RecordedCall]:
    if plan.user_id is None:
        return []
    engine = make_engine(plan.database_url)
    try:
        return list(recorded_calls(engine, plan.user_id, plan.symbol))
    finally:
        engine.dispose()


def _candles(plan: BacktestPlan, calls: list[RecordedCall]) -> list[Candle]:
    if plan.file is not None:
        return list(read_candles(plan.file, instrument_of(plan.symbol)).candles)
    known = {candle.open_time: candle for call in calls for candle in call.candles}
    if not known:
        raise Halt("there are no candles: name a FILE, or a USER who was answered")
    return [known[open_time] for open_time in sorted(known)]


def _times(tape: Tape, cadence_min: int) -> list[int]:
    """Every T of the cadence with a whole window before it and a minute after it."""
    step, span = cadence_min * MINUTE_MS, WINDOW * MINUTE_MS
    begin, end = tape.opens[0] + span, tape.opens[-1]
    return [t for t in range(-(-begin // step) * step, end + 1, step) if _is_whole(tape, t)]


def _is_whole(tape: Tape, t_ms: int) -> bool:
    newest = tape.index(t_ms)
    return newest >= WINDOW and tape.opens[newest - WINDOW] == t_ms - WINDOW * MINUTE_MS


def _answers(plan: BacktestPlan, tape: Tape, calls: list[RecordedCall], times: list[int]) -> dict[int, Heard]:
    if plan.user_id is None:
        ask = bundled_rules(plan.settings, tape)
        return {t_ms: ask(t_ms) for t_ms in times}
    there = set(times)
    return {call.t_ms: Heard(call.decision, call.tokens, call.failed) for call in calls if call.t_ms in there}


def bundled_rules(settings: AccountSettings, tape: Tape) -> Callable[[int], Heard]:
    """The bundled rules, asked at T about the thirty candles before it: no call, no token."""

    def ask(t_ms: int) -> Heard:
        newest = tape.index(t_ms)
        window = tuple(tape.candles[newest - WINDOW : newest])
        level, cap = settings.risk_level.value, settings.profile.leverage_cap
        question = Question(window, level, cap, settings.custom_prompt)
        said = analyse(question, manages=settings.answer_version != 1)
        numbers = (said.confidence, said.leverage, said.reason, said.stop_loss, said.take_profit, said.close_fraction)
        return Heard(Decision(said.action, *numbers))

    return ask
