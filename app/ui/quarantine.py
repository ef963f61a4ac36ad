"""What must stand beside everything a model said about the past, in words. Pure: values in, text out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.ui.models import usd
from app.ui.write import count
from lib.domain.quarantine import Estimate, When

Word = Callable[..., str]
CENTS = Decimal("0.0001")


def stamp(result: dict[str, Any], word: Word) -> str:
    """The stamp of *result*; "" where no model was asked."""
    told = result.get("quarantine")
    if told is None:
        return ""
    shown, asked = told.get("shown", ""), told.get("asked", "")
    model = shown if shown == asked else f"{shown} ({asked})"
    return stamp_words(told["when"], model, told.get("cutoff", ""), word)


def stamp_words(when: When, model: str, cutoff: str, word: Word) -> str:
    """The stamp of what *model* says about days that lie *when* beside its *cutoff*."""
    return f"{word(f'bt.quarantine_{when}', model=model, cutoff=cutoff)} {word('bt.quarantine')}"


def cost_words(cost: Estimate, word: Word) -> str:
    """What asking costs at most: questions, tokens, and USD from low to high where a price is known."""
    told = {"n": count(cost.calls), "tokens": count(cost.tokens)}
    if cost.low is None or cost.high is None:
        return word("past.cost_unknown", **told)
    if not cost.high:
        return word("past.cost_free", **told)
    return word("past.cost", low=usd(cost.low), high=usd(cost.high), **told)


def paid(result: dict[str, Any], word: Word) -> str:
    """What it asked and cost; "" where no model was asked."""
    told = result.get("quarantine")
    return "" if told is None else spent(int(told["calls"]), Decimal(told["usd"]), word)


def spent(calls: int, usd: Decimal, word: Word) -> str:
    """*calls* and USD, to a hundredth of a cent."""
    return word("bt.spent", n=count(calls), usd=f"{usd.quantize(CENTS)}")
