"""Sign-in's stores in memory, a hasher that costs nothing, and a wall clock that stands until moved."""

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lib.clock import Clock
from lib.domain.account import Colours, Numbers, Theme
from lib.domain.api_token import ApiToken, NewApiToken, TokenHolder
from lib.domain.pace import Pace, Tally
from lib.domain.passkey import MOST_PASSKEYS, NewPasskey, Passkey, RelyingParty
from lib.domain.platform_settings import Invite
from lib.domain.second_factor import Authenticator
from lib.domain.session import EmailMoved, Login, NewSession, SessionRow, is_over
from lib.domain.spelling import normal_email
from lib.domain.trail import Note
from lib.domain.won_rates import WonRate
from lib.ports.mail import Letter, Mailer
from lib.ports.people import AccountInUse, Browsers, Logins, Sessions, Throttles, Trail, WonBook
from lib.ports.safety import ApiTokens, EmailLinks, Leaving, Passkeys, ResetLinks, SecondFactors
from lib.ports.secrets import PasskeyCheck, PasswordHasher
from tests.fakes.platform import InviteBox


class StandingClock(Clock):
    """A wall clock for code that does not wait for it: whoever sleeps on it sleeps for ever."""

    def __init__(self, now_ms: int = 1_760_000_000_000) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def forward(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.now += round((minutes * 60 + seconds) * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Member:
    user_id: int
    email: str
    password_hash: str
    locale: str = "ko"
    is_demo: bool = False
    deleted: bool = False
    risk_accepted_ms: int = 0
    colours: Colours = "language"
    is_guest: bool = False
    time_zone: str = ""
    theme: Theme = "system"
    numbers: Numbers = "point"

    @property
    def is_living_guest(self) -> bool:
        return self.is_guest and not self.deleted


class MemoryLogins(Logins):
    """`lib.ports.people.Logins`; who has a session is told by `sessions`, set by the `MemorySessions` made over it."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.invites = InviteBox()
        self.sessions: MemorySessions | None = None
        self.factors = MemoryFactors()
        self.email_links: dict[int, tuple[str, str, int]] = {}

    def add(
        self,
        email: str,
        password_hash: str,
        *,
        locale: str,
        risk_accepted_ms: int,
        is_demo: bool = False,
        is_guest: bool = False,
    ) -> int:
        email = self._free(email)
        user_id = len(self.members) + 1
        self.members[user_id] = Member(
            user_id, email, password_hash, locale, is_demo, False, risk_accepted_ms, is_guest=is_guest
        )
        return user_id

    def add_invited(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, invite: Invite) -> int:
        self._free(email)
        self.invites.use(invite)
        return self.add(email, password_hash, locale=locale, risk_accepted_ms=risk_accepted_ms)

    def _free(self, email: str) -> str:
        email = normal_email(email)
        if any(member.email == email for member in self.members.values()):
            raise ValueError("this e-mail address is taken")
        return email

    def living_guests(self) -> int:
        return sum(member.is_living_guest for member in self.members.values())

    def keep_guest(self, user_id: int, email: str, password_hash: str, invite: Invite | None = None) -> bool:
        member = self.members[user_id]
        if not member.is_living_guest:
            return False
        email = self._free(email)
        if invite is not None:
            self.invites.use(invite)
        self.members[user_id] = replace(member, email=email, password_hash=password_hash, is_guest=False)
        return True

    def end_guests(self, now_ms: int) -> tuple[int, ...]:
        rows = self.sessions.rows.values() if self.sessions else ()
        here = {row.user_id for row in rows if not is_over(row.created_ms, row.seen_ms, now_ms)}
        old = [m for m in self.members.values() if m.is_living_guest and m.risk_accepted_ms <= now_ms - 60_000]
        gone = tuple(member.user_id for member in old if member.user_id not in here)
        for user_id in gone:
            self.delete(user_id, now_ms)
        return gone

    def find(self, email: str) -> Login | None:
        wanted = normal_email(email)
        found = [m for m in self.members.values() if m.email == wanted and not m.deleted]
        return self._login(found[0]) if found else None

    def by_id(self, user_id: int) -> Login | None:
        member = self.members.get(user_id)
        return None if member is None or member.deleted else self._login(member)

    def _login(self, member: Member) -> Login:
        known = self.factors.authenticator(member.user_id)
        known = known if known is not None and known.confirmed else None
        return Login(member.user_id, member.password_hash, member.is_demo, member.email, known)

    def change_hash(self, user_id: int, password_hash: str, *, verified: str) -> bool:
        if not self.is_verified(user_id, verified):
            return False
        self.members[user_id] = replace(self.members[user_id], password_hash=password_hash)
        return True

    def is_verified(self, user_id: int, verified: str) -> bool:
        member = self.members.get(user_id)
        return member is not None and not member.deleted and member.password_hash == verified

    def change_password(self, user_id: int, password_hash: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        if not self.change_hash(user_id, password_hash, verified=verified):
            return False
        self.email_links.pop(user_id, None)
        if self.sessions is not None:
            self.sessions.close_all(user_id, besides=besides)
            self.sessions.trail.record(note)
        return True

    def change_email(self, user_id: int, email: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        if not self.is_verified(user_id, verified):
            return False
        self.members[user_id] = replace(self.members[user_id], email=self._free(email))
        self.email_links.pop(user_id, None)
        if self.sessions is not None:
            self.sessions.close_all(user_id, besides=besides)
            self.sessions.trail.record(note)
        return True

    def change_looks(self, user_id: int, locale: str, colours: Colours) -> None:
        self.members[user_id] = replace(self.members[user_id], locale=locale, colours=colours)

    def change_zone(self, user_id: int, name: str) -> None:
        self.members[user_id] = replace(self.members[user_id], time_zone=name)

    def change_theme(self, user_id: int, theme: Theme) -> None:
        self.members[user_id] = replace(self.members[user_id], theme=theme)

    def change_numbers(self, user_id: int, numbers: Numbers) -> None:
        self.members[user_id] = replace(self.members[user_id], numbers=numbers)

    def delete(self, user_id: int, now_ms: int) -> None:
        self.members[user_id] = replace(self.members[user_id], deleted=True)


class MemorySessions(Sessions):
    """`lib.ports.people.Sessions`."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        logins.sessions = self
        self.factors = logins.factors
        self.rows: dict[str, SessionRow] = {}
        self.trail = logins.factors.trail
        self.opened = 0

    def open(self, new: NewSession, note: Note | None = None, *, verified: str | None = None) -> bool:
        if verified is not None and not self._logins.is_verified(new.user_id, verified):
            return False
        self.opened += 1
        self.trail.record(note)
        who = self._logins.members[new.user_id]
        self.rows[new.token_sha256] = SessionRow(
            who.user_id,
            who.email,
            who.locale,
            who.is_demo,
            new.read_only,
            new.now_ms,
            new.now_ms,
            new.ip,
            who.colours,
            who.is_guest,
            self.opened,
            new.user_agent,
            new.proved_ms,
        )
        return True

    def find(self, token_sha256: str) -> SessionRow | None:
        row = self.rows.get(token_sha256)
        if row is None or (who := self._logins.members[row.user_id]).deleted:
            return None
        looks = {"locale": who.locale, "colours": who.colours, "time_zone": who.time_zone, "theme": who.theme}
        looks["numbers"] = who.numbers
        return replace(row, **looks, email=who.email, is_guest=who.is_guest)  # type: ignore[arg-type]

    def touch(self, token_sha256: str, now_ms: int) -> None:
        if (row := self.rows.get(token_sha256)) is not None:
            self.rows[token_sha256] = replace(row, seen_ms=max(row.seen_ms, now_ms))

    def prove(self, user_id: int, session_id: int, now_ms: int) -> None:
        self.rows = {
            key: replace(row, proved_ms=now_ms) if (row.user_id, row.session_id) == (user_id, session_id) else row
            for key, row in self.rows.items()
        }

    def close(self, token_sha256: str) -> None:
        self.rows.pop(token_sha256, None)

    def close_one(self, user_id: int, session_id: int, note: Note) -> bool:
        return self._close(lambda row: row.user_id == user_id and row.session_id == session_id, note)

    def close_all(self, user_id: int, *, besides: int = 0, note: Note | None = None) -> None:
        self._close(lambda row: row.user_id == user_id and row.session_id != besides, note)

    def _close(self, which: Callable[[SessionRow], bool], note: Note | None) -> bool:
        kept = {key: row for key, row in self.rows.items() if not which(row)}
        closed, self.rows = len(self.rows) - len(kept), kept
        if closed:
            self.trail.record(note)
        return bool(closed)

    def drop_unseen(self, before_ms: int) -> int:
        kept = {key: row for key, row in self.rows.items() if row.seen_ms >= before_ms}
        dropped, self.rows = len(self.rows) - len(kept), kept
        return dropped


class MemoryTrail(Trail):
    """`lib.ports.people.Trail`; the sessions made with it write here too."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def record(self, note: Note | None) -> None:
        if note is not None:
            self.notes.append(note)

    def write(self, note: Note) -> None:
        self.notes.append(note)

    def drop_older(self, before_ms: int) -> int:
        kept = [note for note in self.notes if note.at_ms >= before_ms]
        dropped, self.notes = len(self.notes) - len(kept), kept
        return dropped


class MemoryFactors(SecondFactors):
    """`lib.ports.safety.SecondFactors`."""

    def __init__(self) -> None:
        self.trail = MemoryTrail()
        self.kept: dict[int, Authenticator] = {}
        self.codes: dict[int, dict[str, bool]] = {}

    def authenticator(self, user_id: int) -> Authenticator | None:
        return self.kept.get(user_id)

    def propose(self, user_id: int, sealed: str) -> bool:
        if user_id in self.kept and self.kept[user_id].confirmed:
            return False
        self.kept[user_id] = Authenticator(sealed, 0, confirmed=False)
        return True

    def confirm(self, sealed: str, step: int, codes_sha256: Sequence[str], note: Note) -> bool:
        known = self.kept.get(note.user_id)
        if known is None or known.confirmed or known.sealed != sealed:
            return False
        self.kept[note.user_id] = Authenticator(known.sealed, step, confirmed=True)
        return self.renew_codes(codes_sha256, note)

    def spend_step(self, user_id: int, step: int) -> bool:
        known = self.kept.get(user_id)
        if known is None or not known.confirmed or known.last_step >= step:
            return False
        self.kept[user_id] = replace(known, last_step=step)
        return True

    def spend_code(self, user_id: int, code_sha256: str, note: Note) -> bool:
        if not self.codes.get(user_id, {}).get(code_sha256):
            return False
        self.codes[user_id][code_sha256] = False
        self.trail.record(note)
        return True

    def renew_codes(self, codes_sha256: Sequence[str], note: Note) -> bool:
        known = self.kept.get(note.user_id)
        if known is None or not known.confirmed:
            return False
        self.codes[note.user_id] = dict.fromkeys(codes_sha256, True)
        self.trail.record(note)
        return True

    def drop(self, user_id: int, note: Note | None) -> bool:
        self.codes.pop(user_id, None)
        if self.kept.pop(user_id, None) is None:
            return False
        self.trail.record(note)
        return True


class MemoryResetLinks(ResetLinks):
    """`lib.ports.safety.ResetLinks`: token → (person, until, drops the factor)."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        self.rows: dict[str, tuple[int, int, bool]] = {}

    def add(self, token_sha256: str, user_id: int, expires_ms: int, note: Note, *, drops_factor: bool = False) -> None:
        self.rows = {key: row for key, row in self.rows.items() if row[0] != user_id}
        self.rows[token_sha256] = (user_id, expires_ms, drops_factor)
        self._logins.factors.trail.record(note)

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        row = self.rows.get(token_sha256)
        alive = row is not None and row[1] > now_ms and not self._logins.members[row[0]].deleted
        return self._logins.members[row[0]].email if row is not None and alive else None

    def use(self, token_sha256: str, password_hash: str, note: Note) -> int | None:
        if self.email(token_sha256, note.at_ms) is None:
            return None
        user_id, _, drops_factor = self.rows.pop(token_sha256)
        known = self._logins.members[user_id].password_hash
        self._logins.change_password(user_id, password_hash, replace(note, user_id=user_id), verified=known)
        if drops_factor:
            self._logins.factors.drop(user_id, None)
        return user_id


class MemoryEmailLinks(EmailLinks):
    """`lib.ports.safety.EmailLinks`: person → (token, e-mail, until). *MemoryLogins* ends them with the rest."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        self.rows = logins.email_links

    def add(self, token_sha256: str, email: str, expires_ms: int, note: Note, *, verified: str) -> bool:
        if not self._logins.is_verified(note.user_id, verified):
            return False
        self.rows[note.user_id] = (token_sha256, email, expires_ms)
        self._logins.factors.trail.record(note)
        return True

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        found = self._living(token_sha256, now_ms)
        return None if found is None else self.rows[found][1]

    def use(self, token_sha256: str, note: Note, besides: int = 0) -> EmailMoved | None:
        user_id = self._living(token_sha256, note.at_ms)
        if user_id is None:
            return None
        before, email = self._logins.members[user_id], self.rows.pop(user_id)[1]
        try:
            mine = replace(note, user_id=user_id)
            self._logins.change_email(user_id, email, mine, besides, verified=before.password_hash)
        except ValueError:
            return None
        return EmailMoved(user_id, before.email, before.locale)

    def _living(self, token_sha256: str, now_ms: int) -> int | None:
        found = [
            user_id
            for user_id, (token, _, until) in self.rows.items()
            if token == token_sha256 and until > now_ms and not self._logins.members[user_id].deleted
        ]
        return found[0] if found else None


class MemoryPasskeys(Passkeys):
    """`lib.ports.safety.Passkeys`, by the sha256 of the credential."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self.rows: dict[str, Passkey] = {}
        self.made = 0

    def of_person(self, user_id: int) -> list[Passkey]:
        return [row for row in self.rows.values() if row.user_id == user_id]

    def find(self, credential_sha256: str) -> Passkey | None:
        return self.rows.get(credential_sha256)

    def add(self, new: NewPasskey, credential_sha256: str, name: str, note: Note) -> bool:
        if credential_sha256 in self.rows or len(self.of_person(note.user_id)) >= MOST_PASSKEYS:
            return False
        self.made += 1
        self.rows[credential_sha256] = Passkey(
            self.made, note.user_id, new.credential_id, new.public_key, new.sign_count
        )
        self._trail.record(note)
        return True

    def used(self, passkey_id: int, sign_count: int, now_ms: int) -> bool:
        self.rows = {
            key: replace(row, sign_count=sign_count) if row.id == passkey_id else row for key, row in self.rows.items()
        }
        return any(row.id == passkey_id for row in self.rows.values())

    def remove(self, user_id: int, passkey_id: int, note: Note) -> bool:
        kept = {key: row for key, row in self.rows.items() if (row.user_id, row.id) != (user_id, passkey_id)}
        gone, self.rows = len(self.rows) - len(kept), kept
        if gone:
            self._trail.record(note)
        return bool(gone)


class TrustingCheck(PasskeyCheck):
    """`lib.ports.secrets.PasskeyCheck` for answers that say themselves whether they hold (`fits`, `count`)."""

    def registration(
        self, place: RelyingParty, challenge: bytes, handle: str, email: str, known: tuple[str, ...]
    ) -> str:
        return json.dumps({"challenge": written(challenge), "known": known})

    def authentication(self, place: RelyingParty, challenge: bytes) -> str:
        return json.dumps({"challenge": written(challenge)})

    def registered(self, place: RelyingParty, challenge: bytes, answer: str) -> NewPasskey | None:
        said = json.loads(answer)
        return NewPasskey(said["id"], "public", 0) if said["fits"] == place.host else None

    def authenticated(self, place: RelyingParty, challenge: bytes, answer: str, known: Passkey) -> int | None:
        said = json.loads(answer)
        return int(said["count"]) if said["fits"] == place.host and said["count"] > known.sign_count else None


def written(raw: bytes) -> str:
    """Base64url, as WebAuthn writes bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class MemoryLeaving(Leaving):
    """`lib.ports.safety.Leaving`; *in_use* = they hold an open position."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        self.in_use: set[int] = set()

    def leave(self, user_id: int, now_ms: int) -> None:
        if user_id in self.in_use:
            raise AccountInUse("open")
        self._logins.delete(user_id, now_ms)


class MemoryMailer(Mailer):
    """`lib.ports.mail.Mailer`: keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.sent.append(letter)


class MemoryBrowsers(Browsers):
    """`lib.ports.people.Browsers`: token → (person, when last used)."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[int, int]] = {}

    def remember(self, token_sha256: str, user_id: int, now_ms: int) -> None:
        if self.owner(token_sha256) in (None, user_id):
            self.rows[token_sha256] = (user_id, now_ms)
        mine = sorted((key for key, row in self.rows.items() if row[0] == user_id), key=lambda k: -self.rows[k][1])
        for key in mine[20:]:
            del self.rows[key]

    def owner(self, token_sha256: str) -> int | None:
        row = self.rows.get(token_sha256)
        return None if row is None else row[0]

    def forget_all(self, user_id: int) -> None:
        self.rows = {key: row for key, row in self.rows.items() if row[0] != user_id}

    def drop_unseen(self, before_ms: int) -> int:
        kept = {key: row for key, row in self.rows.items() if row[1] >= before_ms}
        dropped, self.rows = len(self.rows) - len(kept), kept
        return dropped


class MemoryThrottles(Throttles):
    """`lib.ports.people.Throttles`."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    def attempt(self, key: str, pace: Pace, now_ms: int) -> int:
        tally = self.tallies.get(key, Tally(0.0, now_ms))
        wait = tally.wait_ms(pace, now_ms)
        if wait == 0:
            self.tallies[key] = tally.tried(pace, now_ms)
        return wait

    def forgive(self, key: str, pace: Pace, now_ms: int) -> None:
        if key in self.tallies:
            self.tallies[key] = self.tallies[key].forgiven(pace, now_ms)

    def drop_older(self, before_ms: int) -> int:
        kept = {key: tally for key, tally in self.tallies.items() if tally.at_ms >= before_ms}
        dropped, self.tallies = len(self.tallies) - len(kept), kept
        return dropped


class QuickHasher(PasswordHasher):
    """Counts what it is asked to verify; "$quick$" marks today's hashes, "$old$" yesterday's."""

    def __init__(self) -> None:
        self.verified = 0

    def hash(self, password: str) -> str:
        return f"$quick${password}"

    def verify(self, stored: str | None, password: str) -> bool:
        self.verified += 1
        return stored is not None and stored.split("$", 2)[2] == password

    def needs_rehash(self, stored: str) -> bool:
        return stored.startswith("$old$")


class MemoryApiTokens(ApiTokens):
    """`lib.ports.safety.ApiTokens`."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        self.rows: dict[str, tuple[int, ApiToken]] = {}

    def add(self, new: NewApiToken, note: Note, most: int) -> bool:
        self.rows = {
            key: row for key, row in self.rows.items() if row[0] != new.user_id or row[1].lives(new.created_ms)
        }
        if sum(user_id == new.user_id for user_id, _ in self.rows.values()) >= most:
            return False
        number = len(self.rows) + 1
        made = ApiToken(number, new.name, new.scope, new.created_ms, new.expires_ms)
        self.rows[new.token_sha256] = (new.user_id, made)
        self._logins.factors.trail.record(note)
        return True

    def find(self, token_sha256: str) -> TokenHolder | None:
        if (row := self.rows.get(token_sha256)) is None or (who := self._logins.members[row[0]]).deleted:
            return None
        return TokenHolder(row[1], row[0], who.email, who.locale, who.is_demo)

    def touch(self, token_sha256: str, now_ms: int) -> None:
        user_id, token = self.rows[token_sha256]
        self.rows[token_sha256] = (user_id, replace(token, used_ms=max(now_ms, token.used_ms)))

    def revoke(self, user_id: int, token_id: int, note: Note) -> bool:
        kept = {key: row for key, row in self.rows.items() if (row[0], row[1].id) != (user_id, token_id)}
        gone = len(kept) < len(self.rows)
        self.rows = kept
        return gone


class MemoryWonBook(WonBook):
    """`lib.ports.people.WonBook`."""

    def __init__(self) -> None:
        self.rates: dict[int, tuple[WonRate, ...]] = {}

    def replace(self, user_id: int, before: Sequence[WonRate], after: Sequence[WonRate]) -> bool:
        if self.rates.get(user_id, ()) != tuple(before):
            return False
        self.rates[user_id] = tuple(after)
        return True
