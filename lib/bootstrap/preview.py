"""
What would be sent to the analyst for a person's account now: the cycle's own function over the newest closed candles.

At the next T the candles are newer; every other byte is the same. Nothing is asked, stored or counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lib.accounts.models import OwnModelDesk
from lib.domain.account_records import Asking, AskingAccount
from lib.domain.bucket import Bucket, bucket_of
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.input_blocks import OFFERED, Block, Shown, ShownNote, note_of
from lib.domain.model_profile import ModelProfile
from lib.domain.pricing import MILLION
from lib.domain.strategy import Strategy, settings_with
from lib.domain.tokens import estimated
from lib.market.sight import Material, kept_for, lens_for, measures_for, minutes_for, shown
from lib.ports.market import MeasureStore
from lib.ports.news import NewsShelf
from lib.queries import CallRow, Readings
from lib.trading.context import INTERVAL, WINDOW
from lib.trading.cycle.prompt import asked_sha256, asked_with, prompt_for

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
    asked: ModelProfile
    """The model that is asked first, with its prices; tokens and costs are of its questions."""
    calls: int
    """Questions a day at the account's cadence."""
    usd_call: Decimal | None = None
    blocks: tuple[ShownNote, ...] = ()
    """The blocks beside the candles, each with its tokens or why it would be left out."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The *blocks* there are, with tokens; *calls* a day at the account's cadence; USD *a_token*, None = unknown."""

    blocks: tuple[ShownNote, ...]
    calls: int
    a_token: Decimal | None


class Previews:
    """Previews of one deployment's analyst, the model *environment*, or of those a person chose of *models*."""

    def __init__(
        self,
        readings: Readings,
        environment: ModelProfile,
        models: OwnModelDesk | None = None,
        measures: MeasureStore | None = None,
        news: NewsShelf | None = None,
    ) -> None:
        self._readings = readings
        self._environment = environment
        self._models = models
        self._measures = measures
        self._news = news
        self._known: tuple[tuple[int, str, str, int], tuple[ShownNote, ...]] = ((0, "", "", 0), ())
        """What was offered last, to whom and when: the figures of one minute are computed once."""

    def of(self, user_id: int, content: Strategy | None = None, symbol: str = "") -> Preview | None:
        """
        The preview in *symbol* ("" = the one that is shown first) with *content* in the place of the strategy that
        runs; None without an account.
        """
        account = self._asking(user_id, symbol)
        if account is None:
            return None
        if content is not None:
            account = replace(account, settings=settings_with(content, account.settings))
        window = self._readings.closed_candles(account.symbol, INTERVAL, WINDOW)
        return self._made(user_id, account, window, self._readings.newest_call(user_id))

    def offered(self, user_id: int, symbol: str = "") -> Offer | None:
        """
        Every block there is, as it would be shown now in *symbol* ("" = the one that is shown first); None without an
        account or before the first candle.
        """
        account = self._asking(user_id, symbol)
        window = self._readings.closed_candles(account.symbol, INTERVAL, WINDOW) if account else []
        if account is None or not window:
            return None
        place = (user_id, account.symbol, asked_sha256(account, self._environment.model), window[-1].open_time)
        if self._known[0] != place:
            self._known = (place, tuple(map(note_of, self._shown(user_id, account, OFFERED, window))))
        calls = DAY_MS // (account.settings.cadence_min * MINUTE_MS)
        one = self._asked(user_id, account).prices.cost(MILLION, 0)
        return Offer(self._known[1], calls, None if one is None else one / MILLION)

    def _asking(self, user_id: int, symbol: str) -> AskingAccount | None:
        account = self._readings.asking(user_id)
        return replace(account, symbol=symbol) if account is not None and symbol else account

    def _asked(self, user_id: int, account: Asking) -> ModelProfile:
        """The first of the person's models that may be asked now; the environment's where there is none."""
        names = asked_with(account).models
        if not names or self._models is None:
            return self._environment
        found = {one.profile.name: one.profile for one in self._models.choices(user_id, is_guest=account.is_guest)}
        return next((found[name] for name in names if name in found), self._environment)

    def _shown(self, user_id: int, account: Asking, blocks: Sequence[Block], window: list[Candle]) -> tuple[Shown, ...]:
        if not blocks or not window:
            return ()
        read, symbol, t_ms = self._readings.closed_candles, account.symbol, window[-1].open_time + MINUTE_MS
        kept = {interval: read(symbol, interval, count) for interval, count in kept_for(blocks).items()}
        minutes = read(symbol, INTERVAL, wanted) if (wanted := minutes_for(blocks)) else []
        found = (self._measures.as_of(symbol, kind, t_ms) for kind in measures_for(blocks)) if self._measures else ()
        material = Material(
            t_ms,
            minutes,
            kept,
            {one.kind: one for one in found if one is not None},
            self._bucket(user_id, symbol, window),
            self._readings.opinions(symbol, asked_sha256(account, self._environment.model), t_ms),
            self._news.as_of(t_ms) if self._news and any(block.kind == "news" for block in blocks) else None,
        )
        return shown(blocks, material, lens_for(asked_with(account).inputs, t_ms, window))

    def _bucket(self, user_id: int, symbol: str, window: list[Candle]) -> Bucket | None:
        held = self._readings.holding(user_id, symbol)
        if held is None:
            return None
        stop = held.stop_loss or held.position_qty * 0
        return bucket_of(held.position_qty, held.avg_entry_price, stop, window[-1].close)

    def _made(self, user_id: int, account: Asking, window: list[Candle], last: CallRow | None) -> Preview:
        asked = self._asked(user_id, account)
        beside = self._shown(user_id, account, asked_with(account).inputs, window)
        prompt = prompt_for(account, window, asked.model, beside)
        tokens, answer = estimated(prompt.system) + estimated(prompt.user), ANSWER_TOKENS
        cost = asked.prices.cost(tokens, answer)
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
            asked=asked,
            calls=calls,
            usd_call=cost,
            blocks=tuple(map(note_of, beside)),
        )
