"""
Measures markets on a schedule: each kind of each symbol once for everybody, twenty seconds before a boundary.

Eight calls in five minutes and symbol, of the 36,000 that the address has. A measurement that fails is tried again
within the half minute; nothing waits for it and nothing ends by it. It does not decide whether a measurement is fresh
enough.
"""

from lib import log
from lib.clock import Clock
from lib.domain.errors import Halt, Retry
from lib.domain.measures import MEASURE_KINDS, PERIOD_MS, MeasureKind
from lib.ports.market import MarketMeasures, MeasureStore

LEAD_MS = 20_000
"""Before a boundary of its period: what is shown at T was there before T for every process."""
AGAIN_MS = 25_000
_log = log.get("collector")


class Measuring:
    """Call `tick` every few seconds, from one thread."""

    def __init__(self, symbols: tuple[str, ...], market: MarketMeasures, store: MeasureStore, clock: Clock) -> None:
        self._market = market
        self._store = store
        self._clock = clock
        self._next_ms: dict[tuple[str, MeasureKind], int] = {(s, kind): 0 for s in symbols for kind in MEASURE_KINDS}

    def tick(self) -> None:
        """Measure what is due. *Retry* while the store is away."""
        for (symbol, kind), due_ms in self._next_ms.items():
            now = self._clock.now_ms()
            if now >= due_ms or due_ms - now > PERIOD_MS[kind]:  # the clock was set back
                self._next_ms[symbol, kind] = self._measure(symbol, kind, now)

    def _measure(self, symbol: str, kind: MeasureKind, now: int) -> int:
        """When it is due again."""
        try:
            measured = self._market.measure(symbol, kind)
        except (Retry, Halt) as away:  # a venue without such a route has candles all the same
            _log.warning("market.unmeasured", symbol=symbol, kind=kind, why=str(away))
            return now + AGAIN_MS
        self._store.put(symbol, measured)
        period = PERIOD_MS[kind]
        return (now + LEAD_MS) // period * period + period - LEAD_MS
