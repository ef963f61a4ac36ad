"""
Records a stranger can check: each version's sealed days with their newest head, the file, and links that show one to
anybody. A link is made in a window of its own, shows neither name nor amounts unless asked to, and is taken back here.
"""

import streamlit as st

from app.i18n import clock_time, md, t
from app.panels.telling import tell
from app.record_page import percent
from app.session import require_user
from app.system import system
from app.ui.assets import address
from app.ui.strategy_lines import strategy_name
from app.ui.write import count
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.queries import RecordLine, RecordLinkLine

_LINK = "_record_link"
MOST_SHOWN = 10


def records(user: SessionUser) -> None:
    """Draw the person's records, the one that was sealed last first."""
    st.caption(t("record.about"))
    kept = system().readings.records(user.user_id)
    if not kept:
        st.caption(t("record.none"))
        return
    links = system().readings.record_links(user.user_id)
    for line in kept[:MOST_SHOWN]:
        with st.container(border=True, key=f"record_{line.record_id}"):
            _record(user, line, [one for one in links if one.record_id == line.record_id])


def _record(user: SessionUser, line: RecordLine, links: list[RecordLinkLine]) -> None:
    name = strategy_name(line.name, t) if line.number else t("record.design")
    st.text(f"{name} · #{line.number} · {percent(line.index)}")
    told = {"days": count(line.days), "decisions": count(line.decisions)}
    st.caption(md("record.line", since=line.since, until=line.until, **told))
    st.caption(t("record.head"), help=t("record.head_note"))
    st.code(line.head, language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(_files(line.record_id))
        with st.popover(
            t("record.show"), key=f"record_show_{line.record_id}", disabled=user.read_only or user.is_guest
        ):
            _shown(user, line.record_id)
    made = st.session_state.get(_LINK)
    if made is not None and made[0] == line.record_id:
        st.caption(t("record.once"))
        st.code(f"{_origin()}/record?code={made[1]}", language=None, wrap_lines=True)
    for one in links:
        _link(user, one)


def _origin() -> str:
    return "/".join((st.context.url or "").split("/")[:3])


def _files(record_id: int) -> str:
    rows = ((f"/api/records/{record_id}/export", "file"), (address("verify_record.py"), "verifier"))
    return " · ".join(f'<a href="{where}" download>{t(f"record.{name}")}</a>' for where, name in rows)


def _shown(user: SessionUser, record_id: int) -> None:
    st.caption(t("record.show_note"))
    st.checkbox(t("record.named"), key=f"record_named_{record_id}")
    st.checkbox(t("record.amounts"), key=f"record_amounts_{record_id}")
    key, barred = f"record_make_{record_id}", user.read_only or user.is_guest
    st.button(t("record.make"), key=key, type="primary", disabled=barred, on_click=_make, args=(record_id,))


def _make(record_id: int) -> None:
    named, amounts = (bool(st.session_state.get(f"record_{name}_{record_id}")) for name in ("named", "amounts"))
    made = system().records.share(require_user(), record_id, named=named, amounts=amounts)
    if isinstance(made, Refusal):
        tell(made, "")
    else:
        st.session_state[_LINK] = (record_id, made.code)
        tell(None, t("record.made"))


def _link(user: SessionUser, one: RecordLinkLine) -> None:
    shows = [
        t(f"record.shows_{name}") for name, is_shown in (("name", one.named), ("amounts", one.amounts)) if is_shown
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = ", ".join(shows) or t("record.shows_percent")
        st.text(t("record.link", made=clock_time(one.made_ms)[:10], shows=told))
        key = f"record_hide_{one.link_id}"
        st.button(t("record.hide"), key=key, disabled=user.read_only, on_click=_hide, args=(one.link_id,))


def _hide(link_id: int) -> None:
    if tell(system().records.unshare(require_user(), link_id), t("record.hidden")):
        st.session_state.pop(_LINK, None)
