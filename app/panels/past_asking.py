"""
Asking a model about the past: what it costs and what must be known of it first, then a cap, then the question.

An offer is of one question alone: whoever changes what is asked is told its price anew.
"""

from dataclasses import replace
from decimal import ROUND_UP, Decimal

import streamlit as st

from app.i18n import t
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.models import model_label
from app.ui.plain import plain
from app.ui.quarantine import cost_words, stamp_words
from lib.accounts.quarantine import PastOffer, PastWish
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.backtests import MOST_QUESTIONS

LONGEST_CAP = 10
CENT = Decimal("0.01")
CAP = 220
"""Pixels."""


def asking(user: SessionUser, wish: PastWish | None, place: str) -> None:
    """The way to *wish*, None = it is not said in full yet; *place* tells forms apart."""
    off = user.read_only or user.is_guest
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{place}_way"):
        st.button(
            t("past.price"), key=f"{place}_price", icon=":material/sell:", disabled=off or wish is None,
            on_click=_want, args=(place,),
        )  # fmt: skip
        if off:
            st.caption(t("refuse.read_only" if user.read_only else "refuse.guest"))
    if st.session_state.pop(_wanted(place), False) and wish is not None:
        _price(wish, place)
    asked, offer = st.session_state.get(_kept(place)) or (None, None)
    if offer is not None and asked == wish and not off:
        _offered(offer, place)


def _kept(place: str) -> str:
    return f"_{place}_offer"


def _wanted(place: str) -> str:
    return f"_{place}_wanted"


def _want(place: str) -> None:
    """The price of what stands there once the page is drawn: a field that was left by this click is in it."""
    st.session_state[_wanted(place)] = True


def _price(wish: PastWish, place: str) -> None:
    offer = system().quarantine.offer(require_user(), wish)
    if isinstance(offer, Refusal):
        tell(offer, "")
        return
    st.session_state[_kept(place)] = (wish, offer)


def _offered(offer: PastOffer, place: str) -> None:
    model = model_label(offer.model)
    st.markdown(plain(cost_words(offer.cost, t)))
    st.warning(plain(stamp_words(offer.when, model, offer.model.cutoff, t)), icon=":material/science_off:")
    if _by(offer):
        st.text_input(
            t(f"past.cap_{_by(offer)}"), key=f"{place}_cap", max_chars=LONGEST_CAP, width=CAP, autocomplete="off",
            placeholder=t("past.cap_example", value=_enough(offer)),
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(t("past.ask"), key=f"{place}_ask", type="primary", icon=":material/play_arrow:",
                  on_click=_ask, args=(place,))  # fmt: skip
        st.caption(t("past.ask_note"))


def _by(offer: PastOffer) -> str:
    """What is capped: USD, questions where no price is known, nothing where nothing is paid."""
    prices = offer.model.prices
    return "calls" if not prices.known else "" if prices.free else "usd"


def _enough(offer: PastOffer) -> str:
    """A cap under which all of it can be asked, as it is typed."""
    high = offer.cost.high
    return str(offer.cost.calls) if high is None else f"{high.quantize(CENT, ROUND_UP):f}"


def _ask(place: str) -> None:
    wish, offer = st.session_state[_kept(place)]
    typed = _typed(st.session_state.get(f"{place}_cap"))
    if _by(offer) == "usd":
        wish = replace(wish, most_usd=typed)
    elif _by(offer) == "calls":
        wish = replace(wish, most_calls=_whole(typed))
    made = system().quarantine.ask(require_user(), wish)
    if isinstance(made, Refusal):
        tell(made, "")
        return
    st.session_state.pop(_kept(place), None)
    tell(None, t(f"past.asked_{wish.kind}"))


def _whole(typed: Decimal | None) -> int:
    """A number of questions that there can be; 0 for anything else."""
    if typed is None or not 0 < typed <= MOST_QUESTIONS:
        return 0
    return int(typed) if typed == int(typed) else 0


def _typed(text: object) -> Decimal | None:
    """The amount that was typed; None for what is none."""
    try:
        value = Decimal(str(text or "").replace(",", ".").strip())
    except ArithmeticError:
        return None
    return value if value.is_finite() else None
