"""
What a signed-in person may do with models: see which may be asked, and keep own ones with a key that is sealed at once.

A key is shown nowhere again, not even to its owner: it is put in place, put in another's place, or deleted. It is bound
to the address it was given for, so another address wants the key anew. Nothing is asked here: the trader alone does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lib import log
from lib.accounts.acts import act
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.model_profile import (
    DEFAULT_CHAIN,
    LONGEST_KEY,
    MOST_IN_CHAIN,
    MOST_OWN,
    KeptModel,
    ModelProfile,
    flaw_of,
    is_chain,
    is_named,
    seal_of,
)
from lib.domain.trail import TrailEvent
from lib.ports.models import ModelShelf
from lib.ports.secrets import ModelSealer

SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model as a person may choose it, known prices filled in; *last4* and *has_key* are of a key of their own."""

    profile: ModelProfile
    last4: str = ""
    has_key: bool = False


@dataclass(frozen=True, slots=True)
class ModelHouse:
    """
    What a deployment says of models: its *environment*'s own, known prices, and which `host:port` of its inner network
    people's endpoints may reach. *sealer* None = no key can be taken here.
    """

    environment: ModelProfile
    priced: Callable[[ModelProfile], ModelProfile]
    sealer: ModelSealer | None
    inner: frozenset[str] = field(default_factory=frozenset)


def chain_refusal(models: "OwnModelDesk | None", user: SessionUser, chain: Sequence[str]) -> Refusal | None:
    """Why *chain* cannot be chosen; without lists there is the environment's model alone."""
    if models is not None:
        return models.unchoosable(user.user_id, chain, is_guest=user.is_guest)
    return None if tuple(chain) in ((), DEFAULT_CHAIN) else Refusal("refuse.model.gone")


class OwnModelDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, shelf: ModelShelf, house: ModelHouse, clock: Clock) -> None:
        self._shelf = shelf
        self._house = house
        self._clock = clock

    def choices(self, user_id: int, *, is_guest: bool) -> list[ModelChoice]:
        """The environment's model, what the operator offers, and that person's own; a guest has the first alone."""
        found = [ModelChoice(self._house.environment)]
        if is_guest:
            return found
        listed = (one.profile for one in self._shelf.listed())
        found += [ModelChoice(self._house.priced(profile)) for profile in listed if profile.offered]
        own = self._shelf.own(user_id)
        return found + [
            ModelChoice(self._house.priced(one.profile), one.last4, has_key=bool(one.sealed)) for one in own
        ]

    def unchoosable(self, user_id: int, chain: Sequence[str], *, is_guest: bool) -> Refusal | None:
        """Why *chain* cannot be chosen by that person, or None."""
        if tuple(chain) in ((), DEFAULT_CHAIN):
            return None
        if not is_chain(chain):
            return Refusal("refuse.model.chain", most=MOST_IN_CHAIN)
        if is_guest:
            return Refusal("refuse.guest")
        offered = {one.profile.name for one in self.choices(user_id, is_guest=is_guest)}
        return None if offered.issuperset(chain) else Refusal("refuse.model.gone")

    @act
    def save(self, user: SessionUser, profile: ModelProfile, key: str | None) -> Refusal | None:
        """
        Keep *profile* as one of the person's own, in place of theirs of that name. *key* None = the key it has already,
        "" = it is asked without one.
        """
        if user.is_guest:
            return Refusal("refuse.guest")
        if flaw := flaw_of(self._house.priced(profile), self._house.inner):
            return Refusal(f"refuse.model.{flaw}")
        before = next((one for one in self._shelf.own(user.user_id) if one.profile.name == profile.name), None)
        kept = KeptModel(profile, user.user_id, "", 0) if before is None else replace(before, profile=profile)
        if key is None and before is not None and before.sealed and before.profile.base_url != profile.base_url:
            return Refusal("refuse.model.key_moved")
        if key is not None:
            with log.hide(key):
                sealed = self._sealed(kept, key)
            if isinstance(sealed, Refusal):
                return sealed
            kept = sealed
        now = self._clock.now_ms()
        done = self._shelf.keep_own(kept, MOST_OWN, now, note_of(user, TrailEvent.MODEL_SAVED, now, profile.name))
        return None if done else Refusal("refuse.model.most", most=MOST_OWN)

    @act
    def clear_key(self, user: SessionUser, name: str) -> Refusal | None:
        """The person's own model of that name is asked without a key from now on; the one it had is gone."""
        before = next((one for one in self._shelf.own(user.user_id) if one.profile.name == name), None)
        if before is None:
            return Refusal("refuse.model.gone")
        now = self._clock.now_ms()
        note = note_of(user, TrailEvent.MODEL_KEY_CLEARED, now, name)
        self._shelf.keep_own(_keyless(before), MOST_OWN, now, note)
        return None

    def _sealed(self, kept: KeptModel, key: str) -> KeptModel | Refusal:
        renewed = _keyless(kept)
        if not key:
            return renewed
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
            return Refusal("refuse.model.key", least=SHORTEST_KEY, most=LONGEST_KEY)
        if self._house.sealer is None:
            return Refusal("refuse.model.no_sealer")
        return replace(renewed, sealed=self._house.sealer.seal(key, seal_of(renewed)), last4=key[-4:])

    @act
    def delete(self, user: SessionUser, name: str) -> Refusal | None:
        """The person's own model of that name is gone with its key; a strategy that names it does not ask it."""
        if not is_named(name):
            return Refusal("refuse.model.gone")  # a database may not even compare such letters with its names
        now = self._clock.now_ms()
        done = self._shelf.delete_own(user.user_id, name, note_of(user, TrailEvent.MODEL_DELETED, now, name))
        return None if done else Refusal("refuse.model.gone")


def _keyless(kept: KeptModel) -> KeptModel:
    """*kept* without its key; what its next one is sealed for."""
    return replace(kept, key_version=kept.key_version + 1, sealed="", last4="")
