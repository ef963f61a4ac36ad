"""
Who may be connected: so many at once, so many from one address, and who goes when somebody new comes.

A connection that waits (for its headers, for its body, for a frame, for a reader who does not read) holds a place
that it does not use: when there is no place, the one that waits longest is sent away and the newcomer comes in. So a
flood of idle connections pushes out itself and nobody else. One that is being answered is never sent away. Pure: it
knows no socket. Used from one event loop.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

from app.http.pace import Allowances, Pace

ARRIVALS = Pace(burst=10_000, per_s=1_000)
"""Of one address: far above any office, so that a flood's neighbours come in; more would take the whole loop."""


class Connection(Protocol):
    """Somebody connected; compared by identity."""

    def send_away(self) -> None:
        """End it at once."""


@dataclass(frozen=True, slots=True)
class Places:
    """How many connections at once: of everybody, and of one address (None: its proxy is the only address we see)."""

    everybody: int
    one_address: int | None


class Doorkeeper:
    """Counts connections by address and remembers which of them wait, the longest first."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._arrivals = Allowances(ARRIVALS)
        self._address: dict[Connection, str] = {}
        self._count: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, dict[Connection, None]] = defaultdict(dict)

    @property
    def inside(self) -> int:
        """How many are connected."""
        return len(self._address)

    def may_come(self, address: str, now_s: float) -> bool:
        """Whether somebody from *address* may come now; who connects thousands of times gains nothing by it."""
        return self._places.one_address is None or self._arrivals.take(address, now_s)

    def enter(self, newcomer: Connection, address: str) -> bool:
        """Take *newcomer* in, who waits from now on; False when there is no place and nobody who only waits."""
        most = self._places.one_address
        if most is not None and self._count[address] >= most and not self._send_away(address):
            return False
        if self.inside >= self._places.everybody and not self._send_away(self._most_waiting()):
            return False
        self._address[newcomer] = address
        self._count[address] += 1
        self.waits(newcomer)
        return True

    def waits(self, one: Connection) -> None:
        """*one* holds its place without using it; how long it has waited begins now, unless it did already."""
        if (address := self._address.get(one)) is not None:
            self._waiting[address].setdefault(one)

    def is_served(self, one: Connection) -> None:
        """*one* is being answered, or said something whole."""
        if (address := self._address.get(one)) is not None:
            self._waiting[address].pop(one, None)

    def leave(self, one: Connection) -> None:
        """*one* is gone; once is enough."""
        if (address := self._address.pop(one, None)) is None:
            return
        self._waiting[address].pop(one, None)
        self._count[address] -= 1
        if not self._count[address]:
            del self._count[address], self._waiting[address]

    def _send_away(self, address: str) -> bool:
        longest = next(iter(self._waiting.get(address, ())), None)
        if longest is None:
            return False
        self.leave(longest)
        longest.send_away()
        return True

    def _most_waiting(self) -> str:
        return max(self._waiting, key=lambda address: len(self._waiting[address]), default="")
