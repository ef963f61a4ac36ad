"""
What came of a question: tiles, equity beside holding, figures, what chance would have made, gaps, trades, and its link.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app.i18n import language, md, rises_red, t, zone
from app.panels.backtest_asked import labels, what
from app.panels.result_tables import sheet_column
from app.panels.results import LOCALES
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.backtest import backtest_tiles, chance_bars, curve_points, figure_pairs, gap_lines, trade_frame
from app.ui.curve import show_curve
from app.ui.memory import badge_of
from app.ui.palette import palette
from app.ui.plain import plain
from app.ui.quarantine import paid, stamp
from app.ui.reasons import say_sentence
from app.ui.result_frames import coloured
from app.ui.result_style import RESULTS
from app.ui.results import bars_html, figures_html
from app.ui.tiles import tiles_html
from app.ui.write import count, style
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.reason import Reason
from lib.domain.stored_reason import parse
from lib.queries import BacktestFound, BacktestLine

_LINK = "_bt_link"
SHORT = 12
"""Rows of a table that is shown whole."""


def found(user: SessionUser) -> None:
    """Draw the result that the address names, else the newest."""
    shown = _chosen(user)
    if shown is None or shown.result is None:
        return
    result, colours = shown.result, palette(rises_red=rises_red())
    st.subheader(t("bt.result"), anchor=False)
    st.text(what(shown.line.wish, labels(user)))
    if told := stamp(result, t):
        st.warning(plain(told), icon=":material/science_off:")
        st.caption(plain(paid(result, t)))
    if "badges" in result:
        _remembered([parse(one) for one in result["badges"]])
        return
    tiles = tiles_html(backtest_tiles(shown, result, t), t, colours)
    st.html(f'{RESULTS}<div class="results six">{tiles}</div>')
    st.caption(md("bt.luck", n=count(shown.tries)))
    show_curve(_curve(result))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{md('bt.figures')}**")
        st.html(figures_html(figure_pairs(result, t)))
    with right:
        _chance(result["beside"])
    _gaps(result)
    _trades(result["trades"], result["trips"])
    _link(user, shown.line)


def _remembered(found: Sequence[Reason]) -> None:
    """What a memory test found: its badge, and a line for each sentence."""
    told = badge_of(found, t, _say)
    st.badge(told.short, color=told.colour, icon=":material/psychology:")
    for one in found:
        st.markdown(f"- {plain(_say(one))}")


def _say(why: Reason) -> str:
    return say_sentence(why, language())


def _chosen(user: SessionUser) -> BacktestFound | None:
    asked, read = st.query_params.get("run", ""), system().readings
    if asked.isascii() and asked.isdigit() and len(asked) <= 15:
        shown = read.backtest(user.user_id, int(asked))
        if shown is not None and shown.result is not None:
            return shown
    newest = next((line.job_id for line in read.backtests(user.user_id) if line.state == "done"), None)
    return None if newest is None else read.backtest(user.user_id, newest)


def _curve(result: dict[str, Any]) -> dict[str, Any]:
    colours = palette(rises_red=rises_red())
    text = {name: t(f"curve.{name}") for name in ("equity", "hold", "nothing", "fall", "alt")}
    return {
        "points": curve_points(result["points"], float(result["start"])),
        "paid": [],
        "offset": zone().offset_s,
        "locale": LOCALES[language()],
        "numbers": style(),
        "colours": {"light": list(colours.light), "dark": list(colours.dark)},
        "text": text,
    }


def _chance(beside: dict[str, Any] | None) -> None:
    st.markdown(f"**{md('bt.chance')}**")
    if beside is None:
        st.caption(t("bt.chance_none"))
        return
    st.html(bars_html(chance_bars(beside, t), "even"))
    st.caption(md("bt.chance_note", n=count(beside["count"]), p=f"{beside['p'] * 100:.0f}%"))


def _gaps(result: dict[str, Any]) -> None:
    sources = ", ".join(result["sources"])
    st.caption(md("bt.data", n=count(result["candles"]), sources=sources, months=count(len(result["months"]))))
    if not result["missing"]:
        st.caption(t("bt.no_gaps"))
        return
    with st.expander(md("bt.gaps", n=count(result["missing"]), times=count(result["gap_count"])), key="bt_gaps"):
        st.text("\n".join(gap_lines(result["gaps"], _minute)))


def _trades(trades: Sequence[Sequence[Any]], trips: int) -> None:
    st.markdown(f"**{md('bt.trades', n=count(trips))}**")
    if not trades:
        st.caption(t("bt.no_trades"))
        return
    frame = trade_frame(trades, t, _minute)
    st.dataframe(
        coloured(frame, ("net",), palette(rises_red=rises_red())),
        hide_index=True,
        height="content" if len(frame) <= SHORT else 400,
        column_config={column: sheet_column(column) for column in frame.columns},
        key="bt_trades",
    )


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone().tz).strftime("%Y-%m-%d %H:%M")


def _link(user: SessionUser, line: BacktestLine) -> None:
    barred = user.read_only or user.is_guest
    made = st.session_state.get(_LINK)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bt_share"):
        if line.is_shown:
            st.text(t("bt.shown"))
            st.button(t("record.hide"), key="bt_hide", disabled=user.read_only, on_click=_hide, args=(line.job_id,))
        else:
            key, icon = "bt_make", ":material/link:"
            st.button(t("bt.share"), key=key, icon=icon, disabled=barred, on_click=_share, args=(line.job_id,))
            st.caption(t("bt.share_note"))
    if made is not None and made[0] == line.job_id and line.is_shown:
        st.caption(t("record.once"))
        st.code(
            f"{'/'.join((st.context.url or '').split('/')[:3])}/past?code={made[1]}", language=None, wrap_lines=True
        )


def _share(job_id: int) -> None:
    made = system().backtests.share(require_user(), job_id)
    if isinstance(made, Refusal):
        tell(made, "")
    else:
        st.session_state[_LINK] = (job_id, made.code)
        tell(None, t("record.made"))


def _hide(job_id: int) -> None:
    if tell(system().backtests.unshare(require_user(), job_id), t("record.hidden")):
        st.session_state.pop(_LINK, None)
