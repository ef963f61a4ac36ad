"""
The hash chain of an order's events: pure.

An event's hash covers the hash of the event before and every field of its own, so an edited or a missing event shows.
The chain proves order and completeness up to the newest event; it does not prove that no newest events were cut off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from lib.domain import reason_codes as codes
from lib.domain.reason import NOTHING, Reason

GENESIS = "0" * 64
"""What the first event of an order points back to."""


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One transition of one order; *before* is "" for its creation. Times in epoch ms."""

    order_link_id: str
    at_ms: int
    before: str
    after: str
    why: str
    code: int
    prev_hash: str

    @property
    def hash(self) -> str:
        """sha256 (hex) over everything above."""
        said = (self.prev_hash, self.order_link_id, self.at_ms, self.before, self.after, self.why, self.code)
        return sha256("\x1f".join(map(str, said)).encode()).hexdigest()


def chain_flaw(events: Iterable[tuple[OrderEvent, str]]) -> Reason:
    """Where the chain of events with their stored hashes, oldest first, is broken; NOTHING when it holds."""
    prev_hash, state = GENESIS, ""
    for place, (event, stored_hash) in enumerate(events):
        if event.hash != stored_hash:
            return codes.CHAIN_CHANGED(place=place)
        if event.prev_hash != prev_hash:
            return codes.CHAIN_MISSING(place=place)
        if event.before != state:
            return codes.CHAIN_JUMPS(place=place, before=event.before, state=state)
        prev_hash, state = stored_hash, event.after
    return NOTHING
