"""
A person's way out of NEEDS_HUMAN: an operator settles an order whose end could not be proved.

The exchange is asked once more first, and its answer is not overruled: a record, or executions, give the only state
that is accepted. Without a record the operator's word stands, beside their name and reason in the order's history. The
account is paused before the row closes, so that trading begins again by its owner's act and not by the settling.
"""

from dataclasses import dataclass, replace

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.errors import Pause
from lib.domain.exchange_records import OrderAnswer, Verdict
from lib.domain.order import TERMINAL, VERDICTS, Order, OrderState
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING, Reason
from lib.ports.exchange import Exchanges
from lib.ports.ledger import Ledger
from lib.trading.orders.resolve import proved_verdict

LOG = log.get("trading.settle_by_hand")
FILLS = (OrderState.FILLED, OrderState.PARTIAL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    The exchange's answer when asked once more. *asked* is False where no key can ask; *is_open* = the order still works
    at the exchange; *verdict* is the end that a record or executions prove, None for neither.
    """

    asked: bool
    is_open: bool = False
    verdict: Verdict | None = None

    @property
    def sentence(self) -> str:
        """The evidence in plain words."""
        if not self.asked:
            return "no key of the account can ask the exchange"
        if self.is_open:
            return "the exchange still has it open"
        if self.verdict is None:
            return "the exchange has no record and no execution of it"
        return f"the exchange says {self.verdict.state.value}, {self.verdict.filled_qty} at {self.verdict.avg_price}"

    @property
    def why(self) -> Reason:
        """The evidence as a reason, for a page."""
        if not self.asked:
            return codes.EVIDENCE_NOT_ASKED()
        if self.is_open:
            return codes.EVIDENCE_OPEN()
        if self.verdict is None:
            return codes.EVIDENCE_NOTHING()
        found = self.verdict
        return codes.EVIDENCE_VERDICT(state=found.state.value.lower(), qty=found.filled_qty, price=found.avg_price)


@dataclass(frozen=True, slots=True)
class Word:
    """The order's end as an operator states it; *who* as in "cli:user@host"."""

    state: OrderState
    who: str
    why: str


async def ask_again(ledger: Ledger, exchanges: Exchanges | None, order: Order) -> Evidence:
    """
    Ask the exchange about *order* once more; *exchanges* None = no key. *Retry* when the exchange cannot answer now.
    """
    account = next((one for one in await ledger.accounts() if one.account_id == order.account_id), None)
    if account is None or exchanges is None:
        return Evidence(asked=False)
    try:
        answer = await exchanges.open(account, "resolve").find_order(order.symbol, order.order_link_id)
    except Pause:
        return Evidence(asked=False)
    return read_answer(order, answer)


def read_answer(order: Order, answer: OrderAnswer) -> Evidence:
    """The evidence in *answer*; an exchange without a record of an old order proves nothing."""
    found = proved_verdict(order, answer, order.signed_ts)
    verdict = found if found is not None and found.state in VERDICTS else None
    is_open = verdict is None and any(record.state is None for record in answer.records)
    return Evidence(True, is_open, verdict)


def objection(order: Order, evidence: Evidence, word: Word) -> Reason:
    """Why *word* cannot stand; NOTHING when it can."""
    state, proved = word.state, evidence.verdict
    checks = (
        (order.state is OrderState.NEEDS_HUMAN, codes.ORDER_NOT_STUCK(state=order.state.value.lower())),
        (state in TERMINAL, codes.ENDS_NO_ORDER(state=state.value)),
        (bool(word.why.strip()), codes.REASON_WANTED()),
        (not evidence.is_open, codes.EVIDENCE_OPEN()),
        (proved is None or state is proved.state, codes.ORDER_CONTRADICTED(evidence=evidence.why)),
        (
            # a fill would be listed
            proved is not None or not evidence.asked or state not in FILLS,
            codes.ORDER_CONTRADICTED(evidence=evidence.why),
        ),
        (proved is not None or state is not OrderState.PARTIAL, codes.PART_UNKNOWN()),
    )
    return next((why for holds, why in checks if not holds), NOTHING)


async def settle(ledger: Ledger, order: Order, evidence: Evidence, word: Word) -> Reason:
    """Close *order* as *word* says, if *evidence* allows that; the objection, NOTHING when the order was closed."""
    if against := objection(order, evidence, word):
        return against
    said = codes.SETTLED_BY(who=word.who, note=word.why)
    await ledger.pause(order.account_id, codes.SETTLED_BY_HAND())
    if not await ledger.close_order(order, _verdict(order, evidence, word, said)):
        return codes.ORDER_MOVED()
    LOG.warning("order.settled", link=order.order_link_id, state=word.state.value, who=word.who, why=word.why)
    return NOTHING


def _verdict(order: Order, evidence: Evidence, word: Word, said: Reason) -> Verdict:
    if evidence.verdict is not None:
        return replace(evidence.verdict, why=said)
    filled = order.qty or ZERO if word.state is OrderState.FILLED else ZERO
    return Verdict(word.state, said, order.exchange_order_id, filled, order.limit_price if filled else ZERO, ZERO)
