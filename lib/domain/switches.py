"""
The kill switch as stored: trading on or off, flatten, and when the stop was proved.
"""

from dataclasses import dataclass

from lib.domain.reason import NOTHING, Reason

OPERATOR = "operator"
"""The author of a pause that the account's owner may not end."""


@dataclass(frozen=True, slots=True)
class Flags:
    """
    The platform's two switches; switches that cannot be read mean no entry. *switched_ms* is when they were last thrown
    by the ledger's clock, *proven_ms* when everything was proved stopped after that (0 = not yet).
    """

    trading_enabled: bool
    flatten: bool
    switched_ms: int = 0
    proven_ms: int = 0
    why: Reason = NOTHING


def keeps_flatten(flags: Flags) -> bool:
    """
    Whether throwing *flags* leaves a close of everything as it stands: who stops has not seen it perhaps, and only
    resuming takes it back.
    """
    return not flags.trading_enabled and not flags.flatten


def paused_by(flags: Flags, who: str) -> str:
    """The author of the pause (owner, operator, system) when *who* throws an account's *flags*; "" for no pause."""
    if flags.trading_enabled:
        return ""
    return "owner" if who.startswith("user:") else OPERATOR
