"""
Words of the screens, Korean and English, and how a language writes times.

Two flat catalogues with the same keys. The language is what the person switched to, else the browser's, else Korean.
Times are Korean time for Korean and UTC for English, and always say which. Nothing here translates data: an option's
value stays what it is, only its label changes.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path

import streamlit as st

LANGUAGES = ("ko", "en")
NAMES = {"ko": "한국어", "en": "English"}
CHOICE = "lang"
"""Key of the language switch, in the session and in the address."""
# a widget's value is dropped on the way to another page
_KEPT = "_lang"
# Streamlit writes an option's label into the address
_ADDRESSED = {name: code for code, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Zone:
    """How times are shown: *label* stands beside them, *offset_s* moves chart axes, which know no zones."""

    label: str
    tz: tzinfo
    offset_s: int


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


def preferred(browser_locale: str | None) -> str:
    """The language for a browser's locale such as `en-GB`; Korean when it says nothing."""
    tag = (browser_locale or "ko").lower().split("-")[0]
    return "ko" if tag == "ko" else "en"


def language() -> str:
    """The language of this session: switched to, else named in the address, else the browser's."""
    chosen = (
        st.session_state.get(CHOICE) or st.session_state.get(_KEPT) or _ADDRESSED.get(st.query_params.get(CHOICE, ""))
    )
    return chosen if chosen in LANGUAGES else preferred(st.context.locale)


def zone() -> Zone:
    """How this session shows times."""
    return ZONES[language()]


def t(key: str, **params: object) -> str:
    """The words for *key* with *params* filled in; a key nobody translated shows itself."""
    template = catalogue(language()).get(key, key)
    return template.format_map(_Lenient(params)) if params else template


class _Lenient(dict[str, object]):
    """A refusal may carry less than its sentence asks for; the gap is shown, not raised."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def words(prefix: str) -> dict[str, str]:
    """Every entry whose key begins with *prefix*, for words a browser module picks from by itself."""
    return {key: text for key, text in catalogue(language()).items() if key.startswith(prefix)}


def clock_time(t_ms: int, *, date: bool = True) -> str:
    """An epoch-ms time as this session reads it, without the zone's label."""
    at = datetime.fromtimestamp(t_ms / 1000, tz=zone().tz)
    return at.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def switch() -> None:
    """The language switch; it lives in the address too, so a reload and a link keep it."""
    if CHOICE not in st.session_state:
        st.session_state[CHOICE] = language()
    st.session_state[_KEPT] = st.segmented_control(
        "Language / 언어",
        LANGUAGES,
        key=CHOICE,
        format_func=NAMES.__getitem__,
        label_visibility="collapsed",
        required=True,
        bind="query-params",
    )


def switch_again() -> None:
    """The same switch a second time on one page; the first one is the one that is remembered."""
    st.segmented_control(
        "Language / 언어",
        LANGUAGES,
        default=language(),
        key=f"{CHOICE}_again",
        format_func=NAMES.__getitem__,
        label_visibility="collapsed",
        required=True,
        on_change=_chosen_again,
    )


def _chosen_again() -> None:
    st.session_state[CHOICE] = st.session_state[f"{CHOICE}_again"]
