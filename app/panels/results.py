"""
A period in pictures: tiles, the curve, the calendar, figures and comparisons, and the way to the files.
"""

from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from app.i18n import language, md, rises_red, t, zone
from app.ui.calendar import calendar_html
from app.ui.curve import Look, curve_data, show_curve
from app.ui.palette import palette
from app.ui.result_style import RESULTS
from app.ui.results import bars_html, figure_rows, figures_html, hit_bars, hours_html, net_bars, result_tiles
from app.ui.tiles import tiles_html
from lib.domain.round_trips import ENDS
from lib.domain.trip_groups import by_confidence, by_end, by_hour, by_side
from lib.queries import EXPORTS, Results

LOCALES = {"ko": "ko-KR", "en": "en-GB"}


def files() -> None:
    """The files of everything, in a popover."""
    with st.popover(t("export.title"), icon=":material/download:", key="export"):
        lines = "".join(_file_line(what) for what in (*EXPORTS, "tax"))
        st.html(f'<div class="files">{lines}<small>{escape(t("export.note"))}</small></div>')


def _file_line(what: str) -> str:
    links = "".join(
        f'<a href="/api/export/{what}.{kind}" target="_blank" rel="noopener">{name}</a>'
        for kind, name in (("csv", "CSV"), ("parquet", "Parquet"))
    )
    return f"<p>{escape(t(f'export.{what}'))}<span>{links}</span></p>"


def pictures(found: Results) -> None:
    """Everything above the tables."""
    colours = palette(rises_red=rises_red())
    tiles = tiles_html(result_tiles(found, t, _day), t, colours)
    st.html(f'{RESULTS}<div class="results">{tiles}</div>')
    if found.rates and found.net_krw is None:
        st.caption(t("results.no_rate"))
    if len(found.points) < 2:
        st.info(t("results.young"), icon=":material/hourglass_top:")
        return
    text = {name: t(f"curve.{name}") for name in ("equity", "hold", "nothing", "fall", "alt")}
    look = Look(LOCALES[language()], zone().offset_s, colours)
    show_curve(curve_data(found, look, text, lambda kind: t(f"transfer.{kind}")))
    st.caption(md("curve.note", symbol=found.account.symbol))
    left, right = st.columns([1, 1], gap="medium")
    with left:
        _titled("results.calendar", lambda: st.html(_calendar(found)))
        _titled("results.figures", lambda: st.html(figures_html(figure_rows(found, t))))
        hours = by_hour(found.trips, zone().offset_s)
        if hours:
            _titled("results.hours", lambda: st.html(hours_html(hours, t)), t("results.hours_note", zone=zone().label))
    with right:
        comparisons(found)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone().tz).strftime("%m-%d")


def _calendar(found: Results) -> str:
    words = {name: t(f"calendar.{name}") for name in ("weekdays", "sunday_first", "older", "month", "months")}
    return calendar_html(found.days, zone().tz, words, found.rates)


def comparisons(found: Results) -> None:
    """Groups of trips beside each other; nothing without a trip."""
    trips = found.trips
    if not trips:
        return
    _titled("results.sides", lambda: st.html(bars_html(net_bars(by_side(trips), lambda key: t(f"position.{key}"), t))))
    sure = by_confidence(trips)
    if sure:
        _titled("results.confidence", lambda: st.html(bars_html(hit_bars(sure, t))), t("results.confidence_note"))
    ended = by_end(trips)
    ways = {end: ended[end] for end in ENDS if end in ended}
    _titled("results.ends", lambda: st.html(bars_html(net_bars(ways, lambda end: t(f"end.{end}"), t))))


def _titled(key: str, draw: Callable[[], Any], note: str = "") -> None:
    st.subheader(t(key), anchor=False)
    if note:
        st.caption(note)
    draw()
