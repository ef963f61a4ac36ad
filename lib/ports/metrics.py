"""
Figures about the system at work, for whoever watches it: counted and timed as things happen, or read when they are
asked for. Nothing is ever decided from them, and nothing that fails here may reach what they tell of.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """
    One figure. *labels* maps each label to the values it may have, () = bounded by what fills it in. *steps* are a
    histogram's upper bounds in its unit. No label ever names a person or an account.
    """

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A gauge as it is now; *labels* are the values of the metric's, in their order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


Source = Callable[[], Iterable[Sample]]
"""Reads gauges when somebody asks; whatever it raises means that they cannot be read now."""


class Metrics(Protocol):
    """One process' figures; safe for any thread."""

    def promise(self, *metrics: Metric) -> None:
        """Show these counters and histograms, as 0, before anything happened: a first one is a rise then."""
        ...

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add *by* (not negative) to a counter."""
        ...

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """A gauge is *value* now."""
        ...

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Take *value* into a histogram."""
        ...

    def read_from(self, name: str, source: Source) -> None:
        """Ask *source*, called *name*, at every look; a gauge says whether it could be read."""
        ...

    def exposition(self) -> tuple[bytes, str]:
        """Everything in Prometheus' text format, and its content type."""
        ...

    def serve(self, host: str, port: int) -> None:
        """Answer `GET /metrics` on a thread of its own until the process ends; OSError for an address in use."""
        ...
