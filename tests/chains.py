"""What is wrong with the history of an order, in the words of the command line."""

from collections.abc import Iterable

from lib.domain.audit_chain import OrderEvent, chain_flaw
from lib.reason_text import said


def chain_problem(events: Iterable[tuple[OrderEvent, str]]) -> str:
    """As `chain_flaw`, in English; "" when the chain holds."""
    return said(chain_flaw(events), "en")
