"""
The peer in `bench.dashboards`: what a Streamlit chart costs when a fragment sends 500 candles again every second.

Its data is the same Redis list, read as cheaply as it gets; the session and its panels are left out in its favour.
"""

import json
import sys

import streamlit as st

from lib.adapters.redis.candle_wire import list_key
from lib.adapters.redis.connection import connect

DRAW = """
export default function ({ data, parentElement }) {
  parentElement.textContent = data.rows.length;
}
"""


@st.cache_resource
def _client() -> object:
    return connect(sys.argv[1])


@st.fragment(run_every="1s")
def chart() -> None:
    """Send everything again."""
    raw = _client().lrange(list_key("BTCUSDT", "1m"), 0, 499)  # type: ignore[attr-defined]
    rows = [json.loads(one) for one in reversed(raw)]
    names = ("open", "high", "low", "close", "volume")
    table = [[row["timestamp"] // 1000, *(float(row[name]) for name in names)] for row in rows]
    st.components.v2.component("naive", js=DRAW)(key="chart", data={"rows": table})


chart()
