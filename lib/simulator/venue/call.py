"""
A request as bytes, a response as bytes, and the call that a route handler gets.

Parameters are read by name and kind; a missing or malformed one is *Refused* with 10001, as Bybit words it. Numbers
travel as strings. Nothing here knows a route, and nothing remembers anything.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from lib.domain.candle import decimal_from_wire
from lib.domain.position import ZERO
from lib.simulator.engine.accounts import Account, ApiKey
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Refused

MOST_NUMBER = Decimal(10) ** 12
MOST_DIGITS = 16
_as_text = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Request:
    """*query* is exactly what followed the "?", *remote* the peer's address; header names in any case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = ""

    def header(self, name: str) -> str:
        """The header's value, "" when absent."""
        if (value := self.headers.get(name)) is not None:
            return value
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Response:
    """The response, byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class VenueConfig:
    """
    Limits of the skin; times in ms.

    *ip_limit* requests per *ip_window_ms* and address, then HTTP 403 for *ip_ban_ms* (None = no limit). A new order is
    visible to queries, and a closed one in the history, only after *visible_delay_ms*. The venue's clock runs
    *clock_ahead_ms* before the one it was given (negative: behind).
    """

    ip_limit: int | None = 600
    ip_window_ms: int = 5_000
    ip_ban_ms: int = 600_000
    visible_delay_ms: int = 0
    rate_limits: bool = True
    clock_ahead_ms: int = 0


def is_whole(text: str) -> bool:
    """True for a plain whole number of sane length."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


class Params:
    """The parameters of one request, from the query string or the JSON body."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """A string (numbers are taken as written); *default* when absent or null."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Refused(10001, f"params error: {name} invalid")
        return str(value)

    def required(self, name: str) -> str:
        """A non-empty string."""
        value = self.text(name)
        if not value:
            raise Refused(10001, f"params error: {name} is required")
        return value

    def one_of(self, name: str, default: str, known: tuple[str, ...]) -> str:
        """One of *known*."""
        value = self.text(name) or default
        if value not in known:
            raise Refused(10001, f"params error: {name} invalid")
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A number, None when absent or ""."""
        value = self.text(name)
        if not value:
            return None
        try:
            number = decimal_from_wire(value)
        except ValueError:
            raise Refused(10001, f"params error: {name} invalid") from None
        if abs(number) > MOST_NUMBER:
            raise Refused(10001, f"params error: {name} invalid")
        return number

    def positive(self, name: str) -> Decimal:
        """A number, 0 when absent; *Refused* below zero."""
        value = self.decimal(name)
        if value is not None and value < 0:
            raise Refused(10001, f"params error: {name} invalid")
        return value or ZERO

    def integer(self, name: str, default: int, low: int = 0, high: int = 10**MOST_DIGITS) -> int:
        """A whole number in [low, high]."""
        value = self.text(name)
        if not value:
            return default
        if not is_whole(value) or not low <= int(value) <= high:
            raise Refused(10001, f"params error: {name} invalid")
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean, False when absent."""
        value = self._values.get(name)
        if value in (None, False, "false", ""):
            return False
        if value in (True, "true"):
            return True
        raise Refused(10001, f"params error: {name} invalid")

    def items(self, name: str) -> list[dict[str, Any]]:
        """A list of objects."""
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Refused(10001, f"params error: {name} invalid")
        return value


def params_of(request: Request) -> Params:
    """The parameters of *request*; *Refused* 10001 when its body is not a JSON object."""
    if request.method == "GET":
        return Params(dict(parse_qsl(request.query, keep_blank_values=True)))
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused(10001, "params error: body is not JSON")
    return Params(body)


class Veil:
    """The orders and symbols that queries do not show although they are there."""

    def __init__(self) -> None:
        self.hidden_until: dict[str, int] = {}
        """Order id → when `/order/realtime` shows it."""
        self.forgotten_before = 0
        """`/order/realtime` has forgotten orders closed up to here."""
        self.delisted: set[str] = set()
        """Symbols that are not listed any more."""
        self.announced: list[tuple[int, int]] = []
        """Maintenance, as (begin, end) in epoch ms."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler; *now* is the venue's clock, epoch ms."""

    engine: Engine
    config: VenueConfig
    veil: Veil
    now: int
    params: Params
    caller: tuple[Account, ApiKey] | None = None
    spend: Callable[[], bool] = lambda: True
    """Takes one more of the endpoint's quota; False when there is none left."""

    def part(self, item: Mapping[str, Any]) -> "Call":
        """The call that one *item* of a batch would be by itself."""
        values = {"category": self.params.text("category", "linear"), **item}
        return replace(self, params=Params(values))

    @property
    def account(self) -> Account:
        """The account whose key signed the request."""
        if self.caller is None:
            raise Refused(10003, "API key is invalid.")
        return self.caller[0]

    @property
    def key(self) -> ApiKey:
        """The key that signed the request."""
        if self.caller is None:
            raise Refused(10003, "API key is invalid.")
        return self.caller[1]

    def linear(self) -> None:
        """*Refused* unless the category is linear."""
        if self.params.text("category", "linear") != "linear":
            raise Refused(10001, "params error: category invalid")

    def symbol(self) -> str:
        """A required, known symbol."""
        symbol = self.params.required("symbol")
        if symbol in self.veil.delisted:
            raise Refused(10001, f"Not supported symbols: {symbol}")
        self.engine.books.instrument(symbol)
        return symbol

    def symbols(self) -> list[str]:
        """The symbol asked for, or all that are listed."""
        if self.params.text("symbol"):
            return [self.symbol()]
        return [symbol for symbol in self.engine.books.instruments if symbol not in self.veil.delisted]


class Batch(dict[str, Any]):
    """The result of a batch; *ext* tells the end of each of its parts, in the same order."""

    def __init__(self, rows: list[dict[str, Any]], ext: list[dict[str, Any]]) -> None:
        super().__init__(list=rows)
        self.ext = ext


def envelope(code: int, text: str, result: object, now: int) -> bytes:
    """The body of every REST answer."""
    ext = {"list": result.ext} if isinstance(result, Batch) else {}
    answer = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": ext, "time": now}
    return _as_text(answer).encode()
