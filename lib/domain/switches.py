"""
The kill switch as stored: trading on or off, flatten, and when the stop was proved.
"""

from dataclasses import dataclass

from lib.domain import reason_codes as codes
from lib.domain.reason import NOTHING, Reason

OPERATOR = "operator"
"""The author of a pause that the account's owner may not end."""
OWNER = "owner"
"""The author of a pause that no operator may end."""
OVERLAP_MS = 3_600_000
"""Searched before a backup's moment too: clocks differ, and a backup takes a while."""
PAUSE, CLOSE = "pause", "close"
"""What an owner has chosen under an operator's stop."""


@dataclass(frozen=True, slots=True)
class Flags:
    """
    The platform's two switches; switches that cannot be read mean no entry. *switched_ms* is when they were last thrown
    by the ledger's clock, *proven_ms* when everything was proved stopped after that (0 = not yet). *restored_ms* is the
    moment of the backup this database last came back from (0 = from none).
    """

    trading_enabled: bool
    flatten: bool
    switched_ms: int = 0
    proven_ms: int = 0
    why: Reason = NOTHING
    restored_ms: int = 0


def keeps_flatten(flags: Flags) -> bool:
    """
    Whether throwing *flags* leaves a close of everything as it stands: who stops has not seen it perhaps, and only
    resuming takes it back.
    """
    return not flags.trading_enabled and not flags.flatten


@dataclass(frozen=True, slots=True)
class AccountStop:
    """
    An account's switches with their author (*paused_by*: owner, operator, system; "" for no pause) and *why*.
    *owner_stop* is what the owner has chosen while an operator's stop stands over it: PAUSE, CLOSE or "".
    """

    trading_enabled: bool
    flatten: bool
    paused_by: str = ""
    owner_stop: str = ""
    why: Reason = NOTHING

    @property
    def of_owner(self) -> str:
        """What the owner has stopped, whether or not an operator's stop stands over it: PAUSE, CLOSE or ""."""
        if self.trading_enabled or self.paused_by != OWNER:
            return self.owner_stop
        return CLOSE if self.flatten else PAUSE


def after_throw(now: AccountStop, flags: Flags, who: str) -> AccountStop:
    """
    The account once *who* ("user:id" for its owner, else an operator) has thrown *flags*. An operator who resumes takes
    an operator's stop back, and the owner's stays; an owner's stop under an operator's is kept for that moment.
    """
    by_owner = who.startswith("user:")
    if flags.trading_enabled:
        return AccountStop(True, flags.flatten) if by_owner or not now.of_owner else _given_back(now)
    flatten = now.flatten if keeps_flatten(flags) else flags.flatten
    why = flags.why or now.why
    if not by_owner:
        return AccountStop(False, flatten, OPERATOR, now.of_owner, why)
    if now.paused_by != OPERATOR:
        return AccountStop(False, flatten, OWNER, "", why)
    chosen = CLOSE if flags.flatten or now.owner_stop == CLOSE else PAUSE
    return AccountStop(False, flatten, OPERATOR, chosen, now.why)


def _given_back(now: AccountStop) -> AccountStop:
    """The owner's own stop, once no operator's stands over it."""
    closes = now.of_owner == CLOSE
    why = codes.CLOSED_BY_OWNER() if closes else NOTHING
    return AccountStop(False, closes, OWNER, "", now.why if now.paused_by == OWNER else why)


def why_thrown(now: Flags, flags: Flags) -> Reason:
    """
    The reason that stands once *flags* are thrown over the platform's switches *now*: a restore's stop keeps its own
    until it is proved, whoever stops or closes meanwhile, or resuming would forget what it waits for.
    """
    return now.why if waits_for_sweep(now) and not flags.trading_enabled else flags.why


def waits_for_sweep(flags: Flags) -> bool:
    """Whether *flags* were thrown by a restore, and the exchange may still have orders that the database lost."""
    return codes.RESTORED.is_of(flags.why) and not flags.trading_enabled and not flags.proven_ms


def lost_since(flags: Flags) -> int:
    """
    The moment (epoch ms) from which on the exchange may have orders without a row, 0 = none is known: an adopted order
    is newer than those still lost, so the newest row says nothing of them.
    """
    return max(flags.restored_ms - OVERLAP_MS, 0) if waits_for_sweep(flags) else 0
