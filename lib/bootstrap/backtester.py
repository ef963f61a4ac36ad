"""
The child that works one backtest out, wired: candles from the library, filled where they are missing, the engine over
them, and the report. It has no database, no key, and the lowest priority; an end of the pipe it was asked through is
the end of whoever asked, and its own.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

from lib.adapters.backtest_child import END_OF_SAID, PREPARE, told_of
from lib.adapters.sql.ledger.analysis import read_decision
from lib.bootstrap.bundled_rules import bundled_rules
from lib.bootstrap.library import candle_library
from lib.bootstrap.past_questions import asking_of, lead_ms, questions_of
from lib.domain import reason_codes as codes
from lib.domain.backtests import Wish, read_wish
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Retry
from lib.domain.quarantine import PastQuestion
from lib.domain.reason import Reason
from lib.domain.stored_reason import stored
from lib.evidence.account import Ask, Heard
from lib.evidence.backtest import WINDOW, NothingAsked, Stage, backtested, times_of
from lib.evidence.desk import Terms
from lib.evidence.report import told
from lib.evidence.tape import Tape
from lib.market.library import Library
from lib.ports.backtests import Answer
from lib.settings import Settings

A_PIECE = 100
PRIORITY = 19
FIRST_TO_GO = "1000"
"""What the kernel ends first where memory runs out."""

Tell = Callable[[int, int], bool]


def work_backtest(settings: Settings) -> None:
    """Read one question from standard input, tell how far it is, and its end, on standard output; it ends with both."""
    _step_aside()
    asked, say = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is logged from here on goes beside the answers, not between them
    line = asked.readline()
    wish = read_wish(line.removeprefix(PREPARE))
    said = dict(_said(asked))
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()

    def tell(done: int, whole: int) -> bool:
        return _say(say, {"at": [done, whole]})

    try:
        if line.startswith(PREPARE):
            end = prepared(
                wish, candle_library(settings), tell, lambda some: _say(say, {"ask": list(map(told_of, some))})
            )
        else:
            end = worked_out(wish, said, candle_library(settings), tell)
    except Retry as away:
        end = away.why
    except OSError as trouble:  # a disk that is full, or may not be written to
        end = codes.BACKTEST_BROKE(how=trouble.strerror or type(trouble).__name__)
    if isinstance(end, Answer):
        _say(say, {"result": end.result})
    else:
        _say(say, {"why": stored(end)})


def worked_out(wish: Wish, said: dict[int, Heard], library: Library, tell: Tell) -> Answer | Reason:
    """What comes of *wish*, with the answers *said* where it is about some. *Retry* when the feed cannot be asked."""
    decisions = len(said) or (wish.until_ms - wish.since_ms) // (wish.cadence_min * MINUTE_MS)
    span = (wish.since_ms - WINDOW * MINUTE_MS, wish.until_ms)
    minutes = library.fill(wish.symbol, span, lambda done, whole: tell(done, whole + decisions))
    footage = library.read(wish.symbol, span)
    if not len(footage.candles):
        return codes.BACKTEST_NO_CANDLES(symbol=wish.symbol)
    terms = Terms(library.market.instrument(wish.symbol))
    tape = Tape(wish.symbol, footage.candles, terms.instrument.tick_size)
    ask: Ask = bundled_rules(wish.settings, tape) if wish.kind == "rules" else said.get
    times = times_of(tape, 5 if wish.kind == "answers" else wish.cadence_min, (wish.since_ms, wish.until_ms))
    stage = Stage(tape, terms, wish.settings, wish.balance)
    try:
        found = backtested(stage, times, ask, lambda done: tell(minutes + min(done, decisions), minutes + decisions))
    except NothingAsked:
        return codes.BACKTEST_NO_DECISION()
    result = told(found, tape, footage.gaps)
    result["months"] = [[one.month, one.digest] for one in footage.months]
    result["sources"] = list(footage.sources)
    return Answer(result)


def prepared(wish: Wish, library: Library, tell: Tell, ask: Callable[[list[PastQuestion]], bool]) -> Answer | Reason:
    """
    Hand what *wish* asks a model to *ask*, a piece at a time; an empty answer at the end. *Retry* when the feed cannot
    be asked.
    """
    inputs = asking_of(wish).settings.inputs
    span = (wish.since_ms - lead_ms(inputs), wish.until_ms)
    library.fill(wish.symbol, span, tell)
    footage = library.read(wish.symbol, span)
    if not len(footage.candles):
        return codes.BACKTEST_NO_CANDLES(symbol=wish.symbol)
    questions, count = iter(questions_of(wish, footage)), 0
    while piece := list(islice(questions, A_PIECE)):
        count += len(piece)
        ask(piece)
    return Answer({"questions": count}) if count else codes.BACKTEST_NO_DECISION()


def _said(asked: IO[str]) -> Iterator[tuple[int, Heard]]:
    for line in asked:
        if line.strip() == END_OF_SAID:
            return
        t_ms, decision, tokens, failed = json.loads(line)
        yield t_ms, Heard(read_decision(decision), tokens, failed)
    os._exit(0)  # whoever asked has gone


def _say(to: IO[str], line: dict[str, object]) -> bool:
    to.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")
    to.flush()
    return True


def _end_with(asked: IO[str]) -> None:
    asked.read()
    os._exit(0)


def _step_aside() -> None:
    with suppress(OSError):
        os.nice(PRIORITY)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
