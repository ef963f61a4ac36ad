"""
What a person may do about the safety of their own account: prove whose session it is, change password and e-mail, a
second factor, ending sessions, leaving.

Every act leaves a note in the person's trail, written with the act. Whatever guards the account wants a proof of the
last five minutes (`lib.accounts.step_up`); tries to prove are paced like sign-ins. Reading is `lib.queries`'s.
"""

from lib import log
from lib.accounts.acts import act
from lib.accounts.emails import EmailDesk, EmailLetters
from lib.accounts.entrance import PER_PERSON, Entrance, PeopleStores
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.rules import email_refusal, password_refusal
from lib.accounts.second_factor import Enrolment, RecoveryCodes, SecondFactor
from lib.accounts.step_up import unproved
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.pace import Pace
from lib.domain.session import Login
from lib.domain.spelling import normal_email
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import AccountInUse
from lib.ports.safety import Leaving

NEW_EMAILS = Pace(free=3, first_ms=60_000, longest_ms=3_600_000, halving_ms=3_600_000)
"""Whether an address is taken can be told by trying it: nobody tries many."""

_GONE = Refusal("refuse.session.gone")
_GUEST = Refusal("refuse.guest")
_WRONG_PASSWORD = Refusal("refuse.password.wrong")
_NO_LOCK = Refusal("refuse.factor.unavailable")
_log = log.get("safety")


class Safety:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, stores: PeopleStores, clock: Clock, leaving: Leaving, emails: EmailDesk | None = None) -> None:
        self._stores = stores
        self._emails = emails
        self._leaving = leaving
        self._clock = clock
        self._entrance = Entrance(stores, clock)
        self._factor = SecondFactor(stores.factors, stores.lock)

    # --- whose session it is --------------------------------------------------------------------------------------

    @act
    def prove(self, user: SessionUser, *, password: str = "", code: str = "") -> Refusal | None:
        """
        Prove whose session this is, for the next five minutes: by the second factor of who has one, else by the
        password.
        """
        if user.is_guest:
            return _GUEST
        tally = f"prove:{user.user_id}"
        if wait := self._entrance.paced((tally, PER_PERSON)):
            return wait
        login = self._stores.logins.by_id(user.user_id)
        if login is None or not self._knows(login, user, password, code):
            return Refusal("refuse.proof")
        now = self._clock.now_ms()
        self._stores.throttles.forgive(tally, PER_PERSON, now)
        self._stores.sessions.prove(user.user_id, user.session_id, now)
        return None

    def _knows(self, login: Login, user: SessionUser, password: str, code: str) -> bool:
        if login.authenticator is None:
            return self._stores.hasher.verify(login.password_hash, password)
        return self._factor.passes(login.user_id, login.authenticator, code, self._note(user, TrailEvent.RECOVERY_USED))

    # --- password and e-mail --------------------------------------------------------------------------------------

    @act
    def change_password(self, user: SessionUser, old: str, new: str) -> Refusal | None:
        """A new password for who knows the old one; every other session, token and the bound chat end."""
        if refusal := self._closed(user) or password_refusal(new, user.email):
            return refusal
        login = self._known_by(user, old)
        if isinstance(login, Refusal):
            return login
        hashed = self._stores.hasher.hash(new)
        note = self._note(user, TrailEvent.PASSWORD_CHANGED)
        if not self._stores.logins.change_password(
            user.user_id, hashed, note, besides=user.session_id, verified=login.password_hash
        ):
            return _WRONG_PASSWORD
        _log.info("password.changed", user_id=user.user_id)
        return None

    @act
    def change_email(
        self, user: SessionUser, email: str, password: str, letters: EmailLetters | None = None
    ) -> Refusal | None:
        """
        Sign in by another e-mail: once a link mailed there was followed, or, where no mail is sent (or without
        *letters*), from now on. One that cannot be had is then refused in one sentence, whatever the cause. With the
        change every other session ends.
        """
        email = normal_email(email)
        if refusal := self._closed(user) or email_refusal(email):
            return refusal
        login = self._known_by(user, password)
        if isinstance(login, Refusal):
            return login
        if wait := self._entrance.paced((f"email:{user.user_id}", NEW_EMAILS)):
            return wait
        if letters is not None and self._emails is not None and self._emails.can_mail:
            return self._emails.ask(user, login, email, letters)
        note = self._note(user, TrailEvent.EMAIL_CHANGED)
        try:
            changed = self._stores.logins.change_email(
                user.user_id, email, note, besides=user.session_id, verified=login.password_hash
            )
        except ValueError:
            return Refusal("refuse.email")
        return None if changed else _WRONG_PASSWORD

    def _known_by(self, user: SessionUser, password: str) -> Login | Refusal:
        """*user* as stored, if *password* is theirs; what is written then asks whether it still is."""
        tally = f"prove:{user.user_id}"
        if wait := self._entrance.paced((tally, PER_PERSON)):
            return wait
        login = self._stores.logins.by_id(user.user_id)
        if login is None or not self._stores.hasher.verify(login.password_hash, password):
            return _WRONG_PASSWORD
        self._stores.throttles.forgive(tally, PER_PERSON, self._clock.now_ms())
        return login

    # --- the second factor ----------------------------------------------------------------------------------------

    @act
    def begin_factor(self, user: SessionUser) -> Enrolment | Refusal:
        """A secret to scan, for the browser that asks and nobody else; nothing is asked for before it is confirmed."""
        if refusal := self._closed(user):
            return refusal
        if not self._factor.can_begin:
            return _NO_LOCK
        return self._factor.begin(user.user_id, user.email) or Refusal("refuse.factor.on")

    @act
    def confirm_factor(self, user: SessionUser, code: str) -> RecoveryCodes | Refusal:
        """From now on a code is asked for at every sign-in; the recovery codes, told once."""
        tally = f"prove:{user.user_id}"
        if refusal := self._closed(user) or self._entrance.paced((tally, PER_PERSON)):
            return refusal
        codes = self._factor.confirm(user.user_id, code, self._note(user, TrailEvent.FACTOR_ON))
        if codes is None:
            return Refusal("refuse.code.wrong")
        self._stores.throttles.forgive(tally, PER_PERSON, self._clock.now_ms())
        return codes

    @act
    def renew_codes(self, user: SessionUser) -> RecoveryCodes | Refusal:
        """Fresh recovery codes, told once; the older ones open nothing any more."""
        if refusal := self._closed(user):
            return refusal
        return self._factor.renew(self._note(user, TrailEvent.RECOVERY_RENEWED)) or Refusal("refuse.factor.off")

    @act
    def drop_factor(self, user: SessionUser) -> Refusal | None:
        """Ask for no second factor any more."""
        if refusal := self._closed(user):
            return refusal
        dropped = self._factor.drop(user.user_id, self._note(user, TrailEvent.FACTOR_OFF))
        return None if dropped else Refusal("refuse.factor.off")

    # --- sessions -------------------------------------------------------------------------------------------------

    @act
    def end_session(self, user: SessionUser, session_id: int) -> Refusal | None:
        """End the person's session of that number, in whatever browser it is."""
        note = self._note(user, TrailEvent.SESSION_ENDED)
        return None if self._stores.sessions.close_one(user.user_id, session_id, note) else _GONE

    @act
    def end_other_sessions(self, user: SessionUser) -> Refusal | None:
        """End every session of the person but the one that asks, and forget the browsers they signed in with."""
        note = self._note(user, TrailEvent.OTHERS_ENDED)
        self._stores.sessions.close_all(user.user_id, besides=user.session_id, note=note)
        self._stores.browsers.forget_all(user.user_id)
        return None

    # --- taking one's data along, and leaving -----------------------------------------------------------------------

    @act
    def note_export(self, user: SessionUser) -> Refusal | None:
        """Whether the person may take their data along now; noted."""
        if refusal := self._closed(user):
            return refusal
        self._stores.trail.write(self._note(user, TrailEvent.EXPORTED))
        return None

    @act
    def delete_account(self, user: SessionUser, email: str) -> Refusal | None:
        """
        Delete the account of who typed their own *email*: keys are destroyed, every session ends. Refused while an
        order or a position is open, which only the key can still end.
        """
        if refusal := self._closed(user):
            return refusal
        if normal_email(email) != user.email:
            return Refusal("refuse.delete.email")
        try:
            self._leaving.leave(user.user_id, self._clock.now_ms())
        except AccountInUse:
            return Refusal("refuse.delete.in_use")
        _log.info("account.deleted", user_id=user.user_id)
        return None

    # --- the parts ------------------------------------------------------------------------------------------------

    def _closed(self, user: SessionUser) -> Refusal | None:
        """Why *user* may not touch what guards the account now."""
        return _GUEST if user.is_guest else unproved(user, self._clock.now_ms())

    def _note(self, user: SessionUser, event: TrailEvent) -> Note:
        return note_of(user, event, self._clock.now_ms())
