"""
What a signed-in person may do with shadows: add, start, stop and remove one, set its budget.

A shadow is one of the person's own versions, another model they may choose, or both; never a question that is asked
already, by the version that trades or by another of their shadows. Nothing here asks a model, and no shadow trades.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.models import OwnModelDesk, chain_refusal
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.model_profile import is_named
from lib.domain.shadow import MOST_CALLS, MOST_USD, Shadow, ShadowBudget, question_of, with_model
from lib.domain.strategy import Strategy, strategy_of
from lib.ports.people import Accounts
from lib.ports.shadows import Shadows

MOST_LISTED = 20
"""Shadows on a person's list, running or not."""
GONE = Refusal("refuse.shadow.gone")


@dataclass(frozen=True, slots=True)
class MadeShadow:
    """A shadow that was added, and runs."""

    shadow_id: int


class ShadowDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away. *most* may run at once."""

    def __init__(
        self,
        shadows: Shadows,
        accounts: Accounts,
        models: OwnModelDesk | None,
        most: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._shadows, self._accounts, self._models = shadows, accounts, models
        self._most, self._clock = most, clock

    def most(self) -> int:
        """How many of a person's may run at once."""
        return self._most()

    @act
    def add(self, user: SessionUser, version_id: int, model: str, budget: ShadowBudget) -> MadeShadow | Refusal:
        """
        A shadow of that version, 0 = the one that trades now, asked of *model*, "" = the version's own; it runs from
        the next T on.
        """
        if user.is_guest:
            return Refusal("refuse.guest")
        if not budget.is_offered:
            return _no_budget()
        found = self._shadows.content(user.user_id, version_id)
        if found is None or (model and not is_named(model)):
            return Refusal("refuse.strategy.gone" if found is None else "refuse.model.gone")
        number, content = found[0], with_model(found[1], model)
        if refusal := chain_refusal(self._models, user, content.chain) or self._known(user, content):
            return refusal
        shadow = Shadow(0, user.user_id, number, model, content, budget)
        made = self._shadows.add(shadow, self._clock.now_ms(), most := self._most())
        return Refusal("refuse.shadow.most", most=most) if made is None else MadeShadow(made)

    @act
    def start(self, user: SessionUser, shadow_id: int) -> Refusal | None:
        """Let it answer from the next T on."""
        return self._switch(user, shadow_id, running=True)

    @act
    def stop(self, user: SessionUser, shadow_id: int) -> Refusal | None:
        """It is asked no more until it is started; its answers stay."""
        return self._switch(user, shadow_id, running=False)

    @act
    def set_budget(self, user: SessionUser, shadow_id: int, budget: ShadowBudget) -> Refusal | None:
        """The most it may be asked and may cost a UTC day."""
        if not budget.is_offered:
            return _no_budget()
        return None if self._shadows.set_budget(user.user_id, shadow_id, budget) else GONE

    @act
    def remove(self, user: SessionUser, shadow_id: int) -> Refusal | None:
        """Off the list; what it answered stays, so that nobody chooses afterwards which ones counted."""
        return None if self._shadows.remove(user.user_id, shadow_id, self._clock.now_ms()) else GONE

    def _known(self, user: SessionUser, content: Strategy) -> Refusal | None:
        """Why *content* would say nothing new."""
        asked = question_of(content)
        settings, _ = self._accounts.chosen(user.user_id) or (None, 0)
        if settings is not None and question_of(strategy_of(settings)) == asked:
            return Refusal("refuse.shadow.same")
        listed = self._shadows.of(user.user_id)
        if any(question_of(one.content) == asked for one, _ in listed):
            return Refusal("refuse.shadow.twin")
        return Refusal("refuse.shadow.listed", most=MOST_LISTED) if len(listed) >= MOST_LISTED else None

    def _switch(self, user: SessionUser, shadow_id: int, *, running: bool) -> Refusal | None:
        most = self._most()
        done = self._shadows.set_running(user.user_id, shadow_id, running, self._clock.now_ms(), most)
        if done is None:
            return GONE
        return None if done else Refusal("refuse.shadow.most", most=most)


def _no_budget() -> Refusal:
    return Refusal("refuse.shadow.budget", calls=MOST_CALLS, usd=str(MOST_USD))
