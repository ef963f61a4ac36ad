"""
Binding a Telegram chat: a one-time code that the page shows and the person sends to the platform's bot.

The code is good for ten minutes and once, is kept as its hash, and is asked for by who has just proved whose session it
is. An act of the person alone; a guest has no chat. Unbinding is removing the channel (`lib.accounts.notices`).
"""

from lib.accounts.acts import act
from lib.accounts.invites import code_sha256, new_code
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import unproved
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.chat import OFFER_MS
from lib.domain.pace import Pace
from lib.ports.chat import Chats
from lib.ports.people import Throttles

OFFERS = Pace(free=5, first_ms=30_000, longest_ms=600_000, halving_ms=900_000)


class ChatCode(str):
    """A code for the person's own eyes; its repr shows nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ChatCode()"


class ChatDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, chats: Chats, throttles: Throttles, clock: Clock) -> None:
        self._chats = chats
        self._throttles = throttles
        self._clock = clock

    @act
    def offer(self, user: SessionUser) -> ChatCode | Refusal:
        """A fresh code; every older one of theirs opens nothing any more."""
        now = self._clock.now_ms()
        if user.is_guest:
            return Refusal("refuse.guest")
        if refusal := unproved(user, now):
            return refusal
        if wait_ms := self._throttles.attempt(f"chat_offer:{user.user_id}", OFFERS, now):
            return Refusal("refuse.wait", seconds=-(-wait_ms // 1000))
        code = new_code()
        self._chats.offer(user.user_id, code_sha256(code), now + OFFER_MS)
        return ChatCode(code)
