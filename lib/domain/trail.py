"""
What a person's account has been through, as its owner reads it: who did what, when, and from where. Pure.

A note is written in the transaction of the act it is about, so neither stands without the other. It holds no secret:
*detail* is four characters of a key, names of settings with the values before and after, or a browser's name.
"""

from dataclasses import dataclass
from enum import StrEnum

DETAIL_CHARS = 400
KEPT_MS = 400 * 24 * 3_600_000
"""Notes are kept a little more than a year."""


class TrailEvent(StrEnum):
    """What can be noted; each has its words in the catalogues of the pages."""

    REGISTERED = "registered"
    SIGNED_IN = "signed_in"
    SIGNED_IN_PASSKEY = "signed_in_passkey"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    SIGN_IN_FAILED = "sign_in_failed"
    CODE_FAILED = "code_failed"
    RECOVERY_USED = "recovery_used"
    RECOVERY_RENEWED = "recovery_renewed"
    FACTOR_ON = "factor_on"
    FACTOR_OFF = "factor_off"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word
    RESET_ASKED = "reset_asked"
    RESET_LINK = "reset_link"
    EXPORTED = "exported"
    EMAIL_CHANGED = "email_changed"
    EMAIL_ASKED = "email_asked"
    EMAIL_CONFIRMED = "email_confirmed"
    SESSION_ENDED = "session_ended"
    OTHERS_ENDED = "others_ended"
    ALL_ENDED = "all_ended"
    KEY_SAVED = "key_saved"
    KEY_DELETED = "key_deleted"
    PAPER_OPENED = "paper_opened"
    SETTINGS_CHANGED = "settings_changed"
    SETTINGS_LOOSENED = "settings_loosened"
    STRATEGY_RUN = "strategy_run"
    MODEL_SAVED = "model_saved"
    MODEL_DELETED = "model_deleted"
    MODEL_KEY_CLEARED = "model_key_cleared"
    AUTO_ON = "auto_on"
    AUTO_OFF = "auto_off"
    PAUSED = "paused"
    RESUMED = "resumed"
    FLATTENED = "flattened"
    STOP_ENDED = "stop_ended"
    SYMBOLS_CHOSEN = "symbols_chosen"
    CLOSE_ASKED = "close_asked"
    LOCK_ENDED = "lock_ended"
    REAL_CONSENTED = "real_consented"
    REAL_WITHDRAWN = "real_withdrawn"
    STRETCH_ASKED = "stretch_asked"
    STRETCH_OVERRIDDEN = "stretch_overridden"
    DEMO_OVERRIDDEN = "demo_overridden"
    ARENA_ENTERED = "arena_entered"
    ARENA_RENAMED = "arena_renamed"
    ARENA_LEFT = "arena_left"

    PAST_ASKED = "past_asked"
    TOKEN_MADE = "token_made"  # noqa: S105 - a word
    CHAT_BOUND = "chat_bound"
    CHAT_UNBOUND = "chat_unbound"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a word
    TOKENS_ENDED = "tokens_ended"


class Actor(StrEnum):
    """Who did it: the owner's session, somebody who was not signed in, or an operator at the terminal."""

    OWNER = "owner"
    STRANGER = "stranger"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Note:
    """
    One line of the trail before it is stored. *network* and *agent* say from where; *at_ms* is epoch ms. *session_id*
    is the session that acts, 0 = none: what opens a door is refused to one that has ended meanwhile.
    """

    user_id: int
    at_ms: int
    event: TrailEvent
    detail: str = ""
    actor: Actor = Actor.OWNER
    network: str = ""
    agent: str = ""
    session_id: int = 0
