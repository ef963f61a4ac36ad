"""
Closed positions, open ones, orders, executions, funding and transfers: one table at a time, the newest rows first.

Table, filters and the place a page begins at (`?at=`) stand in the address, by their values.
"""

from collections.abc import Callable
from typing import Any, get_args

import streamlit as st

from app.i18n import clock_time, language, rises_red, t, zone
from app.panels.choices import still
from app.panels.linked import from_address, into_address
from app.system import system
from app.ui.palette import palette
from app.ui.result_frames import (
    coloured,
    fill_frame,
    funding_frame,
    open_frame,
    order_frame,
    transfer_frame,
    trip_frame,
)
from lib.accounts.web import SessionUser
from lib.domain.books import TransferKind
from lib.domain.position import Side
from lib.domain.round_trips import ENDS, RoundTrip
from lib.queries import Cursor, Results, Sheet, read_cursor
from lib.queries.sheets import FILL_FILTERS, ORDER_GROUPS, Asked, closed_sheet

TABLES = ("trips", "positions", "orders", "fills", "funding", "transfers")
ROWS = 50
SIDES: tuple[str, ...] = get_args(Side)
TRANSFER_KINDS: tuple[str, ...] = get_args(TransferKind)
EVERY = "all"
FILTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "trips": {"side": ("long", "short"), "result": ("won", "lost"), "ended": ENDS},
    "orders": {"kind": tuple(ORDER_GROUPS), "side": SIDES},
    "fills": {"side": SIDES, "kind": FILL_FILTERS},
    "funding": {"kind": ("received", "paid")},
    "transfers": {"kind": TRANSFER_KINDS},
}
"""The filters of each table and what each lets through; the symbol is one too where the account has several."""
NAMES = ("side", "result", "ended", "kind", "symbol")
_WORDS: dict[tuple[str, str], str] = {
    ("trips", "side"): "position",
    ("trips", "ended"): "end",
    ("trips", "result"): "trips",
    ("orders", "kind"): "orders",
    ("orders", "side"): "way",
    ("fills", "kind"): "fill",
    ("fills", "side"): "way",
    ("funding", "kind"): "flow",
    ("transfers", "kind"): "transfer",
}
"""Whose words the options of a filter have."""
Chosen = dict[str, str]


def tables(user: SessionUser, found: Results) -> None:
    """The choice of a table with its filters, and the one chosen."""
    from_address("table", TABLES, TABLES[0])
    with st.container(horizontal=True, vertical_alignment="center", key="tables"):
        chosen = st.segmented_control(
            t("results.tables"),
            TABLES,
            format_func=lambda one: t(f"table.{one}"),
            key=still("table"),
            required=True,
            label_visibility="collapsed",
            on_change=_chosen,
        )
        table = str(chosen or TABLES[0])
        asked = {name: _filter(table, name, options) for name, options in _filters(table, found).items()}
    draw: dict[str, Callable[[SessionUser, Results, Chosen], None]] = {
        "trips": _trips, "positions": _positions, "orders": _orders, "fills": _fills, "funding": _funding,
        "transfers": _transfers,
    }  # fmt: skip
    draw[table](user, found, {name: one for name, one in asked.items() if one != EVERY})


def _chosen() -> None:
    """Another table has other filters, and begins at its newest row."""
    for name in NAMES:
        st.query_params.pop(name, None)
        st.session_state.pop(name, None)
    into_address("table", TABLES[0])
    _go(None)


def _filters(table: str, found: Results) -> dict[str, tuple[str, ...]]:
    symbols = _symbols(found)
    known = FILTERS.get(table, {})
    return {**known, "symbol": tuple(symbols)} if known and table != "transfers" and len(symbols) > 1 else known


def _filter(table: str, name: str, options: tuple[str, ...]) -> str:
    from_address(name, (EVERY, *options), EVERY)
    chosen = st.selectbox(
        t(f"filter.{name}"), (EVERY, *options), format_func=lambda one: _label(table, name, one),
        key=still(name), label_visibility="collapsed", width=150, on_change=_refilter, args=(name,),
    )  # fmt: skip
    return str(chosen or EVERY)


def _label(table: str, name: str, option: str) -> str:
    if option == EVERY:
        return t(f"every.{name}")
    if name == "symbol":
        return option
    return t(f"{_WORDS[table, name]}.{option}")


def _refilter(name: str) -> None:
    into_address(name, EVERY)
    _go(None)


def _go(place: Cursor | None) -> None:
    """To the page that begins at *place*, which stands in the address; None is the newest."""
    if place is None:
        st.query_params.pop("at", None)
    else:
        st.query_params["at"] = str(place)


def _cursor() -> Cursor | None:
    return read_cursor(st.query_params.get("at", ""))


def _turns(newer: Cursor | None, older: Cursor | None) -> None:
    if newer is None and older is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right"):
        for name, icon, place in (("newer", "chevron_left", newer), ("older", "chevron_right", older)):
            st.button(
                t(f"log.{name}"), icon=f":material/{icon}:", key=f"sheet_{name}", disabled=place is None, on_click=_go,
                args=(place,), type="tertiary",
            )  # fmt: skip


def _trips(user: SessionUser, found: Results, asked: Chosen) -> None:
    _sheet(
        closed_sheet([trip for trip in found.trips if _let_through(trip, asked)], _cursor(), ROWS),
        lambda rows: _without_one_symbol(trip_frame(rows, t, clock_time, found.rates), found),
        "trips",
        ("net", "on_margin", "r", "funding", *(("net_krw",) if found.rates else ())),
    )
    st.caption(t("trips.note"))


def _without_one_symbol(table: Any, found: Results) -> Any:
    """Where there is one symbol alone, it needs no column: both decisions have their place."""
    return table if len(_symbols(found)) > 1 else table.drop(columns="symbol")


def _symbols(found: Results) -> list[str]:
    return sorted({trip.symbol for trip in (*found.trips, *found.open)} | {found.account.symbol})


def _let_through(trip: RoundTrip, asked: Chosen) -> bool:
    told = {
        "side": "long" if trip.is_long else "short",
        "result": "won" if trip.net > 0 else "lost" if trip.net < 0 else "",
        "ended": trip.ended,
        "symbol": trip.symbol,
    }
    return all(told[name] == one for name, one in asked.items())


def _positions(user: SessionUser, found: Results, asked: Chosen) -> None:
    if not found.open:
        _none("positions")
        return
    _show(open_frame(found.open, system().readings.last_price, t, clock_time), "open", ("pnl", "funding"))


def _orders(user: SessionUser, found: Results, asked: Chosen) -> None:
    sheet = system().readings.orders_sheet(user.user_id, **_page(found, asked))
    _sheet(sheet, lambda rows: order_frame(rows, t, clock_time, language()), "orders")


def _fills(user: SessionUser, found: Results, asked: Chosen) -> None:
    sheet = system().readings.fills_sheet(user.user_id, **_page(found, asked))
    _sheet(sheet, lambda rows: fill_frame(rows, t, clock_time), "fills", ("realised",))


def _funding(user: SessionUser, found: Results, asked: Chosen) -> None:
    sheet = system().readings.funding_sheet(user.user_id, **_page(found, asked))
    _sheet(sheet, lambda rows: funding_frame(rows, clock_time), "funding", ("amount",))


def _transfers(user: SessionUser, found: Results, asked: Chosen) -> None:
    sheet = system().readings.transfers_sheet(user.user_id, **_page(found, asked))
    _sheet(sheet, lambda rows: transfer_frame(rows, t, clock_time), "transfers", ("amount",))


def _page(found: Results, asked: Chosen) -> dict[str, Any]:
    return {
        "limit": ROWS,
        "cursor": _cursor(),
        "only": Asked(**asked),
        "since_ms": found.since_ms,
        "account_id": found.account.id,
    }


def _sheet(sheet: Sheet[Any], table: Callable[[Any], Any], name: str, signs: tuple[str, ...] = ()) -> None:
    if not sheet.rows:
        _none(name)
        return
    _show(table(sheet.rows), name, signs)
    _turns(sheet.newer, sheet.older)


def _none(name: str) -> None:
    st.info(t(f"none.{name}"), icon=":material/inbox:")


def _show(table: Any, name: str, signs: tuple[str, ...]) -> None:
    colours = palette(rises_red=rises_red())
    st.dataframe(
        coloured(table, signs, colours) if signs else table,
        hide_index=True,
        height="content" if len(table) <= 20 else 735,
        placeholder="–",
        column_config={column: sheet_column(column) for column in table.columns},
        key=f"sheet_{name}",
    )


def sheet_column(column: str) -> Any:
    """How a table shows *column* of a frame of results."""
    config = st.column_config
    if column.endswith("_log"):
        return config.LinkColumn(t(f"cell.{column}"), display_text=t("cell.open"), width=90)
    if column == "side":
        long, short = palette(rises_red=rises_red()).badges
        words = [t("position.long"), t("position.short")]
        return config.MultiselectColumn(t("cell.side"), width=70, options=words, color=(long, short))
    if column in ("time", "opened", "closed"):
        return config.TextColumn(f"{t(f'cell.{column}')} ({zone().label})", width=150)
    right = column in RIGHT
    return config.TextColumn(t(f"cell.{column}"), width=WIDTHS.get(column, 95), alignment="right" if right else "left")


RIGHT = {
    "entry", "exit", "qty", "leverage", "net", "net_krw", "on_margin", "r", "fees", "funding", "held", "last", "pnl",
    "stop", "target", "filled", "average", "limit", "fee", "price", "realised", "amount",
}  # fmt: skip
WIDTHS = {"why": 320, "link": 230, "exec": 240, "number": 260, "leverage": 70, "r": 60, "ended": 110, "what": 100}
