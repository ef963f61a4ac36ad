"""
A process' figures, wired: what the log tells, what stores say when somebody looks, and where it is all shown.

Where no port and no token is set nothing listens and nothing is read. Figures are shown on a thread of their own; one
that cannot be had is left out, and an address that is in use is an alert and no reason not to trade.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import event, exc

from lib import log
from lib.adapters.prometheus import PrometheusMetrics
from lib.clock import Clock, SystemClock
from lib.metrics import catalogue as m
from lib.metrics.heard import Heard
from lib.ports.market import CandleStore
from lib.ports.metrics import Metrics, Sample
from lib.ports.upkeep import BudgetReading
from lib.queries.figures import FigureReadings, Figures
from lib.queries.market import age_s, moment
from lib.settings import VERSION, Settings

_PARTS = {
    "collector": (
        m.ALERTS, m.STREAM_LOST, m.STREAM_CONNECTED, m.GAP_CANDLES, m.REBUILDS, m.REJECTED, m.BLOCKED,
    ),
    "trader": (
        m.ALERTS, m.DATABASE_ERRORS, m.PRIVATE_LOST, m.CYCLES, m.CYCLE_ACCOUNTS, m.CYCLE_STEPS, m.SENT, m.ENDED,
        m.CLAIMS_REFUSED, m.ORPHANS, m.LOST_COMMITS, m.ANSWER_TO_SEND, m.SEND_TO_VERDICT, m.SEND_AGE, m.NO_STOP_SECONDS,
        m.STOPS_MISSING, m.REPAIRS, m.GUARDIAN_CLOSES, m.FORCED, m.ANALYST_CALLS, m.ANALYST_SECONDS, m.ANALYST_TOKENS,
        m.ANALYST_COST, m.ANALYST_NO_TURN, m.BLOCKED, m.STRANGE,
    ),
    "web": (m.ALERTS, m.DATABASE_ERRORS, m.BLOCKED),
    "simulator": (m.ALERTS,),
    "notifier": (m.ALERTS,),
    "telegram": (m.ALERTS,),
    "supervisor": (m.ALERTS, m.PROCESS_ENDS),
}  # fmt: skip
_PARTS |= {"worker": _PARTS["trader"]}
"""Which process counts what; gauges are there as soon as they are known."""
_log = log.get("metrics")


@contextmanager
def measured(service: str, settings: Settings) -> Iterator[Metrics | None]:
    """The figures of the process *service*, counted inside, shown where *settings* say; None where they say nowhere."""
    port = settings.watching.ports.get(service)
    if port is None and not (service == "web" and settings.watching.token):
        yield None
        return
    log.register_secret(settings.watching.token)
    metrics: Metrics = PrometheusMetrics(m.METRICS, m.SOURCE_UP)
    metrics.promise(*_PARTS[service])
    metrics.set(m.BUILD, 1, service, VERSION)
    heard = Heard(metrics, SystemClock(), time.monotonic)
    if service in ("trader", "worker"):
        metrics.set(m.CYCLE_LAST, SystemClock().now_ms() / 1000)
        metrics.read_from("guardian", heard.without_stop)
    if port is not None:
        _show(metrics, settings.watching.host, port)
    with log.listen(heard):
        yield metrics


def _show(metrics: Metrics, host: str, port: int) -> None:
    try:
        metrics.serve(host, port)
    except OSError as taken:
        _log.alert("metrics.not_shown", host=host, port=port, why=taken.strerror or type(taken).__name__)
    else:
        _log.info("metrics.shown", host=host, port=port)


def read_candles(metrics: Metrics | None, candles: CandleStore, clock: Clock | None = None) -> None:
    """Show what `system:status` says."""
    if metrics is not None:
        now = clock or SystemClock()
        metrics.read_from("redis", lambda: status_samples(candles.status(), now.now_ms()))


def read_database(metrics: Metrics | None, engine: sa.Engine, watchers: sa.Engine | None = None) -> None:
    """Show the deployment's figures, read by *watchers*, and count what the driver of *engine* raises."""
    if metrics is not None:
        readings = FigureReadings(watchers or engine)
        metrics.read_from("database", lambda: figure_samples(readings.figures()))
        count_errors(metrics, engine)


def read_budget(metrics: Metrics | None, budget: BudgetReading) -> None:
    """Show how much of each address' request budget is used."""
    if metrics is not None:
        metrics.read_from("budget", lambda: budget_samples(budget))


def count_errors(metrics: Metrics, engine: sa.Engine) -> None:
    """Count errors of *engine*'s driver by kind; what becomes of them is decided where it always was."""

    def failed(context: sa.engine.ExceptionContext) -> None:
        try:
            metrics.count(m.DATABASE_ERRORS, _kind(context.sqlalchemy_exception))
        except Exception as trouble:  # noqa: BLE001 - a count must never take an error's place
            _log.debug("metrics.uncounted", why=type(trouble).__name__)

    event.listen(engine, "handle_error", failed)


def _kind(raised: BaseException | None) -> str:
    if isinstance(raised, exc.IntegrityError):
        return "constraint"
    if isinstance(raised, exc.ProgrammingError):
        return "refused"
    return "away" if isinstance(raised, exc.OperationalError | exc.InterfaceError | exc.InternalError) else "other"


def status_samples(status: Mapping[str, str], now_ms: int) -> Iterator[Sample]:
    """What *status* (`lib.market.status`) says at *now_ms*; a part that was never seen is left out."""
    yield Sample(m.STREAM_UP, status.get("websocket_connected") == "true")
    ages = {
        m.COLLECTOR_AGE: "data_server_heartbeat", m.TRADER_AGE: "trader_heartbeat",
        m.GUARDIAN_AGE: "guardian_heartbeat",
    }  # fmt: skip
    for metric, field in ages.items():
        if (age := age_s(now_ms, moment(status.get(field)))) is not None:
            yield Sample(metric, age)
    yield from _turn_samples(status)
    if (offset := status.get("clock_offset_ms", "")).removeprefix("-").isdigit():
        yield Sample(m.CLOCK, int(offset) / 1000)
    for field, text in status.items():
        kind, _, series = field.partition(":")
        symbol, _, interval = series.partition(":")
        if kind == "last_close" and (age := age_s(now_ms, moment(text))) is not None:
            yield Sample(m.CANDLE_AGE, age, (symbol, interval))
        elif kind == "candles" and text.isdigit():
            yield Sample(m.CANDLES_HELD, int(text), (symbol, interval))


def _turn_samples(status: Mapping[str, str]) -> Iterator[Sample]:
    """The newest cycle's questions to the analyst."""
    counts = {
        m.ANALYST_GROUPS: ("analyst_groups", 1), m.ANALYST_QUESTIONS: ("analyst_calls", 1),
        m.ANALYST_WAITING: ("analyst_waiting", 1), m.ANALYST_WAIT: ("analyst_longest_wait_ms", 1000),
    }  # fmt: skip
    for metric, (field, unit) in counts.items():
        if (text := status.get(field, "")).isdigit():
            yield Sample(metric, int(text) / unit)


def figure_samples(now: Figures) -> Iterator[Sample]:
    """The deployment's figures."""
    for state in m.OPEN_STATES:
        yield Sample(m.UNRESOLVED, now.unresolved.get(state, 0), (state,))
    plain = {
        m.UNRESOLVED_AGE: now.unresolved_s, m.ACCOUNTS: now.accounts, m.STOPPED: now.stopped, m.POSITIONS: now.holding,
        m.DIFFERING: now.differing, m.DIFFERENCE: float(now.difference), m.KILL_SWITCH: now.kill_switch,
        m.UNPROVED: now.unproved_s, m.LEASE: now.lease_held, m.EPOCH: now.epoch, m.OUTBOX: now.untold,
        m.OUTBOX_AGE: now.untold_s, m.WORKERS: now.workers, m.WORKERS_DEAD: now.workers_dead, m.UNOWNED: now.unowned,
    }  # fmt: skip
    yield from (Sample(metric, value) for metric, value in plain.items())
    yield from (Sample(m.LOCKS, count, labels) for labels, count in now.locks.items())


def budget_samples(budget: BudgetReading) -> Iterator[Sample]:
    """Each address family's budget."""
    for use in budget.uses():
        yield Sample(m.BUDGET, use.used / use.most, (use.family,))
        yield Sample(m.SILENCE, use.ban_ms / 1000, (use.family,))
