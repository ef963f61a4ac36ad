"""
How an account stands, in words: why it is so, how far a stop has come, what a lock is called. Plain text, never markup.

"Stopped" is said of nothing but a proof. No session here: a text is for readers of one language, named by its *tongue*.
"""

from typing import get_args

from app.i18n import Tongue
from app.ui.reasons import say
from app.ui.write import exact
from lib.domain.gates import FOREVER_MS, GateKind
from lib.domain.locks import RiskLock
from lib.queries import Standing

LOCKS: tuple[str, ...] = get_args(GateKind)
"""Kinds with a name of their own in the catalogues."""


def state_word(found: Standing) -> str:
    """The one word for an account: off, on, locked (on, and a lock keeps entries off), stopping, stopped (proved)."""
    return "locked" if found.state == "on" and (found.locks or found.platform_locks) else found.state


def state_reason(found: Standing, tongue: Tongue) -> list[str]:
    """Why the account is in its state, as sentences; who stopped it may have written one."""
    if found.is_halted:
        headline = tongue.say("stops.platform" if found.platform.is_thrown else "stops.own")
        return [*filter(None, (headline, say(found.why, tongue.language))), *progress(found, tongue)]
    held = (*found.platform_locks, *found.locks)
    locks = ", ".join(dict.fromkeys(lock_name(lock.kind, tongue) for lock in held))
    locked = [tongue.say("state.locked", locks=locks)] if locks and found.auto_trade else []
    return [tongue.say("control.auto_on" if found.auto_trade else "control.auto_off"), *locked, *_open(found, tongue)]


def progress(found: Standing, tongue: Tongue) -> list[str]:
    """How far a stop has come, as sentences."""
    still = found.flattens and found.position_qty
    position = tongue.say("stops.position", qty=exact(abs(found.position_qty)), symbol=found.symbol)
    return [how_far(found, tongue), *([position] if still else []), *_open(found, tongue)]


def how_far(found: Standing, tongue: Tongue) -> str:
    """How far a stop has come in a sentence: never "stopped" before the proof."""
    if found.state != "stopped":
        return tongue.say("stops.closing" if found.flattens else "stops.stopping")
    at = f"{tongue.at(found.proven_ms, date=False)} {tongue.zone.label}"
    return tongue.say("stops.closed" if found.flattens else "stops.stopped", at=at)


def lock_name(kind: str, tongue: Tongue) -> str:
    """What a lock is called."""
    return tongue.say(f"lock.{kind}") if kind in LOCKS else kind


def lock_words(lock: RiskLock, tongue: Tongue) -> str:
    """A lock in a line: whose it is, what it is called, when it ends."""
    ends = tongue.say("stops.until_person")
    if lock.until_ms < FOREVER_MS:
        ends = tongue.say("stops.until", at=tongue.at(lock.until_ms), zone=tongue.zone.label)
    whose = "" if lock.account_id else tongue.say("stops.everybody")
    return " · ".join(filter(None, (tongue.say("stops.locks"), whose, lock_name(lock.kind, tongue), ends)))


def _open(found: Standing, tongue: Tongue) -> list[str]:
    if found.state != "stopping" or not found.open_rows:
        return []
    return [tongue.say("stops.open_rows", n=len(found.open_rows))]
