"""
The trade log: filters, words to look for, pages cut by the database, and one decision in full beside the table.

Which decision is open stands in the address (`?log=`), and where the page begins (`?at=`), so both can be linked; whose
rows they may be is the query's to decide. So do the filters, by their values: `?outcome=bought&span=day` means the same
in every language. `?id=` is a decision's permanent address: the page is that decision's alone.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.panels.decisions import chosen, columns
from app.panels.detail import detail
from app.panels.log_filters import chosen_filter
from app.panels.symbols import shown_symbols
from app.panels.top import title, top
from app.session import require_user
from app.system import system
from app.ui.logs import log_frame
from app.ui.write import count
from lib.accounts.web import SessionUser
from lib.queries import Cursor, LogFilter, Page, read_cursor

LIMIT = 20


def _go(cursor: Cursor | None = None) -> None:
    """To the page that begins at *cursor*; a new filter begins at the newest."""
    _unmark()
    if cursor is None:
        st.query_params.pop("at", None)
    else:
        st.query_params["at"] = str(cursor)


def _turn(name: str, icon: str, cursor: Cursor | None) -> None:
    st.button(
        t(f"log.{name}"),
        icon=icon,
        key=f"turn_{name}",
        disabled=cursor is None,
        on_click=_go,
        args=(cursor,),
        type="tertiary",
    )


def _asked(name: str) -> int | None:
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _choose(table: str, ids: list[int]) -> None:
    if (log_id := chosen(st.session_state[table], ids)) is not None:
        st.query_params["log"] = str(log_id)


def _close() -> None:
    for name in ("log", "id"):
        st.query_params.pop(name, None)
    _unmark()


def _unmark() -> None:
    # a table of another name has no cell marked: the same row, or the one in its place, can be opened again
    st.session_state["_closed"] = st.session_state.get("_closed", 0) + 1


def _rows(found: Page, *, several: bool) -> None:
    table = f"log_table_{st.session_state.get('_closed', 0)}"
    row_ids = [row.id for row in found.rows]
    st.dataframe(
        log_frame(found.rows, t, clock_time, language(), several=several),
        hide_index=True,
        height="content",
        column_config=columns(),
        key=table,
        on_select=lambda: _choose(table, row_ids),
        selection_mode="single-cell",
    )


def _turns(found: Page, *, searched: bool) -> None:
    """How many, or how far back a search has come, and the ways to the neighbours."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="turns"):
        if not searched:
            st.caption(md("log.total" if found.all_counted else "log.many", total=count(found.total)))
        elif found.older is None:
            st.caption(t("log.searched_all"))
        else:
            st.caption(md("log.searched", at=f"{clock_time(found.older.at_ms)[:16]} {zone().label}"))
        if found.newer or found.older:
            with st.container(horizontal=True, width="content"):
                _turn("newer", ":material/chevron_left:", found.newer)
                _turn("further" if searched else "older", ":material/chevron_right:", found.older)


def _nothing(found: Page, only: LogFilter) -> str:
    """The key of what an empty log says."""
    if only == LogFilter():
        return "decisions.none"
    return "log.none" if found.older is None else "log.none_yet"


def _log(user: SessionUser) -> None:
    symbols = shown_symbols(user)
    only = chosen_filter(system().clock.now_ms(), symbols, _go)
    cursor = read_cursor(st.query_params.get("at", ""))
    found = system().readings.logs_page(user.user_id, limit=LIMIT, cursor=cursor, only=only)
    log_id = _asked("log")
    with st.container(key="log_split"):
        # beside the table where there is room, above it on a phone: what opens is in sight
        beside = st.columns([1, 1], gap="small") if log_id is not None else [st.container()]
    with beside[0]:
        if found.rows:
            _rows(found, several=len(symbols) > 1)
            _turns(found, searched=only.words is not None)
            st.caption(t("log.choose"))
        else:
            st.info(t(_nothing(found, only)), icon=":material/inbox:")
            if only.words is not None:
                _turns(found, searched=True)
    if log_id is not None:
        with beside[1]:
            detail(log_id, _close)


user = require_user()
top(user, title("page.trade_logs"))
if (only_one := _asked("id")) is not None:
    detail(only_one, _close, alone=True)
else:
    _log(user)
