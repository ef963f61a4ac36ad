"""
A transport that lets somebody hear every exchange it carries, and what is taken out of it before it is kept.

Headers are never handed on: they hold key and signature. Of bodies and queries what names a person or a machine is
blanked: by the name of its field, by its shape (addresses, e-mail), and whatever the caller knows to be secret.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lib.adapters.bybit.rest.transport import Transport

NAMING = frozenset(
    {"apiKey", "secret", "userID", "uid", "id", "note", "email", "ips", "parentUid", "inviterID", "affiliateID"}
    | {"rsaPublicKey", "kycRegion", "accountId", "masterUid", "subUid", "mobile", "nickName"}
)
"""Fields that say whose an account is, from where it is used, or both; a transaction's *id* is blanked with them."""
MOST_TEXT = 4_000
_SHAPES = (
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    re.compile(r"\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\b"),
)
BLANK = "0"


@dataclass(frozen=True, slots=True)
class Heard:
    """One exchange: the request without its headers, and the answer. *status* 0 = no answer came. Epoch ms."""

    method: str
    path: str
    query: str
    request: str
    status: int
    answer: str
    began_ms: int
    ended_ms: int


Listener = Callable[[Heard], None]


class RecordingTransport(Transport):
    """*inner*, with *heard* told of every exchange; *now_ms* is our clock."""

    def __init__(self, inner: Transport, heard: Listener, now_ms: Callable[[], int]) -> None:
        self._inner, self._heard, self._now_ms = inner, heard, now_ms

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """As `Transport.request`."""
        began_ms, status, answer = self._now_ms(), 0, b""
        try:
            status, told, answer = await self._inner.request(method, path, query, headers, body)
            return status, told, answer
        finally:
            texts = (query, body.decode(errors="replace"), answer.decode(errors="replace"))
            self._heard(Heard(method, path, texts[0], texts[1], status, texts[2], began_ms, self._now_ms()))


def anonymous(text: str, secrets: Collection[str]) -> Any:
    """
    *text* as it may be kept: JSON with its naming fields blanked, other text cut; *secrets* and shapes in neither.
    """
    try:
        return _blanked(json.loads(text), secrets)
    except (ValueError, RecursionError):
        return blanked(text[:MOST_TEXT], secrets)


def _blanked(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _nothing(kept) if name in NAMING else _blanked(kept, secrets) for name, kept in value.items()}
    if isinstance(value, list):
        return [_blanked(kept, secrets) for kept in value]
    return blanked(value, secrets) if isinstance(value, str) else value


def _nothing(value: Any) -> Any:
    """A value of the same type that says nothing; a list keeps how many it has."""
    if isinstance(value, list):
        return [_nothing(kept) if kept != "*" else kept for kept in value]
    return BLANK if isinstance(value, str) and value else 0 if isinstance(value, int) else value


def blanked(text: str, secrets: Collection[str]) -> str:
    """*text* without *secrets*, addresses and e-mail."""
    for secret in secrets:
        text = text.replace(secret, BLANK) if len(secret) > 3 else text
    for shape in _SHAPES:
        text = shape.sub(BLANK, text)
    return text
