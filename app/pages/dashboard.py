"""
The dashboard: how the money stands, the live chart, the controls of the analyst, the
switches that stop it, the newest decisions.
"""

import streamlit as st

from app.panels.control import control
from app.panels.decisions import decisions
from app.panels.market import market
from app.panels.stops import stops, switched_off
from app.panels.tiles import tiles
from app.panels.top import top
from app.panels.truth import closed_market, truth
from app.session import require_user

user = require_user()
top(user, truth)
closed_market()
switched_off()
tiles()
left, right = st.columns([3.1, 1], gap="small")
with left:
    market()
with right:
    control(user)
stops(user)
decisions()
