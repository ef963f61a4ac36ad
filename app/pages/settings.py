"""
Settings of the person: how pages look, who answers here, what the account trades, ending every session; for a guest
the way to stay. Risk, limits and instructions are on the strategy page.
"""

from collections.abc import Callable, Sequence
from typing import get_args

import streamlit as st

from app.i18n import md, switch, t, words, zone
from app.panels.choices import still
from app.panels.notice import doors
from app.panels.telling import tell
from app.panels.tokens import tokens
from app.panels.top import title, top
from app.panels.traded import traded
from app.panels.won import won
from app.session import look_again, require_user
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.small import keep
from lib.accounts.web import SessionUser
from lib.domain.account import Colours, Numbers, Theme
from lib.domain.analyst_name import is_rules
from lib.domain.separators import separated
from lib.domain.time_zones import time_zones

KEEP_TEXTS = ("email", "password", "password_rule", "invite", "invite_note")
WRITTEN = {style: separated("1,234.5", style) for style in get_args(Numbers)}


def _looks(user: SessionUser) -> None:
    with st.container(border=True, key="looks"):
        st.subheader(t("settings.looks"), anchor=False)
        _labelled("settings.language")
        switch("lang_again")
        _zones(user)
        _numbers(user)
        _colours(user)
        _theme(user)


def _zones(user: SessionUser) -> None:
    _labelled("settings.zone")
    # labels are made once a run: an old label must be read by the words it was written in
    here = st.context.timezone or ""
    labels = {here: t("settings.zone_here", zone=here), "": t("settings.zone_language")}
    first = dict.fromkeys(name for name in ("", here, "Asia/Seoul", "UTC") if not name or name in time_zones())
    if st.session_state.get("time_zone") != user.time_zone:
        st.session_state["time_zone"] = user.time_zone
    st.selectbox(
        t("settings.zone"),
        [*first, *sorted(time_zones() - set(first))],
        format_func=lambda name: labels.get(name, name),
        key=still("time_zone"),
        label_visibility="collapsed",
        disabled=user.read_only,
        on_change=_zoned,
    )
    st.caption(md("settings.times", zone=zone().label))


def _zoned() -> None:
    tell(system().people.change_zone(require_user(), str(st.session_state["time_zone"])), t("settings.saved"))
    look_again()


def _numbers(user: SessionUser) -> None:
    _one_of(user, "numbers", get_args(Numbers), user.numbers, _numbered, words=WRITTEN.__getitem__)


def _numbered() -> None:
    tell(system().people.change_numbers(require_user(), st.session_state["numbers"]), t("settings.saved"))
    look_again()


def _labelled(key: str) -> None:
    st.markdown(f"**{t(key)}**")


def _colours(user: SessionUser) -> None:
    _one_of(user, "colours", get_args(Colours), user.colours, _coloured)


def _theme(user: SessionUser) -> None:
    _one_of(user, "theme", get_args(Theme), user.theme, _themed)


def _one_of(
    user: SessionUser,
    name: str,
    options: Sequence[str],
    stands: str,
    changed: Callable[[], None],
    words: Callable[[str], str] | None = None,
) -> None:
    """A choice of *options*, named by *words* or the texts NAME.option; *stands* is what the person's account has."""
    _labelled(f"settings.{name}")
    if st.session_state.get(name) != stands:
        st.session_state[name] = stands
    st.segmented_control(
        t(f"settings.{name}"),
        options,
        format_func=words or (lambda one: t(f"{name}.{one}")),
        key=still(name),
        label_visibility="collapsed",
        required=True,
        disabled=user.read_only,
        on_change=changed,
    )


def _themed() -> None:
    tell(system().people.change_theme(require_user(), st.session_state["theme"]), t("settings.saved"))
    look_again()


def _coloured() -> None:
    user = require_user()
    tell(system().people.change_looks(user, user.locale, st.session_state["colours"]), t("settings.saved"))
    look_again()


def _analyst() -> None:
    """Who answers here and how it is asked; nothing before the first answer."""
    if (found := system().readings.analyst_profile()) is None:
        return
    with st.container(border=True, key="analyst"):
        st.subheader(t("settings.analyst"), anchor=False)
        st.text(analyst_name(found.answered, t))
        if not is_rules(found.answered):
            st.caption(md("settings.analyst_how", host=found.host, model=found.model))
            st.code(found.how, language=None, wrap_lines=True)


def _sessions(user: SessionUser) -> None:
    with st.container(border=True, key="sessions"):
        st.subheader(t("settings.sessions"), anchor=False)
        st.caption(t("settings.sessions_note"))
        st.page_link("app/pages/account.py", label=t("page.account"), icon=":material/shield_person:")
        if st.button(t("settings.everywhere"), key="everywhere", icon=":material/logout:", disabled=user.read_only):
            answer = system().people.sign_out_everywhere(require_user())
            if tell(answer, t("settings.everywhere")):
                st.rerun()


def _keep() -> None:
    with st.container(border=True, key="keep"):
        st.subheader(t("settings.keep"), anchor=False)
        st.caption(t("settings.keep_note"))
        text = {name: t(f"sign_in.{name}") for name in KEEP_TEXTS}
        keep({**text, "keep": t("settings.keep_do"), "closed": t("settings.keep_closed")}, words("refuse."), doors())


signed_in = require_user()
top(signed_in, title("page.settings"))
left, right = st.columns(2, gap="small")
with left:
    _looks(signed_in)
    _analyst()
with right:
    if signed_in.is_guest:
        _keep()  # who has no password has no other device either
    else:
        _sessions(signed_in)
        tokens(signed_in)
    traded(signed_in)
    won(signed_in)
    st.page_link("app/pages/strategy.py", label=t("settings.to_strategy"), icon=":material/psychology:")
