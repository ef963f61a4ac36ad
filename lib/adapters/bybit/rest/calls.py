"""
Calls to one venue: limited, signed, read once, translated to the four reactions.

`public` needs no key. `SignedCalls` makes the calls of one account. `VenueClock` keeps the venue's clock as an offset
from ours, measured by /v5/market/time and measured again after a 10002; one clock is shared by every account of a
venue. Nothing here repeats a request.
"""

import asyncio
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import quote

from lib import log
from lib.adapters.bybit.answers import MEANING_OF, answer_of
from lib.adapters.bybit.codes import ADDRESS_BLOCKED, Kind, Reaction, alarming, kind_of, reaction
from lib.adapters.bybit.limits.limiter import Limiter
from lib.adapters.bybit.rest.order_wire import compact
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.bybit.rest.wire import Envelope, decode_envelope
from lib.adapters.bybit.signing import signed_headers
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey
from lib.domain.decision import clean_text
from lib.domain.errors import Pause, Retry
from lib.domain.reason import Reason
from lib.domain.venue_answer import VenueAnswer
from lib.ports.exchange import Lane

MARGIN_MS = 100
"""How late our stamps run: the venue accepts a stamp 5 s old, but none 1 s ahead of its own clock."""
OFFSET_LIFE_MS = 600_000
SEND_WAIT_S = 2.0
"""Signed bytes grow old while they wait: sent later than this, they would hardly arrive in time."""
_TIME = "/v5/market/time"
_JSON = {"Content-Type": "application/json"}
_log = log.get("bybit")

Answer = tuple[int, Mapping[str, str], bytes]


def query_of(params: Mapping[str, object]) -> str:
    """*params* as the bytes after `?`; a cursor that is already percent-encoded stays as it is."""
    return "&".join(f"{name}={quote(str(value), safe='%:,-_.')}" for name, value in params.items() if value != "")


class Refused(Retry):
    """A public read the venue answered with *code* (its retCode, not 0)."""

    def __init__(self, why: Reason, code: int, answer: VenueAnswer | None = None) -> None:
        super().__init__(why, answer)
        self.code = code


async def public(
    transport: Transport, limiter: Limiter, path: str, params: Mapping[str, object], lane: Lane = "trade"
) -> Envelope:
    """An unsigned read; *Retry* for anything but success, as *Refused* when the venue gave a code."""
    # urgent: many tasks wait for the answer of one such call
    async with _admission(limiter, "", path, lane, urgent=True):
        status, _, body = await _carry(transport, "GET", path, query_of(params), {}, b"")
    envelope = _readable(body) if status == 200 else None
    if envelope is not None and envelope.code == 0:
        return envelope
    _note(limiter, path, envelope, status)
    answer = answer_of(status, body)
    if envelope is not None:
        raise Refused(_told(path, envelope, status), envelope.code, answer)
    raise Retry(_told(path, envelope, status), answer)


class _Timed(Transport):
    """*inner* with our time before and after each request, epoch ms; the wait for admission is no part of that."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self.before = self.after = 0

    async def request(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.before = self._clock.now_ms()
        try:
            return await self._inner.request(method, path, query, headers, body)
        finally:
            self.after = self._clock.now_ms()


class VenueClock:
    """The venue's time by our *clock* plus an offset."""

    def __init__(self, transport: Transport, clock: Clock, limiter: Limiter) -> None:
        self._transport = transport
        self._clock = clock
        self._limiter = limiter
        self._offset = 0
        self._measured_ms: int | None = None
        self._turn = asyncio.Lock()

    async def measure(self) -> int:
        """The venue's clock, epoch ms, measured now."""
        timed = _Timed(self._transport, self._clock)
        # the guard's lane whoever asks: nothing can be signed without it, a repair neither
        envelope = await public(timed, self._limiter, _TIME, {}, "guard")
        # the venue reads its clock somewhere on the way: half of it, but never so much that a stamp could be ahead
        self._offset = envelope.time - timed.after + min((timed.after - timed.before) // 2, MARGIN_MS)
        self._measured_ms = timed.after
        return envelope.time

    async def now_ms(self) -> int:
        """The venue's clock by the offset, which is measured first when unknown or ten minutes old."""
        async with self._turn:
            if self._measured_ms is None or self._clock.now_ms() - self._measured_ms > OFFSET_LIFE_MS:
                await self.measure()
        return self._clock.now_ms() + self._offset

    def forget(self) -> None:
        """The venue refused a stamp of ours: measure before the next one."""
        self._measured_ms = None


class SignedCalls:
    """One account's signed requests, out of the share of *lane*; *account* names it to the limiter."""

    def __init__(
        self,
        account: str,
        key: ApiKey,
        transport: Transport,
        venue_clock: VenueClock,
        limiter: Limiter,
        lane: Lane = "trade",
    ) -> None:
        self._account = account
        self._lane: Lane = lane
        self._key = key
        self._transport = transport
        self._limiter = limiter
        self.venue_clock = venue_clock

    async def read(self, path: str, params: Mapping[str, object]) -> Envelope:
        """A signed GET; *Retry* or *Pause* for anything but success."""
        query = query_of(params)
        async with self._admitted(path):
            headers = signed_headers(self._key, await self._stamp(), query.encode())
            answer = await _carry(self._transport, "GET", path, query, headers, b"")
        envelope, meaning = self._understood(path, answer, is_write=False)
        if envelope is None or meaning is not Reaction.OK:
            raise self._raised(path, envelope, answer, meaning)
        return envelope

    async def write(
        self, path: str, fields: dict[str, object], *, done: Container[int] = (), signed_ms: int = 0
    ) -> bool:
        """
        A signed POST that may safely be made twice (leverage, stop, cancel): True = done, False = the venue refuses.

        *done* are further codes that mean "already so"; *signed_ms* is the venue's time to sign with, 0 = now. *Retry*
        also when the request may have taken effect: the next read tells.
        """
        body = compact(fields)
        async with self._admitted(path, urgent=True):
            headers = _JSON | signed_headers(self._key, signed_ms or await self._stamp(), body)
            answer = await _carry(self._transport, "POST", path, "", headers, body)
        envelope, meaning = self._understood(path, answer, is_write=True)
        if meaning is Reaction.OK or (envelope is not None and envelope.code in done):
            return True
        if meaning is Reaction.REJECT:
            return False
        raise self._raised(path, envelope, answer, meaning)

    def sign(self, timestamp_ms: int, body: bytes) -> dict[str, str]:
        """Headers for *body* at a time the caller chose."""
        return _JSON | signed_headers(self._key, timestamp_ms, body)

    async def send(self, path: str, headers: Mapping[str, str], body: bytes) -> Envelope | None:
        """
        Signed bytes, once; None when no readable reply came. *Retry* when they were not sent or the reply is lost.

        Only an HTTP 200 is the venue's word; a gateway's error page may hide an accepted order.
        """
        async with self._admitted(path, urgent=True, max_wait_s=SEND_WAIT_S):
            answer = await _carry(self._transport, "POST", path, "", headers, body)
        envelope, _ = self._understood(path, answer, is_write=True)
        return envelope

    def _admitted(
        self, path: str, *, urgent: bool = False, max_wait_s: float | None = None
    ) -> AbstractAsyncContextManager[None]:
        return _admission(self._limiter, self._account, path, self._lane, urgent=urgent, max_wait_s=max_wait_s)

    async def _stamp(self) -> int:
        return await self.venue_clock.now_ms() - MARGIN_MS

    def _raised(self, path: str, envelope: Envelope | None, answer: Answer, meaning: Reaction) -> Retry | Pause:
        said = answer_of(answer[0], answer[2], (self._key.api_secret, self._key.api_key))
        if meaning is not Reaction.PAUSE:
            return Retry(_told(path, envelope, answer[0]), said)
        # the owner reads this text: the meaning where it is known, and not the path that met it
        known = said is not None and (said.is_http or said.code in MEANING_OF)
        return Pause(said.why if said is not None and known else _told(path, envelope, answer[0]), said)

    def _understood(self, path: str, answer: Answer, *, is_write: bool) -> tuple[Envelope | None, Reaction]:
        status, headers, body = answer
        envelope = _readable(body) if status == 200 else None
        code, message = (envelope.code, envelope.message) if envelope else (None, "")
        _note(self._limiter, path, envelope, status)
        if kind_of(code, status, message) is Kind.CLOCK:
            self.venue_clock.forget()
        if envelope is not None and code == 10006:
            self._limiter.throttled(self._account, path, _until_reset(headers, envelope.time))
        return envelope, reaction(code, status, is_write, message)


@asynccontextmanager
async def _admission(
    limiter: Limiter, account: str, path: str, lane: Lane, *, urgent: bool, max_wait_s: float | None = None
) -> AsyncIterator[None]:
    await limiter.admit(account, path, lane=lane, urgent=urgent, max_wait_s=max_wait_s)
    try:
        yield
    finally:
        limiter.finished(lane)


async def _carry(
    transport: Transport, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    try:
        return await transport.request(method, path, query, headers, body)
    except OSError as lost:  # TimeoutError included
        raise Retry(codes.VENUE_SILENT(path=path, type=type(lost).__name__)) from None


def _readable(body: bytes) -> Envelope | None:
    try:
        return decode_envelope(body)
    except ValueError:
        return None


def _note(limiter: Limiter, path: str, envelope: Envelope | None, status: int) -> None:
    if status == 403 or (envelope is not None and envelope.code == ADDRESS_BLOCKED):
        limiter.banned()
        _log.alert("bybit.address_blocked", path=path)
        return
    code, message = (envelope.code, envelope.message) if envelope else (None, "")
    if alarming(code, status, message):
        _log.alert("bybit.strange_answer", path=path, code=code, http=status, message=clean_text(message, 200))


def _told(path: str, envelope: Envelope | None, status: int) -> Reason:
    if envelope is None:
        return codes.VENUE_UNREADABLE(path=path, status=status)
    return codes.VENUE_ERROR(path=path, code=envelope.code, said=log.redact(clean_text(envelope.message, 160)))


def _until_reset(headers: Mapping[str, str], server_ms: int) -> int:
    """How long a 10006 lasts, 1 ms to 5 s; a reset in the past or none at all counts as one window."""
    by_name = {name.lower(): value for name, value in headers.items()}
    reset = by_name.get("x-bapi-limit-reset-timestamp", "")
    left = int(reset) - server_ms if reset.isascii() and reset.isdigit() and len(reset) <= 15 else 0
    return min(left, 5_000) if left > 0 else 1_000
