"""
What the log tells, as figures: one listener a process, which keeps the moments it needs to time things by.

It listens and never speaks: a line it cannot read is counted nowhere, and the log swallows whatever it raises. What it
remembers is bounded. Times are this process' own steady ones; a cycle, an account and an order are told apart by the
fields that their lines carry.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from lib.clock import Clock
from lib.metrics import catalogue as m
from lib.ports.metrics import Metric, Metrics, Sample

CYCLE_MS = 300_000
MOST_REMEMBERED = 10_000
FORGOTTEN_S = 60.0
"""A position that was not seen without its stop for so long has it again: the guardian looks far more often."""
MOST_MODELS = 20
MODEL_CHARS = 64
COUNTED: Mapping[str, Metric] = {
    "ws.lost": m.STREAM_LOST,
    "ws.connected": m.STREAM_CONNECTED,
    "hints.lost": m.PRIVATE_LOST,
    "candle.rebuilt": m.REBUILDS,
    "candle.rejected": m.REJECTED,
    "order.claim_refused": m.CLAIMS_REFUSED,
    "order.orphan_adopted": m.ORPHANS,
    "ledger.lost_commits": m.LOST_COMMITS,
    "guardian.unsafe": m.STOPS_MISSING,
    "guardian.closed": m.GUARDIAN_CLOSES,
    "guardian.forced": m.FORCED,
    "analyst.no_turn": m.ANALYST_NO_TURN,
    "bybit.address_blocked": m.BLOCKED,
    "bybit.strange_answer": m.STRANGE,
}
"""Events that are counted as they come."""
Fields = Mapping[str, object]
K = TypeVar("K", bound=Hashable)


class Moments(OrderedDict[K, float]):
    """When things began (s), the newest `MOST_REMEMBERED` of them."""

    def begin(self, key: K, at: float) -> None:
        self[key] = at
        while len(self) > MOST_REMEMBERED:
            self.popitem(last=False)


class Heard:
    """A `lib.log.Listener`; *steady* gives seconds that never go back."""

    def __init__(self, metrics: Metrics, clock: Clock, steady: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._models: set[str] = set()
        self._cycles: Moments[int] = Moments()
        self._candles: Moments[int] = Moments()
        self._answers: Moments[tuple[int, int]] = Moments()
        self._sends: Moments[str] = Moments()
        self._unsafe: Moments[int] = Moments()
        self._seen_unsafe: Moments[int] = Moments()
        self._told: dict[str, Callable[[Fields], None]] = {
            "cycle.began": self._cycle_began,
            "cycle.candles": self._candles_checked,
            "cycle.done": self._cycle_done,
            "cycle.unserved": lambda fields: metrics.count(m.CYCLES, "unserved"),
            "cycle.not_leading": lambda fields: metrics.count(m.CYCLES, "not_leading"),
            "account.answered": self._answered,
            "analyst.asked": self._asked,
            "order.sent": self._sent,
            "order.resolved": self._resolved,
            "order.not_sent": self._ended,
            "order.needs_human": lambda fields: metrics.count(m.ENDED, "NEEDS_HUMAN"),
            "candle.filled": lambda fields: metrics.count(m.GAP_CANDLES, by=_number(fields, "candles")),
            "process.ended": lambda fields: metrics.count(m.PROCESS_ENDS, str(fields["process"])),
            "guardian.unsafe": self._stop_missing,
            "guardian.repaired": self._stop_back,
            "guardian.repair_failed": lambda fields: metrics.count(m.REPAIRS, "failed"),
            "guardian.ended": self._safe,
        }

    def __call__(self, event: str, fields: Fields) -> None:
        with self._lock:
            if fields.get("alert") is True:
                self._metrics.count(m.ALERTS, event)
            if event in COUNTED:
                self._metrics.count(COUNTED[event])
            if event in self._told:
                self._told[event](fields)

    def without_stop(self) -> list[Sample]:
        """Positions seen without their stop, as they are now."""
        now = self._steady()
        with self._lock:
            for account in [one for one, seen in self._seen_unsafe.items() if now - seen > FORGOTTEN_S]:
                self._end_unsafe(account, self._seen_unsafe[account])
            began = list(self._unsafe.values())
        return [Sample(m.NO_STOP, len(began)), Sample(m.NO_STOP_AGE, now - min(began) if began else 0.0)]

    # --- cycles -------------------------------------------------------------------------------------------------------

    def _cycle_began(self, fields: Fields) -> None:
        self._cycles.begin(_number(fields, "t_ms"), self._steady())

    def _candles_checked(self, fields: Fields) -> None:
        t_ms, now = _number(fields, "t_ms"), self._steady()
        self._candles.begin(t_ms, now)
        if (began := self._cycles.get(t_ms)) is not None:
            self._metrics.observe(m.CYCLE_STEPS, now - began, "candles")

    def _cycle_done(self, fields: Fields) -> None:
        t_ms = _number(fields, "t_ms")
        self._metrics.count(m.CYCLES, "idle" if fields.get("idle") else "served")
        for outcome in m.CYCLE_ACCOUNTS.labels["outcome"]:
            if outcome in fields:
                self._metrics.count(m.CYCLE_ACCOUNTS, outcome, by=_number(fields, outcome))
        if t_ms % CYCLE_MS == 0:
            self._metrics.set(m.CYCLE_LAST, t_ms / 1000)
        if (began := self._cycles.pop(t_ms, None)) is not None:
            self._metrics.observe(m.CYCLE_STEPS, self._steady() - began, "whole")

    def _answered(self, fields: Fields) -> None:
        t_ms, now = _number(fields, "t_ms"), self._steady()
        self._answers.begin((_number(fields, "account"), t_ms), now)
        if (checked := self._candles.get(t_ms)) is not None:
            self._metrics.observe(m.CYCLE_STEPS, now - checked, "answer")

    def _asked(self, fields: Fields) -> None:
        model = self._model(str(fields.get("model", "")))
        self._metrics.count(m.ANALYST_CALLS, model, str(fields["view"]))
        self._metrics.observe(m.ANALYST_SECONDS, _number(fields, "latency_ms") / 1000, model)
        for kind in m.ANALYST_TOKENS.labels["kind"]:
            self._metrics.count(m.ANALYST_TOKENS, model, kind, by=_number(fields, f"{kind}_tokens"))
        if (cost := fields.get("cost_usd")) is not None:
            self._metrics.count(m.ANALYST_COST, model, by=float(str(cost)))

    def _model(self, told: str) -> str:
        """A provider may call its model anything, and another name every time."""
        name = told[:MODEL_CHARS] or "unknown"
        if name not in self._models and len(self._models) >= MOST_MODELS:
            return "other"
        self._models.add(name)
        return name

    # --- orders -------------------------------------------------------------------------------------------------------

    def _sent(self, fields: Fields) -> None:
        now, t_ms, link = self._steady(), _number(fields, "t_ms"), str(fields["link"])
        self._metrics.count(m.SENT, str(fields["said"]))
        self._sends.begin(link, now)
        if (answered := self._answers.pop((_number(fields, "account"), t_ms), None)) is not None:
            self._metrics.observe(m.ANSWER_TO_SEND, now - answered)
            self._metrics.observe(m.SEND_AGE, max(0.0, self._clock.now_ms() - t_ms) / 1000)

    def _resolved(self, fields: Fields) -> None:
        self._ended(fields)
        if (sent := self._sends.pop(str(fields["link"]), None)) is not None:
            self._metrics.observe(m.SEND_TO_VERDICT, self._steady() - sent)

    def _ended(self, fields: Fields) -> None:
        self._metrics.count(m.ENDED, str(fields["state"]))

    # --- stops --------------------------------------------------------------------------------------------------------

    def _stop_missing(self, fields: Fields) -> None:
        account, now = _number(fields, "account"), self._steady()
        self._unsafe.begin(account, self._unsafe.get(account, now))
        self._seen_unsafe.begin(account, now)

    def _stop_back(self, fields: Fields) -> None:
        self._metrics.count(m.REPAIRS, "done")
        self._safe(fields)

    def _safe(self, fields: Fields) -> None:
        self._end_unsafe(_number(fields, "account"), self._steady())

    def _end_unsafe(self, account: int, at: float) -> None:
        self._seen_unsafe.pop(account, None)
        if (began := self._unsafe.pop(account, None)) is not None:
            self._metrics.observe(m.NO_STOP_SECONDS, at - began)


def _number(fields: Fields, name: str) -> int:
    value = fields[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is no whole number")
    return value
