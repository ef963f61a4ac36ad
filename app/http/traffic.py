"""
How much one visitor may ask: reads, acts, stops, sockets and what is said over them, each with a pace of its own.

Who is signed in is counted by session, everybody else by address, so no flood of strangers is in the way of a person,
whatever address they share. Stopping (*pause*, *close everything*, signing out) has its own pace that nothing else can
use up. A token nobody knows costs a question to the database, so those are counted before they are looked up; a
session that was found once is never held up by them. It keeps nothing on disk: a restart forgives.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from app.http.addresses import network
from app.http.pace import Allowances, Pace
from app.visit import Visit

READS = Pace(burst=60, per_s=10)
ACTS = Pace(burst=30, per_s=2)
STOPS = Pace(burst=30, per_s=5)
STRANGERS = Pace(burst=60, per_s=5)
"""Of an address: sign-ins and tokens nobody knows."""
PERSONS_MESSAGES = Pace(burst=30, per_s=8)
STRANGERS_MESSAGES = Pace(burst=10, per_s=3)
"""Each may draw a page anew, which costs this process up to a tenth of a second."""
STRANGERS_SOCKETS = Pace(burst=8, per_s=2)
PATIENCE_S = 8.0
"""How long a stranger's page waits for its turn before it is refused."""
PERSONS_OPEN = 40
STRANGERS_OPEN = 48
PUBLIC = ("/record", "/api/record", "/past", "/api/backtest")
"""What strangers may read that asks the database."""
PUBLIC_READS = Pace(burst=20, per_s=1)
STOPPING = (
    "/api/pause",
    "/api/flatten",
    "/api/close",
    "/api/operator/stop",
    "/api/operator/flatten",
    "/api/auth/logout",
)
MOST_KNOWN = 20_000

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Traffic:
    """All visitors of this process; used from its event loop only. *now* is in seconds and never goes back."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._reads, self._acts, self._stops = Allowances(READS), Allowances(ACTS), Allowances(STOPS)
        self._strangers = Allowances(STRANGERS)
        self._public = Allowances(PUBLIC_READS)
        self._sockets = Allowances(STRANGERS_SOCKETS)
        self._messages = {True: Allowances(PERSONS_MESSAGES), False: Allowances(STRANGERS_MESSAGES)}
        self._open: dict[str, int] = defaultdict(int)
        self._known: OrderedDict[str, None] = OrderedDict()

    def may_look_up(self, visit: Visit) -> bool:
        """Whether the database may be asked whose token this is."""
        return visit.credential in self._known or self._strangers.take(_address(visit), self._now())

    def recognised(self, visit: Visit) -> None:
        """This session was found: strangers' tries do not count against it."""
        if visit.user is not None and visit.credential is not None:
            self._known[visit.credential] = None
            self._known.move_to_end(visit.credential)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def wait_s(self, method: str, path: str, visit: Visit) -> int:
        """Seconds to wait before an HTTP request like this one is answered; 0 is now."""
        paces, who = self._pace_of(method, path, visit)
        return 0 if paces is None or paces.take(who, self._now()) else paces.wait_s

    def _pace_of(self, method: str, path: str, visit: Visit) -> tuple[Allowances | None, str]:
        if visit.user is None:
            if path in PUBLIC or path.startswith("/api/record/"):
                return self._public, _address(visit)
            # any other reading of a stranger's is refused without looking anything up
            return (None if method in ("GET", "HEAD") else self._strangers), _address(visit)
        if path in STOPPING:
            return self._stops, visit.identity
        return (self._reads if method in ("GET", "HEAD") else self._acts), visit.identity

    async def has_turn(self, visit: Visit) -> bool:
        """Wait until this visitor may open another page; False when too many of their address wait already."""
        if visit.user is not None:
            return True
        wait_s = self._sockets.owe_within(_address(visit), self._now(), PATIENCE_S)
        if wait_s:
            await self._sleep(wait_s)
        return wait_s is not None

    @contextmanager
    def socket(self, visit: Visit) -> Iterator[bool]:
        """A place for one WebSocket; False when this visitor has too many."""
        who, most = (visit.identity, PERSONS_OPEN) if visit.user else (_address(visit), STRANGERS_OPEN)
        if self._open[who] >= most:
            yield False
            return
        self._open[who] += 1
        try:
            yield True
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    def paced(self, receive: Receive, visit: Visit) -> Receive:
        """*receive*, slowed down when this visitor's sockets say much: reading stops meanwhile, and so do they."""
        messages, who = self._messages[visit.user is not None], visit.identity or _address(visit)

        async def receive_slowly() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "websocket.receive" and (wait_s := messages.owe(who, self._now())):
                await self._sleep(wait_s)
            return message

        return receive_slowly


def _address(visit: Visit) -> str:
    return network(visit.origin.ip)
