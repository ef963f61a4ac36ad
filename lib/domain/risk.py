"""
The plan: what one account does about a decision. Pure.

The analyst's action is a target; everything that costs money is decided here, with `lib.domain.gates` (whether) and
`lib.domain.sizing` (how much). Gates stop entries, never exits: what only closes asks none of them. There is no way to
pass a limit by prompt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings
from lib.domain.decision import Abstained, Decision
from lib.domain.gates import Facts as Facts
from lib.domain.gates import Gate as Gate
from lib.domain.gates import entry_refusal as entry_refusal
from lib.domain.instrument import Instrument
from lib.domain.order import Leg, OrderDraft
from lib.domain.position import ZERO, Position, Side
from lib.domain.reason import Reason, text
from lib.domain.sizing import Clamp as Clamp
from lib.domain.sizing import Sizing as Sizing
from lib.domain.sizing import size_entry as size_entry
from lib.domain.stakes import Ceiling, Stake, beyond
from lib.domain.stops import is_passed, tightened

LONG_ONLY = "long_only"
"""The clamp of an account that only goes long."""
Outcome = Literal["bought", "sold", "closed", "kept", "held", "skipped", "refused", "failed", "unresolved"]


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """
    The plan of one account for one T. *outcome* is the log's outcome once every order ended as planned.

    *orders* in the order they must be sent: a flip is an exit, then an entry whose qty is None.
    """

    outcome: Outcome
    reason: Reason
    orders: tuple[OrderDraft, ...] = ()
    clamps: tuple[Clamp, ...] = ()
    stop: Decimal = ZERO
    """Where the stop of the newest entry's position is moved to, in USDT; 0 = it is not moved."""
    ceiling: Ceiling | None = None
    """What the account may have at stake with its entry; None without one."""


def fitted(plan: AccountPlan, others: Iterable[Stake]) -> AccountPlan:
    """
    *plan* as it may be written down beside what the account has at stake in *others* by now: without an entry that no
    longer fits. Another process may have planned one since the plan was made.
    """
    entry = next((draft for draft in plan.orders if draft.leg == "e"), None)
    if entry is None or plan.ceiling is None:
        return plan
    notional = (entry.qty or ZERO) * max(entry.limit_price, entry.ref_price)
    why = beyond(plan.ceiling, others, entry.side, notional, notional / max(entry.leverage, 1))
    if not why:
        return plan
    exits = tuple(draft for draft in plan.orders if draft.reduce_only)
    if exits:
        return replace(plan, outcome="closed", reason=codes.CLOSED_NOT_TURNED(why=why), orders=exits)
    return replace(plan, outcome="refused", reason=why, orders=())


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
        return AccountPlan("held", codes.ANALYST_ABSTAINED(why=decision.why))
    if decision.action == "hold":
        return AccountPlan("held", text(decision.reason))
    if decision.confidence < settings.profile.min_confidence:
        return AccountPlan(
            "refused", codes.CONFIDENCE_LOW(confidence=decision.confidence, least=settings.profile.min_confidence)
        )
    if decision.action == "close":
        return _close(decision, facts, instrument, ref)
    if decision.action == "tighten":
        return _tighten(decision, facts, instrument, ref)
    side: Side = "buy" if decision.action == "buy" else "sell"
    wanted = "long" if side == "buy" else "short"
    if facts.position.direction == wanted:
        return AccountPlan("kept", codes.ALREADY_THERE(way=wanted))
    if facts.position.is_flat:
        return _enter(decision, side, facts, settings, instrument, ref, t_ms)
    return _flip(decision, side, facts, settings, instrument, ref, t_ms)


def _enter(  # noqa: PLR0913 - the whole plan in one place
    decision: Decision,
    side: Side,
    facts: Facts,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    t_ms: int,
) -> AccountPlan:
    if _is_barred(side, settings):
        return AccountPlan("refused", codes.LONG_ONLY(), clamps=(Clamp(LONG_ONLY, "sell", "hold"),))
    if refusal := entry_refusal(decision, side, facts, settings, instrument, t_ms):
        return AccountPlan("refused", refusal)
    sizing = size_entry(
        decision, side, facts.equity, facts.available, settings, instrument, ref, facts.room, facts.others
    )
    if sizing.qty == 0:
        return AccountPlan("skipped", sizing.why, clamps=sizing.clamps)
    outcome: Outcome = "bought" if side == "buy" else "sold"
    drafts = (entry_draft(side, sizing, ref),)
    return AccountPlan(outcome, text(decision.reason), drafts, sizing.clamps, ceiling=sizing.ceiling)


def _flip(  # noqa: PLR0913
    decision: Decision,
    side: Side,
    facts: Facts,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    t_ms: int,
) -> AccountPlan:
    if facts.own_qty != facts.position.qty:
        return AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())
    close = exit_draft(facts.position, ref, qty=min(abs(facts.position.qty), instrument.max_market_qty))
    if close.qty != abs(facts.position.qty):
        return AccountPlan("closed", codes.CLOSED_NOT_TURNED(why=codes.MARKET_ORDER_TOO_LARGE()), (close,))
    if _is_barred(side, settings):
        why = codes.CLOSED_NOT_TURNED(why=codes.LONG_ONLY())
        return AccountPlan("closed", why, (close,), (Clamp(LONG_ONLY, "sell", "close"),))
    if refusal := entry_refusal(decision, side, facts, settings, instrument, t_ms):
        return AccountPlan("closed", codes.CLOSED_NOT_TURNED(why=refusal), (close,))
    preview = size_entry(
        decision, side, facts.equity, facts.equity, settings, instrument, ref, facts.room, facts.others
    )
    if preview.qty == 0:
        return AccountPlan("closed", codes.CLOSED_NOT_TURNED(why=preview.why), (close,), preview.clamps)
    entry = OrderDraft(
        "e", side, None, preview.limit_price, ref, preview.stop_loss, preview.take_profit, preview.leverage, False
    )
    outcome: Outcome = "bought" if side == "buy" else "sold"
    return AccountPlan(outcome, text(decision.reason), (close, entry), preview.clamps, ceiling=preview.ceiling)


def _close(decision: Decision, facts: Facts, instrument: Instrument, ref: Decimal) -> AccountPlan:
    """The exit of a *close*: all of the position or a part of it. No gate of entries is asked."""
    share, whole = decision.close_fraction, abs(facts.position.qty)
    if facts.position.is_flat:
        return AccountPlan("held", codes.FLAT_ALREADY())
    if facts.own_qty != facts.position.qty:
        return AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())
    wanted, why = closing_qty(whole, share, instrument), text(decision.reason)
    if not wanted:
        return AccountPlan("skipped", codes.PART_BELOW_MINIMUM(share=share))
    if share < 1:
        why = (codes.CLOSED_WITH_REST if wanted == whole else codes.CLOSED_PART)(share=share, why=why)
    if (qty := min(wanted, instrument.max_market_qty)) < wanted:
        why = codes.CLOSED_AS_FAR_AS(limit=codes.MARKET_ORDER_TOO_LARGE(), why=why)
    return AccountPlan("closed", why, (exit_draft(facts.position, ref, qty=qty),))


def _tighten(decision: Decision, facts: Facts, instrument: Instrument, ref: Decimal) -> AccountPlan:
    """The move of the stop of a *tighten*; the exit at once where the mark price has passed the stop that is wanted."""
    position = facts.position
    if position.is_flat:
        return AccountPlan("held", codes.FLAT_ALREADY())
    if facts.own_qty != position.qty:
        return AccountPlan("refused", codes.EXTERNAL_POSITION_LEFT_ALONE())
    if facts.unresolved:
        return AccountPlan("refused", codes.EARLIER_ORDER_UNRESOLVED())
    stop = tightened(position, ref, decision.stop_loss, instrument)
    if not stop:
        return AccountPlan("held", codes.STOP_LEFT_WHERE_IT_IS())
    if is_passed(position, stop):
        qty = min(abs(position.qty), instrument.max_market_qty)
        return AccountPlan("closed", codes.TIGHTENED_STOP_PASSED(stop=stop), (exit_draft(position, ref, qty=qty),))
    why = codes.STOP_TIGHTENED(before=position.stop_loss, after=stop, why=text(decision.reason))
    return AccountPlan("held", why, stop=stop)


def closing_qty(whole: Decimal, share: Decimal, instrument: Instrument) -> Decimal:
    """
    How much of *whole* (base units) a close of *share* of it closes, floored to the step; 0 = too little for an order.

    Never so much that the rest is below the venue's minimum: what could not be closed later is closed with it.
    """
    part = whole if share == 1 else instrument.floor_qty(whole * share)
    if part < min(whole, instrument.min_qty):
        return ZERO
    return whole if whole - part < instrument.min_qty else part


def _is_barred(side: Side, settings: AccountSettings) -> bool:
    """Whether a short is cut to what is left of it: out of a long, or nothing. No word of the analyst's passes it."""
    return settings.long_only and side == "sell"


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
