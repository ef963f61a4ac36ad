"""
The people: a table with a search, one of them in full with the switches of their account, and invitations.

Figures and states alone: no keys, prompts, answers or orders of others, and nothing lets anybody act as them.
"""

import streamlit as st

from app.i18n import clock_time, md, t, tongue, zone
from app.operators import require_operator
from app.panels.away import patient
from app.panels.operator.acts import newest_acts
from app.panels.operator.status import dollars
from app.panels.state import EVERY, state_badge
from app.panels.step_up import is_wanted, want
from app.panels.telling import tell
from app.system import system
from app.ui.logs import frame
from app.ui.plain import plain
from app.ui.standing import state_reason
from app.ui.write import count, exact, money
from lib.accounts.refusal import Refusal
from lib.queries import PeoplePage, PersonLine, Standing
from lib.trading.operators_room import Invited

LIMIT = 25
COLUMNS = ("person", "state", "equity", "pnl", "cost", "seen", "venue")
FIGURES = ("equity", "pnl", "cost")


def people() -> None:
    """Draw the section."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="people_bar"):
        search = st.text_input(
            t("room.search"), key="search", type="search", placeholder=t("room.search_hint"), on_change=_first_page
        )
        guests = st.toggle(t("room.guests"), key="guests", on_change=_first_page)
        _invite()
    before = int(st.session_state.get("_before", 0))
    found = system().operators.readings.people(search or "", guests=bool(guests), before=before, limit=LIMIT)
    chosen = st.session_state.get("_person")
    with st.container(key="people_split"):
        beside = st.columns([1.6, 1], gap="small") if chosen else [st.container()]
    with beside[0]:
        _table(found)
    if chosen:
        with beside[1], st.container(border=True, key="person"):
            _person()
    newest_acts("stop", "flatten", "resume", "invite")


def _first_page() -> None:
    st.session_state["_before"] = 0


def _table(found: PeoplePage) -> None:
    if not found.rows:
        st.info(t("room.nobody"), icon=":material/person_search:")
        return
    ids = [row.user_id for row in found.rows]
    key = f"people_{st.session_state.get('_closed_person', 0)}"
    st.dataframe(
        frame([t(f"room.column.{name}") for name in COLUMNS], [_cells(row) for row in found.rows]),
        hide_index=True,
        height="content",
        column_config={t(f"room.column.{one}"): st.column_config.TextColumn(alignment="right") for one in FIGURES},
        key=key,
        on_select=lambda: _choose(key, ids),
        selection_mode="single-cell",
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(md("room.total", n=count(found.total)))
        with st.container(horizontal=True, width="content"):
            if st.session_state.get("_before"):
                st.button(t("room.first"), key="people_first", icon=":material/first_page:", on_click=_first_page)
            if found.older:
                st.button(t("room.older"), key="people_older", on_click=_older, args=(found.older,))


def _older(before: int) -> None:
    st.session_state["_before"] = before


def _choose(key: str, ids: list[int]) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells and 0 <= cells[0][0] < len(ids):
        st.session_state["_person"] = ids[cells[0][0]]


def _close() -> None:
    st.session_state.pop("_person", None)
    # a table of another name has no cell marked
    st.session_state["_closed_person"] = st.session_state.get("_closed_person", 0) + 1


def _cells(row: PersonLine) -> tuple[str, ...]:
    found = row.standing
    return (
        _name(row),
        t(f"state.{found.state}") if found else t("room.no_account"),
        money(row.equity),
        money(row.pnl, signed=True),
        dollars(row.spend.cost),
        clock_time(row.last_seen_ms)[:16] if row.last_seen_ms else "–",
        t(f"venue.{found.venue}") if found else "–",
    )


def _name(row: PersonLine) -> str:
    if row.is_guest:
        return t("room.guest", n=row.user_id)
    return t("room.demo") if row.is_demo else row.email


# --- one person -------------------------------------------------------------------------------------------------------


@st.fragment(run_every=EVERY)
@patient
def _person() -> None:
    require_operator()
    row = system().operators.readings.person(int(st.session_state.get("_person", 0)))
    if row is None:
        st.warning(t("room.person_gone"), icon=":material/search_off:")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(plain(_name(row)), anchor=False)
        if st.button(t("detail.close"), key="person_close", icon=":material/close:", type="tertiary", on_click=_close):
            st.rerun()
    seen = f"{clock_time(row.last_seen_ms)} {zone().label}" if row.last_seen_ms else t("room.never")
    st.caption(md("room.joined", at=clock_time(row.joined_ms)[:10], seen=seen))
    if row.standing is None:
        st.text(t("room.no_account"))
        return
    _account(row.standing)
    _figures(row)
    _switches(row.standing)


def _account(found: Standing) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        state_badge(found)
        st.badge(t(f"venue.{found.venue}"), color="orange", icon=":material/account_balance:")
        st.caption(md("room.account_no", n=found.account_id), width="content")
    for reason in state_reason(found, tongue()):
        st.text(reason)


def _figures(row: PersonLine) -> None:
    found = row.standing
    cells = (
        ("equity", money(row.equity)),
        ("pnl", money(row.pnl, signed=True)),
        ("cost", dollars(row.spend.cost)),
        ("calls", exact(round(row.spend.calls, 1))),
        ("position", exact(found.position_qty) if found else "–"),
        ("open_count", str(len(found.open_rows)) if found else "–"),
    )
    grid = st.grid(columns="auto", min_column_width=150, gap="small")
    for name, value in cells:
        with grid:
            st.metric(t(f"room.column.{name}" if name in COLUMNS else f"room.{name}"), value, border=True)


def _switches(found: Standing) -> None:
    room, number = system().operators.room, found.account_id
    with st.container(horizontal=True, gap="small", key="person_switches"):
        if found.switches.is_thrown:
            with st.popover(t("stops.resume"), icon=":material/play_arrow:", key="one_resume_ask"):
                st.text(t("room.resume_one_sure"))
                if st.button(t("room.resume_yes"), key="one_resume", type="primary"):
                    _act(room.resume(require_operator(), number), "stops.resumed")
        elif st.button(t("room.pause_one"), key="one_pause", icon=":material/pause:"):
            _act(room.stop(require_operator(), number), "stops.paused")
        if not found.switches.flatten:
            with st.popover(t("room.close_one"), icon=":material/close:", key="one_flatten_ask"):
                st.text(t("room.close_one_sure"))
                if st.button(t("stops.flatten_yes"), key="one_flatten", type="primary"):
                    _act(room.flatten(require_operator(), number), "stops.flatten_asked")


def _act(answer: Refusal | None, success: str) -> None:
    want(answer)
    if is_wanted():
        st.rerun(scope="app")  # the dialog stands over the whole page, and says why
    if tell(answer, t(success)):
        st.rerun()


# --- invitations ------------------------------------------------------------------------------------------------------


def _invite() -> None:
    with st.popover(t("room.invite"), icon=":material/person_add:", key="invite"):
        with st.form("invite_form", border=False):
            st.number_input(t("room.invite_count"), 1, 100, 1, key="invite_count")
            st.number_input(t("room.invite_days"), 1, 90, 7, key="invite_days")
            st.form_submit_button(t("room.invite_do"), type="primary", on_click=_made)
        made = st.session_state.pop("_invited", None)
        if isinstance(made, Invited):
            until = f"{clock_time(made.until_ms)[:16]} {zone().label}"
            st.caption(md("room.invited", until=until))
            st.code("\n".join(_link(code) for code in made.codes), language=None, wrap_lines=True)


def _made() -> None:
    count, days = int(st.session_state["invite_count"]), int(st.session_state["invite_days"])
    answer = system().operators.room.invite(require_operator(), count, days)
    if isinstance(answer, Refusal):
        tell(answer, "")
        return
    st.session_state["_invited"] = answer


def _link(code: str) -> str:
    """An address that opens the form with the code filled in; what follows # is never sent to a server."""
    base = (st.context.url or "").split("?")[0].removesuffix("/operator")
    return f"{base}/?door=register#invite={code}"
