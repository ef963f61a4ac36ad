"""
Every sealed column of the database sealed anew under the keys in use, one row a transaction.

Killed after any row it is run again and goes on: a row that opens with the new keys alone is done. Each new seal is
opened with the new keys alone before it takes the old one's place, and the place must still hold what was opened. Rows
that nothing here opens are left as they are, and named.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.recovery.seals import (
    LockedSecret,
    SealedKey,
    locked_secrets,
    model_keys,
    replace_key,
    replace_model_key,
    replace_secret,
    sealed_keys,
)
from lib.adapters.vault import ModelKeyOpener, ModelKeySealer, VaultOpener, VaultSealer, kid_of, public_key
from lib.adapters.web_lock import WebLock
from lib.domain.errors import Halt, Pause
from lib.domain.model_profile import KeptModel, seal_of

PASSES = 3
"""Rows that came while we worked are met by the next pass."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys and web secrets, those in use first; () = none here."""

    keys: tuple[str, ...]
    web_secrets: tuple[str, ...]


@dataclass(slots=True)
class Rotation:
    """What a pass over all rows found. *waiting* rows still need an old key; *unopened* says which no key opens."""

    resealed: int = 0
    fresh: int = 0
    waiting: int = 0
    unopened: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether no row needs an old key."""
        return not self.waiting and not self.unopened


class Resealer:
    """Over *engine* with *ring*; *bound* says what the secret of that person's authenticator is locked to."""

    def __init__(self, engine: sa.Engine, ring: KeyRing, bound: Callable[[int], str]) -> None:
        if not ring.keys:
            raise Halt("ENCRYPTION_KEY is missing: what exchange keys are sealed for cannot be told without it")
        self._engine = engine
        self._bound = bound
        self._kid = kid_of(ring.keys[0])
        self._all, self._new = VaultOpener(ring.keys), VaultOpener(ring.keys[:1])
        self._sealer = VaultSealer(public_key(ring.keys[0]))
        self._models_all, self._models_new = ModelKeyOpener(ring.keys), ModelKeyOpener(ring.keys[:1])
        self._model_sealer = ModelKeySealer(public_key(ring.keys[0]))
        self._lock_all = WebLock("".join(ring.web_secrets[:1]), ring.web_secrets[1:])
        self._lock_new = WebLock("".join(ring.web_secrets[:1]))

    def look(self) -> Rotation:
        """How things stand, with nothing changed: every row is opened."""
        found = Rotation()
        for key in self._keys():
            self._count(found, *self._key_state(key))
        for kept in self._model_keys():
            self._count(found, *self._model_state(kept))
        for secret in self._secrets():
            self._count(found, *self._secret_state(secret))
        return found

    def run(self) -> Rotation:
        """Seal what needs it anew; how things stand then."""
        resealed = 0
        for _ in range(PASSES):
            resealed += sum(map(self._reseal, self._keys())) + sum(map(self._relock, self._secrets()))
            resealed += sum(map(self._reseal_model, self._model_keys()))
            found = self.look()
            if not found.waiting:
                break
        found.resealed = resealed
        return found

    def _keys(self) -> list[SealedKey]:
        return transact(self._engine, sealed_keys, readonly=True)

    def _model_keys(self) -> list[KeptModel]:
        return transact(self._engine, model_keys, readonly=True)

    def _secrets(self) -> list[LockedSecret]:
        return transact(self._engine, locked_secrets, readonly=True)

    @staticmethod
    def _count(found: Rotation, state: str, whose: str) -> None:
        if state == "unopened":
            found.unopened.append(whose)
        elif state == "fresh":
            found.fresh += 1
        else:
            found.waiting += 1

    def _key_state(self, row: SealedKey) -> tuple[str, str]:
        whose = f"the exchange key of account {row.account_id} (key pair {row.kid or 'unknown'})"
        for state, opener in (("fresh", self._new), ("waiting", self._all)):
            try:
                opener.open(row.sealed, row.context)
            except Pause:
                continue
            return state, whose
        return "unopened", whose

    def _model_state(self, kept: KeptModel) -> tuple[str, str]:
        owner = f"person {kept.owner_id}" if kept.owner_id else "the operator's list"
        whose = f"the key of the model {kept.profile.name} of {owner}"
        for state, opener in (("fresh", self._models_new), ("waiting", self._models_all)):
            try:
                opener.open(kept.sealed, seal_of(kept))
            except Pause:
                continue
            return state, whose
        return "unopened", whose

    def _reseal_model(self, kept: KeptModel) -> bool:
        if self._model_state(kept)[0] != "waiting":
            return False
        key, bound = self._models_all.open(kept.sealed, seal_of(kept)), seal_of(kept)
        sealed = self._model_sealer.seal(key, bound)
        if self._models_new.open(sealed, bound) != key:
            raise Halt("a model's key sealed anew did not open to itself: nothing more was changed")
        return transact(self._engine, lambda c: replace_model_key(c, kept, sealed))

    def _secret_state(self, row: LockedSecret) -> tuple[str, str]:
        whose = f"the authenticator of person {row.user_id}"
        if self._lock_new.open(row.sealed, self._bound(row.user_id)) is not None:
            return "fresh", whose
        opens = self._lock_all.open(row.sealed, self._bound(row.user_id)) is not None
        return ("waiting" if opens else "unopened"), whose

    def _reseal(self, row: SealedKey) -> bool:
        if self._key_state(row)[0] != "waiting":
            return False
        key = self._all.open(row.sealed, row.context)
        sealed = self._sealer.seal(key, row.context)
        if self._new.open(sealed, row.context) != key:
            raise Halt("a key sealed anew did not open to itself: nothing more was changed")
        return transact(self._engine, lambda c: replace_key(c, row, sealed))

    def _relock(self, row: LockedSecret) -> bool:
        if self._secret_state(row)[0] != "waiting":
            return False
        bound = self._bound(row.user_id)
        text = self._lock_all.open(row.sealed, bound)
        sealed = self._lock_new.lock(text or "", bound)
        if not text or self._lock_new.open(sealed, bound) != text:
            raise Halt("a secret locked anew did not open to itself: nothing more was changed")
        return transact(self._engine, lambda c: replace_secret(c, row, sealed))
