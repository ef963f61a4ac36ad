"""
`lib.ports.metrics` by prometheus_client, in a registry of its own; beside ours stand the library's figures of the
process.

A label value that its metric does not list is counted as "other", so nothing from outside can make series. A source
that cannot be read leaves its gauges out and says so; it never makes a look fail. Sources are read once in `FRESH_S`
at most, however many look.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from lib import log
from lib.adapters.metrics_server import MetricsServer
from lib.ports.metrics import Metric, Metrics, Sample, Source

FRESH_S = 5.0
OTHER = "other"
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which says nothing that we need
_log = log.get("metrics")


class PrometheusMetrics(Metrics):
    """The figures of *known*; *source_up* says of each source whether it could be read."""

    def __init__(self, known: Iterable[Metric], source_up: Metric, now: Callable[[], float] = time.monotonic) -> None:
        self._registry = CollectorRegistry()
        self._known = tuple(known)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._sources = _Sources(self._known, source_up, now)
        self._registry.register(self._sources)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        if metric.name not in self._counters:
            self.promise(metric)
        child = self._counters[metric.name]
        (child.labels(*_fitting(metric, labels)) if labels else child).inc(by)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        if metric.name not in self._gauges:
            self._gauges[metric.name] = Gauge(metric.name, metric.help, tuple(metric.labels), registry=self._registry)
            self._sources.leave(metric)
        child = self._gauges[metric.name]
        (child.labels(*_fitting(metric, labels)) if labels else child).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        if metric.name not in self._histograms:
            self.promise(metric)
        child = self._histograms[metric.name]
        (child.labels(*_fitting(metric, labels)) if labels else child).observe(value)

    def promise(self, *metrics: Metric) -> None:
        for metric in metrics:
            made = self._counter(metric) if metric.kind == "counter" else self._histogram(metric)
            for labels in _listed(metric):
                made.labels(*labels)

    def _counter(self, metric: Metric) -> Counter:
        made = Counter(metric.name, metric.help, tuple(metric.labels), registry=self._registry)
        self._counters[metric.name] = made
        return made

    def _histogram(self, metric: Metric) -> Histogram:
        names, steps = tuple(metric.labels), metric.steps
        made = Histogram(metric.name, metric.help, names, registry=self._registry, buckets=steps)
        self._histograms[metric.name] = made
        return made

    def read_from(self, name: str, source: Source) -> None:
        self._sources.add(name, source)

    def exposition(self) -> tuple[bytes, str]:
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def serve(self, host: str, port: int) -> None:
        MetricsServer(host, port, make_wsgi_app(self._registry)).start()


class _Sources(Collector):
    """Gauges read when somebody looks."""

    def __init__(self, known: Sequence[Metric], up: Metric, now: Callable[[], float]) -> None:
        self._gauges = [metric for metric in known if metric.kind == "gauge"]
        self._up = up
        self._now = now
        self._sources: dict[str, Source] = {}
        self._lock = threading.Lock()
        self._read_at = -FRESH_S
        self._samples: list[Sample] = []

    def add(self, name: str, source: Source) -> None:
        self._sources[name] = source

    def leave(self, metric: Metric) -> None:
        """*metric* is set by hand in this process."""
        self._gauges.remove(metric)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # asked at registration, when no store may be touched

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._lock:
            if self._now() - self._read_at >= FRESH_S:
                self._samples = [sample for name in self._sources for sample in self._read(name)]
                self._read_at = self._now()
            samples = self._samples
        for metric in self._gauges:
            mine = [sample for sample in samples if sample.metric == metric]
            if mine:
                family = GaugeMetricFamily(metric.name, metric.help, labels=tuple(metric.labels))
                for sample in mine:
                    family.add_metric(_fitting(metric, sample.labels), sample.value)
                yield family

    def _read(self, name: str) -> list[Sample]:
        try:
            return [*self._sources[name](), Sample(self._up, 1, (name,))]
        except Exception as trouble:  # noqa: BLE001 - a store that is away must show as that, and hide nothing else
            _log.debug("metrics.unread", source=name, why=str(trouble) or type(trouble).__name__)
            return [Sample(self._up, 0, (name,))]


def _fitting(metric: Metric, labels: Sequence[str]) -> tuple[str, ...]:
    listed = metric.labels.values()
    return tuple(value if not known or value in known else OTHER for value, known in zip(labels, listed, strict=True))


def _listed(metric: Metric) -> list[tuple[str, ...]]:
    """Every combination of labels whose values are all listed: series that are there, as 0, from the first look on."""
    found: list[tuple[str, ...]] = [()] if metric.labels else []
    for values in metric.labels.values():
        found = [(*labels, value) for labels in found for value in values]
    return found
