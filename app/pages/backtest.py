"""
What the past would have brought: a question to ask of it, how far it is, what came of it, and what was asked before.

Which result is shown stands in the address (`?run`). A model is asked in quarantine alone, by the trader, within a cap
that is typed here; no order is anywhere near.
"""

import streamlit as st

from app.i18n import t
from app.panels.backtest_asked import asked_before
from app.panels.backtest_form import form
from app.panels.backtest_found import found
from app.panels.top import title, top
from app.session import require_user

user = require_user()
top(user, title("page.backtest"))
st.caption(t("bt.about"))
form(user)
asked_before(user)
found(user)
