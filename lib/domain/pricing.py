"""The cost of an analyst's call. Pure. A deployment that knows no prices counts tokens alone."""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.position import ZERO

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class AnalystPrices:
    """
    USD per million tokens; input and output both 0 = not known, unless it is *free*. *cached_usd* None = what the
    provider had kept of a question costs as the rest of it.
    """

    input_usd: Decimal = ZERO
    output_usd: Decimal = ZERO
    cached_usd: Decimal | None = None
    free: bool = False

    @property
    def known(self) -> bool:
        return self.free or self.input_usd > 0 or self.output_usd > 0

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> Decimal | None:
        """USD of one call, exactly, *cached_tokens* of its *prompt_tokens*; None when prices are not known."""
        if not self.known:
            return None
        kept = min(max(cached_tokens, 0), prompt_tokens)
        cached = self.input_usd if self.cached_usd is None else self.cached_usd
        asked = self.input_usd * (prompt_tokens - kept) + cached * kept
        return (asked + self.output_usd * completion_tokens) / MILLION
