"""What must stand beside everything a model said about the past, in words. Pure: values in, text out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.ui.write import count

Word = Callable[..., str]
CENTS = Decimal("0.0001")


def stamp(result: dict[str, Any], word: Word) -> str:
    """The stamp of *result*; "" where no model was asked."""
    told = result.get("quarantine")
    if told is None:
        return ""
    model = f"{told.get('shown', '')} ({told.get('asked', '')})"
    sentence = word(f"bt.quarantine_{told['when']}", model=model, cutoff=told.get("cutoff", ""))
    return f"{sentence} {word('bt.quarantine')}"


def paid(result: dict[str, Any], word: Word) -> str:
    """What it asked and cost; "" where no model was asked."""
    told = result.get("quarantine")
    return "" if told is None else spent(int(told["calls"]), Decimal(told["usd"]), word)


def spent(calls: int, usd: Decimal, word: Word) -> str:
    """*calls* and USD, to a hundredth of a cent."""
    return word("bt.spent", n=count(calls), usd=f"{usd.quantize(CENTS)}")
