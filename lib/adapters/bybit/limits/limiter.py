"""
Our own request limits, in front of every call, so that the venue's are never met.

Rolling windows at 80 % of Bybit's: one per account and endpoint, one for our address over everything, of which the
trade and resolve lanes leave a rest to the guard's, so that a stop never queues behind a crowd. A 10006 closes that
account's endpoint until the venue's reset; an HTTP 403 closes the whole address for ten minutes. Bybit counts an
address over all its hosts together, so mainnet, demo and testnet share one limiter and our own paper venue has another.
`LocalLimiter` lives in one process; several processes share theirs by `lib.adapters.redis.limiter`.
https://bybit-exchange.github.io/docs/v5/rate-limit
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from lib.adapters.bybit.answers import blocked_answer
from lib.adapters.bybit.limits.turnstile import Answer, Ask, Budget, Turnstile
from lib.adapters.bybit.limits.window import Silence, Window
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.bybit_sites import is_bybits
from lib.domain.errors import Retry
from lib.ports.exchange import Lane

SHARE = 0.8
IP_CALLS, IP_WINDOW_MS = 600, 5_000
DEFAULT_PER_SECOND = 5
PER_SECOND = {
    "/v5/order/create": 10,
    "/v5/order/cancel": 10,
    "/v5/order/cancel-all": 10,
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/execution/list": 50,
    "/v5/position/list": 50,
    "/v5/position/set-leverage": 10,
    "/v5/position/trading-stop": 10,
    "/v5/account/wallet-balance": 50,
    "/v5/account/info": 50,
    "/v5/account/transaction-log": 25,
}
"""What Bybit allows an ordinary account per endpoint and second."""
LANE_SHARE: Mapping[Lane, float] = {"guard": 1.0, "trade": 0.95, "resolve": 0.9}
"""The share of the address's limit that each lane may fill; the rest is left free for the lanes before it."""
LANE_WAIT_S: Mapping[Lane, float] = {"guard": 10.0, "trade": 60.0, "resolve": 120.0}
"""How long a call of a lane waits at most unless the caller says otherwise: entries of 1,000 accounts take a minute."""


class Limiter(Protocol):
    """Admits calls to one address family. *account* is empty for public calls."""

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        """
        Return when the call may be made; *Retry* when the wait would take more than *max_wait_s* seconds (default: the
        lane's), or while the address is closed. *urgent* calls are the first of their lane.
        """
        ...

    def finished(self, lane: Lane) -> None:
        """A call that was admitted is over, answered or not."""
        ...

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        """The venue said 10006: hold that account's endpoint for *for_ms*."""
        ...

    def banned(self) -> None:
        """The venue said HTTP 403: hold everything for ten minutes."""
        ...


class Limits(Protocol):
    """Gives every venue its limiter."""

    def at(self, url: str) -> Limiter:
        """The limiter of the address family behind *url*: the same object for hosts that count together."""
        ...


def family_of(url: str) -> str:
    """The address family of *url*, whose hosts are counted together: "bybit" for all of Bybit's, else host and port."""
    host = urlsplit(url).hostname or ""
    return "bybit" if is_bybits(host) else urlsplit(url).netloc.rpartition("@")[2].lower() or url


def calls_a_second(path: str, share: float = SHARE) -> int:
    """How many of an account's calls to *path* may leave in any second."""
    return int(PER_SECOND.get(path, DEFAULT_PER_SECOND) * share)


def blocked(left_ms: int) -> Retry:
    """The *Retry* of a call while the venue wants silence for *left_ms*."""
    return Retry(codes.ADDRESS_BLOCKED(seconds=-(-left_ms // 1000)), blocked_answer())


class Endpoints:
    """A window for every account's endpoint, holding *share* of the venue's limit."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._windows: dict[tuple[str, str], Window] = {}

    def of(self, account: str, path: str) -> Window:
        """The window of *account* (not "") and *path*."""
        window = self._windows.get((account, path))
        if window is None:
            calls = max(calls_a_second(path, self._share), 1)
            window = self._windows[account, path] = Window(calls, 1_000)
        return window


class LocalLimiter(Limiter, Limits, Budget):
    """A *Limiter* for one process, by *clock* (the one HTTP waits by). *ip_calls* = 0 lifts the address limit."""

    def __init__(self, clock: Clock, *, ip_calls: int = IP_CALLS, share: float = SHARE) -> None:
        self._clock = clock
        self._allowed = int(ip_calls * share)
        self._address = Window(self._allowed, IP_WINDOW_MS) if ip_calls else None
        self._endpoints = Endpoints(share)
        self._silence = Silence()
        self._turnstile = Turnstile(clock, self)

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        """As `Limiter.admit`."""
        ask = Ask(account, path, lane)
        if self._turnstile.idle:
            answer = self._answer(ask)
            if answer.refusal is not None:
                raise answer.refusal
            if not answer.wait_ms:
                return
        wait_s = LANE_WAIT_S[lane] if max_wait_s is None else max_wait_s
        await self._turnstile.enter(ask, urgent=urgent, max_wait_s=wait_s)

    async def take(self, asks: Sequence[Ask]) -> list[Answer]:
        """As `Budget.take`."""
        return [self._answer(ask) for ask in asks]

    def at(self, url: str) -> Limiter:
        """This limiter, for any *url*: a process that speaks to one venue alone."""
        return self

    def finished(self, lane: Lane) -> None:
        """As `Limiter.finished`; one process may have as many on their way as it likes."""

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        """As `Limiter.throttled`."""
        now = self._clock.now_ms()
        self._endpoints.of(account, path).close(now, now + for_ms)

    def banned(self) -> None:
        """As `Limiter.banned`."""
        self._silence.begin(self._clock.now_ms())

    def _answer(self, ask: Ask) -> Answer:
        now = self._clock.now_ms()
        if left := self._silence.left_ms(now):
            return Answer(refusal=blocked(left))
        own = self._endpoints.of(ask.account, ask.path) if ask.account else None
        if own is not None and (wait := own.wait_ms(now)):
            return Answer(wait, own=True)
        if self._address is not None:
            if wait := self._address.wait_ms(now, calls=int(self._allowed * LANE_SHARE[ask.lane])):
                return Answer(wait)
            self._address.take(now)
        if own is not None:
            own.take(now)
        return Answer()
