"""
What would be sent to the analyst for a person's account now: the cycle's own function over the newest closed candles.

At the next T the candles are newer; every other byte is the same. Nothing is asked, stored or counted.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from lib.adapters.openai.spending import estimated
from lib.domain.account_records import Asking
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.pricing import AnalystPrices
from lib.queries import CallRow, Readings
from lib.trading.context import INTERVAL, WINDOW
from lib.trading.cycle.prompt import prompt_for

DAY_MS = 86_400_000
ANSWER_TOKENS = 150
"""About as long as six keys with two sentences in them."""


@dataclass(frozen=True, slots=True)
class Preview:
    """
    The two messages, over *candles* of which the newest closed at *closed_ms* (epoch ms, 0 = there are none).

    *tokens* are estimated from the text; *tokens_day* and *usd_day* (None = no prices known) count a call at every T of
    the account's cadence with answers of *answer_tokens*. *last* is the newest call as the provider counted it.
    """

    system: str
    user: str
    candles: int
    closed_ms: int
    tokens: int
    answer_tokens: int
    tokens_day: int
    usd_day: Decimal | None
    last: CallRow | None


class Previews:
    """Previews of one deployment's analyst, the model *model*."""

    def __init__(self, readings: Readings, model: str, prices: AnalystPrices) -> None:
        self._readings = readings
        self._model = model
        self._prices = prices

    def of(self, user_id: int, custom_prompt: str | None = None) -> Preview | None:
        """The preview with *custom_prompt* in the place of what is saved; None without an account."""
        account = self._readings.asking(user_id)
        if account is None:
            return None
        if custom_prompt is not None:
            account = replace(account, settings=replace(account.settings, custom_prompt=custom_prompt))
        window = self._readings.closed_candles(account.symbol, INTERVAL, WINDOW)
        return self._made(account, window, self._readings.newest_call(user_id))

    def _made(self, account: Asking, window: list[Candle], last: CallRow | None) -> Preview:
        prompt = prompt_for(account, window, self._model)
        tokens, answer = estimated(prompt.system) + estimated(prompt.user), ANSWER_TOKENS
        cost = self._prices.cost(tokens, answer)
        calls = DAY_MS // (account.settings.cadence_min * MINUTE_MS)
        return Preview(
            system=prompt.system,
            user=prompt.user,
            candles=len(window),
            closed_ms=window[-1].open_time + MINUTE_MS if window else 0,
            tokens=tokens,
            answer_tokens=answer,
            tokens_day=(tokens + answer) * calls,
            usd_day=None if cost is None else cost * calls,
            last=last,
        )
