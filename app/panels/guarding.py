"""
What guards the account, to change it: e-mail and password, the second factor with its recovery codes.

Each form is the browser's own and posts to our routes; nothing secret is in the script. Changing anything wants a proof
of the last five minutes.
"""

import streamlit as st

from app.http.hosts import read_place
from app.i18n import clock_time, md, t, words
from app.panels.step_up import is_proved, proof
from app.panels.telling import tell
from app.session import look_again, require_user
from app.system import system
from app.ui.plain import plain
from app.ui.small import guard
from lib.accounts.web import SessionUser
from lib.queries import PasskeyLine

FEW_CODES = 3


def guarding(user: SessionUser) -> None:
    """Draw it; of a guest only the way to become a person."""
    if user.is_guest:
        with st.container(border=True, key="guarding"):
            st.subheader(t("guard.title"), anchor=False)
            st.text(t("guard.guest"))
            st.page_link("app/pages/settings.py", label=t("page.settings"), icon=":material/tune:")
        return
    if not is_proved(user):
        with st.container(border=True, key="proof"):
            st.subheader(t("proof.title"), anchor=False)
            proof(user, "proof_box")
    _sign_in(user)
    _factor(user)


def _sign_in(user: SessionUser) -> None:
    with st.container(border=True, key="guarding"):
        st.subheader(t("guard.title"), anchor=False)
        st.caption(md("guard.email_now", email=user.email))
        if not is_proved(user):
            return
        with st.expander(t("guard.password"), icon=":material/password:"):
            st.caption(t("guard.password_note"))
            _form("password", "/api/account/password", _OLD, _NEW)
        with st.expander(t("guard.email"), icon=":material/mail:"):
            mails = system().emails.can_mail
            if mails:
                st.caption(t("guard.email_note"))
            _form("email", "/api/account/email", _EMAIL, _PASSWORD, done="guard.email_sent" if mails else "")


_OLD = ("old", "password", "current-password")
_NEW = ("new", "password", "new-password")
_EMAIL = ("email", "email", "email")
_PASSWORD = ("password", "password", "current-password")


def _form(
    name: str, path: str, *fields: tuple[str, str, str], method: str = "POST", danger: bool = False, done: str = ""
) -> None:
    described = [
        {
            "name": field,
            "label": t("guard.own_email" if danger else f"guard.field_{field}"),
            "type": kind,
            "autocomplete": known,
        }
        for field, kind, known in fields
    ]
    text = {"submit": t(f"guard.{name}_do")}
    data = {"kind": "form", "path": path, "method": method, "fields": described, "text": text, "danger": danger}
    _guarded(name, data | {"leaves": name == "delete"}, done)


def _guarded(name: str, data: dict[str, object], done: str = "") -> None:
    if guard(f"guard_{name}", data, words("refuse.")):
        look_again()
        st.session_state["guarded"] = t(done or f"guard.{name}_done")
        st.rerun()


def told() -> None:
    """Say what was done in the run before, which drew the page anew."""
    if done := st.session_state.pop("guarded", ""):
        st.toast(done, icon=":material/check_circle:", duration="long")


def passkeys(user: SessionUser) -> None:
    """The person's passkeys, one more, and forgetting one."""
    if user.is_guest:
        return
    found, proved = system().readings.passkeys(user.user_id), is_proved(user)
    with st.container(border=True, key="passkeys"):
        st.subheader(t("guard.passkeys"), anchor=False)
        st.caption(t("guard.passkeys_note"))
        for line in found:
            _passkey(line, proved=proved)
        if not proved:
            return
        if _under_a_name():
            _guarded("passkey", {"kind": "passkey", "text": {"submit": t("guard.passkey_do")}})
        else:
            st.text(t("guard.passkeys_name"))


def _passkey(line: PasskeyLine, *, proved: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"passkey_{line.id}"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{plain(line.name)}**")
            used = clock_time(line.used_ms)[:-3] if line.used_ms else t("guard.passkey_unused")
            st.caption(md("guard.passkey_line", made=clock_time(line.created_ms)[:10], used=used))
        if proved and st.button(t("guard.passkey_drop"), key=f"drop_passkey_{line.id}"):
            answer = system().passkeys.remove(require_user(), line.id)
            if tell(answer, t("guard.passkey_dropped")):
                st.rerun()


def _under_a_name() -> bool:
    """Whether this page was opened under a name: no browser makes a passkey for a bare address."""
    place = read_place(st.context.headers.get("Host", ""), "https")
    return place is not None and not place.is_number


def leaving(user: SessionUser) -> None:
    """Taking one's data along, and deleting the account."""
    if user.is_guest:
        return
    with st.container(border=True, key="leaving"):
        st.subheader(t("guard.data"), anchor=False)
        st.caption(t("guard.data_note"))
        if not is_proved(user):
            st.text(t("guard.data_proof"))
            return
        guard("guard_export", {"kind": "export", "text": {"submit": t("guard.export_do")}}, words("refuse."))
        with st.expander(t("guard.delete"), icon=":material/person_remove:"):
            st.text(t("guard.delete_note"))
            _form("delete", "/api/account/delete", ("email", "email", "off"), danger=True)


CODE_TEXTS = ("code", "confirm", "scan", "qr", "by_hand", "codes_note", "copy", "copied", "save", "kept")


def _factor(user: SessionUser) -> None:
    state = system().readings.factor(user.user_id)
    with st.container(border=True, key="factor"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(t("guard.factor"), anchor=False)
            st.badge(t("guard.on" if state.is_on else "guard.off"), color="green" if state.is_on else "gray")
        st.caption(t("guard.factor_note"))
        if state.is_on:
            st.text(t("guard.codes_left", n=state.codes_left))
            if state.codes_left < FEW_CODES:
                st.warning(t("guard.codes_few"), icon=":material/warning:")
        if not is_proved(user):
            return
        if not state.is_on:
            _begin("factor")
            return
        with st.expander(t("guard.codes"), icon=":material/key_vertical:"):
            st.caption(t("guard.codes_renew_note"))
            _begin("codes")
        with st.expander(t("guard.drop"), icon=":material/no_encryption:"):
            st.caption(t("guard.drop_note"))
            _form("drop", "/api/account/factor", method="DELETE", danger=True)


def _begin(kind: str) -> None:
    text = {name: t(f"guard.{name}") for name in CODE_TEXTS} | {"submit": t(f"guard.{kind}_do")}
    _guarded(kind, {"kind": kind, "text": text})
