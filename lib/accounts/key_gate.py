"""
Which exchange keys are taken: pure, and the same when a key is entered and whenever the trader looks at it again.

A key must be able to trade and unable to take money anywhere. Each flaw has a catalogue key for the form and a
reason for the log and the pause.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from lib.accounts.refusal import Refusal
from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.order import parse_link_id
from lib.domain.reason import Reason

LONGEST = 200
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class KeyFlaw:
    """Why a key is not taken."""

    key: str
    why: Reason
    right: str = ""
    """Which right it is about, as `RIGHTS` has them; "" for none of them."""


RIGHTS = ("trade", "read_write", "unified", "no_withdraw", "no_transfer")
"""What is looked at of every key, in the order people read it."""
SHAPE = KeyFlaw("refuse.key.shape", codes.KEY_SHAPE())
READ_ONLY = KeyFlaw("refuse.key.read_only", codes.KEY_READ_ONLY(), "read_write")
NO_TRADE = KeyFlaw("refuse.key.no_trade", codes.KEY_NO_TRADE(), "trade")
WITHDRAW = KeyFlaw("refuse.key.withdraw", codes.KEY_WITHDRAWS(), "no_withdraw")
TRANSFER = KeyFlaw("refuse.key.transfer", codes.KEY_TRANSFERS(), "no_transfer")
NOT_UNIFIED = KeyFlaw("refuse.key.not_unified", codes.NOT_UNIFIED(), "unified")
EXPIRED = KeyFlaw("refuse.key.expired", codes.KEY_EXPIRED())
OTHER_HAND = KeyFlaw("refuse.key.other_installation", codes.ANOTHER_INSTALLATION())


def shape_flaw(key: ApiKey) -> KeyFlaw | None:
    """What is wrong with the mere text of *key*."""
    parts = (key.api_key, key.api_secret)
    fits = all(SHORTEST <= len(part) <= LONGEST and part.isascii() and part.isprintable() for part in parts)
    return None if fits and not any(" " in part for part in parts) else SHAPE


def rights_flaws(info: KeyInfo, now_ms: int) -> tuple[KeyFlaw, ...]:
    """Everything the venue says of the key that we do not take, the dangerous before the useless."""
    flaws = (
        (info.may_withdraw, WITHDRAW),
        (info.may_transfer, TRANSFER),
        (info.read_only, READ_ONLY),
        (not info.may_trade and not info.read_only, NO_TRADE),  # a read-only key trades nothing whatever its rights
        (not info.unified, NOT_UNIFIED),
        (0 < info.expires_at <= now_ms, EXPIRED),
    )
    return tuple(flaw for stands, flaw in flaws if stands)


def rights_flaw(info: KeyInfo, now_ms: int) -> KeyFlaw | None:
    """The first of `rights_flaws`."""
    return next(iter(rights_flaws(info, now_ms)), None)


def hands_flaw(links: Iterable[str], installation: str) -> KeyFlaw | None:
    """Whether orders on the account carry the mark of another installation: two of us would undo each other."""
    read = (parse_link_id(link) for link in links)
    return OTHER_HAND if any(link is not None and link.installation != installation for link in read) else None


def own_accounts(links: Iterable[str], installation: str) -> tuple[int, ...]:
    """The accounts of ours whose orders lie on the exchange account: each is that account."""
    read = (parse_link_id(link) for link in links)
    return tuple(sorted({link.account_id for link in read if link is not None and link.installation == installation}))


def uid_of_key(key: ApiKey) -> str:
    """What stands for the uid where the venue does not tell it: the same for the same key, and nothing of the key."""
    return f"key-{sha256(key.api_key.encode()).hexdigest()[:32]}"


def flawed(flaw: KeyFlaw, *more: KeyFlaw) -> Refusal:
    """*flaw* by its own sentence; with *more* each of them is listed, and what was looked at of the key."""
    wrong = ",".join(one.right for one in (flaw, *more) if one.right)
    if not more:
        return Refusal(flaw.key, wrong=wrong) if wrong else Refusal(flaw.key)
    return Refusal("refuse.key.flaws", wrong=wrong, reasons=tuple(one.why for one in (flaw, *more)))
