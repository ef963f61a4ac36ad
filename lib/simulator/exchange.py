"""
The local exchange as one thing that can be asked and ticked: engine, venue, store and streams in step.

Invariant: whatever a request or a second of trading changed is on disk before anybody hears of it, by reply or by
push. Everything runs in one thread and never awaits between change and save, so no lock is needed. What would take long
(candles nobody has built yet, time missed while the machine slept) is done beforehand, in slices between which
everything else runs: orders match and stops fire beside it. HTTP is `lib.simulator.routes`, starting and stopping is
`lib.simulator.server`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from lib.clock import Clock
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Faults
from lib.simulator.store import Store
from lib.simulator.stream.streams import Streams
from lib.simulator.venue.klines import Piece, minutes_of
from lib.simulator.venue.venue import Request, Response, Venue

CATCH_UP_MS = 3_600_000
"""How much of the time that was missed is run at a stretch."""
SLICE_MINUTES = 240
"""How many minutes of the market are read at a stretch."""
IDLE_SAVE_MS = 60_000
"""The engine's time is saved at least this often, so that a restart has little to run again."""


class LocalExchange:
    """Answers as `Venue` does, but durably."""

    def __init__(self, engine: Engine, venue: Venue, store: Store, clock: Clock, feed: str, seed: str) -> None:
        self.engine, self.venue, self.feed = engine, venue, feed
        self.streams = Streams(venue, venue.authenticate, venue.faults, clock, seed)
        self.streams.symbols = engine.market.symbols
        self._store = store
        self._clock = clock
        self._saved_ms = 0
        self._turn = asyncio.Lock()
        """Who does what takes long."""

    @property
    def faults(self) -> Faults:
        """What is armed to go wrong."""
        return self.venue.faults

    async def resume(self) -> None:
        """Load what the store remembers and run the minutes missed since, letting others run in between."""
        for account in self._store.accounts():
            self.engine.import_account(account)
        self.engine.import_rows(self._store.history())
        if (advanced := self._store.fact("advanced_ms")) is not None:
            await self._catch_up(int(advanced))
        self.engine.advance(self._clock.now_ms())
        self._save_and_push()

    async def prepare(self, request: Request) -> None:
        """Do beforehand, in slices, what would make *request* take long; whoever asks for the like waits his turn."""
        await self.keep_up()
        if not self._takes_long(self.venue.pieces(request)):
            return
        async with self._turn:
            await self._read(self.venue.pieces(request))

    async def prepare_day(self) -> None:
        """Have the last day of every symbol ready: tickers and daily streams read it at every push."""
        await self._read(self.venue.pieces(Request("GET", "/v5/market/tickers")))

    async def keep_up(self) -> None:
        """Run, in slices, the time that was missed while this process did not."""
        since_ms = self.engine.last_advanced_ms
        if since_ms and self._clock.now_ms() - since_ms > CATCH_UP_MS:
            async with self._turn:
                await self._catch_up(self.engine.last_advanced_ms)

    def _takes_long(self, pieces: Sequence[Piece]) -> bool:
        return sum(map(minutes_of, pieces)) > SLICE_MINUTES

    async def _read(self, pieces: Sequence[Piece]) -> None:
        read = 0
        for piece in pieces:
            if read + minutes_of(piece) > SLICE_MINUTES:
                await asyncio.sleep(0)
                read = 0
            self.venue.build(piece)
            read += minutes_of(piece)

    async def _catch_up(self, since_ms: int) -> None:
        for at in range(since_ms, self._clock.now_ms(), CATCH_UP_MS):
            self.engine.advance(at)
            self._save_and_push()
            await asyncio.sleep(0)

    def handle(self, request: Request) -> Response:
        """The venue's answer to *request*, once its effects are saved and pushed."""
        response = self.venue.handle(request)
        self._save_and_push()
        return response

    def tick(self) -> None:
        """Run the engine up to now and push what happened; called about once a second."""
        self.engine.advance(self._clock.now_ms())
        self._save_and_push()
        self.streams.tick()

    def state(self) -> dict[str, Any]:
        """What an operator may see: no keys."""
        return {
            "feed": self.feed,
            "now": self._clock.now_ms(),
            "advanced": self.engine.last_advanced_ms,
            "symbols": list(self.engine.market.symbols),
            "accounts": len(self.engine.books.accounts),
            "openOrders": sum(len(a.orders) for a in self.engine.books.accounts.values()),
            "connections": self.streams.count(),
            "subscriptions": self.streams.subscriptions(),
            "faults": [{"kind": f.kind, "path": f.path, "count": f.count} for f in self.faults.waiting()],
        }

    def _save_and_push(self) -> None:
        dirty, rows = self.engine.dirty(), self.engine.drain_rows()
        advanced = self.engine.last_advanced_ms
        if dirty or rows or advanced >= self._saved_ms + IDLE_SAVE_MS:
            self._store.save({uid: self.engine.export_account(uid) for uid in dirty}, rows, advanced)
            self._saved_ms = advanced
        self.streams.push(self.venue.drain_private())
