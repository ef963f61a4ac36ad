"""
Our small browser modules beside the chart: the front door, the way out, the countdown, the languages, a way on.
"""

from collections.abc import Mapping

from app.ui.assets import address, component
from app.ui.style import COUNTDOWN, DOOR, GUARD, LEAVE
from app.visit import LANGUAGE_COOKIE, THEME_COOKIE

PASSKEY = "passkey.mjs"
"""Loaded by the modules that need it, when they do."""


def door(text: Mapping[str, str], errors: Mapping[str, str], locale: str, shown: Mapping[str, object]) -> None:
    """
    Sign-in and registration form; it posts to our REST routes itself, so a password never reaches a script.

    *shown*: "mode" is which of the two comes first (sign_in, register), "registration" (open, invite, closed) and
    "guests" (whether new ones come in) are the doors an operator left open.
    """
    data = {"text": dict(text), "errors": dict(errors), "locale": locale, "module": address(PASSKEY), **shown}
    mode = str(shown["mode"])
    component("door", DOOR)(key=mode if mode in ("reset", "email") else "door", data=data)


def keep_typing(field: str, who: int, cleared: int) -> None:
    """
    Keep what *who* types into the text area *field* (its key) from key to key; *cleared* counts how often it was saved
    or discarded, for then nothing is to be kept.
    """
    data = {"field": f".st-key-{field} textarea", "name": field, "who": who, "cleared": cleared}
    component("typing")(key=f"typing_{field}", data=data, height="content")


def into_sight(number: int) -> None:
    """Scroll here when *number* was just opened and this place is not in sight."""
    component("insight")(key="insight", data={"id": number}, height="content")


def go(where: str) -> None:
    """
    Take the reader to the address *where*, as a link does. What a fragment needs in place of `st.switch_page`: a page
    switched by a fragment's run stayed blank now and then.
    """
    component("go")(key="go", data={"address": where}, height="content")


def document_language(language: str) -> None:
    """The language the document says it is in, also after it was switched; screen readers and hyphenation go by it."""
    component("document")(key="document", data={"language": language})


def remember_language(language: str) -> None:
    """Have the browser remember *language* for who has no account to keep it; "" = nothing was chosen."""
    component("language")(key="remember_language", data={"cookie": LANGUAGE_COOKIE, "language": language})


def wear(theme: str) -> None:
    """Have the browser draw every page in *theme*; it loads anew where it drew another one."""
    component("theme")(key="wear_theme", data={"cookie": THEME_COOKIE, "theme": theme})


def keep(text: Mapping[str, str], errors: Mapping[str, str], shown: Mapping[str, object]) -> None:
    """The form by which a guest becomes a person; as `door`."""
    data = {"text": dict(text), "errors": dict(errors), **shown, "mode": "keep"}
    component("door", DOOR)(key="keep_form", data=data)


def guard(key: str, data: Mapping[str, object], errors: Mapping[str, str]) -> bool:
    """
    A form of what guards an account (`safety.mjs`): *data* says which kind, its fields and words. True in the run
    after it was done.
    """
    result = component("safety", DOOR + GUARD)(
        key=key,
        data={"fields": [], "module": address(PASSKEY), **data, "errors": dict(errors)},
        on_done_change=lambda: None,
        height="content",
    )
    return bool(result.done)


def leave(label: str, ask: Mapping[str, str] | None = None) -> None:
    """The sign-out button; with *ask* ("text", "yes", "no") it asks first."""
    component("leave", LEAVE)(key="leave", data={"label": label, "ask": None if ask is None else dict(ask)})


def countdown(label: str, now_ms: int, period_ms: int) -> None:
    """Time to the next multiple of *period_ms*, counted in the browser from the server's *now_ms*."""
    data = {"label": label, "period_ms": period_ms, "now_ms": now_ms}
    component("countdown", COUNTDOWN)(key="countdown", data=data)
