"""The books: fills, transfers, equity. Sums are made in Python, never in SQL (see `columns`)."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import charges_json
from lib.adapters.sql.ledger.rows import (
    insert_once,
    insertion,
    lock_account,
    of,
    order_from,
    running_books,
    symbol_rows,
)
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.tables.people import account_symbols, accounts, symbols
from lib.adapters.sql.tables.trading import equity_points, fills, orders, transfers
from lib.domain.account import Slot
from lib.domain.books import OF_SYMBOL, Books, EquityPoint, Fill, Transfer, book_fill, book_transfer
from lib.domain.equity import book_point, explained, held_late
from lib.domain.events import Event, EventKind, of_fill
from lib.domain.order import CYCLE_MS, Order, OrderState
from lib.domain.order_rules import books_differ
from lib.domain.position import ZERO

_MAY_HAVE_FILLED = [OrderState.FILLED.value, OrderState.PARTIAL.value]
_OF_ACCOUNT: "sa.BindParameter[int]" = sa.bindparam("of_account")
_KNOWN = sa.select(fills.c.exec_id).where(
    fills.c.account_id == _OF_ACCOUNT, fills.c.exec_id.in_(sa.bindparam("ids", expanding=True))
)
_ORDER_IDS = sa.select(orders.c.order_link_id, orders.c.id).where(
    orders.c.account_id == _OF_ACCOUNT, orders.c.order_link_id.in_(sa.bindparam("links", expanding=True))
)
_SET_ACCOUNT = sa.update(accounts).where(accounts.c.id == _OF_ACCOUNT)
_SET_SYMBOL = sa.update(account_symbols).where(
    account_symbols.c.account_id == _OF_ACCOUNT, account_symbols.c.symbol_no == sa.bindparam("of_symbol_no")
)
_BOOKS = sa.select(accounts).where(accounts.c.id == _OF_ACCOUNT)
_LAST_ENTRY = (
    sa.select(orders)
    .where(
        orders.c.account_id == _OF_ACCOUNT,
        orders.c.symbol == sa.bindparam("of_symbol"),
        orders.c.leg == "e",
        orders.c.state.in_(_MAY_HAVE_FILLED),
    )
    .order_by(orders.c.t_ms.desc(), orders.c.id.desc())
    .limit(1)
)


def record_fills(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> int:
    """The ledger's `record_fills`."""
    if not seen:
        return 0
    account = lock_account(connection, account_id)
    books, of_symbols = running_books(account), symbol_rows(connection, account_id)
    known = _known(connection, account_id, seen)
    ours = _order_ids(connection, account_id, seen)
    rows, ended, moved = [], [], dict[str, dict[str, Any]]()
    for fill in seen:
        if fill.exec_id not in known and fill.at_ms >= books.opened_ms:
            known.add(fill.exec_id)
            before = replace(books, **(moved.get(fill.symbol) or _held(of_symbols.get(fill.symbol))))
            books, realised = book_fill(before, fill)
            moved[fill.symbol] = books.of_symbol
            ended.append(of_fill(before, books, fill, realised))
            rows.append(_fill_values(account_id, fill, ours.get(fill.order_link_id), realised))
    if rows:
        connection.execute(insertion(fills), rows)
        connection.execute(_SET_ACCOUNT, books.of_account | {"of_account": account_id})
        for symbol, held in moved.items():
            _keep(connection, account_id, of_symbols.get(symbol), symbol, held)
    for event in filter(None, ended):
        tell(connection, account["user_id"], account_id, event)
    return len(rows)


def _held(row: sa.RowMapping | None) -> dict[str, Any]:
    """A symbol's part of the books; nothing is held where there is no row yet."""
    return dict.fromkeys(OF_SYMBOL, ZERO) | {"last_fill_ms": 0} if row is None else {n: row[n] for n in OF_SYMBOL}


def _keep(
    connection: sa.Connection, account_id: int, row: sa.RowMapping | None, symbol: str, held: dict[str, Any]
) -> None:
    """Write a symbol's part; what the venue told of the position before is of another one now, if that moved."""
    if row is None:  # an execution in a symbol that was never chosen
        values = {"account_id": account_id, "symbol_no": symbol_number(connection, symbol), "traded": False}
        connection.execute(insertion(account_symbols), values | held)
        return
    is_moved = any(row[name] != held[name] for name in ("position_qty", "avg_entry_price"))
    given = {"of_account": account_id, "of_symbol_no": row["symbol_no"]}
    connection.execute(_SET_SYMBOL, held | ({"liquidation": None} if is_moved else {}) | given)


def symbol_number(connection: sa.Connection, symbol: str) -> int:
    """The number that stands for *symbol* in order_link_ids, for ever; given at first use."""
    query = sa.select(symbols.c.symbol_no).where(symbols.c.symbol == symbol)
    known = connection.execute(query).scalar_one_or_none()
    if known is None:
        insert_once(connection, symbols, {"symbol": symbol})
        known = connection.execute(query).scalar_one()
    return int(known)


def note_liquidation(connection: sa.Connection, slot: Slot, qty: Decimal, price: Decimal) -> bool:
    """The ledger's `note_liquidation`."""
    account_id, symbol = slot
    lock_account(connection, account_id)
    row = symbol_rows(connection, account_id).get(symbol)
    if row is None or row["position_qty"] != qty:
        return False
    given = {"of_account": account_id, "of_symbol_no": row["symbol_no"]}
    connection.execute(_SET_SYMBOL, {"liquidation": price} | given)
    return True


def _known(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> set[str]:
    ids = [fill.exec_id for fill in seen]
    return set(connection.scalars(_KNOWN, {"of_account": account_id, "ids": ids}))


def _order_ids(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> dict[str, int]:
    links = {fill.order_link_id for fill in seen if fill.order_link_id}
    found = connection.execute(_ORDER_IDS, {"of_account": account_id, "links": list(links)})
    return {link: order_id for link, order_id in found}


def _fill_values(account_id: int, fill: Fill, order_id: int | None, realised: Decimal) -> dict[str, Any]:
    values = asdict(fill)
    values["exchange_order_id"] = values.pop("order_id")
    values["charges"] = charges_json(fill.charges)
    return values | {"account_id": account_id, "order_id": order_id, "realised": realised}


def books(connection: sa.Connection, slot: Slot) -> Books:
    """The ledger's `books`."""
    account_id, symbol = slot
    row = connection.execute(_BOOKS, {"of_account": account_id}).mappings().one()
    return running_books(row, symbol_rows(connection, account_id).get(symbol)).books(symbol)


def record_transfers(connection: sa.Connection, account_id: int, seen: Sequence[Transfer]) -> int:
    """The ledger's `record_transfers`. The start balance holds the transfers up to the moment the books began."""
    if not seen:
        return 0
    books = running_books(lock_account(connection, account_id))
    known = _known_transfers(connection, account_id, seen)
    new: list[Transfer] = []
    for transfer in seen:
        if transfer.transfer_id not in known and transfer.at_ms > books.opened_ms:
            known.add(transfer.transfer_id)
            books = book_transfer(books, transfer)
            new.append(transfer)
    if new:
        connection.execute(sa.insert(transfers), [asdict(row) | {"account_id": account_id} for row in new])
        books = explained(books, _count_late(connection, account_id, new))
        connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(books.of_account))
    return len(new)


def _count_late(connection: sa.Connection, account_id: int, new: Sequence[Transfer]) -> dict[int, Decimal]:
    """Mark the equity points whose wallet held *new* transfers before they were listed; T → the sum each point held."""
    points, since = equity_points.c, min(transfer.at_ms for transfer in new) - CYCLE_MS
    mine = sa.select(equity_points).where(points.account_id == account_id)
    last = mine.where(points.t_ms <= since).order_by(points.t_ms.desc()).limit(1)
    later = mine.where(points.t_ms > since).order_by(points.t_ms)
    rows = [dict(row) for query in (last, later) for row in connection.execute(query).mappings().all()]
    counted = {row["t_ms"]: row.pop("transfers") for row in rows}
    late = held_late((EquityPoint(**row) for row in rows), new)
    for t_ms, held in late.items():
        if held:
            this = sa.update(equity_points).where(points.account_id == account_id, points.t_ms == t_ms)
            connection.execute(this.values(transfers=counted[t_ms] + held))
    return late


def _known_transfers(connection: sa.Connection, account_id: int, seen: Sequence[Transfer]) -> set[str]:
    ids = [transfer.transfer_id for transfer in seen]
    mine = (transfers.c.account_id == account_id, transfers.c.transfer_id.in_(ids))
    return set(connection.scalars(sa.select(transfers.c.transfer_id).where(*mine)))


def record_equity(connection: sa.Connection, point: EquityPoint) -> bool:
    """The ledger's `record_equity`; peak and difference of the account follow the point that stands."""
    account = lock_account(connection, point.account_id)
    if not insert_once(connection, equity_points, asdict(point) | {"transfers": account["transfers"]}):
        return False
    books = book_point(running_books(account), point)
    connection.execute(_SET_ACCOUNT, books.of_account | {"of_account": point.account_id})
    if not point.difference or point.difference == _difference_before(connection, point):
        return False
    told = Event(EventKind.BOOKS, books_differ(point), f"books:{point.account_id}:{point.t_ms}")
    tell(connection, account["user_id"], point.account_id, told)
    return True


def _difference_before(connection: sa.Connection, point: EquityPoint) -> Decimal | None:
    points = equity_points.c
    earlier = sa.select(points.difference).where(points.account_id == point.account_id, points.t_ms < point.t_ms)
    return connection.execute(earlier.order_by(points.t_ms.desc()).limit(1)).scalar_one_or_none()


def last_entry(connection: sa.Connection, slot: Slot) -> Order | None:
    """The ledger's `last_entry`. Money is compared in Python; only states that can have filled are read."""
    row = connection.execute(_LAST_ENTRY, of(slot)).mappings().one_or_none()
    return order_from(row) if row else None
