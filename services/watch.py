"""
The system at work, in the terminal: each decision of the demo account, with candle age, position and equity.

Reads only, from the same stores as everybody else; what it cannot read it says, once. Quiet between cycles: lines come
when one has been decided, the page shows the rest.
"""

import signal
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from types import FrameType

from lib import bootstrap
from lib.clock import SystemClock
from lib.domain.equity import fall
from lib.domain.errors import Retry
from lib.queries import LogRow, Readings, Standing
from lib.reason_text import said
from lib.settings import Settings
from services.process import run_process

BEAT_S = 10.0
CENT = Decimal("0.01")


class Watch:
    """One reader; *beat* prints what is new since the last."""

    def __init__(self, readings: Readings, symbol: str, feed: str) -> None:
        self._readings = readings
        self._symbol = symbol
        self._feed = feed
        self._seen = 0
        self._trouble = ""

    def beat(self) -> list[str]:
        """The lines of this moment, oldest first; mostly none."""
        try:
            decided = self._decisions()
            lines = [*decided, self._pulse()] if decided else []
        except Retry as away:
            return self._once(f"cannot read: {said(away.why, 'en')}")
        self._trouble = ""
        return lines

    def _once(self, trouble: str) -> list[str]:
        new = trouble != self._trouble
        self._trouble = trouble
        return [trouble] if new else []

    def _pulse(self) -> str:
        status = self._readings.status()
        newest, last = self._readings.newest_candle(self._symbol), self._readings.last_price(self._symbol)
        if newest is None or last is None:
            return "no candles yet"
        age = (SystemClock().now_ms() - newest.open_time - 60_000) // 1000
        connected = "stream up" if status.get("websocket_connected") == "true" else "STREAM DOWN"
        price = f"{self._symbol} {last}"
        return " · ".join((price, f"candle {age} s old", connected, self._feed, self._money(last)))

    def _money(self, price: Decimal) -> str:
        user_id = self._readings.demo_user_id(self._feed)
        holding = self._readings.holding(user_id) if user_id is not None else None
        if user_id is None or holding is None:
            return "no demo account"
        equity = holding.equity(price)
        change = -fall(holding.paid_in, equity) * 100
        position = f"position {holding.position_qty.normalize():f}" if holding.position_qty else "flat"
        books = f"books differ by {holding.difference:f}" if holding.checked_ms else "books not checked yet"
        stands = self._readings.standing(user_id)
        state = f" · {state_words(stands)}" if stands is not None else ""
        return f"demo {equity.quantize(CENT)} USDT ({change:+.2f} %) · {position} · {books}{state}"

    def _decisions(self) -> list[str]:
        user_id = self._readings.demo_user_id(self._feed)
        rows = self._readings.logs(user_id, newer_than=self._seen, limit=5) if user_id is not None else []
        settled = [row for row in rows if row.status != "pending"]
        if settled:
            self._seen = max(row.id for row in settled)
        return [decision_line(row) for row in reversed(settled)]


def state_words(found: Standing) -> str:
    """The one word for an account, as every page has it, with its reason."""
    word = "stopped (confirmed)" if found.state == "stopped" else found.state
    locks = ", ".join(lock.kind for lock in (*found.platform_locks, *found.locks))
    why = said(found.why, "en") or (f"entries locked: {locks}" if locks else "")
    return f"auto-trading {word}{f' ({why})' if why else ''}"


def decision_line(row: LogRow) -> str:
    """One cycle of one account on one line."""
    at = datetime.fromtimestamp(row.t_ms / 1000, UTC).strftime("%H:%M")
    view = f"{row.action or 'no view'}"
    if row.confidence is not None:
        view += f" {row.confidence.normalize():f}"
    return f"{at} {row.outcome.upper():9} ({view}) {said(row.message or row.reason, 'en')}"


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    watch = Watch(bootstrap.readings(settings), settings.symbols[0], settings.feed_name)
    while not stop.is_set():
        for line in watch.beat():
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        stop.wait(BEAT_S)


if __name__ == "__main__":
    run_process("watch", main)
