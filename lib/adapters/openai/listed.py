"""
The models of the lists, ready to be asked: `lib.ports.models.ModelDesk`, in the process that opens sealed keys.

A client lives as long as its row says the same, so connections are kept; at most `MOST_CLIENTS` are. A person's model
is found by the person alone, and its endpoint is reached through `Pinned`. At most `AT_ONCE` questions to listed models
are under way; who waits in vain for a place was not asked in time. A key that does not open fails its own model alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.adapters.openai.prices import priced
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import Abstained
from lib.domain.errors import Pause
from lib.domain.model_profile import KeptModel, endpoint_flaw, is_own, seal_of
from lib.domain.reason import Reason
from lib.ports.analyst import Analyst, AnalystProfiles
from lib.ports.models import Candidate, ModelDesk, ModelShelf
from lib.ports.secrets import ModelOpener

MOST_CLIENTS = 256
AT_ONCE = 64
NO_KEY = "none"
"""Sent where there is no key: local servers ignore it."""


class ListedModels(ModelDesk):
    """*inner* are the `host:port` of our own network that people's endpoints may reach."""

    def __init__(
        self, shelf: ModelShelf, opener: ModelOpener, profiles: AnalystProfiles | None, inner: frozenset[str]
    ) -> None:
        self._shelf = shelf
        self._opener = opener
        self._profiles = profiles
        self._inner = inner
        self._clients: OrderedDict[KeptModel, Analyst] = OrderedDict()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def candidates(self, user_id: int, names: Sequence[str]) -> list[Candidate]:
        kept = await asyncio.to_thread(self._read, user_id, names)
        return [Candidate(priced(one.profile), one.owner_id, self._analyst(one)) for one in kept]

    def _read(self, user_id: int, names: Sequence[str]) -> list[KeptModel]:
        rows: list[KeptModel] = []
        if any(map(is_own, names)):
            rows += self._shelf.own(user_id)
        if not all(map(is_own, names)):
            rows += [one for one in self._shelf.listed() if one.profile.offered]
        found = {one.profile.name: one for one in rows if one.owner_id == (user_id if one.profile.is_own else 0)}
        return [found[name] for name in names if name in found]

    def _analyst(self, kept: KeptModel) -> Analyst:
        if kept not in self._clients:
            self._clients[kept] = self._made(kept)
        self._clients.move_to_end(kept)
        while len(self._clients) > MOST_CLIENTS:
            self._clients.popitem(last=False)  # its connections end with it
        return self._clients[kept]

    def _made(self, kept: KeptModel) -> Analyst:
        inner = self._inner if kept.owner_id else None
        if endpoint_flaw(kept.profile.base_url, inner):  # a rule of today, for a row of before
            return Failing(codes.MODEL_ADDRESS_INNER())
        try:
            key = self._opener.open(kept.sealed, seal_of(kept)) if kept.sealed else NO_KEY
        except Pause:
            return Failing(codes.MODEL_KEY_UNOPENED(model=kept.profile.name))
        client = connect(kept.profile.base_url, key, inner=inner)
        return InTurn(OpenAIAnalyst(client, profiles=self._profiles), self._places)


class InTurn(Analyst):
    """An analyst that is asked when there is a place; the wait is part of the time it has."""

    def __init__(self, inner: Analyst, places: asyncio.Semaphore) -> None:
        self._inner = inner
        self._places = places

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + budget_s
        try:
            async with asyncio.timeout(budget_s):
                await self._places.acquire()
        except TimeoutError:
            return _failed(codes.ANALYST_TIMEOUT(), prompt, round(budget_s * 1000))
        try:
            return await self._inner.ask(prompt, max(deadline - loop.time(), 0.0))
        finally:
            self._places.release()


class Failing(Analyst):
    """A model that cannot be asked, and why."""

    def __init__(self, why: Reason) -> None:
        self._why = why

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        return _failed(self._why, prompt, 0)


def _failed(why: Reason, prompt: Prompt, latency_ms: int) -> AnalystAnswer:
    return AnalystAnswer(Abstained(why), "", prompt.model, 0, 0, latency_ms, failed=True)
