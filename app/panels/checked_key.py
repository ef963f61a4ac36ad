"""
What was found of a key that was just taken, each right by itself, with where it works from and until when.

It is told once, after the check; what the key may do later is asked again by the trader.
"""

import streamlit as st

from app.i18n import clock_time, md, t, zone
from lib.accounts.key_gate import RIGHTS
from lib.accounts.trading import KeySaved

SOON_MS = 14 * 24 * 3_600_000


def checked_key(saved: KeySaved, now_ms: int) -> None:
    """Draw it."""
    with st.container(border=True, key="checked"):
        st.success(md("checked.title", last4=saved.last4), icon=":material/verified_user:")
        in_doubt = "rights" in saved.doubts
        for name in RIGHTS:
            mark = ":orange[:material/help:]" if in_doubt else ":green[:material/check_circle:]"
            st.markdown(f"{mark} {t(f'checked.{name}')}")
        if in_doubt:
            st.caption(t("doubt.rights"))
        st.markdown(f":material/lan: {_addresses(saved)}")
        st.markdown(f":material/event: {_until(saved, now_ms)}")


def _addresses(saved: KeySaved) -> str:
    if not saved.bound_ips:
        return t("checked.any_address")
    return md("checked.bound", addresses=", ".join(saved.bound_ips))


def _until(saved: KeySaved, now_ms: int) -> str:
    if not saved.expires_at:
        return t("checked.no_end")
    at = f"{clock_time(saved.expires_at)[:-3]} {zone().label}"
    return md("checked.soon" if saved.expires_at - now_ms < SOON_MS else "checked.until", at=at)
