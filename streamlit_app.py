"""
The Streamlit script: page config, navigation and the bar that stays on every page, nothing else.

A stranger gets the front door under every address, so a deep link survives signing in. Pages live in app/pages: a
`pages/` folder beside this script would let a page run without it. On a phone the pages are found at the bottom, where
a thumb is: the same list drawn again, shown by the style where Streamlit's own is not.
"""

import streamlit as st

from app.i18n import language, rises_red, t, words
from app.navigation import EMAIL, OFF_THUMB, OPERATORS, PAGES, RESET
from app.operators import is_operator
from app.own_key import fields_ask_for_their_own_key
from app.pages import sign_in
from app.panels.bar import bar
from app.session import current_user
from app.ui.assets import address
from app.ui.palette import palette
from app.ui.small import document_language
from app.ui.style import page_style

fields_ask_for_their_own_key()
st.set_page_config(page_title="Maemae 매매", page_icon=address("favicon.svg"), layout="wide")
with st.container(key="own_colours"):  # no line of the page, from the first moment on
    page_style(palette(rises_red=rises_red()))
document_language(language())
mailed = [
    st.Page(sign_in.reset, title=t("page.reset"), url_path=RESET, visibility="hidden"),
    st.Page(sign_in.new_email, title=t("page.email"), url_path=EMAIL, visibility="hidden"),
]
if (user := current_user()) is None:
    doors = [
        st.Page(sign_in.view, title=t("sign_in.title"), url_path=page.name, default=number == 0)
        for number, page in enumerate(PAGES)
    ]
    st.navigation([*doors, *mailed], position="hidden").run()
else:
    pages = [
        st.Page(
            f"app/pages/{page.name}.py",
            title=t(f"page.{page.name}"),
            icon=page.icon,
            url_path=page.name,
            default=number == 0,
        )
        for number, page in enumerate((*PAGES, OPERATORS) if is_operator() else PAGES)
    ]
    shown = st.navigation([*pages, *mailed], position="top")
    bar(user)
    short = words("tab.")
    with st.container(horizontal=True, key="tabs"):
        for number, one in enumerate(page for page in pages if page.url_path not in OFF_THUMB):
            with st.container(key="tab_here" if one is shown else f"tab_{number}"):
                st.page_link(one, icon=one.icon, label=short.get(f"tab.{one.url_path}", one.title))
    shown.run()
