"""Whatever a provider refuses and however it says so, it is asked so that it answers, and that is remembered."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from lib.adapters.openai.analyst import OpenAIAnalyst
from lib.adapters.openai.profile import Wishes
from lib.domain.analyst_call import Prompt
from lib.domain.decision import Decision
from tests.adapters.provider_quirks import CAP_QUIRKS, QUIRKS, Quirk, respond

PROMPT = Prompt(system="You trade.", user='{"candles": []}', model="gpt-6-luna")
BY_NAME = {quirk.name: quirk for quirk in QUIRKS}


class Provider:
    """The server of one quirk, and every request it saw."""

    def __init__(self, quirk: Quirk) -> None:
        self._quirk = quirk
        self.requests: list[dict[str, Any]] = []

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        status, body = respond(self._quirk, self.requests[-1])
        if isinstance(body, str):
            return httpx2.Response(status, text=body)
        return httpx2.Response(status, json=body)


class Shelf:
    """`lib.ports.analyst.AnalystProfiles` in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def read(self, key: str) -> str:
        return self.texts.get(key, "")

    async def write(self, key: str, text: str) -> None:
        self.texts[key] = text


@asynccontextmanager
async def analyst_of(provider: Provider, quirk: Quirk, shelf: Shelf) -> AsyncIterator[OpenAIAnalyst]:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider.handle))
    async with AsyncOpenAI(base_url=quirk.base_url, api_key="sk-test-0123456789", http_client=http) as client:
        yield OpenAIAnalyst(client, wishes=Wishes(effort=quirk.effort), profiles=shelf, pause_s=0.0)


@pytest.mark.parametrize("name", BY_NAME)
async def test_a_quirk_ends_in_a_decision_and_is_met_only_once(name: str) -> None:
    quirk, shelf = BY_NAME[name], Shelf()
    provider = Provider(quirk)
    async with analyst_of(provider, quirk, shelf) as analyst:
        answer = await analyst.ask(PROMPT, 10.0)
        assert isinstance(answer.decision, Decision), (answer.decision, answer.raw, provider.requests)
        learnt_in = len(provider.requests)
        assert learnt_in <= 6
        assert isinstance((await analyst.ask(PROMPT, 10.0)).decision, Decision)
        assert len(provider.requests) == learnt_in + 1
    async with analyst_of(provider, quirk, shelf) as another_process:
        assert isinstance((await another_process.ask(PROMPT, 10.0)).decision, Decision)
    assert len(provider.requests) == learnt_in + 2


@pytest.mark.parametrize("name", [quirk.name for quirk in CAP_QUIRKS])
async def test_a_cap_of_the_models_own_is_asked_for_less_and_not_for_crumbs(name: str) -> None:
    quirk = BY_NAME[name]
    provider = Provider(quirk)
    async with analyst_of(provider, quirk, Shelf()) as analyst:
        await analyst.ask(PROMPT, 10.0)
    asked = provider.requests[-1].get("max_completion_tokens") or provider.requests[-1].get("max_tokens")
    assert asked is not None
    assert asked >= 500


def test_more_than_forty_quirks_are_tried() -> None:
    assert len(QUIRKS) >= 60
    assert len(BY_NAME) == len(QUIRKS)
