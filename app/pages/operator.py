"""
The operators' room: how the system is, people and their accounts, stopping, what a person must look at, platform
settings, models, logs, and what operators did. Nobody's keys, prompts or answers, and no way to act as another person.
"""

import streamlit as st

from app.i18n import t
from app.operators import require_operator
from app.panels.choices import still
from app.panels.operator.audit import audit
from app.panels.operator.logs import logs
from app.panels.operator.models import models
from app.panels.operator.people import people
from app.panels.operator.platform import platform
from app.panels.operator.review import review
from app.panels.operator.status import status
from app.panels.operator.stopping import stopping
from app.panels.top import title, top
from app.session import require_user

SECTIONS = {
    "status": status,
    "people": people,
    "stopping": stopping,
    "review": review,
    "platform": platform,
    "models": models,
    "logs": logs,
    "audit": audit,
}


def _chosen() -> str:
    """The section that is open; the address names it, so that it can be kept and sent to a colleague."""
    if st.session_state.get("section") not in SECTIONS:
        asked = st.query_params.get("section", "")
        st.session_state["section"] = asked if asked in SECTIONS else "status"
    return str(
        st.segmented_control(
            t("page.operator"),
            list(SECTIONS),
            format_func=lambda name: t(f"room.{name}"),
            key=still("section"),
            label_visibility="collapsed",
            required=True,
            on_change=_moved,
        )
    )


def _moved() -> None:
    st.query_params["section"] = st.session_state["section"]


require_user()
user = require_operator()
top(user, title("page.operator"))
with st.container(key="room"):
    SECTIONS[_chosen()]()
