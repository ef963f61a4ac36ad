"""
Bybit's private WebSocket, one connection an account, as hints: something happened, go and look by REST.

A stream counts once it is signed in and subscribed; coming up, again or for the first time, is a hint of its own, since
pushes in between are lost. A connection is given up when the venue closes it or says nothing, not even a pong, for a
while; the next one follows after a growing, jittered pause, and all accounts together make few new connections, as the
venue demands. A key is opened for the one frame that proves it and kept nowhere. A key that is refused is tried
again after a long pause, for a venue in trouble refuses good ones too; one that does not open has no stream until it
changes. What a push says is not even read.

Source: https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from lib import log
from lib.adapters.bybit.signing import signature
from lib.clock import Clock, SteadyClock
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import SealContext
from lib.domain.decision import clean_text
from lib.domain.errors import Pause
from lib.ports.exchange import AccountHints
from lib.ports.secrets import Opener

_log = log.get("bybit")

TOPICS = ("order", "execution", "position", "wallet")
AUTH_LIFE_MS = 60_000
"""How far ahead of our clock a sign-in expires: more than clocks differ (one 12 s behind was met)."""
MAX_FRAME_BYTES = 1024 * 1024
_PING = '{"req_id":"ping","op":"ping"}'
_SUBSCRIBE = msgspec.json.encode({"req_id": "subscribe", "op": "subscribe", "args": TOPICS}).decode()


@dataclass(frozen=True, slots=True)
class HintTimings:
    """All in seconds. The venue allows an address 500 new connections in five minutes, over all its processes."""

    up_within: float = 10.0
    """From the connection to the acknowledged subscription."""
    ping_every: float = 20.0
    pong_within: float = 10.0
    pause_first: float = 1.0
    pause_cap: float = 60.0
    steady_after: float = 60.0
    """A connection that held this long was a success: the next pause is the first one again."""
    pause_refused: float = 3600.0
    """After the venue refused the key."""
    connections: int = 200
    connections_in: float = 300.0


class _Lost(Exception):
    """This connection is over; *args[0]* says why."""


class _Refused(Exception):
    """The venue does not take this key; *args[0]* is its text."""


class _Frame(msgspec.Struct):
    op: str = ""
    success: bool = True
    ret_msg: str = ""
    topic: str = ""


class BybitAccountHints(AccountHints):
    """`lib.ports.exchange.AccountHints` over the private WebSockets of *urls*; *clock* is the one sockets wait by."""

    def __init__(
        self,
        opener: Opener,
        urls: Mapping[Venue, str],
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        timings: HintTimings | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._opener, self._urls, self._session, self._clock = opener, urls, session, clock
        self._timings = timings or HintTimings()
        self._rng = rng or random.Random()  # noqa: S311 (jitter, not a secret)
        self._steady = SteadyClock(clock)
        self._gate = _Gate(clock, self._timings.connections, round(self._timings.connections_in * 1000))
        self._streams: dict[int, tuple[object, asyncio.Task[None]]] = {}
        self._refused: dict[int, object] = {}
        self._hinted: dict[int, None] = {}
        self._any = asyncio.Event()
        self.up: set[int] = set()
        """Accounts whose streams are signed in and subscribed now."""

    async def follow(self, accounts: Sequence[TraderAccount]) -> None:
        wanted = {account.account_id: account for account in accounts if account.venue in self._urls}
        for account_id, (identity, task) in list(self._streams.items()):
            account = wanted.get(account_id)
            if account is None or _identity(account) != identity:
                del self._streams[account_id]
                task.cancel()
        for account_id, account in wanted.items():
            known = account_id in self._streams or self._refused.get(account_id) == _identity(account)
            if not known:
                task = asyncio.create_task(self._run(account), name="account hints")
                self._streams[account_id] = _identity(account), task

    async def next(self) -> int:
        while not self._hinted:
            self._any.clear()
            await self._any.wait()
        account_id = next(iter(self._hinted))
        del self._hinted[account_id]
        return account_id

    async def close(self) -> None:
        tasks = [task for _, task in self._streams.values()]
        self._streams.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one account --------------------------------------------------------------------------------------------------

    async def _run(self, account: TraderAccount) -> None:
        """Hold a stream for *account*; ends only when its key does not open."""
        failures = 0
        with log.bind(account=account.account_id):
            while True:
                await self._gate.admit()
                began = self._steady.now_ms()
                try:
                    await self._live(account)
                except (Pause, _Refused) as refused:
                    _log.warning("hints.refused", why=clean_text(str(refused), 160))
                    if isinstance(refused, Pause):
                        self._refused[account.account_id] = _identity(account)
                        return
                    await self._clock.sleep(self._timings.pause_refused * self._rng.uniform(0.5, 1.0))
                    continue
                held_s = (self._steady.now_ms() - began) / 1000
                failures = 1 if held_s > self._timings.steady_after else failures + 1
                await self._clock.sleep(_pause(failures, self._timings, self._rng))

    async def _live(self, account: TraderAccount) -> None:
        """One connection from its beginning to its end; *Pause* when the key does not open, *_Refused* when refused."""
        try:
            await self._connected(account)
        except (Pause, _Refused):
            raise
        except (_Lost, aiohttp.ClientError, OSError) as lost:  # TimeoutError included
            # of a client error only the class: its text may hold more than a log should
            why = str(lost) if isinstance(lost, _Lost) else type(lost).__name__
            _log.info("hints.lost", why=why)
        except Exception as bug:  # noqa: BLE001 - one account's bug must leave it a stream to come
            _log.error("hints.failed", bug)
        finally:
            self.up.discard(account.account_id)

    async def _connected(self, account: TraderAccount) -> None:
        url, close = self._urls[account.venue], aiohttp.ClientWSTimeout(ws_close=1.0)
        async with self._session.ws_connect(url, timeout=close, max_msg_size=MAX_FRAME_BYTES) as socket:
            talk = _Talk(socket, lambda: self._hint(account.account_id), lambda: self._came_up(account.account_id))
            watchdog = asyncio.create_task(self._watch(talk))
            try:
                await socket.send_str(self._sign_in(account))
                await talk.listen()
            finally:
                watchdog.cancel()

    def _sign_in(self, account: TraderAccount) -> str:
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        key = self._opener.open(account.sealed_key, context)
        expires = self._clock.now_ms() + AUTH_LIFE_MS
        args = [key.api_key, expires, signature(key.api_secret, f"GET/realtime{expires}".encode())]
        return msgspec.json.encode({"req_id": "auth", "op": "auth", "args": args}).decode()

    async def _watch(self, talk: "_Talk") -> None:
        """Close *talk* when it does not come up or falls silent."""
        await self._clock.sleep(self._timings.up_within)
        while talk.is_up:
            heard = talk.heard
            await talk.ping()
            await self._clock.sleep(self._timings.pong_within)
            if talk.heard == heard:
                await talk.give_up("nothing is said, not even a pong")
                return
            await self._clock.sleep(max(self._timings.ping_every - self._timings.pong_within, 0))
        await talk.give_up("it does not come up")

    def _came_up(self, account_id: int) -> None:
        _log.debug("hints.up")
        self.up.add(account_id)
        self._hint(account_id)

    def _hint(self, account_id: int) -> None:
        self._hinted[account_id] = None
        self._any.set()


class _Talk:
    """What is said on one connection; *heard* counts the frames that came."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, on_push: Callable[[], None], on_up: Callable[[], None]
    ) -> None:
        self._socket, self._on_push, self._on_up = socket, on_push, on_up
        self._given_up = ""
        self.heard = 0
        self.is_up = False

    async def listen(self) -> None:
        """Hear until the end, which is *_Lost* or *_Refused*."""
        async for message in self._socket:
            self.heard += 1
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._understand(message.data)
        raise _Lost(self._given_up or f"the venue closed the connection ({self._socket.close_code})")

    async def _understand(self, text: str) -> None:
        try:
            frame = msgspec.json.decode(text, type=_Frame)
        except msgspec.DecodeError:
            return
        if frame.topic:
            self._on_push()
        elif frame.op == "auth":
            if not frame.success:
                raise _refusal(frame.ret_msg)
            await self._socket.send_str(_SUBSCRIBE)
        elif frame.op == "subscribe":
            if not frame.success:
                raise _Lost(f"subscription refused: {clean_text(frame.ret_msg, 120)}")
            self.is_up = True
            self._on_up()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        try:
            await self._socket.send_str(_PING)
        except (aiohttp.ClientError, OSError):
            return  # the listener meets the same end

    async def give_up(self, why: str) -> None:
        """End the connection from our side."""
        self._given_up = why
        await self._socket.close()


class _Gate:
    """At most *most* new connections in any *span_ms*, in the order they asked."""

    def __init__(self, clock: Clock, most: int, span_ms: int) -> None:
        self._clock, self._steady, self._span_ms = clock, SteadyClock(clock), span_ms
        self._times: deque[int] = deque(maxlen=most)
        self._turn = asyncio.Lock()

    async def admit(self) -> None:
        async with self._turn:
            if len(self._times) == self._times.maxlen:
                wait_ms = self._times[0] + self._span_ms - self._steady.now_ms()
                await self._clock.sleep(max(wait_ms, 0) / 1000)
            self._times.append(self._steady.now_ms())


def _identity(account: TraderAccount) -> object:
    """What a stream belongs to: another key is another stream."""
    return account.venue, account.uid, account.key_version, account.sealed_key


def _refusal(text: str) -> Exception:
    # an expiry refused is a matter of clocks, which mend
    return _Lost(f"sign-in expired: {clean_text(text, 120)}") if "expire" in text.lower() else _Refused(text)


def _pause(failures: int, timings: HintTimings, rng: random.Random) -> float:
    """Seconds before the next attempt after *failures* (>= 1) in a row: doubling to the cap, jittered downwards."""
    ceiling = min(timings.pause_cap, timings.pause_first * 2.0 ** min(failures - 1, 16))
    return ceiling * rng.uniform(0.5, 1.0)
