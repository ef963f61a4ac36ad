"""
Round trips, positions, orders, executions, funding and transfers: one table at a time, the newest rows first.
"""

from collections.abc import Callable
from typing import Any

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
from lib.queries import Cursor, Results, Sheet
from lib.queries.sheets import ORDER_GROUPS

TABLES = ("trips", "positions", "orders", "fills", "funding", "transfers")
SIDES = ("all", "long", "short", "won", "lost")
ROWS = 50
_PLACE = "_sheet_place"


def tables(user: SessionUser, found: Results) -> None:
    """The choice of a table, and the one chosen."""
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
        if chosen == "orders":
            _group()
        if chosen == "trips":
            _sides()
    draw: dict[str, Callable[[SessionUser, Results], None]] = {
        "trips": _trips, "positions": _positions, "orders": _orders, "fills": _fills, "funding": _funding,
        "transfers": _transfers,
    }  # fmt: skip
    draw[str(chosen or TABLES[0])](user, found)


def _chosen() -> None:
    into_address("table", TABLES[0])
    _go(None)


def _group() -> None:
    st.selectbox(
        t("filter.outcome"), ["all", *ORDER_GROUPS], format_func=lambda one: t(f"orders.{one}"),
        key=still("order_group"), label_visibility="collapsed", width=160, on_change=_go, args=(None,),
    )  # fmt: skip


def _sides() -> None:
    st.selectbox(
        t("fill.side"), SIDES, format_func=lambda one: t(f"trips.{one}"), key=still("trip_side"),
        label_visibility="collapsed", width=160, on_change=_go, args=(None,),
    )  # fmt: skip


def _go(place: Cursor | int | None) -> None:
    st.session_state[_PLACE] = place


def _cursor() -> Cursor | None:
    place = st.session_state.get(_PLACE)
    return place if isinstance(place, Cursor) else None


def _turns(newer: Cursor | int | None, older: Cursor | int | None) -> None:
    if newer is None and older is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right"):
        for name, icon, place in (("newer", "chevron_left", newer), ("older", "chevron_right", older)):
            st.button(
                t(f"log.{name}"), icon=f":material/{icon}:", key=f"sheet_{name}", disabled=place is None, on_click=_go,
                args=(place,), type="tertiary",
            )  # fmt: skip


def _trips(user: SessionUser, found: Results) -> None:
    side = st.session_state.get("trip_side", "all")
    keeps: dict[str, Callable[[Any], bool]] = {
        "long": lambda trip: trip.is_long,
        "short": lambda trip: not trip.is_long,
        "won": lambda trip: trip.net > 0,
        "lost": lambda trip: trip.net < 0,
    }
    newest = [trip for trip in reversed(found.trips) if side == "all" or keeps[side](trip)]
    place = st.session_state.get(_PLACE)
    first = place if isinstance(place, int) and 0 < place < len(newest) else 0
    shown = newest[first : first + ROWS]
    if not shown:
        _none("trips")
        return
    _show(trip_frame(shown, t, clock_time), "trip", ("net", "on_margin", "r", "funding"))
    st.caption(t("trips.note"))
    _turns(max(0, first - ROWS) if first else None, first + ROWS if first + ROWS < len(newest) else None)


def _positions(user: SessionUser, found: Results) -> None:
    if not found.open:
        _none("positions")
        return
    _show(open_frame(found.open, system().readings.last_price, t, clock_time), "open", ("pnl", "funding"))


def _orders(user: SessionUser, found: Results) -> None:
    group = st.session_state.get("order_group", "all")
    _sheet(
        system().readings.orders_sheet(
            user.user_id, limit=ROWS, cursor=_cursor(), group=None if group == "all" else group,
            since_ms=found.since_ms, account_id=found.account.id,
        ),
        lambda rows: order_frame(rows, t, clock_time, language()),
        "orders",
    )  # fmt: skip


def _fills(user: SessionUser, found: Results) -> None:
    sheet = system().readings.fills_sheet(user.user_id, **_asked(found))
    _sheet(sheet, lambda rows: fill_frame(rows, t, clock_time), "fills", ("realised",))


def _funding(user: SessionUser, found: Results) -> None:
    sheet = system().readings.fills_sheet(user.user_id, funding=True, **_asked(found))
    _sheet(sheet, lambda rows: funding_frame(rows, clock_time), "funding", ("amount",))


def _transfers(user: SessionUser, found: Results) -> None:
    sheet = system().readings.transfers_sheet(user.user_id, **_asked(found))
    _sheet(sheet, lambda rows: transfer_frame(rows, t, clock_time), "transfers", ("amount",))


def _asked(found: Results) -> dict[str, Any]:
    return {"limit": ROWS, "cursor": _cursor(), "since_ms": found.since_ms, "account_id": found.account.id}


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
        column_config={column: _column(name, column) for column in table.columns},
        key=f"sheet_{name}",
    )


def _column(name: str, column: str) -> Any:
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
    "entry", "exit", "qty", "leverage", "net", "on_margin", "r", "fees", "funding", "held", "last", "pnl", "stop",
    "target", "filled", "average", "limit", "fee", "price", "realised", "amount",
}  # fmt: skip
WIDTHS = {"why": 320, "link": 230, "exec": 240, "number": 260, "leverage": 70, "r": 60, "ended": 110, "what": 100}
