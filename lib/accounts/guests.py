"""
People without a password: in by one click, with paper money, for as long as a session of theirs lives.

With the last session of a guest the person ends, trading included: nobody could ever come back to switch it off. So a
guest may become a person with e-mail and password in place, keeping account, settings and history. How many live at
once is capped, because each is served in every cycle.
"""

import secrets
import threading
from collections.abc import Callable

from lib import log
from lib.accounts.acts import act
from lib.accounts.doors import NOT_INVITED, Doors
from lib.accounts.entrance import Entrance, PeopleStores, spelled
from lib.accounts.rules import OWN_DOMAIN, email_refusal, password_refusal
from lib.accounts.web import Origin, Refusal, SessionUser, SignedIn
from lib.clock import Clock
from lib.domain.spelling import normal_email
from lib.domain.trail import TrailEvent
from lib.ports.people import InviteRefused

_log = log.get("people")


class Guests:
    """The way in for guests, and their way to stay."""

    def __init__(
        self, stores: PeopleStores, clock: Clock, open_paper: Callable[[int], Refusal | None], doors: Doors
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._entrance = Entrance(stores, clock)
        self._open_paper = open_paper
        self._doors = doors
        self._one_at_a_time = threading.Lock()

    def try_paper(self, *, accepted_risk: bool, origin: Origin, locale: str) -> SignedIn | Refusal:
        """A new guest with a paper account, signed in."""
        if not accepted_risk:
            return Refusal("refuse.risk")
        if refusal := self._entrance.paced_newcomer(origin) or self._doors.guests():
            return refusal
        with self._one_at_a_time:  # counted and added in one breath: the web is one process
            if self._is_full():
                return Refusal("refuse.guests")
            user_id = self._added(locale)
        if refusal := self._open_paper(user_id):
            self._stores.logins.delete(user_id, self._clock.now_ms())
            return refusal
        return self._entrance.begin(user_id, origin, proved=False)

    @act
    def keep(self, user: SessionUser, email: str, password: str, *, origin: Origin, code: str) -> SignedIn | Refusal:
        """
        Make the guest *user* a person who signs in with *email* and *password*; all of theirs stays theirs.

        It takes what registering takes: where invitations are asked for, the one of *code*. Every older session ends,
        and a new one begins.
        """
        if not user.is_guest:
            return Refusal("refuse.not_a_guest")
        email = normal_email(email)
        if refusal := email_refusal(email) or password_refusal(password, email):
            return refusal
        if wait := self._entrance.paced_newcomer(origin):
            return wait
        invite = self._doors.registration(code)
        if isinstance(invite, Refusal):
            return invite
        hashed = self._stores.hasher.hash(password)
        try:
            kept = self._stores.logins.keep_guest(user.user_id, email, hashed, invite)
        except InviteRefused:
            return NOT_INVITED
        except ValueError:
            return Refusal("refuse.email.taken")
        if not kept:
            return Refusal("refuse.not_a_guest")
        self._stores.sessions.close_all(user.user_id)
        _log.info("guest.kept", user_id=user.user_id)
        return self._entrance.remembered(self._entrance.begin(user.user_id, origin, TrailEvent.REGISTERED))

    def end_gone(self) -> None:
        """End every guest whose last session is over or closed."""
        if ended := self._stores.logins.end_guests(self._clock.now_ms()):
            _log.info("guests.ended", people=len(ended))

    def _is_full(self) -> bool:
        if self._stores.logins.living_guests() < self._doors.most_guests:
            return False
        self.end_gone()
        return self._stores.logins.living_guests() >= self._doors.most_guests

    def _added(self, locale: str) -> int:
        name = f"guest-{secrets.token_hex(5)}{OWN_DOMAIN}"
        now = self._clock.now_ms()
        return self._stores.logins.add(name, "!", locale=spelled(locale), risk_accepted_ms=now, is_guest=True)
