"""
What this account will do about a decision: gates, sizing, clamps. Pure.

The analyst's action is a target; everything that costs money is decided here and nowhere else. Gates stop entries,
never exits. Every cap that fired is recorded as a *Clamp* (asked, allowed). There is no way to pass a limit by prompt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from lib.domain.account import AccountSettings
from lib.domain.decision import Abstained, Decision
from lib.domain.instrument import Instrument
from lib.domain.order import Leg, OrderDraft
from lib.domain.position import ZERO, Position, Side

COLLAR = Decimal("0.003")
"""An entry is an IOC limit at ref ± this fraction: a price collar by construction."""
MIN_STOP = Decimal("0.002")
MAX_STOP_DISTANCE = Decimal("0.05")
MAX_TARGET = Decimal("0.5")
LIQUIDATION_ROOM = Decimal("0.01")
"""Leverage is kept so low that liquidation lies at least this fraction of the price beyond the stop."""

Outcome = Literal["bought", "sold", "closed", "kept", "held", "skipped", "refused", "failed", "unresolved"]


@dataclass(frozen=True, slots=True)
class Clamp:
    """One cap having fired: *asked* became *allowed*."""

    name: str
    asked: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is known of an account when its plan is made. Money in USDT, times in epoch ms.

    *equity* and *available* come from the exchange now; the rest from our books. *own_qty* is the signed quantity our
    fills add up to; a position that differs from it has another hand in it.
    """

    equity: Decimal
    available: Decimal
    position: Position
    foreign_orders: int
    own_qty: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    entries_today: int
    loss_streak: int
    last_stop_ms: int
    analyst_failures: int
    locks: tuple[str, ...] = ()
    unresolved: int = 0


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """
    The plan of one account for one T. *outcome* is what the log will say once every order ended as planned.

    *orders* in the order they must be sent: a flip is an exit, then an entry whose qty is None.
    """

    outcome: Outcome
    reason: str
    orders: tuple[OrderDraft, ...] = ()
    clamps: tuple[Clamp, ...] = ()


@dataclass(frozen=True, slots=True)
class Sizing:
    """An entry's size and prices, or why there is none (*qty* 0)."""

    qty: Decimal
    leverage: int
    limit_price: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    why: str = ""
    clamps: tuple[Clamp, ...] = ()


def decide(
    decision: Decision | Abstained,
    facts: Facts,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    t_ms: int,
) -> AccountPlan:
    """The plan for *decision* at the venue's last price *ref*. buy = be long, sell = be short, hold = nothing."""
    if isinstance(decision, Abstained):
        return AccountPlan("held", f"the analyst abstained: {decision.why}")
    if decision.action == "hold":
        return AccountPlan("held", decision.reason)
    if decision.confidence < settings.profile.min_confidence:
        return AccountPlan("refused", f"confidence {decision.confidence} is under {settings.profile.min_confidence}")
    side: Side = "buy" if decision.action == "buy" else "sell"
    wanted = "long" if side == "buy" else "short"
    if facts.position.direction == wanted:
        return AccountPlan("kept", f"already {wanted}: stop, target and leverage stay as they are")
    if facts.position.is_flat:
        return _enter(decision, side, facts, settings, instrument, ref, t_ms)
    return _turn(decision, side, facts, settings, instrument, ref, t_ms)


def _enter(  # noqa: PLR0913 - the whole plan in one place
    decision: Decision,
    side: Side,
    facts: Facts,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    t_ms: int,
) -> AccountPlan:
    if refusal := entry_refusal(decision, side, facts, settings, instrument, t_ms):
        return AccountPlan("refused", refusal)
    sizing = size_entry(decision, side, facts.equity, facts.available, settings, instrument, ref)
    if sizing.qty == 0:
        return AccountPlan("skipped", sizing.why, clamps=sizing.clamps)
    outcome: Outcome = "bought" if side == "buy" else "sold"
    return AccountPlan(outcome, decision.reason, (entry_draft(side, sizing, ref),), sizing.clamps)


def _turn(  # noqa: PLR0913
    decision: Decision,
    side: Side,
    facts: Facts,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    t_ms: int,
) -> AccountPlan:
    if facts.own_qty != facts.position.qty:
        return AccountPlan("refused", "another hand is in this position: it is left alone")
    close = exit_draft(facts.position, ref)
    if refusal := entry_refusal(decision, side, facts, settings, instrument, t_ms):
        return AccountPlan("closed", f"closed without turning: {refusal}", (close,))
    preview = size_entry(decision, side, facts.equity, facts.equity, settings, instrument, ref)
    if preview.qty == 0:
        return AccountPlan("closed", f"closed without turning: {preview.why}", (close,), preview.clamps)
    entry = OrderDraft(
        "e", side, None, preview.limit_price, ref, preview.stop_loss, preview.take_profit, preview.leverage, False
    )
    outcome: Outcome = "bought" if side == "buy" else "sold"
    return AccountPlan(outcome, decision.reason, (close, entry), preview.clamps)


def exit_draft(position: Position, ref: Decimal, *, leg: Leg = "x", qty: Decimal | None = None) -> OrderDraft:
    """A reduce-only market close of *qty* (default: all) of *position*."""
    size = abs(position.qty) if qty is None else qty
    return OrderDraft(leg, position.closing_side, size, ZERO, ref, ZERO, ZERO, int(position.leverage), True)


def entry_draft(side: Side, sizing: Sizing, ref: Decimal) -> OrderDraft:
    """The entry that *sizing* allows, with its stop and target inside."""
    return OrderDraft(
        "e",
        side,
        sizing.qty,
        sizing.limit_price,
        ref,
        sizing.stop_loss,
        sizing.take_profit,
        sizing.leverage,
        False,
    )


def entry_refusal(
    decision: Decision, side: Side, facts: Facts, settings: AccountSettings, instrument: Instrument, t_ms: int
) -> str:
    """The first gate that stands in the way of an entry, in plain words; "" when all are open."""
    limits = settings.limits
    gates: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: bool(facts.locks), f"entries are locked: {', '.join(facts.locks)}"),
        (lambda: facts.unresolved > 0, "an earlier order is not resolved yet"),
        (lambda: not instrument.trading, f"{instrument.symbol} is not trading"),
        (lambda: settings.long_only and side == "sell", "this account only goes long"),
        (lambda: facts.own_qty != facts.position.qty, "a position on this symbol is not ours"),
        (lambda: facts.foreign_orders > 0, "an order on this symbol is not ours"),
        (lambda: facts.equity <= 0, "there is no equity"),
        (lambda: _lost(facts.day_start_equity, facts.equity, limits.daily_loss), "today's loss limit is reached"),
        (lambda: _lost(facts.peak_equity, facts.equity, limits.drawdown), "the drawdown limit is reached"),
        (lambda: facts.loss_streak >= limits.loss_streak, f"{facts.loss_streak} losing trades in a row"),
        (lambda: facts.entries_today >= limits.entries_per_day, f"{facts.entries_today} entries today already"),
        (lambda: t_ms - facts.last_stop_ms < limits.cooldown_ms, "cooling down after a stop"),
        (lambda: facts.analyst_failures >= limits.analyst_failures, "the analyst failed too often in a row"),
        (
            lambda: not MIN_STOP <= decision.stop_loss <= MAX_STOP_DISTANCE,
            f"stop {decision.stop_loss} is outside {MIN_STOP} to {MAX_STOP_DISTANCE}",
        ),
        (lambda: decision.take_profit <= COLLAR, f"target {decision.take_profit} is inside the price collar"),
    )
    return next((why for shut, why in gates if shut()), "")


def _lost(before: Decimal, now: Decimal, limit: Decimal) -> bool:
    return before > 0 and before - now >= before * limit


def size_entry(  # noqa: PLR0913
    decision: Decision,
    side: Side,
    equity: Decimal,
    available: Decimal,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
) -> Sizing:
    """
    Quantity, leverage and prices of an entry; code sizes, not the model.

    qty = floor(min(risk% x equity / (stop x ref), exposure cap / ref, margin cap x leverage / ref)); leverage is the
    least of what the analyst, the person, the level, the instrument and the stop's distance from liquidation allow.
    """
    if not MIN_STOP <= decision.stop_loss <= MAX_STOP_DISTANCE or ref <= 0:
        return _no_entry("no stop inside the allowed band", 1, ())
    leverage, clamps = _leverage(decision, settings, instrument)
    by_risk = settings.profile.risk_per_trade * equity / (decision.stop_loss * ref)
    by_exposure = settings.limits.max_exposure * equity / ref
    by_margin = settings.limits.max_margin * available * leverage / ref
    qty = instrument.floor_qty(min(by_risk, by_exposure, by_margin, instrument.max_market_qty))
    if qty < instrument.floor_qty(by_risk):
        clamps = (*clamps, Clamp("qty", str(instrument.floor_qty(by_risk)), str(qty)))
    if why := _below_minimum(qty, equity, min(by_risk, by_exposure, by_margin), instrument, ref):
        return _no_entry(why, leverage, clamps)
    if decision.take_profit > MAX_TARGET:
        clamps = (*clamps, Clamp("take_profit", str(decision.take_profit), str(MAX_TARGET)))
    prices = _prices(decision, side, instrument, ref)
    if prices is None:
        return _no_entry("the price tick is too coarse for this stop and target", leverage, clamps)
    return Sizing(qty, leverage, *prices, clamps=clamps)


def _no_entry(why: str, leverage: int, clamps: tuple[Clamp, ...]) -> Sizing:
    return Sizing(ZERO, leverage, ZERO, ZERO, ZERO, why, clamps)


def _prices(
    decision: Decision, side: Side, instrument: Instrument, ref: Decimal
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Limit, stop and target; None when rounding to the tick leaves one of them on the wrong side of another."""
    sign = 1 if side == "buy" else -1
    collar = ref * (1 + sign * COLLAR)
    limit = instrument.floor_price(collar) if side == "buy" else instrument.ceil_price(collar)
    stop = instrument.round_price(ref * (1 - sign * decision.stop_loss))
    take = instrument.round_price(ref * (1 + sign * min(decision.take_profit, MAX_TARGET)))
    low, high = (stop, take) if side == "buy" else (take, stop)
    return (limit, stop, take) if 0 < low < min(ref, limit) <= max(ref, limit) < high else None


def _leverage(decision: Decision, settings: AccountSettings, instrument: Instrument) -> tuple[int, tuple[Clamp, ...]]:
    # maintenance margin of the lowest tier: half the initial margin at the instrument's greatest leverage
    maintenance = 1 / (2 * max(instrument.max_leverage, Decimal(1)))
    caps = (
        ("max_leverage", settings.max_leverage),
        ("risk_level", settings.profile.leverage_cap),
        ("instrument", int(instrument.max_leverage)),
        ("liquidation", int(1 / (decision.stop_loss + LIQUIDATION_ROOM + maintenance))),
    )
    leverage, clamps = decision.leverage, []
    for name, cap in caps:
        if leverage > cap:
            clamps.append(Clamp(f"leverage: {name}", str(leverage), str(max(cap, 1))))
            leverage = max(cap, 1)
    return leverage, tuple(clamps)


def _below_minimum(qty: Decimal, equity: Decimal, uncut: Decimal, instrument: Instrument, ref: Decimal) -> str:
    # the venue measures notional at the limit price, which may lie a collar below ref
    least = instrument.ceil_qty(max(instrument.min_qty, instrument.min_notional / (ref * (1 - COLLAR))))
    if qty >= least:
        return ""
    if uncut <= 0:
        return "below the venue's minimum: there is no free balance"
    needed = (equity * least / uncut).quantize(Decimal("0.01"), ROUND_CEILING)
    return f"below the venue's minimum of {least}: about {needed} USDT of equity would be needed"
