"""
Everything of a person as rows for a file: every account they ever had, oldest rows first, some thousand at a time.

What a table holds is told by its columns; a moment is epoch ms here, and is written as UTC and as local time by whoever
writes the file. Each part is a short reading of its own, so a long file holds no transaction open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Literal

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import charges_json, read_charges
from lib.adapters.sql.tables.trading import cycles, equity_points, fills, orders, trade_logs, transfers
from lib.domain.round_trips import RoundTrip
from lib.domain.won_rates import WonRates, since
from lib.queries.own import OwnAccount, own_accounts
from lib.queries.trips import TripReadings
from lib.queries.won import rates_of

AT_ONCE = 2_000
Kind = Literal["moment", "money", "whole", "text", "reason", "flag", "json"]
Row = tuple[Any, ...]
_STEP = Decimal("1E-18")
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file: *money* is any exact Decimal, *moment* epoch ms, *reason* a `Reason`."""

    name: str
    kind: Kind


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


_ACCOUNT = _columns(account="whole", venue="text", feed="text")
_TABLES: Mapping[str, tuple[sa.Table, tuple[str, ...], tuple[Column, ...]]] = {
    "orders": (
        orders,
        ("t_ms", "id"),
        _columns(
            t_ms="moment", created_ms="moment", updated_ms="moment", symbol="text", leg="text", side="text",
            state="text", qty="money", filled_qty="money", avg_price="money", limit_price="money", ref_price="money",
            stop_loss="money", take_profit="money", leverage="whole", reduce_only="flag", fee="money",
            order_link_id="text", exchange_order_id="text", attempts="whole", last_code="whole", why="reason",
        ),
    ),
    "fills": (
        fills,
        ("at_ms", "id"),
        _columns(
            at_ms="moment", symbol="text", side="text", kind="text", qty="money", price="money", fee="money",
            realised="money", closed_qty="money", is_stop="flag", exec_id="text", order_link_id="text",
            exchange_order_id="text", charges="json",
        ),
    ),
    "transfers": (
        transfers,
        ("at_ms", "id"),
        _columns(at_ms="moment", kind="text", amount="money", transfer_id="text"),
    ),
    "equity": (
        equity_points,
        ("t_ms",),
        _columns(t_ms="moment", balance="money", equity="money", difference="money", transfers="money"),
    ),
    "decisions": (
        trade_logs,
        ("t_ms",),
        _columns(
            t_ms="moment", symbol="text", outcome="text", status="text", action="text", confidence="money",
            leverage="money", reason="reason", error_message="reason",
        ),
    ),
}  # fmt: skip
_CALL = _columns(model="text", prompt_tokens="whole", completion_tokens="whole", latency_ms="whole", cost_usd="money")
_TRIP = _columns(
    opened_ms="moment", closed_ms="moment", symbol="text", side="text", qty="money", entry_price="money",
    exit_price="money", leverage="whole", gross="money", fees="money", funding="money", net="money", on_margin="money",
    r_multiple="money", duration_ms="whole", ended="text", confidence="money", entry_log="whole", exit_log="whole",
    other_charges="json", rate_krw="money", rate_day="text", net_krw="money",
)  # fmt: skip
EXPORTS: Mapping[str, tuple[Column, ...]] = {
    "trips": (*_ACCOUNT, *_TRIP),
    **{what: (*_ACCOUNT, *columns) for what, (_, _, columns) in _TABLES.items() if what != "decisions"},
    "decisions": (*_ACCOUNT, *_TABLES["decisions"][2], *_CALL),
}
"""What can be exported, and the columns of each."""


class ExportReadings(TripReadings):
    """Of every account of one person."""

    def export(self, user_id: int, what: str) -> Iterator[list[Row]]:
        """The rows of *what* (a name of `EXPORTS`) in parts, each row as its columns say."""
        for mine in self._read(lambda c: own_accounts(c, user_id)):
            head = (mine.id, mine.venue, mine.feed)
            parts = self._trip_rows(mine, user_id) if what == "trips" else self._table_rows(mine, what)
            yield from ([(*head, *row) for row in part] for part in parts)

    def _trip_rows(self, mine: OwnAccount, user_id: int) -> Iterator[list[Row]]:
        closed, rates = self._read(lambda c: (self._walks.trips(c, mine.id).closed, rates_of(c, user_id)))
        for first in range(0, len(closed), AT_ONCE):
            yield [_trip_row(trip, rates) for trip in closed[first : first + AT_ONCE]]

    def _table_rows(self, mine: OwnAccount, what: str) -> Iterator[list[Row]]:
        table, key, columns = _TABLES[what]
        shown = [table.c[column.name] for column in columns]
        query = sa.select(*(table.c[name].label(f"key_{name}") for name in key), *shown)
        if what == "decisions":
            query = query.add_columns(*(cycles.c[column.name] for column in _CALL)).outerjoin(
                cycles, cycles.c.id == table.c.cycle_id
            )
        query = query.where(table.c.account_id == mine.id).order_by(*(table.c[name] for name in key)).limit(AT_ONCE)
        place: Sequence[int] | None = None
        while part := self._part(query if place is None else query.where(_after(table, key, place))):
            yield [_table_row(what, row[len(key) :]) for row in part]
            place = part[-1][: len(key)]

    def _part(self, query: "sa.Select[Any]") -> list[Row]:
        return self._read(lambda c: [tuple(row) for row in c.execute(query)])


def _after(table: sa.Table, key: Sequence[str], place: Sequence[int]) -> sa.ColumnElement[bool]:
    first = table.c[key[0]]
    if len(key) == 1:
        return first > place[0]
    return sa.and_(first >= place[0], sa.or_(first > place[0], table.c[key[1]] > place[1]))


def _table_row(what: str, row: Row) -> Row:
    return (*row[:-1], charges_json(read_charges(row[-1]))) if what == "fills" else row


def _trip_row(trip: RoundTrip, rates: WonRates) -> Row:
    entry, out, rate = trip.entry, trip.exit, rates.at(trip.closed_ms or 0)
    return (
        trip.opened_ms,
        trip.closed_ms,
        trip.symbol,
        "long" if trip.is_long else "short",
        trip.qty,
        fitted(trip.entry_price),
        fitted(trip.exit_price),
        trip.leverage,
        trip.gross,
        trip.fees,
        trip.funding,
        trip.net,
        fitted(trip.on_margin),
        fitted(trip.r_multiple),
        trip.duration_ms,
        trip.ended,
        entry.confidence if entry else None,
        entry.log_id if entry else None,
        out.log_id if out else None,
        charges_json(trip.charges),
        *((None, None, None) if rate is None else (rate.krw, since(rate), fitted(trip.net * rate.krw))),
    )


def fitted(value: Decimal | None) -> Decimal | None:
    """*value* to 18 places, as every column of money has them."""
    return None if value is None else value.quantize(_STEP, context=_WIDE)
