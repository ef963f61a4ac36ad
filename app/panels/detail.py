"""
One decision in full: the view, what the caps made of it, orders with their history, fills, the question, the answer.

Whatever an analyst or an exchange wrote is shown with st.text and st.code only: never as markup.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.session import require_user
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.logs import frame
from app.ui.orders import clamp_cells, order_words, side_words
from app.ui.plain import plain
from app.ui.reasons import say
from app.ui.rule_words import in_language
from app.ui.small import into_sight
from app.ui.write import cost, exact, percent, price
from lib.domain.books import summed
from lib.domain.order import Order
from lib.queries import EventRow, FillRow, LogDetail

FILL = ("side", "qty", "price", "fee")


def detail(log_id: int, close: Callable[[], None]) -> None:
    """Draw the decision *log_id* if it is this person's, in sight; *close* is what its close button does."""
    found = system().readings.log_detail(require_user().user_id, log_id)
    into_sight(log_id)
    if found is None:
        st.warning(t("detail.missing"), icon=":material/search_off:")
        return
    with st.container(border=True, key="detail"):
        _head(found, close)
        view, orders, asked = st.tabs([t("detail.view"), t("detail.orders"), t("detail.asked")], key="detail_tabs")
        with view:
            _view(found)
        with orders:
            _orders(found)
        with asked:
            _asked(found)


def _head(found: LogDetail, close: Callable[[], None]) -> None:
    row = found.row
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(f"{t(f'outcome.{row.outcome}')} · {plain(row.symbol)}", anchor=False)
        st.button(t("detail.close"), key="close", icon=":material/close:", type="tertiary", on_click=close)
    st.caption(f"{clock_time(row.t_ms)} {zone().label} · {t(f'status.{row.status}')}", width="content")
    st.text(say(row.message or row.reason, language()))


def _view(found: LogDetail) -> None:
    decision = found.decision or {}
    if "action" not in decision:
        st.text(say(found.abstained, language()) or t("detail.no_view"))
        return
    cells = (
        ("action", t(f"action.{decision['action']}")),
        ("confidence", percent(_decimal(decision, "confidence"), places=0)),
        ("leverage", f"{decision['leverage']}×"),
        ("stop_loss", percent(_decimal(decision, "stop_loss"))),
        ("take_profit", percent(_decimal(decision, "take_profit"))),
    )
    grid = st.grid(columns="auto", min_column_width=130, gap="small")
    for name, value in cells:
        with grid:
            st.metric(t(f"view.{name}"), value, border=True)
    st.caption(t("view.reason"))
    st.text(in_language(str(decision["reason"]), language()))
    st.caption(t("view.clamps"))
    if not found.clamps:
        st.text(t("view.no_clamps"))
        return
    names = (t("clamp.name"), t("clamp.asked"), t("clamp.allowed"))
    _table(names, [clamp_cells(clamp, t) for clamp in found.clamps])


def _orders(found: LogDetail) -> None:
    if not found.orders:
        st.text(t("detail.no_orders"))
    for order in found.orders:
        _order(order, [fill for fill in found.fills if fill.order_id == order.id])
    when = f"{t('column.time')} ({zone().label})"
    if found.events:
        st.caption(t("detail.events"))
        names = (when, t("event.step"), t("column.why"))
        _table(names, [_step(event) for event in found.events])
    if found.fills:
        st.caption(t("detail.fills"))
        exits = {order.id for order in found.orders if order.reduce_only}
        rows = [_fill(fill, is_exit=fill.order_id in exits) for fill in found.fills]
        _table((when, *(t(f"fill.{name}") for name in FILL)), rows)


def _step(event: EventRow) -> tuple[str, ...]:
    states = (t(f"state.{state}") for state in (event.from_state, event.to_state) if state)
    return clock_time(event.at_ms), " → ".join(states), say(event.why, language())


def _order(order: Order, fills: Sequence[FillRow]) -> None:
    st.text(f"{order_words(order, t)} {exact(order.qty)} · {t(f'state.{order.state.value}')} · {order.order_link_id}")
    cells = (
        (t("order.limit"), price(order.limit_price or None)),
        (t("order.stop"), price(order.stop_loss or None)),
        (t("order.target"), price(order.take_profit or None)),
        (t("order.filled"), f"{exact(order.filled_qty)} @ {price(order.avg_price or None)}"),
        (t("order.fee"), _cost(order, fills)),
    )
    _table([name for name, _ in cells], [tuple(value for _, value in cells)])


def _cost(order: Order, fills: Sequence[FillRow]) -> str:
    """What its fills cost, once they are booked; before that, what the exchange says of the order."""
    if not fills:
        return cost(order.fee, ())
    return cost(sum((fill.fee for fill in fills), Decimal(0)), summed(c for fill in fills for c in fill.charges))


def _fill(fill: FillRow, *, is_exit: bool) -> tuple[str, ...]:
    side = side_words(fill.side, t, is_exit=is_exit)
    return clock_time(fill.at_ms), side, exact(fill.qty), price(fill.price), cost(fill.fee, fill.charges)


def _asked(found: LogDetail) -> None:
    if not found.prompt:
        st.text(t("detail.not_asked"))
        return
    st.caption(md("detail.model", model=analyst_name(found.model, t), ms=found.latency_ms))
    st.caption(t("detail.raw"))
    st.code(_pretty(found.raw_answer), language=None, wrap_lines=True, height=220)
    st.caption(t("detail.prompt"))
    st.code(_pretty(found.prompt), language=None, wrap_lines=True, height=320)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        return text


def _decimal(decision: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(decision[name]))


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    st.dataframe(frame(names, rows), hide_index=True, height="content")
