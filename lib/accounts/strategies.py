"""
What a signed-in person may do with strategies: make, save, run, share, take what somebody shared.

A version is checked as settings are, before it is kept: what cannot run here is not saved. Which version runs is
changed as any setting is, with the version of the settings the person saw, and a looser risk asks for a proof. A code
of a shared version is 128 random bits, told once; the store keeps its sha256.
"""

import secrets
from dataclasses import dataclass, replace

from lib.accounts import checking
from lib.accounts.acts import act
from lib.accounts.entrance import sha256
from lib.accounts.models import OwnModelDesk, chain_refusal
from lib.accounts.notes import note_of, note_of_change
from lib.accounts.refusal import Refusal
from lib.accounts.settings_rules import settings_refusal
from lib.accounts.step_up import unproved
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.account import AccountSettings
from lib.domain.spelling import has_unseen
from lib.domain.strategy import LONGEST_NAME, SharedStrategy, Strategy, is_offered, settings_with, without_own
from lib.domain.trail import TrailEvent
from lib.ports.people import Accounts, Throttles
from lib.ports.strategies import Strategies

MOST_STRATEGIES = 40
MOST_SHARES = 40
LONGEST_SHOWN = 40
LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that was kept."""

    version_id: int


@dataclass(frozen=True, slots=True)
class MadeShare:
    """A link just made; *code* exists here and in the link."""

    code: str


class StrategyDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(
        self,
        strategies: Strategies,
        accounts: Accounts,
        throttles: Throttles,
        clock: Clock,
        models: OwnModelDesk | None = None,
    ) -> None:
        self._models = models
        self._strategies = strategies
        self._accounts = accounts
        self._clock = clock
        self._paces = checking.PacedChecks(throttles, clock)

    @act
    def create(self, user: SessionUser, name: str, content: Strategy) -> Kept | Refusal:
        """A strategy called *name* whose first version is *content*; nothing runs by it yet."""
        wanted = name.strip()
        if refusal := _unnamed(wanted) or self._unfit(user, content):
            return refusal
        made = self._strategies.create(user.user_id, wanted, content, self._clock.now_ms(), MOST_STRATEGIES)
        return Refusal("refuse.strategy.most", most=MOST_STRATEGIES) if made is None else Kept(made)

    @act
    def save(self, user: SessionUser, strategy_id: int, content: Strategy, newest: int) -> Kept | Refusal:
        """*content* as a version of the strategy whose newest one the person saw is *newest*; nothing else runs yet."""
        if refusal := self._unfit(user, content):
            return refusal
        kept = self._strategies.save(user.user_id, strategy_id, content, newest, self._clock.now_ms())
        return Refusal("refuse.strategy.stale") if kept is None else Kept(kept)

    @act
    def rename(self, user: SessionUser, strategy_id: int, name: str) -> Refusal | None:
        """Call the strategy *name*; its links say so too."""
        wanted = name.strip()
        if refusal := _unnamed(wanted):
            return refusal
        done = self._strategies.rename(user.user_id, strategy_id, wanted)
        return None if done else Refusal("refuse.strategy.gone")

    @act
    def delete(self, user: SessionUser, strategy_id: int) -> Refusal | None:
        """Delete a strategy that never ran, with its versions and links; what ran stays on record."""
        done = self._strategies.delete(user.user_id, strategy_id)
        if done is None:
            return Refusal("refuse.strategy.gone")
        return None if done else Refusal("refuse.strategy.ran")

    @act
    def run(self, user: SessionUser, version_id: int, version: int) -> Refusal | None:
        """Run that version from the next T on, having read the settings of *version*."""
        wanted = self._strategies.version(user.user_id, version_id)
        before, _ = self._accounts.chosen(user.user_id) or (None, 0)
        if wanted is None or before is None:
            return Refusal("refuse.strategy.gone")
        if refusal := _refusal(user, wanted.content) or chain_refusal(self._models, user, wanted.content.chain):
            return refusal
        after, now = settings_with(wanted.content, before), self._clock.now_ms()
        change = note_of_change(user, before, after, now)
        if change.event is TrailEvent.SETTINGS_LOOSENED and (refusal := unproved(user, now)):
            return refusal
        ran = note_of(user, TrailEvent.STRATEGY_RUN, now, f"{wanted.name} #{wanted.number}".strip())
        notes = (ran, change) if after != before else (ran,)
        done = self._strategies.run(user.user_id, version_id, version, now, notes)
        return None if done else Refusal("refuse.settings.stale")

    @act
    def share(self, user: SessionUser, version_id: int, shown_as: str) -> MadeShare | Refusal:
        """A link to the version for whoever is signed in here, telling no more of the person than *shown_as*."""
        if user.is_guest:
            return Refusal("refuse.guest")
        shown = shown_as.strip()
        if len(shown) > LONGEST_SHOWN or has_unseen(shown):
            return Refusal("refuse.strategy.name", most=LONGEST_SHOWN)
        code, now = secrets.token_urlsafe(16), self._clock.now_ms()
        shared = SharedStrategy(sha256(code), "", Strategy(), shown, now)
        made = self._strategies.share(user.user_id, version_id, shared, MOST_SHARES)
        return MadeShare(code) if made else Refusal("refuse.strategy.share", most=MOST_SHARES)

    @act
    def unshare(self, user: SessionUser, share_id: int) -> Refusal | None:
        """Take a link back: it opens nothing from now on; copies stay their takers'."""
        done = self._strategies.unshare(user.user_id, share_id, self._clock.now_ms())
        return None if done else Refusal("refuse.strategy.gone")

    def shared(self, code: str) -> SharedStrategy | None:
        """What *code* opens, for anybody signed in; own models are nobody else's."""
        found = self._strategies.shared(sha256(code)) if 0 < len(code) <= LONGEST_CODE else None
        return None if found is None else replace(found, content=without_own(found.content))

    def _unfit(self, user: SessionUser, content: Strategy) -> Refusal | None:
        refusal = _refusal(user, content) or chain_refusal(self._models, user, content.chain)
        return refusal or self._paces.counted((f"words:{user.user_id}", checking.REWRITING))


def _unnamed(wanted: str) -> Refusal | None:
    if 0 < len(wanted) <= LONGEST_NAME and not has_unseen(wanted):
        return None
    return Refusal("refuse.strategy.name", most=LONGEST_NAME)


def _refusal(user: SessionUser, content: Strategy) -> Refusal | None:
    if not is_offered(content):
        return Refusal("refuse.strategy.offer")
    if user.is_guest and (content.instructions or content.system or content.inputs or content.answer_version != 1):
        return Refusal("refuse.guest_prompt")  # all guests share one call
    return settings_refusal(settings_with(content, AccountSettings()))
