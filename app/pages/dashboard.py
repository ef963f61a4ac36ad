"""
The dashboard: how the money stands, the live chart of one symbol with its open position under it, the controls of the
analyst, what keeps entries off, the newest decisions. The bar that stops everything stands on every page
(streamlit_app.py).
"""

import streamlit as st

from app.panels.control import control
from app.panels.decisions import decisions
from app.panels.market import market
from app.panels.position import position
from app.panels.stops import stops
from app.panels.symbols import symbol_switch
from app.panels.tiles import tiles
from app.panels.top import top
from app.panels.truth import closed_market, truth
from app.session import require_user

user = require_user()
top(user, truth)
closed_market()
stops()
tiles(user)
left, right = st.columns([3.1, 1], gap="small")
with left:
    symbol, several = symbol_switch(user)
    market(symbol)
    position(user, symbol, several=several)
with right:
    control(user)
decisions(symbol if several else "")
