"""
Bybit's private WebSocket, one connection an account, as hints: the account changed, ask by REST.

A stream counts as up once it is signed in and subscribed; coming up, again or for the first time, is a hint of its own,
since pushes in between are lost. A connection is given up when the venue closes it or sends nothing, not even a pong,
for a while; the next connection follows after a growing, jittered pause, and all accounts together make few new
connections, as the venue demands. A key is opened for the one frame that proves it and kept nowhere. A refused key is
tried again after a long pause, for a venue in trouble refuses good keys too; a key that does not open has no stream
until it changes. The contents of a push are not even read.

Source: https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import aiohttp
import msgspec

from lib import log
from lib.adapters.bybit.signing import signature
from lib.adapters.bybit.stream.supervisor import Draw, Line, Supervisor
from lib.adapters.bybit.stream.watchdog import Lost, StreamTimings
from lib.clock import Clock, SteadyClock
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import SealContext
from lib.domain.backoff import Backoff
from lib.domain.decision import clean_text
from lib.domain.errors import Pause
from lib.ports.exchange import AccountHints
from lib.ports.secrets import Opener

_log = log.get("bybit")

TOPICS = ("order", "execution", "position", "wallet")
AUTH_LIFE_MS = 60_000
"""How far ahead of our clock a sign-in expires: more than clocks differ (a clock 12 s behind was met)."""
_SUBSCRIBE = msgspec.json.encode({"req_id": "subscribe", "op": "subscribe", "args": TOPICS}).decode()
_BACKOFF = Backoff(0.5, 60.0, jitter=1.0)


@dataclass(frozen=True, slots=True)
class HintTimings(StreamTimings):
    """
    In seconds. Data may be rare, so silence is told by pongs alone.

    The venue allows an address 500 new connections in five minutes, over all its processes.
    """

    backoff: Backoff = _BACKOFF
    pause_refused: float = 3600.0
    """The pause after the venue refused the key."""
    connections: int = 200
    connections_in: float = 300.0


class _Refused(Exception):
    """The venue refuses this key; *args[0]* is the venue's text."""


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
        draw: Draw = random.random,
    ) -> None:
        self._opener, self._urls, self._clock = opener, urls, clock
        self._timings = timings or HintTimings()
        self._draw = draw
        self._supervisor = Supervisor(session, self._timings, clock, _tell, draw=draw)
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
        """Hold a stream for *account*; ends only when the account's key does not open."""
        with log.bind(account=account.account_id):
            while True:
                try:
                    await self._keep(account)
                except Pause as closed:
                    _log.warning("hints.refused", why=clean_text(str(closed), 160))
                    self._refused[account.account_id] = _identity(account)
                    return
                except _Refused as refused:
                    _log.warning("hints.refused", why=clean_text(str(refused), 160))
                    await self._clock.sleep(self._timings.pause_refused * (1 + self._draw()) / 2)

    async def _keep(self, account: TraderAccount) -> NoReturn:
        await self._supervisor.keep(
            lambda: self._urls[account.venue], lambda line: self._talk(account, line), admit=self._gate.admit
        )

    async def _talk(self, account: TraderAccount, line: Line) -> None:
        """One connection; *Pause* when the key does not open, *_Refused* when the venue refuses it, else *Lost*."""
        try:
            await line.say(self._sign_in(account))
            async for text in line.texts():
                await self._understand(account.account_id, line, text)
        except (Pause, _Refused, Lost, aiohttp.ClientError, OSError):
            raise
        except Exception as bug:
            _log.error("hints.failed", bug)
            raise Lost("a bug of ours") from bug  # one account's bug must leave it a stream to come
        finally:
            self.up.discard(account.account_id)

    async def _understand(self, account_id: int, line: Line, text: str) -> None:
        try:
            frame = msgspec.json.decode(text, type=_Frame)
        except msgspec.DecodeError:
            return
        if frame.topic:
            self._hint(account_id)
        elif frame.op == "auth":
            if not frame.success:
                raise _refusal(frame.ret_msg)
            await line.say(_SUBSCRIBE)
        elif frame.op == "subscribe":
            if not frame.success:
                raise Lost(f"subscription refused: {clean_text(frame.ret_msg, 120)}")
            line.watchdog.came_up()
            self._came_up(account_id)

    def _sign_in(self, account: TraderAccount) -> str:
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        key = self._opener.open(account.sealed_key, context)
        expires = self._clock.now_ms() + AUTH_LIFE_MS
        args = [key.api_key, expires, signature(key.api_secret, f"GET/realtime{expires}".encode())]
        return msgspec.json.encode({"req_id": "auth", "op": "auth", "args": args}).decode()

    def _came_up(self, account_id: int) -> None:
        _log.debug("hints.up")
        self.up.add(account_id)
        self._hint(account_id)

    def _hint(self, account_id: int) -> None:
        self._hinted[account_id] = None
        self._any.set()


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
    """The identity of an account's stream: another key is another stream."""
    return account.venue, account.uid, account.key_version, account.sealed_key


def _refusal(text: str) -> Exception:
    # a refused expiry is a matter of clocks, which are corrected
    return Lost(f"sign-in expired: {clean_text(text, 120)}") if "expire" in text.lower() else _Refused(text)


def _tell(why: str, pause_s: float) -> None:
    _log.info("hints.lost", why=why, again_in_s=round(pause_s, 1))
