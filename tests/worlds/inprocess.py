"""
The venue without a network: the same bytes, the same faults, no socket.
"""

from collections.abc import Mapping

from lib.adapters.bybit.rest.transport import Transport
from lib.clock import Clock
from lib.simulator.engine.faults import Faults
from lib.simulator.venue.call import Request
from lib.simulator.venue.delivery import Answering, deliver

REMOTE = "127.0.0.1"


class VenueTransport(Transport):
    """Carries requests to *venue* inside this process; a lost reply is a TimeoutError."""

    def __init__(self, venue: Answering, faults: Faults, clock: Clock, remote: str = REMOTE) -> None:
        self._venue, self._faults, self._clock, self._remote = venue, faults, clock, remote

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer; *query* exactly as signed, without "?"."""
        request = Request(method, path, query, headers, body, self._remote)
        response = await deliver(self._venue, self._faults, self._clock, request)
        return response.status, response.headers, response.body
