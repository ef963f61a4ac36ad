"""
The assistant's tools as an assistant uses them: a process of its own that speaks the protocol with the protocol's own
client, over stdin and stdout and over HTTP, against a running system.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from app.i18n import catalogue
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import trade_logs
from lib.domain.order import CYCLE_MS
from lib.domain.reason import text
from services.mcp_http import LOOPBACK
from tests.browser.deployment import ROOT, Deployment, deployment, eventually, free_port
from tests.browser.payloads import packs

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

READING: dict[str, dict[str, Any]] = {
    "status": {}, "position": {}, "results": {"span": "7d"}, "decisions": {"limit": 3}, "decision": {},
    "candles": {"count": 2},
}  # fmt: skip
ACTING: dict[str, dict[str, Any]] = {
    "auto_trade": {"on": True}, "pause": {}, "resume": {}, "close_position": {"side": "long"}, "flatten": {},
}  # fmt: skip
HOSTILE = packs(900)[0]
"""The reason of the one decision there is."""


@dataclass
class Person:
    """Somebody registered, with their tokens and their one decision."""

    url: str
    reads: str
    controls: str
    log_id: int


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("assisted")) as running:
        yield running


@pytest.fixture(scope="module")
def person(deployed: Deployment) -> Person:
    wish = {"email": "assisted@example.com", "password": "four unrelated horses", "accepted_risk": True, "locale": "en"}
    with httpx2.Client(base_url=deployed.url, headers={"Origin": deployed.url}) as client:
        user_id = client.post("/api/auth/register", json=wish).json()["user"]["user_id"]
        made = [
            client.post("/api/account/tokens", json={"name": "mcp", "scope": scope, "days": 7}).json()["token"]
            for scope in ("read", "control")
        ]
    with deployed.engine.begin() as connection:
        account = connection.execute(sa.select(accounts.c.id).where(accounts.c.user_id == user_id)).scalar_one()
        row = {
            "user_id": user_id, "account_id": account, "t_ms": deployed.now_ms // CYCLE_MS * CYCLE_MS - CYCLE_MS,
            "symbol": "BTCUSDT", "status": "success", "planned_outcome": "held", "outcome": "held",
            "reason": text(HOSTILE),
        }  # fmt: skip
        put = connection.execute(sa.insert(trade_logs).values(row)).inserted_primary_key
    assert put is not None
    return Person(deployed.url, made[0], made[1], int(put[0]))


def command(*given: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "services.mcp", *given], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )


@asynccontextmanager
async def over_stdio(folder: Path, url: str, token: str, *given: str) -> AsyncIterator[Client]:
    file = folder / "token"
    file.write_text(token)
    async with Client(stdio_client(command("--token-file", str(file), "--url", url, *given))) as client:
        yield client


def said(answer: CallToolResult) -> str:
    return "".join(part.text for part in answer.content if isinstance(part, TextContent))


async def test_an_assistant_reads_everything_and_may_act_on_nothing(person: Person, tmp_path: Path) -> None:
    async with over_stdio(tmp_path, person.url, person.reads) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == set(READING)
        told = {name: await client.call_tool(name, given_to(name, person)) for name in READING}
        assert {name: said(answer) for name, answer in told.items() if answer.is_error} == {}
        assert json.loads(said(told["status"]))["state"] in ("off", "on", "stopping", "stopped")
        assert HOSTILE in (json.loads(said(told["decision"]))["row"]["reason"]["text"])
        missing = await client.call_tool("decision", {"log_id": person.log_id + 1_000})
        assert missing.is_error
        assert catalogue("en")["refuse.not_found"] in said(missing)


def given_to(name: str, person: Person) -> dict[str, Any]:
    return {"log_id": person.log_id} if name == "decision" else READING[name]


async def test_acting_wants_the_flag_and_the_scope(person: Person, tmp_path: Path) -> None:
    async with over_stdio(tmp_path, person.url, person.reads, "--control") as client:
        for name, given in ACTING.items():
            refused = await client.call_tool(name, given)
            assert refused.is_error
            assert catalogue("en")["refuse.token.scope"] in said(refused)
    async with over_stdio(tmp_path, person.url, person.controls, "--control") as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {*READING, *ACTING}
        for name, given in ACTING.items():
            answer = await client.call_tool(name, given)
            assert not answer.is_error, (name, said(answer))
        assert json.loads(said(await client.call_tool("status", {})))["closing"] is True
        await client.call_tool("resume", {})


async def test_a_server_that_is_away_is_said(person: Person, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with over_stdio(tmp_path, nowhere, person.reads) as client:
        away = await client.call_tool("status", {})
    assert (away.is_error, nowhere in said(away)) == (True, True)


# --- over HTTP --------------------------------------------------------------------------------------------------------


@contextmanager
def listening(person: Person) -> Iterator[str]:
    """The same tools on a loopback port."""
    port = free_port()
    given = [sys.executable, "-m", "services.mcp", "--http", str(port), "--url", person.url, "--control"]
    process = subprocess.Popen(given, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    try:
        eventually("it listens", lambda: status(f"http://{LOOPBACK}:{port}/mcp", {}) == 401, 60)
        yield f"http://{LOOPBACK}:{port}/mcp"
    finally:
        process.terminate()
        process.wait(20)


def status(url: str, headers: dict[str, str]) -> int:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    whole = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"} | headers
    try:
        return httpx2.post(url, content=body, headers=whole).status_code
    except httpx2.HTTPError:
        return 0


async def asked(url: str, token: str, tool: str) -> CallToolResult:
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
    async with http, Client(streamable_http_client(url, http_client=http)) as client:
        return await client.call_tool(tool, {})


async def test_over_http_each_request_is_its_own_tokens_and_no_other_site_asks(person: Person) -> None:
    with listening(person) as url:
        assert "state" in json.loads(said(await asked(url, person.reads, "status")))
        assert (await asked(url, person.reads, "pause")).is_error
        assert not (await asked(url, person.controls, "resume")).is_error
        assert catalogue("ko")["refuse.signed_out"] in said(await asked(url, "mm_invented", "status"))
        bearer = {"Authorization": f"Bearer {person.reads}"}
        assert status(url, {}) == status(url, {"Authorization": "Bearer x"}) == 401
        assert status(url, bearer | {"Host": "evil.test"}) == 421
        assert status(url, bearer | {"Origin": "https://evil.test"}) == 403
