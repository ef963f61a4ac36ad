"""
The arena: who of this installation surely earns what on paper, and entering it.

Nobody is shown who did not enter; of others a name they chose, the model and figures.
"""

import streamlit as st

from app.i18n import md
from app.panels.arena import arena
from app.panels.top import title, top
from app.session import require_user

user = require_user()
top(user, title("page.arena"))
st.caption(md("arena.note"))
arena(user)
