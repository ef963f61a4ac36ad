"""
The kill switch as stored: trading on or off, flatten, and when that was proved.
"""

from dataclasses import dataclass

OPERATOR = "operator"
"""Who paused an account, where its owner may not resume it."""


@dataclass(frozen=True, slots=True)
class Flags:
    """
    The platform's two switches; unreadable means no entry. *switched_ms* is when they were last thrown by the ledger's
    clock, *proven_ms* when everything was last proved stopped after that (0 = not yet).
    """

    trading_enabled: bool
    flatten: bool
    switched_ms: int = 0
    proven_ms: int = 0
    why: str = ""


def paused_by(flags: Flags, who: str) -> str:
    """Whose pause it is when *who* throws an account's *flags*; "" for none."""
    if flags.trading_enabled:
        return ""
    return "owner" if who.startswith("user:") else OPERATOR
