"""
What one opinion was worth, whoever followed it: entered as an account would, out at the first of its ends.

An opinion is entered by the engine's rule (`lib.domain.sizing`) at the first price it could have had, the latency after
T, and ends at its stop, its target, its liquidation, or after *hold_ms*. Results are net of both fees, of funding and
of what the call cost, in fractions of the notional at the entry; no account, no gate and no size comes in. Overlapping
opinions are scored each by itself.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain.candle import MINUTE_MS
from lib.domain.decision import Decision
from lib.domain.order import OrderDraft, OrderState
from lib.domain.position import ZERO, Side
from lib.domain.risk import exit_draft
from lib.domain.sizing import are_ordered, entry_prices, unfit
from lib.evidence.desk import Desk, Terms
from lib.evidence.tape import Tape

LONGEST_MS = 24 * 60 * MINUTE_MS
"""H: an opinion that met neither its stop nor its target ends here."""
LATENCY_MS = 2_000
"""From T to the order, as a cycle's: the window, the answer and the claim."""
_UNIT = Decimal(1)
_ENOUGH = Decimal("1e9")
"""Cash that bears one unit of anything."""
End = Literal["stop", "target", "liquidation", "time", "no_entry"]


@dataclass(frozen=True, slots=True)
class How:
    """How opinions are scored: the latency after T, the longest life, the call's cost as a share of the notional."""

    latency_ms: int = LATENCY_MS
    hold_ms: int = LONGEST_MS
    call_cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Worth:
    """
    How an opinion *ended*, and what it earned. Prices in USDT, times in epoch ms; *net* and its parts are fractions of
    the notional at the entry, *funding* positive when received. Without an entry all is 0 but the call's cost.
    """

    ended: End
    entered_ms: int
    closed_ms: int
    entry: Decimal
    exit: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    in_stops: Decimal
    """R: *net* in multiples of what the stop would have lost."""

    @property
    def before_call(self) -> Decimal:
        """*net* without the call."""
        return self.gross - self.fees + self.funding


def score(decision: Decision, t_ms: int, tape: Tape, terms: Terms, how: How | None = None) -> Worth | None:
    """What the buy or sell *decision* of T was worth, None while *tape* does not say how it ended."""
    how = how or How()
    begun, side = t_ms + how.latency_ms, _side(decision)
    if tape.index(begun) >= len(tape):
        return None
    draft = _draft(decision, side, tape.price(begun), terms)
    if draft is None:
        return _nothing(begun, how)
    desk = Desk(tape, terms, _ENOUGH, begun)
    if desk.send(draft, begun).state is not OrderState.FILLED:
        return _nothing(begun, how)
    last_ms = tape.opens[-1] + MINUTE_MS
    desk.advance(min(desk.fills[0].at_ms + how.hold_ms, last_ms - 1))
    if desk.position.qty:
        closes_ms = desk.fills[0].at_ms + how.hold_ms
        if closes_ms >= last_ms or tape.price(closes_ms) is None:
            return None
        desk.send(exit_draft(desk.position, tape.mark(closes_ms)), closes_ms)
        return _worth(desk, decision, "time", how)
    return _worth(desk, decision, _end_of(desk), how)


def _side(decision: Decision) -> Side:
    if decision.action not in ("buy", "sell"):
        raise ValueError(f"a {decision.action} enters nothing")
    return "buy" if decision.action == "buy" else "sell"


def _draft(decision: Decision, side: Side, ref: Decimal | None, terms: Terms) -> OrderDraft | None:
    """The entry of one unit; None where the engine's rule makes none."""
    if ref is None or unfit(decision):
        return None
    limit, stop, target = prices = entry_prices(decision, side, terms.instrument, ref)
    if not are_ordered(side, prices, ref):
        return None
    leverage = min(decision.leverage, int(terms.instrument.max_leverage))
    return OrderDraft("e", side, _UNIT, limit, ref, stop, target, leverage, False)


def _end_of(desk: Desk) -> End:
    last = desk.fills[-1]
    if last.kind == "liquidation":
        return "liquidation"
    return "stop" if last.is_stop else "target"


def _nothing(at_ms: int, how: How) -> Worth:
    return Worth("no_entry", at_ms, at_ms, ZERO, ZERO, ZERO, ZERO, ZERO, -how.call_cost, ZERO)


def _worth(desk: Desk, decision: Decision, ended: End, how: How) -> Worth:
    entry, last, books = desk.fills[0], desk.fills[-1], desk.books
    gross, fees, funding = (part / entry.price for part in (books.realised, books.fees, books.funding))
    net = gross - fees + funding - how.call_cost
    prices = (entry.price, last.price)
    return Worth(ended, entry.at_ms, last.at_ms, *prices, gross, fees, funding, net, net / decision.stop_loss)
