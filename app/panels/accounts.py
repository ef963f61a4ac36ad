"""Which of a person's accounts a page is about: a select box that stands in the address, where there are several."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.i18n import t
from app.panels.choices import still
from app.panels.linked import from_address
from app.ui.plain import plain
from lib.queries import OwnAccount


def chosen_account(accounts: Sequence[OwnAccount], on_change: Callable[[str, str], None]) -> int | None:
    """The account chosen, None (the one in use) where there is one alone; *on_change* has the key and its default."""
    ids = [str(one.id) for one in accounts]
    if len(ids) < 2:
        return None
    names = {str(one.id): f"{t(f'venue.{one.venue}')} · {plain(one.symbol)} · #{one.id}" for one in accounts}
    from_address("account", ids, ids[0])
    st.selectbox(
        t("results.account"),
        ids,
        format_func=lambda one: names.get(one, one),
        key=still("account"),
        label_visibility="collapsed",
        width=260,
        on_change=on_change,
        args=("account", ids[0]),
    )
    return int(st.session_state["account"])
