"""The assistant's tools: they read by the API, act only when they were asked for, and tell the API's own refusals."""

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from services.mcp import server
from tests.web.conftest import Web
from tests.web.test_api_tokens import made, program

READING = {"status", "position", "results", "decisions", "decision", "candles"}
ACTING = {"pause", "resume", "close_position", "flatten", "auto_trade"}


def asking(web: Web, scope: str) -> Any:
    client = program(web, made(web.owner(), scope=scope))

    def ask(method: str, path: str, given: dict[str, Any]) -> Any:
        how: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
        answer = client.request(method, path, **how)
        if answer.status_code >= 400:
            raise ToolError(answer.json()["message"])
        return answer.json()

    return ask


async def test_without_being_asked_for_no_tool_acts(web: Web) -> None:
    found = await server(asking(web, "read"), may_control=False).list_tools()
    assert {tool.name for tool in found} == READING


async def test_a_tool_answers_what_the_api_does(web: Web) -> None:
    tools = server(asking(web, "read"), may_control=False)
    told = str(await tools.call_tool("status", {}))
    assert "stopp" in told or "on" in told
    for name, given in (("decisions", {}), ("candles", {"count": 2})):
        assert not getattr(await tools.call_tool(name, given), "is_error", False), name


async def test_control_needs_the_scope_and_a_refusal_is_a_sentence(web: Web) -> None:
    tools = server(asking(web, "read"), may_control=True)
    assert {tool.name for tool in await tools.list_tools()} == READING | ACTING
    try:
        refused = str(await tools.call_tool("pause", {}))
    except Exception as error:  # noqa: BLE001 - the library decides how a tool's failure is told
        refused = str(error)
    assert "읽기" in refused or "토큰" in refused, refused
    assert web.trading.acts == []


async def test_with_the_scope_it_acts(web: Web) -> None:
    tools = server(asking(web, "control"), may_control=True)
    await tools.call_tool("auto_trade", {"on": True})
    await tools.call_tool("flatten", {})
    await tools.call_tool("close_position", {"side": "short"})
    assert [act[0] for act in web.trading.acts] == ["auto", "flatten", "close"]
    assert web.trading.acts[-1][2] == "short"
