"""
Shadows: versions and models that answer beside the one that trades, each with its turns of today and its budget.

They place no orders, and the card says so first. What is added here runs from the next decision on; nothing is asked
from this page.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import language, md, t
from app.panels.choices import still
from app.panels.memory import memory_badges, running_version
from app.panels.telling import tell
from app.panels.version_choice import version_choice, version_chosen
from app.session import require_user
from app.system import system
from app.ui.models import model_label, usd
from app.ui.reasons import say
from app.ui.strategy_lines import strategy_name
from app.ui.write import count
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.shadow import MOST_CALLS, MOST_USD, USUAL_CALLS, USUAL_USD, ShadowBudget
from lib.queries import ShadowLine

CARD = 300
"""Pixels: two cards beside each other on a desk's screen, one under the other on a phone."""
MOST_WHYS = 3
LONGEST_USD = 10
PLACE, _MODEL = "shadows", "shadows_model"


def shadows(user: SessionUser) -> None:
    """Draw the person's shadows, the oldest first, and how one is added."""
    st.caption(t("shadow.about"))
    if user.is_guest:
        st.caption(t("shadow.guest"))
        return
    found, labels = system().readings.shadows(user.user_id), _labels(user)
    running, most = sum(one.running for one in found), system().shadows.most()
    st.markdown(f"**{md('shadow.running', n=count(running), most=count(most))}**")
    if not found:
        st.caption(t("shadow.none"))
    with st.grid(columns="auto", min_column_width=CARD, gap="small"):
        for one in found:
            with st.container(border=True, gap="xsmall", height="stretch", key=f"shadows_{one.shadow.shadow_id}"):
                _card(user, one, labels)
    with st.expander(t("shadow.add"), key="shadows_add", expanded=not found):
        _form(user, labels)


def _labels(user: SessionUser) -> dict[str, str]:
    """The models the person may choose, as people call them."""
    choices = system().models.choices(user.user_id, is_guest=user.is_guest)
    return {one.profile.name: model_label(one.profile) for one in choices}


def _card(user: SessionUser, one: ShadowLine, labels: dict[str, str]) -> None:
    name = t("strat.design") if one.name is None else f"{strategy_name(one.name, t)} · #{one.number}"
    asks = " → ".join(labels.get(model, model) for model in one.shadow.content.chain)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.text(name)
        color, state = ("green", "on") if one.running else ("gray", "off")
        st.badge(t(f"shadow.{state}"), color=color)  # type: ignore[arg-type]
    st.caption(md("shadow.asks", models=asks))
    _today(one)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        _button(user, one)
        number = one.shadow.shadow_id
        with st.popover(t("shadow.budget"), key=f"shadows_budget_{number}", disabled=user.read_only):
            _budget(user, one)
        with st.popover(t("shadow.remove"), key=f"shadows_gone_{number}", disabled=user.read_only):
            st.caption(t("shadow.remove_note"))
            st.button(t("shadow.remove"), key=f"shadows_remove_{number}", disabled=user.read_only,
                      on_click=_remove, args=(number,))  # fmt: skip


def _today(one: ShadowLine) -> None:
    today, budget = one.today, one.shadow.budget
    share = min(today.asked / budget.calls, 1.0)
    st.progress(share, md("shadow.today", n=count(today.asked), most=count(budget.calls)))
    spent = t("model.unknown") if today.unpriced and today.unpriced == today.asked else usd(today.usd)
    st.caption(md("shadow.cost", spent=spent, most=usd(budget.usd)))
    if today.shared:
        st.caption(md("shadow.shared", n=count(today.shared)))
    st.caption(md("shadow.scored", answered=count(one.answered), scored=count(one.scored)))
    if today.drops:
        st.caption(md("shadow.dropped", n=count(today.drops)))
        for why, times in today.dropped[:MOST_WHYS]:
            st.caption(md("shadow.why", n=count(times), why=say(why, language())))


def _button(user: SessionUser, one: ShadowLine) -> None:
    act, number = ("stop" if one.running else "start"), one.shadow.shadow_id
    st.button(t(f"shadow.{act}"), key=f"shadows_{act}_{number}", disabled=user.read_only, on_click=_switch,
              args=(number, not one.running))  # fmt: skip


def _budget(user: SessionUser, one: ShadowLine) -> None:
    number, budget = one.shadow.shadow_id, one.shadow.budget
    _budget_fields(user, str(number), budget)
    st.button(t("shadow.save"), key=f"shadows_save_{number}", type="primary", disabled=user.read_only,
              on_click=_set_budget, args=(number,))  # fmt: skip


def _budget_fields(user: SessionUser, place: str, budget: ShadowBudget) -> None:
    st.number_input(
        t("shadow.day_calls"), 1, MOST_CALLS, budget.calls, key=f"shadows_calls_{place}", disabled=user.read_only
    )
    st.text_input(t("shadow.day_usd"), f"{budget.usd.normalize():f}", key=f"shadows_usd_{place}",
                  max_chars=LONGEST_USD, disabled=user.read_only)  # fmt: skip


def _typed(place: str) -> ShadowBudget:
    """The budget that was typed; one that cannot be had where it is none."""
    state = st.session_state
    try:
        return ShadowBudget(
            int(state.get(f"shadows_calls_{place}") or 0), Decimal(str(state.get(f"shadows_usd_{place}")))
        )
    except (ArithmeticError, TypeError, ValueError):
        return ShadowBudget(0, MOST_USD)


def _form(user: SessionUser, labels: dict[str, str]) -> None:
    with st.grid(columns="auto", min_column_width=CARD, gap="small"):
        version_id = version_choice(user, PLACE, off=user.read_only) or running_version(user)
        models = {"": t("shadow.its_own")} | labels
        st.selectbox(t("model.model"), list(models), format_func=models.__getitem__, key=still(_MODEL),
                     filter_mode=None, disabled=user.read_only)  # fmt: skip
        _budget_fields(user, "new", ShadowBudget(USUAL_CALLS, USUAL_USD))
    memory_badges(user, version_id)
    st.caption(t("shadow.form_note"))
    st.button(t("shadow.add_this"), key="shadows_add_this", type="primary", disabled=user.read_only, on_click=_add)


def _add() -> None:
    state = st.session_state
    made = system().shadows.add(require_user(), version_chosen(PLACE), str(state.get(_MODEL) or ""), _typed("new"))
    tell(made if isinstance(made, Refusal) else None, t("shadow.added"))


def _switch(shadow_id: int, to_run: bool) -> None:
    desk, user = system().shadows, require_user()
    done = desk.start(user, shadow_id) if to_run else desk.stop(user, shadow_id)
    tell(done, t("shadow.started" if to_run else "shadow.stopped"))


def _set_budget(shadow_id: int) -> None:
    tell(system().shadows.set_budget(require_user(), shadow_id, _typed(str(shadow_id))), t("shadow.saved"))


def _remove(shadow_id: int) -> None:
    tell(system().shadows.remove(require_user(), shadow_id), t("shadow.removed"))
