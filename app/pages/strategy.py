"""
The strategy desk: strategies with their versions, risk and limits in the account's own money, the person's instructions
with their history, and exactly what is sent to the analyst.
"""

import streamlit as st

from app.i18n import t
from app.panels.risk import risk
from app.panels.strategies import strategies
from app.panels.top import title, top
from app.panels.wording import wording
from app.session import require_user
from app.system import system

signed_in = require_user()
top(signed_in, title("page.strategy"))
if system().readings.settings(signed_in.user_id) is None:
    st.info(t("control.no_account"), icon=":material/account_balance_wallet:")
    st.page_link("app/pages/dashboard.py", label=t("page.dashboard"), icon=":material/candlestick_chart:")
else:
    strategies()
    left, right = st.columns(2, gap="small")
    with left:
        risk()
    with right:
        wording()
