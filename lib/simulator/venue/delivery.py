"""
The network between a client and the venue, with the faults of a network.

The same for the in-process transport and for the HTTP server. A lost reply is an exception, because the client sees no
reply at all.
"""

from typing import Protocol

from lib.clock import Clock
from lib.simulator.engine.faults import Faults
from lib.simulator.venue.call import Request, Response


class ReplyLost(TimeoutError):
    """No reply will come; the request may have taken effect or not."""


class Answering(Protocol):
    """Anything that answers requests: a venue, or one wrapped to be durable."""

    def handle(self, request: Request) -> Response:
        """The answer to *request*, with its effects done."""
        ...


async def deliver(venue: Answering, faults: Faults, clock: Clock, request: Request) -> Response:
    """Hand *request* to *venue* through the armed network faults; *ReplyLost* when no reply comes back."""
    if faults.take("drop_before", path=request.path):
        raise ReplyLost("the request was lost")
    if late := faults.take("delay", path=request.path):
        await clock.sleep(late.number("ms", 1_000) / 1000)
    twice = faults.take("duplicate", path=request.path)
    response = venue.handle(request)
    if twice is not None:
        venue.handle(request)
    if slow := faults.take("delay_reply", path=request.path):
        await clock.sleep(slow.number("ms", 1_000) / 1000)
    if faults.take("drop_reply", path=request.path):
        raise ReplyLost("the reply was lost")
    return response
