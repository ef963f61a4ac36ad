"""
Orders and executions in a trader's words: a short entry is not a sale of something held, a close is no liquidation.
"""

from collections.abc import Callable
from decimal import Decimal

from app.ui.write import exact, percent
from lib.domain.order import Order
from lib.domain.position import Side
from lib.domain.risk import LONG_ONLY
from lib.queries import ClampRow

Word = Callable[[str], str]


def order_words(order: Order, word: Word) -> str:
    """What *order* does to the position: long entry, close short, …; *word* translates a key."""
    return side_words(order.side, word, is_exit=order.reduce_only)


def side_words(side: Side, word: Word, *, is_exit: bool) -> str:
    """The same for an execution of an order that may only reduce (*is_exit*) or of an entry."""
    is_long = (side == "buy") != is_exit
    return word(f"side.{'long' if is_long else 'short'}_{'exit' if is_exit else 'entry'}")


def clamp_cells(clamp: ClampRow, word: Word) -> tuple[str, str, str]:
    """What a cap changed, before and after, each as its kind is written."""
    if clamp.name == LONG_ONLY:
        return word(f"clamp.{clamp.name}"), word(f"clamp.{clamp.asked}"), word(f"clamp.{clamp.allowed}")
    return word(f"clamp.{clamp.name}"), _amount(clamp.name, clamp.asked), _amount(clamp.name, clamp.allowed)


def _amount(name: str, value: str) -> str:
    if name.startswith("leverage"):
        return f"{value}×"
    number = Decimal(value)
    return exact(number) if name.startswith("qty") else percent(number)
