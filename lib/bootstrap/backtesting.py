"""
`make backtest`, wired: decisions from a person's record or from the bundled rules, candles from the library, a file or
the record itself.

The seconds of a minute are invented from its candle as it is written: a record's candles and a file's give the same
minutes, but not the same seconds in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lib.adapters.sql.database.engine import make_engine
from lib.bootstrap.bundled_rules import bundled_rules
from lib.bootstrap.library import candle_library, kept_footage
from lib.domain.account import AccountSettings
from lib.domain.candle import Candle
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Halt
from lib.evidence.account import Heard
from lib.evidence.backtest import Backtest, NothingAsked, Stage, backtested, times_of
from lib.evidence.both_ways import answers_of
from lib.evidence.desk import Terms
from lib.evidence.tape import Tape
from lib.evidence.versions import ENDED_MS, Judged, versions
from lib.market.library import Span
from lib.queries.recorded import RecordedCall, recorded_calls
from lib.settings import Settings
from lib.simulator.feeds import instrument_of
from lib.simulator.market.candle_files import read_candles

MOST_JUDGED = 20_000
"""Answers of a verdict: two months of five minutes, some ten seconds."""


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """
    What to replay: *settings* and *balance* of an account that trades *symbol*. The decisions are those of *user_id*
    in *database_url*, the bundled rules' where there is none. The candles are those of *file*, or of *span* in the
    library of *deployment*, or else those the decisions rested on.
    """

    settings: AccountSettings
    balance: Decimal
    symbol: str
    file: Path | None = None
    user_id: int | None = None
    database_url: str = ""
    span: Span | None = None
    deployment: Settings | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a plan, and the *verdict* of the page of comparison on its answers, holds among them."""

    backtest: Backtest
    verdict: Judged | None
    """None for more than `MOST_JUDGED` of them: each of them is counted both ways."""


def backtest(plan: BacktestPlan) -> Judgement:
    """Replay *plan*; *Halt* in one line when it has no decision or too few candles."""
    calls = recorded(plan)
    terms = Terms(instrument_of(plan.symbol))
    tape = Tape(plan.symbol, candles_of(plan, calls), terms.instrument.tick_size)
    answers = {call.t_ms: Heard(call.decision, call.tokens, call.failed) for call in calls}
    ask = bundled_rules(plan.settings, tape) if plan.user_id is None else answers.get
    said: dict[int, Decision | Abstained] = {}

    def heard(t_ms: int) -> Heard | None:
        found = ask(t_ms)
        if found is not None and not found.failed and len(said) <= MOST_JUDGED:
            said[t_ms] = found.decision
        return found

    try:
        stage = Stage(tape, terms, plan.settings, plan.balance)
        found = backtested(stage, times_of(tape, plan.settings.cadence_min), heard)
    except NothingAsked:
        raise Halt("there is no decision to replay: no T has thirty candles before it and an answer") from None
    return Judgement(found, _verdict(said, tape, terms))


def _verdict(said: Mapping[int, Decision | Abstained], tape: Tape, terms: Terms) -> Judged | None:
    if len(said) > MOST_JUDGED:
        return None
    told = {tape.symbol: answers_of(said, tape, terms)}
    return versions(told, tape.opens[-1] + ENDED_MS).judged[tape.symbol]


def recorded(plan: BacktestPlan) -> list[RecordedCall]:
    """What the plan's person was answered; nothing where it names nobody."""
    if plan.user_id is None:
        return []
    engine = make_engine(plan.database_url)
    try:
        return list(recorded_calls(engine, plan.user_id, plan.symbol))
    finally:
        engine.dispose()


def candles_of(plan: BacktestPlan, calls: list[RecordedCall]) -> Sequence[Candle]:
    """The file's, the library's, or those that *calls* rested on; *Halt* where there are none."""
    if plan.file is not None:
        return list(read_candles(plan.file, instrument_of(plan.symbol)).candles)
    if plan.span is not None and plan.deployment is not None:
        return kept_footage(candle_library(plan.deployment), plan.symbol, plan.span).candles
    known = {candle.open_time: candle for call in calls for candle in call.candles}
    if not known:
        raise Halt("there are no candles: name a FILE, days (FROM, TO) of the library, or a USER who was answered")
    return [known[open_time] for open_time in sorted(known)]
