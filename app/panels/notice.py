"""
What an operator says to everybody: the banner over every page, and which doors the front door shows.

Text alone: whatever the banner holds is shown letter by letter. A database that is away takes no page with it: there is
no banner then, and the doors are drawn as usual; what may really be entered is decided when somebody tries.
"""

import streamlit as st

from app.i18n import language
from app.system import system
from app.ui.plain import plain
from lib.domain.errors import Retry
from lib.domain.platform_settings import Admission, Banner

EVERY = "30s"


@st.fragment(run_every=EVERY)
def banner() -> None:
    """Draw the banner that stands now, if one does; it comes and goes on pages that are open."""
    said = _said()
    if said is not None:
        st.info(plain(said.in_language(language())), icon=":material/campaign:")


def doors() -> dict[str, object]:
    """Which ways in the front door shows, for its browser module."""
    held = _admission()
    return {"registration": held.registration.value, "guests": held.takes_guests}


def _said() -> Banner | None:
    try:
        return system().readings.banner()
    except Retry:
        return None


def _admission() -> Admission:
    try:
        return system().readings.admission()
    except Retry:
        return Admission()
