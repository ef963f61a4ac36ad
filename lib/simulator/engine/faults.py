"""
The faults that can be injected into the exchange, as data in a queue.

A fault waits until code asks for its kind (and path and uid, where the fault names them), acts *count* times and is
gone. The venue and the engine ask for the kinds of *VENUE_KINDS*, `deliver` for *TRANSPORT_KINDS*, the server's
WebSockets for *SOCKET_KINDS*. An empty queue is a healthy exchange; the effects of faults are not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

VENUE_KINDS = frozenset(
    {
        "async_reject",  # accepted, then Rejected by the matching (reason=)
        "partial_fill",  # an order fills only in part (share="0.5")
        "no_fill",  # an IOC order finds nothing
        "drop_stop",  # the attached stop is lost after the fill
        "refuse_stop",  # trading-stop answers 10001
        "rate_limit_past_reset",  # 10006, reset lies ms= (500) in the past
        "rate_limit_future_reset",  # 10006, reset lies ms= (500) ahead
        "err_10000_after",
        "err_10016_after",
        "err_10016_before",
        "http_403",
        "region_403",  # the page of a country that is not served
        "twin_taken",  # an order id that was used before is accepted again
        "http_429",
        "http_5xx_before",
        "http_5xx_after",
        "stale_realtime",  # the next order stays out of /order/realtime for ms= (2000)
        "clear_closed",  # /order/realtime forgets every closed order
        "key_revoked",  # the uid's keys answer code= (33004 or 10003) from now on
        "clock_skew",  # the venue's clock is ms= off, from now on
        "leverage_changed",  # by hand: symbol=, leverage=
        "mode_changed",  # by hand: mode= (3 = hedge)
        "margin_changed",  # by hand: mode= (REGULAR_MARGIN)
        "manual_close",  # by hand: symbol=
        "maintenance",  # 10016 to everything for ms= (10000), or until= (epoch ms)
        "announce",  # maintenance by /v5/system/status, which goes on answering: in ms ahead= (0), for ms= (600000)
        "delist",  # symbol= is not listed any more: its routes answer 10001, and its rules are gone
        "halt",  # symbol= is listed and does not trade
        "relist",  # symbol= is listed and trades again
    }
)
TRANSPORT_KINDS = frozenset(
    {
        "drop_before",  # the request never arrives
        "drop_reply",  # it takes effect, the reply is lost
        "delay",  # it arrives ms= late
        "delay_reply",  # it takes effect, the reply is ms= late
        "duplicate",  # it arrives twice, the first reply counts
    }
)
SOCKET_KINDS = frozenset(
    {
        "ws_reset",
        "ws_close_1012",
        "ws_silent",
        "ws_no_pong",
        "ws_auth_reject",
        "ws_subscribe_reject",
        "ws_duplicate_confirm",
        "ws_missing_confirm",
        "ws_out_of_order",
        "ws_gap",
        "ws_data_before_ack",
    }
)
ANALYST_KINDS = frozenset({"analyst"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: *count* times, at requests of *path* and *uid* where named; *params* as its kind says."""

    kind: str
    path: str | None = None
    count: int = 1
    uid: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: int) -> int:
        """The parameter *name* as an int."""
        return int(self.params.get(name, default))

    def text(self, name: str, default: str) -> str:
        """The parameter *name* as text."""
        return str(self.params.get(name, default))

    def meets(self, kind: str, path: str | None, uid: int | None) -> bool:
        """True when this fault waits for *kind* at that path and uid."""
        return self.kind == kind and self.path in (None, path) and self.uid in (None, uid)


class Faults:
    """A queue of faults, first in first out per kind."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def push(self, fault: Fault) -> None:
        """Arm *fault*; ValueError for a count below one."""
        if fault.count < 1:
            raise ValueError("a fault happens at least once")
        self._waiting.append(fault)

    def take(self, kind: str, *, path: str | None = None, uid: int | None = None) -> Fault | None:
        """The oldest waiting fault of *kind* for that path and uid, one of its counts used up; None = no fault."""
        for place, fault in enumerate(self._waiting):
            if fault.meets(kind, path, uid):
                if fault.count > 1:
                    self._waiting[place] = replace(fault, count=fault.count - 1)
                else:
                    del self._waiting[place]
                return fault
        return None

    def waiting(self) -> tuple[Fault, ...]:
        """The faults still armed, oldest first."""
        return tuple(self._waiting)

    def clear(self) -> None:
        """Disarm every fault."""
        self._waiting.clear()
