"""
One decision in full: what the analyst saw and said, what the caps made of it, orders, their steps, fills, texts.

Beside a table it is a column of tabs; under its permanent address it has the page to itself, everything in sight.
Whatever an analyst or an exchange wrote is shown with st.text and st.code only: never as markup.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from app.i18n import clock_time, language, md, rises_red, t, zone
from app.panels.asked_texts import asked_texts
from app.panels.scores import worth
from app.session import require_user
from app.system import system
from app.ui.chart import Line
from app.ui.curve import Look
from app.ui.logs import frame
from app.ui.orders import clamp_cells, order_words, side_words
from app.ui.palette import palette
from app.ui.plain import plain
from app.ui.reasons import say, say_sentence
from app.ui.rule_words import in_language
from app.ui.seen import seen_data, seen_rows, show_seen
from app.ui.small import into_sight
from app.ui.strategy_lines import least_from
from app.ui.write import cost, exact, percent, price, shown
from lib.domain.account import AccountSettings
from lib.domain.books import summed
from lib.domain.order import Order
from lib.domain.strategy import DESIGN, settings_with
from lib.queries import EventRow, FillRow, LogDetail

FILL = ("side", "qty", "price", "fee")
LOCALES = {"ko": "ko-KR", "en": "en-GB"}
SAID: Mapping[str, Sequence[str]] = {
    "close": ("action", "confidence", "close_fraction"),
    "tighten": ("action", "confidence", "stop_loss"),
}
"""Of an act that uses no other numbers, the ones it says."""


def detail(log_id: int, close: Callable[[], None], *, alone: bool = False) -> None:
    """Draw the decision *log_id* if it is this person's, in sight; *close* is what its close button does."""
    found = system().readings.log_detail(require_user().user_id, log_id)
    if not alone:
        into_sight(log_id)
    if found is None:
        st.warning(t("detail.missing"), icon=":material/search_off:")
        return
    with st.container(border=not alone, key="detail"):
        _head(found, close, alone=alone)
        if alone:
            _whole(found)
        else:
            _tabs(found)


def _tabs(found: LogDetail) -> None:
    view, orders, asked = st.tabs([t("detail.view"), t("detail.orders"), t("detail.asked")], key="detail_tabs")
    with view:
        for draw in (_view, _seen) if found.archived else (_seen, _view):
            draw(found)
        worth(found.row.id)
    with orders:
        _orders(found)
    with asked:
        asked_texts(found)


def _whole(found: LogDetail) -> None:
    if found.archived or not seen_rows(found.candles):
        # without a chart its column would be a hole
        _titled("detail.view", lambda: _view(found))
        worth(found.row.id)
        _seen(found)
    else:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _seen(found)
        with right:
            _titled("detail.view", lambda: _view(found))
            worth(found.row.id)
    _titled("detail.orders", lambda: _orders(found))
    _titled("detail.asked", lambda: asked_texts(found))


def _titled(key: str, draw: Callable[[], None]) -> None:
    st.subheader(t(key), anchor=False)
    draw()


def _head(found: LogDetail, close: Callable[[], None], *, alone: bool) -> None:
    row = found.row
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(f"{t(f'outcome.{row.outcome}')} · {plain(row.symbol)}", anchor=False)
        with st.container(horizontal=True, width="content", gap="small"):
            if not alone:
                where = f"/trade_logs?id={row.id}"
                st.link_button(t("detail.address"), where, icon=":material/open_in_new:", type="tertiary")
            words, icon = ("detail.list", "arrow_back") if alone else ("detail.close", "close")
            st.button(t(words), key="close", icon=f":material/{icon}:", type="tertiary", on_click=close)
    st.caption(f"{clock_time(row.t_ms)} {zone().label} · {t(f'status.{row.status}')} · #{row.id}", width="content")
    st.text(say_sentence(row.message or row.reason, language()))


def _seen(found: LogDetail) -> None:
    """The candles the analyst was shown, with the prices of the order they led to."""
    if found.archived:
        st.caption(t("detail.archived_seen"))
        return
    rows = seen_rows(found.candles)
    if not rows:
        return
    look = Look(LOCALES[language()], zone().offset_s, palette(rises_red=rises_red()))
    show_seen(seen_data(rows, _lines(found.orders), look, t("detail.seen")))
    st.caption(md("detail.seen_note", n=len(rows), at=clock_time(found.row.t_ms, date=False), zone=zone().label))


def _lines(orders: Sequence[Order]) -> list[Line]:
    entry = next((order for order in orders if order.is_entry), None)
    if entry is None:
        return []
    lines = (
        Line("entry", entry.avg_price or entry.ref_price, t("cell.entry"), "accent", False),
        Line("stop", entry.stop_loss, t("chart.stop"), "down", True),
        Line("target", entry.take_profit, t("chart.target"), "up", True),
    )
    return [line for line in lines if line.price > 0]


def _view(found: LogDetail) -> None:
    decision = found.decision or {}
    if "action" not in decision:
        st.text(say_sentence(found.abstained, language()) or t("detail.no_view"))
        return
    cells = {
        "action": t(f"action.{decision['action']}"),
        "confidence": percent(_decimal(decision, "confidence"), places=0),
        "leverage": f"{decision['leverage']}×",
        "stop_loss": percent(_decimal(decision, "stop_loss")),
        "take_profit": percent(_decimal(decision, "take_profit")),
    }
    if decision["action"] == "close":
        cells["close_fraction"] = percent(_decimal(decision, "close_fraction"))
    grid = st.grid(columns="auto", min_column_width=92, gap="small")
    for name in SAID.get(str(decision["action"]), tuple(cells)):
        with grid:
            st.metric(t(f"view.{name}"), cells[name], border=True)
    if decision["action"] != "hold":
        judged = _judged_by(found)
        least = percent(judged.profile.min_confidence, places=0)
        st.caption(md("view.least", least=least, whence=least_from(judged, t)))
    st.caption(t("view.reason"))
    st.text(in_language(str(decision["reason"]), language()))
    st.caption(t("view.clamps"))
    if not found.clamps:
        st.text(t("view.no_clamps"))
    for clamp in found.clamps:
        name, wished, allowed = clamp_cells(clamp, t)
        st.text(t("clamp.words", name=name, asked=wished, allowed=allowed))


def _judged_by(found: LogDetail) -> AccountSettings:
    """The settings of the strategy that ran at the decision's T; limits are the usual ones."""
    ran = system().readings.strategy_at(require_user().user_id, found.row.t_ms)
    return settings_with(DESIGN if ran is None else ran.content, AccountSettings())


def _orders(found: LogDetail) -> None:
    if not found.orders:
        st.text(t("detail.no_orders"))
    for order in found.orders:
        _order(order, [fill for fill in found.fills if fill.order_id == order.id])
    when = f"{t('column.time')} ({zone().label})"
    if found.events:
        st.caption(t("detail.events"))
        names = (when, t("event.after"), t("event.order"), t("event.step"), t("column.why"))
        words = {order.order_link_id: order_words(order, t) for order in found.orders}
        _table(names, [_step(event, found.row.t_ms, words[event.order_link_id]) for event in found.events])
    if found.fills:
        st.caption(t("detail.fills"))
        exits = {order.id for order in found.orders if order.reduce_only}
        rows = [_fill(fill, found.row.t_ms, is_exit=fill.order_id in exits) for fill in found.fills]
        _table((when, t("event.after"), *(t(f"fill.{name}") for name in FILL)), rows)


def _step(event: EventRow, t_ms: int, order: str) -> tuple[str, ...]:
    states = (t(f"state.{state}") for state in (event.from_state, event.to_state) if state)
    return clock_time(event.at_ms), _after(event.at_ms, t_ms), order, " → ".join(states), say(event.why, language())


def _after(at_ms: int, t_ms: int) -> str:
    """How long after the decision's T, in seconds."""
    return shown(f"+{Decimal(at_ms - t_ms) / 1000:.3f} s")


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


def _fill(fill: FillRow, t_ms: int, *, is_exit: bool) -> tuple[str, ...]:
    side = side_words(fill.side, t, is_exit=is_exit)
    what = (side, exact(fill.qty), price(fill.price), cost(fill.fee, fill.charges))
    return clock_time(fill.at_ms), _after(fill.at_ms, t_ms), *what


def _decimal(decision: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(decision[name]))


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    st.dataframe(frame(names, rows), hide_index=True, height="content")
