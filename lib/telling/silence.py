"""
The dead man's switch: whoever has a position open is told when the trader or the collector is silent, and when they
are back.

It runs in the notifier, a process of its own, because who is silent cannot say so. A silence is known by the moment of
the last sign of life, so it is told once however often the notifier is started. One of whom no sign is to be found (a
fresh or flushed Redis) is silent from the moment this watch missed it, so that a trader that dies before its first sign
is missed as well. Whoever runs the platform is told of each silence while somebody trades or holds something. Without
Redis nothing is known, and nobody is told anything: the stops stand at the exchange either way.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.events import Event, EventKind

SILENT_S = 120
LOOK_S = 10.0
OPERATORS = {"trader": codes.TRADER_IS_SILENT, "collector": codes.COLLECTOR_IS_SILENT}
_log = log.get("silence")


class Signs(Protocol):
    """How long ago trader and collector gave a sign of life, seconds; None = never seen."""

    @property
    def trader_age_s(self) -> float | None: ...

    @property
    def collector_age_s(self) -> float | None: ...


class OpenPosition(Protocol):
    """Somebody's position that is open now."""

    @property
    def user_id(self) -> int: ...

    @property
    def account_id(self) -> int: ...

    @property
    def symbol(self) -> str: ...

    @property
    def direction(self) -> str: ...

    @property
    def stop_loss(self) -> Decimal | None: ...


class Watched(Protocol):
    """Who is to be told of a silence."""

    def exposed(self) -> Sequence[OpenPosition]: ...

    def trading(self) -> int:
        """How many accounts trade by themselves."""
        ...


@dataclass(slots=True)
class Silence:
    """Over readings; *signs* is asked with the time, *tell* puts an event into somebody's outbox (0: operators)."""

    signs: Callable[[int], Signs]
    watched: Watched
    tell: Callable[[int, int, Event], None]
    clock: Clock
    _told: dict[int, OpenPosition] = field(default_factory=dict)
    _operators_told: bool = False
    _since_s: int = 0
    _missed_ms: dict[str, int] = field(default_factory=dict)
    """Since when there is no sign at all of trader or collector."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look every ten seconds until *stop*."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.look)
            except Retry as away:
                _log.warning("silence.unread", why=str(away))
            except Exception as mistake:  # noqa: BLE001 - the next look may see
                _log.error("silence.failed", mistake)
            try:
                await asyncio.wait_for(stop.wait(), LOOK_S)
            except TimeoutError:
                continue

    def look(self) -> None:
        """Tell whoever is to be told now. *Retry* when a store is away."""
        now = self.clock.now_ms()
        ages = self._ages(now)
        if (longest := max(ages.values())) > SILENT_S:
            self._silent(max(ages, key=ages.__getitem__), self._since_s or round(now / 1_000 - longest))
        elif self._since_s:
            self._back()

    def _ages(self, now_ms: int) -> dict[str, float]:
        """Seconds since the last sign of each, or since this watch first missed one."""
        try:
            seen = self.signs(now_ms)
        except Retry:
            self._missed_ms.clear()  # an empty Redis that has just come back is filled by the living within seconds
            raise
        ages = {"trader": seen.trader_age_s, "collector": seen.collector_age_s}
        return {who: self._age(who, age, now_ms) for who, age in ages.items()}

    def _age(self, who: str, age_s: float | None, now_ms: int) -> float:
        if age_s is None:
            return (now_ms - self._missed_ms.setdefault(who, now_ms)) / 1_000
        self._missed_ms.pop(who, None)
        return age_s

    def _silent(self, who: str, since_s: int) -> None:
        if not self._since_s:
            _log.alert("silence.began", who=who, since_s=since_s)
        self._since_s = since_s
        found = self.watched.exposed()
        for one in found:
            if one.account_id not in self._told:
                self.tell(one.user_id, one.account_id, _silent(one, since_s))
                self._told[one.account_id] = one
        if not self._operators_told and (trading := self.watched.trading()) + len(found):
            why = OPERATORS[who](since=since_s * 1_000, holding=len(found), trading=trading)
            self.tell(0, 0, Event(EventKind.SILENT, why, f"silent:0:{since_s // 60}"))
            self._operators_told = True

    def _back(self) -> None:
        back = [(one.user_id, one.account_id) for one in self._told.values()]
        for user_id, account_id in [*back, *([(0, 0)] if self._operators_told else [])]:
            about = f"back:{account_id}:{self._since_s}"
            self.tell(user_id, account_id, Event(EventKind.BACK, codes.WATCHED_AGAIN(), about))
        _log.info("silence.ended", since_s=self._since_s)
        self._told.clear()
        self._operators_told, self._since_s = False, 0


def _silent(one: OpenPosition, since_s: int) -> Event:
    if one.stop_loss:
        why = codes.NOBODY_WATCHES(symbol=one.symbol, way=one.direction, stop=one.stop_loss)
    else:
        why = codes.NOBODY_WATCHES_STOPLESS(symbol=one.symbol, way=one.direction)
    return Event(EventKind.SILENT, why, f"silent:{one.account_id}:{since_s // 60}")
