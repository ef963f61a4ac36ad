"""
Which models are asked and in what order, a person's own with their keys, and what each cost by day.

A key is typed and sealed, and comes back to no page. A price nobody knows is said to be unknown. Each change of the
order is a version of the strategy that runs.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from app.i18n import clock_time, md, t
from app.panels.choices import still
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.models import model_label, own_name, prices_words, usd
from app.ui.write import count
from lib.accounts.models import ModelChoice
from lib.accounts.web import SessionUser
from lib.domain.day import DAY_MS
from lib.domain.model_profile import (
    DEFAULT_CHAIN,
    LONGEST_KEY,
    LONGEST_MODEL,
    LONGEST_SHOWN,
    LONGEST_URL,
    MOST_IN_CHAIN,
    OWN,
    ModelProfile,
    is_own,
)
from lib.domain.pricing import AnalystPrices
from lib.queries import Choices

DAYS = 7
CARD = 260
"""Pixels: own models beside each other on a desk's screen, one under the other on a phone."""


def models(user: SessionUser, chosen: Choices) -> None:
    """Draw the order, the costs and the person's own models."""
    found = {one.profile.name: one for one in system().models.choices(user.user_id, is_guest=user.is_guest)}
    _order(user, chosen, found)
    if not any(map(is_own, chosen.settings.models)):
        _cap(user, found, chosen)
    _costs(user, found)
    if not user.is_guest:
        _own(user, [one for one in found.values() if one.profile.is_own])


def _order(user: SessionUser, chosen: Choices, found: dict[str, ModelChoice]) -> None:
    now = list(chosen.settings.models or DEFAULT_CHAIN)
    key = f"models_{chosen.settings_version}"
    options = [*found, *(name for name in now if name not in found)]
    st.multiselect(
        t("model.order"),
        options,
        now,
        format_func=lambda name: model_label(found[name].profile) if name in found else t("model.gone", name=name),
        key=still(key),
        max_selections=MOST_IN_CHAIN,
        disabled=user.read_only or user.is_guest,
        on_change=_set_order,
        args=(key, chosen.settings_version),
    )
    st.caption(t("control.prompt_guest" if user.is_guest else "model.order_note"))
    for place, name in enumerate(now, 1):
        if name in found:
            prices = prices_words(found[name].profile.prices, t)
            day = found[name].profile.day_usd
            budget = "" if day is None else f" · {t('model.a_day', usd=usd(day))}"
            st.text(f"{place}. {model_label(found[name].profile)} · {prices}{budget}")
        else:
            st.text(f"{place}. {t('model.gone', name=name)}")


def _set_order(key: str, version: int) -> None:
    user, wanted = require_user(), tuple(st.session_state.get(key) or ())
    chosen = system().readings.settings(user.user_id)
    if chosen is not None:
        names = () if wanted in ((), DEFAULT_CHAIN) else wanted
        tell(system().trading.change_settings(user, replace(chosen.settings, models=names), version), t("strat.next"))


def _cap(user: SessionUser, found: dict[str, ModelChoice], chosen: Choices) -> None:
    """The person's cap on the operator's models of today and what is left of it; nothing where nobody is capped."""
    most = system().readings.person_cap(system().operators.limits)
    if most is None:
        return
    today = system().clock.now_ms() // DAY_MS * DAY_MS
    parts = [row.usd for row in system().readings.model_days(user.user_id, today) if not row.is_own and row.usd]
    used = sum(parts, Decimal(0))
    said = {"most": usd(most), "used": usd(used), "left": usd(max(most - used, Decimal(0)))}
    st.progress(min(float(used / most), 1.0) if most else 1.0, md("model.cap", **said))
    if used < most:
        st.caption(t("model.cap_note"))
        return
    names = chosen.settings.models or DEFAULT_CHAIN
    free = [one for name in names if (one := found.get(name)) and one.profile.prices.free]
    if free:
        st.warning(md("model.cap_free", model=model_label(free[0].profile)), icon=":material/warning:")
    else:
        st.warning(md("model.cap_none"), icon=":material/warning:")


def _costs(user: SessionUser, found: dict[str, ModelChoice]) -> None:
    since = system().clock.now_ms() // DAY_MS * DAY_MS - (DAYS - 1) * DAY_MS
    rows = system().readings.model_days(user.user_id, since)
    st.markdown(f"**{md('model.costs', n=DAYS)}**")
    if not rows:
        st.caption(t("model.no_costs"))
        return
    known = [row.usd for row in rows if row.usd is not None]
    total = usd(sum(known, Decimal(0))) if known else t("model.unknown")
    st.markdown(md("model.total", usd=total, n=count(sum(row.calls for row in rows))))
    names = {name: one.profile.shown for name, one in found.items()}
    st.dataframe(
        {
            t("model.day"): [clock_time(row.day_ms)[:10] for row in rows],
            t("model.model"): [names.get(row.name, row.name) for row in rows],
            t("model.calls"): [count(row.calls) for row in rows],
            t("model.tokens"): [count(row.tokens) for row in rows],
            t("model.part"): [t("model.unknown") if row.usd is None else usd(row.usd) for row in rows],
        },
        hide_index=True,
        key="model_costs",
    )
    st.caption(t("model.costs_note"))


def _own(user: SessionUser, own: list[ModelChoice]) -> None:
    st.markdown(f"**{md('model.own')}**")
    st.caption(t("model.own_note"))
    with st.grid(columns="auto", min_column_width=CARD, gap="small"):
        for one in own:
            with st.container(border=True, gap="xsmall", key=f"own_{own_name(one.profile.name)}"):
                _card(user, one)
    with st.expander(t("model.add"), key="own_model_add"):
        _form(user)


def _card(user: SessionUser, one: ModelChoice) -> None:
    profile = one.profile
    st.text(profile.shown)
    st.caption(md("model.at", name=profile.name, host=profile.host))
    st.text(prices_words(profile.prices, t))
    if profile.day_usd is not None:
        st.text(t("model.a_day", usd=usd(profile.day_usd)))
    st.caption(md("model.key_last4", last4=one.last4) if one.has_key else t("model.keyless"))
    with st.container(horizontal=True, gap="xsmall"):
        _button(user, "delete", profile.name, _delete)
        if one.has_key:
            _button(user, "clear_key", profile.name, _clear_key)


def _button(user: SessionUser, act: str, name: str, work: Callable[[str], None]) -> None:
    key = f"{act}_{own_name(name)}"
    st.button(t(f"model.{act}"), key=key, disabled=user.read_only, on_click=work, args=(name,))


def _clear_key(name: str) -> None:
    tell(system().models.clear_key(require_user(), name), t("model.key_cleared"))


def _delete(name: str) -> None:
    tell(system().models.delete(require_user(), name), t("model.deleted"))


def _form(user: SessionUser) -> None:
    turn = st.session_state.get("own_model_turn", 0)

    def line(name: str, most: int, hint: str = "") -> str:
        typed = st.text_input(
            t(f"model.field_{name}"),
            type="password" if name == "key" else "default",
            max_chars=most,
            key=f"own_{name}_{turn}",
            placeholder=hint,
            disabled=user.read_only,
        )
        return typed.strip()

    with st.form(f"own_model_{turn}", border=False):
        with st.grid(columns="auto", min_column_width=CARD, gap="small"):
            name = line("name", 35, "my-model")
            shown = line("shown", LONGEST_SHOWN)
            url = line("url", LONGEST_URL, "https://api.openai.com/v1")
            model = line("model", LONGEST_MODEL, "gpt-6-luna")
            key = line("key", LONGEST_KEY)
            asked, said = line("input", 12, t("model.unknown")), line("output", 12, t("model.unknown"))
            day = line("day", 12)
        st.caption(t("model.form_note"))
        if st.form_submit_button(t("model.save"), type="primary", disabled=user.read_only):
            profile = _read(name, shown or model, url, model, (asked, said, day))
            if profile is None:
                st.error(t("refuse.model.price"))
            elif tell(system().models.save(require_user(), profile, key or None), t("model.saved")):
                st.session_state["own_model_turn"] = turn + 1
                st.rerun(scope="app")


def _read(name: str, shown: str, url: str, model: str, money: tuple[str, str, str]) -> ModelProfile | None:
    """The profile that was typed; None when an amount is none."""
    try:
        asked, said, day = (Decimal(text) if text else None for text in money)
    except ArithmeticError:
        return None
    if not all(one is None or one.is_finite() for one in (asked, said, day)):
        return None
    if (asked is None) != (said is None):
        return None
    prices = AnalystPrices()
    if asked is not None and said is not None:
        prices = AnalystPrices(asked, said, free=not asked and not said)
    return ModelProfile(f"{OWN}{name}", shown, url.rstrip("/"), model, prices, day)
