"""
Sign-ins and sessions over SQL: `lib.ports.people.Logins` and `lib.ports.people.Sessions`.

One transaction a method. Reading a session takes no write lock, so it can be done on every run of every page. Expiry is
`lib.accounts.people`'s to decide.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms import guests
from lib.adapters.sql.forms.chats import unbind
from lib.adapters.sql.forms.invites import use_invite, used_by
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import exclusively, shared
from lib.adapters.sql.ledger.switches import throw_of_person
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import known_browsers, sessions, users
from lib.adapters.sql.tables.safety import api_tokens, authenticators, email_links, reset_links
from lib.adapters.sql.tables.telling import chats
from lib.domain.account import Colours, Numbers, Theme
from lib.domain.platform_settings import Invite
from lib.domain.second_factor import Authenticator
from lib.domain.session import Login, NewSession, SessionRow
from lib.domain.spelling import normal_email
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import Logins, Sessions

T = TypeVar("T")


class SqlLogins(Logins):
    """`lib.ports.people.Logins`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, is_guest: bool = False) -> int:
        values = {
            "email": normal_email(email),
            "password_hash": password_hash,
            "locale": locale,
            "risk_accepted_ms": risk_accepted_ms,
            "is_guest": is_guest,
        }
        return transact(self._engine, lambda c: _add(c, values))

    def add_invited(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, invite: Invite) -> int:
        values = {
            "email": normal_email(email),
            "password_hash": password_hash,
            "locale": locale,
            "risk_accepted_ms": risk_accepted_ms,
        }
        return transact(self._engine, lambda c: _add_invited(c, values, invite))

    def living_guests(self) -> int:
        return transact(self._engine, guests.living_guests, readonly=True)

    def keep_guest(self, user_id: int, email: str, password_hash: str, invite: Invite | None = None) -> bool:
        values = {"email": normal_email(email), "password_hash": password_hash}
        return transact(self._engine, lambda c: guests.keep_guest(c, user_id, values, invite))

    def end_guests(self, now_ms: int) -> tuple[int, ...]:
        return transact(self._engine, lambda c: guests.end_guests(c, now_ms))

    def find(self, email: str) -> Login | None:
        return self._login(users.c.email == normal_email(email))

    def by_id(self, user_id: int) -> Login | None:
        return self._login(users.c.id == user_id)

    def _login(self, which: sa.ColumnElement[bool]) -> Login | None:
        # in one question, so that somebody with a second factor costs no other time than anybody else
        factor = (authenticators.c.user_id == users.c.id) & authenticators.c.confirmed
        query = (
            sa.select(users, authenticators.c.sealed, authenticators.c.last_step)
            .outerjoin(authenticators, factor)
            .where(which, users.c.deleted_at.is_(None))
        )
        row = transact(self._engine, lambda c: c.execute(query).mappings().one_or_none(), readonly=True)
        if row is None:
            return None
        known = None if row["sealed"] is None else Authenticator(row["sealed"], row["last_step"], confirmed=True)
        return Login(row["id"], row["password_hash"], row["is_demo"], row["email"], known)

    def change_hash(self, user_id: int, password_hash: str, *, verified: str) -> bool:
        change = sa.update(users).where(users.c.id == user_id).values(password_hash=password_hash)
        return self._if_verified(user_id, verified, lambda c: c.execute(change))

    def change_password(self, user_id: int, password_hash: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        return self._if_verified(user_id, verified, lambda c: change_password(c, password_hash, note, besides))

    def change_email(self, user_id: int, email: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        try:
            return self._if_verified(user_id, verified, lambda c: change_email(c, normal_email(email), note, besides))
        except IntegrityError:
            raise ValueError("this e-mail address is taken") from None

    def change_looks(self, user_id: int, locale: str, colours: Colours) -> None:
        self._update(user_id, locale=locale, colours=colours)

    def change_zone(self, user_id: int, name: str) -> None:
        self._update(user_id, time_zone=name)

    def change_theme(self, user_id: int, theme: Theme) -> None:
        self._update(user_id, theme=theme)

    def change_numbers(self, user_id: int, numbers: Numbers) -> None:
        self._update(user_id, numbers=numbers)

    def delete(self, user_id: int, now_ms: int) -> None:
        transact(self._engine, lambda c: _delete(c, user_id, now_ms))

    def _update(self, user_id: int, **values: object) -> None:
        change = sa.update(users).where(users.c.id == user_id).values(values)
        transact(self._engine, lambda c: c.execute(change) and None)

    def _if_verified(self, user_id: int, verified: str, work: Callable[[sa.Connection], object]) -> bool:
        def change(connection: sa.Connection) -> bool:
            if not is_verified(connection, user_id, verified):
                return False
            work(connection)
            return True

        return transact(self._engine, change)


class SqlSessions(Sessions):
    """`lib.ports.people.Sessions`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open(self, new: NewSession, note: Note | None = None, *, verified: str | None = None) -> bool:
        values = {
            "token_sha256": new.token_sha256,
            "user_id": new.user_id,
            "read_only": new.read_only,
            "ip": new.ip.encode("ascii", "replace").decode(),
            "user_agent": new.user_agent,
            "created_ms": new.now_ms,
            "seen_ms": new.now_ms,
            "proved_ms": new.proved_ms,
        }

        def insert(connection: sa.Connection) -> bool:
            # whoever changes the password locks the row first and ends the sessions there are after that
            if verified is not None and connection.scalar(shared(_hash_of(new.user_id))) != verified:
                return False
            connection.execute(sa.insert(sessions).values(values))
            record(connection, note)
            return True

        return transact(self._engine, insert)

    def find(self, token_sha256: str) -> SessionRow | None:
        query = (
            sa.select(
                users.c.id.label("user_id"),
                users.c.email,
                users.c.locale,
                users.c.is_demo,
                sessions.c.read_only,
                sessions.c.created_ms,
                sessions.c.seen_ms,
                sessions.c.ip,
                users.c.colours,
                users.c.is_guest,
                sessions.c.id.label("session_id"),
                sessions.c.user_agent,
                sessions.c.proved_ms,
                users.c.time_zone,
                users.c.theme,
                users.c.numbers,
            )
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.token_sha256 == token_sha256, users.c.deleted_at.is_(None))
        )
        row = transact(self._engine, lambda c: c.execute(query).mappings().one_or_none(), readonly=True)
        return None if row is None else SessionRow(**row)

    def touch(self, token_sha256: str, now_ms: int) -> None:
        mine = sessions.c.token_sha256 == token_sha256
        self._change(sa.update(sessions).where(mine, sessions.c.seen_ms < now_ms).values(seen_ms=now_ms))

    def prove(self, user_id: int, session_id: int, now_ms: int) -> None:
        mine = (sessions.c.user_id == user_id, sessions.c.id == session_id)
        self._change(sa.update(sessions).where(*mine).values(proved_ms=now_ms))

    def close(self, token_sha256: str) -> None:
        self._change(sa.delete(sessions).where(sessions.c.token_sha256 == token_sha256))

    def close_one(self, user_id: int, session_id: int, note: Note) -> bool:
        mine = (sessions.c.user_id == user_id, sessions.c.id == session_id)
        return self._change(sa.delete(sessions).where(*mine), note) == 1

    def close_all(self, user_id: int, *, besides: int = 0, note: Note | None = None) -> None:
        others = (sessions.c.user_id == user_id, sessions.c.id != besides)
        self._change(sa.delete(sessions).where(*others), note)

    def drop_unseen(self, before_ms: int) -> int:
        return self._change(sa.delete(sessions).where(sessions.c.seen_ms < before_ms))

    def _change(self, statement: sa.Insert | sa.Update | sa.Delete, note: Note | None = None) -> int:
        def change(connection: sa.Connection) -> int:
            if touched := counted(statement)(connection):
                record(connection, note)
            return touched

        return transact(self._engine, change)


def _hash_of(user_id: int) -> sa.Select[tuple[str]]:
    """The stored hash of a person who is not deleted; compared by the caller, whose letters differ by case."""
    return sa.select(users.c.password_hash).where(users.c.id == user_id, users.c.deleted_at.is_(None))


def counted(statement: sa.Insert | sa.Update | sa.Delete) -> Callable[[sa.Connection], int]:
    """Work for `transact`: run *statement*, answer how many rows it touched."""
    return lambda connection: cast("sa.CursorResult[Any]", connection.execute(statement)).rowcount


def _add(connection: sa.Connection, values: dict[str, Any]) -> int:
    try:
        made = connection.execute(sa.insert(users).values(values))
    except IntegrityError:
        raise ValueError("this e-mail address is taken") from None
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else 0


def _add_invited(connection: sa.Connection, values: dict[str, Any], invite: Invite) -> int:
    use_invite(connection, invite)
    user_id = _add(connection, values)
    used_by(connection, invite, user_id)
    return user_id


def change_password(connection: sa.Connection, password_hash: str, note: Note, besides: int = 0) -> None:
    """The port's `change_password`, for the person of *note*, in the transaction of *connection*."""
    _change_sign_in(connection, note, besides, password_hash=password_hash)


def change_email(connection: sa.Connection, email: str, note: Note, besides: int = 0) -> None:
    """The port's `change_email`, for the person of *note*; *IntegrityError* when the e-mail is taken."""
    _change_sign_in(connection, note, besides, email=email)


def _change_sign_in(connection: sa.Connection, note: Note, besides: int, **values: str) -> None:
    user_id = note.user_id
    connection.execute(sa.update(users).where(users.c.id == user_id).values(values))
    connection.execute(sa.delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != besides))
    connection.execute(sa.delete(known_browsers).where(known_browsers.c.user_id == user_id))
    _end_links(connection, user_id)
    record(connection, note)
    _end_doors(connection, note)


def is_verified(connection: sa.Connection, user_id: int, verified: str) -> bool:
    """Whether the person's stored hash is still *verified*; their row stays locked with the transaction."""
    return bool(connection.scalar(exclusively(_hash_of(user_id))) == verified)


def _end_links(connection: sa.Connection, user_id: int) -> None:
    """
    Links lie in mailboxes that may be no more the person's, or were asked for by who is locked out now; so was a code
    that binds a chat.
    """
    for table in (reset_links, email_links):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))
    code = sa.update(chats).where(chats.c.user_id == user_id, chats.c.code_sha256.is_not(None))
    connection.execute(code.values(code_sha256=None, code_until_ms=0))


def _end_doors(connection: sa.Connection, note: Note) -> None:
    """Tokens and a chat may be those of whoever had the old password or mailbox; what there was is noted beside."""
    tokens = sa.delete(api_tokens).where(api_tokens.c.user_id == note.user_id)
    if counted(tokens)(connection):
        record(connection, replace(note, event=TrailEvent.TOKENS_ENDED))
    if unbind(connection, note.user_id):
        record(connection, replace(note, event=TrailEvent.CHAT_UNBOUND))


def _delete(connection: sa.Connection, user_id: int, now_ms: int) -> None:
    gone = sa.update(users).where(users.c.id == user_id).values(deleted_at=utc_from_ms(now_ms))
    connection.execute(gone)
    throw_of_person(connection, user_id, now_ms)
