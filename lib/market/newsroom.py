"""
Reads the sources of headlines on a schedule, once for everybody, a minute before a boundary.

A source that fails is passed over until the next time, and said; where all fail nothing is kept, and what was kept
grows stale by itself. It does not decide what of it is shown.
"""

from lib import log
from lib.clock import Clock
from lib.domain.errors import Retry
from lib.domain.news import PERIOD_MS, Headline, read_at
from lib.ports.news import NewsShelf, NewsSources

LEAD_MS = 60_000
"""Before a boundary: slow sources have answered by T."""
_log = log.get("collector")


class Newsroom:
    """Call `tick` every few seconds, from one thread that nothing else waits for."""

    def __init__(self, sources: NewsSources, shelf: NewsShelf, clock: Clock) -> None:
        self._sources = sources
        self._shelf = shelf
        self._clock = clock
        self._next_ms = 0

    def tick(self) -> None:
        """Read the sources when it is time. *Retry* while the shelf is away."""
        now = self._clock.now_ms()
        if now < self._next_ms and self._next_ms - now <= PERIOD_MS:  # else the clock was set back
            return
        self._next_ms = (now + LEAD_MS) // PERIOD_MS * PERIOD_MS + PERIOD_MS - LEAD_MS
        answers = [found for name in self._sources.names if (found := self._read(name)) is not None]
        if answers:
            self._shelf.put(read_at(self._clock.now_ms(), (one for found in answers for one in found)))

    def _read(self, name: str) -> list[Headline] | None:
        try:
            return self._sources.read(name)
        except Retry as away:
            _log.warning("news.unread", source=name, why=str(away))
            return None
