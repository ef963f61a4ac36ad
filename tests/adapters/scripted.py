"""A scripted venue: a Transport that answers from a list and remembers what it was asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.calls import SignedCalls, VenueClock
from lib.adapters.bybit.rest.client import BybitExchange
from lib.adapters.bybit.rest.transport import Transport
from lib.clock import SteppedClock
from lib.domain.api_key import ApiKey

NOW = 1_700_000_000_000
KEY = ApiKey("KEYabc", "SECRETxyz")

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Asked:
    """One request as it left."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON body."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def params(self) -> dict[str, str]:
        """The query, still encoded."""
        return dict(part.split("=", 1) for part in self.query.split("&"))


def reply(result: Any = None, code: int = 0, message: str = "OK", time: int = NOW, status: int = 200) -> Reply:
    """An answer in the venue's envelope."""
    body = {"retCode": code, "retMsg": message, "result": result or {}, "retExtInfo": {}, "time": time}
    return status, {}, json.dumps(body).encode()


def page(*rows: Any, cursor: str = "", time: int = NOW) -> Reply:
    """A successful list."""
    return reply({"category": "linear", "list": list(rows), "nextPageCursor": cursor}, time=time)


class ScriptedTransport(Transport):
    """Answers in order; an exception in the script is raised. Questions about the time answer *NOW* by themselves."""

    def __init__(self, *script: Reply | Exception | Callable[[Asked], Reply]) -> None:
        self._script = list(script)
        self.asked: list[Asked] = []
        self.server_ms = NOW
        self.on_time: Callable[[], object] = lambda: None
        """What happens while a question about the time is on its way."""

    async def request(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path == "/v5/market/time":
            self.on_time()
            return reply({"timeSecond": "1700000000", "timeNano": "1700000000000000000"}, time=self.server_ms)
        asked = Asked(method, path, query, headers, body)
        self.asked.append(asked)
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step(asked) if callable(step) else step


def exchange(
    transport: ScriptedTransport, clock: SteppedClock | None = None, limiter: LocalLimiter | None = None
) -> BybitExchange:
    """An exchange over *transport*, its limiter on *clock* unless given."""
    clock = clock or SteppedClock(NOW)
    limiter = limiter or LocalLimiter(clock)
    return BybitExchange(
        "1000001", SignedCalls("paper:1000001", KEY, transport, VenueClock(transport, clock, limiter), limiter)
    )
