"""
One GET of a URL, for the outside heartbeat: no redirect, no proxy, and of the answer its first line alone is read.

The URL holds a secret: it is in no error. How long it may take is the caller's to bound; cancelling it closes the
connection.
"""

import asyncio
from urllib.parse import urlsplit

LONGEST_LINE = 1_024


class HeartbeatUrl:
    """*url* as settings have checked it; calling this calls it. OSError when the answer is no 2xx."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    async def __call__(self) -> None:
        parts, is_https = self._parts, self._parts.scheme == "https"
        port = parts.port or (443 if is_https else 80)
        reader, writer = await asyncio.open_connection(
            parts.hostname, port, ssl=True if is_https else None, limit=LONGEST_LINE
        )
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Maemae\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()
            words = (await reader.readline()).split()
        finally:
            writer.close()
        if len(words) < 2 or not words[1].startswith(b"2"):
            raise OSError("no 2xx")
