"""
The local exchange as one object that answers requests and ticks: engine, venue, store and streams in step.

Invariant: a change by a request or a second of trading is on disk before any client hears of it, by reply or by push.
While the disk takes nothing (it is full, say) nobody hears of anything but prices: requests are refused, those already
carried out get no reply, and trading goes on in memory, to be saved as soon as there is room. After a kill meanwhile
the time since the last save is run again, of which nobody was told.

All code runs in one thread and never awaits between change and save, so no lock is needed. Long work (candles not built
yet, time missed while the machine slept) is done beforehand, in slices between which all other work runs: orders match
and stops fire meanwhile. HTTP is `lib.simulator.routes`, starting and stopping is `lib.simulator.server`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from lib import log
from lib.clock import Clock
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Faults
from lib.simulator.engine.orders import Row
from lib.simulator.store import NotSaved, Store
from lib.simulator.stream.streams import Streams
from lib.simulator.venue.delivery import ReplyLost
from lib.simulator.venue.klines import Piece, minutes_of
from lib.simulator.venue.venue import Request, Response, Venue

CATCH_UP_MS = 3_600_000
"""How much of the missed time is run at a stretch, in ms."""
SLICE_MINUTES = 240
"""How many minutes of the market are read at a stretch."""
IDLE_SAVE_MS = 60_000
"""How often the engine's time is saved at least, so that a restart has little to run again."""
AWAY = Response(503, {"Content-Type": "text/plain"}, b"the books cannot be written now")
_log = log.get("simulator")


class LocalExchange:
    """Answers as `Venue` does, but durably."""

    def __init__(self, engine: Engine, venue: Venue, store: Store, clock: Clock, feed: str, seed: str) -> None:
        self.engine, self.venue, self.feed = engine, venue, feed
        self.streams = Streams(venue, venue.authenticate, venue.faults, clock, seed)
        self.streams.symbols = engine.market.symbols
        self._store = store
        self._clock = clock
        self._saved_ms = 0
        self._uids: set[int] = set()
        self._rows: list[Row] = []
        self._unsaved = ""
        """Why what has changed could not be saved; "" = all is saved."""
        self._turn = asyncio.Lock()
        """Held by the task that does long work."""

    @property
    def faults(self) -> Faults:
        """The armed faults."""
        return self.venue.faults

    async def resume(self) -> None:
        """Load the stored state and run the minutes missed since, letting other tasks run in between."""
        for account in self._store.accounts():
            self.engine.import_account(account)
        self.engine.import_rows(self._store.history())
        if (advanced := self._store.fact("advanced_ms")) is not None:
            await self._catch_up(int(advanced))
        self.engine.advance(self._clock.now_ms())
        self._save_and_push()

    async def prepare(self, request: Request) -> None:
        """Do the long work of *request* beforehand, in slices; other requests with long work wait their turn."""
        await self.keep_up()
        if not self._takes_long(self.venue.pieces(request)):
            return
        async with self._turn:
            await self._read(self.venue.pieces(request))

    async def prepare_day(self) -> None:
        """Have the last day of every symbol ready: tickers and daily streams read it at every push."""
        await self._read(self.venue.pieces(Request("GET", "/v5/market/tickers")))

    async def keep_up(self) -> None:
        """Run, in slices, the time that was missed while this process did not run."""
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
        """
        The venue's answer to *request*, once its effects are saved and pushed.

        *ReplyLost* when they cannot be saved: it may have taken effect or not. Prices are told all the same.
        """
        is_public = request.path.startswith("/v5/market/")
        if self._unsaved and not is_public and not self._save_and_push():
            return AWAY
        response = self.venue.handle(request)
        if not self._save_and_push() and not is_public:
            raise ReplyLost(self._unsaved)
        return response

    def tick(self) -> None:
        """Run the engine up to now and push its changes; called about once a second."""
        self.engine.advance(self._clock.now_ms())
        self._save_and_push()
        self.streams.tick()

    def state(self) -> dict[str, Any]:
        """The state an operator may see: no keys."""
        return {
            "feed": self.feed,
            "now": self._clock.now_ms(),
            "advanced": self.engine.last_advanced_ms,
            "symbols": list(self.engine.market.symbols),
            "accounts": len(self.engine.books.accounts),
            "openOrders": sum(len(a.orders) for a in self.engine.books.accounts.values()),
            "connections": self.streams.count(),
            "unsaved": self._unsaved,
            "subscriptions": self.streams.subscriptions(),
            "faults": [{"kind": f.kind, "path": f.path, "count": f.count} for f in self.faults.waiting()],
        }

    def _save_and_push(self) -> bool:
        """Save what changed, then tell its owners; False when it could not be saved, and nobody was told."""
        self._uids |= self.engine.dirty()
        self._rows += self.engine.drain_rows()
        advanced = self.engine.last_advanced_ms
        if self._uids or self._rows or self._unsaved or advanced >= self._saved_ms + IDLE_SAVE_MS:
            try:
                self._store.save({uid: self.engine.export_account(uid) for uid in self._uids}, self._rows, advanced)
            except NotSaved as trouble:
                self._not_saved(str(trouble))
                return False
            self._saved(advanced)
        self.streams.push(self.venue.drain_private())
        return True

    def _not_saved(self, why: str) -> None:
        if not self._unsaved:
            _log.alert("simulator.books_not_saved", why=why)
        self._unsaved = why

    def _saved(self, advanced_ms: int) -> None:
        if self._unsaved:
            _log.info("simulator.books_saved", rows=len(self._rows))
        self._saved_ms, self._unsaved = advanced_ms, ""
        self._uids, self._rows = set(), []
