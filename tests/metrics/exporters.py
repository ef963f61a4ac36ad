"""What each process shows under /metrics, without the process: the same wiring over the same stores."""

from collections.abc import Generator, Mapping

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from lib.bootstrap import measured
from lib.bootstrap.metrics import read_budget, read_candles, read_database
from lib.bootstrap.supervising import post_samples
from lib.ports.metrics import Metrics
from lib.ports.upkeep import BudgetReading, BudgetUse
from lib.settings import load
from lib.supervision.child import Running
from lib.supervision.supervisor import Post, Supervisor

TOKEN = "a-token-of-the-watchers"
STATUS = {
    "websocket_connected": "true",
    "data_server_heartbeat": "2026-01-01T00:00:00Z",
    "trader_heartbeat": "2026-01-01T00:00:00Z",
    "guardian_heartbeat": "2026-01-01T00:00:00Z",
    "clock_offset_ms": "-250",
    "analyst_groups": "6",
    "analyst_calls": "6",
    "analyst_waiting": "0",
    "analyst_longest_wait_ms": "1250",
    "last_close:BTCUSDT:1m": "2026-01-01T00:00:00Z",
    "candles:BTCUSDT:1m": "5000",
}
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Status:
    """The one question a watcher asks of the candle store."""

    def __init__(self, fields: Mapping[str, str] = STATUS) -> None:
        self.fields = fields

    def status(self) -> dict[str, str]:
        return dict(self.fields)


class Budgets(BudgetReading):
    def uses(self) -> list[BudgetUse]:
        return [BudgetUse("bybit", 231, 462, 5_000, 0)]


def series(text: str) -> Series:
    """Every sample of an exposition, by name and labels."""
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def shown(metrics: Metrics) -> Series:
    return series(metrics.exposition()[0].decode())


async def nothing() -> Running:
    """A program that is never started here."""
    raise OSError("never started")


def exporter(service: str, engine: sa.Engine | None = None) -> Generator[Metrics, None, None]:
    """The figures of *service* as its process wires them; a generator, so that the block around it can end it."""
    settings = load({"METRICS_TOKEN": TOKEN} if service == "web" else {f"METRICS_PORT_{service.upper()}": "9"})
    with measured(service, settings) as metrics:
        assert metrics is not None
        if service == "supervisor":
            kept = Supervisor([Post("web", nothing)], ())
            metrics.read_from("processes", lambda: post_samples(kept))
        elif service != "simulator":
            read_candles(metrics, Status())  # type: ignore[arg-type] # a watcher asks no more of a store
        if engine is not None:
            read_database(metrics, engine)
            read_budget(metrics, Budgets())
        yield metrics
