"""
Which symbol the dashboard and the preview of a strategy show: what the account trades or holds first, then what else
the operator offers.

The choice stands in the address (`?symbol=`); what the address cannot mean is the first. One symbol alone needs no
switch and gets none.
"""

import streamlit as st

from app.i18n import t
from app.panels.linked import from_address, into_address
from app.system import system
from lib.accounts.web import SessionUser

KEY = "symbol"


def shown_symbols(user: SessionUser) -> tuple[str, ...]:
    """Every symbol *user* may look at, in the order of the switch; those of the account first, if there is one."""
    known, own = system().symbols, system().readings.holdings(user.user_id)
    first = [one.symbol for one in own[:1]]
    traded = [one.symbol for one in own if one.traded or one.position_qty]
    return tuple(one for one in dict.fromkeys((*first, *traded, *known)) if one in known or one in traded) or known


def symbol_switch(user: SessionUser) -> tuple[str, bool]:
    """Draw the switch; the symbol that is chosen, and whether there are several."""
    options = shown_symbols(user)
    if len(options) == 1:
        return options[0], False
    from_address(KEY, options, options[0])
    chosen = st.segmented_control(
        t("chart.symbol"),
        options,
        key=KEY,
        label_visibility="collapsed",
        required=True,
        on_change=into_address,
        args=(KEY, options[0]),
    )
    return str(chosen or options[0]), True


def chosen_symbol(user: SessionUser) -> str:
    """The symbol that a switch on this page has chosen, or the address; the first one otherwise."""
    options = shown_symbols(user)
    asked = st.session_state.get(KEY) or st.query_params.get(KEY, "")
    return asked if asked in options else options[0]


def show_symbol(symbol: str) -> None:
    """In a callback: show *symbol* from now on, as if it was chosen; nothing for one there is none of."""
    if symbol in system().symbols:
        st.session_state[KEY] = symbol
        into_address(KEY, "")


def asked_symbol() -> str:
    """What the address asks for, "" for nothing and for what is none of ours."""
    asked = st.query_params.get(KEY, "")
    return asked if asked in system().symbols else ""
