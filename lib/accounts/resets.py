"""
A forgotten password: a single-use link, good for half an hour, mailed to its owner or made by an operator.

Asking takes the same way and time for an address nobody has: what differs is done later, by a thread of its own. The
link's token is 256 random bits; stores keep its sha256. A new password ends every session of the person, and signing in
still wants the second factor.
"""

import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lib import log
from lib.accounts.entrance import LONGEST_TOKEN, Entrance, PeopleStores, network, sha256
from lib.accounts.notes import note_from
from lib.accounts.refusal import Refusal
from lib.accounts.rules import is_findable, password_refusal
from lib.accounts.web import Origin
from lib.clock import Clock
from lib.domain.errors import Retry
from lib.domain.pace import Pace
from lib.domain.spelling import normal_email
from lib.domain.trail import Actor, Note, TrailEvent
from lib.ports.mail import Letter, Mailer
from lib.ports.people import Logins
from lib.ports.safety import ResetLinks

LINK_MS = 30 * 60_000
ASKED_FOR_ONE = Pace(free=2, first_ms=300_000, longest_ms=3_600_000, halving_ms=3_600_000)
ASKED_FROM = Pace(free=5, first_ms=30_000, longest_ms=3_600_000, halving_ms=1_800_000)
TRIED_FROM = Pace(free=10, first_ms=5_000, longest_ms=300_000, halving_ms=900_000)
PATH = "/reset#"
"""What stands after # stays in the browser: no log of a server holds it."""
MOST_WAITING = 200
_log = log.get("resets")


@dataclass(frozen=True, slots=True)
class Words:
    """A letter in its reader's language; *body* holds `{link}`."""

    subject: str
    body: str


class Postroom:
    """A thread that hands letters over, one after another; what finds no room is left out, and told in the log."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(MOST_WAITING)
        threading.Thread(target=self._work, name="postroom", daemon=True).start()

    def __call__(self, job: Callable[[], None]) -> None:
        """Do *job* soon."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            _log.warning("mail.left_out")

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Retry as away:
                _log.warning("mail.not_sent", why=str(away))
            except Exception as mistake:  # noqa: BLE001 - one letter's mistake keeps no other from going
                _log.error("mail.failed", mistake)


def new_link(links: ResetLinks, user_id: int, note: Note, *, drops_factor: bool = False) -> str:
    """The path of a fresh link for that person; *drops_factor*: using it takes the second factor off too."""
    token = secrets.token_urlsafe(32)
    links.add(sha256(token), user_id, note.at_ms + LINK_MS, note, drops_factor=drops_factor)
    return PATH + token


class ResetDesk:
    """*later* does what nobody waits for; without a *mailer* links are an operator's to make."""

    def __init__(
        self,
        stores: PeopleStores,
        links: ResetLinks,
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

    def ask(self, email: str, words: Words, origin: Origin) -> Refusal | None:
        """Mail a link to *email* if it is somebody's; the answer is the same if it is nobody's."""
        if self._mailer is None:
            return Refusal("refuse.reset.by_operator")
        email, mailer = normal_email(email), self._mailer
        tallies = (f"reset@{network(origin.ip)}", ASKED_FROM), (f"reset:{sha256(email)}", ASKED_FOR_ONE)
        if wait := self._entrance.paced(*tallies):
            return wait
        self._later(lambda: self._send(email, words, origin, mailer))
        return None

    def _send(self, email: str, words: Words, origin: Origin, mailer: Mailer) -> None:
        login = self._stores.logins.find(email) if is_findable(email) else None
        if login is None or not login.password_hash.startswith("$"):
            return
        note = note_from(login.user_id, TrailEvent.RESET_ASKED, self._clock.now_ms(), origin, network(origin.ip))
        link = self._public_url + new_link(self._links, login.user_id, note)
        mailer.send(Letter(login.email, words.subject, words.body.replace("{link}", link)))
        _log.info("reset.mailed", user_id=login.user_id)

    def finish(self, token: str, password: str, origin: Origin) -> Refusal | None:
        """A new password for whose link *token* is; a used, an old and an invented one are one refusal."""
        if wait := self._entrance.paced((f"reset-try@{network(origin.ip)}", TRIED_FROM)):
            return wait
        key = sha256(token[:LONGEST_TOKEN])
        if refusal := password_refusal(password, self._links.email(key, self._clock.now_ms()) or "nobody@example.com"):
            return refusal
        hashed = self._stores.hasher.hash(password)
        note = note_from(0, TrailEvent.PASSWORD_RESET, self._clock.now_ms(), origin, network(origin.ip))
        user_id = self._links.use(key, hashed, note)
        if user_id is None:
            return Refusal("refuse.reset")
        _log.info("reset.done", user_id=user_id)
        return None


def link_by_operator(logins: Logins, links: ResetLinks, email: str, now_ms: int, *, drops_factor: bool) -> str:
    """The path of a link for the person of *email*, made at the terminal; ValueError when there is none to make."""
    login = logins.find(normal_email(email))
    if login is None or not login.password_hash.startswith("$"):
        raise ValueError("nobody signs in with that e-mail and a password")
    note = Note(login.user_id, now_ms, TrailEvent.RESET_LINK, "", Actor.OPERATOR)
    return new_link(links, login.user_id, note, drops_factor=drops_factor)
