"""How a person's money stands: the account and its open position, the tiles, the curve, the marks on the chart."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.marks import day_start_of
from lib.adapters.sql.tables.people import account_symbols, accounts, symbols
from lib.adapters.sql.tables.trading import equity_points, fills, orders, trade_logs
from lib.domain.order import CYCLE_MS, OrderState
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING
from lib.queries.market import MarketReadings
from lib.queries.values import EquityRow, Holding, Marker, Stand, Tiles

MOST_FILLS = 1_000
"""Executions the marks are read from: the newest."""
SKETCH_POINTS = 60
"""Of the curve behind a tile, which is as wide as a hand: more would be read at every refresh and not be seen."""
SKETCH_MS = 500 * CYCLE_MS
_POINTS = equity_points.c
_POINT = [_POINTS[name] for name in EquityRow.__dataclass_fields__]
_FILLED = [OrderState.FILLED.value, OrderState.PARTIAL.value]
_FOUND_APART = {
    "account_id", "symbol", "stop_loss", "take_profit", "leverage", "entered_ms", "thesis", "log_id",
}  # fmt: skip
_STORED = [name for name in Holding.__dataclass_fields__ if name not in _FOUND_APART]
_ENTRY = (
    orders.c.stop_loss, orders.c.take_profit, orders.c.leverage, orders.c.t_ms.label("entered_ms"),
    trade_logs.c.reason.label("thesis"), trade_logs.c.id.label("log_id"),
)  # fmt: skip
_OWN_LOG = (
    (trade_logs.c.account_id == orders.c.account_id)
    & (trade_logs.c.t_ms == orders.c.t_ms)
    & (trade_logs.c.symbol == orders.c.symbol)
)
_OF_SYMBOL = ("position_qty", "avg_entry_price", "liquidation", "traded")
_HOLDINGS = (
    sa.select(
        accounts.c.id.label("account_id"),
        symbols.c.symbol,
        *(account_symbols.c[name] if name in _OF_SYMBOL else accounts.c[name] for name in _STORED),
    )
    .join(account_symbols, account_symbols.c.account_id == accounts.c.id)
    .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
    .where(accounts.c.active, accounts.c.user_id == sa.bindparam("of_user"))
    .order_by((account_symbols.c.symbol_no != accounts.c.symbol_no), account_symbols.c.symbol_no)
)
"""Of each symbol of a person's account, the one that is shown first at the head."""


class MoneyReadings(MarketReadings):
    """Of the active account of one person."""

    def holding(self, user_id: int, symbol: str = "") -> Holding | None:
        """
        The active account with the position of *symbol* ("" = the one that is shown first), its stop and target; None
        without an account, and for a symbol that is none of its own.
        """
        return self._read(lambda c: _holding(c, user_id, symbol))

    def holdings(self, user_id: int) -> list[Holding]:
        """The same of each symbol the active account trades or traded, the one that is shown first at the head."""
        return self._read(lambda c: _holdings(c, user_id))

    def equity(self, user_id: int, *, limit: int) -> list[EquityRow]:
        """The newest *limit* wallet readings of the active account, oldest first."""
        return self._read(lambda c: _curve(c, user_id, limit))

    def tiles(self, user_id: int) -> Tiles | None:
        """The numbers of the dashboard at the newest price known; None without an account."""
        found = self.stand(user_id)
        if found is None:
            return None
        prices = {one.symbol: self.last_price(one.symbol) for one in (found.held, *found.others)}
        return found.tiles(prices[found.held.symbol], found.beside(prices))

    def stand(self, user_id: int) -> Stand | None:
        """What the tiles are reckoned from, as of one moment and at no price; None without an account."""
        now = self._clock.now_ms()
        return self._read(lambda c: _stand(c, user_id, now))

    def markers(self, user_id: int, since_ms: int, symbol: str = "") -> list[Marker]:
        """What the active account did since *since_ms*, oldest first: one mark an order, the newest ones when many."""
        return self._read(lambda c: _markers(c, user_id, since_ms, symbol))


def _holding(connection: sa.Connection, user_id: int, symbol: str = "") -> Holding | None:
    rows = connection.execute(_HOLDINGS, {"of_user": user_id}).mappings().all()
    row = next((row for row in rows if symbol in ("", row["symbol"])), None)
    return None if row is None else _with_entry(connection, row)


def _holdings(connection: sa.Connection, user_id: int) -> list[Holding]:
    rows = connection.execute(_HOLDINGS, {"of_user": user_id}).mappings().all()
    return [_with_entry(connection, row) for row in rows]


def _with_entry(connection: sa.Connection, row: sa.RowMapping) -> Holding:
    entry = _open_entry(connection, row["account_id"], row["symbol"]) if row["position_qty"] else {}
    return Holding(**row, **entry)


def _open_entry(connection: sa.Connection, account_id: int, symbol: str) -> dict[str, Any]:
    query = (
        sa.select(*_ENTRY)
        .outerjoin_from(orders, trade_logs, _OWN_LOG)
        .where(
            orders.c.account_id == account_id,
            orders.c.symbol == symbol,
            orders.c.leg == "e",
            orders.c.state.in_(_FILLED),
        )
        .order_by(orders.c.t_ms.desc(), orders.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return {**row, "thesis": row["thesis"] or NOTHING} if row else {}


def _curve(connection: sa.Connection, user_id: int, limit: int) -> list[EquityRow]:
    # the account first: joined, the database reads every point it ever had and sorts them
    mine = sa.select(accounts.c.id).where(accounts.c.user_id == user_id, accounts.c.active).limit(1)
    account_id = connection.execute(mine).scalar()
    newest = sa.select(*_POINT).where(_POINTS.account_id == account_id).order_by(_POINTS.t_ms.desc()).limit(limit)
    return [EquityRow(*row) for row in reversed(connection.execute(newest).all())]


def _sketch(connection: sa.Connection, account_id: int) -> list[EquityRow]:
    """About `SKETCH_POINTS` of the newest `SKETCH_MS`, evenly taken, the newest of all among them, oldest first."""
    mine = _POINTS.account_id == account_id
    newest = connection.scalar(sa.select(sa.func.max(_POINTS.t_ms)).where(mine))
    if newest is None:
        return []
    recent = (mine, _POINTS.t_ms > newest - SKETCH_MS)
    oldest = connection.scalar(sa.select(sa.func.min(_POINTS.t_ms)).where(*recent)) or newest
    step = CYCLE_MS * max(1, -(-(newest - oldest) // (SKETCH_POINTS * CYCLE_MS)))
    taken = (newest - _POINTS.t_ms) % step < CYCLE_MS
    query = sa.select(*_POINT).where(*recent, taken).order_by(_POINTS.t_ms)
    return [EquityRow(*row) for row in connection.execute(query)]


def _stand(connection: sa.Connection, user_id: int, now_ms: int) -> Stand | None:
    every = _holdings(connection, user_id)
    if not every:
        return None
    held, *others = every
    day_start = day_start_of(connection, held.account_id, now_ms, held.start_balance, held.transfers)
    open_ones = tuple(one for one in others if one.position_qty)
    return Stand(held, tuple(_sketch(connection, held.account_id)), day_start, open_ones)


def _markers(connection: sa.Connection, user_id: int, since_ms: int, symbol: str) -> list[Marker]:
    of_symbol = [fills.c.symbol == symbol] if symbol else []
    query = (
        sa.select(fills, trade_logs.c.id.label("log_id"), trade_logs.c.error_message, trade_logs.c.reason)
        .join(accounts, accounts.c.id == fills.c.account_id)
        .outerjoin(orders, orders.c.id == fills.c.order_id)
        .outerjoin(trade_logs, _OWN_LOG)
        .where(accounts.c.user_id == user_id, accounts.c.active, fills.c.at_ms >= since_ms, fills.c.kind != "funding")
        .where(*of_symbol)
        .order_by(fills.c.at_ms.desc(), fills.c.id.desc())
        .limit(MOST_FILLS)
    )
    groups: dict[str, list[sa.RowMapping]] = {}
    for row in reversed(connection.execute(query).mappings().all()):
        groups.setdefault(row["exchange_order_id"], []).append(row)
    return [_marker(rows) for rows in groups.values()]


def _marker(rows: Sequence[sa.RowMapping]) -> Marker:
    first, qty = rows[0], sum((row["qty"] for row in rows), ZERO)
    value = sum((row["qty"] * row["price"] for row in rows), ZERO)
    closes = any(row["closed_qty"] for row in rows)
    return Marker(
        t_ms=first["at_ms"],
        outcome="closed" if closes else "bought" if first["side"] == "buy" else "sold",
        side=first["side"],
        price=value / qty if qty else first["price"],
        qty=qty,
        realised=sum((row["realised"] for row in rows), ZERO),
        is_stop=any(row["is_stop"] for row in rows),
        log_id=first["log_id"],
        why=first["error_message"] or first["reason"] or NOTHING,
    )
