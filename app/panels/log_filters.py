"""
The filters of the trade log: everything or trades, one outcome, one symbol where there are several, a span or dates,
words. Each stands in the address.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import streamlit as st

from app.i18n import language, t, zone
from app.panels.choices import still
from app.panels.linked import from_address, into_address, words_from_address
from app.ui.logs import MOST_TYPED, OUTCOMES, words_of
from lib.queries import LogFilter

SPANS = {"all": None, "day": 86_400_000, "week": 7 * 86_400_000, "dates": None}
SHOWN = ("all", "trades")
EVERY = "all"


def chosen_filter(now_ms: int, symbols: Sequence[str], changed: Callable[[], None]) -> LogFilter:
    """
    Draw the filters and say what they let through; *symbols* are those there are, and one alone is no filter; *changed*
    goes to the newest page.
    """

    def refilter(name: str, usual: str) -> None:
        into_address(name, usual)
        changed()

    outcomes = ["all", *OUTCOMES]
    for name, options in (("shown", SHOWN), ("outcome", outcomes), ("span", list(SPANS))):
        from_address(name, options, "all")
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        shown = _choice("shown", SHOWN, refilter)
        outcome = st.selectbox(
            t("filter.outcome"),
            outcomes,
            format_func=lambda one: t("filter.every") if one == "all" else t(f"outcome.{one}"),
            key=still("outcome"),
            width=170,
            on_change=refilter,
            args=("outcome", "all"),
        )
        symbol = _symbol(symbols, refilter)
        span = _choice("span", tuple(SPANS), refilter)
        since_ms, until_ms = _dates(changed) if span == "dates" else (_since(now_ms, span), None)
        typed = _words(changed)
    return LogFilter(
        outcome=None if outcome == "all" else outcome,
        since_ms=since_ms,
        until_ms=until_ms,
        traded=shown == "trades",
        words=words_of(typed, language()),
        symbol="" if symbol == EVERY else symbol,
    )


def _symbol(symbols: Sequence[str], refilter: Callable[[str, str], None]) -> str:
    if len(symbols) < 2:
        return EVERY
    options = [EVERY, *symbols]
    from_address("symbol", options, EVERY)
    chosen = st.selectbox(
        t("chart.symbol"),
        options,
        format_func=lambda one: t("filter.all_symbols") if one == EVERY else one,
        key=still("symbol"),
        width=150,
        filter_mode=None,
        on_change=refilter,
        args=("symbol", EVERY),
    )
    return str(chosen or EVERY)


def _choice(name: str, options: tuple[str, ...], refilter: Callable[[str, str], None]) -> str:
    chosen = st.segmented_control(
        t(f"filter.{name}"),
        options,
        format_func=lambda one: t(f"filter.{one}"),
        key=still(name),
        required=True,
        on_change=refilter,
        args=(name, "all"),
    )
    return str(chosen or "all")


def _since(now_ms: int, span: str) -> int | None:
    wide = SPANS[span]
    return None if wide is None else now_ms - wide


def _dates(changed: Callable[[], None]) -> tuple[int | None, int | None]:
    """From the midnight that begins the first date until the one that ends the last, on the person's clock."""
    asked = [_read_date(st.query_params.get(name, "")) for name in ("from", "to")]
    if "dates" not in st.session_state:
        st.session_state["dates"] = tuple(one for one in asked if one is not None)
    picked: Any = st.date_input(t("filter.dates"), key="dates", width=230, on_change=_dates_chosen, args=(changed,))
    days = [day for day in picked or () if day is not None]
    if not days:
        return None, None
    return _midnight(days[0]), _midnight(days[-1] + timedelta(days=1))


def _dates_chosen(changed: Callable[[], None]) -> None:
    for name, day in zip(("from", "to"), st.session_state["dates"], strict=False):
        st.query_params[name] = day.isoformat()
    changed()


def _read_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _midnight(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone().tz).timestamp() * 1000)


def _words(changed: Callable[[], None]) -> str:
    words_from_address("words", MOST_TYPED)
    typed = st.text_input(
        t("filter.words"), key="words", max_chars=MOST_TYPED, placeholder=t("filter.words_hint"), width=220,
        icon=":material/search:", on_change=_typed, args=(changed,),
    )  # fmt: skip
    return typed or ""


def _typed(changed: Callable[[], None]) -> None:
    into_address("words", "")
    changed()
