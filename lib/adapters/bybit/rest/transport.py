"""
One HTTP exchange of bytes, and nothing clever.

No redirects, no proxies from the environment, no cookies, no second sending of a POST: the caller decides what a lost
reply means. (aiohttp repeats a GET when an idle connection turns out closed; that is harmless.)
"""

from collections.abc import Mapping
from typing import Protocol

import aiohttp
from yarl import URL

CONNECT_S = 2.0
READ_S = 8.0
KEEP_ALIVE_S = 15.0
"""Shorter than the venue's own, so that an order does not meet a connection the venue is just closing."""
MAX_REPLY_BYTES = 8 * 1024 * 1024


class Transport(Protocol):
    """Carries requests to one venue. A TimeoutError or other OSError means the outcome is not known."""

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the reply. *query* is sent exactly as given (without `?`)."""
        ...


def open_session(local_ip: str = "") -> aiohttp.ClientSession:
    """
    The session for every venue of a process; call inside the running loop and close it at the end. What it connects to
    is reached from *local_ip*, "" = as the machine routes.
    """
    local = (local_ip, 0) if local_ip else None
    timeout = aiohttp.ClientTimeout(total=CONNECT_S + READ_S, sock_connect=CONNECT_S, sock_read=READ_S)
    return aiohttp.ClientSession(
        timeout=timeout,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=KEEP_ALIVE_S, local_addr=local),
        headers={"User-Agent": "maemae", "Accept": "application/json"},
    )


class AiohttpTransport(Transport):
    """A venue behind *base_url* (scheme and host, no path)."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._base = base_url.rstrip("/")
        self._session = session

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """As `Transport.request`."""
        # encoded=True: the signature covers these very bytes
        url = URL(f"{self._base}{path}?{query}" if query else f"{self._base}{path}", encoded=True)
        data = body or None
        try:
            async with self._session.request(method, url, headers=headers, data=data, allow_redirects=False) as reply:
                return reply.status, reply.headers, await _read(reply)
        except aiohttp.ClientError as lost:
            # the class only: a client error's text may hold the URL with its query
            raise ConnectionError(f"no reply from the venue ({type(lost).__name__})") from None


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in reply.content.iter_any():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise ConnectionError("the venue's reply is too long")
        chunks.append(chunk)
    return b"".join(chunks)
