"""
What a signed-in person may have a model asked about the past: told what it costs first, then asked within what they
allow.

Nothing is asked here. Whoever wants it says a cap: USD where the model's price is known, else a number of questions;
both hold. What is asked is one version's own question under the blindfold; a memory test asks it as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.accounts import checking
from lib.accounts.acts import act
from lib.accounts.backtests import QUESTIONS, Asked, Past
from lib.accounts.models import OwnModelDesk, chain_refusal
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.account import CADENCES, AccountSettings
from lib.domain.backtests import FREE, MOST_DAYS, MOST_QUESTIONS, MOST_USD, Wish, wish_problem
from lib.domain.model_profile import ModelProfile, cutoff_ms, is_named
from lib.domain.quarantine import Estimate, When, asked_as, calls_of, estimated_cost, stood
from lib.domain.shadow import with_model
from lib.domain.strategy import Strategy, settings_with, written
from lib.domain.trail import TrailEvent
from lib.ports.backtests import BacktestForms
from lib.ports.people import Accounts, Throttles
from lib.ports.shadows import Shadows


@dataclass(frozen=True, slots=True)
class PastWish:
    """
    What is wanted: *version_id* 0 = what trades now, *model* "" = the version's own first. *windows* are of a memory
    test, *cadence_min* 0 = the version's own. The caps: *most_usd* where a price is known, *most_calls* 0 = as many as
    it needs.
    """

    kind: Literal["model", "memory"]
    version_id: int
    model: str
    symbol: str
    since_ms: int
    until_ms: int
    balance: Decimal = Decimal(10_000)
    windows: int = 0
    most_usd: Decimal | None = None
    most_calls: int = 0
    cadence_min: int = 0


@dataclass(frozen=True, slots=True)
class PastOffer:
    """What it would cost, of which *model*, and *when* the days lie beside the end of what that learnt from."""

    model: ModelProfile
    cost: Estimate
    when: When


@dataclass(frozen=True, slots=True)
class PastWorkshop:
    """Questions of a *window* of a memory test; *tokens* tells how long one question of a wish is."""

    window: int
    tokens: Callable[[Wish], int]


@dataclass(frozen=True, slots=True)
class PastStores:
    """What is read and kept."""

    forms: BacktestForms
    shadows: Shadows
    accounts: Accounts
    throttles: Throttles


class QuarantineDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(
        self, stores: PastStores, models: OwnModelDesk, past: Past, workshop: PastWorkshop, clock: Clock
    ) -> None:
        self._stores, self._models, self._past = stores, models, past
        self._workshop, self._clock = workshop, clock
        self._paces = checking.PacedChecks(stores.throttles, clock)

    @act
    def offer(self, user: SessionUser, asked: PastWish) -> PastOffer | Refusal:
        """What *asked* costs, whatever caps it names."""
        found = self._offered(user, asked)
        return found if isinstance(found, Refusal) else found[1]

    @act
    def ask(self, user: SessionUser, asked: PastWish) -> Asked | Refusal:
        """Have it asked within the caps of *asked*, or the number under which it was before."""
        found = self._offered(user, asked)
        if isinstance(found, Refusal):
            return found
        wish, offer = found
        prices, now = offer.model.prices, self._clock.now_ms()
        is_paid = prices.known and not prices.free
        if is_paid and not (asked.most_usd is not None and 0 < asked.most_usd <= MOST_USD):
            return Refusal("refuse.past.usd", most=str(MOST_USD))
        if not prices.known and not 1 <= asked.most_calls <= offer.cost.calls:
            return Refusal("refuse.past.calls", most=offer.cost.calls)
        most_calls = min(asked.most_calls or offer.cost.calls, offer.cost.calls)
        wish = replace(wish, most_calls=most_calls, most_usd=asked.most_usd if is_paid else None)
        if (problem := wish_problem(wish, now)) is not None:
            return Refusal("refuse.field", field=problem)
        if refusal := self._paces.counted((f"past:{user.user_id}", QUESTIONS)):
            return refusal
        detail = f"{offer.model.name} {most_calls}x {'' if wish.most_usd is None else f'{wish.most_usd} USD'}".strip()
        note = note_of(user, TrailEvent.PAST_ASKED, now, detail)
        made = self._stores.forms.ask(user.user_id, self._past.feed, wish, now, note)
        return Refusal("refuse.backtest.one") if made is None else Asked(made)

    @act
    def again(self, user: SessionUser, wish: Wish) -> Asked | Refusal:
        """Go on with *wish*, one of theirs that was cancelled or ended at a cap: what was answered is paid for."""
        if user.is_guest or wish.kind in FREE:
            return Refusal("refuse.guest" if user.is_guest else "refuse.not_found")
        if refusal := chain_refusal(self._models, user, (wish.model,)):
            return refusal
        if refusal := self._paces.counted((f"past:{user.user_id}", QUESTIONS)):
            return refusal
        note = note_of(user, TrailEvent.PAST_ASKED, now := self._clock.now_ms(), f"{wish.model} {wish.most_calls}x")
        made = self._stores.forms.ask(user.user_id, self._past.feed, wish, now, note)
        return Refusal("refuse.backtest.one") if made is None else Asked(made)

    def _offered(self, user: SessionUser, asked: PastWish) -> tuple[Wish, PastOffer] | Refusal:
        if user.is_guest:
            return Refusal("refuse.guest")
        found = self._stores.shadows.content(user.user_id, asked.version_id)
        if found is None or (asked.model and not is_named(asked.model)):
            return Refusal("refuse.strategy.gone" if found is None else "refuse.model.gone")
        name = asked.model or found[1].model
        if refusal := chain_refusal(self._models, user, (name,)):
            return refusal
        if asked.cadence_min not in (0, *CADENCES):
            return Refusal("refuse.field", field="cadence")
        wish = self._wish(user, asked, name, *found)
        if (calls := calls_of(wish, self._workshop.window)) > MOST_QUESTIONS:
            return Refusal("refuse.past.many", most=MOST_QUESTIONS)
        if (problem := wish_problem(replace(wish, most_calls=1), self._clock.now_ms())) == "until":
            return Refusal("refuse.backtest.span", most=MOST_DAYS[asked.kind])
        if problem is not None or wish.symbol not in self._past.symbols:
            return Refusal("refuse.field", field=problem or "symbol")
        choices = self._models.choices(user.user_id, is_guest=False)
        profile = next(one.profile for one in choices if one.profile.name == name)
        when = stood(profile.cutoff, wish.since_ms, wish.until_ms, cutoff_ms(profile.cutoff) or 0)
        return wish, PastOffer(profile, estimated_cost(profile.prices, calls, self._workshop.tokens(wish)), when)

    def _wish(self, user: SessionUser, asked: PastWish, name: str, version_id: int, content: Strategy) -> Wish:
        chosen = self._stores.accounts.chosen(user.user_id)
        said = asked_as(content, name) if asked.kind == "model" else with_model(content, name)
        if asked.cadence_min:
            said = replace(said, cadence_min=asked.cadence_min)
        lives = settings_with(said, AccountSettings() if chosen is None else chosen[0])
        return Wish(
            asked.kind,
            asked.symbol,
            asked.since_ms,
            asked.until_ms,
            balance=asked.balance,
            level=lives.risk_level,
            leverage=min(lives.max_leverage, 25),
            risk=lives.risk_per_trade,
            confidence=lives.min_confidence,
            cadence_min=lives.cadence_min,
            long_only=lives.long_only,
            limits=lives.limits,
            version_id=version_id,
            content=written(said),
            language=user.locale,
            model=name,
            windows=asked.windows,
        )
