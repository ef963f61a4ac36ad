"""
A new e-mail to sign in by: a single-use link to the new address, good for as long as one to a new password.

Until somebody follows the link and says yes there, the old address signs in; it is told that a change was asked for,
and when it is done. Nobody at the form learns whether an address is somebody's already: a link is made and the old
address is told in any case, in one time, and only the letter to the new address is not sent when it is taken. Its owner
gets nothing: a letter "somebody wants your address" would let anybody send mail to people of this server, and asks
nothing of its reader that they could do. A link whose address was taken meanwhile is refused like an old one. With
the change every other session ends, as with a new password: whoever sat in one knew the account by its older e-mail.

Does not decide who may ask: that is `lib.accounts.safety`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lib import log
from lib.accounts.acts import act
from lib.accounts.entrance import LONGEST_TOKEN, Entrance, PeopleStores, network, sha256, spelled
from lib.accounts.notes import note_from, note_of
from lib.accounts.refusal import Refusal
from lib.accounts.resets import ASKED_FOR_ONE, LINK_MS, TRIED_FROM, Words
from lib.accounts.web import Origin, SessionUser
from lib.clock import Clock
from lib.domain.session import Login
from lib.domain.trail import TrailEvent
from lib.ports.mail import Letter, Mailer
from lib.ports.safety import EmailLinks

PATH = "/email#"
"""What stands after # stays in the browser: no log of a server holds it."""
_OLD = Refusal("refuse.email.link")
_log = log.get("emails")


@dataclass(frozen=True, slots=True)
class EmailWords:
    """*link* for the new address; *asked* and *done* for the old one."""

    link: Words
    asked: Words
    done: Words


EmailLetters = Mapping[str, EmailWords]
"""By the reader's language, "ko" and "en"."""


class EmailDesk:
    """*later* does what nobody waits for; without a *mailer* no link is made."""

    def __init__(
        self,
        stores: PeopleStores,
        links: EmailLinks,
        clock: Clock,
        *,
        mailer: Mailer | None,
        public_url: str,
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self._stores = stores
        self._links = links
        self._clock = clock
        self._mailer = mailer
        self._public_url = public_url
        self._later = later
        self._entrance = Entrance(stores, clock)

    @property
    def can_mail(self) -> bool:
        """Whether links are mailed here."""
        return self._mailer is not None

    @act
    def ask(self, user: SessionUser, login: Login, email: str, letters: EmailLetters) -> Refusal | None:
        """
        Mail a link to *email* for *user*, verified as *login*; refused when the password is another one by now.

        Whoever asks knows by the answer neither whether *email* is taken nor whether a letter went there.
        """
        if wait := self._entrance.paced((f"email-to:{sha256(email)}", ASKED_FOR_ONE)):
            return wait
        token, now = secrets.token_urlsafe(32), self._clock.now_ms()
        note = note_of(user, TrailEvent.EMAIL_ASKED, now)
        if not self._links.add(sha256(token), email, now + LINK_MS, note, verified=login.password_hash):
            return Refusal("refuse.password.wrong")
        words = letters[spelled(user.locale)]
        self._post(login.email, words.asked)
        self._later(lambda: self._send_link(login.user_id, email, words.link, token))
        return None

    def _send_link(self, user_id: int, email: str, words: Words, token: str) -> None:
        owner = self._stores.logins.find(email)
        if owner is not None and owner.user_id != user_id:
            return
        link = self._public_url + PATH + token
        self._post(email, Words(words.subject, words.body.replace("{link}", link)))
        _log.info("email.link_mailed", user_id=user_id)

    def look(self, token: str, origin: Origin) -> str | Refusal:
        """What following the link would do: the e-mail it leads to. Changes nothing: scanners of mail open links."""
        if wait := self._entrance.paced((f"email-look@{network(origin.ip)}", TRIED_FROM)):
            return wait
        return self._links.email(sha256(token[:LONGEST_TOKEN]), self._clock.now_ms()) or _OLD

    def finish(self, token: str, letters: EmailLetters, origin: Origin, session_id: int = 0) -> Refusal | None:
        """
        The new e-mail for whose link *token* is; a used, an old and an invented one, and one whose e-mail is
        somebody else's by now, are one refusal. Every session of theirs but the one of *session_id*, in which the
        link is followed, ends.
        """
        if wait := self._entrance.paced((f"email-try@{network(origin.ip)}", TRIED_FROM)):
            return wait
        note = note_from(0, TrailEvent.EMAIL_CONFIRMED, self._clock.now_ms(), origin, network(origin.ip))
        moved = self._links.use(sha256(token[:LONGEST_TOKEN]), note, session_id)
        if moved is None:
            return _OLD
        self._post(moved.before, letters[spelled(moved.locale)].done)
        _log.info("email.changed", user_id=moved.user_id)
        return None

    def _post(self, to: str, words: Words) -> None:
        if (mailer := self._mailer) is not None:
            self._later(lambda: mailer.send(Letter(to, words.subject, words.body)))
