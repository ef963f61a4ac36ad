"""Links to a new password, and a person who leaves, on SQLite and MariaDB: nothing of theirs stays but the books."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.chats import SqlChats
from lib.adapters.sql.forms.email_links import SqlEmailLinks
from lib.adapters.sql.forms.leaving import THEIRS, SqlLeaving
from lib.adapters.sql.forms.reset_links import SqlResetLinks
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.tables.people import account_symbols, accounts, audit_events, credentials, users
from lib.adapters.sql.tables.safety import api_tokens, passkeys
from lib.adapters.sql.tables.telling import channels
from lib.domain.account import AccountSettings
from lib.domain.account_records import NewAccount
from lib.domain.session import NewSession
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import AccountInUse
from lib.queries.safety import SafetyReadings
from tests.fakes.people import StandingClock
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
HASH = "$argon2id$secret-hash"


@pytest.fixture(params=["sqlite", *AT_TIMES])
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


def note(user_id: int, event: TrailEvent = TrailEvent.SIGNED_IN) -> Note:
    return Note(user_id, NOW, event)


def person(engine: sa.Engine, name: str = "kim") -> int:
    """Somebody with an account, a key, a session, a second factor and a link."""
    user_id = SqlLogins(engine).add(f"{name}@example.com", HASH, locale="ko", risk_accepted_ms=NOW)
    new = NewAccount(user_id, "demo", "bybit", f"uid-{name}", "BTCUSDT", "sealed-key", "7Qk2", 1, Decimal(10), NOW)
    SqlAccounts(engine).add_account(new)
    SqlAccounts(engine).change_settings(user_id, AccountSettings(custom_prompt="my own words"))
    token = name[0] * 64
    SqlSessions(engine).open(NewSession(token, user_id, False, "203.0.113.7", "browser", NOW), note(user_id))
    factors = SqlSecondFactors(engine)
    factors.propose(user_id, "sealed-secret")
    factors.confirm("sealed-secret", 7, [token], note(user_id, TrailEvent.FACTOR_ON))
    SqlResetLinks(engine).add(token, user_id, NOW + 1_000, note(user_id, TrailEvent.RESET_LINK))
    return user_id


def rows(engine: sa.Engine, table: sa.Table) -> list[sa.RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)).mappings())


def test_who_leaves_is_gone_and_somebody_else_is_not(engine: sa.Engine) -> None:
    kim, lee = person(engine), person(engine, "lee")
    SqlLeaving(engine).leave(kim, NOW)
    assert SqlLogins(engine).find("kim@example.com") is None
    assert SqlSessions(engine).find("k" * 64) is None
    for table in THEIRS:
        assert {row["user_id"] for row in rows(engine, table)} <= {lee}, table.name
    keys = {row["account_id"]: row for row in rows(engine, credentials)}
    mine = {row["user_id"]: row for row in rows(engine, accounts)}
    gone = keys[mine[kim]["id"]]
    assert (gone["sealed"], gone["last4"], gone["revoked_at"] is None) == ("", "", False)
    assert (mine[kim]["active"], mine[kim]["uid"]) == (False, f"gone-{mine[kim]['id']}")
    assert mine[kim]["switched_ms"] >= NOW
    told = repr([row for row in rows(engine, users) if row["id"] == kim])
    for secret in ("kim@", HASH, "my own words"):
        assert secret not in told
    assert keys[mine[lee]["id"]]["sealed"] == "sealed-key"
    assert SqlSessions(engine).find("l" * 64) is not None


def test_the_address_and_the_exchange_account_are_free_again(engine: sa.Engine) -> None:
    SqlLeaving(engine).leave(person(engine), NOW)
    assert person(engine) > 1


def test_with_a_position_open_nobody_leaves(engine: sa.Engine) -> None:
    kim = person(engine)
    with engine.begin() as connection:
        connection.execute(sa.update(account_symbols).values(position_qty=Decimal(1)))
    with pytest.raises(AccountInUse):
        SqlLeaving(engine).leave(kim, NOW)
    assert SqlSessions(engine).find("k" * 64) is not None
    assert rows(engine, credentials)[0]["sealed"] == "sealed-key"
    with pytest.raises(ValueError, match="no such person"):
        SqlLeaving(engine).leave(kim + 9, NOW)


def test_a_link_is_good_once_in_its_time_for_its_person(engine: sa.Engine) -> None:
    kim, lee, links = person(engine), person(engine, "lee"), SqlResetLinks(engine)
    late = Note(0, NOW + 1_000, TrailEvent.PASSWORD_RESET)
    used = Note(0, NOW, TrailEvent.PASSWORD_RESET)
    assert (links.email("k" * 64, NOW), links.email("k" * 64, NOW + 1_000)) == ("kim@example.com", None)
    assert links.use("k" * 64, "$new", late) is None
    assert links.use("x" * 64, "$new", used) is None
    assert links.use("k" * 64, "$new", used) == kim
    assert links.use("k" * 64, "$again", used) is None
    changed, other = SqlLogins(engine).by_id(kim), SqlLogins(engine).by_id(lee)
    assert changed is not None
    assert other is not None
    assert (changed.password_hash, changed.authenticator is None, other.password_hash) == ("$new", False, HASH)
    assert SqlSessions(engine).find("k" * 64) is None
    links.add("n" * 64, kim, NOW + 1_000, note(kim), drops_factor=True)
    assert links.use("n" * 64, "$newer", used) == kim
    dropped = SqlLogins(engine).by_id(kim)
    assert dropped is not None
    assert dropped.authenticator is None


def with_doors(engine: sa.Engine) -> tuple[int, int]:
    """Two people, each with a passkey, a token and a chat."""
    kim, lee = person(engine), person(engine, "lee")
    keys = {kim: {"credential_sha256": "1" * 64, "token_sha256": "1" * 64}, lee: {"credential_sha256": "2" * 64}}
    keys[lee]["token_sha256"] = "2" * 64
    with engine.begin() as connection:
        for user_id, row in keys.items():
            key = {"credential_sha256": row["credential_sha256"], "credential_id": "x", "public_key": "x", "name": "x"}
            connection.execute(sa.insert(passkeys).values(key | {"user_id": user_id}))
            token = {"token_sha256": row["token_sha256"], "name": "x", "scope": "control", "user_id": user_id}
            connection.execute(sa.insert(api_tokens).values(token))
    for user_id in (kim, lee):
        SqlChats(engine).offer(user_id, str(user_id) * 8, NOW + 1_000)
        assert SqlChats(engine).bind(str(user_id) * 8, 1_000 + user_id, "Telegram", NOW) == user_id
    return kim, lee


def ended(engine: sa.Engine, user_id: int) -> list[str]:
    """What the person's trail names beside the change."""
    found = [row["event"] for row in rows(engine, audit_events) if row["user_id"] == user_id]
    return [event for event in found if event in {TrailEvent.TOKENS_ENDED, TrailEvent.CHAT_UNBOUND}]


def test_a_reset_leaves_nobody_else_a_way_in(engine: sa.Engine) -> None:
    kim, lee = with_doors(engine)
    assert SqlResetLinks(engine).use("k" * 64, "$new", Note(0, NOW, TrailEvent.PASSWORD_RESET)) == kim
    assert {row["user_id"] for table in (passkeys, api_tokens, channels) for row in rows(engine, table)} == {lee}
    assert (SqlChats(engine).chat_of(kim), SqlChats(engine).chat_of(lee) is None) == (None, False)
    assert (ended(engine, kim), ended(engine, lee)) == (["tokens_ended", "chat_unbound"], [])


@pytest.mark.parametrize("change", ["password", "e-mail", "e-mail by link"])
def test_a_change_ends_tokens_and_the_chat_and_says_so_in_the_trail(engine: sa.Engine, change: str) -> None:
    kim, lee = with_doors(engine)
    logins, links, new = SqlLogins(engine), SqlEmailLinks(engine), "kim@elsewhere.example"
    if change == "password":
        assert logins.change_password(kim, "$new", note(kim), verified=HASH)
    elif change == "e-mail":
        assert logins.change_email(kim, new, note(kim), verified=HASH)
    else:
        assert links.add("e" * 64, new, NOW + 1_000, note(kim), verified=HASH)
        assert links.use("e" * 64, Note(0, NOW, TrailEvent.EMAIL_CONFIRMED)) is not None
    assert {row["user_id"] for table in (api_tokens, channels) for row in rows(engine, table)} == {lee}
    assert (SqlChats(engine).chat_of(kim), SqlChats(engine).chat_of(lee) is None) == (None, False)
    assert (ended(engine, kim), ended(engine, lee)) == (["tokens_ended", "chat_unbound"], [])
    changed = logins.by_id(kim)
    assert changed is not None
    assert logins.change_password(kim, "$newer", note(kim), verified=changed.password_hash)
    assert len(ended(engine, kim)) == 2, "nothing was left to end"


@pytest.mark.parametrize("change", ["password", "e-mail"])
def test_a_link_ends_with_the_password_or_the_mailbox_it_was_made_for(engine: sa.Engine, change: str) -> None:
    kim, logins = person(engine), SqlLogins(engine)
    if change == "password":
        assert logins.change_password(kim, "$new", note(kim), verified=HASH)
    else:
        assert logins.change_email(kim, "kim@elsewhere.example", note(kim), verified=HASH)
    assert SqlResetLinks(engine).email("k" * 64, NOW) is None


def test_what_a_person_takes_along_holds_no_secret_and_nothing_of_others(engine: sa.Engine) -> None:
    kim, _ = person(engine), person(engine, "lee")
    found = SafetyReadings(engine, None, StandingClock(NOW)).everything(kim)  # type: ignore[arg-type]
    told = repr(found)
    assert found["person"]["email"] == "kim@example.com"
    assert [one["last4"] for one in found["accounts"]] == ["7Qk2"]
    assert found["person"]["custom_prompt"] == "my own words"
    assert "my own words" in found["strategy_versions"][0]["content"]
    for secret in (HASH, "sealed", "k" * 64, "lee@"):
        assert secret not in told
