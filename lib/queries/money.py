"""How a person's money stands: the account and its open position, the tiles, the curve, the marks on the chart."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.marks import day_start_of
from lib.adapters.sql.people import accounts, symbols
from lib.adapters.sql.trading import equity_points, fills, orders, trade_logs
from lib.domain.equity import drawdown
from lib.domain.order import OrderState
from lib.domain.position import ZERO
from lib.queries.market import MarketReadings
from lib.queries.values import EquityRow, Holding, Marker, Tiles

MOST_FILLS = 1_000
"""Executions a win rate and the marks are read from: the newest."""
_FILLED = [OrderState.FILLED.value, OrderState.PARTIAL.value]
_FOUND_APART = {"account_id", "symbol", "stop_loss", "take_profit", "leverage", "entered_ms"}
_STORED = [name for name in Holding.__dataclass_fields__ if name not in _FOUND_APART]
_ENTRY = (orders.c.stop_loss, orders.c.take_profit, orders.c.leverage, orders.c.t_ms.label("entered_ms"))


class MoneyReadings(MarketReadings):
    """Of the active account of one person."""

    def holding(self, user_id: int) -> Holding | None:
        """The active account, with the stop and target of what is open; or None."""
        return self._read(lambda c: _holding(c, user_id))

    def equity(self, user_id: int, *, limit: int = 500) -> list[EquityRow]:
        """The newest *limit* wallet readings of the active account, oldest first."""
        return self._read(lambda c: _curve(c, user_id, limit))

    def order_states(self, user_id: int) -> dict[str, int]:
        """How many of a person's orders are in each state."""
        query = sa.select(orders.c.state, sa.func.count()).where(orders.c.user_id == user_id).group_by(orders.c.state)
        rows = self._read(lambda c: c.execute(query).all())
        return {str(state): count for state, count in rows}

    def tiles(self, user_id: int) -> Tiles | None:
        """The numbers of the dashboard at the newest price known; None without an account."""
        now = self._clock.now_ms()
        found = self._read(lambda c: _stand(c, user_id, now))
        if found is None:
            return None
        held, curve, day_start, results = found
        price = self.last_price(held.symbol) if held.position_qty else None
        open_pnl = ZERO if price is None else held.open_pnl(price)
        equity = held.balance + held.difference + open_pnl
        decided = [result for result in results if result != 0]
        won = Decimal(sum(result > 0 for result in decided))
        return Tiles(
            equity=equity,
            balance=held.balance,
            paid_in=held.paid_in,
            day_start=day_start,
            today=equity - day_start,
            open_pnl=open_pnl,
            drawdown=drawdown(held.peak_equity, equity),
            win_rate=won / len(decided) if decided else None,
            rounds=len(decided),
            fees=held.fees,
            funding=held.funding,
            price=price,
            curve=tuple(curve),
            difference=held.difference,
            checked_ms=held.checked_ms,
        )

    def markers(self, user_id: int, since_ms: int) -> list[Marker]:
        """What the active account did since *since_ms*, oldest first: one mark an order, the newest ones when many."""
        return self._read(lambda c: _markers(c, user_id, since_ms))


def _holding(connection: sa.Connection, user_id: int) -> Holding | None:
    query = (
        sa.select(accounts.c.id.label("account_id"), symbols.c.symbol, *(accounts.c[name] for name in _STORED))
        .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
        .where(accounts.c.user_id == user_id, accounts.c.active)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Holding(**row, **(_open_entry(connection, row["account_id"]) if row["position_qty"] else {}))


def _open_entry(connection: sa.Connection, account_id: int) -> dict[str, Any]:
    query = (
        sa.select(*_ENTRY)
        .where(orders.c.account_id == account_id, orders.c.leg == "e", orders.c.state.in_(_FILLED))
        .order_by(orders.c.t_ms.desc(), orders.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else {}


def _curve(connection: sa.Connection, user_id: int, limit: int) -> list[EquityRow]:
    query = (
        sa.select(equity_points)
        .join(accounts, accounts.c.id == equity_points.c.account_id)
        .where(accounts.c.user_id == user_id, accounts.c.active)
        .order_by(equity_points.c.t_ms.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    return [EquityRow(*(row[name] for name in EquityRow.__dataclass_fields__)) for row in reversed(rows)]


def _stand(
    connection: sa.Connection, user_id: int, now_ms: int
) -> tuple[Holding, list[EquityRow], Decimal, list[Decimal]] | None:
    """Everything the tiles need, as of one moment."""
    held = _holding(connection, user_id)
    if held is None:
        return None
    results = _round_results(connection, held.account_id, held.position_qty)
    day_start = day_start_of(connection, held.account_id, now_ms, held.start_balance, held.transfers)
    return held, _curve(connection, user_id, 500), day_start, results


def _round_results(connection: sa.Connection, account_id: int, position_qty: Decimal) -> list[Decimal]:
    query = (
        sa.select(fills.c.side, fills.c.qty, fills.c.fee, fills.c.realised)
        .where(fills.c.account_id == account_id, fills.c.kind != "funding")
        .order_by(fills.c.at_ms.desc(), fills.c.id.desc())
        .limit(MOST_FILLS)
    )
    rows = [(row.side, row.qty, row.realised, row.fee) for row in connection.execute(query)]
    return round_results(rows, position_qty)


def round_results(newest_first: Iterable[tuple[str, Decimal, Decimal, Decimal]], held: Decimal) -> list[Decimal]:
    """
    What each finished round trip brought, newest first: realised less the fees of its closing fills.

    *newest_first* are (side, qty, realised, fee); *held* is the signed quantity after the newest. Walked backwards, a
    round's fills are those between two moments without a position; one cut off at the far end counts as it is seen.
    """
    results: list[Decimal] = []
    after, open_round = held, True
    for side, qty, realised, fee in newest_first:
        before = after - qty if side == "buy" else after + qty
        closes = before != 0 and (before > 0) != (side == "buy")
        if closes and (after == 0 or (after > 0) != (before > 0)):
            results.append(ZERO)
            open_round = False
        if closes and not open_round:
            results[-1] += realised - fee
        after = before
    return results


def _markers(connection: sa.Connection, user_id: int, since_ms: int) -> list[Marker]:
    with_log = (trade_logs.c.account_id == orders.c.account_id) & (trade_logs.c.t_ms == orders.c.t_ms)
    query = (
        sa.select(fills, trade_logs.c.id.label("log_id"))
        .join(accounts, accounts.c.id == fills.c.account_id)
        .outerjoin(orders, orders.c.id == fills.c.order_id)
        .outerjoin(trade_logs, with_log)
        .where(accounts.c.user_id == user_id, accounts.c.active, fills.c.at_ms >= since_ms, fills.c.kind != "funding")
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
    )
