"""`make analyst`: one real question to the local analyst or to one with quirks, told in plain lines, never the key."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lib import bootstrap
from lib.domain.decision import Decision
from lib.settings import Settings, load
from lib.simulator.analyst.completions import Analyst
from services.analyst import told
from tests.adapters.provider_quirks import QUIRKS, Quirk, respond

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

KEY = "sk-test-0123456789abcdef"
BY_NAME = {quirk.name: quirk for quirk in QUIRKS}
Answer = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def served(answer: Answer, **more: str) -> AsyncIterator[Settings]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield load({"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY, "ANALYST_BUDGET_S": "20", **more})
    finally:
        await runner.cleanup()


def quirky(quirk: Quirk) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        status, body = respond(quirk, await request.json())
        return web.json_response(body, status=status)

    return answer


async def lines_of(settings: Settings) -> tuple[bootstrap.Trial, str]:
    trial = await bootstrap.try_analyst(settings)
    text = "\n".join(told(trial, settings))
    assert KEY not in text
    return trial, text


async def test_the_bundled_rules_say_that_they_are_no_gpt() -> None:
    async def answer(request: web.Request) -> web.Response:
        reply = Analyst().reply(dict(request.headers), await request.read())
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)

    async with served(answer) as settings:
        trial, text = await lines_of(settings)
    assert trial.works
    assert isinstance(trial.answer.decision, Decision)
    assert "the bundled rules, not GPT" in text
    assert "cost       nothing" in text


async def test_what_was_refused_and_what_it_costs_is_told() -> None:
    prices = {"ANALYST_PRICE_INPUT_USD": "1", "ANALYST_PRICE_OUTPUT_USD": "10"}
    async with served(quirky(BY_NAME["DeepSeek: the format is not available"]), **prices) as settings:
        trial, text = await lines_of(settings)
    assert trial.works
    assert "refused    response_format: This response_format type is unavailable now" in text
    assert "asked with json_object" in text
    assert "tokens     900 + 60" in text
    assert "cost       0.001500 USD" in text
    assert "look at" not in text


@pytest.mark.parametrize(
    ("status", "body", "setting"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, "OPENAI_API_KEY"),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "OPENAI_MODEL"),
        (404, {"detail": "Not Found"}, "OPENAI_BASE_URL"),
        (402, {"error": {"message": "Insufficient Balance"}}, "OPENAI_API_KEY"),
        (200, {"hello": "world"}, "OPENAI_BASE_URL"),
        (200, {"error": {"message": "The model is overloaded", "code": 503}}, "OPENAI_MODEL"),
    ],
)
async def test_each_kind_of_trouble_names_the_setting_to_look_at(status: int, body: Any, setting: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async with served(answer) as settings:
        trial, text = await lines_of(settings)
    assert not trial.works
    assert text.splitlines()[-1].startswith(f"look at    {setting}")


async def test_nobody_there_names_the_address() -> None:
    settings = load({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": KEY, "ANALYST_BUDGET_S": "5"})
    _, text = await lines_of(settings)
    assert "look at    OPENAI_BASE_URL: nothing answers at http://127.0.0.1:9/v1" in text


async def test_a_start_asks_once_in_five_minutes_whatever_restarts(migrated_sqlite: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((await request.json())["model"])
        return web.json_response(respond(Quirk("plain"), {"messages": []})[1])

    database = shutil.copy(migrated_sqlite, tmp_path / "own.db")
    async with served(answer, DATABASE_URL=f"sqlite:///{database}") as settings:
        first = await bootstrap.try_at_start(settings)
        assert first is not None
        assert first.works
        assert await bootstrap.try_at_start(settings) is None
        await bootstrap.try_analyst(settings)
    assert len(asked) == 2
