"""
What would be sent to the analyst, letter by letter, with its tokens and cost. Nothing is asked for it.
"""

from collections.abc import Iterable

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.ui.letters import letters
from app.ui.models import model_label, prices_words, usd
from app.ui.write import count, exact, shown
from lib.bootstrap.preview import Preview
from lib.domain.account import Limits
from lib.domain.candle import MINUTE_MS
from lib.domain.day import DAY_MS

HEIGHT = 240


def preview(seen: Preview, limits: Limits, notes: Iterable[str]) -> None:
    """Draw *seen* for who has *limits*; *notes* say what it is a preview of."""
    at = f"{clock_time(seen.closed_ms, date=False)[:5]} {zone().label}" if seen.closed_ms else "–"
    st.caption(md("strategy.preview_note", n=seen.candles, at=at))
    for note in notes:
        st.caption(f":orange[{note}]")
    _figures(seen, limits)
    st.caption(t("strategy.system"))
    letters(seen.system, HEIGHT)
    st.caption(t("strategy.user"))
    letters(seen.user, HEIGHT)


def _figures(seen: Preview, limits: Limits) -> None:
    cost = "–" if seen.usd_day is None else f"${shown(f'{seen.usd_day:,.2f}')}"
    cells = (
        ("tokens", f"≈ {count(seen.tokens)}"),
        ("tokens_day", f"≈ {count(seen.tokens_day)}"),
        ("usd_day", f"≈ {cost}" if seen.usd_day is not None else cost),
    )
    with st.grid(columns="auto", min_column_width=130, gap="small"):
        for name, value in cells:
            st.metric(t(f"strategy.{name}"), value, border=True)
    st.caption(md("strategy.asked", model=model_label(seen.asked), price=prices_words(seen.asked.prices, t)))
    if seen.usd_call is not None:
        each = {"tokens": count(seen.tokens), "answer": count(seen.answer_tokens), "usd": usd(seen.usd_call)}
        st.caption(md("strategy.a_call", calls=count(seen.calls), **each))
    minutes = DAY_MS // (seen.calls * MINUTE_MS)
    st.caption(md("strategy.estimate", n=minutes, calls=count(seen.calls), answer=seen.answer_tokens))
    if seen.usd_day is None:
        st.caption(md("strategy.no_prices"))
    if seen.last is not None:
        cost = "" if seen.last.cost_usd is None else f"· ${exact(seen.last.cost_usd)}"
        told = f"{count(seen.last.prompt_tokens)} + {count(seen.last.completion_tokens)}"
        st.caption(md("strategy.last", tokens=told, cost=cost))
    if seen.tokens_day > limits.analyst_tokens:
        most = count(limits.analyst_tokens)
        st.warning(md("strategy.over_budget", most=most), icon=":material/warning:")
