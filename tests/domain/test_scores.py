"""A trade beside its opinion's score: equal when filled alike, otherwise with the causes of the difference."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain.account import AccountSettings
from lib.domain.books import RunningBooks, book_fill
from lib.domain.candle import MINUTE_MS
from lib.domain.decision import Decision
from lib.domain.fill_prices import EngineConfig
from lib.domain.order import CYCLE_MS
from lib.domain.round_trips import Execution, Intent, RoundTrip, Walk
from lib.domain.scores import Cause, Opined, Score, beside
from lib.evidence.account import Account, Heard, Opened
from lib.evidence.desk import Sent, Terms
from lib.evidence.scorer import score_of
from lib.evidence.scoring import How, score
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of
from tests.evidence.walks import NIGHT, TICK, wandering

D = Decimal
BTC = "BTCUSDT"
T = NIGHT + 60 * MINUTE_MS
TAPE = Tape(BTC, wandering(7, 60 + 26 * 60), TICK)


def lived(said: Decision, config: EngineConfig | None = None) -> tuple[RoundTrip, Sent]:
    """The trade of an account that followed *said* with the rules, gates and sizing of the trader."""
    settings = AccountSettings()
    terms = Terms(instrument_of(BTC), config or EngineConfig())
    account = Account(TAPE, terms, Opened(settings, D(10_000), T - CYCLE_MS))
    account.serve(T, Heard(said))
    account.desk.advance(T + 25 * 60 * MINUTE_MS)
    [(_, entry)] = account.record.orders
    books, walk = RunningBooks(start_balance=D(10_000), opened_ms=T), Walk()
    for number, fill in enumerate(account.desk.fills):
        books, realised = book_fill(books, fill)
        carried = entry.draft
        intent = Intent("e", T, carried.leverage, carried.stop_loss, carried.take_profit, 1) if not number else None
        walk.take(
            Execution(
                number, fill.at_ms, BTC, fill.side, fill.qty, fill.price, fill.fee, realised, fill.kind, fill.is_stop,
                intent,
            )
        )  # fmt: skip
    [trip] = walk.found().closed
    return trip, entry


def scored(said: Decision) -> Score:
    worth = score(said, T, TAPE, Terms(instrument_of(BTC)), How())
    assert worth is not None
    return score_of(Opined(1, "synthetic", BTC, T, said, 0, None), worth, T)


@pytest.mark.parametrize("action", ["buy", "sell"])
@pytest.mark.parametrize(("stop", "target"), [("0.004", "0.006"), ("0.01", "0.03"), ("0.006", "0.01")])
def test_a_trade_that_was_filled_alike_came_to_its_opinions_score(action: str, stop: str, target: str) -> None:
    said = Decision(action, D("0.9"), 3, "", D(stop), D(target))  # type: ignore[arg-type]
    trip, entry = lived(said)
    found = beside(scored(said), trip, entry.draft.qty or D(0), entry.filled)
    assert found.causes == ()
    assert abs(found.net - scored(said).before_call) <= D("1E-12")


SAID = Decision("buy", D("0.9"), 3, "", D("0.004"), D("0.006"))


def test_another_price_and_an_entry_filled_in_part_are_causes() -> None:
    trip, entry = lived(SAID, EngineConfig(slippage=D("0.0004"), liquidity=D("0.01")))
    found = beside(scored(SAID), trip, entry.draft.qty or D(0), entry.filled)
    assert {"partial", "entry", "exit"} == set(found.causes)


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({"ended": "guardian"}, ("guardian",)),
        ({"ended": "hand"}, ("by_hand",)),
        ({"ended": "flatten"}, ("flattened",)),
        ({"ended": "decision"}, ("decision",)),
        ({"ended": "adl"}, ("other_end",)),
        ({}, ("costs",)),
    ],
)
def test_each_other_end_is_told_by_its_name(changes: dict[str, object], causes: tuple[Cause, ...]) -> None:
    trip, entry = lived(SAID)
    other = replace(trip, fees=trip.fees + 1, **changes)  # type: ignore[arg-type]
    assert beside(scored(SAID), other, entry.draft.qty or D(0), entry.filled).causes == causes


def test_what_was_added_to_is_told() -> None:
    trip, entry = lived(SAID)
    more = replace(trip, qty=trip.qty * 2, fees=trip.fees + 1, entry_value=trip.entry_value * 2)
    assert beside(scored(SAID), more, entry.filled, entry.filled).causes == ("added",)
