"""
Words of the screens, Korean and English, and how a language writes times.

Two flat catalogues with the same keys. The language is the account's, in whatever browser it is used; a stranger's and
a demo visitor's is what they switched to (kept in a cookie), else the address's `?lang=`, else the browser's. Times are
in the zone the person chose, else Korean time for Korean and UTC for English, and always say which. Nothing here
translates data: an option's value stays what it is, only its label changes.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path

import streamlit as st

from app.session import current_user, look_again
from app.system import system
from app.ui.plain import plain
from app.visit import LANGUAGE_COOKIE
from lib.domain.filled import filled
from lib.domain.time_zones import time_zone

LANGUAGES = ("ko", "en")
NAMES = {"ko": "한국어", "en": "English"}
CHOICE = "lang"
"""Key of the language switch, and the address's word for a language: `?lang=en`."""
# a widget's value is dropped on the way to another page
_KEPT = "_lang"


@dataclass(frozen=True, slots=True)
class Zone:
    """How times are shown: *label* stands beside them, *offset_s* moves chart axes, which know no zones."""

    label: str
    tz: tzinfo
    offset_s: int


def zone_named(name: str, language: str) -> Zone:
    """
    The zone *name*, as it stands today; that of *language* for "" and for a name that is none.

    Where clocks change, a chart's axis has today's offset for older candles too: axes know one offset.
    """
    found = time_zone(name)
    if found is None:
        return ZONES[language]
    now = datetime.fromtimestamp(system().clock.now_ms() / 1000, tz=found)
    offset = now.utcoffset() or timedelta()
    label, written = now.tzname() or "", now.isoformat()[-6:]
    return Zone(label if label.isalpha() else f"UTC{written}", found, int(offset.total_seconds()))


ZONES = {
    "ko": Zone("KST", timezone(timedelta(hours=9), "KST"), 32_400),
    "en": Zone("UTC", UTC, 0),
}


@cache
def catalogue(language: str) -> dict[str, str]:
    """All words of *language* by key."""
    return {key: str(text) for key, text in tomllib.loads(_source(language)).items()}


def _source(language: str) -> str:
    return (Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Tongue:
    """
    One language, whoever reads it: for what is written once for readers of both, who then read its own times. *zone*
    is how it shows times.
    """

    language: str
    zone: Zone

    def say(self, key: str, **params: object) -> str:
        """The words for *key* with *params* filled in; a key nobody translated shows itself."""
        template = catalogue(self.language).get(key, key)
        return filled(template, params) if params else template

    def at(self, t_ms: int, *, date: bool = True) -> str:
        """An epoch-ms time as it is read, without the zone's label."""
        moment = datetime.fromtimestamp(t_ms / 1000, tz=self.zone.tz)
        return moment.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


TONGUES = {name: Tongue(name, ZONES[name]) for name in LANGUAGES}


def preferred(browser_locale: str | None) -> str:
    """The language for a browser's locale such as `en-GB`; Korean when it says nothing."""
    tag = (browser_locale or "ko").lower().split("-")[0]
    return "ko" if tag == "ko" else "en"


def language() -> str:
    """The language of this run: the person's; of who has no account of their own the one they chose, else came with."""
    user = current_user()
    if user is not None and not user.read_only:
        return user.locale if user.locale in LANGUAGES else LANGUAGES[0]
    came = (st.session_state.get(_KEPT), st.query_params.get(CHOICE), st.context.cookies.get(LANGUAGE_COOKIE))
    return next((one for one in came if one in LANGUAGES), None) or preferred(st.context.locale)


def tongue() -> Tongue:
    """The language of this run, with its words and the person's times."""
    user, spoken = current_user(), language()
    return TONGUES[spoken] if user is None or not user.time_zone else Tongue(spoken, zone_named(user.time_zone, spoken))


def chosen_here() -> str:
    """The language a stranger or visitor switched to in this tab, for their browser to remember; "" = none."""
    return str(st.session_state.get(_KEPT, ""))


def rises_red() -> bool:
    """Whether a rise is red on this person's pages, as in Korea."""
    user = current_user()
    if user is None or user.colours == "language":
        return language() == "ko"
    return user.colours == "red_up"


def zone() -> Zone:
    """How this session shows times."""
    return tongue().zone


def t(key: str, **params: object) -> str:
    """The words for *key* with *params* filled in; a key nobody translated shows itself."""
    return tongue().say(key, **params)


def md(key: str, **params: object) -> str:
    """`t` for a place that reads Markdown, such as a caption, a badge, a toast: *params* stay letter by letter."""
    return t(key, **{name: plain(value) for name, value in params.items()})


def words(prefix: str) -> dict[str, str]:
    """Every entry whose key begins with *prefix*, for words a browser module picks from by itself."""
    return {key: text for key, text in catalogue(language()).items() if key.startswith(prefix)}


def clock_time(t_ms: int, *, date: bool = True) -> str:
    """An epoch-ms time as this session reads it, without the zone's label."""
    return tongue().at(t_ms, date=date)


def switch(key: str = CHOICE) -> None:
    """The language switch; a page may have several, each with a *key* of its own."""
    if st.session_state.get(key) != language():
        st.session_state[key] = language()
    st.segmented_control(
        "Language / 언어",
        LANGUAGES,
        key=key,
        format_func=NAMES.__getitem__,
        label_visibility="collapsed",
        required=True,
        on_change=_switched,
        args=(key,),
    )


def _switched(key: str) -> None:
    chosen, user = str(st.session_state[key]), current_user()
    if user is None or user.read_only:
        st.session_state[_KEPT] = chosen
    else:
        system().people.change_looks(user, chosen, user.colours)
        look_again()
