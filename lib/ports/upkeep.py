"""
What an operator looks at of the system itself: its health over a day, the request budget, the processes' log files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.domain.health import HealthPoint


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """
    The request budget of one address family now: *used* of *most* calls in *span_ms*; *ban_ms* = how long the venue
    still wants silence, 0 = it does not.
    """

    family: str
    used: int
    most: int
    span_ms: int
    ban_ms: int


class HealthRing(Protocol):
    """The moments of the last day, kept while their store lives (synchronous). *Retry* when the store is away."""

    def add(self, point: HealthPoint) -> None: ...

    def points(self) -> list[HealthPoint]:
        """Oldest first; what cannot be read is passed over."""
        ...


class BudgetReading(Protocol):
    """The request budgets as the traders use them (synchronous). *Retry* when their store is away."""

    def uses(self) -> list[BudgetUse]: ...


class LogFiles(Protocol):
    """The newest lines of the processes on this machine; empty where nobody keeps them."""

    def names(self) -> list[str]:
        """The processes that have a log here."""
        ...

    def newest(self, name: str, lines: int) -> Sequence[str]:
        """At most *lines* newest lines of that process, oldest first, without secrets; none for an unknown one."""
        ...
