"""
The dead man's switch: whoever has a position open is told when the trader or the collector is silent, and when they
are back.

It runs in the notifier, a process of its own, because who is silent cannot say so. A silence is known by the moment of
the last sign of life, so it is told once however often the notifier is started. Without Redis nothing is known, and
nobody is told anything: the stops stand at the exchange either way.
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


@dataclass(slots=True)
class Silence:
    """Over readings; *signs* is asked with the time, *tell* puts an event into somebody's outbox."""

    signs: Callable[[int], Signs]
    exposed: Callable[[], Sequence[OpenPosition]]
    tell: Callable[[int, int, Event], None]
    clock: Clock
    _told: dict[int, OpenPosition] = field(default_factory=dict)
    _since_s: int = 0

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
        seen = self.signs(now)
        ages = [age for age in (seen.trader_age_s, seen.collector_age_s) if age is not None]
        if not ages:
            return
        if max(ages) > SILENT_S:
            self._silent(self._since_s or now // 1_000 - round(max(ages)))
        elif self._since_s:
            self._back()

    def _silent(self, since_s: int) -> None:
        if not self._since_s:
            _log.alert("silence.began", since_s=since_s)
        self._since_s = since_s
        for one in self.exposed():
            if one.account_id not in self._told:
                self.tell(one.user_id, one.account_id, _silent(one, since_s))
                self._told[one.account_id] = one

    def _back(self) -> None:
        for one in list(self._told.values()):
            about = f"back:{one.account_id}:{self._since_s}"
            self.tell(one.user_id, one.account_id, Event(EventKind.BACK, codes.WATCHED_AGAIN(), about))
            del self._told[one.account_id]
        _log.info("silence.ended", since_s=self._since_s)
        self._since_s = 0


def _silent(one: OpenPosition, since_s: int) -> Event:
    if one.stop_loss:
        why = codes.NOBODY_WATCHES(symbol=one.symbol, way=one.direction, stop=one.stop_loss)
    else:
        why = codes.NOBODY_WATCHES_STOPLESS(symbol=one.symbol, way=one.direction)
    return Event(EventKind.SILENT, why, f"silent:{one.account_id}:{since_s // 60}")
