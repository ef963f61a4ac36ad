"""A session that a new password ended opens no door any more, though what it asks for was under way at that moment."""

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.api_tokens import SqlApiTokens
from lib.adapters.sql.forms.passkeys import SqlPasskeys
from lib.adapters.sql.forms.real_consents import SqlRealConsents
from lib.adapters.sql.forms.sessions import SqlLogins
from lib.adapters.sql.tables.people import sessions
from lib.domain.account_records import NewAccount
from lib.domain.api_token import NewApiToken
from lib.domain.passkey import NewPasskey
from lib.domain.trail import Note, TrailEvent
from tests.factories import SYMBOL, T

Opening = Callable[[sa.Engine, Note], bool]


def token(engine: sa.Engine, note: Note) -> bool:
    return SqlApiTokens(engine).add(NewApiToken("a" * 64, note.user_id, "x", "read", T, T + 1_000), note, 10)


def passkey(engine: sa.Engine, note: Note) -> bool:
    return SqlPasskeys(engine).add(NewPasskey("id", "public", 0), "b" * 64, "Chrome", note)


def consent(engine: sa.Engine, note: Note) -> bool:
    return SqlRealConsents(engine).give(1, note)


@pytest.mark.parametrize("opens", [token, passkey, consent])
def test_what_a_session_makes_while_a_new_password_ends_it_is_not_made(
    sqlite_engine: sa.Engine, opens: Opening
) -> None:
    people = SqlAccounts(sqlite_engine)
    user_id = people.add_user("kim@example.test", "$old")
    people.add_account(NewAccount(user_id, "mainnet", "bybit", "1", SYMBOL, "sealed", "1", 1, Decimal(1), T))
    with sqlite_engine.begin() as connection:
        for number in (5, 6):
            connection.execute(
                sa.insert(sessions).values(id=number, user_id=user_id, token_sha256=f"{number}" * 64, created_ms=T)
            )
    thiefs, owners = (Note(user_id, T, TrailEvent.TOKEN_MADE, session_id=number) for number in (5, 6))
    new = Note(user_id, T, TrailEvent.PASSWORD_CHANGED)
    assert SqlLogins(sqlite_engine).change_password(user_id, "$new", new, besides=6, verified="$old")
    assert not opens(sqlite_engine, thiefs)
    assert opens(sqlite_engine, owners)
