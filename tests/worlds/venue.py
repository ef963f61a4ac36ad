"""A market whose every print is written down, and engines on it."""

from collections.abc import Sequence
from decimal import Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.fill_prices import EngineConfig
from lib.domain.instrument import Instrument
from lib.domain.position import Side
from lib.domain.price_path import FOR_EVER, Path, forming_on, price_on
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRecord, OrderRequest, Protection

BTC = "BTCUSDT"
T0 = 1_700_006_400_000
"""00:00 UTC of a day: a funding time and a minute boundary."""
START = T0 + MINUTE_MS
D = Decimal
BITCOIN = Instrument(BTC, D("0.1"), D("0.001"), D("0.001"), D("500"), D("5"), D("100"))
EXACT = EngineConfig(half_spread_ticks=0, slippage=D(0), funding_rate=D("0.0001"), funding_spread=D(0))
"""Fills at the print itself."""


class ScriptedMarket:
    """One-second prints from *start* on, in order; no trading before or after. Implements `Market`."""

    def __init__(self, prints: Sequence[str | int], start: int = START) -> None:
        self._paths: dict[int, list[tuple[int, Decimal]]] = {}
        for second, price in enumerate(prints):
            at = start + second * 1000
            self._paths.setdefault(at - at % MINUTE_MS, []).append((at % MINUTE_MS, D(str(price))))

    @property
    def symbols(self) -> tuple[str, ...]:
        return (BTC,)

    def path(self, symbol: str, open_time: int) -> Path:
        return tuple(self._paths.get(open_time, ()))

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        prices = [price for _, price in self.path(symbol, open_time)]
        if not prices:
            return None
        return Candle(open_time, prices[0], max(prices), min(prices), prices[-1], D("6"))

    def span(self, symbol: str) -> tuple[int, int]:
        return 0, FOR_EVER

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return price_on(self.path(symbol, at_ms - at_ms % MINUTE_MS), at_ms % MINUTE_MS)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        open_time = at_ms - at_ms % MINUTE_MS
        candle = self.candle(symbol, open_time)
        return forming_on(self.path(symbol, open_time), candle, at_ms % MINUTE_MS) if candle else None


class World:
    """One account on scripted prints; seconds count from the first print."""

    def __init__(self, prints: Sequence[str | int], config: EngineConfig = EXACT, balance: str = "10000") -> None:
        self.engine = Engine(ScriptedMarket(prints), {BTC: BITCOIN}, config)
        self.engine.advance(START)
        self.account = self.engine.create_account(D(balance))
        self.uid = self.account.uid

    def place(
        self, side: Side, qty: str, stop: str = "0", target: str = "0", *, price: str = "0", tif: str = "GTC"
    ) -> OrderRecord:
        """A market order, or a limit one with a price."""
        kind = "Limit" if price != "0" else "Market"
        request = OrderRequest(
            BTC,
            side,
            D(qty),
            kind,  # type: ignore[arg-type]
            D(price),
            tif,  # type: ignore[arg-type]
            protection=Protection(D(stop), D(target)),
        )
        return self.engine.dealing.place(self.uid, request)

    def to(self, second: float) -> None:
        """Let the time come."""
        self.engine.advance(START + round(second * 1000))

    @property
    def qty(self) -> Decimal:
        return self.engine.books.holding(self.account, BTC).position.qty

    def fills(self) -> list[tuple[str, Decimal, Decimal]]:
        """(kind of order, quantity, price) of every execution."""
        rows = self.engine.books.history[self.uid].executions
        return [(row.stop_order_type or row.create_type or row.exec_type, row.qty, row.price) for row in rows]

    def statuses(self) -> dict[str, str]:
        """Order kind → status, for the closed ones."""
        return {order.stop_order_type or "entry": order.status for order in self.engine.books.history[self.uid].closed}
