"""
The operator's list of models: what each costs and may cost a day, one more, another price or budget, one retired.

The trader writes the list. A key, another address and deleting are a terminal's acts, and their command stands here.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import md, t
from app.operators import require_operator
from app.panels.choices import still
from app.panels.operator.acts import newest_acts
from app.panels.telling import tell
from app.system import system
from app.ui.logs import frame
from app.ui.models import model_label, prices_words, usd
from lib.domain.model_profile import LONGEST_MODEL, LONGEST_SHOWN, LONGEST_URL, KeptModel
from lib.domain.model_wish import ModelWish
from lib.trading.operators_room import LONGEST_WHY

NEW = ""
COLUMNS = ("name", "model", "price", "day", "state", "key")
COMMAND = 'make control ARGS="model NAME --key"'
LONGEST_OWN_NAME, LONGEST_AMOUNT, CARD = 35, 12, 260


def models() -> None:
    """Draw the section."""
    listed = {one.profile.name: one for one in system().operators.models()}
    with st.container(border=True, key="listed_models"):
        st.subheader(t("room.models_list"), anchor=False)
        st.caption(t("room.models_note"))
        if listed:
            rows = [_cells(one) for one in listed.values()]
            names = [t(f"room.models.{name}") for name in COLUMNS]
            st.dataframe(frame(names, rows), hide_index=True, height="content", key="models_table")
        else:
            st.caption(t("room.models_none"))
        _form(listed)
        st.caption(t("room.models_key"))
        st.code(COMMAND, language=None, wrap_lines=True)
    newest_acts("setting")


def _cells(kept: KeptModel) -> tuple[str, ...]:
    profile = kept.profile
    day = "–" if profile.day_usd is None else usd(profile.day_usd)
    state = t("room.models.offered" if profile.offered else "room.models.retired")
    key = f"••••{kept.last4}" if kept.sealed else "–"
    return profile.name, f"{model_label(profile)} · {profile.host}", prices_words(profile.prices, t), day, state, key


def _form(listed: dict[str, KeptModel]) -> None:
    name = st.selectbox(
        t("room.models.which"),
        [NEW, *listed],
        format_func=lambda one: listed[one].profile.shown if one in listed else t("room.models.new"),
        key=still("listed_chosen"),
        filter_mode=None,
    )
    now = listed[name].profile if name in listed else None
    prices = now.prices if now and now.prices.known else None
    with st.form(f"listed_form_{name}", border=False):
        with st.grid(columns="auto", min_column_width=CARD, gap="small"):
            if now is None:
                for field, most in (("name", LONGEST_OWN_NAME), ("base_url", LONGEST_URL), ("model", LONGEST_MODEL)):
                    _line(name, field, most)
            _line(name, "shown", LONGEST_SHOWN, now.shown if now else "")
            _line(name, "input_usd", LONGEST_AMOUNT, _amount(prices.input_usd) if prices else "")
            _line(name, "output_usd", LONGEST_AMOUNT, _amount(prices.output_usd) if prices else "")
            _line(name, "day_usd", LONGEST_AMOUNT, _amount(now.day_usd) if now and now.day_usd is not None else "")
            st.text_input(t("room.why"), key=f"listed_why_{name}", max_chars=LONGEST_WHY)
        st.checkbox(t("room.models.offer"), now.offered if now else True, key=f"listed_offered_{name}")
        st.form_submit_button(t("room.change"), type="primary", on_click=_asked, args=(name,))
    st.caption(md("room.models.form_note"))


def _line(name: str, field: str, most: int, value: str = "") -> None:
    """A field of the model *name*: each has its own, or one model's figures would stand in another's form."""
    st.text_input(t(f"room.models.field_{field}"), value, key=f"listed_{field}_{name}", max_chars=most)


def _amount(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _asked(name: str) -> None:
    typed = {
        one: str(st.session_state.get(f"listed_{one}_{name}") or "").strip()
        for one in ("name", "shown", "base_url", "model", "input_usd", "output_usd", "day_usd")
    }
    typed["name"] = name or typed["name"]
    wish = ModelWish(**typed, offered="yes" if st.session_state.get(f"listed_offered_{name}") else "no")
    why = str(st.session_state.get(f"listed_why_{name}") or "")
    tell(system().operators.room.set_model(require_operator(), wish, why), t("room.asked"))
