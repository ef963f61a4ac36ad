"""The board of the arena, a person's own entries, and entering. What stands here was worked out by the notifier."""

import streamlit as st

from app.i18n import language, md, t
from app.operators import is_operator
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.arena import Line, board_html, lines_of
from app.ui.arena_style import ARENA
from app.ui.compare_style import COMPARE
from app.ui.reasons import say_sentence
from app.ui.write import count
from lib.accounts.web import SessionUser
from lib.domain.arena import LEAST_DAYS, LEAST_DECIDED, LONGEST_NAME, Board, Entry, Season, board
from lib.domain.reason import Reason
from lib.domain.won_rates import utc_day
from lib.queries import ArenaView


def _say(why: Reason) -> str:
    return say_sentence(why, language())


def arena(user: SessionUser) -> None:
    """Everything that is known of the newest season."""
    view = system().readings.arena()
    season = view.season
    if season is None:
        st.info(t("arena.none" if view.is_open else "arena.closed"), icon=":material/hourglass_top:")
        return
    _head(season)
    _own(user, view, season)
    found = board(view.entries)
    if not view.entries:
        st.info(t("arena.empty"), icon=":material/hourglass_top:")
    _parts(found, user)
    with st.expander(t("arena.how"), icon=":material/info:"):
        st.markdown(md("arena.how_text", places=season.rules.places, decided=LEAST_DECIDED, days=LEAST_DAYS))


def _head(season: Season) -> None:
    span = {"from": utc_day(season.first_ms), "until": utc_day(season.until_ms - 1)}
    rules, seal = season.rules, season.seal[:12]
    numbers = {"taken": count(season.taken), "places": count(rules.places), "each": count(rules.each)}
    st.caption(md("arena.season", seal=seal, **span, **numbers))
    if not season.is_open(system().clock.now_ms()):
        st.info(t("arena.over"), icon=":material/flag:")


def _parts(found: Board, user: SessionUser) -> None:
    parts = lines_of(found, user.user_id)
    for name, note in (("ranked", ""), ("waiting", "arena.waiting_note"), ("beside", ""), ("left", "arena.left_note")):
        lines: list[Line] = parts[name]
        if not lines:
            continue
        st.subheader(t(f"arena.{name}"), anchor=False)
        if note:
            st.caption(md(note))
        st.html(f"{COMPARE}{ARENA}{board_html(lines, t, _say)}")


def _own(user: SessionUser, view: ArenaView, season: Season) -> None:
    if user.is_guest:
        st.caption(t("arena.guest"))
        return
    mine = [one for one in view.entries if one.user_id == user.user_id and not one.left_ms]
    takes = season.is_open(system().clock.now_ms())
    if mine:
        st.subheader(t("arena.yours"), anchor=False)
    for one in mine:
        _mine(user, one)
    if takes:
        with st.expander(t("arena.enter"), icon=":material/add:", expanded=not mine, key="arena_enter"):
            _form(user, season)


def _mine(user: SessionUser, one: Entry) -> None:
    number = one.entry_id
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"arena_mine_{number}"):
        st.text(f"{one.name} · {one.model}")
        with st.popover(t("arena.rename"), key=f"arena_name_{number}", disabled=user.read_only):
            st.text_input(t("arena.name"), one.name, key=f"arena_new_{number}", max_chars=LONGEST_NAME,
                          disabled=user.read_only)  # fmt: skip
            st.button(t("arena.rename"), key=f"arena_rename_{number}", disabled=user.read_only, on_click=_rename,
                      args=(number,))  # fmt: skip
        with st.popover(t("arena.leave"), key=f"arena_out_{number}", disabled=user.read_only):
            st.caption(t("arena.leave_note"))
            st.button(t("arena.leave"), key=f"arena_leave_{number}", disabled=user.read_only, on_click=_leave,
                      args=(number,))  # fmt: skip


def _form(user: SessionUser, season: Season) -> None:
    st.caption(md("arena.enter_note", each=season.rules.each))
    with st.form("arena_form", border=False):
        st.text_input(t("arena.name"), key="arena_wanted", max_chars=LONGEST_NAME, autocomplete="off",
                      disabled=user.read_only)  # fmt: skip
        if is_operator():
            st.checkbox(t("arena.as_house"), key="arena_house", disabled=user.read_only)
        st.form_submit_button(t("arena.enter"), type="primary", disabled=user.read_only, on_click=_enter)


def _enter() -> None:
    name, house = str(st.session_state["arena_wanted"] or ""), bool(st.session_state.get("arena_house"))
    tell(system().arena.enter(require_user(), name, house=house), t("arena.entered"))


def _rename(number: int) -> None:
    name = str(st.session_state[f"arena_new_{number}"] or "")
    tell(system().arena.rename(require_user(), number, name), t("arena.renamed"))


def _leave(number: int) -> None:
    tell(system().arena.leave(require_user(), number), t("arena.gone"))
