"""
Between the processes and the exchange: time, losses, lateness, doubles, and answers that lie.

A request on its way belongs to nobody: it arrives although its sender was killed, and it may arrive after its sender
gave up. Faults at the venue are armed the moment the request they are meant for arrives.
"""

import asyncio

from lib.simulator.engine.faults import Fault
from lib.simulator.venue.call import Request, Response
from lib.simulator.venue.venue import Venue
from tests.sim.process import Process
from tests.sim.temper import ANSWERS, AT_CREATE, CREATE, ELSEWHERE, STOP, WEIGHTS, Time, Trouble

GIVE_UP_S = 10.0
"""Connect and read time-outs of the transport together."""

UNAVAILABLE = (b'{"retCode":10016,', b'{"retCode":10006,', b'{"retCode":10000,')
Way = tuple[Request, Process, "asyncio.Future[Response]", str, float]
"""A request under way: whose, where its answer goes, its fate, and when its sender gives up."""


class Network:
    """To one venue."""

    def __init__(self, venue: Venue, trouble: Trouble, time: Time) -> None:
        self._venue, self._trouble, self._time = venue, trouble, time
        self._aimed: tuple[str, frozenset[str]] = ("", frozenset())

    def aim(self, fate: str, api_keys: frozenset[str]) -> None:
        """From now on *fate* befalls every request of these keys."""
        self._aimed = (fate, api_keys)

    def send(self, request: Request, process: Process) -> "asyncio.Future[Response]":
        """The answer, or a TimeoutError after *GIVE_UP_S*."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Response] = loop.create_future()
        fate = self._trouble.request_fate(self._time.now_ms(), WEIGHTS.get(request.path, ELSEWHERE))
        if self._aimed[0] and request.header("X-BAPI-API-KEY") in self._aimed[1]:
            fate = self._aimed[0]
        up = 0.004 + self._trouble.rng.random() * 0.1
        if fate:
            self._trouble.note(f"request {fate}" if fate in ("lost", "late", "duplicated") else fate)
            process.disturbed(round(GIVE_UP_S * 1000))
        if fate == "late":
            up = self._trouble.rng.uniform(1, 25)
        if fate == "lost" or up >= GIVE_UP_S:
            loop.call_later(GIVE_UP_S, _fail, reply)
        if fate == "duplicated":
            loop.call_later(up + self._trouble.rng.random() * 4, self._handle, request)
        if fate != "lost":
            loop.call_later(up, self._arrive, (request, process, reply, fate, loop.time() + GIVE_UP_S))
        return reply

    def _arrive(self, way: Way) -> None:
        loop = asyncio.get_running_loop()
        request, process, reply, fate, deadline = way
        if fate in ANSWERS:
            params = {"ms": self._trouble.rng.randint(100, 1_500)}
            self._venue.faults.push(Fault(fate, request.path, params=params))
        response = self._handle(request)
        if response.status != 200 or response.body.startswith(UNAVAILABLE):
            process.disturbed()
        down = 0.004 + self._trouble.rng.random() * 0.1
        if fate == "reply_late":
            down = self._trouble.rng.uniform(1, 12)
        left = deadline - loop.time()
        if fate == "reply_lost" or down > left:
            loop.call_later(max(left, 0), _fail, reply)
        else:
            loop.call_later(down, _succeed, reply, response)

    def _handle(self, request: Request) -> Response:
        if request.path == CREATE or request.path == STOP:
            self._arm(request)
        return self._venue.handle(request)

    def _arm(self, request: Request) -> None:
        found = self._venue.engine.find_key(request.header("X-BAPI-API-KEY"))
        uid = found[0].uid if found else None
        kinds = AT_CREATE if request.path == CREATE else ("refuse_stop",)
        for kind in kinds:
            if self._trouble.chance(kind):
                self._trouble.note(kind)
                path = request.path if kind in ("stale_realtime", "refuse_stop") else None
                share = str(self._trouble.rng.choice((0.1, 0.5, 0.9)))
                self._venue.faults.push(Fault(kind, path, 1, uid, {"share": share, "ms": 3_000}))


def _fail(reply: "asyncio.Future[Response]") -> None:
    if not reply.done():
        reply.set_exception(TimeoutError())


def _succeed(reply: "asyncio.Future[Response]", response: Response) -> None:
    if not reply.done():
        reply.set_result(response)
