"""
Whether anything is better than chance: each version beside its baselines, its confidence, and two on the same candles.
"""

import streamlit as st

from app.i18n import md, t
from app.navigation import ARENA
from app.panels.accounts import chosen_account
from app.panels.compare import compared
from app.panels.linked import into_address
from app.panels.top import title, top
from app.session import require_user
from app.system import system

user = require_user()
top(user, title("page.compare"))
mine = system().readings.own_accounts(user.user_id)
if not mine:
    st.info(t("tiles.none"), icon=":material/account_balance_wallet:")
    st.page_link("app/pages/dashboard.py", label=t("page.dashboard"), icon=":material/arrow_forward:")
    st.stop()
st.caption(md("compare.note"))
chosen = chosen_account(mine, into_address)
waiting = st.skeleton(height=320)
compared(user.user_id, chosen)
waiting.empty()
st.page_link("app/pages/arena.py", label=t("arena.way"), icon=ARENA.icon)
