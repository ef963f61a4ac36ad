"""
How somebody is told what happened to their account: what they have seen of it.

Acts of the person alone: who only looks changes nothing.
"""

from lib.accounts.acts import act
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.ports.notifier import NoticeChoices


class NoticeDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, choices: NoticeChoices) -> None:
        self._choices = choices

    @act
    def see(self, user: SessionUser, newest: int) -> Refusal | None:
        """They have seen everything up to that row of theirs; it never goes back."""
        self._choices.see(user.user_id, newest)
        return None
