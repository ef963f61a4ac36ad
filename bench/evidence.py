"""
The event engine over a year of one-minute candles: recorded decisions, the bundled rule asked in the loop, and scoring.

*recorded*: an answer at every T of five minutes, an eighth of them a buy or a sell, replayed with every gate, fee and
funding. *asked*: the bundled rule reads thirty candles at every T. *scored*: each buy and sell of the record, followed
to its end by itself. The floor is a loop of bare Python over floats, in the same run: one position, a stop, a target, a
fee, and nothing else. Aims: a year of recorded decisions in two seconds, 250,000 candles a second; asked 60,000.

Start: `python -m bench.evidence` (`--days 30` for a short look). Exit status 1 when an aim is missed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from lib.bootstrap.bundled_rules import bundled_rules
from lib.domain.account import AccountSettings, Limits, RiskLevel
from lib.domain.candle import Candle
from lib.domain.decision import Decision
from lib.domain.order import CYCLE_MS
from lib.evidence.account import Account, Heard, Opened
from lib.evidence.desk import Terms
from lib.evidence.scoring import score
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of
from tests.evidence.walks import TICK, wandering

SYMBOL = "BTCUSDT"
WINDOW = 30
ROUNDS = 3
RECORDED, ASKED = 250_000, 60_000
"""The aims, candles a second."""
HOLD = Heard(Decision("hold", Decimal("0.6"), 1, "", Decimal(0), Decimal(0)), tokens=900)
SETTINGS = AccountSettings(RiskLevel.HIGH, risk_per_trade=Decimal("0.0005"), limits=Limits(drawdown=Decimal(1)))
"""So little a trade that the account trades all year, up to twelve times a day."""


def times_of(candles: Sequence[Candle]) -> range:
    """Every T whose window is whole."""
    first = candles[WINDOW].open_time
    return range(-(-first // CYCLE_MS) * CYCLE_MS, candles[-1].open_time, CYCLE_MS)


def record(times: Sequence[int], seed: int = 3) -> dict[int, Heard]:
    """An answer at every T; an eighth of them enters."""
    random, answers = Random(seed), dict.fromkeys(times, HOLD)
    for t_ms in times:
        if random.random() < 1 / 8:
            stop = Decimal(random.randint(30, 120)) / 10_000
            action = "buy" if random.random() < 0.5 else "sell"
            confidence = Decimal(random.randint(55, 92)) / 100
            answers[t_ms] = Heard(Decision(action, confidence, 5, "", stop, stop * Decimal("1.8")), tokens=900)  # type: ignore[arg-type]
    return answers


def bare(candles: Sequence[tuple[int, float, float, float]], answers: Mapping[int, Heard]) -> float:
    """The floor: what is left of 1 by a stop, a target and a fee in floats, candle by candle."""
    worth, side, entry, stop, target = 1.0, 0, 0.0, 0.0, 0.0
    for open_time, high, low, close in candles:
        if side:
            hit = low <= stop if side > 0 else high >= stop
            won = high >= target if side > 0 else low <= target
            if hit or won:
                worth *= 1 + side * ((stop if hit else target) / entry - 1) - 0.0011
                side = 0
        elif open_time % CYCLE_MS == 0:
            heard = answers.get(open_time)
            view = heard.decision if heard else None
            if isinstance(view, Decision) and view.action != "hold":
                side, entry = (1 if view.action == "buy" else -1), close
                stop, target = close * (1 - side * float(view.stop_loss)), close * (1 + side * float(view.take_profit))
    return worth


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of this process, and what was done."""

    seconds: float
    said: str


def timed(work: Callable[[], str], rounds: int = ROUNDS) -> Took:
    """The best of *rounds* of *work* by the processor's clock: the machine does other things too."""
    said, best = "", float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        said = work()
        best = min(best, time.process_time() - begun)
    return Took(best, said)


def replayed(tape: Tape, times: Sequence[int], ask: Callable[[int], Heard | None]) -> str:
    account = Account(tape, Terms(instrument_of(SYMBOL)), Opened(SETTINGS, Decimal(10_000), times[0] - CYCLE_MS))
    done = account.run(times, ask)
    return f"{len(done.orders)} orders, {len(account.desk.fills)} executions, {len(done.locks)} locks"


def scored(tape: Tape, answers: Mapping[int, Heard]) -> str:
    terms, known = Terms(instrument_of(SYMBOL)), 0
    for t_ms, heard in answers.items():
        if heard is not HOLD and isinstance(heard.decision, Decision):
            known += score(heard.decision, t_ms, tape, terms) is not None
    return f"{known} opinions"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    candles = wandering(5, parser.parse_args().days * 1440, wild=0.0004)
    made = time.process_time()
    tape = Tape(SYMBOL, candles, TICK)
    made = time.process_time() - made
    times = times_of(candles)
    answers = record(times)
    floats = [(one.open_time, float(one.high), float(one.low), float(one.close)) for one in candles]
    floor = timed(lambda: f"{bare(floats, answers):.3f} of the start left")
    rows = {
        "bare Python": floor,
        "recorded": timed(lambda: replayed(tape, times, answers.get), 1),
        "and again": timed(lambda: replayed(tape, times, answers.get)),
        "asked": timed(lambda: replayed(tape, times, bundled_rules(SETTINGS, tape))),
        "scored": timed(lambda: scored(tape, answers)),
    }
    print(f"{len(candles)} candles, {len(times)} T; arrays made in {made:.2f} s")
    for name, took in rows.items():
        speed = len(candles) / took.seconds
        print(
            f"{name:16}{took.seconds:8.2f} s {speed:12,.0f} candles/s {floor.seconds / took.seconds:6.2f} of the floor"
            f"   {took.said}"
        )
    well = len(candles) / rows["recorded"].seconds >= RECORDED and len(candles) / rows["asked"].seconds >= ASKED
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
