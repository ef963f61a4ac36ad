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
from lib.domain import reason_codes as codes
from lib.domain.operator_act import FOR_THE_TRADER, ActKind, ActRow
from lib.domain.platform_settings import BANNER, KRW, read_banner
from lib.trading.operators_room import DEFAULT, DOORS, ENDS

EVERY = 3
SHOWN = 5
SEARCHED = 100
TOLD = ("setting", "link", "kind", "person", "state", "value", "count", "ko", "why")
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
    return clock_time(act.asked_ms), _whose(act), _what(act), whom, _result(act), act.origin or "–"


def _whose(act: ActRow) -> str:
    return act.email or who_on_terminal(act.who)


def who_on_terminal(who: str) -> str:
    """ "cli:kim@desk" as people call it; any other name as it is."""
    return t("room.terminal", who=who.removeprefix("cli:")) if who.startswith("cli:") else who


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
        return t(f"state.{text}") if text in ENDS else text
    if name == "kind":
        return lock_name(text, tongue())
    if name == "count":
        return t("room.invitations", n=text)
    return setting_value(setting, text) if name == "value" else text


def setting_name(name: str) -> str:
    """A platform setting as people call it; a limit's begins with "limit:"."""
    if (limit := name.removeprefix("limit:")) != name:
        return t(f"platform_limit.{limit}")
    keys = {
        "registration": "room.registration",
        "guests": "room.guests_door",
        "arena": "page.arena",
        "banner": "room.banner",
        KRW: "krw.title",
    }
    return t(keys[name]) if name in keys else name


def setting_value(name: str, text: str | None) -> str:
    """What a platform setting says, as people call it; *name* as in `setting_name`, None = no row."""
    if text is None or text == DEFAULT:
        return "–" if name == KRW else t("room.default")
    if text in DOORS.get(name, ()):
        return t(f"room.{name}.{text}")
    said = read_banner({BANNER: text}) if name == "banner" else None
    return said.in_language(language()) if said else text


def _result(act: ActRow) -> str:
    if codes.SETTING_CHANGED.is_of(act.result):
        changed = {
            side: setting_value(act.args.get("setting", ""), str(text)) for side, text in act.result.params.items()
        }
        return say(codes.SETTING_CHANGED(**changed), language())
    if act.done_ms:
        return say(act.result, language())
    if act.kind not in FOR_THE_TRADER:
        return t("room.unknown_end")
    return t("room.under_way" if act.taken_ms else "room.waits")
