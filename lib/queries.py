"""
Read models for pages, API and the terminal: plain SQL and Redis reads, no rules.

The first argument is the user's id unless the data is the market's, so one person's rows cannot be asked for another's.
Nothing here writes.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.people import accounts, symbols, users
from lib.adapters.sql.trading import equity_points, orders, trade_logs
from lib.domain.candle import Candle
from lib.ports import CandleStore


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of the trade log."""

    id: int
    t_ms: int
    symbol: str
    status: str
    outcome: str
    action: str | None
    confidence: Decimal | None
    reason: str
    message: str | None
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class Holding:
    """A person's active account as our books have it; money in USDT."""

    account_id: int
    venue: str
    feed: str
    symbol: str
    start_balance: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    position_qty: Decimal
    avg_entry_price: Decimal
    pause_reason: str

    @property
    def balance(self) -> Decimal:
        """Cash by our books."""
        return self.start_balance + self.realised - self.fees + self.funding


@dataclass(frozen=True, slots=True)
class EquityRow:
    """The wallet at one T."""

    t_ms: int
    balance: Decimal
    equity: Decimal
    difference: Decimal


class Readings:
    """Everything anybody may look at."""

    def __init__(self, engine: sa.Engine, candles: CandleStore) -> None:
        self._engine = engine.execution_options(sqlite_readonly=True)
        self._candles = candles

    # --- the market's ---------------------------------------------------------------------------------------------

    def status(self) -> dict[str, str]:
        """`system:status` as collector and trader wrote it."""
        return self._candles.status()

    def newest_candle(self, symbol: str, interval: str = "1m") -> Candle | None:
        """The newest closed candle, or None."""
        newest = self._candles.newest(symbol, interval, 1)
        return newest[0] if newest else None

    def last_price(self, symbol: str) -> Decimal | None:
        """The newest price the collector has seen: of the forming candle, else of the newest closed one."""
        closed, forming = self.newest_candle(symbol), self._candles.forming(symbol, "1m")
        if forming is not None and (closed is None or forming.candle.open_time > closed.open_time):
            return forming.candle.close
        return closed.close if closed else None

    def demo_user_id(self, feed: str) -> int | None:
        """The labelled demo person of *feed*, or None."""
        query = (
            sa.select(users.c.id)
            .join(accounts, accounts.c.user_id == users.c.id)
            .where(users.c.is_demo, accounts.c.feed == feed, accounts.c.active)
            .limit(1)
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else int(found)

    # --- a person's -----------------------------------------------------------------------------------------------

    def holding(self, user_id: int) -> Holding | None:
        """The active account, or None."""
        columns = [accounts.c[name] for name in Holding.__dataclass_fields__ if name not in ("account_id", "symbol")]
        query = (
            sa.select(accounts.c.id, symbols.c.symbol, *columns)
            .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
            .where(accounts.c.user_id == user_id, accounts.c.active)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return Holding(account_id=row["id"], **{k: v for k, v in row.items() if k != "id"}) if row else None

    def logs(self, user_id: int, *, newer_than: int = 0, limit: int = 20) -> list[LogRow]:
        """The newest *limit* log rows with an id above *newer_than*, newest first."""
        names = [name for name in LogRow.__dataclass_fields__ if name != "message"]
        query = (
            sa.select(trade_logs.c.error_message, *(trade_logs.c[name] for name in names))
            .where(trade_logs.c.user_id == user_id, trade_logs.c.id > newer_than)
            .order_by(trade_logs.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [LogRow(message=row["error_message"], **{name: row[name] for name in names}) for row in rows]

    def equity(self, user_id: int, *, limit: int = 500) -> list[EquityRow]:
        """The newest *limit* wallet readings of the active account, oldest first."""
        query = (
            sa.select(equity_points)
            .join(accounts, accounts.c.id == equity_points.c.account_id)
            .where(accounts.c.user_id == user_id, accounts.c.active)
            .order_by(equity_points.c.t_ms.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [EquityRow(row["t_ms"], row["balance"], row["equity"], row["difference"]) for row in reversed(rows)]

    def order_states(self, user_id: int) -> dict[str, int]:
        """How many of a person's orders are in each state."""
        query = sa.select(orders.c.state, sa.func.count()).where(orders.c.user_id == user_id).group_by(orders.c.state)
        with self._engine.connect() as connection:
            return {str(state): count for state, count in connection.execute(query)}
