"""
Headlines: the sources that are read, and the shelf where what they said is kept.
"""

from typing import Protocol

from lib.domain.news import Headline, News


class NewsSources(Protocol):
    """The sources an operator named, synchronous."""

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, by the names that `read` knows."""
        ...

    def read(self, name: str) -> list[Headline]:
        """What the source says now, as it may be kept. *Retry* when it cannot be read, or is no feed."""
        ...


class NewsShelf(Protocol):
    """The newest readings. *Retry* when the store cannot be reached."""

    def put(self, news: News) -> None:
        """Remember *news*."""
        ...

    def as_of(self, at_ms: int) -> News | None:
        """The newest reading made at or before *at_ms* (epoch ms) that is still kept, or None."""
        ...


class AsyncNewsReader(Protocol):
    """The part of the shelf that the trader uses, as a coroutine."""

    async def as_of(self, at_ms: int) -> News | None:
        """As `NewsShelf.as_of`."""
        ...


class NoNews(AsyncNewsReader):
    """Where nobody reads news: a replay, a rehearsal."""

    async def as_of(self, at_ms: int) -> News | None:
        return None
