"""Shadows: what a person does with their own (synchronous), and the book of what was asked (the trader's)."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from lib.domain.analyst_call import CycleKey
from lib.domain.shadow import Shadow, ShadowBudget, ShadowEnd, ShadowStake, ShadowTry, ShadowUse
from lib.domain.strategy import Strategy


class Shadows(Protocol):
    """Nobody's shadow but the person's own is found; one transaction a method. *ValueError* for no such person."""

    def of(self, user_id: int) -> list[tuple[Shadow, bool]]:
        """The person's shadows by their number, each with whether it runs; removed ones are left out."""
        ...

    def content(self, user_id: int, version_id: int) -> tuple[int, Strategy] | None:
        """
        What that version says (0 = the one that trades now), with its number, 0 = the original design; None when it is
        not the person's.
        """
        ...

    def add(self, shadow: Shadow, now_ms: int, most: int) -> int | None:
        """Keep *shadow*, running; None, and nothing kept, while *most* of the person's run or its version is gone."""
        ...

    def set_running(self, user_id: int, shadow_id: int, running: bool, now_ms: int, most: int) -> bool | None:
        """Start or stop it; None when it is not the person's, False while *most* others run."""
        ...

    def set_budget(self, user_id: int, shadow_id: int, budget: ShadowBudget) -> bool:
        """Its budget from the next T on; False when it is not the person's."""
        ...

    def remove(self, user_id: int, shadow_id: int, now_ms: int) -> bool:
        """
        Off the list and asked no more; its answers stay, and one that never answered is gone. False when it is not the
        person's.
        """
        ...


class ShadowBook(Protocol):
    """What the trader reads and writes of shadows, asynchronous. *Retry* = the database is away."""

    async def running(self, user_ids: Collection[int]) -> list[Shadow]:
        """The running shadows of those people, by their number; one that cannot be read is left out."""
        ...

    async def used(self, t_ms: int) -> Mapping[int, ShadowUse]:
        """What each shadow, by its number, used on the UTC day of *t_ms*; what was shared with others costs nothing."""
        ...

    async def stakes(self, t_ms: int) -> Mapping[int, ShadowStake]:
        """By person: what those who had a shadow's turn on that day or the day before may use on it, and used."""
        ...

    async def paid(self, t_ms: int) -> ShadowUse:
        """What all shadows together used on that day: the calls that were made, and what they cost the operator."""
        ...

    async def claim(self, tries: Sequence[ShadowTry]) -> list[ShadowTry]:
        """Write down that *tries* are under way; those that nobody had written down before."""
        ...

    async def drop(self, tries: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        """Write down that *tries* are dropped, where nothing was written before."""
        ...

    async def conclude(self, ended: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        """Write down what became of tries that were claimed."""
        ...

    async def call_id(self, key: CycleKey) -> int | None:
        """The number of the call recorded for *key*; None = there is none."""
        ...

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        """What calls of that model cost on the UTC day of *t_ms*, those of shadows among them, USD."""
        ...
