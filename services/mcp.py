"""
The API as tools for an assistant that speaks the Model Context Protocol, over stdin and stdout or streamable HTTP.

It asks our REST API with one personal token, from a file or from the request's own bearer, so it can do what the token
may and nothing else. It reads; acts are there only with `--control` and a token of that scope. A refusal is told as the
sentence the API said. Start: `python -m services.mcp --token-file FILE --url http://127.0.0.1:8501`, or for this
machine's programs `python -m services.mcp --http 8600`.
"""

import argparse
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from lib.domain.api_token import PREFIX
from lib.domain.errors import Halt
from services.mcp_http import Ask, by_bearer, serve
from services.process import last_line

DEADLINE_S = 30
MOST_ROWS, MOST_CANDLES = 100, 500
INSTRUCTIONS = (
    "Maemae trades USDT perpetuals by an analyst's decisions within hard limits. Money and prices are strings of "
    "digits, moments epoch milliseconds unless a name ends otherwise. Nothing here is advice."
)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that was named and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: the answer is the redirect, a refusal."""


_OPENER = urllib.request.build_opener(_NoRedirect)


class Caller:
    """Asks the API at *url* with *token*."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    def __call__(self, method: str, path: str, given: dict[str, Any]) -> Any:
        """The answer's JSON; ToolError with the API's own sentence for a refusal."""
        body = json.dumps(given).encode() if method != "GET" else None
        address = f"{self._url}{path}" + (f"?{urlencode(given)}" if method == "GET" and given else "")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - scheme checked in main
        try:
            with _OPENER.open(request, timeout=DEADLINE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise ToolError(_sentence(refused)) from None
        except (OSError, ValueError) as trouble:
            raise ToolError(f"Maemae at {self._url} does not answer: {type(trouble).__name__}") from None


def _sentence(refused: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refused)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {refused.code}"


def server(ask: Ask, *, may_control: bool) -> MCPServer:
    """The tools over *ask*; those that act only when *may_control*."""
    made: MCPServer = MCPServer("maemae", instructions=INSTRUCTIONS)
    add_reading(made, ask)
    if may_control:
        add_control(made, ask)
    return made


def add_reading(made: MCPServer, ask: Ask) -> None:
    """Give *made* the tools that only look."""

    @made.tool()
    def status() -> Any:
        """Whether trading is on, stopping or stopped, why, and which locks stop entries."""
        return ask("GET", "/api/standing", {})

    @made.tool()
    def position() -> Any:
        """The account as its dashboard shows it: position, stop, target, equity."""
        return ask("GET", "/api/account", {})

    @made.tool()
    def results(span: str = "30d") -> Any:
        """How the account did over 7d, 30d, 90d, 1y or all, beside holding the coin; single trips are left out."""
        told = ask("GET", "/api/results", {"span": span})
        return {name: value for name, value in told.items() if name not in ("trips", "open", "curve")}

    @made.tool()
    def decisions(limit: int = 20, at: str = "") -> Any:
        """The newest decisions; `at` is `older` or `newer` of another answer."""
        return ask("GET", "/api/logs", {"limit": min(limit, MOST_ROWS)} | ({"at": at} if at else {}))

    @made.tool()
    def decision(log_id: int) -> Any:
        """One decision in full: the question, the answer, what limits changed, orders and fills."""
        return ask("GET", f"/api/logs/{int(log_id)}", {})

    @made.tool()
    def candles(count: int = 60, symbol: str = "") -> Any:
        """One-minute candles, oldest first: [open time in s, open, high, low, close, volume]."""
        return ask("GET", "/api/kline", {"count": min(count, MOST_CANDLES)} | ({"symbol": symbol} if symbol else {}))


def add_control(made: MCPServer, ask: Ask) -> None:
    """Give *made* the tools that act."""

    @made.tool()
    def pause() -> Any:
        """No new entries from now on; exits and stops go on."""
        return ask("POST", "/api/pause", {})

    @made.tool()
    def resume() -> Any:
        """Allow entries again."""
        return ask("POST", "/api/resume", {})

    @made.tool()
    def close_position(side: str) -> Any:
        """Close the open position of that side (long or short) at the market; auto-trading stays as it is."""
        return ask("POST", "/api/close", {"side": side})

    @made.tool()
    def flatten() -> Any:
        """Pause, and close what the trader opened."""
        return ask("POST", "/api/flatten", {})

    @made.tool()
    def auto_trade(on: bool) -> Any:
        """Switch auto-trading."""
        return ask("POST", "/api/auto-trade", {"on": on})


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--token-file", help="a file that holds the token and nothing else: speak over stdin and stdout")
    how.add_argument("--http", type=int, metavar="PORT", help="listen on 127.0.0.1; each request brings its token")
    parser.add_argument("--control", action="store_true", help="offer the tools that act")
    options = parser.parse_args()
    if urlsplit(options.url).scheme not in ("http", "https"):
        raise Halt("--url must be http or https")
    if options.http is not None:
        ask = by_bearer(lambda token: Caller(options.url, token))
        serve(server(ask, may_control=options.control), options.http)
        return
    token = _token_in(Path(options.token_file))
    server(Caller(options.url, token), may_control=options.control).run()


def _token_in(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as trouble:
        raise Halt(f"{file} cannot be read: {type(trouble).__name__}") from None
    if not token.startswith(PREFIX):
        raise Halt(f"{file} must hold a personal token: make one under Settings")
    return token


if __name__ == "__main__":
    with last_line("mcp"):
        main()
