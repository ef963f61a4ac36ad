"""
How the money stands: six tiles, read anew every five seconds.
"""

import streamlit as st

from app.i18n import rises_red, t
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui.palette import palette
from app.ui.tiles import tile_row, tiles_html


@st.fragment(run_every="5s")
@patient
def tiles() -> None:
    """The tiles of the person's active account."""
    user = require_user()
    found = system().readings.tiles(user.user_id)
    if found is None:
        st.info(t("tiles.none"), icon=":material/account_balance_wallet:")
    else:
        st.html(tiles_html(tile_row(found, t), t, palette(rises_red=rises_red())))
