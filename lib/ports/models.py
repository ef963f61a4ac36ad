"""Models that may be asked: the operator's list and people's own (synchronous), and how a chain is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.trail import Note
from lib.ports.analyst import Analyst


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that can be asked now. *owner_id* 0 = the operator pays, else that person does."""

    profile: ModelProfile
    owner_id: int
    analyst: Analyst


class ModelDesk(Protocol):
    """The trader's half: it opens sealed keys of models."""

    async def candidates(self, user_id: int, names: Sequence[str]) -> list[Candidate]:
        """
        Those of *names* that may be asked for that person, in this order, known prices filled in; what is not offered
        any more is left out. Own models are that person's and nobody else's. *Retry* = the store is away.
        """
        ...


class ModelShelf(Protocol):
    """What web and trader read of the lists, and a person's own models. Keys are sealed; *Retry* = store away."""

    def listed(self) -> list[KeptModel]:
        """The operator's list by name, with what is not offered; a row that cannot be read is left out."""
        ...

    def own(self, user_id: int) -> list[KeptModel]:
        """That person's own models by name, and nobody else's."""
        ...

    def keep_own(self, kept: KeptModel, most: int, now_ms: int, note: Note) -> bool:
        """
        Keep it for its owner, in place of their model of that name; False, and nothing kept, when they would have more
        than *most*. ValueError for no such person.
        """
        ...

    def delete_own(self, user_id: int, name: str, note: Note) -> bool:
        """Their model of that name and its key are gone; False when they have none."""
        ...


class ModelRegister(Protocol):
    """The operator's writes: on a terminal, or by the trader for the operators' room."""

    def listed(self) -> list[KeptModel]: ...

    def keep(self, kept: KeptModel, now_ms: int) -> None:
        """Put it on the list, in place of the model of that name."""
        ...

    def delete(self, name: str) -> bool:
        """Off the list with its key; False when it is not on it."""
        ...
