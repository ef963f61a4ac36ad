"""Hypothesis strategies for what the risk rules are given: hostile, but of the right types."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from lib.domain.account import RiskLevel
from lib.domain.decision import Abstained
from lib.domain.instrument import Instrument
from lib.domain.reason import text
from lib.domain.risk import Facts, Gate
from tests.factories import T, decision, facts, instrument, limits, position, settings


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=Decimal(low), max_value=Decimal(high), places=places)


fractions = decimals("0", "1", 4)

any_decisions = st.builds(
    decision,
    action=st.sampled_from(["buy", "sell", "hold"]),
    confidence=fractions,
    leverage=st.integers(1, 125),
    stop_loss=decimals("0", "0.08", 4) | fractions,
    take_profit=decimals("0", "0.08", 4) | fractions,
)
entering = st.builds(
    decision,
    action=st.sampled_from(["buy", "sell"]),
    confidence=decimals("0.75", "1", 4),
    leverage=st.integers(1, 125),
    stop_loss=decimals("0.002", "0.05", 5),
    take_profit=decimals("0.0031", "0.02", 4),
) | st.builds(
    decision,
    action=st.sampled_from(["buy", "sell"]),
    confidence=decimals("0.75", "1", 4),
    leverage=st.integers(1, 125),
    stop_loss=decimals("0.02", "0.05", 5),
    take_profit=decimals("0.0031", "0.2", 4),
)
any_views = entering | any_decisions | st.builds(Abstained, st.text(max_size=20).map(text))

any_limits = st.builds(
    limits,
    daily_loss=decimals("0.01", "1", 2),
    drawdown=decimals("0.01", "1", 2),
    loss_streak=st.integers(1, 10),
    entries_per_day=st.integers(1, 288),
    cooldown_ms=st.integers(0, 7_200_000),
    max_exposure=decimals("0.01", "30", 2),
    max_margin=decimals("0.01", "1", 2),
    analyst_failures=st.integers(1, 20),
    analyst_tokens=st.integers(0, 3_000_000),
)
any_settings = st.builds(
    settings,
    st.sampled_from(RiskLevel),
    max_leverage=st.integers(1, 125),
    long_only=st.booleans(),
    risk_per_trade=st.none() | decimals("0", "0.05", 4),
    min_confidence=st.none() | decimals("0", "0.75", 2),
    limits=any_limits,
)
two_sided = st.builds(
    settings,
    st.sampled_from(RiskLevel),
    max_leverage=st.integers(1, 125),
    risk_per_trade=st.none() | decimals("0.0001", "0.05", 4),
    limits=any_limits,
)

powers = st.sampled_from(["0.0001", "0.001", "0.01", "0.1", "1", "10"]).map(Decimal)


@st.composite
def wild_instruments(draw: st.DrawFn) -> Instrument:
    """Any tick and step, also ones far too coarse for the price; the least quantity may lie off the step."""
    step = draw(powers)
    least = step * draw(st.integers(1, 50)) + draw(st.sampled_from([Decimal(0), step / 4]))
    return instrument(
        tick_size=draw(powers),
        qty_step=step,
        min_qty=least,
        max_market_qty=least * draw(st.integers(2, 10_000)),
        min_notional=draw(decimals("0", "100", 2)),
        max_leverage=draw(decimals("1", "125", 1)),
        trading=draw(st.sampled_from([True, True, True, False])),
    )


fine_instruments = st.builds(
    instrument,
    tick_size=st.sampled_from(["0.0001", "0.0005", "0.01"]).map(Decimal),
    qty_step=st.sampled_from(["0.0001", "0.003", "0.01"]).map(Decimal),
    max_leverage=decimals("1", "125", 1),
)
any_instruments = wild_instruments() | fine_instruments


DEFECTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "equity": decimals("-1000", "1000000", 2),
        "available": decimals("-1000", "1000000", 2),
        "own_qty": st.sampled_from([Decimal(0), Decimal("0.3")]),
        "foreign_orders": st.integers(0, 2),
        "day_start_equity": decimals("0", "1000000", 2),
        "peak_equity": decimals("0", "1000000", 2),
        "entries_today": st.integers(0, 20),
        "loss_streak": st.integers(0, 8),
        "last_stop_ms": st.sampled_from([0, T - 60_000, T - 900_000, T + 1_000]),
        "analyst_failures": st.integers(0, 8),
        "locks": st.sampled_from([(), ("daily_loss",), ("daily_loss", "EXTERNAL")]),
        "unresolved": st.integers(0, 1),
        "tokens_today": st.integers(0, 3_000_000),
        "platform": st.sampled_from([(), (Gate("entries", text("10000 entries on the platform today"), T + 1),)]),
        "room": st.none() | decimals("-1000", "100000", 2),
    },
)
quantities = st.just(Decimal(0)) | decimals("-5", "5", 3)


@st.composite
def any_facts(draw: st.DrawFn, qty: st.SearchStrategy[Decimal] = quantities) -> Facts:
    """A healthy account every other time, else with any number of defects, foreign hands and debt included."""
    size = draw(qty)
    held = position(size, leverage=Decimal(draw(st.integers(1, 100))))
    defects = draw(st.just({}) | DEFECTS)
    healthy = facts(draw(decimals("100", "1000000", 2)), qty=size, position=held)
    return replace(healthy, **defects)
