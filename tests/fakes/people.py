"""Sign-in's stores in memory, a hasher that costs nothing, and a wall clock that stands until moved."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from lib.clock import Clock
from lib.domain.account import Colours
from lib.domain.pace import Pace, Tally
from lib.domain.platform_settings import Invite
from lib.domain.session import Login, NewSession, SessionRow, is_over
from lib.domain.spelling import normal_email
from lib.domain.trail import Note
from lib.ports.people import Browsers, Logins, Sessions, Throttles, Trail
from lib.ports.secrets import PasswordHasher
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

    @property
    def is_living_guest(self) -> bool:
        return self.is_guest and not self.deleted


class MemoryLogins(Logins):
    """`lib.ports.people.Logins`; who has a session is told by `sessions`, set by the `MemorySessions` made over it."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.invites = InviteBox()
        self.sessions: MemorySessions | None = None

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
        return Login(found[0].user_id, found[0].password_hash, found[0].is_demo) if found else None

    def change_hash(self, user_id: int, password_hash: str) -> None:
        self.members[user_id] = replace(self.members[user_id], password_hash=password_hash)

    def change_looks(self, user_id: int, locale: str, colours: Colours) -> None:
        self.members[user_id] = replace(self.members[user_id], locale=locale, colours=colours)

    def delete(self, user_id: int, now_ms: int) -> None:
        self.members[user_id] = replace(self.members[user_id], deleted=True)


class MemorySessions(Sessions):
    """`lib.ports.people.Sessions`."""

    def __init__(self, logins: MemoryLogins) -> None:
        self._logins = logins
        logins.sessions = self
        self.rows: dict[str, SessionRow] = {}
        self.trail = MemoryTrail()
        self.opened = 0

    def open(self, new: NewSession, note: Note | None = None) -> None:
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
        )

    def find(self, token_sha256: str) -> SessionRow | None:
        row = self.rows.get(token_sha256)
        if row is None or (who := self._logins.members[row.user_id]).deleted:
            return None
        return replace(row, locale=who.locale, colours=who.colours, email=who.email, is_guest=who.is_guest)

    def touch(self, token_sha256: str, now_ms: int) -> None:
        if (row := self.rows.get(token_sha256)) is not None:
            self.rows[token_sha256] = replace(row, seen_ms=max(row.seen_ms, now_ms))

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
