"""
The frames of the WebSockets: private frames out of the engine's changes, public frames out of the market.

Changes are kept as they were when they happened and become frames when drained; the newest *KEPT* wait. Frames are
whole messages (envelope and data); their receivers, and the order in which topics arrive, are the server's business.
"""

from collections import deque
from dataclasses import replace
from typing import Any

from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Execution, OrderRecord, id_of
from lib.simulator.venue.klines import Klines, floor_open, next_open, turnover
from lib.simulator.venue.market_routes import ticker_row
from lib.simulator.venue.wire import execution_row, extra_fees, order_row, plain, position_row, rounded, wallet_row

Frame = dict[str, Any]
Change = tuple[int, str, int, Any]
"""(uid, topic, at ms, the subject as it was)"""
KEPT = 20_000


class PrivatePushes:
    """Collects the changes of *engine* from now on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Change] = deque(maxlen=KEPT)
        self._count = 0
        engine.listen(self._note)

    def _note(self, topic: str, uid: int, subject: Any) -> None:
        kept = self._wallet(subject) if isinstance(subject, Account) else subject
        self._waiting.append((uid, topic, self._engine.last_advanced_ms, kept))

    def _wallet(self, account: Account) -> Account:
        """Enough of a copy to draw the wallet as it is now."""
        holdings = {symbol: replace(holding) for symbol, holding in account.holdings.items()}
        return replace(account, holdings=holdings, orders=dict(account.orders))

    def drain(self) -> list[tuple[int, str, Frame]]:
        """(uid, topic, frame) of every change since the last call, in order."""
        drained = [(uid, topic, self._frame(uid, topic, at, subject)) for uid, topic, at, subject in self._waiting]
        self._waiting.clear()
        return drained

    def _frame(self, uid: int, topic: str, at: int, subject: Any) -> Frame:
        self._count += 1
        data = self._data(uid, subject)
        return {"id": id_of(uid, topic, at, self._count), "topic": topic, "creationTime": at, "data": [data]}

    def _data(self, uid: int, subject: Any) -> Frame:
        if isinstance(subject, OrderRecord):
            extra = {"category": "linear", "closedPnl": plain(subject.closed_pnl), "feeCurrency": "USDT"}
            return order_row(subject) | extra
        if isinstance(subject, Execution):
            more: Frame = {"category": "linear", "execPnl": plain(subject.realised)}
            return execution_row(subject) | more | ({"extraFees": extra_fees(subject.extra)} if subject.extra else {})
        if isinstance(subject, Account):
            return wallet_row(self._engine.books, subject)
        symbol, holding = subject
        return self._position(uid, symbol, holding)

    def _position(self, uid: int, symbol: str, holding: Holding) -> Frame:
        """A position's row as by REST, but the average is called entryPrice and "no stop" is 0."""
        row = position_row(self._engine.books, self._engine.books.account(uid), symbol, holding)
        row["entryPrice"] = row.pop("avgPrice")
        row["takeProfit"], row["stopLoss"] = row["takeProfit"] or "0", row["stopLoss"] or "0"
        return row | {"category": "linear"}


class PublicFrames:
    """Builds public frames out of *klines* and *engine*."""

    def __init__(self, engine: Engine, klines: Klines) -> None:
        self._engine = engine
        self._klines = klines

    def kline(self, symbol: str, interval: str, now_ms: int, confirm_open_time: int | None = None) -> Frame | None:
        """The open candle's frame, or the closing one of *confirm_open_time*; None without trading."""
        confirm = confirm_open_time is not None
        at = now_ms if confirm_open_time is None else confirm_open_time
        open_time = floor_open(interval, at)
        candle = self._klines.candle(symbol, interval, open_time, now_ms)
        if candle is None or (confirm and next_open(interval, open_time) > now_ms):
            return None
        row = {
            "start": open_time,
            "end": next_open(interval, open_time) - 1,
            "interval": interval,
            "open": plain(candle.open),
            "close": plain(candle.close),
            "high": plain(candle.high),
            "low": plain(candle.low),
            "volume": plain(candle.volume),
            "turnover": rounded(turnover(candle)),
            "confirm": confirm,
            "timestamp": now_ms,
        }
        return {"topic": f"kline.{interval}.{symbol}", "data": [row], "ts": now_ms, "type": "snapshot"}

    def ticker(self, symbol: str, now_ms: int) -> Frame | None:
        """The full ticker as a snapshot; None while the symbol has no price."""
        if self._engine.books.price(symbol) is None:
            return None
        data = ticker_row(self._engine, self._klines, symbol)
        if data is None:
            return None
        return {"topic": f"tickers.{symbol}", "type": "snapshot", "data": data, "cs": now_ms, "ts": now_ms}
