"""
Where and when a person is told besides the bell: their channels, the kinds they want, quiet hours.

An address is typed once into a form that forgets it and is never shown again. Everything is drawn from what is stored,
so two tabs show the same.
"""

from datetime import time

import streamlit as st

from app.i18n import language, md, t, zone
from app.panels.choices import still
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.plain import plain
from app.ui.reasons import say
from lib.accounts.web import SessionUser
from lib.domain.channel import LONGEST_ADDRESS, LONGEST_NAME, MOST_CHANNELS, SERVICES, TellingChoices
from lib.domain.events import MANNERS, EventKind
from lib.queries import ChannelRow

ALWAYS = frozenset({EventKind.TEST, EventKind.CHANNEL})
"""What nobody is asked about."""
NIGHT = (22 * 60, 7 * 60)
HOUR_NAMES = {hour: f"{hour:02d}:00" for hour in range(24)}


def channels(user: SessionUser) -> None:
    """Draw the section; who only looks sees nothing of it."""
    with st.container(border=True, key="channels"):
        st.subheader(t("channel.title"), anchor=False)
        st.caption(t("channel.note"))
        if user.is_guest or not system().notices.has_channels:
            st.text(t("refuse.guest" if user.is_guest else "refuse.channel.none"))
            return
        found = system().readings.channels(user.user_id)
        for one in found:
            _channel(one)
        if len(found) < MOST_CHANNELS:
            with st.expander(t("channel.add"), icon=":material/add:", expanded=not found):
                _new()


def _channel(one: ChannelRow) -> None:
    with st.container(key=f"channel_{one.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(one.name)}**")
                st.caption(f"{t(f'channel.{one.service}')} · ••••")
            st.badge(t(f"channel.{_state(one)}"), color={"on": "green", "failing": "orange"}.get(_state(one), "gray"))  # type: ignore[arg-type]
        with st.container(horizontal=True):
            if st.button(t("channel.test"), key=f"test_{one.id}", disabled=not one.enabled, icon=":material/send:"):
                tell(system().notices.test(require_user(), one.id), t("channel.tested"))
            word = "channel.turn_off" if one.enabled else "channel.turn_on"
            if st.button(t(word), key=f"turn_{one.id}"):
                _again(system().notices.enable(require_user(), one.id, not one.enabled))
            if st.button(t("channel.remove"), key=f"gone_{one.id}", type="tertiary"):
                _again(system().notices.remove(require_user(), one.id))


def _state(one: ChannelRow) -> str:
    return "off" if not one.enabled else "failing" if one.failures else "on"


def _again(refusal: object) -> None:
    if tell(refusal, t("settings.saved")):  # type: ignore[arg-type]
        st.rerun()


def _new() -> None:
    service = st.selectbox(
        t("channel.service"), list(SERVICES), format_func=lambda one: t(f"channel.{one}"), key=still("channel_service")
    )
    with st.form("new_channel", border=False, clear_on_submit=True):
        name = st.text_input(t("channel.name"), max_chars=LONGEST_NAME, value=t(f"channel.{service}"))
        address = st.text_input(
            t("channel.address"), max_chars=LONGEST_ADDRESS, type="password", autocomplete="off",
            placeholder=SERVICES[service].example,
        )  # fmt: skip
        st.caption(md("channel.example", example=SERVICES[service].example))
        wanted = st.form_submit_button(t("channel.save"), width="stretch")
    if wanted:
        _again(system().notices.add(require_user(), service, name, address))


def choices(user: SessionUser) -> None:
    """Draw which kinds are sent, and the quiet hours."""
    chosen = system().readings.telling(user.user_id) or TellingChoices()
    with st.container(border=True, key="telling"):
        st.subheader(t("telling.title"), anchor=False)
        st.caption(t("telling.note"))
        with st.form("telling_form", border=False):
            picked = {kind: _kind(kind, chosen) for kind in MANNERS if kind not in ALWAYS}
            quiet = st.toggle(t("telling.quiet"), value=chosen.quiet_from is not None)
            start, end = (chosen.quiet_from, chosen.quiet_until)
            with st.container(horizontal=True):
                begins = st.time_input(t("telling.from"), value=_clock(start, NIGHT[0]), step=900)
                ends = st.time_input(t("telling.until"), value=_clock(end, NIGHT[1]), step=900)
            st.caption(md("telling.quiet_note", zone=zone().label))
            report = st.selectbox(
                md("telling.report", zone=zone().label),
                HOUR_NAMES,
                index=chosen.report_hour,
                format_func=HOUR_NAMES.__getitem__,
                key="telling_report",
            )
            if not st.form_submit_button(t("telling.save"), width="stretch"):
                return
        start, end = (_minute(begins), _minute(ends)) if quiet else (None, None)
        switched = {kind: on for kind, on in picked.items() if on != MANNERS[kind].wanted}
        _again(system().notices.choose(require_user(), TellingChoices(switched, start, end, report)))


def _kind(kind: EventKind, chosen: TellingChoices) -> bool:
    title = say(MANNERS[kind].title, language())
    label = f"{title} · {t('telling.urgent')}" if MANNERS[kind].urgent else title
    return st.checkbox(plain(label), chosen.wants(kind))


def _clock(minute: int | None, usual: int) -> time:
    hours, minutes = divmod(usual if minute is None else minute, 60)
    return time(hours, minutes)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
