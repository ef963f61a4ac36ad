"""
A loopback TCP proxy that can be cut, mended, and made to lose one reply after its request took effect.

It carries bytes and understands none of them, except that a loss waits for words to pass. A cut drops every connection
and closes new ones at once, until it is mended.
"""

import asyncio
from dataclasses import dataclass, field

CHUNK = 65_536
Target = str | int
"""A unix socket's path, or a port of the loopback."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Lose the reply to the request that holds *words*, on a connection where *first* has passed before it."""

    words: bytes
    first: bytes = b""


@dataclass(slots=True, eq=False)
class _Link:
    """One connection: both ends, and how far it is towards losing a reply."""

    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    primed: bool = False
    deaf: bool = False

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Cable:
    """A proxy to *target*; *port* is where to connect once it was laid."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.port = 0
        self.lost = 0
        self._whole = True
        self._loss: Loss | None = None
        self._links: dict[_Link, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def lay(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Drop everything, until `mend`."""
        self._whole = False
        for link in self._links:
            link.abort()

    def mend(self) -> None:
        self._whole = True

    def lose(self, loss: Loss) -> None:
        """Once, whenever it comes to pass."""
        self._loss = loss

    async def close(self) -> None:
        """Stop listening and drop what is left."""
        self.cut()
        if self._server is not None:
            self._server.close()
        carrying = list(self._links.values())
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link([writer])
        task = asyncio.current_task()
        if task is not None:
            self._links[link] = task
        try:
            if self._whole:
                await self._connected(link, reader, writer)
        except OSError:
            pass  # whoever stood at the other end is gone; so is this connection
        finally:
            link.abort()
            self._links.pop(link, None)

    async def _connected(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self.target, str):
            there, out = await asyncio.open_unix_connection(self.target)
        else:
            there, out = await asyncio.open_connection("127.0.0.1", self.target)
        link.writers.append(out)
        if not self._whole:
            return
        ends = [asyncio.create_task(self._up(link, reader, out)), asyncio.create_task(self._down(link, there, writer))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _up(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            self._note(link, data)
            writer.write(data)
            await writer.drain()

    async def _down(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if link.deaf:
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()

    def _note(self, link: _Link, data: bytes) -> None:
        loss = self._loss
        if loss is None:
            return
        if loss.first in data:  # an empty one always is
            link.primed = True
        if link.primed and loss.words in data:
            link.deaf, self._loss = True, None
