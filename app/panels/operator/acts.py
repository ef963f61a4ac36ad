"""
What operators asked for and what became of it: as a table, and the newest of a kind under the place it is asked for.
"""

from collections.abc import Sequence

import streamlit as st

from app.i18n import clock_time, language, t, tongue, zone
from app.operators import require_operator
from app.panels.away import patient
from app.system import system
from app.ui.logs import frame
from app.ui.reasons import say
from app.ui.standing import lock_name
from lib.domain.operator_act import FOR_THE_TRADER, ActKind, ActRow
from lib.trading.operators_room import DOORS

EVERY = 3
SHOWN = 5
SEARCHED = 100
TOLD = ("setting", "link", "kind", "state", "value", "count", "ko", "why")
COLUMNS = ("time", "who", "act", "whom", "result", "origin")


def newest_acts(*kinds: ActKind) -> None:
    """The newest acts of *kinds*, whoever's they are; what waits for the trader is seen to end."""
    with st.container(key="newest_acts"):
        _newest(kinds)


@st.fragment(run_every=EVERY)
def _newest(kinds: tuple[ActKind, ...]) -> None:
    patient(lambda: _draw(kinds))()


def _draw(kinds: tuple[ActKind, ...]) -> None:
    require_operator()
    found = [act for act in system().operators.readings.acts(SEARCHED) if act.kind in kinds][:SHOWN]
    if found:
        st.caption(t("room.newest"))
        act_table(found, "newest_table")


def act_table(found: Sequence[ActRow], key: str) -> None:
    """*found* as a table; every text is a cell's plain text."""
    names = [f"{t(f'room.act.{name}')}{f' ({zone().label})' if name == 'time' else ''}" for name in COLUMNS]
    st.dataframe(frame(names, [_cells(act) for act in found]), hide_index=True, height="content", key=key)


def _cells(act: ActRow) -> tuple[str, ...]:
    whom = t("room.account_no", n=act.account_id) if act.account_id else t("room.whole")
    return clock_time(act.asked_ms), act.email, _what(act), whom, _result(act), act.origin or "–"


def _what(act: ActRow) -> str:
    """The kind of act, and what it was about."""
    told = " · ".join(_word(act, name) for name in TOLD if act.args.get(name))
    return f"{t(f'room.kind.{act.kind}')}{f': {told}' if told else ''}"


def _word(act: ActRow, name: str) -> str:
    """One word of what was asked for, as people read it."""
    text, setting = act.args[name], act.args.get("setting", "")
    if name == "setting":
        return setting_name(text)
    if name == "state":
        return t(f"state.{text}")
    if name == "kind":
        return lock_name(text, tongue())
    return t(f"room.{setting}.{text}") if name == "value" and setting in DOORS else text


def setting_name(name: str) -> str:
    """A platform setting as people call it; a limit's begins with "limit:"."""
    if (limit := name.removeprefix("limit:")) != name:
        return t(f"platform_limit.{limit}")
    keys = {"registration": "room.registration", "guests": "room.guests_door", "banner": "room.banner"}
    return t(keys[name]) if name in keys else name


def _result(act: ActRow) -> str:
    if act.done_ms:
        return say(act.result, language())
    if act.kind not in FOR_THE_TRADER:
        return t("room.unknown_end")
    return t("room.under_way" if act.taken_ms else "room.waits")
