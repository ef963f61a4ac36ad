"""One contract each for `SecondFactors` and `Passkeys`: memory, SQLite, MariaDB; and the lock of the secrets."""

import threading

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.passkeys import SqlPasskeys
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins
from lib.adapters.sql.tables.people import users
from lib.adapters.web_lock import WebLock, new_secret
from lib.domain.passkey import MOST_PASSKEYS, NewPasskey
from lib.domain.second_factor import Authenticator
from lib.domain.trail import Note, TrailEvent
from lib.ports.safety import Passkeys, SecondFactors
from tests.fakes.people import MemoryFactors, MemoryPasskeys
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
CODES = ["a" * 64, "b" * 64]


@pytest.fixture(params=["memory", "sqlite", *AT_TIMES])
def store(request: pytest.FixtureRequest) -> SecondFactors:
    if request.param == "memory":
        return MemoryFactors()
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    with engine.begin() as connection:
        for number, name in ((1, "kim"), (2, "lee")):
            connection.execute(sa.insert(users).values(id=number, email=f"{name}@example.com", password_hash="$hash"))
    return SqlSecondFactors(engine)


def note(user_id: int = 1, event: TrailEvent = TrailEvent.FACTOR_ON) -> Note:
    return Note(user_id, NOW, event)


def test_nothing_counts_before_it_is_confirmed(store: SecondFactors) -> None:
    assert store.authenticator(1) is None
    assert store.propose(1, "first")
    assert store.propose(1, "second")
    assert store.authenticator(1) == Authenticator("second", 0, confirmed=False)
    assert not store.spend_step(1, 7)
    assert not store.renew_codes(CODES, note())
    assert not store.confirm("second", 7, CODES, note(2))
    assert not store.confirm("first", 7, CODES, note()), "another tab proposed a newer one since"
    assert store.confirm("second", 7, CODES, note())
    assert store.authenticator(1) == Authenticator("second", 7, confirmed=True)
    assert not store.confirm("second", 8, CODES, note())
    assert not store.propose(1, "third")


def test_a_step_and_all_before_it_are_used_up_once(store: SecondFactors) -> None:
    store.propose(1, "sealed")
    store.confirm("sealed", 7, CODES, note())
    assert [store.spend_step(1, step) for step in (7, 9, 9, 8, 10)] == [False, True, False, False, True]


def test_a_recovery_code_is_its_owners_and_good_once(store: SecondFactors) -> None:
    store.propose(1, "sealed")
    store.confirm("sealed", 7, CODES, note())
    used = note(event=TrailEvent.RECOVERY_USED)
    assert not store.spend_code(2, CODES[0], used)
    assert [store.spend_code(1, CODES[0], used), store.spend_code(1, CODES[0], used)] == [True, False]
    assert store.renew_codes(["c" * 64], note())
    assert [store.spend_code(1, code, used) for code in (*CODES, "c" * 64)] == [False, False, True]


def test_what_is_dropped_is_gone_and_may_begin_anew(store: SecondFactors) -> None:
    assert not store.drop(1, note())
    store.propose(1, "sealed")
    store.confirm("sealed", 7, CODES, note())
    assert store.drop(1, note(event=TrailEvent.FACTOR_OFF))
    assert store.authenticator(1) is None
    assert not store.spend_code(1, CODES[1], note())
    assert store.propose(1, "again")


def test_of_many_who_show_one_code_at_once_one_passes(store: SecondFactors) -> None:
    store.propose(1, "sealed")
    store.confirm("sealed", 7, CODES, note())
    passed: list[bool] = []

    def show() -> None:
        passed.append(store.spend_code(1, CODES[0], note()))

    threads = [threading.Thread(target=show) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert passed.count(True) == 1


@pytest.mark.parametrize("kind", ["sqlite", *AT_TIMES])
def test_a_confirmed_authenticator_comes_with_the_login(kind: str, request: pytest.FixtureRequest) -> None:
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    logins, store = SqlLogins(engine), SqlSecondFactors(engine)
    kim = logins.add("kim@example.com", "$hash", locale="ko", risk_accepted_ms=NOW)
    store.propose(kim, "sealed")
    found = logins.find("kim@example.com")
    assert found is not None
    assert found.authenticator is None
    store.confirm("sealed", 7, CODES, note(kim))
    found = logins.by_id(kim)
    assert found is not None
    assert (found.email, found.authenticator) == ("kim@example.com", Authenticator("sealed", 7, confirmed=True))


def test_the_lock_opens_for_its_own_purpose_and_secret_alone() -> None:
    lock = WebLock(new_secret())
    locked = lock.lock("secret", "authenticator|1")
    assert locked != lock.lock("secret", "authenticator|1")
    assert lock.open(locked, "authenticator|1") == "secret"
    assert lock.open(locked, "authenticator|2") is None
    assert WebLock(new_secret()).open(locked, "authenticator|1") is None
    assert WebLock("").open(locked, "authenticator|1") is None
    for odd in ("", "w1.", "w1.x", "w2." + locked[3:], locked[:-4], "w1.é"):
        assert lock.open(odd, "authenticator|1") is None
    with pytest.raises(ValueError, match="WEB_SECRET"):
        WebLock("").lock("secret", "x")
    assert not WebLock("").works


# --- passkeys ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite", *AT_TIMES])
def passkeys(request: pytest.FixtureRequest) -> Passkeys:
    if request.param == "memory":
        return MemoryPasskeys(MemoryFactors().trail)
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    with engine.begin() as connection:
        for number, name in ((1, "kim"), (2, "lee")):
            connection.execute(sa.insert(users).values(id=number, email=f"{name}@example.com", password_hash="$hash"))
    return SqlPasskeys(engine)


def test_a_passkey_is_one_persons_is_counted_and_is_forgotten_by_its_owner(passkeys: Passkeys) -> None:
    added = note(event=TrailEvent.PASSKEY_ADDED)
    assert passkeys.add(NewPasskey("id-1", "public", 0), "a" * 64, "Chrome", added)
    assert not passkeys.add(NewPasskey("id-1", "public", 0), "a" * 64, "Chrome", note(2, TrailEvent.PASSKEY_ADDED))
    found = passkeys.find("a" * 64)
    assert found is not None
    assert (found.user_id, found.credential_id, found.public_key, found.sign_count) == (1, "id-1", "public", 0)
    assert passkeys.used(found.id, 7, NOW)
    assert [one.sign_count for one in passkeys.of_person(1)] == [7]
    assert passkeys.of_person(2) == []
    gone = note(event=TrailEvent.PASSKEY_REMOVED)
    assert not passkeys.remove(2, found.id, note(2, TrailEvent.PASSKEY_REMOVED))
    assert [passkeys.remove(1, found.id, gone), passkeys.remove(1, found.id, gone)] == [True, False]
    assert passkeys.find("a" * 64) is None
    assert not passkeys.used(found.id, 8, NOW), "and whoever shows it meanwhile is told"


def test_of_one_person_ten_are_kept(passkeys: Passkeys) -> None:
    kept = [
        passkeys.add(NewPasskey(f"id-{n}", "public", 0), f"{n:064d}", "Chrome", note(event=TrailEvent.PASSKEY_ADDED))
        for n in range(MOST_PASSKEYS + 1)
    ]
    assert kept == [True] * MOST_PASSKEYS + [False]
