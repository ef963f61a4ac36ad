"""The cost of an analyst's call. Pure. A deployment that knows no prices counts tokens alone."""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.position import ZERO

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class AnalystPrices:
    """USD per million tokens; both 0 = not known."""

    input_usd: Decimal = ZERO
    output_usd: Decimal = ZERO

    @property
    def known(self) -> bool:
        return self.input_usd > 0 or self.output_usd > 0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """USD of one call, exactly; None when prices are not known."""
        if not self.known:
            return None
        return (self.input_usd * prompt_tokens + self.output_usd * completion_tokens) / MILLION
