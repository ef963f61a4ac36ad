"""
The ports of one process, as bad as the world's temper makes them.

Each wrapper stands between a process and the real thing: it takes time, may kill or freeze the process before or after
the effect, may lose the effect or only its answer, and lets nothing pass once the process is dead. What travels through
is untouched.
"""

import random
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from lib.adapters.bybit.rest.transport import Transport
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.command import Command
from lib.domain.decision import Abstained, parse_decision
from lib.domain.errors import Retry
from lib.domain.reason import Reason, text
from lib.ports.analyst import Analyst
from lib.ports.ledger import Commands
from lib.ports.market import AsyncCandleReader
from lib.simulator.market.market import Market
from lib.simulator.venue.call import Request
from tests.factories import T
from tests.sim.network import Network
from tests.sim.process import Process
from tests.sim.temper import ELSEWHERE, WEIGHTS, Time, Trouble

READS = frozenset(
    {
        *("now", "flags", "accounts", "cycle", "analyst_failures", "facts", "platform_facts", "open_orders", "books"),
        *(
            "order_by_link",
            "sent_links",
            "known_links",
            "last_entry",
            "locks",
            "living",
            "stop_moves",
            "moved_slots",
        ),
    }
)
"""What commits nothing."""
LEDGER_S = 0.012
"""The longest an undisturbed transaction takes."""
SLOW_READS = 0.2
"""The share of reads that take any time."""
CALM = ("", "")
Call = Callable[..., Awaitable[Any]]


class Border:
    """Where a process touches the outside: every wrapper passes here on the way out and on the way back."""

    def __init__(self, process: Process, trouble: Trouble, time: Time) -> None:
        self.process, self.trouble, self.time = process, trouble, time
        self.rng: random.Random = trouble.rng

    def fate(self, weight: float) -> tuple[str, str]:
        """What strikes the process before the effect of a step, and what after it."""
        strike = self.trouble.process_fate(weight)
        if not strike:
            return CALM
        return (strike, "") if self.rng.random() < 0.5 else ("", strike)

    async def suffer(self, strike: str) -> None:
        """Carry out *strike*; returns when the process runs."""
        if strike == "crash":
            self.trouble.note("crash")
            self.process.kill()
        elif strike == "pause":
            self.trouble.note("pause")
            self.process.freeze(self.trouble.pause_ms(self.time.now_ms()))
        if self.process.stopped:
            await self.process.halt()

    def disturb(self, kind: str, ms: int = 0) -> None:
        """Count a fault that hit this process."""
        self.trouble.note(kind)
        self.process.disturbed(ms)


class ShakyLedger:
    """`lib.ports.ledger.Ledger` over *inner*."""

    def __init__(self, inner: Any, border: Border, on_write: Callable[[str], None]) -> None:
        self._inner, self._border, self._on_write = inner, border, on_write

    def __getattr__(self, name: str) -> Any:
        call = self._reading(name) if name in READS else self._writing(name)
        setattr(self, name, call)
        return call

    def _reading(self, name: str) -> Call:
        act, border, weight = getattr(self._inner, name), self._border, WEIGHTS.get(name, ELSEWHERE)

        async def read(*args: Any, **named: Any) -> Any:
            before, after = border.fate(weight)
            if before or border.process.stopped:
                await border.suffer(before)
            # reads are most of the calls, and cheap ones: few of them let others go first
            if border.rng.random() < SLOW_READS:
                await border.process.sleep(border.rng.random() * LEDGER_S)
            self._away(weight)
            result = await act(*args, **named)
            if after or border.process.stopped:
                await border.suffer(after)
            return result

        return read

    def _writing(self, name: str) -> Call:
        act, border, weight = getattr(self._inner, name), self._border, WEIGHTS.get(name, ELSEWHERE)

        async def write(*args: Any, **named: Any) -> Any:
            before, after = border.fate(weight)
            if before or border.process.stopped:
                await border.suffer(before)
            await border.process.sleep(border.rng.random() * LEDGER_S)
            fate = self._away(weight)
            if fate:
                border.disturb(f"commit {fate}")
            if fate != "lost":
                result = await act(*args, **named)
                self._on_write(name)
            if fate:
                raise Retry("the database did not confirm the commit")
            if after or border.process.stopped:
                await border.suffer(after)
            return result

        return write

    def _away(self, weight: float) -> str:
        """Raise, when nothing can be asked now; else what becomes of a commit's answer."""
        fate = self._border.trouble.ledger_fate(self._border.time, weight)
        if fate == "db_down":
            self._border.disturb("ledger down")
            raise Retry("the database is away")
        return fate


class ShakyTransport(Transport):
    """`lib.adapters.bybit.rest.transport.Transport` into the network."""

    def __init__(self, network: Network, border: Border) -> None:
        self._network, self._border = network, border

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        border = self._border
        before, after = border.fate(WEIGHTS.get(path, ELSEWHERE))
        if before or border.process.stopped:
            await border.suffer(before)
        request = Request(method, path, query, headers, body, "127.0.0.1")
        try:
            response = await self._network.send(request, border.process)
        finally:
            if after or border.process.stopped:
                await border.suffer(after)
        return response.status, response.headers, response.body


class ShakyCandles(AsyncCandleReader):
    """`lib.ports.market.AsyncCandleReader` of what the market traded, half a second late."""

    LAG_MS = 500

    def __init__(self, market: Market, border: Border) -> None:
        self._market, self._border = market, border

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        border = self._border
        await border.process.sleep(border.rng.random() * 0.003)
        if border.time.now_ms() < border.trouble.candles_down_until and not border.trouble.healing:
            border.trouble.note("redis down")
            raise Retry("Redis is away")
        end = border.time.now_ms() - self.LAG_MS
        closed = end - end % MINUTE_MS
        found = (self._market.candle(symbol, closed - n * MINUTE_MS) for n in range(count, 0, -1))
        window = [candle for candle in found if candle is not None]
        return self._spoiled(window) if border.trouble.chance("redis") else window

    def _spoiled(self, window: list[Candle]) -> list[Candle]:
        kind = self._border.rng.choice(("flushed", "stale", "another feed's", "a hole"))
        self._border.trouble.note(f"redis {kind}")
        if kind == "flushed":
            return []
        if kind == "stale":
            return [_shifted(candle, -5 * MINUTE_MS) for candle in window]
        if kind == "a hole":
            return window[:11] + window[12:]
        return [_scaled(candle) for candle in window]

    async def set_status(self, fields: dict[str, str]) -> None:
        border = self._border
        await border.process.sleep(border.rng.random() * 0.003)
        if border.trouble.chance("redis"):
            border.trouble.note("redis status lost")
            raise Retry("Redis is away")


def _shifted(candle: Candle, ms: int) -> Candle:
    return Candle(candle.open_time + ms, candle.open, candle.high, candle.low, candle.close, candle.volume)


def _scaled(candle: Candle) -> Candle:
    opened, high, low, close = (price + 7 for price in (candle.open, candle.high, candle.low, candle.close))
    return Candle(candle.open_time, opened, high, low, close, candle.volume)


class MoodyAnalyst(Analyst):
    """`lib.ports.analyst.Analyst`: raw answers of every quality, read by the real parser."""

    def __init__(self, border: Border, seed: int = 0) -> None:
        self._border = border
        self._own = random.Random(f"hands of {border.process.name} in {seed}")

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        border, rng = self._border, self._border.rng
        before, after = border.fate(WEIGHTS["ask"])
        await border.suffer(before)
        mood = rng.choice(("hangs", "fails", "slow", "garbage", "absurd")) if border.trouble.chance("analyst") else ""
        if mood:
            border.trouble.note(f"analyst {mood}")
        await border.process.sleep(self._takes(mood, budget_s))
        await border.suffer(after)
        if mood in ("hangs", "fails"):
            return AnalystAnswer(Abstained(text("no answer within the time allowed")), "", prompt.model, 0, 0, 1, True)
        raw = self._raw(mood)
        if prompt.answer_version == 2 and LATER in prompt.user:
            raw = self._managing(raw)
        decision = parse_decision(raw, prompt.answer_version)
        return AnalystAnswer(decision, raw, prompt.model, 900, 60, 300, False)

    def _takes(self, mood: str, budget_s: float) -> float:
        if mood == "hangs":
            return budget_s
        if mood == "slow":
            return min(budget_s, self._border.rng.uniform(15, 45))
        return self._border.rng.uniform(0.4, 6)

    def _raw(self, mood: str) -> str:
        rng = self._border.rng
        if mood == "garbage":
            return rng.choice(("", "I would buy.", '{"action": "buy"}', "[" * 2000, '{"action": NaN}'))
        action = (
            "hold"
            if self._border.trouble.healing
            else rng.choice(("buy", "buy", "buy", "buy", "sell", "sell", "sell", "hold"))
        )
        stop = rng.choice(("-0.02", "0", "0.9", "0.0001")) if mood == "absurd" else rng.choice(STOPS)
        leverage = 10_000 if mood == "absurd" else rng.choice((1, 3, 8, 25, 100))
        confidence = rng.choice(("0.6", "0.8", "0.8", "0.9", "0.95"))
        return (
            f'{{"action": "{action}", "confidence": {confidence}, "leverage": {leverage}, "reason": "r", '
            f'"stop_loss": {stop}, "take_profit": {_target(stop, rng.choice(TARGETS))}}}'
        )

    def _managing(self, raw: str) -> str:
        """*raw*, or an act of version 2 in its place; its own dice: the worlds of before stay what they were."""
        rng = self._own
        if self._border.trouble.healing or rng.random() >= MANAGED:
            return raw
        action, share = (
            rng.choice(("close", "tighten", "tighten", "tighten")),
            rng.choice(("1", "1", "0.5", "0.9", "0.01")),
        )
        said = raw.replace('"reason"', f'"close_fraction": {share}, "reason"')
        if action == "tighten":
            said = re.sub(r'"stop_loss": [^,]+', f'"stop_loss": {rng.choice(NEARER)}', said)
        for other in ("buy", "sell", "hold"):
            said = said.replace(f'"action": "{other}"', f'"action": "{action}"')
        return said


MANAGED = 0.8
"""The share of the answers of version 2 that close or tighten."""
LATER = f'"timestamp":{T},'
"""A candle that is shown from a world's second T on: at its first nobody holds anything yet."""
NEARER = ("0.0002", "0.0006", "0.001", "0.0015", "0.003")
"""From the price of now to the stop that is wanted."""
STOPS = ("0.002", "0.004", "0.01", "0.02", "0.05")
TARGETS = (*(2, 3, 4) * 4, 5, 10, 10, 60)
"""In stops. One past ten is refused, and few are: a world in which nothing is entered proves little."""


def _target(stop: str, stops: int) -> str:
    """A target of *stops* stops, at most everything; beyond ten it is the slip of somebody who means percent."""
    return str(min(max(stops * Decimal(stop), Decimal(0)), Decimal(1)))


class CommandBox(Commands):
    """The `commands` table in memory; `lib.ports.ledger.Commands` for the traders."""

    def __init__(self) -> None:
        self._waiting: list[Command] = []
        self.results: dict[int, Reason] = {}
        self.asked = 0

    def ask(self, command: Command) -> None:
        self._waiting.append(command)
        self.asked += 1

    async def waiting(self) -> bool:
        return bool(self._waiting)

    async def take(self, now_ms: int, account_ids: Collection[int] | None = None) -> list[Command]:
        taken = [one for one in self._waiting if account_ids is None or one.account_id in account_ids]
        self._waiting = [one for one in self._waiting if one not in taken]
        return taken

    async def done(self, command_id: int, result: Reason) -> None:
        self.results[command_id] = result
