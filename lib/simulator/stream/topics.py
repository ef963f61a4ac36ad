"""
The frames a public topic pushes, one second after another: klines with their closing frames, tickers as deltas.

Pure state machines over the venue's message builders. Per kline topic: every closed candle gets exactly one
`confirm:true` frame, in order, before any frame of the next candle; an open candle gets a frame whenever it changed.
A halted symbol pushes nothing. Subscriptions, and faults on the way, are `lib.simulator.stream.streams`.
"""

from typing import Any, Protocol

from lib.domain.candle import MINUTE_MS

PATIENCE_MS = 10_000
"""How late a closed candle may be (a live market gets it from its own upstream) before the candle is skipped."""
MINUTES = {name: int(name) for name in ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720")} | {"D": 1440}
"""Kline intervals that can be subscribed; weeks and months are REST only."""

Frame = dict[str, Any]


class MessageSource(Protocol):
    """The venue's builders of public frames; None while the symbol has no price."""

    def kline_message(
        self, symbol: str, interval: str, now_ms: int, *, confirm_open_time: int | None = None
    ) -> Frame | None:
        """The open candle's frame at *now_ms*, or the closing frame of the candle of *confirm_open_time*."""
        ...

    def ticker_message(self, symbol: str, now_ms: int) -> Frame | None:
        """The full ticker at *now_ms*."""
        ...


class KlineTopic:
    """`kline.{interval}.{symbol}` from *now_ms* on."""

    def __init__(self, source: MessageSource, name: str, now_ms: int) -> None:
        _, self._interval, self._symbol = name.split(".")
        self._source = source
        self._step = MINUTES[self._interval] * MINUTE_MS
        self._open = now_ms - now_ms % self._step
        self._last: Frame = {}

    def frames(self, now_ms: int) -> list[Frame]:
        """The new frames at *now_ms*, in the order they are pushed."""
        frames: list[Frame] = []
        while self._open + self._step <= now_ms:
            closing = self._source.kline_message(self._symbol, self._interval, now_ms, confirm_open_time=self._open)
            if closing is None and now_ms < self._open + self._step + PATIENCE_MS:
                return frames
            frames += [closing] if closing else []
            self._open += self._step
        forming = self.current(now_ms)
        if forming and _essence(forming) != self._last:
            self._last = _essence(forming)
            frames.append(forming)
        return frames

    def current(self, now_ms: int) -> Frame | None:
        """The open candle's frame."""
        return self._source.kline_message(self._symbol, self._interval, now_ms)

    def closed_before(self, now_ms: int, candles: int) -> Frame | None:
        """The closing frame of the candle *candles* before the open one."""
        opened = now_ms - now_ms % self._step - candles * self._step
        return self._source.kline_message(self._symbol, self._interval, now_ms, confirm_open_time=opened)


def _essence(frame: Frame) -> Frame:
    return {key: value for key, value in frame["data"][0].items() if key != "timestamp"}


class TickerTopic:
    """`tickers.{symbol}`: a delta of what changed since the last push; a newcomer gets `snapshot` first."""

    def __init__(self, source: MessageSource, name: str, now_ms: int) -> None:
        self._symbol = name.split(".")[1]
        self._source = source
        whole = self.current(now_ms)
        self._last: Frame = whole["data"] if whole else {}

    def frames(self, now_ms: int) -> list[Frame]:
        """At most one delta."""
        whole = self.current(now_ms)
        if whole is None:
            return []
        data: Frame = whole["data"]
        changed = {key: value for key, value in data.items() if self._last.get(key) != value}
        self._last = data
        return [whole | {"type": "delta", "data": {"symbol": self._symbol} | changed}] if changed else []

    def current(self, now_ms: int) -> Frame | None:
        """The full ticker as a snapshot frame."""
        return self._source.ticker_message(self._symbol, now_ms)


def open_topic(source: MessageSource, name: str, symbols: tuple[str, ...], now_ms: int) -> KlineTopic | TickerTopic:
    """The topic called *name*; ValueError with the venue's text for one that does not exist."""
    kind, *rest = name.split(".")
    if kind == "kline" and len(rest) == 2 and rest[0] in MINUTES and rest[1] in symbols:
        return KlineTopic(source, name, now_ms)
    if kind == "tickers" and len(rest) == 1 and rest[0] in symbols:
        return TickerTopic(source, name, now_ms)
    raise ValueError(f"error:handler not found,topic:{name}")
