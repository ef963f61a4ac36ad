"""
The Streamlit script: page config and navigation, nothing else.

A stranger gets the front door under every address, so a deep link survives signing in. Pages live in app/pages: a
`pages/` folder beside this script would let a page run without it.
"""

import streamlit as st

from app.i18n import language, rises_red, t
from app.operators import is_operator
from app.pages import sign_in
from app.session import current_user
from app.ui.assets import address
from app.ui.palette import palette
from app.ui.small import document_language
from app.ui.style import page_style

PAGES = (
    ("dashboard", ":material/candlestick_chart:"),
    ("trade_logs", ":material/receipt_long:"),
    ("results", ":material/monitoring:"),
    ("api_keys", ":material/key:"),
    ("settings", ":material/tune:"),
    ("account", ":material/shield_person:"),
)
OPERATORS = (("operator", ":material/admin_panel_settings:"),)
"""Pages for operators alone: for everybody else they are not there."""

st.set_page_config(page_title="Maemae 매매", page_icon=address("favicon.svg"), layout="wide")
page_style(palette(rises_red=rises_red()))
document_language(language())
reset = st.Page(sign_in.reset, title=t("page.reset"), url_path="reset", visibility="hidden")
if current_user() is None:
    doors = [
        st.Page(sign_in.view, title=t("sign_in.title"), url_path=name, default=number == 0)
        for number, (name, _) in enumerate(PAGES)
    ]
    st.navigation([*doors, reset], position="hidden").run()
else:
    pages = [
        st.Page(f"app/pages/{name}.py", title=t(f"page.{name}"), icon=icon, url_path=name, default=number == 0)
        for number, (name, icon) in enumerate((*PAGES, *OPERATORS) if is_operator() else PAGES)
    ]
    st.navigation([*pages, reset], position="top").run()
