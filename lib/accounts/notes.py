"""
Notes for a person's trail, made of who acts and from where. Writing one is the store's, in the transaction of the act.
"""

from lib.accounts.settings_rules import loosens
from lib.accounts.web import Origin, SessionUser
from lib.domain.account import AccountSettings, Limits
from lib.domain.model_profile import DEFAULT_CHAIN
from lib.domain.trail import DETAIL_CHARS, Actor, Note, TrailEvent

BY_ANYBODY = (
    TrailEvent.SIGN_IN_FAILED,
    TrailEvent.CODE_FAILED,
    TrailEvent.RESET_ASKED,
    TrailEvent.PASSWORD_RESET,
    TrailEvent.EMAIL_CONFIRMED,
)
"""Done by whoever was at the door, signed in or not."""


def note_of(user: SessionUser, event: TrailEvent, now_ms: int, detail: str = "") -> Note:
    """*event* of the signed-in *user*, from where their session was opened."""
    where = (user.network, user.agent, user.session_id)
    return Note(user.user_id, now_ms, event, detail[:DETAIL_CHARS], Actor.OWNER, *where)


def note_of_change(user: SessionUser, before: AccountSettings, after: AccountSettings, now_ms: int) -> Note:
    """The note of the signed-in *user* who changes their settings from *before* to *after*."""
    event = TrailEvent.SETTINGS_LOOSENED if loosens(before, after) else TrailEvent.SETTINGS_CHANGED
    return note_of(user, event, now_ms, changes(before, after))


def note_from(user_id: int, event: TrailEvent, now_ms: int, origin: Origin, network: str) -> Note:
    """*event* at the door of *user_id*, by whoever is at *origin*."""
    who = Actor.STRANGER if event in BY_ANYBODY else Actor.OWNER
    return Note(user_id, now_ms, event, "", who, network, origin.user_agent[:200])


def changes(before: AccountSettings, after: AccountSettings) -> str:
    """What changed, as `name:before>after` with blanks between; of somebody's words only that they changed."""
    parts = [f"{name}:{old}>{new}" for name, old, new in _differing(before, after)]
    if before.exits != after.exits:
        parts.append("exits")
    if before.models != after.models:
        parts.append(f"models:{_chain(before)}>{_chain(after)}")
    parts += [name for name in ("custom_prompt", "system", "inputs") if getattr(before, name) != getattr(after, name)]
    return " ".join(parts)


def _differing(before: AccountSettings, after: AccountSettings) -> list[tuple[str, object, object]]:
    names = (
        "risk_level",
        "max_leverage",
        "long_only",
        "risk_per_trade",
        "min_confidence",
        "cadence_min",
        "answer_version",
    )
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    limits = [(name, getattr(before.limits, name), getattr(after.limits, name)) for name in Limits.__dataclass_fields__]
    return [(name, _word(old), _word(new)) for name, old, new in (*pairs, *limits) if old != new]


def _chain(settings: AccountSettings) -> str:
    return ",".join(settings.models or DEFAULT_CHAIN)


def _word(value: object) -> object:
    return "-" if value is None else str(value).lower()
