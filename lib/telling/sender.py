"""
The sender: hands what was told to people's channels and sends it, at least once, in the order it was told.

One channel's batch is one piece of work in a thread: leased, opened, sent, marked. Nothing is held in the database
while it is sent. A batch is marked after its channel has answered, with nothing in between, so it is sent twice only
if the process dies in that moment, or a send outlives its lease. A channel that fails waits, ever longer, and only its
own messages with it; after `MOST_FAILURES` in a row it is switched off and its person told by the bell. Addresses are
opened for the moment of the send and are in no line of the log.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.channel import MOST_FAILURES, wait_ms
from lib.domain.errors import Pause, Retry
from lib.domain.events import Event, EventKind
from lib.domain.reason import Reason
from lib.ports.notifier import Batch, Courier, Deliveries
from lib.ports.secrets import ChannelOpener

HAND_OUT = 500
"""Things told that are handed out in one transaction."""
AT_ONCE = 8
"""Channels that are sent to at the same time."""
FAILING_AT_ONCE = 4
"""Of these, channels that failed last time: the rest is kept for those that answer."""
BATCH = 20
"""Messages one send says at most: a night's quiet ends as a few messages."""
LEASE_MS = 120_000
"""Longer than any send: who comes after its end may send a batch again."""
PAUSE_S = 1.0

Compose = Callable[[Batch], tuple[str, str]]
"""A batch as a title and a body, in its reader's language."""
_log = log.get("sender")


@dataclass(slots=True)
class Sender:
    """Over ports; everything but `run` is synchronous and safe from any thread."""

    deliveries: Deliveries
    opener: ChannelOpener
    courier: Courier
    compose: Compose
    clock: Clock
    _running: set["asyncio.Task[None]"] = field(default_factory=set)
    _failing: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until *stop*; what was being sent then is sent to its end."""
        while not stop.is_set():
            try:
                await self.round()
            except Retry as away:
                _log.warning("sender.waits", why=str(away))
            await self._pause(stop)
        await asyncio.gather(*self._running)

    async def round(self) -> None:
        """Hand out everything new, and begin to send what is due as far as there is room."""
        while await asyncio.to_thread(self.deliveries.hand_out, self.clock.now_ms(), HAND_OUT) == HAND_OUT:
            pass
        while len(self._running) < AT_ONCE:
            batch = await asyncio.to_thread(self._take)
            if batch is None:
                return
            self._begin(batch)

    def _take(self) -> Batch | None:
        failing = len(self._failing) < FAILING_AT_ONCE
        return self.deliveries.take(self.clock.now_ms(), LEASE_MS, BATCH, failing=failing)

    def _begin(self, batch: Batch) -> None:
        task = asyncio.create_task(asyncio.to_thread(self.deliver, batch))
        for group in (self._running, *([self._failing] if batch.failures else [])):
            group.add(task)
            task.add_done_callback(group.discard)

    async def _pause(self, stop: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            return

    def deliver(self, batch: Batch) -> None:
        """Send *batch* and write down what became of it; a database that is away leaves it to the lease's end."""
        try:
            why = self._send(batch)
            self._note(batch, why)
        except Retry as away:
            _log.warning("sender.unmarked", channel=batch.channel_id, why=str(away))
        except Exception as mistake:  # noqa: BLE001 - one channel's trouble ends no other's
            _log.error("sender.failed", mistake, channel=batch.channel_id)

    def _send(self, batch: Batch) -> Reason | None:
        try:
            address = self.opener.open(batch.sealed, batch.user_id, batch.service)
        except Pause:
            return codes.CHANNEL_ADDRESS_BAD()
        title, body = self.compose(batch)
        with log.hide(address):
            try:
                self.courier.send(address, title, body)
            except Retry as refused:
                return refused.why
            except Exception as mistake:  # noqa: BLE001 - whatever a service's client raises: it was not sent
                _log.warning("sender.courier_failed", channel=batch.channel_id, type=type(mistake).__name__)
                return codes.CHANNEL_SILENT()
        return None

    def _note(self, batch: Batch, why: Reason | None) -> None:
        now = self.clock.now_ms()
        if why is None:
            self.deliveries.delivered(batch, now)
            _log.info("sender.delivered", channel=batch.channel_id, messages=len(batch.messages))
        elif batch.failures + 1 < MOST_FAILURES:
            self.deliveries.failed(batch, now + wait_ms(batch.failures + 1))
            _log.warning("sender.refused", channel=batch.channel_id, failures=batch.failures + 1, why=why)
        else:
            off = codes.CHANNEL_OFF(name=batch.name, why=why)
            self.deliveries.give_up(batch, Event(EventKind.CHANNEL, off, f"channel:{batch.channel_id}:{now}"))
            _log.warning("sender.channel_off", channel=batch.channel_id, why=why)
