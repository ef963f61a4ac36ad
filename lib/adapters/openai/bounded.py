"""
A provider's reply is read up to a limit and no further, so that no answer can fill our memory.

The limit counts bytes as they arrive. We ask for uncompressed replies; one that is compressed all the same may be far
shorter, because it can grow a thousandfold when it is unpacked. A longer reply raises *TooLong* out of the read. The
content is not read.
"""

from collections.abc import AsyncIterator

import httpx2
import openai

MAX_REPLY_BYTES = 1_000_000
MAX_PACKED_BYTES = 16_384
_PACKED = frozenset({"gzip", "deflate"})
"""The encodings whose growth is bounded (about 1:1030)."""


class TooLong(openai.OpenAIError):
    """The reply is longer than anything a decision could need. The SDK lets its own errors pass unchanged."""


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._left = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooLong("the reply is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bounded(response: httpx2.Response) -> None:
    """A response hook: *response*'s body, not read yet, raises *TooLong* past its limit."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    limit = MAX_REPLY_BYTES if encoding in ("", "identity") else MAX_PACKED_BYTES if encoding in _PACKED else 0
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Counted(response.stream, limit)
