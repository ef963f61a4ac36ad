"""
A model asked about the past: which version's question, of whom, how often; what it costs stands under it.

The limits are the version's own, and the blindfold is always on.
"""

from datetime import date
from decimal import Decimal

import streamlit as st

from app.i18n import t
from app.panels.choices import still
from app.panels.memory import memory_badges, profiles, running_version
from app.panels.past_asking import asking
from app.panels.version_choice import version_choice
from app.ui.models import model_label
from lib.accounts.quarantine import PastWish
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES
from lib.domain.day import DAY_MS

PLACE = "bt_past"
_EPOCH = date(1970, 1, 1)


def whom(user: SessionUser, *, off: bool) -> int:
    """Draw whose question it is and who is asked; the version that was chosen, 0 = what trades now."""
    version_id = version_choice(user, PLACE, off=off)
    models = {"": t("shadow.its_own")} | {name: model_label(one) for name, one in profiles(user).items()}
    st.selectbox(
        t("model.model"), list(models), format_func=models.__getitem__, key=still(f"{PLACE}_model"), filter_mode=None,
        disabled=off,
    )  # fmt: skip
    st.selectbox(
        t("strat.cadence"), (0, *CADENCES), key=still(f"{PLACE}_cadence"), disabled=off, filter_mode=None,
        format_func=lambda one: t("strat.minutes", n=one) if one else t("past.own_cadence"),
    )  # fmt: skip
    return version_id


def found_of(user: SessionUser, version_id: int) -> None:
    """What memory tests found of the version that was chosen."""
    memory_badges(user, version_id or running_version(user))


def ask_about(user: SessionUser, version_id: int, balance: Decimal) -> None:
    """Draw the way to the answer: its price, then a cap, then the question."""
    state, days = st.session_state, st.session_state.get(f"{PLACE}_days")
    wish = None
    if isinstance(days, tuple) and len(days) == 2:
        wish = PastWish(
            "model",
            version_id,
            str(state.get(f"{PLACE}_model") or ""),
            str(state["bt_symbol"]),
            (days[0] - _EPOCH).days * DAY_MS,
            ((days[1] - _EPOCH).days + 1) * DAY_MS,
            balance=balance,
            cadence_min=int(state.get(f"{PLACE}_cadence") or 0),
        )
    asking(user, wish, PLACE)
