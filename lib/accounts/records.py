"""
What a signed-in person may do with records: show one to anybody by a link, and take the link back.

A code is 128 random bits, told once; the store keeps its sha256. A link shows neither the strategy's name nor amounts
unless its maker chose to.
"""

import secrets

from lib.accounts.acts import act
from lib.accounts.entrance import sha256
from lib.accounts.refusal import Refusal
from lib.accounts.strategies import MadeShare
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.ports.records import RecordLink, RecordLinks

MOST_LINKS = 40
LONGEST_RECORD_CODE = 64


class RecordDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, links: RecordLinks, clock: Clock) -> None:
        self._links = links
        self._clock = clock

    @act
    def share(self, user: SessionUser, record_id: int, *, named: bool, amounts: bool) -> MadeShare | Refusal:
        """A link that shows the record to whoever has it, until it is taken back."""
        if user.is_guest:
            return Refusal("refuse.guest")
        code = secrets.token_urlsafe(16)
        link = RecordLink(record_id, sha256(code), named, amounts, self._clock.now_ms())
        made = self._links.make(user.user_id, link, MOST_LINKS)
        return MadeShare(code) if made else Refusal("refuse.record.share", most=MOST_LINKS)

    @act
    def unshare(self, user: SessionUser, link_id: int) -> Refusal | None:
        """The link opens nothing from now on."""
        done = self._links.end(user.user_id, link_id, self._clock.now_ms())
        return None if done else Refusal("refuse.not_found")
