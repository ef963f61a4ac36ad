"""
From the stores to the live parts of people's screens: one look a second for everybody who watches, one text an account.

A look is one statement for all of them (`Readings.pulses`); only an account whose pulse changed, that somebody just
acted on, or that was not read for `STALE_S`, is read. What is sent is the parts that changed, at most once a second,
prices at most every `PRICE_S`. A person's seats get that person's text and no other: the place is the person's id,
which the route takes from the session. Who does not keep up, or whose session ended, loses the seat, as at `app.live`.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.cockpit import Cockpit, Known, Parts, written
from app.live import RECHECK_S, Seat, Seats, StillIn
from app.threads import in_thread
from app.ui.cockpit import Quote
from app.ui.write import writing_for
from lib import log
from lib.clock import Clock
from lib.domain.account import NUMBERS, Numbers
from lib.domain.errors import Retry
from lib.queries import Health, Pulse

LOOK_S = 1.0
PRICE_S = 2.0
STALE_S = 30.0
"""What no pulse tells (rates of the won, rules of symbols, the platform's settings) is at most this old."""
HEALTH_S = 5.0
"""So is the health of processes, read once for everybody."""
_UNTOLD = object()
_log = log.get("live.accounts")


@dataclass(slots=True)
class _Watched:
    """One person who watches: what was read, when (ms), and what their seats were told."""

    pulse: Pulse | None = None
    read_ms: int = -1
    known: Known | None = None
    numbers: Numbers = NUMBERS
    told: Parts = field(default_factory=dict)


class AccountHub:
    """All viewers of accounts of this process; used from its event loop only."""

    def __init__(self, cockpit: Cockpit, clock: Clock, still_in: StillIn) -> None:
        self._cockpit = cockpit
        self._clock = clock
        self._still_in = still_in
        self._seats: Seats[int] = Seats()
        self._people: dict[int, _Watched] = {}
        self._touched: set[int] = set()
        self._acts = 0
        self._woken = asyncio.Event()
        self._priced_ms = 0
        self._health: tuple[int, Health] | None = None

    @contextmanager
    def seat(self, user_id: int, token: str) -> Iterator[Seat]:
        """A place before the account of *user_id*: everything at once, then what changes."""
        with self._seats.seat(user_id, token) as seat:
            known = self._people.get(user_id)
            if known is not None and known.told:
                seat.offer(written(known.told))
            else:
                self.touched(user_id)
            yield seat

    def touched(self, user_id: int) -> int:
        """
        *user_id* has just done something: read them at once if they watch. The act's number: what they are told with
        "acts" at least that high was read after it.
        """
        self._acts += 1
        self._touched.add(user_id)
        self._woken.set()
        return self._acts

    async def keep(self) -> None:
        """Look every second, and at once after an act, for ever."""
        was_away = False
        while True:
            self._woken.clear()
            try:
                await self.look()
                was_away = False
            except Retry as away:
                if not was_away:
                    _log.warning("live.accounts_unread", why=str(away))
                was_away = True
            except Exception as mistake:  # noqa: BLE001 - the channel of everybody does not end by one account
                _log.error("live.accounts_failed", mistake)
                was_away = True
            if was_away or not self._touched:
                await self._pause()

    async def _pause(self) -> None:
        pausing = [asyncio.ensure_future(self._woken.wait()), asyncio.ensure_future(self._clock.sleep(LOOK_S))]
        _, left = await asyncio.wait(pausing, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def guard(self) -> None:
        """End the seats of sessions that are over, every few seconds, for ever."""
        while True:
            await self._clock.sleep(RECHECK_S)
            await self._seats.recheck(self._still_in)

    async def recheck(self) -> None:
        """End the seats of sessions that are over now."""
        await self._seats.recheck(self._still_in)

    async def look(self) -> None:
        """Tell everybody who watches what changed for them. *Retry* when a store is away; nobody is told then."""
        watching = self._seats.places()
        self._people = {user_id: self._people.get(user_id, _Watched()) for user_id in watching}
        touched, self._touched = self._touched & set(watching), set()
        if not watching:
            return
        try:
            acts = self._acts
            told = await in_thread(self._read, dict(self._people), touched, self._clock.now_ms())
        except Retry:
            self._touched |= touched
            raise
        for user_id, changed in told.items():
            self._tell(user_id, changed | {"acts": acts} if user_id in touched else changed)

    def _tell(self, user_id: int, changed: Parts) -> None:
        watched = self._people[user_id]
        watched.told = watched.told | changed
        text = written(changed)
        for seat in self._seats.at(user_id) if changed else ():
            seat.offer(text)

    # --- in a thread, one look at a time ------------------------------------------------------------------------------

    def _read(self, people: dict[int, _Watched], touched: set[int], now_ms: int) -> dict[int, Parts]:
        """What changed for each of *people* whose account was read, or whose price moved."""
        pulses = self._cockpit.pulses(people.keys())
        fresh = {one for one, watched in people.items() if one in touched or _is_due(watched, pulses.get(one), now_ms)}
        for user_id in fresh:
            # the pulse was read first: whatever happens in between is seen again at the next look
            people[user_id].pulse, people[user_id].read_ms = pulses.get(user_id), now_ms
            self._renew(user_id, people[user_id])
        shown = people.keys() if self._prices_are_due(now_ms) else fresh
        quotes: dict[str, Quote] = {}
        return {one: self._changed(people[one], quotes, now_ms, whole=one in fresh) for one in shown}

    def _renew(self, user_id: int, watched: _Watched) -> None:
        try:
            watched.known = self._cockpit.known(user_id)
            watched.numbers = self._cockpit.numbers(user_id, watched.known)
        except Retry:
            watched.read_ms = -1
            raise
        except Exception as mistake:  # noqa: BLE001 - the trouble of one account is its own: what was known stands
            _log.error("live.account_unreadable", mistake, user_id=user_id)

    def _prices_are_due(self, now_ms: int) -> bool:
        if now_ms - self._priced_ms < PRICE_S * 1000:
            return False
        self._priced_ms = now_ms
        return True

    def _changed(self, watched: _Watched, quotes: dict[str, Quote], now_ms: int, *, whole: bool) -> Parts:
        cockpit = self._cockpit
        shown = cockpit.shown(watched.known)
        for symbol in shown:
            if symbol not in quotes:
                quotes[symbol] = cockpit.quote(symbol)
        made = cockpit.parts if whole else cockpit.moving
        health = self._health_now(now_ms)
        with writing_for(watched.numbers):  # one thread writes for one person after the other
            parts = made(watched.known, [quotes[symbol] for symbol in shown], health)
        return {name: value for name, value in parts.items() if watched.told.get(name, _UNTOLD) != value}

    def _health_now(self, now_ms: int) -> Health:
        if self._health is None or now_ms - self._health[0] >= HEALTH_S * 1000:
            self._health = (now_ms, self._cockpit.health())
        return self._health[1]


def _is_due(watched: _Watched, pulse: Pulse | None, now_ms: int) -> bool:
    return watched.read_ms < 0 or watched.pulse != pulse or now_ms - watched.read_ms >= STALE_S * 1000
