"""
Platform settings: who may register, guests, the arena, an announcement in two languages, won for one USDT, the
platform's limits. The trader writes them, so what was asked is seen to be done; no limit becomes looser here than the
environment's.
"""

from collections.abc import Callable

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.operators import require_operator
from app.panels.choices import still
from app.panels.operator.acts import newest_acts, setting_name, setting_value, who_on_terminal
from app.panels.operator.real_cap import real_cap
from app.panels.telling import tell
from app.system import system
from app.ui.logs import frame
from app.ui.write import count, exact, percent
from lib.domain.operator_act import signed
from lib.domain.platform_settings import (
    BANNER_CHARS,
    KRW_PER_USDT,
    LIMIT_BOUNDS,
    ArenaDoor,
    Banner,
    GuestDoor,
    LimitOverrides,
    Registration,
    Rows,
    admission,
    arena_door,
    krw_rates,
    limit_overrides,
    read_banner,
)
from lib.domain.won_rates import WonRates, utc_day
from lib.trading.operators_room import DEFAULT, LONGEST_RATES, LONGEST_WHY

SHARES = ("daily_loss",)
EXAMPLE = "1390,2026-03-01=1402.5"
WORDS: dict[str, type[Registration] | type[GuestDoor] | type[ArenaDoor]] = {
    "registration": Registration,
    "guests": GuestDoor,
    "arena": ArenaDoor,
}


def platform() -> None:
    """Draw the section."""
    rows = system().operators.readings.setting_rows()
    left, right = st.columns(2, gap="small")
    with left:
        _doors(rows)
        _banner(rows)
        _rates(rows)
    with right:
        _limits(limit_overrides(rows))
        real_cap()
    newest_acts("setting")
    _changes()


def _doors(rows: Rows) -> None:
    doors, known = admission(rows), system().operators.readings.invites()
    held = {"registration": doors.registration, "guests": doors.guests, "arena": arena_door(rows)}
    with st.container(border=True, key="doors"):
        st.subheader(t("room.doors"), anchor=False)
        for setting, words in WORDS.items():
            with st.form(f"{setting}_form", border=False):
                st.segmented_control(
                    setting_name(setting),
                    [str(word) for word in words],
                    default=str(held[setting]),
                    format_func=_word_of(setting),
                    key=still(f"door_{setting}"),
                    required=True,
                )
                with st.container(horizontal=True, vertical_alignment="bottom"):
                    st.text_input(t("room.why"), key=f"why_{setting}", max_chars=LONGEST_WHY)
                    st.form_submit_button(t("room.change"), on_click=_chosen, args=(setting,))
        st.caption(md("room.invites", good=known.good, used=known.used, over=known.over))


def _word_of(setting: str) -> Callable[[str], str]:
    return lambda word: t(f"room.{setting}.{word}")


def _chosen(setting: str) -> None:
    word, why = str(st.session_state[f"door_{setting}"]), str(st.session_state[f"why_{setting}"] or "")
    if tell(system().operators.room.choose(require_operator(), setting, word, why), t("room.asked")):
        st.session_state[f"why_{setting}"] = ""


def _banner(rows: Rows) -> None:
    said = read_banner(rows)
    with st.container(border=True, key="announcement"):
        st.subheader(t("room.banner"), anchor=False)
        st.caption(t("room.banner_on") if said else t("room.banner_off"))
        with st.form("banner_form", border=False):
            st.text_input(t("room.banner_ko"), said.ko if said else "", key="banner_ko", max_chars=BANNER_CHARS)
            st.text_input(t("room.banner_en"), said.en if said else "", key="banner_en", max_chars=BANNER_CHARS)
            with st.container(horizontal=True):
                st.form_submit_button(t("room.banner_put"), type="primary", on_click=_put)
                if said:
                    st.form_submit_button(t("room.banner_take"), on_click=_taken)


def _put() -> None:
    ko, en = (str(st.session_state[f"banner_{one}"] or "") for one in ("ko", "en"))
    tell(system().operators.room.say(require_operator(), Banner(ko, en)), t("room.asked"))


def _taken() -> None:
    tell(system().operators.room.say(require_operator(), None), t("room.asked"))


# --- won for one USDT ------------------------------------------------------------------------------------------------


def _rates(rows: Rows) -> None:
    with st.container(border=True, key="platform_rates"):
        st.subheader(t("krw.title"), anchor=False)
        st.caption(t("room.rates_note"))
        st.text(_holds(rows))
        with st.form("rates_form", border=False):
            known = ",".join(map(str, krw_rates(rows)))
            st.text_input(t("room.rates"), known, key="rates", max_chars=LONGEST_RATES, placeholder=EXAMPLE)
            st.text_input(t("room.why"), key="rates_why", max_chars=LONGEST_WHY)
            with st.container(horizontal=True):
                st.form_submit_button(t("room.change"), type="primary", on_click=_rated)
                if KRW_PER_USDT in rows:
                    st.form_submit_button(t("room.rates_drop"), on_click=_rated, args=(DEFAULT,))


def _holds(rows: Rows) -> str:
    """The platform's rate of today."""
    rates = krw_rates(rows)
    if KRW_PER_USDT in rows and not rates:
        return t("room.rates_unreadable")
    rate = WonRates(platform=rates).on(utc_day(system().clock.now_ms()))
    if rate is None:
        return t("krw.none")
    since = f" · {t('krw.since', day=rate.day)}" if rate.day else ""
    return f"1 USDT = ₩{exact(rate.krw)}{since}"


def _rated(value: str = "") -> None:
    given = value or "".join(str(st.session_state["rates"] or "").split())
    why = str(st.session_state["rates_why"] or "")
    if tell(system().operators.room.set_rates(require_operator(), given, why), t("room.asked")):
        st.session_state["rates_why"] = ""


# --- limits -----------------------------------------------------------------------------------------------------------


def _limits(held: LimitOverrides) -> None:
    usual = system().operators.limits
    with st.container(border=True, key="platform_limits"):
        st.subheader(t("room.limits"), anchor=False)
        st.caption(t("room.limits_note"))
        names = [t(f"room.limit.{name}") for name in ("name", "now", "usual")]
        rows = [
            (
                _limit_name(name),
                t("room.limit.unreadable") if name in held.unreadable else _figure(name, held.figures.get(name)),
                _figure(name, getattr(usual, name)),
            )
            for name in LIMIT_BOUNDS
        ]
        st.dataframe(frame(names, rows), hide_index=True, height="content", key="limit_table")
        with st.form("limit_form", border=False):
            st.selectbox(
                t("room.limit.name"),
                list(LIMIT_BOUNDS),
                format_func=lambda one: t(f"platform_limit.{one}"),
                key=still("limit"),
            )
            st.text_input(t("room.limit.value"), key="limit_value", max_chars=30, placeholder=t("room.limit.hint"))
            st.text_input(t("room.why"), key="limit_why", max_chars=LONGEST_WHY)
            st.checkbox(t("room.loosen"), key="limit_loosen")
            with st.container(horizontal=True):
                st.form_submit_button(t("room.change"), type="primary", on_click=_limited)
                st.form_submit_button(t("room.limit.default"), on_click=_limited, args=(DEFAULT,))


def _limit_name(name: str) -> str:
    return t(f"platform_limit.{name}")


def _limited(value: str = "") -> None:
    given = value or str(st.session_state["limit_value"] or "").strip()
    why, loosen = str(st.session_state["limit_why"] or ""), bool(st.session_state["limit_loosen"])
    name = str(st.session_state["limit"])
    answer = system().operators.room.set_limit(require_operator(), name, given, why, loosen=loosen)
    if tell(answer, t("room.asked")):
        st.session_state["limit_value"] = st.session_state["limit_why"] = ""
        st.session_state["limit_loosen"] = False


def _figure(name: str, value: object) -> str:
    if value is None:
        return "–"
    if name in SHARES:
        return percent(value, places=1)  # type: ignore[arg-type]
    return count(value) if isinstance(value, int) else exact(value)  # type: ignore[arg-type]


def _said(name: str, text: str | None) -> str:
    return setting_value(name.removeprefix("platform:"), text)


def _changes() -> None:
    found = system().operators.readings.setting_changes()
    if not found:
        return
    known = {signed(row.user_id): row.email for row in system().operators.readings.operators()}
    with st.container(border=True, key="changes"):
        st.subheader(t("room.changes"), anchor=False)
        names = [t(f"room.change.{name}") for name in ("time", "setting", "before", "after", "who", "why")]
        rows = [
            (
                clock_time(one.at_ms),
                setting_name(one.name.removeprefix("platform:")),
                _said(one.name, one.before),
                _said(one.name, one.after),
                known.get(one.who) or who_on_terminal(one.who),
                one.why or "–",
            )
            for one in found
        ]
        st.dataframe(frame(names, rows), hide_index=True, height="content", key="change_table")
        st.caption(md("room.zone", zone=zone().label))
