"""
Models in words: what one is called, and its price; one nobody knows is said to be unknown. No Streamlit here.
"""

from collections.abc import Callable
from decimal import Decimal

from app.ui.write import exact, shown
from lib.domain.model_profile import OWN, ModelProfile
from lib.domain.pricing import AnalystPrices

Say = Callable[..., str]
_CENT = Decimal("0.01")


def model_label(profile: ModelProfile) -> str:
    """Its name for people, and the model's own where that is another."""
    return profile.shown if profile.shown == profile.model else f"{profile.shown} ({profile.model})"


def own_name(name: str) -> str:
    """The name of a person's own model without the mark of its list."""
    return name.removeprefix(OWN)


def prices_words(prices: AnalystPrices, t: Say) -> str:
    """USD per million tokens."""
    if not prices.known:
        return t("model.price_unknown")
    if prices.free:
        return t("model.free")
    return t("model.price", input=exact(prices.input_usd), output=exact(prices.output_usd))


def usd(value: Decimal) -> str:
    """An amount in dollars: cents, and finer where it is less than one."""
    if value >= _CENT or not value:
        return f"${shown(f'{value:,.2f}')}"
    return f"${exact(value.quantize(Decimal('0.000001')))}"
