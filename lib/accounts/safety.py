"""
What a person may do about the safety of their own account: which browsers are signed in, and ending them.

Every act leaves a note in the person's trail, written with the act. Reading sessions and trail is `lib.queries`'s.
"""

from lib.accounts.acts import act
from lib.accounts.entrance import PeopleStores
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.trail import TrailEvent

_GONE = Refusal("refuse.session.gone")


class Safety:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, stores: PeopleStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    @act
    def end_session(self, user: SessionUser, session_id: int) -> Refusal | None:
        """End the person's session of that number, in whatever browser it is."""
        note = note_of(user, TrailEvent.SESSION_ENDED, self._clock.now_ms())
        return None if self._stores.sessions.close_one(user.user_id, session_id, note) else _GONE

    @act
    def end_other_sessions(self, user: SessionUser) -> Refusal | None:
        """End every session of the person but the one that asks, and forget the browsers they signed in with."""
        note = note_of(user, TrailEvent.OTHERS_ENDED, self._clock.now_ms())
        self._stores.sessions.close_all(user.user_id, besides=user.session_id, note=note)
        self._stores.browsers.forget_all(user.user_id)
        return None
